/**
 * A station written by others: `ocpp simulate` of ocpp-ws-cli, driven by its keys. It takes them from a pipe, too, so that no terminal is
 * needed once every question is answered on the command line.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What can be pressed; each counts when what came before it was answered. */
const KEYS = {
  /** Authorize with its tag, then Preparing. */
  authorize: 'a',
  /** StartTransaction, then Charging, and MeterValues every 10 s. */
  start: 't',
  /** MeterValues at once: energy, and 4.9 to 5.1 kW whatever the limit. */
  meter: 'm',
  /** StopTransaction, Finishing, and 2 s later Available. */
  stop: 'e',
  heartbeat: 'h',
  boot: 'b',
  /** Available to Faulted, anything else to Available. */
  fault: 's',
} as const;

export type WsCliKey = keyof typeof KEYS;

export interface WsCliStation {
  press(key: WsCliKey): void;
  /** What it has shown. */
  output(): string;
  /** Quits; resolves with its exit code. */
  stop(): Promise<number | null>;
}

export interface WsCliOptions {
  /** Of the central system, without the identity. */
  url: string;
  identity: string;
  idTag?: string;
}

/** Starts one. It boots by itself, dials once, and again 5 s after a lost connection; a first dial that fails is not repeated. */
export function startWsCli({ url, identity, idTag = 'CARD-1' }: WsCliOptions): WsCliStation {
  const binary = createRequire(import.meta.url).resolve('ocpp-ws-cli');
  // Only a report keeps it from asking whether there shall be one.
  const folder = mkdtempSync(join(tmpdir(), 'fusewise-ws-cli-'));
  const about = ['--endpoint', url, '--identity', identity, '--protocol', 'ocpp1.6', '--id-tag', idTag];
  const child = spawn(process.execPath, [binary, 'simulate', ...about, '--report', 'json', '--report-dir', folder], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (output += data.toString()));
  return {
    press: (key) => child.stdin?.write(KEYS[key]),
    output: () => output,
    async stop() {
      const code = await quit(child);
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

async function quit(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.stdin?.end('q');
  const late = setTimeout(() => child.kill('SIGKILL'), 5000);
  const [code] = (await ended) as [number | null];
  clearTimeout(late);
  return code;
}
