/**
 * The message kinds: one schema each; the types and docs/messages.md come from the schemas.
 * Every object is open (unknown fields pass): "fields may be added, these keep their meaning".
 */
import { z } from 'zod';
import { isPeriod } from '../core/sessions.ts';

const id = z.string().regex(/^[A-Za-z0-9_-]{1,36}$/, 'expected 1 to 36 letters, digits, "_" or "-"');
const at = z.number().describe("sender's clock, epoch ms; never used for freshness");
const epochMs = z.number().gte(1e12, 'expected epoch ms').lte(1e13, 'expected epoch ms');
const amps = z.number().gte(-2000).lte(2000);
const text = z.string().max(500);
const currency = z.string().regex(/^[A-Z]{3}$/, 'expected three capital letters such as "EUR"');
const perPhase = (of: z.ZodType<number>) => z.tuple([of, of, of]);
const args = z.record(z.string().max(40), z.union([z.string().max(200), z.number(), z.boolean()]));

export const phase = z.enum(['L1', 'L2', 'L3']);
export const chargerState = z
  .enum(['A', 'B', 'C', 'D', 'E', 'F'])
  .describe('IEC 61851-1: A no vehicle, B connected, C charging, D charging ventilated, E/F error');
export const chargeMode = z.enum(['off', 'pv', 'minpv', 'night', 'now']);

export const reason = z.object({
  code: z.string().max(60).describe('stable key of the sentence'),
  args: args.describe('what the sentence is filled with'),
  text: text.describe('the sentence in the language of the site'),
});

const maybeAmps = z.union([amps, z.null()]);

const phaseCount = z.union([z.literal(1), z.literal(3)]);

export const meter = z.object({
  at,
  current: z
    .tuple([maybeAmps, maybeAmps, maybeAmps])
    .optional()
    .describe('A, import positive, export negative; null = this phase has no value yet'),
  power: z.tuple([z.number().nullable(), z.number().nullable(), z.number().nullable()]).optional().describe('W'),
  totalPower: z
    .number()
    .optional()
    .describe('W of all phases together, from one that does not tell them apart: protects no phase'),
  voltage: z.tuple([z.number().nullable(), z.number().nullable(), z.number().nullable()]).optional().describe('V'),
  age: perPhase(z.number().gte(0)).optional().describe("age of each phase's current when sent, s; absent = all new"),
  energyImport: z.number().optional().describe('Wh'),
  energyExport: z.number().optional().describe('Wh'),
});

export const charger = z.object({
  at,
  online: z.boolean(),
  state: chargerState,
  current: perPhase(amps).describe('measured, A on the grid phases'),
  age: z.number().gte(0).optional().describe('age of these currents when sent, s; absent = new'),
  power: z.number().describe('W, total'),
  energy: z.number().describe('Wh of this session'),
  register: z.number().optional().describe("Wh, the charger's own counter"),
  offer: z.number().gte(0).lte(2000).describe('A offered to the vehicle now; 0 = no charging allowed'),
  phases: z.array(phase).max(3).optional().describe('grid phases in use; absent = not known'),
  phasesConfigured: phaseCount
    .optional()
    .describe('on how many phases a charger that can be switched says that it is; absent = it may be on all'),
  session: text.optional(),
  user: text.optional(),
  soc: z.number().gte(0).lte(100).optional().describe('%'),
  fault: text.optional(),
  stoppedBy: z
    .enum(['user', 'energy', 'device'])
    .optional()
    .describe('somebody else holds the charger stopped: no set-point starts it'),
});

export const announce = z.object({
  circuit: id,
  rotation: z.array(phase).min(1).max(3),
  min: z.number().gte(0).lte(2000),
  max: z.number().gte(0).lte(2000),
  safe: z.number().gte(0).lte(2000),
  priority: z.number().optional(),
  phaseSwitching: z.boolean().optional().describe('it can be switched to one phase, the first of its rotation'),
});

