/** A charger as a session sees it, with vehicles that come, charge and leave; it knows what really flowed. */
import type { SessionReport } from '../../core/index.ts';

export interface Meters {
  /** It counts the session's energy. */
  counter: boolean;
  /** Steps of its register, Wh; 0: it has none. */
  register: 0 | 1 | 100;
  /**
   * Right after plugging in, it still shows what the vehicle before took. Only with a register can anybody who is cut off
   * in that very second tell later that as much flowed again.
   */
  stale: boolean;
  /** Its session counter is 0 again when the vehicle leaves, not when the next one comes. */
  clears: boolean;
}

export class SessionPlant {
  readonly meters: Meters;
  /** Wh that each vehicle got, in the order of their coming. */
  readonly truth: { energy: number; end?: number; start: number }[] = [];
  plugged = false;
  power = 0;
  stoppedBy: SessionReport['stoppedBy'];
  #counter = 0;
  #shown = 0;
  #total = 4711;

  constructor(meters: Meters) {
    this.meters = meters;
  }

  plug(now: number): void {
    if (this.plugged) return;
    this.plugged = true;
    this.truth.push({ energy: 0, start: now });
    this.#shown = this.meters.stale && this.meters.register > 0 ? this.#counter : 0;
    this.#counter = 0;
  }

  unplug(now: number): void {
    if (!this.plugged) return;
    this.plugged = false;
    this.power = 0;
    this.stoppedBy = undefined;
    const last = this.truth.at(-1);
    if (last) last.end = now;
    if (this.meters.clears) this.#counter = 0;
    this.#shown = this.#counter;
  }

  flow(seconds: number): void {
    const energy = (this.power * seconds) / 3600;
    const last = this.truth.at(-1);
    if (last && this.plugged) last.energy += energy;
    this.#counter += energy;
    this.#total += energy;
    this.#shown = this.#counter;
  }

  report(): SessionReport {
    const { counter, register } = this.meters;
    const report: SessionReport = {
      online: true,
      state: !this.plugged ? 'A' : this.power > 0 ? 'C' : 'B',
      power: this.power,
      energy: counter ? Math.round(this.#shown) : 0,
      ...(register > 0 ? { register: Math.floor(this.#total / register) * register } : {}),
      offer: this.stoppedBy ? 0 : 16,
      ...(this.stoppedBy ? { stoppedBy: this.stoppedBy } : {}),
    };
    // What a value is before it is heard again after plugging in.
    this.#shown = this.#counter;
    return report;
  }
}
