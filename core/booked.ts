/** What is booked on the circuits, and whether there is room for everybody. */
import { committed } from './charger-draw.ts';
import { phasesOf } from './charger-track.ts';
import type { CircuitPlan } from './circuit-plan.ts';
import type { Controller } from './controller.ts';
import { drawTimes } from './house-load.ts';
import type { Part } from './part.ts';
import type { Round, Solution } from './plan.ts';
import {
  EPSILON_A,
  floorToStep,
  type PerPhase,
  PHASE_INDICES,
  type PhaseIndex,
  perPhase,
  phaseIndex,
  STEP_A,
} from './units.ts';

/** Per circuit, what the given chargers must be assumed to take, A. */
export function booked(
  controller: Controller,
  parts: readonly Part[],
  given: Solution = new Map(),
): Map<string, PerPhase> {
  const sums = new Map<string, PerPhase>();
  for (const part of parts) {
    const current =
      given.get(part.track.config.id)?.current ??
      Math.max(
        committed(part.track, drawTimes(controller)),
        part.role === 'fixed' || part.untold ? part.track.config.safe : 0,
        isReserved(part) ? part.track.config.max : 0,
      );
    for (const circuit of part.path) {
      const sum = sums.get(circuit.track.config.id) ?? [0, 0, 0];
      for (const phase of phasesOf(part.track)) sum[phaseIndex(phase)] += current;
      sums.set(circuit.track.config.id, sum);
    }
  }
  return sums;
}

/**
 * Adds to the solution what everybody may have at most, if one end of the load leaves room for all of it beside what is booked:
 * then there is nothing to share out. False where anything is near its limit: the allocator decides that.
 */
export function allFit(
  { controller, circuits, places }: Round,
  end: 'low' | 'high',
  members: readonly Part[],
  cap: (part: Part) => number,
  sums: ReadonlyMap<string, PerPhase>,
  solution: Solution,
): boolean {
  const most: Solution = new Map();
  for (const part of members) {
    const { config } = part.track;
    const current = Math.min(cap(part), places.get(config.id)?.max ?? cap(part));
    if (current < config.min || floorToStep(current, config.step ?? STEP_A) !== current) return false;
    most.set(config.id, { current, binding: 'max' });
  }
  const more = booked(controller, members, most);
  for (const circuit of circuits.values()) {
    const { id } = circuit.track.config;
    const extra = more.get(id);
    if (extra && !carries(circuit, end, extra, sums.get(id) ?? [0, 0, 0], controller.site.voltage)) return false;
  }
  for (const [id, share] of most) solution.set(id, share);
  return true;
}

/** Whether a charger's maximum stays reserved whatever it is told: nobody has seen it obey, and it may have a vehicle (S4). */
export function isReserved({ track, role }: Part): boolean {
  return track.config.unproven?.obedience === true && (role === 'fixed' || track.report?.state !== 'A');
}

/** Whether all that is booked fits on a charger's path: then one whose maximum is reserved may use it, else it gets nothing. */
export function reservationFits(
  { controller }: Round,
  { path }: Part,
  end: 'low' | 'high',
  sums: ReadonlyMap<string, PerPhase>,
): boolean {
  return path.every(({ track, limit, limits, load }) => {
    const sum = sums.get(track.config.id) ?? [0, 0, 0];
    const fits = (p: PhaseIndex) =>
      sum[p] === 0 || (sum[p] + load[end][p] <= limit[p] + EPSILON_A && sum[p] <= limits.current[p] + EPSILON_A);
    return (
      PHASE_INDICES.every(fits) && controller.site.voltage * (sum[0] + sum[1] + sum[2]) <= limits.power + EPSILON_A
    );
  });
}

/** Whether a circuit has more room than all this; with a limit of its unbalance only the allocator can tell. */
function carries(
  { track, limit, limits, load }: CircuitPlan,
  end: 'low' | 'high',
  extra: PerPhase,
  taken: PerPhase,
  volts: number,
): boolean {
  const sum = perPhase((p) => extra[p] + taken[p]);
  const fits = (p: PhaseIndex) =>
    sum[p] + load[end][p] < limit[p] - EPSILON_A && sum[p] < limits.current[p] - EPSILON_A;
  return (
    track.config.maxUnbalance === undefined &&
    PHASE_INDICES.every((p) => extra[p] === 0 || fits(p)) &&
    volts * (sum[0] + sum[1] + sum[2]) < limits.power - EPSILON_A
  );
}
