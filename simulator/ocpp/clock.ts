/** A simulated station's own clock: set by the server, or wrong for good. */
import type { Behaviour } from './behaviour.ts';

export class StationClock {
  /** True time, epoch ms, as last told. */
  wallClock = 0;
  readonly #wrong: Behaviour['clock'];
  /** What it is ahead of the true time, ms. */
  #ahead: number;

  constructor(wrong: Behaviour['clock']) {
    this.#wrong = wrong;
    this.#ahead = (wrong?.offsetSeconds ?? 0) * 1000;
  }

  /** Epoch ms. */
  at(now: number): number {
    return this.wallClock + this.#ahead + ((this.#wrong?.driftSecondsPerHour ?? 0) * now) / 3600;
  }

  text(now: number): string {
    return new Date(this.at(now)).toISOString();
  }

  /** A wrong clock is never set. */
  set(currentTime: unknown): void {
    if (this.#wrong || typeof currentTime !== 'string') return;
    const given = Date.parse(currentTime);
    if (!Number.isNaN(given)) this.#ahead = given - this.wallClock;
  }
}
