/** Other control loops for the virtual home, to measure ours against: the existing system's rule and a plain subtraction. */
import { floorToStep, type PerPhase } from '../core/units.ts';
import type { Brain } from './virtual-home.ts';

const VALID_S = 30;

export interface RivalOptions {
  /** A. */
  rating: number;
  max: number;
  min: number;
  /** Step of set-points, A. */
  step: number;
}

/**
 * The rule of the home fuse guard with Shelly and go-e that is to be replaced: every 5 s
 * `available = round(rating − highest phase) + previous amperes`, clamped to [6, maximum], as a mean of six samples, only
 * while charging; the mean of the highest phase above the rating for 60 ticks in a row stops, rating − mean > 6 resumes.
 */
export function existingRule(options: RivalOptions): (now: number) => Brain {
  return (start) => {
    let phases: (number | null)[] = [null, null, null];
    let charging = false;
    let previous = options.min;
    let paused = false;
    let ticks = 0;
    let at = start;
    const offers: number[] = [];
    const highest: number[] = [];
    const push = (list: number[], value: number) => {
      list.push(value);
      if (list.length > 6) list.shift();
      return list.reduce((a, b) => a + b, 0) / list.length;
    };
    return {
      meter: (input) => {
        phases = phases.map((old, p) => input.current[p] ?? old);
      },
      charger: (reading) => {
        charging = reading.state === 'C';
      },
      decide(now) {
        if (now - at < 5000 || phases.includes(null)) return undefined;
        at = now;
        const top = Math.max(...phases.map((p) => p ?? 0));
        const mean = push(highest, top);
        ticks = mean > options.rating ? ticks + 1 : 0;
        if (ticks >= 60) paused = true;
        if (paused && options.rating - mean > 6) paused = false;
        if (charging) {
          const available = Math.min(options.max, Math.max(options.min, Math.round(options.rating - top) + previous));
          previous = Math.round(push(offers, available));
        }
        return { current: paused ? 0 : previous, validFor: VALID_S };
      },
    };
  };
}

/** Every second: rating less the house load, taken as the meter's last values less the charger's last report. No memory but the minimum pause. */
export function plainSubtraction(options: RivalOptions): (now: number) => Brain {
  return (start) => {
    const phases: (number | null)[] = [null, null, null];
    let car: PerPhase = [0, 0, 0];
    let at = start;
    let stoppedAt = Number.NEGATIVE_INFINITY;
    let current = 0;
    return {
      meter: (input) => {
        for (const [p, value] of input.current.entries()) phases[p] = value ?? phases[p];
      },
      charger: (reading) => {
        car = reading.current;
      },
      decide(now) {
        if (now - at < 1000 || phases.includes(null)) return undefined;
        at = now;
        const free = Math.min(...phases.map((total, p) => options.rating - ((total ?? 0) - car[p])));
        const wanted = Math.min(options.max, floorToStep(free, options.step));
        if (wanted < options.min) {
          if (current > 0) stoppedAt = now;
          current = 0;
        } else if (current > 0 || now - stoppedAt >= 60_000) current = wanted;
        return { current, validFor: VALID_S };
      },
    };
  };
}
