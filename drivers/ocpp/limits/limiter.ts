/**
 * Keeps the promise of one connector: a safe default underneath, and while somebody charges a profile above it that runs
 * out unless it is renewed. Pure: what has to be sent comes out of `step`. Times in ms, monotonic.
 */
import type { CallAnswer, StationCall } from '../station-io.ts';
import { MARGIN_MS, OfferBound } from './bound.ts';
import { Ladder } from './ladder.ts';
import {
  begunBefore,
  durationOf,
  type LimiterOptions,
  lastsFor,
  limitCall,
  offeredBy,
  renewalOf,
  type Situation,
  type Told,
} from './limit-call.ts';
import { Obedience } from './obedience.ts';
import { truncateAmps } from './profile.ts';
import { isSameRung, type Rung, rungKey, slotOf } from './rung.ts';

const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000] as const;
/** A station may refuse a profile in the first moments of a transaction. */
const YOUNG_MS = 10_000;
const REFUSES_ALL = ['NotImplemented', 'NotSupported'];
/** From when a default holds that has to begin at a time, whatever the clock: epoch ms. */
const LONG_AGO = Date.UTC(2000, 0, 1);
const DEFAULT_FIRST_MS = 2000;
/** By then a set-point has come after a restart. */
const RESTARTED_MS = 30_000;
/** By then every call has been answered, or its end was told. */
const LOST_MS = 60_000;
const LOWERS_AGAIN_MS = 6000;
const SAME_A = 0.6;
const SURELY_ENDED = 2;
/** Who does not answer so often is not asked again so soon. */
const PATIENT_AFTER = 6;

/** What became of a call. */
export type Outcome = 'accepted' | 'refused' | 'failed' | 'other';

export class Limiter {
  readonly #options: LimiterOptions;
  readonly bound: OfferBound;
  readonly obedience: Obedience;
  readonly base = new Ladder();
  readonly overlay = new Ladder();
  #wish: { current: number; until: number } | undefined;
  /** On how many phases the vehicle is to charge: told once, holds for its transaction. */
  #phases: 1 | 3 | undefined;
  #defaultTold: Told | undefined;
  #told: Told | undefined;
  #tries = { default: 0, overlay: 0 };
  #retryAt = { default: 0, overlay: 0 };
  #force = { default: true, overlay: true };
  #hadDefault = false;
  #ended = 0;
  /** Calls in a row without an answer. */
  unanswered = 0;
  /** Key of the rung that was taken last in this transaction. */
  #workedNow: string | undefined;
  #phasesTaken: 1 | 3 | undefined;
  /** When that may have run out: the default is on all phases. */
  #phasesUntil = Number.NEGATIVE_INFINITY;
  readonly #startedAt: number;
  #activeSince: number | undefined;
  /** The highest bound since the station was last known to obey. */
  #held = 0;
  /** Keys of the rungs by which the station was seen to obey; shared by its connectors. */
  readonly #proven: Set<string>;

  constructor(options: LimiterOptions, proven: Set<string>, now: number) {
    this.#options = options;
    this.#proven = proven;
    this.#startedAt = now;
    this.bound = new OfferBound(options, options.unknownFor * 1000, now);
    this.obedience = new Obedience(options.max);
  }

  /** A set-point in A, to be in force until `until`; `phases`: of this one and all that follow in this transaction. */
  setpoint(current: number, until: number, phases?: 1 | 3): void {
    const { min, max } = this.#options;
    const amps = truncateAmps(Math.min(current, max));
    this.#wish = { current: amps < min ? 0 : amps, until };
    this.#phases = phases ?? this.#phases;
  }

  /** A that is wanted now; undefined when no set-point is valid. */
  wanted(now: number): number | undefined {
    return this.#wish && now < this.#wish.until ? this.#wish.current : undefined;
  }

  /** The rung by which the limit that is in force was told. */
  get rungInForce(): Rung | undefined {
    const told = this.#activeSince === undefined ? undefined : this.#told;
    // While the same way is on its way again, it is in force.
    const again = told?.state === 'sent' && this.#workedNow === rungKey(told.rung);
    if (told?.state === 'accepted' || again) return told?.rung;
    return this.acceptedBase;
  }

  get acceptedOverlay(): Rung | undefined {
    return this.#told?.state === 'accepted' ? this.#told.rung : undefined;
  }

  get acceptedBase(): Rung | undefined {
    return this.#defaultTold?.state === 'accepted' ? this.#defaultTold.rung : undefined;
  }

  /** To how many phases it is switched, as far as it accepted that and it has not run out. */
  phasesTold(now: number): 1 | 3 | undefined {
    return now < this.#phasesUntil ? this.#phasesTaken : undefined;
  }

