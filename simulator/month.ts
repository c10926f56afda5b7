/**
 * A month of charging sessions on one site in virtual time: every period a scheduler offers currents to the vehicles that
 * are there, and each takes what it can of its offer until it has what it asked for.
 */
import { type AllocationCircuit, allocate } from '../core/allocate.ts';
import { pathToRoot } from '../core/circuits.ts';
import { type Contender, type Policy, underPolicy } from '../core/policies.ts';
import { floorToStep, PHASE_INDICES, type Phase, phaseIndex } from '../core/units.ts';
import type { Random } from './random.ts';

/** Sessions and site as in `acn-2019-03.json`; arrival and departure count periods from the month's start. */
export interface MonthData {
  name: string;
  period_minutes: number;
  voltage: number;
  vehicle_max_kw: number;
  charger_max_a: number;
  /** `limit_a` is absent for the root, which gets the cap. */
  circuits: { id: string; parent?: string; limit_a?: number }[];
  stations: { id: string; phase: Phase; circuit: string }[];
  sessions: { station: string; arrival: number; departure: number; energy_kwh: number }[];
}

/** A vehicle as the schedulers see it; what comes later they do not see. */
export interface Guest {
  id: string;
  circuit: string;
  phase: Phase;
  /** ms. */
  arrival: number;
  departure: number;
  /** Wh. */
  requested: number;
  remaining: number;
}

export interface MonthOptions {
  /** The root's cap, kW over all phases. */
  capKw: number;
  /** Offers are 0 or 6, 7, … A; else any current. */
  wholeAmperes: boolean;
  /** Offers up to the charger's maximum, whatever the vehicle takes. */
  naive?: boolean;
}

/** What a scheduler is told of the site. */
export interface Grid {
  circuits: AllocationCircuit[];
  /** Smallest and largest offer, A; the step of offers, A, absent where any current will do. */
  min: number;
  max: number;
  step?: number;
  /** V. */
  voltage: number;
  /** ms between two decisions. */
  period: number;
}

/** Offers in A, in the order of the guests. */
export type Scheduler = (guests: readonly Guest[], grid: Grid, now: number) => number[];

export interface MonthResult {
  /** Share of the requested energy that was delivered, 0..1. */
  energy: number;
  /** Share of the sessions that were at most 0.1 kWh short, 0..1. */
  met: number;
  /** Jain's index over delivered/requested of each session: (Σx)² / (n·Σx²). */
  jain: number;
  /** The highest load of a circuit's phase beyond its limit in any period, A. */
  excess: number;
  /** A·h that were left free although a single guest could have used them: 0 if the scheduler conserves work. */
  idle: number;
}

const MET_WITHIN_WH = 100;

/** Replays a month under a scheduler. */
export function replayMonth(data: MonthData, options: MonthOptions, scheduler: Scheduler): MonthResult {
  const grid = gridOf(data, options);
  const vehicleMax = (data.vehicle_max_kw * 1000) / data.voltage;
  const stations = new Map(data.stations.map((s) => [s.id, s]));
  const guests: Guest[] = data.sessions.map((s, i) => {
    const station = stations.get(s.station);
    if (!station) throw new RangeError(`sessions.${i}.station: "${s.station}" — expected the id of a known station`);
    const energy = s.energy_kwh * 1000;
    return {
      id: `S${i}`,
      circuit: station.circuit,
      phase: station.phase,
      arrival: s.arrival * grid.period,
      departure: s.departure * grid.period,
      requested: energy,
      remaining: energy,
    };
  });
  const coming = guests.toSorted((a, b) => a.arrival - b.arrival);
  const hours = grid.period / 3_600_000;
  let here: Guest[] = [];
  let excess = Number.NEGATIVE_INFINITY;
  let idle = 0;
  for (let now = 0; here.length > 0 || coming.length > 0; now += grid.period) {
    while (coming.length > 0 && coming[0].arrival <= now) here.push(coming.shift() as Guest);
    here = here.filter((g) => g.departure > now && g.remaining > 1e-6);
    if (here.length === 0) continue;
    const offers = scheduler(here, grid, now);
    const free = freeBeside(grid.circuits, here, offers);
    excess = Math.max(excess, -Math.min(...free.values()));
    let unused = 0;
    here.forEach((guest, i) => {
      const wanted = Math.min(usefulCurrent(guest, grid), vehicleMax) - offers[i];
      const room = Math.min(...keysOf(grid.circuits, guest).map((key) => free.get(key) ?? 0));
      const more = floorToStep(Math.min(wanted, room) + 1e-9, grid.step);
      if (offers[i] + more >= grid.min) unused = Math.max(unused, more);
      guest.remaining -= Math.min(Math.min(offers[i], vehicleMax) * data.voltage * hours, guest.remaining);
    });
    if (unused > 1e-6) idle += unused * hours;
  }
  const shares = guests.map((g) => 1 - g.remaining / g.requested);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return {
    energy: 1 - sum(guests.map((g) => g.remaining)) / sum(guests.map((g) => g.requested)),
    met: guests.filter((g) => g.remaining <= MET_WITHIN_WH).length / guests.length,
    jain: sum(shares) ** 2 / (shares.length * sum(shares.map((x) => x * x))),
    excess,
    idle,
  };
}

