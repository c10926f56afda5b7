/**
 * The station's side of OCPP-J: one call at a time, an answer to each call of the server, and the messages of transactions kept until
 * they were taken (OCPP 1.6, 3.7.1 and 4.1; OCPP-J 1.6, 4.1.1).
 */
import type { Behaviour } from './behaviour.ts';
import { type Answer, answerText, callText, type Json, type JsonObject } from './frames.ts';

export interface Message {
  action: string;
  /** When it is sent; undefined: there is nothing to be said any more. */
  payload: () => JsonObject | undefined;
  /** Of a transaction: kept over the end of a connection, and tried again. */
  kept?: boolean;
  answered?: (payload: JsonObject, now: number) => void;
  /** Refused, without an answer in time, or given up. */
  failed?: (now: number, code: string) => void;
}

interface Queued extends Message {
  order: number;
  attempts: number;
  notBefore: number;
}

interface Outstanding {
  id: string | number;
  message: Queued;
  since: number;
}

export interface Retry {
  attempts: number;
  intervalMs: number;
}

const ANSWER_WITHIN_MS = 30_000;

export class Link {
  /** Frames to be sent, in order; whoever runs the station takes them. */
  readonly out: string[] = [];
  readonly #behaviour: Behaviour;
  readonly #retry: () => Retry;
  /** Of transactions; outlives reboots. */
  readonly #kept: Queued[] = [];
  #passing: Queued[] = [];
  #outstanding: Outstanding | undefined;
  #delayed: { at: number; text: string }[] = [];
  #order = 0;
  #ids = 0;

  constructor(behaviour: Behaviour, retry: () => Retry) {
    this.#behaviour = behaviour;
    this.#retry = retry;
  }

  /** How many messages of transactions wait. */
  get waiting(): number {
    return this.#kept.length;
  }

  /** The connection is gone: what is not kept is forgotten, what waited for its answer will be sent again. */
  disconnected(): void {
    const waiting = this.#outstanding?.message;
    if (waiting?.kept && !this.#kept.includes(waiting)) this.#kept.unshift(waiting);
    this.#outstanding = undefined;
    this.#passing = [];
    this.#delayed = [];
    this.out.length = 0;
  }

  queue(message: Message): void {
    const queued: Queued = { ...message, order: this.#order++, attempts: 0, notBefore: Number.NEGATIVE_INFINITY };
    (message.kept ? this.#kept : this.#passing).push(queued);
  }

  /** Before the server has accepted the station only its BootNotification goes out (4.2). */
  pump(now: number, accepted: boolean): void {
    this.#overdue(now);
    while (this.#delayed.length > 0 && this.#delayed[0].at <= now)
      this.out.push((this.#delayed.shift() as { text: string }).text);
    while (!this.#outstanding) {
      const message = this.#next(now, accepted);
      if (!message) return;
      const payload = message.payload();
      if (!payload) continue;
      this.#send(message, payload, now);
    }
  }

  /** An answer of the server. @returns false for one to no call of ours. */
  answer(id: Json, outcome: { payload: JsonObject } | { code: string }, now: number): boolean {
    const outstanding = this.#outstanding;
    if (!outstanding || outstanding.id !== id) return false;
    this.#outstanding = undefined;
    if ('payload' in outcome) outstanding.message.answered?.(outcome.payload, now);
    else this.#failed(outstanding.message, now, outcome.code);
    return true;
  }

  reply(action: string, id: Json, answer: Answer, now: number): void {
    const slow = this.#behaviour.slow;
    const seconds = slow?.[action] ?? slow?.['*'];
    const extra =
      this.#behaviour.extraFields && 'payload' in answer ? { payload: { ...answer.payload, vendorExtra: 1 } } : answer;
    const text = answerText(id, extra);
    if (!seconds) {
      this.out.push(text);
      return;
    }
    this.#delayed.push({ at: now + seconds * 1000, text });
    this.#delayed.sort((a, b) => a.at - b.at);
  }

  #send(message: Queued, payload: JsonObject, now: number): void {
    this.#ids += 1;
    const id = this.#behaviour.numericIds ? this.#ids : `${message.order.toString(36)}-${this.#ids.toString(36)}`;
    const said = this.#behaviour.extraFields ? { ...payload, vendorExtra: { serial: 7 } } : payload;
    this.out.push(callText(id, message.action, said));
    this.#outstanding = { id, message, since: now };
  }

  #next(now: number, accepted: boolean): Queued | undefined {
    if (!accepted) {
      const boot = this.#passing.findIndex((m) => m.action === 'BootNotification');
      return boot < 0 ? undefined : this.#passing.splice(boot, 1)[0];
    }
    const kept: Queued | undefined = this.#kept[0];
    const passing: Queued | undefined = this.#passing[0];
    const keptIsDue = kept !== undefined && kept.notBefore <= now;
    if (keptIsDue && (!passing || kept.order < passing.order)) return this.#kept.shift();
    return this.#passing.shift();
  }

  #overdue(now: number): void {
    const outstanding = this.#outstanding;
    if (!outstanding || now - outstanding.since < ANSWER_WITHIN_MS) return;
    this.#outstanding = undefined;
    this.#failed(outstanding.message, now, 'timeout');
  }

  /** A message of a transaction is tried again, later each time (9.1.25, TransactionMessageRetryInterval). */
  #failed(message: Queued, now: number, code: string): void {
    const { attempts, intervalMs } = this.#retry();
    message.attempts += 1;
    if (!message.kept || message.attempts >= attempts) {
      message.failed?.(now, code);
      return;
    }
    message.notBefore = now + intervalMs * message.attempts;
    this.#kept.unshift(message);
  }
}
