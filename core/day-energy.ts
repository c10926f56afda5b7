/** Energy charged since midnight, from what a charger counts: its own register, or else its session. */

/** Plain data, JSON-safe. */
export interface DayEnergy {
  /** The calendar's day on site, such as `2026-11-22`. */
  day: string;
  /** Wh charged on that day. */
  energy: number;
  /** What the charger counted last, Wh. */
  register?: number;
  session?: number;
}

/** What a charger counts, Wh. */
export interface EnergyCount {
  register?: number;
  energy: number;
}

/**
 * Books what a charger counts on `day`. What was charged while nobody listened counts on the day it is heard of; a counter that
 * has gone back has started anew: a session from 0, a register (a new device) from where it is.
 */
export function bookEnergy(before: DayEnergy | undefined, count: EnergyCount, day: string): DayEnergy {
  return {
    day,
    energy: energyOn(before, day) + chargedSince(before, count),
    register: count.register,
    session: count.energy,
  };
}

/** Wh charged on `day` as far as is known. */
export function energyOn(state: DayEnergy | undefined, day: string): number {
  return state?.day === day ? state.energy : 0;
}

function chargedSince(before: DayEnergy | undefined, { register, energy }: EnergyCount): number {
  if (!before) return 0;
  if (register !== undefined && before.register !== undefined) return Math.max(0, register - before.register);
  const session = before.session ?? energy;
  return energy >= session ? energy - session : energy;
}
