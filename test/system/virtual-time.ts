/** Both clocks of this process run as a test says, so that a day passes in seconds. Timers are real. */
const REAL = { date: Date.now, performance: performance.now };

export class VirtualTime {
  /** ms since the beginning. */
  now = 0;
  readonly #epoch: number;

  /** `epoch`: what the calendar says at the beginning, epoch ms. */
  constructor(epoch: number) {
    this.#epoch = epoch;
    const base = performance.now();
    Date.now = () => this.#epoch + this.now;
    performance.now = () => base + this.now;
  }

  get epoch(): number {
    return this.#epoch + this.now;
  }

  restore(): void {
    Date.now = REAL.date;
    performance.now = REAL.performance;
  }
}
