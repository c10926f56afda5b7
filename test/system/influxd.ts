/** A real InfluxDB on free loopback ports and in a folder of its own, that can be stopped and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { freePort } from '../helpers/free-port.ts';

const BINARY = ['/usr/bin/influxd', '/usr/local/bin/influxd', '/opt/homebrew/bin/influxd'].find(existsSync);

export interface Series {
  name: string;
  tags?: Record<string, string>;
  columns: string[];
  values: unknown[][];
}

export interface Influx {
  host: string;
  port: number;
  url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** It keeps its connections and says nothing more, until it is resumed. */
  pause(): void;
  resume(): void;
  remove(): Promise<void>;
  /** Times are in epoch ms. Throws what the database says is wrong. */
  query(q: string, database?: string): Promise<Series[]>;
}

/** With an administrator, nobody else may do anything until that one has made users. */
export async function influx(admin?: { user: string; password: string }): Promise<Influx> {
  if (!BINARY) throw new Error('influxd is missing: install it first (Debian: apt-get install influxdb)');
  const folder = mkdtempSync(join(tmpdir(), 'fusewise-influx-'));
  const [port, rpc] = [await freePort(), await freePort()];
  const config = join(folder, 'influxdb.conf');
  writeFileSync(
    config,
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
  auth-enabled = ${admin !== undefined}
[continuous_queries]
  log-enabled = false
`,
  );
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const database: Influx = {
    host: '127.0.0.1',
    port,
    url,
    async start() {
      child = spawn(BINARY, ['-config', config], { stdio: 'ignore' });
      for (;;) {
        if (child.exitCode !== null) throw new Error(`influxd ended with ${child.exitCode}`);
        const up = await fetch(`${url}/ping`).then(
          (response) => response.ok,
          () => false,
        );
        if (up) return;
        await passes(20);
      }
    },
    async stop() {
      if (!child || child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      child = undefined;
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    async remove() {
      await database.stop();
      rmSync(folder, { recursive: true, force: true });
    },
    async query(q, db = 'dlm') {
      const body = new URLSearchParams({ q, db, epoch: 'ms' });
      const login = Buffer.from(`${admin?.user}:${admin?.password}`).toString('base64');
      const headers: Record<string, string> = admin ? { authorization: `Basic ${login}` } : {};
      const response = await fetch(`${url}/query`, { method: 'POST', body, headers });
      const answer = (await response.json()) as { error?: string; results?: { error?: string; series?: Series[] }[] };
      const wrong = answer.error ?? answer.results?.find((result) => result.error)?.error;
      if (wrong) throw new Error(`${wrong}\n${q}`);
      return answer.results?.flatMap((result) => result.series ?? []) ?? [];
    },
  };
  process.once('exit', () => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  await database.start();
  return database;
}