export const limit = z.object({
  at,
  source: z.string().min(1).max(60),
  current: perPhase(z.number().gte(0).lte(5000))
    .optional()
    .describe('A that the chargers below this circuit may use together, per phase'),
  power: z.number().gte(0).optional().describe('W that they may use together'),
  validFor: z
    .number()
    .gt(0)
    .lte(86400 * 31)
    .describe('s'),
  onExpiry: z
    .enum(['release', 'fallback'])
    .describe('what the end of the validity means: no limit any more, or chargers to their safe current'),
  keepMinimum: z
    .boolean()
    .optional()
    .describe(
      'chargers that charge keep their minimum although the plan has no room (the classic rule of a fuse guard)',
    ),
  budgetUsed: z.number().gte(0).optional().describe('by a guard: share of the trip budget used, 1 = the device trips'),
  paused: z.boolean().optional().describe('by a guard: charging is paused'),
  absorbs: z
    .object({ current: z.number().describe('A'), seconds: z.number().nullable().describe('s; null = for good') })
    .optional()
    .describe('by a guard: how much more than now the device carries, and for how long'),
});

export const surplus = z.object({ at, power: z.number().describe('W') });

export const tariff = z.object({
  at,
  currency: currency.optional(),
  prices: z
    .array(
      z
        .object({
          start: epochMs.describe('epoch ms'),
          end: epochMs.describe('epoch ms, after the start'),
          price: z.number().describe('per kWh, in any currency; may be negative'),
        })
        .refine((p) => p.start < p.end, { path: ['end'], message: 'expected a moment after the start' }),
    )
    .max(1000)
    .describe('all that is known of now and later, at most 1000; replaces the list from before'),
});

/** What people ask for, as it is in force. */
const wishes = z.object({
  enabled: z.boolean().optional(),
  mode: chargeMode.optional(),
  priority: z.number().optional().describe('higher comes first'),
  maxCurrent: z.number().gte(0).lte(2000).optional().describe('A; below the minimum = no charging'),
  energy: z.number().gte(0).optional().describe('Wh that the vehicle is to get in this session'),
  departure: epochMs.optional().describe('when it leaves, epoch ms'),
  soc: z.number().gte(0).lte(100).optional().describe('%'),
  user: text.optional(),
});

const { priority, maxCurrent, energy, departure, soc } = wishes.shape;
/** null takes a wish back. */
export const request = wishes.extend({
  priority: withdrawable(priority),
  maxCurrent: withdrawable(maxCurrent),
  energy: withdrawable(energy),
  departure: withdrawable(departure),
  soc: withdrawable(soc),
});

function withdrawable<T extends z.ZodType>(field: T) {
  return field.nullable().describe(`${field.description}; null takes the wish back`);
}

export const setpoint = z.object({
  at,
  sequence: z.number().int().gte(0).describe('grows with every message of one allocator'),
  current: z.number().gte(0).lte(2000).describe('A; 0 = pause'),
  phases: phaseCount.optional().describe('only while a charger is to switch: to how many phases'),
  validFor: z.number().gt(0).describe('s'),
  reason,
  binding: z.string().max(120),
});

export const allocation = z.object({
  at,
  circuits: z.array(
    z.object({
      id,
      load: perPhase(z.number()).nullable().describe('uncontrolled current, A; null = not known'),
      measured: perPhase(z.number()).nullable(),
      limit: perPhase(z.number()).describe('A that may flow in all'),
      headroom: perPhase(z.number()).nullable().describe('A still free after what is committed'),
      rating: z.number().optional().describe('A, of the protective device'),
    }),
  ),
  chargers: z.array(
    z.object({
      id,
      wish: z.number().describe('A the charger would take alone'),
      setpoint: z.number(),
      measured: perPhase(z.number()),
      state: chargerState,
      binding: z.string(),
      reason,
      min: z.number().optional().describe('A, least set-point but 0'),
      max: z.number().optional().describe('A, largest set-point'),
      request: wishes.optional().describe('what people ask for now, clamped to what is configured'),
      energyToday: z.number().optional().describe('Wh charged since midnight on site'),
    }),
  ),
});

export const alert = z.object({
  at,
  severity: z.enum(['info', 'warning', 'error']),
  code: z.string().max(60),
  args,
  text,
  active: z.boolean().describe('true once when raised, false once when cleared'),
});

const offset = z.number().int().gte(-1440).lte(1440);

