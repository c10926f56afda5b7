/** What a station's logic is told by whoever runs it. */
import type { ConnectorOptions } from './connector.ts';
import type { QuirkEntry, Quirks } from './quirks.ts';

/** Whom the station may let charge. */
export interface IdTagPolicy {
  /** Tags that may start a transaction; absent = every tag. Compared without case (OCPP 1.6, IdToken). */
  accept?: readonly string[];
  /** The tag of a RemoteStartTransaction; default: that of the station's plug-and-charge mode, else `FUSEWISE`. */
  remote?: string;
}

/** The longest that a limit may last, s. */
export const LONGEST_DURATION_S = 3600;

export interface StationOptions {
  /** As in the URL by which it connects. */
  identity: string;
  connectors: readonly ConnectorOptions[];
  idTags?: IdTagPolicy;
  /** Over those of the table. */
  quirks?: Quirks;
  /** Entries added to the table. */
  quirkTable?: readonly QuirkEntry[];
  /** V between phase and neutral; default 230. */
  voltage?: number;
  /** s until a limit that is not renewed has ended, and after which it is renewed; default 300 and 120. */
  duration?: number;
  renewal?: number;
  /** s between two heartbeats; default 60. */
  heartbeat?: number;
  /** s between two MeterValues; default 10: control needs fresh values. */
  meterInterval?: number;
  /** What was persisted last. */
  record?: unknown;
}

export interface StationSettings extends StationOptions {
  voltage: number;
  duration: number;
  renewal: number;
  heartbeat: number;
  meterInterval: number;
}

/** The options with their defaults. @throws Error that names the field, its value and what was expected. */
export function readOptions(options: StationOptions): StationSettings {
  const { voltage = 230, duration = 300, renewal = 120, heartbeat = 60, meterInterval = 10 } = options;
  within('voltage', voltage, 90, 450);
  within('duration', duration, 20, LONGEST_DURATION_S);
  within('renewal', renewal, 5, duration / 2);
  within('heartbeat', heartbeat, 5, 86_400);
  within('meterInterval', meterInterval, 1, 3600);
  if (options.connectors.length === 0) throw new Error('connectors: [] — expected at least one');
  const seen = new Set<number>();
  for (const { connector, min, max, safe, rotation } of options.connectors) {
    if (!Number.isInteger(connector) || connector < 1 || connector > 999 || seen.has(connector))
      throw new Error(`connectors.connector: ${connector} — expected a whole number from 1, each once`);
    seen.add(connector);
    within('connectors.min', min, 0, 2000);
    within('connectors.max', max, min, 2000);
    if (safe !== 0) within('connectors.safe', safe, min, max);
    if (rotation.length < 1 || rotation.length > 3 || new Set(rotation).size !== rotation.length)
      throw new Error(`connectors.rotation: ${JSON.stringify(rotation)} — expected one to three phases, each once`);
  }
  return { ...options, voltage, duration, renewal, heartbeat, meterInterval };
}

function within(field: string, value: number, from: number, to: number): void {
  if (!(value >= from && value <= to)) throw new Error(`${field}: ${value} — expected ${from} to ${to}`);
}
