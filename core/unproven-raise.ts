/**
 * How far chargers may be raised whose rotation no meter has shown yet: wired otherwise than configured, such a charger loads a phase
 * that nothing is booked on for it. Until the backstop (S10) has found out and the vehicle has followed, the protective device must
 * carry what they may rise by together, on any phase that is there.
 */
import { phasesOf, rotationProven } from './charger-track.ts';
import type { CircuitPlan } from './circuit-plan.ts';
import type { Part } from './part.ts';
import type { Round } from './plan.ts';
import { absorbableJump } from './protection.ts';
import { EPSILON_A, floorToStep, type Phase, phaseIndex, STEP_A } from './units.ts';
import { backstopSeconds } from './watch.ts';

/**
 * What a charger that is to be raised to `share` (A) may have now: that, whole steps less, or what it has. One that starts may have
 * its minimum where no other unproven one is on its way up: somebody must show its phases.
 */
export function boundedRaise(round: Round, part: Part, share: number): number {
  const { track, path, wanted } = part;
  if (rotationProven(track)) return share;
  const { min, step = STEP_A } = track.config;
  const booked = phasesOf(track);
  const others = track.wired.filter((phase) => !booked.includes(phase));
  let most = share;
  for (const circuit of path)
    for (const phase of others) {
      const { room, rising } = roomOn(round, circuit, phase);
      most = Math.min(most, Math.max(wanted + room, wanted === 0 && rising <= EPSILON_A ? min : 0));
    }
  const stepped = floorToStep(most, step);
  return stepped >= min ? Math.max(stepped, wanted) : wanted;
}

/** What a circuit's device carries on a phase beyond what unproven chargers that are booked elsewhere are `rising` by, A. */
function roomOn({ controller, parts, now }: Round, { track }: CircuitPlan, phase: Phase) {
  const { meter, config, device } = track;
  // What a meter does not show no backstop finds out.
  if (!meter || config.meterIncludesChargers === false) return { room: Number.POSITIVE_INFINITY, rising: 0 };
  const p = phaseIndex(phase);
  const seconds = backstopSeconds(controller, track) + meter.period[p] + controller.options.vehicleLagSeconds;
  let rising = 0;
  for (const part of parts)
    if (
      part.path.some((c) => c.track === track) &&
      !rotationProven(part.track) &&
      !phasesOf(part.track).includes(phase)
    )
      rising += risen(part, now - seconds * 1000);
  const present = Math.max(0, meter.samples[p].at(-1)?.value ?? 0);
  return { room: Math.max(0, absorbableJump(device, present, seconds) - rising), rising };
}

/** By how much what a charger is to have is above its lowest set-point since `from` (ms), A. */
function risen({ track, wanted }: Part, from: number): number {
  let least = Math.min(wanted, track.setpoint ?? wanted);
  for (const change of track.changes) if (change.at >= from) least = Math.min(least, change.from);
  return wanted - least;
}