/** One charging session, from a vehicle's coming to its leaving. */
export const session = z.object({
  at,
  id: z.string().min(1).max(60).describe('charger and start: the same after every restart'),
  charger: id,
  user: text.optional(),
  start: epochMs,
  startOffset: offset.describe("minutes that the site's clocks were ahead of UTC then"),
  end: epochMs.optional().describe('absent while it goes on'),
  endOffset: offset.optional(),
  energy: z.number().gte(0).describe('Wh'),
  averagePower: z.number().gte(0).describe('W, while current flowed'),
  peakPower: z.number().gte(0).describe('W'),
  cost: z.number().optional().describe('of the energy whose price was known at its time'),
  currency: currency.optional(),
  pricedEnergy: z.number().gte(0).optional().describe('Wh that `cost` is of, where it is not all'),
  endedBy: z
    .enum(['unplugged', 'vehicle', 'user', 'energy', 'device', 'fault', 'unheard'])
    .optional()
    .describe(
      'why charging was over when the vehicle left: not at all, it took no more, a person, an energy limit, the charger itself, a fault; unheard = it left, or came and went, while nobody listened',
    ),
  active: z.boolean().describe('it goes on'),
});

const sum = z.object({
  count: z.number().int().gte(0),
  energy: z.number().describe('Wh'),
  cost: z.number().describe('in `currency` of the answer'),
  pricedEnergy: z.number().describe('Wh that `cost` is of'),
});

/** A question about sessions that were. A session belongs to the day on which it began, on the site's calendar. */
export const sessionsQuery = z.object({
  request: z.string().max(40).optional().describe('comes back in the answer, so that each asker knows its own'),
  period: z
    .string()
    .max(10)
    .refine((p) => ['all', 'today', 'month', 'year'].includes(p) || isPeriod(p), {
      message: 'expected "all", "today", "month", "year", or a day, month or year such as "2026-11-27"',
    })
    .optional()
    .describe('a day, month or year such as `2026-11`; `today`, `month`, `year`: the present one; default `all`'),
  charger: id.optional(),
  user: text.optional(),
  by: z
    .enum(['day', 'month', 'year'])
    .optional()
    .describe('what `sums` are of; default: the next smaller than the period'),
  limit: z.number().int().gte(0).lte(500).optional().describe('sessions in the answer, the latest first; default 50'),
  after: z.string().max(60).optional().describe('go on after the session with this id'),
  csv: z
    .boolean()
    .optional()
    .describe('all of them as CSV, too: with commas and points, at a German site with semicolons and decimal commas'),
});

export const sessionsAnswer = z.object({
  at,
  request: z.string().max(40).optional(),
  period: z.string().max(10).describe('the day, month or year that was asked for; `all`'),
  charger: id.optional(),
  user: text.optional(),
  by: z.enum(['day', 'month', 'year']),
  today: z.string().max(10).describe('the present day on site'),
  language: z.enum(['en-US', 'de']),
  timeZone: z.string().max(60),
  currency,
  total: sum,
  sums: z
    .array(sum.extend({ period: z.string().max(10) }))
    .describe('the earliest first; without those in which nothing was; of more than 1000 the latest'),
  sessions: z.array(session).describe('the latest first'),
  more: z.boolean().describe('there are more sessions: ask on with `after`'),
  chargers: z.array(id).describe('all that ever had a session'),
  users: z.array(text),
  csv: z
    .object({
      name: z.string().max(100),
      text: z.string(),
      complete: z.boolean().describe('false: of more than 10 000 sessions, the latest'),
    })
    .optional(),
});

const maybePerPhase = z.tuple([maybeAmps, maybeAmps, maybeAmps]);

/** What a person says to the commissioning check. */
export const commissioning = z.object({
  command: z.enum(['start', 'next', 'skip', 'abort']),
  installer: z.string().max(100).optional().describe('with `start`: who checks, for the protocol'),
  step: z
    .number()
    .int()
    .gte(0)
    .optional()
    .describe('number of the step that was shown: for another one the command is passed over'),
});

