/** Keeps the guests of a central system on the disk, and as chargers of the site while they may come back. */
import type { DriverAlert } from '../../drivers/alert.ts';
import type { Central } from '../../drivers/ocpp/central.ts';
import { Guests, type GuestsRecord } from '../../drivers/ocpp/guests.ts';
import type { StateFile } from '../../drivers/state-file.ts';
import type { Stations } from './stations.ts';

interface Saving {
  saved(): void;
  notSaved(error: unknown): void;
}

export class GuestKeeper {
  readonly #file: StateFile;
  readonly #stations: Stations;
  readonly #saving: Saving;
  readonly #guests: Guests;

  constructor(file: StateFile, stations: Stations, saving: Saving) {
    this.#file = file;
    this.#stations = stations;
    this.#saving = saving;
    this.#guests = new Guests(stations.acceptsUnknown ? file.read() : undefined, performance.now());
  }

  connected(identity: string): void {
    if (!this.#stations.isListed(identity)) this.#save(this.#guests.connected(identity, performance.now()));
  }

  disconnected(identity: string): void {
    this.#guests.disconnected(identity);
  }

  /** Those that were here before the restart count again, unless somebody has described them meanwhile. */
  expect(central: Central): void {
    for (const identity of this.#guests.identities())
      if (!this.#stations.isListed(identity) && this.#stations.admissible(identity)) central.expect(identity);
      else this.#guests.forget(identity);
  }

  /** To be called about once a second. Returns what was told of those that do not come back, and is over, by its source. */
  tick(central: Central): [string, DriverAlert][] {
    const { gone, record } = this.#guests.tick(performance.now());
    this.#save(record);
    return gone.flatMap((identity) => {
      central.forget(identity);
      return this.#stations.forget(identity);
    });
  }

  #save(record: GuestsRecord | undefined): void {
    if (!record) return;
    try {
      this.#file.write(record);
      this.#saving.saved();
    } catch (error) {
      this.#saving.notSaved(error);
    }
  }
}
