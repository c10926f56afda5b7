/** What energy costs at its time. */
import type { Price } from '../policies/policy.ts';

/** How long prices are remembered after they were in force, ms: a charger may be out of reach for days. */
const REMEMBERED_MS = 7 * 86_400_000;
const MOST_PRICES = 3000;

export interface Priced {
  cost: number;
  /** Wh whose price is known. */
  energy: number;
}

/** The price of `energy` Wh that flowed evenly between two moments (ms). */
export function priced(energy: number, from: number, to: number, prices: readonly Price[]): Priced {
  if (!(energy > 0)) return { cost: 0, energy: 0 };
  if (!(to > from)) {
    const price = prices.find((p) => p.start <= to && to < p.end);
    return price ? { cost: (energy / 1000) * price.price, energy } : { cost: 0, energy: 0 };
  }
  const total = { cost: 0, energy: 0 };
  for (const { start, end, price } of prices) {
    const share = (Math.min(end, to) - Math.max(start, from)) / (to - from);
    if (!(share > 0)) continue;
    total.energy += energy * share;
    total.cost += ((energy * share) / 1000) * price;
  }
  return { cost: total.cost, energy: Math.min(total.energy, energy) };
}

/** A new list of prices over what is known of the time before it. Sorted, without overlaps. */
export function mergePrices(before: readonly Price[], next: readonly Price[], now: number): Price[] {
  const list: Price[] = [];
  for (const p of next.toSorted((a, b) => a.start - b.start)) {
    const start = Math.max(p.start, list.at(-1)?.end ?? p.start);
    if (start < p.end) list.push({ start, end: p.end, price: p.price });
  }
  // Where the new list says nothing of now, nothing is known of now on: it replaces the old one.
  const from = Math.min(list[0]?.start ?? now, now);
  const past = before
    .filter((p) => p.start < from && p.end > now - REMEMBERED_MS)
    .map((p) => ({ ...p, end: Math.min(p.end, from) }));
  return [...past, ...list].slice(-MOST_PRICES);
}
