/**
 * A connector whose MeterValues come rarely while somebody charges: an old value makes the vehicle's own draw look like one of the
 * house. It is asked for them (TriggerMessage) as long as that helps; where it does not, people are told. Pure; ms, monotonic.
 */
import { AlertLatch, type DriverAlert } from '../alert.ts';
import { fieldOf } from './meter-values.ts';
import type { CallAnswer, StationCall } from './station-io.ts';

/** Less often than this is rarely, s. */
const RARE_S = 15;
/** It is asked so long after the last value or question, ms; while nothing flows, more is soon enough. */
const ASK_AFTER_MS = 7000;
const AT_REST_MS = 30_000;
/** So many questions in a row that brought nothing are the last ones, until somebody else charges or it connects anew. */
const GIVES_UP = 3;
const ANSWER_TIMEOUT_S = 10;
/** The mean of so many gaps tells; it is over when that has become so short, s. */
const GAPS = 4;
const OFTEN_S = 12;

export interface Asker {
  /** Of the station, as it counts. */
  connector: number;
  /** There is, or may be, a transaction. */
  active: boolean;
  /** Current flows, as far as is known. */
  charging: boolean;
  /** It can be told something, and has not said that it takes no triggers. */
  mayAsk: boolean;
  /** s between two samples, as far as it says so. */
  interval: number;
}

export class RareValues {
  readonly #alerts = new AlertLatch();
  #since: number | undefined;
  #heardAt = Number.NEGATIVE_INFINITY;
  #isRare = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #call: number | undefined;
  #unheeded = 0;
  /** s between values while it charges, newest last. */
  #gaps: number[] = [];

  /** It has connected or restarted: what it did not do before it may do now. */
  begin(): void {
    this.#since = undefined;
    this.#isRare = false;
    this.#call = undefined;
  }

  /** What comes now may be because it was asked for. */
  isAsked(now: number): boolean {
    return this.#call !== undefined || now - this.#askedAt < ASK_AFTER_MS;
  }

  /** A current was measured. */
  heard(charging: boolean, now: number): DriverAlert[] {
    const gap = (now - this.#heardAt) / 1000;
    this.#heardAt = now;
    if (this.isAsked(now)) this.#unheeded = 0;
    if (!charging) this.#gaps = [];
    // Several at once are one.
    else if (this.#since !== undefined && gap > 0.5 && now - gap * 1000 >= this.#since)
      this.#gaps = [...this.#gaps, gap].slice(-GAPS);
    return this.#judge(now);
  }

  #judge(now: number): DriverAlert[] {
    if (this.#gaps.length < GAPS) return [];
    const mean = this.#gaps.reduce((sum, gap) => sum + gap, 0) / GAPS;
    if (mean <= OFTEN_S) return this.#alerts.clear('rare-values');
    // A single gap is no habit.
    if (mean <= RARE_S || this.#gaps.filter((gap) => gap > RARE_S).length < 2) return [];
    return this.#alerts.raise({ severity: 'warning', code: 'rare-values', args: { seconds: Math.round(mean) } }, now);
  }

  /** The question that is due. */
  step({ connector, active, charging, mayAsk, interval }: Asker, call: () => number, now: number): StationCall[] {
    if (!charging) this.#gaps = [];
    if (!active) {
      this.#since = undefined;
      return [];
    }
    if (this.#since === undefined) {
      this.#since = now;
      this.#unheeded = 0;
    }
    const last = Math.max(this.#since, this.#heardAt);
    if (now - last > RARE_S * 1000 || interval > RARE_S) this.#isRare = true;
    const after = charging ? ASK_AFTER_MS : AT_REST_MS;
    const isDue = this.#call === undefined && now - Math.max(last, this.#askedAt) >= after;
    if (!mayAsk || !this.#isRare || !isDue || this.#unheeded >= GIVES_UP) return [];
    this.#askedAt = now;
    this.#unheeded += 1;
    this.#call = call();
    const payload = { requestedMessage: 'MeterValues', connectorId: connector };
    const key = `values-${connector}`;
    return [
      {
        type: 'call',
        id: this.#call,
        action: 'TriggerMessage',
        payload,
        lane: 'ordinary',
        key,
        timeout: ANSWER_TIMEOUT_S,
      },
    ];
  }

  /** The answer to one of its calls; returns whether it was. */
  answered(id: number, answer: CallAnswer, now: number): boolean {
    if (id !== this.#call) return false;
    this.#call = undefined;
    // It may have waited in the line.
    this.#askedAt = now;
    const isUnknown = answer.ok
      ? fieldOf(answer.payload, 'status') === 'NotImplemented'
      : answer.error === 'refused' && ['NotImplemented', 'NotSupported'].includes(answer.code);
    if (isUnknown) this.#unheeded = GIVES_UP;
    return true;
  }
}
