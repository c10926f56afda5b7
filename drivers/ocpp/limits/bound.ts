/**
 * The most that a station which obeys may offer now, from what was sent to it and what it answered. A profile that may
 * have arrived counts from the moment it is sent until it has ended, or until a later one in its place was accepted.
 */
import { type Rung, slotOf } from './rung.ts';

/** How much earlier or later than expected a profile may end: a clock that passes as right, whole seconds, the way. ms. */
export const MARGIN_MS = 7000;
/** How much later a call without an answer may have arrived, ms. */
const UNANSWERED_MS = 60_000;

const EARLIER = -1;
/** In place of the id of a call: of another process. */
const ANOTHER = 0;

type Slot = ReturnType<typeof slotOf>;

interface Sent {
  call: number;
  slot: Slot;
  limit: number;
  ends: Rung['ends'];
  duration: number;
  /** When it has ended at the latest, and until when it has certainly not. ms. */
  until: number;
  surelyUntil: number;
  transactionId?: number;
  /** It may begin in the station's future. */
  later?: boolean;
}

export class OfferBound {
  readonly #max: number;
  readonly #safe: number;
  #sent: Sent[];
  /** What each place certainly holds, or a later one. */
  readonly #accepted = new Map<Slot, number>();
  #isRead = false;
  /** What was read back may be in the place of the default. */
  #isUnderneath = false;

  /** `unknownFor`: ms for which a profile of an earlier process may still be in force. */
  constructor(limits: { safe: number; max: number }, unknownFor: number, now: number) {
    this.#max = limits.max;
    this.#safe = limits.safe;
    this.#sent = [
      {
        call: ANOTHER,
        slot: 'transaction',
        limit: limits.max,
        ends: 'duration',
        duration: unknownFor,
        until: now + unknownFor + MARGIN_MS,
        surelyUntil: now,
        // It ends with the transaction of that time.
        transactionId: EARLIER,
      },
    ];
  }

  /** Nothing is known of what another process told the station that still charges. */
  get isUnknown(): boolean {
    return !this.#isRead && this.#sent.some(({ call }) => call === ANOTHER);
  }

  /** What another process told, and was read back, is the best that is known. */
  get restsOnAnother(): boolean {
    return this.#accepted.get('transaction') === ANOTHER;
  }

  /**
   * The station says that it offers so much (A), surely for `surelyFor` ms: what another process told it. `underneath`:
   * in the place of the default, so that a default of ours replaces it.
   */
  readBack(current: number, surelyFor: number, underneath: boolean, now: number): void {
    const other = this.#sent.find(({ call }) => call === ANOTHER);
    if (!other || this.#accepted.has('transaction')) return;
    this.#isRead = true;
    this.#isUnderneath = underneath;
    other.limit = Math.min(current, this.#max);
    other.surelyUntil = now + surelyFor;
    this.#accepted.set('transaction', ANOTHER);
  }

  /**
   * A call that sets a limit (A) goes out; `duration` in ms; `later`: it may begin in the station's future; `begun`: ms by
   * which it may have begun earlier, as it counts from when the transaction began.
   */
  sent(
    call: number,
    rung: Rung,
    limit: number,
    duration: number,
    now: number,
    about: { transactionId?: number; later: boolean; begun: number },
  ): void {
    const until = now + duration + UNANSWERED_MS;
    const { begun, ...of } = about;
    const surelyUntil = now + duration - begun - MARGIN_MS;
    this.#sent.push({ call, slot: slotOf(rung), limit, ends: rung.ends, duration, until, surelyUntil, ...of });
  }

  /** It was seen to hold: it has not begun in the station's future. */
  begun(call: number): void {
    for (const sent of this.#sent) if (sent.call === call) sent.later = false;
  }

  /** The station took it: what was in its place is gone. */
  accepted(call: number, now: number): void {
    const taken = this.#sent.find((s) => s.call === call);
    if (!taken) return;
    taken.until = now + taken.duration + MARGIN_MS;
    this.#sent = this.#sent.filter((s) => s.call >= call || s.slot !== taken.slot);
    this.#accepted.set(taken.slot, Math.max(call, this.#accepted.get(taken.slot) ?? 0));
  }

  /** It has certainly not arrived, or was not taken. */
  refused(call: number): void {
    this.#sent = this.#sent.filter((s) => s.call !== call);
  }

  /** It may have lost what is above the safe default (reconnect, reboot, a pause of the vehicle). */
  doubtOverlay(): void {
    this.#accepted.delete('transaction');
  }

  /** It may have lost everything. */
  doubtAll(): void {
    this.#accepted.clear();
  }

  /** Profiles of a transaction end with it; those that name none may hold for the next one. */
  transactionEnded(): void {
    this.doubtOverlay();
    this.#sent = this.#sent.filter((s) => s.slot !== 'transaction' || s.transactionId === undefined);
  }

  /** A; `active`: there is, or may be, a transaction. */
  most(active: boolean, now: number): number {
    if (this.#sent.some((s) => s.ends === 'duration' && now >= s.until))
      this.#sent = this.#sent.filter((s) => s.ends !== 'duration' || now < s.until);
    const underneath = this.#layer('default', now) ?? this.#max;
    const above = active ? this.#above(underneath, now) : underneath;
    const cap = this.#layer('station', now) ?? this.#max;
    return Math.min(above, cap, this.#max);
  }

  #above(underneath: number, now: number): number {
    const call = this.#accepted.get('transaction');
    let certain = false;
    let most = 0;
    for (const sent of this.#sent) {
      if (sent.slot !== 'transaction') continue;
      if (sent.call === call) certain = !sent.later && (sent.ends !== 'duration' || now < sent.surelyUntil);
      // It may have replaced that already.
      else if (sent.later) certain = false;
      most = Math.max(most, this.#offered(sent, now));
    }
    if (call === ANOTHER && this.#isUnderneath) most = Math.max(most, this.#highest('default', now));
    return certain ? most : Math.max(most, underneath);
  }

  /** What a place holds that never becomes empty; undefined while that is not certain. */
  #layer(slot: Slot, now: number): number | undefined {
    return this.#accepted.has(slot) ? this.#highest(slot, now) : undefined;
  }

  /** The highest of what may be in a place. */
  #highest(slot: Slot, now: number): number {
    let most = 0;
    for (const sent of this.#sent) if (sent.slot === slot) most = Math.max(most, this.#offered(sent, now));
    return most;
  }

  #offered({ ends, limit, until, surelyUntil }: Sent, now: number): number {
    if (ends !== 'periods' || now < surelyUntil) return limit;
    return now < until ? Math.max(limit, this.#safe) : this.#safe;
  }
}
