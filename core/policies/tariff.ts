/** The policy for changing prices: charge while energy is cheap, and still be ready. */
import { book, createCalendar, type Span } from './calendar.ts';
import { type Demand, demandsOf, isUrgent, ROUND_MS } from './demand.ts';
import { asConfigured, classOf, type Policy, type Price, priorities } from './policy.ts';
import { roomOf } from './room.ts';
import { equal } from './sharing.ts';

/**
 * `tariff`: each vehicle is booked, earliest departure first, into the cheapest periods that the circuits leave before it
 * goes (the earlier of two alike). Until they come, and when it has what it asked for, it is held back (maximum 0). Who is
 * not held back shares as under `equal`, inside the configured classes; who loses energy by waiting another round goes
 * first. A vehicle that does not tell departure and energy, or that cannot be ready within the periods of known price, is
 * not held back. Without a price for now it is `equal`.
 */
export const tariff: Policy = (problem, situation) => {
  const { now, round = ROUND_MS, prices = [] } = situation;
  const price = priceAt(prices, now);
  if (price === undefined) return equal(problem, situation);
  const room = roomOf(problem);
  const demands = demandsOf(problem, room, now);
  const priority = priorities(demands, (d) => [classOf(d.charger), isUrgent(d, round) ? 1 : 0]);
  const calendar = createCalendar(now, [
    ...prices.flatMap((p) => [p.start, p.end]),
    ...demands.flatMap((d) => (d.told ? readyBy(d, round) : [])),
  ]);
  const priceOf = new Map<Span, number>();
  for (const span of calendar) {
    const known = priceAt(prices, span.start);
    if (known !== undefined) priceOf.set(span, known);
  }
  const cheapestFirst = [...priceOf].sort(([a, x], [b, y]) => x - y || a.start - b.start).map(([span]) => span);
  const waiting = new Set<Demand>();
  for (const demand of demands.filter((d) => d.told).toSorted((a, b) => a.departure - b.departure)) {
    const spans = cheapestFirst.filter((span) => span.end <= readyBy(demand, round));
    const booked = book(room, demand, demand.energy, spans);
    const dearest = Math.max(...(booked ?? []).map((span) => priceOf.get(span) ?? price));
    if (booked && price > dearest && !isUrgent(demand, round)) waiting.add(demand);
  }
  return {
    admission: 'strict',
    turns: demands.map((d) => ({
      ...asConfigured(d.charger),
      priority: priority.get(d) ?? 0,
      max: waiting.has(d) ? 0 : d.charger.max,
    })),
  };
};

/** A round before the departure, ms: what is planned to the last minute is late. */
function readyBy(demand: Demand, round: number): number {
  return demand.departure - round;
}

/** The price at a moment (ms), undefined where it is not known. */
function priceAt(prices: readonly Price[], at: number): number | undefined {
  return prices.find((p) => p.start <= at && at < p.end)?.price;
}
