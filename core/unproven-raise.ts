/**
 * How far chargers may be raised whose rotation no meter has shown yet: wired otherwise than configured, such a charger loads a phase
 * that nothing is booked on for it. Until the backstop (S10) has found out and the vehicle has followed, the protective device must
 * carry what they may rise by together on any phase of the circuit, beside what is handed out there anyway.
 */
import { phasesOf, rotationProven } from './charger-track.ts';
import type { CircuitPlan, CircuitPlans } from './circuit-plan.ts';
import type { Controller } from './controller.ts';
import type { Part } from './part.ts';
import { absorbableJump } from './protection.ts';
import { EPSILON_A, floorToStep, type PerPhase, PHASE_INDICES, PHASES, type PhaseIndex, STEP_A } from './units.ts';
import { backstopSeconds } from './watch.ts';

/** What may still rise on the phases of a circuit that has a meter. */
interface Rising {
  circuit: CircuitPlan;
  /** A by which chargers that are booked there may rise above what they draw, and those that nobody has seen, if they are there. */
  booked: PerPhase;
  unproven: PerPhase;
  /** The most that one that nobody has seen and that draws nothing may wake up with, A: they hardly wake up together. */
  asleep: PerPhase;
  /** Who nobody has seen and who has started lately. */
  starters: Set<Part>;
}

/** The bound of one round, kept up to date with what the round hands out. */
export class UnprovenRaises {
  readonly #controller: Controller;
  readonly #rising = new Map<string, Rising>();
  readonly #now: number;

  constructor(controller: Controller, circuits: CircuitPlans, parts: readonly Part[], now: number) {
    this.#controller = controller;
    this.#now = now;
    for (const circuit of circuits.values()) {
      const { meter, config } = circuit.track;
      // What a meter does not show no backstop finds out.
      if (!meter || config.meterIncludesChargers === false) continue;
      const rising: Rising = {
        circuit,
        booked: [0, 0, 0],
        unproven: [0, 0, 0],
        asleep: [0, 0, 0],
        starters: new Set(),
      };
      this.#rising.set(config.id, rising);
    }
    for (const part of parts) this.#count(part, part.wanted, drawOf(part));
  }

  /** The part was given `wanted` instead of `before`, A. */
  raised(part: Part, before: number): void {
    this.#count(part, part.wanted, Math.max(before, drawOf(part)), before === 0);
  }

  /**
   * What a charger that would be given `share` (A) may have now: that, whole steps less, or what it has. One that starts may have its
   * minimum where no other one that nobody has seen is starting: somebody must show its phases.
   */
  most(part: Part, share: number): number {
    const { track, path, wanted } = part;
    if (rotationProven(track) || share <= wanted) return share;
    const { min, step = STEP_A } = track.config;
    const least = ceilToStep(min, step);
    const booked = phasesOf(track);
    let most = share;
    for (const { track: circuit } of path) {
      const rising = this.#rising.get(circuit.config.id);
      if (!rising) continue;
      const { starters } = rising;
      const alone = wanted === 0 && starters.size === (starters.has(part) ? 1 : 0);
      for (const p of PHASE_INDICES) {
        if (booked.includes(PHASES[p]) || !(circuit.config.phases ?? PHASES).includes(PHASES[p])) continue;
        most = Math.min(most, Math.max(wanted + this.#room(rising, p, part), alone ? least : 0));
      }
    }
    const stepped = floorToStep(most, step);
    return stepped >= min ? Math.max(stepped, wanted) : wanted;
  }

  /** What the device of a circuit carries on a phase beyond all that may rise there, A. */
  #room({ circuit: { track }, booked, unproven, asleep }: Rising, p: PhaseIndex, part: Part): number {
    const { meter, device } = track;
    if (!meter) return Number.POSITIVE_INFINITY;
    const patience = backstopSeconds(this.#controller, track);
    // The backstop's first step is the safe current: what that leaves stays for the second.
    const stages = drawOf(part) < part.track.config.safe ? 2 : 1;
    const seconds = stages * patience + meter.period[p] + this.#controller.options.vehicleLagSeconds;
    const present = Math.max(0, meter.samples[p].at(-1)?.value ?? 0) + booked[p];
    return Math.max(0, absorbableJump(device, present, seconds) - unproven[p] - asleep[p]);
  }

  #count(part: Part, wanted: number, from: number, started = false): void {
    const more = Math.max(0, wanted - from);
    const proven = rotationProven(part.track);
    const phases = phasesOf(part.track);
    const since = this.#now - 1000 * RISES_WITHIN_S;
    const sleeps = !started && part.wanted > 0 && drawOf(part) < 1 && (part.track.changes.at(-1)?.at ?? 0) < since;
    started ||= part.track.changes.some((c) => c.from === 0 && c.to > 0 && c.at >= since) && part.wanted > 0;
    for (const { track } of part.path) {
      const rising = this.#rising.get(track.config.id);
      if (!rising) continue;
      if (!proven && started) rising.starters.add(part);
      for (const p of PHASE_INDICES) {
        if (phases.includes(PHASES[p])) rising.booked[p] += more;
        else if (proven) continue;
        else if (sleeps) rising.asleep[p] = Math.max(rising.asleep[p], more);
        else rising.unproven[p] += more;
      }
    }
  }
}

/** A vehicle that has taken nothing for so long since its offer changed sleeps, s. */
const RISES_WITHIN_S = 20;

function drawOf({ track }: Part): number {
  return Math.max(...(track.report?.current ?? [0]));
}

/** Bounds what those may have whom nobody has seen, so that what they cannot use yet is the others' (their minimum stays theirs). */
export function boundUnproven(
  controller: Controller,
  circuits: CircuitPlans,
  parts: readonly Part[],
  now: number,
): void {
  const raises = new UnprovenRaises(controller, circuits, parts, now);
  for (const part of parts) {
    if (part.role !== 'active' || rotationProven(part.track) || part.cap <= part.wanted) continue;
    const { min, step = STEP_A } = part.track.config;
    const most = Math.max(raises.most(part, part.cap), Math.min(part.cap, ceilToStep(min, step)));
    if (most >= part.cap) continue;
    part.cap = most;
    part.why = { code: 'rotation-unproven', args: {} };
  }
}

/** The least multiple of `step` (A) that is not below `current`. */
function ceilToStep(current: number, step: number): number {
  const below = floorToStep(current, step);
  return below >= current - EPSILON_A || step === 0 ? current : below + step;
}
