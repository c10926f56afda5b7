/**
 * Transactions that only a central system can begin or, where a quirk says so, must end. What it is about to end is in the record
 * before the station hears of it. Pure; times in ms, monotonic, and of our clock where they are in the record.
 */
import type { Configuration } from './configuration.ts';
import type { Outlet } from './outlet.ts';
import type { Quirks } from './quirks.ts';
import type { Pause, StationRecord } from './record.ts';
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
/** What was told while it was away has the station's time, which may be a little wrong, ms. */
const CLOCK_MS = 5000;

/** What there is to call. */
export interface Asked {
  action: 'RemoteStartTransaction' | 'RemoteStopTransaction';
  payload: { transactionId: number } | { connectorId: number; idTag: string };
}

interface About {
  quirks: Quirks;
  record: StationRecord;
  /** Our clock, epoch ms. */
  wallClock: number;
}

export class StartStop {
  readonly #starts = new Map<number, RemoteStart>();
  /** Connectors for which this process has been told what is wanted, without a gap. */
  readonly #told = new Set<number>();
  /** The last stop of each connector, by its call. */
  readonly #stops = new Map<number, { call: number; transaction: number }>();

  /** What is due. `isNew`: it is to be on the disk before that, or any limit of this moment, goes out. */
  due(
    outlet: Outlet,
    transaction: Transaction | undefined,
    station: About & { tag: string },
    now: number,
  ): { asked?: Asked; isNew: boolean } {
    const { quirks, record, tag, wallClock } = station;
    const { connector } = outlet.connector.options;
    const wanted = outlet.limiter.wanted(now);
    const byStop = quirks.pause === 'remote-stop' && !quirks.keepTransaction;
    const isNew = (byStop || quirks.zeroStops === true) && this.#note(connector, transaction, wanted, station);
    const paused = record.stops[connector] === 'us';
    const start = this.#starts.get(connector) ?? new RemoteStart();
    this.#starts.set(connector, start);
    const may = (quirks.remoteStart === true || paused) && record.stops[connector] !== 'person';
    const isRunning = outlet.isRunning(transaction, now);
    const about = { status: outlet.connector.status, isRunning, wanted: may && (wanted ?? 0) > 0, paused };
    if (start.due(about, now))
      return { asked: { action: 'RemoteStartTransaction', payload: { connectorId: connector, idTag: tag } }, isNew };
    const pause = record.pauses[connector];
    if (!byStop || wanted !== 0 || !transaction || !pause) return { isNew };
    const ago = wallClock - (pause.askedAt ?? Number.NEGATIVE_INFINITY);
    if (ago >= 0 && ago < STOP_AGAIN_MS) return { isNew };
    record.pauses[connector] = { ...pause, askedAt: wallClock, refused: undefined };
    return { asked: { action: 'RemoteStopTransaction', payload: { transactionId: transaction.id } }, isNew: true };
  }

  /** Since when a transaction is to pause. Returns whether that has changed. */
  #note(
    connector: number,
    transaction: Transaction | undefined,
    wanted: number | undefined,
    { record, wallClock }: About,
  ): boolean {
    const goesOn = this.#told.has(connector);
    if (wanted === undefined) this.#told.delete(connector);
    else this.#told.add(connector);
    if (wanted === undefined || !transaction) return false;
    const { id } = transaction;
    const known = record.pauses[connector];
    const pause: Pause = known?.transaction === id ? known : { transaction: id };
    if (wanted > 0) {
      if (known?.since === undefined) return false;
      record.pauses[connector] = { ...pause, since: undefined };
      return true;
    }
    const ago = wallClock - (pause.since ?? Number.NEGATIVE_INFINITY);
    // Of another process, or of before a gap: it goes on, or is told anew.
    if (pause.since !== undefined && (goesOn || (ago >= 0 && ago < ENDS_MS))) return false;
    record.pauses[connector] = { ...pause, since: wallClock };
    return true;
  }

  /** What was due has gone out as this call. */
  sent({ payload }: Asked, connector: number, call: number): void {
    if ('transactionId' in payload) this.#stops.set(connector, { call, transaction: payload.transactionId });
  }

  /** A stop that it refused ends nothing: who ends the transaction later is somebody else. Returns whether it did. */
  answered(call: number, answer: CallAnswer, { pauses }: StationRecord): boolean {
    const [connector, stop] = [...this.#stops].find(([, s]) => s.call === call) ?? [];
    const status = answer.ok ? (answer.payload as { status?: unknown } | null)?.status : undefined;
    if (connector === undefined || (answer.ok ? status !== 'Rejected' : answer.error !== 'refused')) return false;
    const pause = pauses[connector];
    if (pause?.transaction !== stop?.transaction) return false;
    pauses[connector] = { ...pause, refused: true };
    return true;
  }

  /**
   * Whether a transaction ended because of our pause, so that we may begin it again; where in doubt, a person did (S7). `endedAt`: by
   * our clock, where it may have been told long after. Forgets the pause.
   */
  stoppedByUs(
    { id, connector }: Transaction,
    reason: string | undefined,
    { quirks, record, wallClock }: About,
    endedAt: number | undefined,
  ): boolean {
    const noted = record.pauses[connector];
    delete record.pauses[connector];
    if (noted?.transaction !== id || noted.refused) return false;
    const since = noted.askedAt ?? (quirks.zeroStops ? noted.since : undefined);
    if (since === undefined || (reason !== undefined && !BY_US.includes(reason))) return false;
    const isSure = reason !== undefined && noted.since !== undefined;
    const ends = [wallClock, ...(endedAt === undefined ? [] : [endedAt])].map((at) => at - since);
    return ends.some((ago) => ago >= -CLOCK_MS && ago < (isSure ? ENDS_MS : SURELY_ENDS_MS));
  }
}

/** The tag of a remote start: as configured, else that of the station's plug-and-charge mode (Alfen). */
export function remoteTag({ idTags }: StationSettings, { idTagKey }: Quirks, configuration: Configuration): string {
  const own = idTagKey ? configuration.value(idTagKey)?.trim() : undefined;
  return (idTags?.remote ?? (own || DEFAULT_TAG)).slice(0, 20);
}
