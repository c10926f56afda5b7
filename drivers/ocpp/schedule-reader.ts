/** Reads what is in force at a connector (GetCompositeSchedule): after a restart of ours, and to see whether it obeys. Pure; ms, monotonic. */
import type { DriverAlert } from '../alert.ts';
import type { ChargeBegin } from './charge-begin.ts';
import type { Connector } from './connector.ts';
import { readComposite, showsEnd } from './limits/composite.ts';
import type { Limiter } from './limits/limiter.ts';
import type { StationView } from './outlet.ts';
import type { CallAnswer, StationCall } from './station-io.ts';
import type { Verdicts } from './verdicts.ts';

/** By then a limit shows in what a station says, s. */
export const SHOWS_S = 7;
const TIMEOUT_S = 20;
const READ_TIMEOUT_S = 5;
/** So long what was read back holds for sure: until it is told anew; or until so shortly before it says that it ends. */
const READ_HOLDS_MS = 20_000;
const READ_MARGIN_MS = 5000;
const ASSUMED_MS = 20_000;
/** More than this above what it was told, it tells something else, A. */
const HARDWARE_A = 0.6;

export class ScheduleReader {
  readonly #connector: Connector;
  readonly #limiter: Limiter;
  readonly #verdicts: Verdicts;
  readonly #begin: ChargeBegin;
  #call: number | undefined;
  #askedAt = 0;
  /** The call by which it was read back what is in force. */
  #read: number | undefined;

  constructor(connector: Connector, limiter: Limiter, verdicts: Verdicts, begin: ChargeBegin) {
    this.#connector = connector;
    this.#limiter = limiter;
    this.#verdicts = verdicts;
    this.#begin = begin;
  }

  /**
   * A vehicle charges by what another process told, and nobody has said yet what it is to do now (S6), or what is said
   * takes no place of that: until it is read, the worst is reserved.
   */
  isToBeRead({ ready }: StationView, active: boolean, now: number): boolean {
    if (!ready || !active || this.#read !== undefined || !this.#limiter.bound.isUnknown) return false;
    return this.#limiter.wanted(now) === undefined || this.#limiter.replacesDefault;
  }

  get isBeingRead(): boolean {
    return this.#read !== undefined && this.#read === this.#call;
  }

  /** The question that is due. What is to be read back is asked for before anything else of this connector. */
  step(view: StationView, isToBeRead: boolean, call: () => number, now: number): StationCall[] {
    const mayAsk = view.ready && this.#call === undefined;
    if (!isToBeRead && !(mayAsk && this.#limiter.obedience.asksForSchedule(now))) return [];
    const { connector } = this.#connector.options;
    const id = call();
    this.#call = id;
    this.#askedAt = now;
    if (isToBeRead) this.#read = id;
    const how = isToBeRead
      ? { lane: 'limit' as const, key: `read-${connector}`, timeout: READ_TIMEOUT_S }
      : { lane: 'ordinary' as const, timeout: TIMEOUT_S };
    const payload = { connectorId: connector, duration: view.settings.duration + 60 };
    return [{ type: 'call', id, action: 'GetCompositeSchedule', payload, ...how }];
  }

  /** What the answer tells; undefined when it is another call's. `expires`: the schedule shows that a profile ends. */
  answered(
    id: number,
    answer: CallAnswer,
    { settings, record }: StationView,
    active: boolean,
    now: number,
  ): { alerts: DriverAlert[]; expires?: boolean } | undefined {
    if (id !== this.#call) return undefined;
    this.#call = undefined;
    const { obedience, bound } = this.#limiter;
    const { rotation, safe } = this.#connector.options;
    const composite = readComposite(answer, rotation.length, settings.voltage);
    const schedule = composite === 'cannot' ? undefined : composite;
    if (id === this.#read && active) this.#take(schedule, now);
    // Who cannot answer is not asked again before it restarts; who is slow is.
    if (composite === 'cannot') obedience.composite = false;
    if (!schedule) return { alerts: [] };
    if (active) this.#limiter.offers(schedule.now, this.#askedAt);
    // Without a transaction some tell what the hardware could do.
    const tells = active || schedule.now <= bound.most(false, now) + HARDWARE_A;
    if (active) this.#verdicts.sees(schedule.now, record, this.#begin.ago(now), SHOWS_S * 1000, now);
    const verdict = tells ? obedience.schedule(schedule.now, now) : undefined;
    return { alerts: this.#verdicts.believe(verdict, record, now), expires: showsEnd(schedule, safe) };
  }

  /** What was read back holds; where it cannot be read, it becomes known by telling it: no more than before, whatever that was. */
  #take(schedule: { now: number; changesIn: number } | undefined, now: number): void {
    const { bound } = this.#limiter;
    if (!schedule) {
      const paused = this.#connector.status === 'SuspendedEVSE';
      if (bound.isUnknown) this.#keep(paused ? 0 : this.#connector.options.safe, now);
      return;
    }
    const holds = Math.min(READ_HOLDS_MS, schedule.changesIn * 1000 - READ_MARGIN_MS);
    this.#limiter.readBack(schedule.now, Math.max(0, holds), now);
    if (this.#limiter.replacesDefault) this.#keep(schedule.now, now);
  }

  /** Until somebody says what is wanted: what it has, but no more than the safe current. A. */
  #keep(current: number, now: number): void {
    if (this.#limiter.wanted(now) === undefined)
      this.#limiter.setpoint(Math.min(current, this.#connector.options.safe), now + ASSUMED_MS);
  }
}
