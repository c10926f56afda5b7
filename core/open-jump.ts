/** Whether a jump of the house is seen for what it is, or may partly be vehicles that have just been raised. */
import type { CircuitTrack } from './controller.ts';
import type { PhaseView } from './house-load.ts';
import type { Sample } from './meter-track.ts';
import { type PerPhase, PHASE_INDICES, type PhaseIndex } from './units.ts';

/** A rise of the house that no vehicle explains, A. */
const JUMP_A = 2;
/** By how much a report may come later than its period says, ms. */
const LATE_MS = 100;

/**
 * Whether it is open how far the house has jumped from the least that it took `before`, A: in an overload that no raise explains,
 * vehicles that are to rise may have done so or not. Then their reports count, unless a sample shows that they have risen; a
 * phase that was not heard since the overload began may still show it, and is waited for one report period.
 */
export function isOpen(
  circuit: CircuitTrack,
  p: PhaseIndex,
  views: readonly (PhaseView | undefined)[],
  before: PerPhase,
  limit: number,
  now: number,
): boolean {
  const view = views[p];
  if (!view || view.present <= limit || view.most <= view.reported) return false;
  if (view.present - view.most <= before[p] + JUMP_A) return false;
  const began = overloadedSince(view.samples, limit);
  // Once shown it holds for this overload: the samples that showed it may be older than the vehicle's next report.
  if (circuit.risen[p] === began) return false;
  const others = PHASE_INDICES.map((q) => ({ q, other: views[q] })).filter(
    ({ other }) => other && view.rising.every((t) => other.rising.includes(t)),
  );
  if (others.some(({ q, other }) => other && followed(other, before[q]))) {
    circuit.risen[p] = began;
    return false;
  }
  const waits = now - began <= view.period + LATE_MS;
  return !(waits && others.some(({ other }) => (other?.samples.at(-1)?.at ?? began) < began));
}

/** When the first of the samples above the limit was taken that lead up to the newest, ms. */
function overloadedSince(samples: readonly Sample[], limit: number): number {
  return samples[samples.findLastIndex(({ value }) => value <= limit) + 1].at;
}

/** Whether a sample since the reports shows the vehicles where they were to rise to, and the house where it was. */
function followed({ samples, oldest, reported, most }: PhaseView, house: number): boolean {
  return samples.some(
    ({ at, value }) => at > oldest && value > house + (reported + most) / 2 && value <= house + most + JUMP_A,
  );
}
