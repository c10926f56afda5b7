/** The ways in which a station can be told a limit, from the best to the last. Pure. */
import { z } from 'zod';
import type { Quirks } from '../quirks.ts';

export const rung = z.strictObject({
  purpose: z.enum(['TxProfile', 'TxDefaultProfile', 'ChargePointMaxProfile']),
  /** 0 = the whole station. */
  connector: z.enum(['own', 'station']),
  level: z.number().int().min(0).max(1000),
  kind: z.enum(['Absolute', 'Relative']),
  unit: z.enum(['A', 'W']),
  /** W are divided by the phases that the station has, or by those that the vehicle uses (worst case: one). */
  per: z.enum(['station', 'used']),
  /**
   * What makes it end: `duration`: it runs out over a safe default; `periods`: its second period is the safe current;
   * `none`: nothing, so it is never above the safe current.
   */
  ends: z.enum(['duration', 'periods', 'none']),
});
export type Rung = z.infer<typeof rung>;

/** What a station has said of its smart charging; undefined = not known, and then never guessed. */
export interface Capabilities {
  maxStackLevel?: number;
  units?: readonly ('A' | 'W')[];
  maxPeriods?: number;
}

export function rungKey({ purpose, connector, level, kind, unit, per, ends }: Rung): string {
  return `${purpose} ${connector} ${level} ${kind} ${unit}/${per} ${ends}`;
}

export function isSameRung(a: Rung, b: Rung): boolean {
  return a === b || rungKey(a) === rungKey(b);
}

/** In whose place a profile goes: a station has one of each. */
export function slotOf({ purpose }: Rung): 'transaction' | 'default' | 'station' {
  if (purpose === 'TxProfile') return 'transaction';
  return purpose === 'TxDefaultProfile' ? 'default' : 'station';
}

/** Thousands of stations have few lists between them. */
const lists = new Map<string, readonly Rung[]>();
const MOST_LISTS = 200;

function shared(
  kind: string,
  { maxStackLevel, units, maxPeriods }: Capabilities,
  { relativeOnly, stackLevelZero, unit }: Quirks,
  alone: boolean,
  make: () => readonly Rung[],
): readonly Rung[] {
  const key = JSON.stringify([kind, maxStackLevel, units, maxPeriods, relativeOnly, stackLevelZero, unit, alone]);
  const list = lists.get(key) ?? Object.freeze(make());
  if (lists.size < MOST_LISTS) lists.set(key, list);
  return list;
}

/** The safe default underneath: it never ends. `alone`: the station has no other connector. */
export function baseRungs(capabilities: Capabilities, quirks: Quirks, alone: boolean): readonly Rung[] {
  return shared('base', capabilities, quirks, alone, () => worstCaseLast(baseRungsOf(capabilities, quirks, alone)));
}

function baseRungsOf(capabilities: Capabilities, quirks: Quirks, alone: boolean): Rung[] {
  const places: Pick<Rung, 'purpose' | 'connector'>[] = [
    { purpose: 'TxDefaultProfile', connector: 'own' },
    { purpose: 'TxDefaultProfile', connector: 'station' },
  ];
  if (alone) places.push({ purpose: 'ChargePointMaxProfile', connector: 'station' });
  return places.flatMap((place) =>
    variants(place, 'none', kindsOf(quirks, ['Relative', 'Absolute']), capabilities, quirks),
  );
}

/** What is laid over the safe default while somebody charges. `base`: how the default works; undefined = not at all. */
export function overlayRungs(
  base: Rung | undefined,
  capabilities: Capabilities,
  quirks: Quirks,
  alone: boolean,
): readonly Rung[] {
  const kind = base ? rungKey(base) : 'no base';
  return shared(kind, capabilities, quirks, alone, () =>
    worstCaseLast(overlayRungsOf(base, capabilities, quirks, alone)),
  );
}

/**
 * W for one phase are below the minimum of a station that divides them by three: only for one that does not. What does
 * not end comes last: it never lifts the current.
 */
function worstCaseLast(rungs: readonly Rung[]): Rung[] {
  const rank = (r: Rung) => (r.ends === 'none' ? 2 : 0) + (r.per === 'used' ? 1 : 0);
  return [0, 1, 2, 3].flatMap((n) => rungs.filter((r) => rank(r) === n));
}

function overlayRungsOf(base: Rung | undefined, capabilities: Capabilities, quirks: Quirks, alone: boolean): Rung[] {
  const kinds = kindsOf(quirks, ['Absolute', 'Relative']);
  const make = (place: Pick<Rung, 'purpose' | 'connector'>, ends: Rung['ends'], of = kinds) =>
    ends === 'periods' && (capabilities.maxPeriods ?? 2) < 2 ? [] : variants(place, ends, of, capabilities, quirks);
  const own = { purpose: 'TxProfile', connector: 'own' } as const;
  if (base === undefined) return make(own, 'periods');
  const place = { purpose: base.purpose, connector: base.connector };
  // What is told to all connectors cannot hold a limit of one, and a default that counts from the start of a
  // transaction would hold at the next one.
  const shared = base.connector === 'station' && !alone;
  const absolute = kinds.filter((kind) => kind === 'Absolute');
  const replaced = shared ? [] : [...make(place, 'periods', absolute), ...make(place, 'none', [base.kind])];
  // A cap of the whole station at the safe current would hold every TxProfile down.
  return base.purpose === 'ChargePointMaxProfile' ? replaced : [...make(own, 'duration'), ...replaced];
}

const SCALES: readonly Pick<Rung, 'unit' | 'per'>[] = [
  { unit: 'A', per: 'station' },
  { unit: 'W', per: 'station' },
  { unit: 'W', per: 'used' },
];

function kindsOf({ relativeOnly }: Quirks, kinds: Rung['kind'][]): Rung['kind'][] {
  return relativeOnly ? ['Relative'] : kinds;
}

function variants(
  place: Pick<Rung, 'purpose' | 'connector'>,
  ends: Rung['ends'],
  kinds: readonly Rung['kind'][],
  { maxStackLevel, units }: Capabilities,
  quirks: Quirks,
): Rung[] {
  const highest = quirks.stackLevelZero ? 0 : (maxStackLevel ?? 0);
  const levels = [...new Set([highest, 0])];
  const known = quirks.unit ? [quirks.unit] : units?.length ? units : ['A', 'W'];
  const scales = SCALES.filter(({ unit }) => known.includes(unit));
  return scales.flatMap((scale) =>
    kinds.flatMap((kind) => levels.map((level) => ({ ...place, ...scale, kind, level, ends }))),
  );
}
