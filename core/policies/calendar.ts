/** A calendar of the current that the circuits can carry, to book energy ahead: who can still be served, and when. */
import type { Demand } from './demand.ts';
import { type Room, wattsPerAmpere } from './room.ts';

const MS_PER_HOUR = 3_600_000;
const EPSILON_AH = 1e-9;

/** A span of the calendar, ms, and what is booked in it by constraint: Ah for a circuit's phase, Wh for a group. */
export interface Span {
  start: number;
  end: number;
  booked: Map<string, number>;
}

/** An empty calendar from `now` (ms) with a boundary at each given moment. */
export function createCalendar(now: number, boundaries: Iterable<number>): Span[] {
  const moments = [...new Set(boundaries)].filter((at) => at > now && at < Number.POSITIVE_INFINITY);
  moments.sort((a, b) => a - b);
  return moments.map((end, i) => ({ start: i === 0 ? now : moments[i - 1], end, booked: new Map() }));
}

/**
 * Books energy (Wh) for a vehicle in spans of a calendar, in the order given, at no more than the current that it can take
 * and that the room, as it is now, leaves beside what is booked. Returns the spans used, or undefined, with nothing
 * booked, when the energy does not fit.
 */
export function book(room: Room, demand: Demand, energy: number, spans: Iterable<Span>): Span[] | undefined {
  const loads = room.loads(demand.charger);
  const bookings: { span: Span; charge: number }[] = [];
  let missing = energy / wattsPerAmpere(demand.charger);
  for (const span of spans) {
    if (missing <= 0) break;
    const hours = (span.end - span.start) / MS_PER_HOUR;
    let charge = Math.min(missing, demand.current * hours);
    for (const { constraint, perAmpere } of loads) {
      const free = (room.free.get(constraint) ?? 0) * hours - (span.booked.get(constraint) ?? 0);
      charge = Math.min(charge, free / perAmpere);
    }
    if (charge <= 0) continue;
    bookings.push({ span, charge });
    missing -= charge;
  }
  if (missing > EPSILON_AH) return undefined;
  for (const { span, charge } of bookings)
    for (const { constraint, perAmpere } of loads)
      span.booked.set(constraint, (span.booked.get(constraint) ?? 0) + charge * perAmpere);
  return bookings.map(({ span }) => span);
}
