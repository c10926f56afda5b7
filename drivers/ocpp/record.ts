/** What a station's logic leaves on the disk. Written when it changes, which is rarely: of limits only for a pause that ends. */
import { z } from 'zod';
import { EXPECTED_MS } from './clock.ts';
import { rung } from './limits/rung.ts';
import { transactionBook } from './transactions.ts';

const identity = z.object({ vendor: z.string().max(60), model: z.string().max(60), firmware: z.string().max(60) });

/** Times are epoch ms of our clock. */
const pause = z.object({
  transaction: z.number().int(),
  /** Since when it is to pause; absent: it is to charge again. */
  since: z.number().optional(),
  /** When the station was last asked to end it, and whether it refused that. */
  askedAt: z.number().optional(),
  refused: z.boolean().optional(),
});
export type Pause = z.infer<typeof pause>;

export const stationRecord = z.object({
  version: z.literal(1),
  identity: identity.optional(),
  /** A BootNotification was asked for; not again before one has come (lbbrhzn/ocpp#1096). */
  askedForBoot: z.boolean(),
  /** What worked on this vendor, model and firmware; another firmware forgets it. */
  learned: z.object({
    for: z.string().max(200),
    base: rung.optional(),
    overlay: rung.optional(),
    /** Keys of the rungs by which it was seen to obey. */
    proven: z.array(z.string().max(120)).max(60),
    /** A profile that was not renewed was seen to end. */
    expires: z.boolean(),
    /** Its Relative profiles count from when the vehicle began to charge. */
    fromStart: z.boolean(),
  }),
  /** By how much its clock was wrong when that was last known, ms. */
  clock: z.number().min(-EXPECTED_MS).max(EXPECTED_MS).optional(),
  /** By connector: who ended its last transaction, while the vehicle is still plugged in (S7). */
  stops: z.record(z.string().max(6), z.enum(['us', 'person'])),
  /** By connector: a pause that is to end its transaction, or did (S6). */
  pauses: z.record(z.string().max(6), pause).default({}),
  /** Configuration that was written, by key; written again only after another firmware. */
  written: z.record(z.string().max(50), z.string().max(500)),
  transactions: transactionBook,
});
export type StationRecord = z.infer<typeof stationRecord>;

/** What was read back from the disk; undefined when there is nothing that can be used. */
export function readRecord(value: unknown): StationRecord | undefined {
  const result = stationRecord.safeParse(value);
  return result.success ? result.data : undefined;
}

export function emptyRecord(): StationRecord {
  return {
    version: 1,
    askedForBoot: false,
    learned: { for: '', proven: [], expires: false, fromStart: false },
    stops: {},
    pauses: {},
    written: {},
    transactions: { next: 0, open: [], closed: [] },
  };
}
