/**
 * Loaded before a process (`node --import`): its timers, `Date` and `performance.now` have a time of their own, which stands still while
 * the process has work and then steps to the next timer. A day passes as fast as its work can be done, and no delay of the machine
 * becomes a delay of the day. Node's own timers inside sockets and HTTP stay real. The calendar begins at `CLOCK_BEGAN` (epoch ms).
 */
import { createRequire } from 'node:module';
import { clearCountedImmediate, countedImmediate, filesAtWork, requests, work } from './process-work.ts';

type Call = (...args: unknown[]) => void;

const real = {
  setImmediate: globalThis.setImmediate,
  setTimeout: globalThis.setTimeout,
  now: performance.now.bind(performance),
  Date,
};

/** Turns of the event loop without work after which the process is idle: each of them has asked the sockets. */
const QUIET_TURNS = 2;
/** ms of this clock that an HTTP request to somebody else takes at most: then time waits for the answer. */
const ANSWER_MS = 4000;
/** Time that stands still for so long (real ms) is told, with the reason. */
const STUCK_MS = 20_000;
const LONGEST_DELAY_MS = 2_147_483_647;
/** Epoch ms at the beginning. */
const BEGAN = Number(process.env.CLOCK_BEGAN ?? real.Date.now());

let now = 0;
let speed = 1;
let steps = 0;
let turns = 0;
/** Since when the present speed counts, by both clocks. */
let since = { now: 0, real: real.now() };

export const clock = {
  /** ms since the process began. */
  now: () => now,
  /** ms of the real clock. */
  realNow: real.now,
  /** Moments at which something was due, and turns of the event loop. */
  counts: () => ({ steps, turns }),
  /** Goes on at most so many ms per real ms from now on; 1 in the beginning. */
  setSpeed(most: number): void {
    speed = most;
    since = { now, real: real.now() };
  },
};

let made = 0;
/** Earliest last. One that has ended stays until it would be due. */
const queue: Timer[] = [];
const byId = new Map<number, Timer>();

/** As `NodeJS.Timeout`. */
class Timer {
  at = 0;
  active = false;
  readonly #id = ++made;
  readonly #delay: number;
  readonly #repeats: boolean;
  readonly #call: () => void;
  #refed = true;

  constructor(call: Call, delay: unknown, repeats: boolean, args: unknown[]) {
    const ms = Number(delay);
    this.#delay = ms >= 1 && ms <= LONGEST_DELAY_MS ? Math.trunc(ms) : 1;
    this.#repeats = repeats;
    this.#call = () => call.apply(this, args);
    this.#start();
  }

  fire(): void {
    // Another one of the same moment may have ended it.
    if (!this.active) return;
    if (this.#repeats) this.#start();
    else this.close();
    this.#call();
  }

  close(): this {
    this.active = false;
    byId.delete(this.#id);
    return this;
  }

  refresh(): this {
    const index = queue.indexOf(this);
    if (index >= 0) queue.splice(index, 1);
    this.#start();
    return this;
  }

  ref(): this {
    this.#refed = true;
    return this;
  }

  unref(): this {
    this.#refed = false;
    return this;
  }

  hasRef(): boolean {
    return this.#refed;
  }

  [Symbol.toPrimitive](): number {
    return this.#id;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #start(): void {
    this.active = true;
    this.at = now + this.#delay;
    byId.set(this.#id, this);
    let [low, high] = [0, queue.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (queue[middle].at <= this.at) high = middle;
      else low = middle + 1;
    }
    queue.splice(low, 0, this);
  }
}

function clear(timer: unknown): void {
  if (timer instanceof Timer) timer.close();
  else if (typeof timer === 'number' || typeof timer === 'string') byId.get(Number(timer))?.close();
}

const later = (ms?: number, value?: unknown) =>
  new Promise((resolve) => {
    new Timer(resolve, ms, false, [value]);
  });
async function* again(ms?: number, value?: unknown) {
  for (;;) yield await later(ms, value);
}

function replace(): void {
  const require = createRequire(import.meta.url);
  // HTTP takes its timers when it is loaded: those stay real.
  require('node:http');
  const own = {
    setTimeout: (call: Call, ms: unknown, ...args: unknown[]) => new Timer(call, ms, false, args),
    setInterval: (call: Call, ms: unknown, ...args: unknown[]) => new Timer(call, ms, true, args),
    setImmediate: countedImmediate,
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clearCountedImmediate,
  };
  const turn = (value?: unknown) => new Promise((resolve) => countedImmediate(resolve, value));
  const { promisify } = require('node:util') as typeof import('node:util');
  Object.assign(own.setTimeout, { [promisify.custom]: later });
  Object.assign(own.setImmediate, { [promisify.custom]: turn });
  Object.assign(globalThis, own);
  Object.assign(require('node:timers'), own);
  const promised = require('node:timers/promises') as { scheduler: object };
  Object.assign(promised, { setTimeout: later, setInterval: again, setImmediate: turn });
  Object.assign(promised.scheduler, { wait: later });
  performance.now = () => now;
  globalThis.Date = class extends real.Date {
    constructor(...args: unknown[]) {
      super(...((args.length === 0 ? [BEGAN + now] : args) as [number]));
    }
    static override now(): number {
      return BEGAN + now;
    }
  } as DateConstructor;
  const { syncBuiltinESMExports } = require('node:module') as { syncBuiltinESMExports(): void };
  syncBuiltinESMExports();
}

let quiet = 0;
let steppedAt = real.now();
/** When the oldest request that is without an answer was first seen, by this clock. */
const asked = new WeakMap<object, number>();

/** One turn of the event loop: where nothing is left to do, time goes on to the next timer. */
function turn(): void {
  turns += 1;
  const busy = work();
  quiet = busy === undefined ? quiet + 1 : 0;
  if (quiet < QUIET_TURNS || filesAtWork()) {
    if (busy !== undefined) tellStuck(busy);
    real.setImmediate(turn);
    return;
  }
  while (queue.length > 0 && !queue[queue.length - 1].active) queue.pop();
  const next = queue.at(-1);
  const allowed = Math.min(since.now + (real.now() - since.real) * speed, answered());
  if (!next || next.at > allowed) {
    if (requests.size > 0) tellStuck('an HTTP request');
    // Without work of its own, it leaves the processor to those that it waits for.
    real.setTimeout(turn, 1);
    return;
  }
  step(next.at);
  real.setImmediate(turn);
}

/** How far time may go on before those that are asked have answered. */
function answered(): number {
  let most = Number.POSITIVE_INFINITY;
  for (const request of requests) {
    const at = asked.get(request) ?? now;
    asked.set(request, at);
    most = Math.min(most, at + ANSWER_MS);
  }
  return most;
}

/** Fires all that is due at a moment, each in a call of its own, so that what it left for the end of it is done before the next. */
function step(at: number): void {
  now = at;
  steps += 1;
  quiet = 0;
  steppedAt = real.now();
  for (let timer = queue.at(-1); timer && timer.at <= at; timer = queue.at(-1)) {
    queue.pop();
    if (timer.active) real.setImmediate((due: Timer) => due.fire(), timer);
  }
}

function tellStuck(reason: string): void {
  if (real.now() - steppedAt < STUCK_MS) return;
  steppedAt = real.now();
  process.stderr.write(`time stands still at ${now} ms for ${reason}\n`);
}

replace();
real.setImmediate(turn);
