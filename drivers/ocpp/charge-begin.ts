/**
 * When a vehicle began to charge, as far as that was seen; kept with its transaction, so that the next process knows it. It may have
 * been earlier, but not later. Pure; ms, monotonic unless said otherwise.
 */
import { LONGEST_RUN_S } from './limits/limit-call.ts';
import type { Transaction } from './transactions.ts';

export class ChargeBegin {
  #since: number | undefined;
  /** The transaction that is for. */
  #of: number | undefined;

  get since(): number | undefined {
    return this.#since;
  }

  /** It charges. */
  seen(now: number): void {
    this.#since ??= now;
  }

  /** A transaction begins. */
  started(charges: boolean, now: number): void {
    this.#since = charges ? now : undefined;
  }

  /** s since then. */
  ago(now: number): number {
    return (now - (this.#since ?? now)) / 1000;
  }

  /**
   * Takes over what another process has noted, and notes it for the next one. Returns whether that is new. What was noted in the
   * future, or very long ago, was noted by a wrong clock.
   */
  note(transaction: Transaction, wallClock: number, now: number): boolean {
    const { id, chargingAt, startedAt } = transaction;
    const ago = chargingAt === undefined ? Number.NaN : wallClock - chargingAt;
    const isNoted = ago >= 0 && ago <= LONGEST_RUN_S * 1000;
    if (this.#of !== id) {
      this.#of = id;
      if (isNoted) this.#since = Math.min(this.#since ?? now, now - ago);
      // What was seen of another transaction is not of this one.
      const first = now - Math.max(0, wallClock - startedAt);
      if (this.#since !== undefined) this.#since = Math.max(this.#since, first);
    }
    if (isNoted || this.#since === undefined) return false;
    transaction.chargingAt = wallClock - (now - this.#since);
    return true;
  }
}
