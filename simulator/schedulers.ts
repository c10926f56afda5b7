/**
 * Plain schedulers to measure the policies against: the orders of the ACN research (acnportal's sorted algorithms and
 * round robin), written without our allocator. They know demand and departure, and never offer more than is missing.
 */
import { floorToStep } from '../core/units.ts';
import { freeBeside, type Grid, type Guest, keysOf, type Scheduler } from './month.ts';

/** What is missing of a guest's energy as a current over one period, A. */
function missing(guest: Guest, grid: Grid): number {
  return guest.remaining / ((grid.voltage * grid.period) / 3_600_000);
}

/** Each in order gets all that is left on its path; fractions of a step and offers below the minimum are none. */
function inOrder(key: (guest: Guest, grid: Grid) => number): Scheduler {
  return (guests, grid) => {
    const offers = guests.map(() => 0);
    const free = freeBeside(grid.circuits, guests, offers);
    const order = guests.map((guest, i) => ({ guest, i, key: key(guest, grid) })).sort((a, b) => a.key - b.key);
    for (const { guest, i } of order) {
      const path = keysOf(grid.circuits, guest);
      const room = Math.min(...path.map((k) => free.get(k) ?? 0));
      const offer = floorToStep(Math.min(grid.max, missing(guest, grid), room), grid.step);
      if (offer < grid.min) continue;
      offers[i] = offer;
      for (const k of path) free.set(k, (free.get(k) ?? 0) - offer);
    }
    return offers;
  };
}

/** Earliest deadline first. */
export const edf: Scheduler = inOrder((guest) => guest.departure);

/** Least laxity first; the laxity counts with the largest offer, as acnportal's does. */
export const llf: Scheduler = inOrder(
  (guest, grid) => guest.departure - (missing(guest, grid) / grid.max) * grid.period,
);

/** First come, first served. */
export const fcfs: Scheduler = inOrder((guest) => guest.arrival);

/** Round robin: in turn 1 A more (the minimum at first) for everybody whom it still fits, in the order of arrival. */
export const roundRobin: Scheduler = (guests, grid) => {
  const offers = guests.map(() => 0);
  const free = freeBeside(grid.circuits, guests, offers);
  const queue = guests.map((guest, i) => ({ guest, i, path: keysOf(grid.circuits, guest) }));
  queue.sort((a, b) => a.guest.arrival - b.guest.arrival);
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { guest, i, path } = next;
    const more = offers[i] === 0 ? Math.max(1, grid.min) : 1;
    const fits = path.every((k) => more <= (free.get(k) ?? 0) + 1e-9);
    if (!fits || offers[i] + more > Math.min(grid.max, missing(guest, grid)) + 1e-9) continue;
    offers[i] += more;
    for (const k of path) free.set(k, (free.get(k) ?? 0) - more);
    queue.push(next);
  }
  return offers;
};
