/** Transactions that only a central system can begin or, where a quirk says so, must end. Pure; times in ms, monotonic. */
import type { Configuration } from './configuration.ts';
import type { Outlet } from './outlet.ts';
import type { Quirks } from './quirks.ts';
import type { StationRecord } from './record.ts';
import { RemoteStart } from './remote-start.ts';
import type { StationSettings } from './station-options.ts';
import type { Transaction } from './transactions.ts';

const STOP_AGAIN_MS = 30_000;
const DEFAULT_TAG = 'FUSEWISE';
/** Reasons of a StopTransaction behind which our pause may be. */
const BY_US: readonly (string | undefined)[] = [undefined, 'Remote', 'Other'];

/** What there is to call. */
export interface Asked {
  action: 'RemoteStartTransaction' | 'RemoteStopTransaction';
  payload: object;
}

export class StartStop {
  readonly #starts = new Map<number, RemoteStart>();
  /** When each transaction was asked to end, ms. */
  readonly #stopsAsked = new Map<number, number>();

  due(
    outlet: Outlet,
    transaction: Transaction | undefined,
    station: { quirks: Quirks; record: StationRecord; tag: string },
    now: number,
  ): Asked | undefined {
    const { quirks, record, tag } = station;
    const { connector } = outlet.connector.options;
    const wanted = outlet.limiter.wanted(now);
    const paused = record.stops[connector] === 'us';
    const start = this.#starts.get(connector) ?? new RemoteStart();
    this.#starts.set(connector, start);
    const may = (quirks.remoteStart === true || paused) && record.stops[connector] !== 'person';
    const isRunning = outlet.isActive(transaction, now);
    const about = { status: outlet.connector.status, isRunning, wanted: may && (wanted ?? 0) > 0, paused };
    if (start.due(about, now))
      return { action: 'RemoteStartTransaction', payload: { connectorId: connector, idTag: tag } };
    const stops = quirks.pause === 'remote-stop' && !quirks.keepTransaction && wanted === 0;
    if (!stops || !transaction) return undefined;
    if (now - (this.#stopsAsked.get(transaction.id) ?? Number.NEGATIVE_INFINITY) < STOP_AGAIN_MS) return undefined;
    this.#stopsAsked.set(transaction.id, now);
    return { action: 'RemoteStopTransaction', payload: { transactionId: transaction.id } };
  }

  /** Whether a transaction ended because of our pause, so that we may begin it again. `wanted`: A of the set-point. */
  stoppedByUs(id: number, reason: string | undefined, wanted: number | undefined, quirks: Quirks): boolean {
    const asked = this.#stopsAsked.delete(id);
    return (asked || (quirks.zeroStops === true && wanted === 0)) && BY_US.includes(reason);
  }
}

/** The tag of a remote start: as configured, else that of the station's plug-and-charge mode (Alfen). */
export function remoteTag({ idTags }: StationSettings, { idTagKey }: Quirks, configuration: Configuration): string {
  const own = idTagKey ? configuration.value(idTagKey)?.trim() : undefined;
  return (idTags?.remote ?? (own || DEFAULT_TAG)).slice(0, 20);
}