  /** The default has been told, or cannot be. */
  get settled(): boolean {
    return this.base.exhausted || this.acceptedBase !== undefined;
  }

  /** The station may have lost what is above its default; it is told again. */
  again(): void {
    this.bound.doubtOverlay();
    this.#force.overlay = true;
    this.#tries.overlay = 0;
    this.#retryAt.overlay = 0;
  }

  /** It may have lost everything. `surely`: it is known to do so. */
  allAgain(surely: boolean): void {
    if (surely || this.#isDated()) this.bound.doubtAll();
    this.again();
    this.#phasesTaken = undefined;
    this.#force.default = true;
    this.#tries.default = 0;
    this.#retryAt.default = 0;
  }

  /**
   * It offers so much (A), and was asked for it, or said so, at `at` (ms): what might have begun in its future holds, as
   * it would offer something else without it. What is older may have been by what was there before.
   */
  offers(current: number, at: number): void {
    const told = this.#told;
    if (told?.state !== 'accepted' || !told.later || Math.abs(current - told.limit) > SAME_A) return;
    if (at <= (told.takenAt ?? at)) return;
    if (Math.abs(told.limit - this.#options.safe) <= SAME_A) return;
    told.later = false;
    this.bound.begun(told.call);
  }

  /** The station says that it offers so much (A), by what another process told it. */
  readBack(current: number, surelyFor: number, now: number): void {
    this.bound.readBack(current, surelyFor, this.replacesDefault, now);
    this.#held = 0;
  }

  /** What is laid over the default goes into its place. */
  get replacesDefault(): boolean {
    return this.overlay.current !== undefined && slotOf(this.overlay.current) !== 'transaction';
  }

  transactionEnded(): void {
    this.bound.transactionEnded();
    this.#phases = undefined;
    this.#phasesTaken = undefined;
    this.#told = this.#told && slotOf(this.#told.rung) === 'transaction' ? undefined : this.#told;
  }

  /** It was seen to obey. */
  obeyed(): void {
    const rung = this.rungInForce;
    if (rung) this.#proven.add(rungKey(rung));
  }

  /**
   * What it offers shows again and again that a Relative profile had ended when it was told: the station counts from when
   * the vehicle began to charge, `chargedFor` s ago, which is longer than it lasts. `lag`: ms until a limit shows.
   */
  endsAtOnce(seen: number, chargedFor: number, lag: number, now: number): boolean {
    const told = this.#told;
    const { safe, duration } = this.#options;
    const counts = told?.state === 'accepted' && told.rung.kind === 'Relative' && told.rung.ends !== 'none';
    // One that was told so long ago may have ended by now anyway.
    const age = told ? now - told.at : 0;
    if (
      !counts ||
      chargedFor <= duration ||
      age < lag ||
      age > (duration / 2) * 1000 ||
      Math.abs(told.limit - safe) < 2 * SAME_A
    )
      return false;
    this.#ended = Math.abs(seen - safe) <= SAME_A ? this.#ended + 1 : 0;
    return this.#ended >= SURELY_ENDED;
  }

  /** What it accepted has no effect. Returns false when there is no other way; then this one stays. */
  unaffected(now: number): boolean {
    const rung = this.rungInForce;
    if (!rung || rung !== this.#told?.rung || !this.overlay.hasAnother) return false;
    this.overlay.failed(rung, now);
    this.#force.overlay = true;
    this.#retryAt.overlay = 0;
    return true;
  }

  /** The way that is in use does not work: the next one's turn. */
  disobeyed(now: number): void {
    const rung = this.rungInForce;
    if (!rung) return;
    this.#proven.delete(rungKey(rung));
    // What it does not obey hides nothing.
    if (slotOf(rung) === 'transaction') this.bound.doubtOverlay();
    const overlay = this.#told?.rung === rung;
    (overlay ? this.overlay : this.base).failed(rung, now);
    this.#force[overlay ? 'overlay' : 'default'] = true;
    this.#retryAt[overlay ? 'overlay' : 'default'] = 0;
  }

  /** A that the connector offers, or must be taken to offer (S4). To be called after every event. */
  offer(active: boolean, now: number): number {
    const most = this.bound.most(active, now);
    this.obedience.bound(most, now);
    const { state } = this.obedience;
    // Who has never shown that he obeys keeps what he was offered before; with no vehicle, nothing is lost by believing him.
    this.#held = state === 'proven' || !active ? most : Math.max(most, this.#held);
    return state === 'disproven' ? this.#options.max : this.#held;
  }

  /** Obedience belongs to the way by which it was seen. */
  #judgeByRung(): void {
    const rung = this.rungInForce;
    this.obedience.otherwise = rung && rung === this.#told?.rung ? this.#options.safe : undefined;
    if (this.obedience.state === 'disproven' || !rung) return;
    this.obedience.state = this.#proven.has(rungKey(rung)) ? 'proven' : 'unproven';
  }

  /** The calls that are due. `call` gives the next id. */
  step(situation: Situation, call: () => number, now: number): StationCall[] {
    this.base.tick(now);
    this.overlay.tick(now);
    if (situation.active !== (this.#activeSince !== undefined)) {
      this.#activeSince = situation.active ? now : undefined;
      if (situation.active) this.#begin();
      else this.#restoreDefault();
      this.#judgeByRung();
    }
    // After a boot its clock may be anything: what begins in its future, in the place of the default, is no limit at all.
    if (!situation.clockKnown && this.#isDated()) this.#restoreDefault();
    if (situation.clockKnown && this.#told?.later) this.#force.overlay = true;
    if (!situation.ready) return [];
    return [...this.#stepDefault(situation, call, now), ...this.#stepOverlay(situation, call, now)];
  }

  /** Somebody begins to charge. What failed for the last one may have come too late for it: what worked goes first. */
  #begin(): void {
    if (!this.overlay.exhausted) this.overlay.restart();
    this.#workedNow = undefined;
    this.again();
  }

  /** What is in the place of the default begins at a time of the station's clock. */
  #isDated(): boolean {
    return this.#told !== undefined && slotOf(this.#told.rung) !== 'transaction' && this.#told.rung.kind === 'Absolute';
  }

  /** Nobody charges any more: what was in the place of the default makes room for it. */
  #restoreDefault(): void {
    if (this.#told && slotOf(this.#told.rung) !== 'transaction') this.#force.default = true;
    this.#told = undefined;
  }

  #stepDefault(situation: Situation, call: () => number, now: number): StationCall[] {
    const rung = this.base.current;
    const told = this.#defaultTold;
    // A limit in the place of the default holds it, too.
    if (situation.active && this.#told && slotOf(this.#told.rung) !== 'transaction' && this.#told.state !== 'failed')
      return [];
    if (situation.readsBack && this.replacesDefault) return [];
    if (!rung || now < this.#retryAt.default) return [];
    const limit = this.#defaultLimit(rung, situation, now);
    const same = told?.limit === limit;
    if (told && same && this.#isOnItsWay(told, now)) return [];
    if (told?.state === 'accepted' && same && !this.#force.default && isSameRung(told.rung, rung)) return [];
    const { connector } = this.#options;
    this.#force.default = false;
    this.#defaultTold = { call: call(), rung, limit, at: now, state: 'sent' };
    return [this.#send(this.#defaultTold, { ...situation, stationTime: LONG_AGO }, `default-${connector}`, now)];
  }

  /** A. Whoever is to have less than the safe current, by a limit in its place, has it until that can be told. */
  #defaultLimit(rung: Rung, { active, stopsForPause }: Situation, now: number): number {
    const { safe, safeOfAll } = this.#options;
    const usual = truncateAmps(rung.connector === 'station' ? safeOfAll : safe);
    const wanted = active && this.replacesDefault ? this.wanted(now) : undefined;
    return wanted === undefined || (wanted === 0 && stopsForPause) ? usual : Math.min(usual, wanted);
  }

  #stepOverlay(situation: Situation, call: () => number, now: number): StationCall[] {
    const rung = this.overlay.current;
    if (!situation.active || !rung || this.#defaultFirst(now)) return [];
    // In the place of the default, what begins in its future leaves it without any limit.
    if (rung.kind === 'Absolute' && slotOf(rung) !== 'transaction' && !situation.clockKnown) return [];
    const limit = this.#target(rung, situation, now);
    if (now < this.#retryAt.overlay && !(limit !== undefined && limit < (this.#told?.limit ?? 0))) return [];
    const phases = situation.switches ? this.#phases : undefined;
    const told = this.#told;
    if (limit === undefined || (told?.limit === limit && this.#isOnItsWay(told, now))) return [];
    const same =
      told?.state === 'accepted' && told.limit === limit && told.phases === phases && isSameRung(told.rung, rung);
    const renewal = renewalOf(this.#options, situation) * 1000;
    const due = rung.ends !== 'none' && now - (told?.at ?? 0) >= renewal && this.wanted(now) !== undefined;
    if (same && !this.#force.overlay && !due) return [];
    this.#force.overlay = false;
    this.#told = { call: call(), rung, limit, phases, at: now, state: 'sent' };
    const shared = slotOf(rung) !== 'transaction';
    return [this.#send(this.#told, situation, `${shared ? 'default' : 'limit'}-${this.#options.connector}`, now)];
  }

  /** A call whose answer may still come. What lowers the current is not left waiting for long. */
  #isOnItsWay(told: Told, now: number): boolean {
    const lowers =
      this.unanswered < PATIENT_AFTER && told.limit < this.bound.most(this.#activeSince !== undefined, now);
    return told.state === 'sent' && now - told.at < (lowers ? LOWERS_AGAIN_MS : LOST_MS);
  }

  /** For a moment, while it is not known how the default works: what is laid over it depends on that. */
  #defaultFirst(now: number): boolean {
    const told = this.#defaultTold;
    return told?.state === 'sent' && !this.#hadDefault && now - told.at < DEFAULT_FIRST_MS;
  }

  /** A to be told; undefined when there is nothing to tell. */
  #target(rung: Rung, { stopsForPause }: Situation, now: number): number | undefined {
    const { safe } = this.#options;
    const wanted = this.wanted(now);
    if (wanted === 0 && stopsForPause) return undefined;
    if (wanted === undefined) {
      if (rung.ends === 'none')
        return this.#told && this.#told.limit !== truncateAmps(safe) ? truncateAmps(safe) : undefined;
      // The set-point has ended: what is above the safe current comes down at once, the rest runs out.
      // What another process told lasts a while: we may only have been restarted.
      const told = this.#told;
      const above = told ? told.limit > safe || told.state !== 'accepted' : now - this.#startedAt > RESTARTED_MS;
      return above && this.bound.most(true, now) > safe ? truncateAmps(safe) : undefined;
    }
    return rung.ends === 'none' ? Math.min(wanted, truncateAmps(safe)) : wanted;
  }

  #send(told: Told, situation: Situation, key: string, now: number): StationCall {
    const { rung, limit } = told;
    const transactionId = slotOf(rung) === 'transaction' ? situation.transactionId : undefined;
    told.later = rung.kind === 'Absolute' && !situation.clockKnown;
    if (rung.ends !== 'none') told.lastsUntil = now + durationOf(this.#options, situation) * 1000 - MARGIN_MS;
    const duration = lastsFor(rung, this.#options, situation) * 1000;
    const begun = begunBefore(rung, limit, this.#options, situation) * 1000;
    const most = offeredBy(rung, limit, this.#options, situation);
    this.bound.sent(told.call, rung, most, duration, now, { transactionId, later: told.later, begun });
    return limitCall(told, this.#options, { ...situation, transactionId }, key);
  }

  /** The answer to one of its calls. */
  answered(id: number, answer: CallAnswer, now: number): Outcome {
    const which = this.#defaultTold?.call === id ? 'default' : this.#told?.call === id ? 'overlay' : undefined;
    const told = which === 'default' ? this.#defaultTold : which === 'overlay' ? this.#told : undefined;
    const status = answer.ok ? (answer.payload as { status?: unknown } | null)?.status : undefined;
    if (status === 'Accepted') this.bound.accepted(id, now);
    else if (answer.ok || answer.error === 'replaced') this.bound.refused(id);
    if (answer.ok || answer.error === 'refused') this.unanswered = 0;
    else if (answer.error === 'timeout') this.unanswered += 1;
    if (!which || !told) return 'other';
    if (status === 'Accepted') {
      told.state = 'accepted';
      told.takenAt = now;
      this.#tries[which] = 0;
      this.#hadDefault ||= which === 'default';
      if (which === 'overlay') {
        this.#workedNow = rungKey(told.rung);
        this.#phasesTaken = told.phases;
        this.#phasesUntil = told.lastsUntil ?? Number.POSITIVE_INFINITY;
      }
      this.#judgeByRung();
      return 'accepted';
    }
    told.state = 'failed';
    const refused = answer.ok || answer.error === 'refused';
    this.#retryAt[which] = now + RETRY_MS[Math.min(this.#tries[which], RETRY_MS.length - 1)];
    this.#tries[which] += 1;
    if (!refused) return 'failed';
    this.#refused(which, told, answer, now);
    return 'refused';
  }

  #refused(which: 'default' | 'overlay', told: Told, answer: CallAnswer, now: number): void {
    // Maybe for its number of phases: what follows goes without.
    if (which === 'overlay') this.#phases = this.#phasesTaken;
    const ladder = which === 'default' ? this.base : this.overlay;
    const unknown = !answer.ok && answer.error === 'refused' && REFUSES_ALL.includes(answer.code);
    if (unknown) {
      ladder.allFailed(now);
      return;
    }
    // A transaction that has just begun, or is about to end, has a profile refused that works otherwise.
    const young = now - (this.#activeSince ?? now) < YOUNG_MS || this.#workedNow === rungKey(told.rung);
    if (which === 'overlay' && young && this.#tries[which] <= 2) return;
    ladder.failed(told.rung, now);
    this.#tries[which] = 0;
    this.#retryAt[which] = now;
  }
}
