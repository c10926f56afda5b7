/** A worker: a station that behaves well and measures how long its heartbeats take, for as long as it is told. */
import { once } from 'node:events';
import { setTimeout as passes } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { ask, dial } from './harness.ts';

/** 40 heartbeats per s: below what a station may send. */
const PAUSE_MS = 25;
const LEAST = 20;

const ws = await dial(workerData.url);
ws.on('close', (code) => {
  throw new Error(`the good station was closed: ${code}`);
});
let measuring = false;
parentPort?.on('message', (message) => {
  measuring = message === 'measure';
});
for (;;) {
  const times: number[] = [];
  while (!measuring) await once(parentPort as NonNullable<typeof parentPort>, 'message');
  // Some at least, however short the fuzz was.
  while (measuring || times.length < LEAST) {
    const start = performance.now();
    const [type] = await ask(ws, [2, String(times.length), 'Heartbeat', {}]);
    if (type !== 3) throw new Error(`answered with ${type}`);
    times.push(performance.now() - start);
    await passes(PAUSE_MS);
  }
  parentPort?.postMessage(times);
}
