/** The stations of the table, and those that were let in beside it, as chargers of the site. */
import { isId } from '../../core/units.ts';
import type { DriverAlert } from '../../drivers/alert.ts';
import { type Quirks, readQuirks } from '../../drivers/ocpp/quirks.ts';
import type { SiteRegistry } from '../dlm-site/registry.ts';
import { ConfigError } from '../fields.ts';
import { type CentralConfig, type StationRow, unknownStation } from './config.ts';

export class Stations {
  readonly #listed: ReadonlySet<string>;
  readonly #rows: Map<string, StationRow>;
  readonly #quirks = new Map<string, Quirks>();
  readonly #config: CentralConfig;
  readonly #registry: SiteRegistry;
  readonly #joined = new Set<string>();
  /** Charger id → where it is. */
  readonly connectors = new Map<string, { identity: string; connector: number }>();
  /** What needs a person, by charger, identity or `ocpp`, and code. */
  readonly troubles = new Map<string, DriverAlert>();
  /** This node has been closed: what follows from it concerns nobody. */
  hasLeft = false;

  /** @throws ConfigError for quirks that cannot be read or a charger id that is taken; then none has joined. */
  constructor(config: CentralConfig, registry: SiteRegistry) {
    this.#config = config;
    this.#registry = registry;
    this.#listed = new Set(config.stations.map(({ identity }) => identity));
    this.#rows = new Map(config.stations.map((row) => [row.identity, row]));
    try {
      for (const row of config.stations) this.#join(row);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  get acceptsUnknown(): boolean {
    return this.#config.unknown !== undefined;
  }

  row(identity: string): StationRow | undefined {
    const { unknown } = this.#config;
    return this.#rows.get(identity) ?? (unknown && unknownStation(identity, unknown));
  }

  /** Undefined for one that may not come in: not known, or its charger would have no id, or that of another one. */
  admissible(identity: string): StationRow | undefined {
    const row = this.row(identity);
    if (!row || this.#rows.has(identity)) return row;
    const taken = new Set(this.#registry.chargers().map(({ id }) => id));
    return row.chargers.every(({ id }) => isId(id) && !taken.has(id)) ? row : undefined;
  }

  quirks(identity: string): Quirks {
    return this.#quirks.get(identity) ?? {};
  }

  /** @throws ConfigError when an id of an unknown station is another charger's. */
  admit(row: StationRow): void {
    if (!this.#rows.has(row.identity)) this.#join(row);
    this.#rows.set(row.identity, row);
  }

  /** Whether it is in the table. */
  isListed(identity: string): boolean {
    return this.#listed.has(identity);
  }

  /** One that was let in is no charger of the site any more. Returns what was told of it and is over, by its source. */
  forget(identity: string): [string, DriverAlert][] {
    const row = this.#rows.get(identity);
    if (!row || this.isListed(identity)) return [];
    this.#rows.delete(identity);
    this.#quirks.delete(identity);
    const ids = row.chargers.map(({ id }) => id);
    for (const id of ids) {
      this.#registry.removeCharger(id);
      this.#joined.delete(id);
      this.connectors.delete(id);
    }
    const over = [...this.troubles].map(([key, alert]): [string, DriverAlert] => [
      key.slice(0, key.indexOf(' ')),
      alert,
    ]);
    return over.filter(([source]) => source === identity || ids.includes(source));
  }

  leave(): void {
    this.hasLeft = true;
    for (const id of this.#joined) this.#registry.removeCharger(id);
    this.#joined.clear();
    this.connectors.clear();
  }

  #join(row: StationRow): void {
    this.#quirks.set(row.identity, quirksOf(row));
    for (const [i, charger] of row.chargers.entries()) {
      this.#registry.addCharger(charger);
      this.#joined.add(charger.id);
      this.connectors.set(charger.id, { identity: row.identity, connector: i + 1 });
    }
  }
}

function quirksOf({ identity, quirks }: StationRow): Quirks {
  if (quirks === '') return {};
  try {
    return readQuirks(quirks);
  } catch (error) {
    throw new ConfigError(`stations.${identity}.quirks`, quirks, (error as Error).message);
  }
}
