/**
 * What `complete` and `catch` say of a batch. The `influxdb batch` node (node-red-contrib-influxdb 0.7.0) ends a message
 * with `done()`, or with `done(error)` and `influx_error` in the message: `statusCode` with InfluxDB 1.x (503 where nobody
 * answered), `errorMessage` (the error, with a `statusCode` where there was an answer) with 2.0.
 */
import { z } from 'zod';
import type { Refusal } from '../../core/index.ts';

export interface Answer {
  /** Id of the node that the batch came from. */
  node: string;
  id: number;
  attempt: number;
  /** Absent: it was taken. */
  refusal?: Refusal;
}

const batch = z.object({ node: z.string(), id: z.number(), attempt: z.number() });
const failed = z.object({
  error: z.object({ message: z.unknown() }).optional(),
  influx_error: z
    .object({
      statusCode: z.number().optional(),
      errorMessage: z.object({ statusCode: z.number().optional() }).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});
/** The database understood the request, and will say the same of it the next time. */
const FINAL: readonly number[] = [400, 413, 422];

/** The answer in a message; undefined when it is none. */
export function answerOf(msg: object): Answer | undefined {
  const sent = batch.safeParse((msg as { history?: unknown }).history);
  if (!sent.success) return undefined;
  const { error, influx_error: detail } = failed.safeParse(msg).data ?? {};
  if (!error && !detail) return sent.data;
  const whole = String(error?.message ?? 'error').replace(/\s+/g, ' ');
  const text = whole.slice(0, 160);
  const status = detail?.statusCode ?? detail?.errorMessage?.statusCode;
  if (status === undefined || !FINAL.includes(status)) return { ...sent.data, refusal: { kind: 'error', text } };
  return { ...sent.data, refusal: { kind: 'refused', text, points: refusedPoints(whole) } };
}

/**
 * How many points an InfluxDB 1.x says that it did not take; undefined: it does not say. It names each line that it could
 * not read, and does not count it in `dropped`.
 */
function refusedPoints(text: string): number | undefined {
  const unread = text.split('unable to parse').length - 1;
  const dropped = /dropped=(\d+)/.exec(text)?.[1];
  return unread === 0 && dropped === undefined ? undefined : unread + Number(dropped ?? 0);
}
