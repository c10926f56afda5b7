/**
 * What an all-knowing controller would do (the measure for "not bought with caution"), and the reference with the same
 * delays as ours but nothing else wrong. Both know the house load exactly, set whole amperes and keep the same margin
 * and minimum-off time.
 */
import { floorToStep, type PerPhase, type Phase, phaseIndex } from '../core/units.ts';

export interface OracleOptions {
  /** A per phase. */
  limit: number;
  max: number;
  min: number;
  minOffSeconds: number;
}

/** Steps an oracle: the set-point for the house load of this second. */
export function createOracle(
  options: OracleOptions,
): (house: PerPhase, phases: readonly Phase[], now: number) => number {
  let setpoint = 0;
  let stoppedAt = Number.NEGATIVE_INFINITY;
  return (house, phases, now) => {
    const free = Math.min(...phases.map((p) => options.limit - house[phaseIndex(p)]));
    const wanted = Math.min(options.max, floorToStep(free, 1));
    if (wanted < options.min) {
      if (setpoint > 0) stoppedAt = now;
      setpoint = 0;
    } else if (setpoint > 0 || now - stoppedAt >= options.minOffSeconds * 1000) {
      setpoint = wanted;
    }
    return setpoint;
  };
}
