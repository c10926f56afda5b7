/**
 * Loaded before a process (`node --import`): its clocks and timers run `CLOCK_FACTOR` times as fast. What takes minutes by the clock
 * is seen in seconds, and nothing of the process knows: every duration keeps its proportion to every other. Processes with the same
 * `CLOCK_BEGAN` (epoch ms) have the same calendar.
 */
import { promisify } from 'node:util';

const factor = Number(process.env.CLOCK_FACTOR ?? 1);

for (const name of ['setTimeout', 'setInterval']) {
  const real = globalThis[name];
  const later = real[promisify.custom];
  globalThis[name] = Object.assign((call, ms, ...args) => real(call, (ms ?? 0) / factor, ...args), {
    ...(later ? { [promisify.custom]: (ms, ...args) => later((ms ?? 0) / factor, ...args) } : {}),
  });
}

const elapsed = performance.now.bind(performance);
performance.now = () => elapsed() * factor;

const RealDate = Date;
const began = Number(process.env.CLOCK_BEGAN ?? RealDate.now());
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [Date.now()] : args));
  }
  static now() {
    return Math.round(began + (RealDate.now() - began) * factor);
  }
};
