/** What a connector offers its vehicle of the limit in force: with the station's lag, resolution and mistakes. */
import type { Behaviour } from './behaviour.ts';

/** Below this a vehicle cannot charge, A (IEC 61851-1). */
export const LEAST_A = 6;

export class Pilot {
  readonly #behaviour: Behaviour;
  readonly #maximum: number;
  #pending: { at: number; amps: number }[] = [];
  #told = 0;
  #inForce = 0;
  /** Number of the profile change since which everything is offered. */
  #freeSince: number | undefined;
  #stoodAtZero = false;

  constructor(behaviour: Behaviour, maximum: number) {
    this.#behaviour = behaviour;
    this.#maximum = maximum;
  }

  /**
   * A to be offered now.
   * @param limit A; Infinity: none
   * @param revision counts the changes of profiles
   */
  next(limit: number, revision: number, now: number): number {
    const target = this.#target(limit, revision);
    const lag = (this.#behaviour.lagSeconds ?? 0) * 1000;
    if (target !== this.#told) this.#pending.push({ at: now + lag, amps: target });
    this.#told = target;
    while (this.#pending.length > 0 && this.#pending[0].at <= now)
      this.#inForce = (this.#pending.shift() as { amps: number }).amps;
    return this.#inForce;
  }

  /** The transaction has ended. */
  off(): number {
    this.#pending = [];
    this.#told = this.#inForce = 0;
    this.#freeSince = undefined;
    this.#stoodAtZero = false;
    return 0;
  }

  #target(limit: number, revision: number): number {
    const { ignoresLimits, zeroResumesUnlimited, stepAmps = 0.1 } = this.#behaviour;
    if (ignoresLimits) return this.#maximum;
    const capped = Math.min(limit, this.#maximum);
    // 16.1 / 0.1 is a little less than 161.
    const amps = capped < LEAST_A ? 0 : Math.floor(capped / stepAmps + 1e-6) * stepAmps;
    if (!zeroResumesUnlimited) return amps;
    if (amps === 0) {
      this.#stoodAtZero = true;
      return 0;
    }
    if (this.#stoodAtZero) this.#freeSince = revision;
    this.#stoodAtZero = false;
    return this.#freeSince === revision ? this.#maximum : amps;
  }
}
