/** The calls to one station: which is sent when, and which answer belongs to which. Time is an argument (ms, monotonic). */
import type { CallAnswer, StationCall } from './station-io.ts';

/** Ordinary calls that wait; a station that answers slowly must not fill the memory. */
const MAX_WAITING = 200;
const MAX_IN_FLIGHT = 100;
/** Ids of calls that are over, to tell a late or second answer from one that was never asked for. */
const REMEMBERED_IDS = 32;
/** ms that an ordinary call lets limits in flight go first (OCPP-J 1.6, 4.1.1: one call at a time); then it goes anyway. */
const PATIENCE_MS = 5000;
/** ms after which a newer limit no longer waits for the answer to an older one: a station that answers slowly must not delay it for long. */
const OVERTAKEN_MS = 2000;

interface InFlight {
  call: StationCall;
  sentAt: number;
}

interface Waiting {
  call: StationCall;
  since: number;
}

export interface AnswerCounts {
  /** Answers after the timeout of their call. */
  late: number;
  /** Second answers. */
  duplicate: number;
  /** Answers to nothing. */
  unknown: number;
}

export interface LaneEnds {
  send(wireId: string, call: StationCall): void;
  answered(id: number, answer: CallAnswer): void;
}

export class CallLanes {
  readonly counts: AnswerCounts = { late: 0, duplicate: 0, unknown: 0 };
  readonly #prefix: string;
  readonly #ends: LaneEnds;
  /** By the JSON text of the id on the wire. */
  readonly #inFlight = new Map<string, InFlight>();
  readonly #over = new Map<string, 'answered' | 'timeout'>();
  #ordinary: Waiting[] = [];
  /** Of the keys with a limit in flight: the newest that waits. */
  readonly #waitingLimits = new Map<string, StationCall>();
  #sent = 0;
  #open = true;

  /** `prefix`: differs from connection to connection, so that an answer to another one finds nothing here. */
  constructor(prefix: string, ends: LaneEnds) {
    this.#prefix = prefix;
    this.#ends = ends;
  }

  call(call: StationCall, now: number): void {
    if (!this.#open) this.#ends.answered(call.id, disconnected());
    else if (this.#inFlight.size >= MAX_IN_FLIGHT) this.#ends.answered(call.id, tooMany(call, MAX_IN_FLIGHT));
    else if (call.lane === 'limit') this.#limit(call, now);
    else this.#queue(call, now);
  }

  /** The call that an answer with this id (JSON text) is for; undefined, and counted, when there is none. */
  find(wireId: string): StationCall | undefined {
    const found = this.#inFlight.get(wireId);
    if (found) return found.call;
    const end = this.#over.get(wireId);
    if (end === 'timeout') this.counts.late += 1;
    else if (end === 'answered') this.counts.duplicate += 1;
    else this.counts.unknown += 1;
    return undefined;
  }

  /** The answer to a call that `find` gave. */
  settle(wireId: string, answer: CallAnswer, now: number): void {
    const found = this.#inFlight.get(wireId);
    if (!found) return;
    this.#end(wireId, found.call, answer, answer.ok || answer.error !== 'timeout' ? 'answered' : 'timeout');
    this.#next(found.call, now);
  }

  tick(now: number): void {
    for (const [wireId, { call, sentAt }] of this.#inFlight) {
      if (now - sentAt < call.timeout * 1000) continue;
      const description = `${call.action}: no answer within ${call.timeout} s`;
      this.settle(wireId, { ok: false, error: 'timeout', description }, now);
    }
    this.#overtake(now);
    this.#sendOrdinary(now);
  }

  /** The connection is gone: every call that is not answered ends. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    const calls = [
      ...[...this.#inFlight.values()].map(({ call }) => call),
      ...this.#waitingLimits.values(),
      ...this.#ordinary.map(({ call }) => call),
    ];
    this.#inFlight.clear();
    this.#waitingLimits.clear();
    this.#ordinary = [];
    for (const call of calls) this.#ends.answered(call.id, disconnected());
  }

  #limit(call: StationCall, now: number): void {
    const { key } = call;
    if (key === undefined) {
      this.#send(call, now);
      return;
    }
    const older = this.#waitingLimits.get(key);
    this.#waitingLimits.delete(key);
    if (this.#holdsBack(key, now)) this.#waitingLimits.set(key, call);
    else this.#send(call, now);
    if (older) this.#ends.answered(older.id, replaced(older));
  }

  /** Whether an older limit of this key is in flight that may still be answered soon. */
  #holdsBack(key: string, now: number): boolean {
    for (const { call, sentAt } of this.#inFlight.values()) {
      if (call.lane === 'limit' && call.key === key && now - sentAt < OVERTAKEN_MS) return true;
    }
    return false;
  }

  /** Limits that have waited long enough for an older one. */
  #overtake(now: number): void {
    for (const [key, call] of this.#waitingLimits) {
      if (this.#holdsBack(key, now)) continue;
      this.#waitingLimits.delete(key);
      this.#send(call, now);
    }
  }

  #queue(call: StationCall, now: number): void {
    const at = call.key === undefined ? -1 : this.#ordinary.findIndex(({ call: { key } }) => key === call.key);
    if (at >= 0) {
      // The newer call takes the place of the older one in the line, and the time that it has waited.
      const older = this.#ordinary[at] as Waiting;
      this.#ordinary[at] = { call, since: older.since };
      this.#ends.answered(older.call.id, replaced(older.call));
    } else if (this.#ordinary.length >= MAX_WAITING) {
      this.#ends.answered(call.id, tooMany(call, MAX_WAITING));
    } else {
      this.#ordinary.push({ call, since: now });
    }
    this.#sendOrdinary(now);
  }

  #next(ended: StationCall, now: number): void {
    if (ended.lane === 'limit') this.#overtake(now);
    this.#sendOrdinary(now);
  }

  #sendOrdinary(now: number): void {
    const first = this.#ordinary[0];
    if (!first || !this.#open) return;
    for (const { call } of this.#inFlight.values()) {
      if (call.lane === 'ordinary' || now - first.since < PATIENCE_MS) return;
    }
    this.#ordinary.shift();
    this.#send(first.call, now);
  }

  #send(call: StationCall, now: number): void {
    this.#sent += 1;
    const id = `${this.#prefix}-${this.#sent}`;
    this.#inFlight.set(JSON.stringify(id), { call, sentAt: now });
    this.#ends.send(id, call);
  }

  #end(wireId: string, call: StationCall, answer: CallAnswer, how: 'answered' | 'timeout'): void {
    this.#inFlight.delete(wireId);
    this.#over.set(wireId, how);
    if (this.#over.size > REMEMBERED_IDS) this.#over.delete(this.#over.keys().next().value as string);
    this.#ends.answered(call.id, answer);
  }
}

function disconnected(): CallAnswer {
  return { ok: false, error: 'disconnected', description: 'the station is not connected' };
}

function tooMany(call: StationCall, count: number): CallAnswer {
  return { ok: false, error: 'invalid', description: `${call.action}: ${count} calls wait for this station already` };
}

function replaced(call: StationCall): CallAnswer {
  return { ok: false, error: 'replaced', description: `${call.action}: a newer call with this key took its place` };
}
