/**
 * A sample may come after the status that says that nobody charges any more, and be from before it: stations queue MeterValues
 * of a transaction, not a StatusNotification (OCPP 1.6, 3.7). Pure; ms, monotonic, but for what the station's clock says.
 */
import type { MeterSample } from './meter-values.ts';

/** So long after a vehicle has stopped, a meter may still show what it drew: as a mean, or until the contactor opens. ms. */
const FADES_MS = 2000;
/** What was queued comes in a burst; what is repeated after this time flows. ms. */
const REPEATED_MS = 4000;

export class LateDraws {
  #stamp: number | undefined;
  #doubtedAt: number | undefined;

  /** Another status, of `stamp`: epoch ms in the station's own clock. */
  status(stamp: number | undefined): void {
    this.#stamp = stamp;
    this.#doubtedAt = undefined;
  }

  /** The status that follows from something else, and is as old. */
  get stamp(): number | undefined {
    return this.#stamp;
  }

  /** Whether a draw that contradicts the status may be from before it. */
  doubts({ at, periodic }: MeterSample, now: number): boolean {
    // The values of the end of a transaction are of the time before it.
    if (!periodic) return true;
    if (at !== undefined && this.#stamp !== undefined && at > this.#stamp + FADES_MS) return false;
    this.#doubtedAt ??= now;
    return now - this.#doubtedAt < REPEATED_MS;
  }

  /** Nothing flows: a draw that comes later is the first one again. */
  settled(): void {
    this.#doubtedAt = undefined;
  }
}
