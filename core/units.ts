/**
 * Phases and per-phase quantities. A per-phase value is always `[L1, L2, L3]` of the grid,
 * import positive, export negative; A, V, W, Wh and s unless a name says otherwise.
 */
export type PerPhase = [number, number, number];
export type Phase = 'L1' | 'L2' | 'L3';
export type PhaseIndex = 0 | 1 | 2;

export const PHASES: readonly Phase[] = ['L1', 'L2', 'L3'];
export const PHASE_INDICES: readonly PhaseIndex[] = [0, 1, 2];

/** Smallest difference in A that is a difference at all; below it lies floating-point noise. */
export const EPSILON_A = 1e-6;

/** Steps in which a charger can be told a current where its configuration says nothing else, A. */
export const STEP_A = 1;

/** Index 0..2 of a grid phase. */
export function phaseIndex(phase: Phase): PhaseIndex {
  return (phase === 'L1' ? 0 : phase === 'L2' ? 1 : 2) as PhaseIndex;
}

/** A per-phase value from a function of the phase index. */
export function perPhase(value: (phase: PhaseIndex) => number): PerPhase {
  return [value(0), value(1), value(2)];
}

/** The largest multiple of `step` (A) that is not above `current`; without a step the value itself. */
export function floorToStep(current: number, step?: number): number {
  if (!step) return current;
  const steps = Math.floor(current / step + EPSILON_A);
  return Math.round(steps * step * 1e6) / 1e6;
}

const ID = /^[A-Za-z0-9_-]{1,36}$/;

/** Whether a value may be used as the id of a circuit, meter, charger or group. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}
