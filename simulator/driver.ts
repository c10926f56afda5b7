/** Who drives the simulated car: leaves some time after it is full, and comes back with an empty battery. */
import type { Vehicle } from './vehicle.ts';

/** From full to leaving, and from leaving to coming back, ms. */
const STAYS_MS = 1_800_000;
const AWAY_MS = 7_200_000;

export class Driver {
  readonly #vehicle: Vehicle;
  /** Since when the car is full, or away. */
  #since?: number;

  constructor(vehicle: Vehicle) {
    this.#vehicle = vehicle;
  }

  /** `now`: ms, never backwards. */
  step(now: number): void {
    const plugged = this.#vehicle.plugged();
    if (plugged && this.#vehicle.wants()) {
      this.#since = undefined;
      return;
    }
    this.#since ??= now;
    if (now - this.#since < (plugged ? STAYS_MS : AWAY_MS)) return;
    this.#since = now;
    if (plugged) this.#vehicle.unplug();
    else this.#vehicle.plugIn();
  }
}
