/** A device's own clock: due once per period, whatever the rhythm of the caller; late calls do not pile up. */
export class Rhythm {
  #next: number | undefined;
  periodMs: number;

  constructor(periodMs: number) {
    this.periodMs = periodMs;
  }

  due(now: number): boolean {
    this.#next ??= now;
    if (now < this.#next) return false;
    this.#next = now - this.#next >= this.periodMs ? now + this.periodMs : this.#next + this.periodMs;
    return true;
  }

  /** The next call is due. */
  now(): void {
    this.#next = undefined;
  }
}
