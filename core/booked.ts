/** What is booked on the circuits, and whether everybody can keep what it has. */
import { committed } from './charger-draw.ts';
import { phasesOf } from './charger-track.ts';
import type { CircuitPlan } from './circuit-plan.ts';
import type { Controller } from './controller.ts';
import { drawTimes } from './house-load.ts';
import type { Part } from './part.ts';
import type { Round, Solution } from './plan.ts';
import { EPSILON_A, floorToStep, type PerPhase, PHASE_INDICES, type PhaseIndex, phaseIndex, STEP_A } from './units.ts';

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
      Math.max(committed(part.track, drawTimes(controller)), part.role === 'fixed' ? part.track.config.safe : 0);
    for (const circuit of part.path) {
      const sum = sums.get(circuit.track.config.id) ?? [0, 0, 0];
      for (const phase of phasesOf(part.track)) sum[phaseIndex(phase)] += current;
      sums.set(circuit.track.config.id, sum);
    }
  }
  return sums;
}

/**
 * Everybody with what it has, if the lower end of the load leaves room for all of it: then there is nothing to share out.
 * Undefined where anything is near its limit: the allocator decides that.
 */
export function keep(round: Round, fixed: readonly Part[], cap: (part: Part) => number): Solution | undefined {
  const { controller, circuits, parts, places } = round;
  const kept: Solution = new Map();
  const taken = [...fixed];
  for (const part of parts) {
    const { config, disobeys } = part.track;
    if ((part.role !== 'active' && part.role !== 'standby') || disobeys || cap(part) <= 0) continue;
    const current = Math.min(cap(part), places.get(config.id)?.max ?? cap(part));
    if (current < config.min || floorToStep(current, config.step ?? STEP_A) !== current) return undefined;
    kept.set(config.id, { current, binding: 'max' });
    taken.push(part);
  }
  const sums = booked(controller, taken, kept);
  for (const circuit of circuits.values()) {
    const sum = sums.get(circuit.track.config.id);
    if (sum && !carries(circuit, sum, controller.site.voltage)) return undefined;
  }
  return kept;
}

/** Whether a circuit has more room than is booked on it; with a limit of its unbalance only the allocator can tell. */
function carries({ track, limit, limits, load }: CircuitPlan, sum: PerPhase, volts: number): boolean {
  const fits = (p: PhaseIndex) => sum[p] + load.low[p] < limit[p] - EPSILON_A && sum[p] < limits.current[p] - EPSILON_A;
  return (
    track.config.maxUnbalance === undefined &&
    PHASE_INDICES.every((p) => sum[p] === 0 || fits(p)) &&
    volts * (sum[0] + sum[1] + sum[2]) < limits.power - EPSILON_A
  );
}
