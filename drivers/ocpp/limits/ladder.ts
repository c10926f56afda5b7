/** Which way of telling a limit is tried: what worked first, then one after the other; after the last one a pause. */
import { type Rung, rungKey } from './rung.ts';

/** When all have failed, the first is tried again after this long, ms. */
const AGAIN_MS = 600_000;

export class Ladder {
  #rungs: readonly Rung[] = [];
  #worked: string | undefined;
  readonly #failed = new Set<string>();
  #exhaustedAt: number | undefined;
  #next: Rung | undefined;

  /** The rungs in their order; the one that worked goes first. What has failed stays so. */
  set(rungs: readonly Rung[], worked: Rung | undefined): void {
    this.#worked = worked && rungKey(worked);
    // Others than before may work.
    if (rungs.some((r) => !this.#failed.has(rungKey(r)) && !this.#rungs.some((old) => rungKey(old) === rungKey(r))))
      this.#exhaustedAt = undefined;
    this.#rungs = rungs;
    this.#choose();
  }

  get current(): Rung | undefined {
    return this.#exhaustedAt === undefined ? this.#next : undefined;
  }

  #choose(): void {
    const left = this.#rungs.filter((r) => !this.#failed.has(rungKey(r)));
    this.#next = left.find((r) => rungKey(r) === this.#worked) ?? left[0];
  }

  /** Whether there is another one that may lift the current above the safe one. */
  get hasAnother(): boolean {
    const lifts = (r: Rung) => r.ends !== 'none' && r.per === 'station';
    const isOther = (r: Rung) => r !== this.#next && lifts(r) && !this.#failed.has(rungKey(r));
    return this.#rungs.some(isOther);
  }

  /** Every rung has failed. */
  get exhausted(): boolean {
    return this.#exhaustedAt !== undefined;
  }

  /** The station does not take this one, or does not obey it: the next one's turn. */
  failed(rung: Rung, now: number): void {
    this.#failed.add(rungKey(rung));
    this.#choose();
    if (this.current === undefined) this.#exhaustedAt ??= now;
  }

  /** The station does not know the message at all. */
  allFailed(now: number): void {
    this.#exhaustedAt ??= now;
  }

  /** A boot, or the pause is over: from the beginning. */
  restart(): void {
    if (this.#failed.size > 0) {
      this.#failed.clear();
      this.#choose();
    }
    this.#exhaustedAt = undefined;
  }

  tick(now: number): void {
    if (this.#exhaustedAt !== undefined && now - this.#exhaustedAt >= AGAIN_MS) this.restart();
  }
}
