/** What a charger's register tells of what nobody heard. Epoch ms, Wh. */
import type { Session, SessionWorld } from './model.ts';
import { priced } from './prices.ts';

/** No vehicle takes more, W. */
export const MOST_W = 1_000_000;
export const HOUR_MS = 3_600_000;
/** A session of less that nobody heard is not told from what meters count for themselves. */
const LEAST_WH = 100;
/** What they may count for themselves in the long run, W. */
const CREEP_W = 2;

/** By how much register and counter may differ, Wh: by their steps, and by what flows between the telling of the two. */
export function tolerance(before: number, after: number, energy: number, power: number): number {
  const step = coarse(before, after) ? 150 : 0;
  return 30 + step + 0.002 * energy + power / 1800;
}

/** A register that counts in steps of 100 Wh. */
export function coarse(before: number, after: number): boolean {
  return before % 100 === 0 && after % 100 === 0;
}

/** When a charger was last known to be empty, and its register then. */
export interface Empty {
  at: number;
  register: number;
}

/** Wh that vehicles took since the charger was last known to be empty, beyond `known` Wh; 0 where that may be none. */
export function missed({ at, register: before }: Empty, register: number, known: number, now: number): number {
  const flowed = Math.max(0, register - before);
  const hours = Math.max(0, now - at) / HOUR_MS;
  const least = LEAST_WH + tolerance(before, register, flowed, 0) + CREEP_W * hours;
  // A register that jumps by more is another one.
  return flowed - known > least && flowed <= MOST_W * hours ? flowed - known : 0;
}

/**
 * A session that came and went while nobody listened: after the charger was last known to be empty, before `end`. Nobody knows
 * how long it lasted, at which power and whose it was. `left`: what the charger counts after it.
 */
export function missedSession(
  charger: string,
  { at }: Empty,
  end: number,
  energy: number,
  left: { counter: number; register: number },
  { offset, prices, currency }: SessionWorld,
): Session {
  // Not at the moment at which the one before may have begun: each has an id of its own.
  const start = at + 1;
  const { cost, energy: pricedEnergy } = priced(energy, start, end, prices);
  return {
    ...{ id: `${charger}-${start}`, charger, start, startOffset: offset(start), end, endOffset: offset(end) },
    ...{ energy, chargingMs: 0, peakPower: 0, cost, pricedEnergy, ...(currency ? { currency } : {}) },
    endedBy: 'unheard',
    ...left,
  };
}
