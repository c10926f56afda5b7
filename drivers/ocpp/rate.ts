/** How much a station may send: a bucket of tokens that is throttled when it is empty, and given up when that goes on. */

/** A frame counts one, and one more for every ms that it takes to read. */
export interface RateLimit {
  /** Frames (or ms) per s, lasting. */
  perSecond: number;
  /** Frames (or ms) at once. */
  burst: number;
  /** s of being throttled without a rest until the connection is closed. */
  patience: number;
}

export const DEFAULT_RATE: RateLimit = { perSecond: 50, burst: 500, patience: 30 };

export class RateBound {
  readonly #limit: RateLimit;
  #tokens: number;
  #at: number;
  #throttled = false;
  #since: number | undefined;

  constructor(limit: RateLimit, now: number) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#at = now;
  }

  get throttled(): boolean {
    return this.#throttled;
  }

  /** The station has a new connection: what it has used up stays used up, its patience begins anew. */
  reconnected(): this {
    this.#throttled = false;
    this.#since = undefined;
    return this;
  }

  /** A frame has come in, or was costly. True when from now on none is to be read. */
  take(now: number, cost = 1): boolean {
    this.#refill(now);
    this.#tokens -= cost;
    if (this.#tokens >= 0 || this.#throttled) return false;
    this.#throttled = true;
    this.#since ??= now;
    return true;
  }

  /** What is to be done now: read on, give the connection up, or nothing. */
  tick(now: number): 'resume' | 'flood' | undefined {
    this.#refill(now);
    // Half full: the station has had a rest.
    if (!this.#throttled && this.#tokens >= this.#limit.burst / 2) this.#since = undefined;
    if (this.#since !== undefined && now - this.#since >= this.#limit.patience * 1000) return 'flood';
    if (!this.#throttled || this.#tokens < 1) return undefined;
    this.#throttled = false;
    return 'resume';
  }

  #refill(now: number): void {
    if (now <= this.#at) return;
    const { burst, perSecond } = this.#limit;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
  }
}
