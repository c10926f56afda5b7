/** Policies for vehicles that tell when they leave and what they need. */
import { book, createCalendar } from './calendar.ts';
import { type Demand, demandsOf, isUrgent } from './demand.ts';
import { classOf, oneAfterAnother, type Policy } from './policy.ts';
import { type Room, roomOf } from './room.ts';

/** Each kWh that is missing counts like a departure 2 min later: of two that leave together the smaller demand is first. */
const EFFORT_MS_PER_WH = 120;
/** A vehicle that lacks the energy of its last minute has what it was promised. */
const TOLERANCE_MS = 60_000;

/** The moment by which vehicles are put in order, ms: the departure (EDF), a little later where much is missing. */
function due(demand: Demand): number {
  return demand.departure + EFFORT_MS_PER_WH * demand.energy;
}

/**
 * `departure`: most energy for everybody by departure. Earliest deadline first (EDF), each served fully before the next;
 * but a vehicle that loses energy by waiting for another round, as its laxity is used up (LLF), goes first.
 * EDF alone loses energy: late leavers that it keeps waiting cannot catch up, as each takes no more than its own maximum.
 * LLF alone divides the current among many who all leave unready. Who has what it asked for comes last.
 */
export const byDeparture: Policy = (problem, { now, round }) => {
  const demands = new Map(demandsOf(problem, roomOf(problem), now).map((d) => [d.charger, d]));
  return oneAfterAnother(problem.chargers, (c) => {
    const demand = demands.get(c) as Demand;
    return [classOf(c), demand.energy > 0 ? 1 : 0, isUrgent(demand, round) ? 1 : 0, -due(demand)];
  });
};

/**
 * `most-vehicles`: as many vehicles as possible leave with all they asked for. Smallest demand first, each is booked as
 * late before its departure as the circuits allow; who fits is promised its energy, who does not is not. The promised
 * are served first and the others take what is left, both by departure (EDF). Compare Moore and Hodgson's rule for the
 * fewest late jobs, which also gives up the largest. The calendar is made anew each time, so a newcomer may replace a promise.
 */
export const mostVehicles: Policy = (problem, { now }) => {
  const room = roomOf(problem);
  const demands = new Map(demandsOf(problem, room, now).map((d) => [d.charger, d]));
  const promised = promises([...demands.values()], room, now);
  return oneAfterAnother(problem.chargers, (c) => {
    const demand = demands.get(c) as Demand;
    return [classOf(c), demand.energy > 0 ? 1 : 0, promised.has(demand) ? 1 : 0, -demand.departure];
  });
};

/** Who can leave with everything, when the higher classes and then the smaller demands are promised first. */
function promises(demands: readonly Demand[], room: Room, now: number): Set<Demand> {
  const departures = demands.map((d) => d.departure);
  const latestFirst = createCalendar(now, departures).toReversed();
  const bySize = demands.toSorted((a, b) => classOf(b.charger) - classOf(a.charger) || a.energy - b.energy);
  return new Set(
    bySize.filter((demand) => {
      const until = latestFirst.filter((span) => span.end <= demand.departure);
      const share = Math.max(0, 1 - TOLERANCE_MS / Math.max(1, demand.timeNeeded));
      return book(room, demand, demand.energy * share, until) !== undefined;
    }),
  );
}
