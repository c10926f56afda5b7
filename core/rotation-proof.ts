/** When a meter has shown on which phases a charger is wired: its own change and nothing else explains what the meter shows (S10, S13). */
import { changeSince, isSilent } from './charger-draw.ts';
import { type ChargerTrack, phasesOf, rotationProven } from './charger-track.ts';
import type { CircuitTrack, Controller } from './controller.ts';
import { drawTimes, tracksBelow } from './house-load.ts';
import type { MeterTrack } from './meter-track.ts';
import { PHASE_INDICES, type PhaseIndex, phaseIndex } from './units.ts';

/** A change of a charger's draw. */
export interface OwnChange {
  /** Until when it drew what it drew before, ms. */
  since: number;
  /** A, positive where it rose. */
  own: number;
}

/** So long before a change the meter's samples show what there was without it, ms. */
const BEFORE_MS = 3000;

/**
 * Whether the circuit's meter has moved with a charger's change on `phases`, by more than all others can have moved it, and on no other
 * phase, however much others may hide there. Half of the change decides which of two explanations is the nearer one.
 */
export function showsRotation(
  controller: Controller,
  circuit: CircuitTrack,
  track: ChargerTrack,
  phases: readonly PhaseIndex[],
  change: OwnChange,
  now: number,
): boolean {
  const { meter } = circuit;
  if (!meter) return false;
  const half = Math.abs(change.own) / 2;
  return PHASE_INDICES.every((p) => {
    const shift = shiftOf(meter, p, change);
    const others = othersSince(controller, circuit, track, p, change, now);
    if (!shift) return false;
    return phases.includes(p) ? shift.least - others.along >= half : shift.most + others.against < half;
  });
}

/** By how much at least and at most a phase has moved in the direction of the change since before it, A. */
function shiftOf(
  meter: MeterTrack,
  p: PhaseIndex,
  { since, own }: OwnChange,
): { least: number; most: number } | undefined {
  const list = meter.samples[p];
  const present = list.at(-1)?.value;
  const before = list.filter(({ at }) => at <= since && at >= since - BEFORE_MS).map(({ value }) => value);
  const later = list.filter(({ at }) => at >= since - BEFORE_MS).map(({ value }) => value);
  if (present === undefined || before.length === 0) return undefined;
  return own > 0
    ? { least: present - Math.max(...before), most: present - Math.min(...later) }
    : { least: Math.min(...before) - present, most: Math.max(...later) - present };
}

/**
 * By how much the other chargers together may have moved a phase with the change and against it, A. On which phase one is whose own
 * rotation is not proven nobody knows: it counts on each.
 */
function othersSince(
  controller: Controller,
  circuit: CircuitTrack,
  track: ChargerTrack,
  p: PhaseIndex,
  { since, own }: OwnChange,
  now: number,
): { along: number; against: number } {
  let [low, high] = [0, 0];
  for (const other of tracksBelow(controller, circuit)) {
    if (other === track) continue;
    const silent = isSilent(other, controller.options.chargerSilentSeconds, now);
    const q = rotationProven(other) ? p : phaseIndex(phasesOf(other)[0]);
    const bounds = changeSince(other, q, since, now, drawTimes(controller), silent);
    low += Math.min(0, bounds.low);
    high += Math.max(0, bounds.high);
  }
  return own > 0 ? { along: high, against: -low } : { along: -low, against: high };
}
