/**
 * When the allocator decides on what chargers report: once for all that came together, and not so often that many chargers leave no
 * time for anything else. Meters, limits and people never wait: for them it decides at once.
 */

/** Decisions on reports take a share of the time at most. */
const MOST_SHARE = 1 / 40;
/** A report waits no longer, ms. */
const LONGEST_MS = 250;

export class Rounds {
  readonly #decide: () => void;
  readonly #failed: (error: unknown) => void;
  readonly #now: () => number;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #notBefore = Number.NEGATIVE_INFINITY;

  /** `failed` is told what `decide` throws after `soon`; after `now`, its caller gets it. `now`: ms, monotonic. */
  constructor(decide: () => void, failed: (error: unknown) => void, now: () => number = () => performance.now()) {
    this.#decide = decide;
    this.#failed = failed;
    this.#now = now;
  }

  /** A charger has reported. */
  soon(): void {
    if (this.#immediate || this.#timer) return;
    const wait = this.#notBefore - this.#now();
    if (wait > 0) this.#timer = setTimeout(() => this.tick(), wait);
    else this.#immediate = setImmediate(() => this.tick());
  }

  /** The same as `now`, but for who is told what it throws. To be called for what only time brings. */
  tick(): void {
    try {
      this.now();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Decides on all that is known. */
  now(): void {
    this.stop();
    const start = this.#now();
    try {
      this.#decide();
    } finally {
      const end = this.#now();
      this.#notBefore = end + Math.min(LONGEST_MS, (end - start) / MOST_SHARE);
    }
  }

  /** Nothing is due any more. */
  stop(): void {
    if (this.#immediate) clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#immediate = undefined;
    this.#timer = undefined;
  }
}
