/** Transactions that only a central system can begin or, where a quirk says so, must end. Pure; times in ms, monotonic. */
import type { Configuration } from './configuration.ts';
import type { Outlet } from './outlet.ts';
import type { Quirks } from './quirks.ts';
import type { StationRecord } from './record.ts';
import { RemoteStart } from './remote-start.ts';
import type { CallAnswer } from './station-io.ts';
import type { StationSettings } from './station-options.ts';
import type { Transaction } from './transactions.ts';

const STOP_AGAIN_MS = 30_000;
const DEFAULT_TAG = 'FUSEWISE';
/** Reasons of a StopTransaction behind which our pause may be. */
const BY_US: readonly (string | undefined)[] = ['Remote', 'Other'];
/** So long after it was asked to end, a transaction ends because of that, ms. */
const ENDS_MS = 60_000;
/** So long where no reason is told, which is to mean `Local`, or where it is to charge again already. ms. */
const SURELY_ENDS_MS = 10_000;

/** What there is to call. */
export interface Asked {
  action: 'RemoteStartTransaction' | 'RemoteStopTransaction';
  payload: { transactionId: number } | { connectorId: number; idTag: string };
}

export class StartStop {
  readonly #starts = new Map<number, RemoteStart>();
  /** When each transaction was asked to end (ms), and by which call. */
  readonly #stopsAsked = new Map<number, { at: number; call?: number; isRefused?: boolean }>();
  /** Since when each connector is to pause, ms. */
  readonly #pausedSince = new Map<number, number>();

  due(
    outlet: Outlet,
    transaction: Transaction | undefined,
    station: { quirks: Quirks; record: StationRecord; tag: string },
    now: number,
  ): Asked | undefined {
    const { quirks, record, tag } = station;
    const { connector } = outlet.connector.options;
    const wanted = outlet.limiter.wanted(now);
    if (wanted !== 0) this.#pausedSince.delete(connector);
    else if (!this.#pausedSince.has(connector)) this.#pausedSince.set(connector, now);
    const paused = record.stops[connector] === 'us';
    const start = this.#starts.get(connector) ?? new RemoteStart();
    this.#starts.set(connector, start);
    const may = (quirks.remoteStart === true || paused) && record.stops[connector] !== 'person';
    const isRunning = outlet.isRunning(transaction, now);
    const about = { status: outlet.connector.status, isRunning, wanted: may && (wanted ?? 0) > 0, paused };
    if (start.due(about, now))
      return { action: 'RemoteStartTransaction', payload: { connectorId: connector, idTag: tag } };
    const stops = quirks.pause === 'remote-stop' && !quirks.keepTransaction && wanted === 0;
    if (!stops || !transaction) return undefined;
    if (now - (this.#stopsAsked.get(transaction.id)?.at ?? Number.NEGATIVE_INFINITY) < STOP_AGAIN_MS) return undefined;
    this.#stopsAsked.set(transaction.id, { at: now });
    return { action: 'RemoteStopTransaction', payload: { transactionId: transaction.id } };
  }

  /** What was due has gone out as this call. */
  sent({ payload }: Asked, call: number): void {
    const asked = 'transactionId' in payload ? this.#stopsAsked.get(payload.transactionId) : undefined;
    if (asked) asked.call = call;
  }

  /** A stop that it refused ends nothing: who ends the transaction later is somebody else. */
  answered(call: number, answer: CallAnswer): void {
    const status = answer.ok ? (answer.payload as { status?: unknown } | null)?.status : undefined;
    if (answer.ok ? status !== 'Rejected' : answer.error !== 'refused') return;
    for (const asked of this.#stopsAsked.values()) if (asked.call === call) asked.isRefused = true;
  }

  /** Whether a transaction ended because of our pause, so that we may begin it again; where in doubt, a person did (S7). */
  stoppedByUs({ id, connector }: Transaction, reason: string | undefined, quirks: Quirks, now: number): boolean {
    const asked = this.#stopsAsked.get(id);
    this.#stopsAsked.delete(id);
    const paused = this.#pausedSince.get(connector);
    const since = asked ? asked.at : quirks.zeroStops ? paused : undefined;
    if (since === undefined || asked?.isRefused) return false;
    const isSure = reason !== undefined && paused !== undefined;
    return (reason === undefined || BY_US.includes(reason)) && now - since < (isSure ? ENDS_MS : SURELY_ENDS_MS);
  }
}

/** The tag of a remote start: as configured, else that of the station's plug-and-charge mode (Alfen). */
export function remoteTag({ idTags }: StationSettings, { idTagKey }: Quirks, configuration: Configuration): string {
  const own = idTagKey ? configuration.value(idTagKey)?.trim() : undefined;
  return (idTags?.remote ?? (own || DEFAULT_TAG)).slice(0, 20);
}