/**
 * A policy of the product as a scheduler. It is told what a vehicle can use in this period: in a real site the loop sees
 * within seconds that a vehicle is full, a period of minutes would leave that current unused.
 */
export function scheduleBy(policy: Policy): Scheduler {
  return (guests, grid, now) => {
    const chargers = guests.map(
      (guest): Contender => ({
        id: guest.id,
        circuit: guest.circuit,
        phases: [guest.phase],
        min: grid.min,
        max: usefulCurrent(guest, grid),
        step: grid.step,
        voltage: grid.voltage,
        pluggedSince: guest.arrival,
        departure: guest.departure,
        energyRemaining: guest.remaining,
      }),
    );
    const problem = underPolicy(policy, { circuits: grid.circuits, chargers }, { now, round: grid.period });
    return allocate(problem).setpoints.map((s) => s.current);
  };
}

/**
 * What a guest can use of an offer in one period, A. In whole amperes it rounds down, at least to the minimum, and who is
 * met within the tolerance has enough: the smallest offer is more than what it lacks.
 */
function usefulCurrent(guest: Guest, grid: Grid): number {
  const needed = guest.remaining / ((grid.voltage * grid.period) / 3_600_000);
  if (!grid.step) return Math.min(grid.max, needed);
  return guest.remaining <= MET_WITHIN_WH ? 0 : Math.min(grid.max, Math.max(grid.min, floorToStep(needed, grid.step)));
}

function gridOf(data: MonthData, options: MonthOptions): Grid {
  const cap = (options.capKw * 1000) / 3 / data.voltage;
  const most = options.naive ? data.charger_max_a : (data.vehicle_max_kw * 1000) / data.voltage;
  return {
    circuits: data.circuits.map(({ id, parent, limit_a = cap }) => ({
      id,
      parent,
      limit: [limit_a, limit_a, limit_a],
    })),
    ...(options.wholeAmperes ? { min: 6, max: Math.floor(most), step: 1 } : { min: 0, max: most }),
    voltage: data.voltage,
    period: data.period_minutes * 60_000,
  };
}

/** What the guests' offers leave free, A, by circuit and phase. */
export function freeBeside(
  circuits: readonly AllocationCircuit[],
  guests: readonly Guest[],
  offers: readonly number[],
): Map<string, number> {
  const free = new Map<string, number>();
  for (const { id, limit } of circuits) for (const p of PHASE_INDICES) free.set(`${id}/${p}`, limit[p]);
  guests.forEach((guest, i) => {
    for (const key of keysOf(circuits, guest)) free.set(key, (free.get(key) ?? 0) - offers[i]);
  });
  return free;
}

/** The keys of `freeBeside` that a guest loads. */
export function keysOf(circuits: readonly AllocationCircuit[], guest: Guest): string[] {
  const byId = new Map(circuits.map((c) => [c.id, c]));
  return pathToRoot(byId, guest.circuit).map((id) => `${id}/${phaseIndex(guest.phase)}`);
}

/**
 * Generated sessions on a site like the shared month's: people who come in the morning and stay for work, and visitors
 * for an hour or two, on `days` days.
 */
export function generateMonth(random: Random, days = 30, stationCount = 24): MonthData {
  const perHour = 12;
  const stations = Array.from({ length: stationCount }, (_, i) => ({
    id: `X${i}`,
    phase: (['L1', 'L2', 'L3'] as const)[i % 3],
    circuit: i % 2 === 0 ? 'main' : 'panel',
  }));
  const sessions: MonthData['sessions'] = [];
  for (let day = 0; day < days; day++) {
    for (const { id } of stations) {
      let hour = Math.max(0, 8.5 + 1.5 * random.normal());
      while (hour < 20) {
        const stay = random.chance(0.6) ? random.between(5, 10) : random.between(0.6, 3);
        const arrival = Math.round((day * 24 + hour) * perHour);
        const departure = arrival + Math.max(3, Math.round(stay * perHour));
        const most = ((departure - arrival) / perHour) * 6.6;
        sessions.push({ station: id, arrival, departure, energy_kwh: Math.min(most, random.between(1, 22)) });
        hour += stay + random.between(0.5, 3);
      }
    }
  }
  return {
    name: `${days} generated days`,
    period_minutes: 5,
    voltage: 230,
    vehicle_max_kw: 6.6,
    charger_max_a: 32,
    circuits: [{ id: 'main' }, { id: 'panel', parent: 'main', limit_a: 80 }],
    stations,
    sessions: sessions.toSorted((a, b) => a.arrival - b.arrival),
  };
}
