/**
 * How often a meter reports, and whether it still does. Pure: times are arguments, in ms of a monotonic clock.
 */

/** A meter that has not reported for this long is silent, however slow it is. */
export const MAX_SILENCE_MS = 5000;
/** Reports come in bursts on some devices: no shorter pause counts as silence. */
const MIN_SILENCE_MS = 2000;
/** A longer report period leaves too little of the fuse's time for the vehicle to react. */
export const MAX_PERIOD_MS = 2000;
/** Two reports closer than this are one (a notification beside a reply, a doubled subscription). */
const SAME_REPORT_MS = 100;
const INTERVALS = 9;
const ENOUGH_INTERVALS = 2;

/** Report period and age of one phase. */
export class PhaseMonitor {
  /** The last report, and the last one that began an interval: what follows at once is news but no period. */
  #last: number | undefined;
  #counted: number | undefined;
  #intervals: number[] = [];
  readonly #start: number;

  constructor(now: number) {
    this.#start = now;
  }

  report(now: number): void {
    const counted = this.#counted;
    this.#last = now;
    if (counted !== undefined && now - counted < SAME_REPORT_MS) return;
    this.#counted = now;
    if (counted === undefined) return;
    this.#intervals.push(now - counted);
    if (this.#intervals.length > INTERVALS) this.#intervals.shift();
  }

  /** Median report period, ms; undefined until two intervals were seen. */
  period(): number | undefined {
    if (this.#intervals.length < ENOUGH_INTERVALS) return undefined;
    const sorted = [...this.#intervals].sort((a, b) => a - b);
    return sorted[(sorted.length - 1) >> 1];
  }

  /** ms since the last report, or since the start. */
  age(now: number): number {
    return now - (this.#last ?? this.#start);
  }

  seen(): boolean {
    return this.#last !== undefined;
  }

  /** The phase must be treated as not measured: three of its periods, at most 5 s. */
  silent(now: number): boolean {
    return this.age(now) > this.silenceLimit();
  }

  /** ms without a report that mean silence. */
  silenceLimit(): number {
    const period = this.period();
    if (period === undefined) return MAX_SILENCE_MS;
    return Math.min(MAX_SILENCE_MS, Math.max(MIN_SILENCE_MS, 3 * period));
  }

  /** Missing even by its own slow standard; tells a meter that is slow from one that is gone. */
  gone(now: number): boolean {
    return this.age(now) > Math.max(this.silenceLimit(), 3 * (this.period() ?? 0));
  }

  tooSlow(): boolean {
    return (this.period() ?? 0) > MAX_PERIOD_MS;
  }
}
