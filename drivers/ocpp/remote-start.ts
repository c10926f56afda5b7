/** Starting what only a central system can start: once, then ever more rarely, never against a person (S7). Times in ms. */
import type { Status } from './connector.ts';

const WAIT_MS = 5000;
const AGAIN_MS = [60_000, 300_000, 900_000] as const;
const PLUGGED: readonly (Status | undefined)[] = ['Preparing'];
/** Where a transaction that we ended leaves a vehicle. */
const PAUSED: readonly (Status | undefined)[] = ['Preparing', 'Finishing', 'SuspendedEVSE', 'SuspendedEV'];

export class RemoteStart {
  #since: number | undefined;
  #tries = 0;
  #nextAt = 0;

  /** Whether it is to be started now; notes that it is. `paused`: we ended its transaction. */
  due(
    about: { status: Status | undefined; isRunning: boolean; wanted: boolean; paused: boolean },
    now: number,
  ): boolean {
    const { status, isRunning, wanted, paused } = about;
    if (status === 'Available' || isRunning) this.#tries = 0;
    if (isRunning || !wanted || !(paused ? PAUSED : PLUGGED).includes(status)) {
      this.#since = undefined;
      return false;
    }
    if (this.#since === undefined) {
      this.#since = now;
      this.#nextAt = Math.max(this.#tries === 0 ? 0 : this.#nextAt, now + WAIT_MS);
    }
    if (now < this.#nextAt) return false;
    this.#nextAt = now + AGAIN_MS[Math.min(this.#tries, AGAIN_MS.length - 1)];
    this.#tries += 1;
    return true;
  }
}
