/** Judges the day of each seed that it is told. */
import { parentPort } from 'node:worker_threads';
import { judgeSite } from '../../simulator/site-judge.ts';

parentPort?.on('message', (seed: number) => parentPort?.postMessage(judgeSite({ seed })));
