/**
 * The buffer before the database: batches, one in the air at a time, until somebody says that it was taken. What does
 * not fit pushes the oldest out, and is counted. Time is monotonic, in ms, and an argument.
 */
import type { Point } from './point.ts';

export interface BufferOptions {
  /** Points that are kept at most, those in the air included. */
  capacity: number;
  /** Points in a batch at most. */
  batch: number;
  /** A batch that is not full goes out after this time, s. */
  batchSeconds: number;
  /** A batch of which nobody says anything for so long counts as not taken, s. */
  timeoutSeconds: number;
  /** Pause after a batch that was not taken: the first and the longest, s; each doubles the one before. */
  retrySeconds: readonly [number, number];
  /** For so long nothing is said of a database that takes nothing, s: a restart of it is no news. */
  alertSeconds: number;
}

export const DEFAULT_BUFFER: BufferOptions = {
  capacity: 50_000,
  batch: 500,
  batchSeconds: 5,
  timeoutSeconds: 60,
  retrySeconds: [5, 60],
  alertSeconds: 30,
};

/** So long after points were refused the alert stays, ms. */
const REFUSED_MS = 60_000;

/** Why a batch was not taken: nobody answered in time, somebody said so, or it will never be taken as it is. */
export interface Refusal {
  kind: 'timeout' | 'error' | 'refused';
  text: string;
  /** With `refused`: how many points, where it is known. */
  points?: number;
}

export type BufferEffect =
  /** The same batch again has the same id; points that arrive twice are one. */
  | { type: 'write'; id: number; attempt: number; points: readonly Point[] }
  /** Once when the database takes nothing, once when it does again. `lost` counts since the last alert was cleared. */
  | { type: 'alert'; active: boolean; lost: number; text: string };

export interface HistoryBuffer {
  options: BufferOptions;
  /** The batch that is in the air or was not taken; it is older than the queue. */
  batch: Point[];
  batchId: number;
  attempt: number;
  /** When the batch went out; undefined: it is not in the air. */
  sentAt?: number;
  queue: Point[];
  /** Where the queue begins in its array. */
  head: number;
  /** Since when something waits in the queue. */
  waitingSince?: number;
  /** Failures in a row, when the first was, and not before when it is tried again. */
  failures: number;
  failingSince?: number;
  retryAt: number;
  cause?: Refusal;
  alerting: boolean;
  /** When points were last refused. */
  refusedAt: number;
  /** Points that were lost, of all and since the last alert was cleared. */
  lost: number;
  lostNow: number;
  /** Points that the database has taken. */
  written: number;
}

export function createBuffer(options: Partial<BufferOptions> = {}): HistoryBuffer {
  return {
    options: { ...DEFAULT_BUFFER, ...options },
    batch: [],
    batchId: 0,
    attempt: 0,
    queue: [],
    head: 0,
    failures: 0,
    retryAt: Number.NEGATIVE_INFINITY,
    alerting: false,
    refusedAt: Number.NEGATIVE_INFINITY,
    lost: 0,
    lostNow: 0,
    written: 0,
  };
}

/** Points that are in the buffer, those in the air included. */
export function buffered(buffer: HistoryBuffer): number {
  return buffer.batch.length + buffer.queue.length - buffer.head;
}

/** Takes points in. */
export function addPoints(buffer: HistoryBuffer, points: readonly Point[], now: number): BufferEffect[] {
  if (points.length > 0) buffer.waitingSince ??= now;
  for (const point of points) buffer.queue.push(point);
  let over = buffered(buffer) - buffer.options.capacity;
  // What is in the air may have arrived: it is not counted as lost, and the next oldest goes.
  if (over > 0 && buffer.sentAt === undefined) {
    const dropped = Math.min(over, buffer.batch.length);
    buffer.batch.splice(0, dropped);
    lose(buffer, dropped);
    over -= dropped;
  }
  if (over > 0) {
    const dropped = Math.min(over, buffer.queue.length - buffer.head);
    advanceHead(buffer, dropped);
    lose(buffer, dropped);
  }
  return advanceBuffer(buffer, now);
}

/** The database has taken the batch, whichever attempt it was. Another id is passed over. */
export function onTaken(buffer: HistoryBuffer, id: number, now: number): BufferEffect[] {
  if (id !== buffer.batchId || buffer.batch.length === 0) return [];
  buffer.written += buffer.batch.length;
  endBatch(buffer);
  const effects = recovered(buffer, now);
  return [...effects, ...advanceBuffer(buffer, now)];
}

