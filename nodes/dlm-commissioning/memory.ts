/** What a check keeps on the disk, read with care: what does not fit counts as never written. */
import { z } from 'zod';
import type { KeptCheck, Outcome } from '../../core/index.ts';

const perPhase = z.tuple([z.number(), z.number(), z.number()]);
const phase = z.enum(['L1', 'L2', 'L3']);
const channel = z.union([z.literal(0), z.literal(1), z.literal(2)]);
const sentence = z.object({ code: z.string(), args: z.record(z.string(), z.union([z.string(), z.number()])) });
const evidence = z.object({
  groups: z.record(z.string(), z.never()),
  levels: z.array(z.object({ setpoint: z.number(), current: perPhase, meters: z.record(z.string(), perPhase) })),
  // JSON knows no infinity: null is "not seen".
  reactions: z.array(
    z.object({
      from: z.number(),
      to: z.number(),
      least: z.number(),
      most: z
        .number()
        .nullable()
        .transform((most) => most ?? Number.POSITIVE_INFINITY),
    }),
  ),
  deviation: z.number().optional(),
  ignored: z.object({ setpoint: z.number(), offer: z.number(), current: z.number() }).optional(),
  hindered: sentence.optional(),
});
const outcomeSchema = z.object({
  startedAt: z.number(),
  finishedAt: z.number(),
  installer: z.string(),
  verdicts: z.array(
    sentence.extend({
      item: z.enum(['meter', 'charger']),
      id: z.string(),
      check: z.enum(['order', 'sign', 'includes', 'amount', 'phases', 'obeys']),
      result: z.enum(['proven', 'wrong', 'not-proven']),
      remedy: sentence.optional(),
      effect: sentence.optional(),
    }),
  ),
  evidence: z.object({
    loads: z.array(
      z.object({
        meter: z.string(),
        phase,
        change: perPhase,
        channel: channel.optional(),
        sign: z.union([z.literal(1), z.literal(-1)]).optional(),
        shifted: z.boolean().optional(),
      }),
    ),
    silent: z.array(z.string()),
    frozen: z.array(z.string()),
    chargers: z.record(z.string(), evidence),
  }),
  meters: z.record(z.string(), z.object({ configured: z.string(), wrong: z.boolean() })),
  chargers: z.record(
    z.string(),
    z.object({
      configured: z.string(),
      unproven: z.object({ phases: z.array(phase), obedience: z.boolean() }).optional(),
    }),
  ),
});
const keptSchema = z.object({
  running: z.boolean().catch(false),
  wishes: z.record(z.string(), z.object({ before: z.number().nullable(), asked: z.number() })).catch({}),
  outcome: outcomeSchema.optional().catch(undefined),
});

/** From the file; undefined where there is none. */
export function readKept(value: unknown): KeptCheck | undefined {
  const { data } = keptSchema.safeParse(value);
  return data && { ...data, outcome: data.outcome as Outcome | undefined };
}
