/** What a policy is: it sets who comes first, with which weight and how far; `allocate()` alone shares the current. */
import type { AllocationCharger, AllocationProblem } from '../allocate.ts';

/** A charger with a vehicle that may be charged, and what is known of the vehicle. Unknown is absent, never a guess. */
export interface Contender extends AllocationCharger {
  /** When the vehicle was plugged in, ms. Absent: before anybody looked. */
  pluggedSince?: number;
  /** State of charge, %. */
  soc?: number;
  /** What the vehicle still asks for, Wh. */
  energyRemaining?: number;
  /** When it leaves, ms. */
  departure?: number;
}

/** An allocation problem with vehicles; the policy chooses its admission rule. */
export interface PolicyProblem extends Omit<AllocationProblem, 'chargers' | 'admission'> {
  chargers: readonly Contender[];
}

/** The price of energy from `start` until before `end`, ms; any currency per kWh. */
export interface Price {
  start: number;
  end: number;
  price: number;
}

export interface Situation {
  /** ms. */
  now: number;
  /** How long it may take until the next allocation, ms; default 5 min. Who loses energy by waiting that long is urgent. */
  round?: number;
  prices?: readonly Price[];
  /** Below it a battery is critical, %; default 20. */
  criticalSoc?: number;
}

/** A charger's place: the fields of `AllocationCharger` that a policy decides. */
export interface Turn {
  id: string;
  /** Higher first. */
  priority: number;
  weight: number;
  /** Inside a priority, lower first. */
  order: number;
  /** A; 0 while it is held back. */
  max: number;
}

export interface Turns {
  admission: 'minimum-first' | 'strict';
  turns: Turn[];
}

export type Policy = (problem: PolicyProblem, situation: Situation) => Turns;

/** Compares two keys position by position, higher first. */
function descending(a: readonly number[], b: readonly number[]): number {
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return a[k] > b[k] ? -1 : 1;
  return 0;
}

/** Priorities from keys of numbers, compared position by position, higher first; equal keys share a priority. */
export function priorities<T>(items: readonly T[], key: (item: T) => readonly number[]): Map<T, number> {
  const keyed = items.map((item) => ({ item, key: key(item) })).sort((a, b) => descending(a.key, b.key));
  const result = new Map<T, number>();
  let rank = keyed.length;
  keyed.forEach((entry, i) => {
    if (i > 0 && descending(keyed[i - 1].key, entry.key) !== 0) rank = keyed.length - i;
    result.set(entry.item, rank);
  });
  return result;
}

/** Positions 0, 1, … by keys, higher first; ties by plug-in time, then by id. */
export function positions<T extends Contender>(
  chargers: readonly T[],
  key: (c: T) => readonly number[],
): Map<T, number> {
  const keyed = chargers.map((charger) => ({ charger, key: [...key(charger), -since(charger)] }));
  keyed.sort((a, b) => descending(a.key, b.key) || (a.charger.id < b.charger.id ? -1 : 1));
  return new Map(keyed.map((entry, i) => [entry.charger, i]));
}

/** Everybody's own priority, in the order of the keys (higher first): with `strict` the first is served fully first. */
export function oneAfterAnother(chargers: readonly Contender[], key: (c: Contender) => readonly number[]): Turns {
  const place = positions(chargers, key);
  return {
    admission: 'strict',
    turns: chargers.map((c) => ({ ...asConfigured(c), priority: chargers.length - (place.get(c) ?? 0), order: 0 })),
  };
}

/** The place that the configuration gives a charger. */
export function asConfigured(c: Contender): Turn {
  return { id: c.id, priority: c.priority ?? 0, weight: c.weight ?? 1, order: c.order ?? 0, max: c.max };
}

/** The configured priority class; higher first. */
export function classOf(c: Contender): number {
  return c.priority ?? 0;
}

/** When a charger's vehicle was plugged in, ms; −Infinity where nobody saw it. */
export function since(c: Contender): number {
  return c.pluggedSince ?? Number.NEGATIVE_INFINITY;
}
