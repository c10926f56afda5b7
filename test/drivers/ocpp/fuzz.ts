/** Fuzzes a central system in a process of its own, while a station that behaves well measures its answers. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type WebSocket from 'ws';
import { fuzzFrame, pick, type Random, seeded } from './fuzz-frames.ts';
import { dial } from './harness.ts';

export interface FuzzResult {
  frames: number;
  connections: number;
  /** Bytes of heap and buffers after garbage collection: after the first round, at the end. */
  before: number;
  after: number;
  /** No prototype was changed. */
  clean: boolean;
  /** Alerts that were raised, by code. */
  codes: Record<string, number>;
  /** What our own code got wrong. */
  internal: string[];
  /** 90th percentile of the good station, ms: without and with the fuzz, by round. */
  quiet: number[];
  fuzzed: number[];
}

const STATIONS = 8;
const BATCH = 10;
const QUIET_MS = 400;

export async function fuzz(frames: number, seed: number, rounds = 5): Promise<FuzzResult> {
  const server = fork(new URL('./fuzz-server.ts', import.meta.url), {
    execArgv: ['--expose-gc', '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'],
  });
  const internal: string[] = [];
  server.on('message', (message: { internal?: string }) => {
    if (message.internal !== undefined) internal.push(message.internal);
  });
  const gone = once(server, 'exit').then(([code, signal]) => {
    throw new Error(`the server ended: ${code ?? signal}`);
  });
  gone.catch(() => undefined);
  const attack = run(server, { frames, seed, rounds, internal });
  try {
    return await Promise.race([attack, gone]);
  } finally {
    if (server.connected) server.send('stop');
  }
}

async function run(
  server: ChildProcess,
  { frames, seed, rounds, internal }: { frames: number; seed: number; rounds: number; internal: string[] },
): Promise<FuzzResult> {
  const [{ port }] = (await once(server, 'message')) as [{ port: number }];
  const url = (identity: string) => `ws://127.0.0.1:${port}/ocpp/${identity}`;
  const good = new Worker(new URL('./good-station.ts', import.meta.url), { workerData: { url: url('good') } });
  const random = seeded(seed);
  const counts = { frames: 0, connections: 0 };
  const quiet: number[] = [];
  const fuzzed: number[] = [];
  try {
    let before = 0;
    for (let round = 0; round < rounds; round++) {
      quiet.push(await measured(good, () => new Promise((resolve) => setTimeout(resolve, QUIET_MS))));
      const end = (frames * (round + 1)) / rounds;
      fuzzed.push(await measured(good, () => attack(url, random, counts, end)));
      if (round === 0) before = (await memory(server)).heap;
    }
    const { heap, clean, codes } = await memory(server);
    return { ...counts, before, after: heap, clean, codes, internal, quiet, fuzzed };
  } finally {
    await good.terminate();
  }
}

/** 90th percentile of the good station's answers, ms, during a piece of work. */
async function measured(good: Worker, work: () => Promise<void>): Promise<number> {
  const times = once(good, 'message');
  good.postMessage('measure');
  await work();
  good.postMessage('rest');
  const sorted = ((await times)[0] as number[]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.9)] as number;
}

async function memory(server: ChildProcess) {
  const answer = new Promise<{ heap: number; clean: boolean; codes: Record<string, number> }>((resolve) => {
    const hear = (message: { heap?: number; clean?: boolean; codes?: Record<string, number> }) => {
      if (message.heap === undefined) return;
      server.off('message', hear);
      resolve(message as { heap: number; clean: boolean; codes: Record<string, number> });
    };
    server.on('message', hear);
  });
  server.send('memory');
  return answer;
}

async function attack(
  url: (identity: string) => string,
  random: Random,
  counts: { frames: number; connections: number },
  end: number,
): Promise<void> {
  const one = async (station: number) => {
    while (counts.frames < end) {
      let ws: WebSocket;
      try {
        ws = await dial(url(`fuzz-${station}-${Math.floor(random() * 20)}`));
      } catch {
        // The connection before this one is still being closed, and has been replaced too often.
        continue;
      }
      counts.connections += 1;
      await connection(ws, random, counts, end);
    }
  };
  await Promise.all(Array.from({ length: STATIONS }, (_, station) => one(station)));
}

/** Sends up to 400 frames, in small batches that are waited for, then ends in one of the ways in which a connection may end. */
async function connection(ws: WebSocket, random: Random, counts: { frames: number }, end: number): Promise<void> {
  const length = random() * 400;
  const closed = once(ws, 'close');
  for (let sent = 0; sent < length && counts.frames < end && ws.readyState === ws.OPEN; sent += BATCH) {
    for (let i = 0; i < BATCH; i++) {
      counts.frames += 1;
      const frame = fuzzFrame(random);
      const binary = typeof frame !== 'string';
      // Some in pieces.
      if (random() < 0.05 && frame.length > 2) {
        ws.send(frame.slice(0, 1), { fin: false, binary });
        ws.send(frame.slice(1), { fin: true, binary });
      } else ws.send(frame, { binary });
    }
    const pong = once(ws, 'pong');
    pong.catch(() => undefined);
    ws.ping();
    await Promise.race([pong, closed]);
  }
  const { _socket: socket } = ws as unknown as { _socket: Socket | null };
  pick(random, [
    () => ws.close(1000),
    () => ws.terminate(),
    () => socket?.resetAndDestroy(),
    // Half a frame, then nothing more.
    () => socket?.end(Buffer.from([0x81, 0xfe, 0x01])),
    // No frame at all.
    () => socket?.write(Buffer.from(Array.from({ length: 64 }, () => Math.floor(random() * 256)))),
  ])();
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 100))]);
  ws.terminate();
}

/** Bytes by which the memory of the server may differ after garbage collection. */
const FLAT_BYTES = 8 * 1024 * 1024;
/** How many times as long a good station's answers may take (90th percentile, the median of the rounds), and a floor in ms. */
const SLOWER = 20;
const FLOOR_MS = 25;

/** What a fuzz run must leave as it was. */
export function assertUnharmed(result: FuzzResult, frames: number): void {
  assert.ok(result.frames >= frames);
  assert.ok(result.connections > 8);
  assert.ok(result.clean, 'a prototype was changed');
  assert.deepEqual(result.internal, []);
  for (const code of ['ocpp-malformed', 'ocpp-refused', 'ocpp-repaired']) {
    assert.ok(result.codes[code], `${code} was not reached`);
  }
  const grown = result.after - result.before;
  assert.ok(grown < FLAT_BYTES, `the memory grew by ${grown} bytes`);
  const [quiet, fuzzed] = [median(result.quiet), median(result.fuzzed)];
  assert.ok(fuzzed < Math.max(SLOWER * quiet, FLOOR_MS), `${fuzzed} ms with the fuzz, ${quiet} ms without`);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