/** Where a commissioning check stands, and what it has found: the whole picture. */
export const commissioningState = z.object({
  at,
  state: z
    .enum(['never', 'running', 'checked'])
    .describe('never: nothing was proven, or nothing of it holds any more; a run that ended early says so in `note`'),
  language: z.enum(['en-US', 'de']),
  site: z.object({ name: text, timeZone: z.string().max(60) }),
  step: reason
    .extend({
      number: z.number().int().gte(0),
      next: z.boolean().describe('whether "next" makes sense now'),
      skip: z.boolean(),
    })
    .optional()
    .describe('what is asked of a person, or being done'),
  note: reason.optional().describe('what went wrong with the step before, or why the last run ended early'),
  progress: z.object({ done: z.number(), total: z.number() }).optional(),
  meters: z.array(
    z.object({
      id,
      circuit: text.describe('name of the circuit that it measures'),
      current: maybePerPhase.describe('now, A, with its sign'),
      change: maybePerPhase.optional().describe('since the known load was asked for, A'),
    }),
  ),
  chargers: z.array(
    z.object({
      id,
      setpoint: z.number().nullable(),
      offer: z.number().describe('A'),
      current: perPhase(amps).describe('as the charger reports it, A'),
    }),
  ),
  verdicts: z
    .array(
      reason.extend({
        item: z.enum(['meter', 'charger']),
        id,
        check: z.enum(['order', 'sign', 'includes', 'amount', 'phases', 'obeys']),
        result: z.enum(['proven', 'wrong', 'not-proven']),
        checkText: text.describe('what is checked, and what came of it, in the language of the site'),
        resultText: text,
        void: z.boolean().describe('what it holds for is configured otherwise now'),
        remedy: reason.optional().describe('what to do'),
        effect: reason.optional().describe('what counts until then'),
      }),
    )
    .describe('of the last check that was finished'),
  unchecked: z.array(id).describe('meters and chargers that no check holds for'),
  protocol: z
    .object({
      startedAt: epochMs,
      finishedAt: epochMs,
      installer: text,
      devices: z.array(z.object({ item: z.enum(['meter', 'charger']), id, name: text, device: text })),
      loads: z.array(
        z.object({
          meter: id,
          phase,
          change: perPhase(z.number()).describe('what the meter made of a known load on this phase, A'),
          seen: z.boolean(),
        }),
      ),
      steps: z.array(
        z.object({
          charger: id,
          setpoint: z.number().describe('A'),
          current: perPhase(z.number()).describe('as it reported, A'),
          meters: z.record(z.string(), perPhase(z.number())).describe('what each meter above it showed, A'),
        }),
      ),
      reactions: z.array(
        z.object({
          charger: id,
          from: z.number().describe('A'),
          to: z.number().describe('A'),
          seconds: z.number().nullable().describe('until it had followed, at most; null = not seen'),
        }),
      ),
    })
    .optional()
    .describe('what was measured in the last check that was finished'),
});

/** kind → schema. The kind `announce` is `charger/<id>/announce` on the wire. */
export const SCHEMAS = {
  meter,
  charger,
  announce,
  limit,
  surplus,
  tariff,
  request,
  setpoint,
  allocation,
  alert,
  commissioning,
  'commissioning-state': commissioningState,
  session,
  'sessions-query': sessionsQuery,
  'sessions-answer': sessionsAnswer,
} as const;
export type Kind = keyof typeof SCHEMAS;

export type MeterMessage = z.infer<typeof meter>;
export type ChargerMessage = z.infer<typeof charger>;
export type AnnounceMessage = z.infer<typeof announce>;
export type LimitMessage = z.infer<typeof limit>;
export type SurplusMessage = z.infer<typeof surplus>;
export type TariffMessage = z.infer<typeof tariff>;
export type RequestMessage = z.infer<typeof request>;
export type SetpointMessage = z.infer<typeof setpoint>;
export type AllocationMessage = z.infer<typeof allocation>;
export type CommissioningMessage = z.infer<typeof commissioning>;
export type CommissioningState = z.infer<typeof commissioningState>;
export type SessionMessage = z.infer<typeof session>;
export type SessionsQuery = z.infer<typeof sessionsQuery>;
export type SessionsAnswer = z.infer<typeof sessionsAnswer>;
export type AlertMessage = z.infer<typeof alert>;
export type Reason = z.infer<typeof reason>;
export type ChargerState = z.infer<typeof chargerState>;