/** The database has not taken this attempt. One that was given up before is passed over. */
export function onNotTaken(
  buffer: HistoryBuffer,
  id: number,
  attempt: number,
  refusal: Refusal,
  now: number,
): BufferEffect[] {
  if (id !== buffer.batchId || attempt !== buffer.attempt || buffer.sentAt === undefined) return [];
  buffer.sentAt = undefined;
  if (refusal.kind === 'refused') {
    // It answers, but not for these: they would keep all that follows from being written.
    const points = Math.min(refusal.points ?? buffer.batch.length, buffer.batch.length);
    buffer.written += buffer.batch.length - points;
    lose(buffer, points);
    endBatch(buffer);
    return [...refused(buffer, refusal, now), ...advanceBuffer(buffer, now)];
  }
  fail(buffer, refusal, now);
  return advanceBuffer(buffer, now);
}

/** What only time brings: a batch that is due, a pause that is over, an answer that does not come. */
export function advanceBuffer(buffer: HistoryBuffer, now: number): BufferEffect[] {
  const { options } = buffer;
  if (buffer.sentAt !== undefined && now - buffer.sentAt >= options.timeoutSeconds * 1000) {
    buffer.sentAt = undefined;
    fail(buffer, { kind: 'timeout', text: `no answer within ${options.timeoutSeconds} s` }, now);
  }
  return [...alarm(buffer, now), ...send(buffer, now)];
}

function send(buffer: HistoryBuffer, now: number): BufferEffect[] {
  const { options } = buffer;
  if (buffer.sentAt !== undefined || now < buffer.retryAt) return [];
  if (buffer.batch.length === 0) {
    const waiting = buffer.queue.length - buffer.head;
    const due = now - (buffer.waitingSince ?? now) >= options.batchSeconds * 1000;
    if (waiting === 0 || (waiting < options.batch && !due)) return [];
    buffer.batch = buffer.queue.slice(buffer.head, buffer.head + options.batch);
    advanceHead(buffer, buffer.batch.length);
    buffer.waitingSince = buffer.queue.length > buffer.head ? now : undefined;
    buffer.batchId += 1;
    buffer.attempt = 0;
  }
  buffer.attempt += 1;
  buffer.sentAt = now;
  return [{ type: 'write', id: buffer.batchId, attempt: buffer.attempt, points: [...buffer.batch] }];
}

function fail(buffer: HistoryBuffer, refusal: Refusal, now: number): void {
  const [first, longest] = buffer.options.retrySeconds;
  buffer.retryAt = now + Math.min(longest, first * 2 ** Math.min(20, buffer.failures)) * 1000;
  buffer.failures += 1;
  buffer.failingSince ??= now;
  buffer.cause = refusal;
}

function alarm(buffer: HistoryBuffer, now: number): BufferEffect[] {
  const { failingSince, alerting, options, lostNow, cause } = buffer;
  if (alerting || failingSince === undefined) return [];
  if (lostNow === 0 && now - failingSince < options.alertSeconds * 1000) return [];
  buffer.alerting = true;
  return [{ type: 'alert', active: true, lost: lostNow, text: cause?.text ?? '' }];
}

function refused(buffer: HistoryBuffer, refusal: Refusal, now: number): BufferEffect[] {
  answered(buffer);
  buffer.refusedAt = now;
  if (buffer.alerting) return [];
  buffer.alerting = true;
  return [{ type: 'alert', active: true, lost: buffer.lostNow, text: refusal.text }];
}

/** It talks again. */
function answered(buffer: HistoryBuffer): void {
  buffer.failures = 0;
  buffer.failingSince = undefined;
  buffer.retryAt = Number.NEGATIVE_INFINITY;
  buffer.cause = undefined;
}

function recovered(buffer: HistoryBuffer, now: number): BufferEffect[] {
  const { alerting, lostNow, refusedAt } = buffer;
  answered(buffer);
  // Where some points are refused again and again, those between them that are taken end nothing.
  if (now - refusedAt < REFUSED_MS) return [];
  buffer.alerting = false;
  buffer.lostNow = 0;
  return alerting ? [{ type: 'alert', active: false, lost: lostNow, text: '' }] : [];
}

function endBatch(buffer: HistoryBuffer): void {
  buffer.batch = [];
  buffer.sentAt = undefined;
}

function lose(buffer: HistoryBuffer, points: number): void {
  buffer.lost += points;
  buffer.lostNow += points;
}

/** Takes points off the front; the array is cut only now and then, as that moves all the others. */
function advanceHead(buffer: HistoryBuffer, points: number): void {
  buffer.head += points;
  if (buffer.head < 1000 || buffer.head * 2 < buffer.queue.length) return;
  buffer.queue = buffer.queue.slice(buffer.head);
  buffer.head = 0;
}
