/** What a vehicle still needs and how long that may wait. */
import { type Contender, type PolicyProblem, since } from './policy.ts';
import { type Room, wattsPerAmpere } from './room.ts';

/** How long a vehicle stays that does not say: a working day, a night. */
const USUAL_STAY_MS = 8 * 3_600_000;
/** What a vehicle wants that does not say, where nobody says, Wh. */
const USUAL_ENERGY_WH = 10_000;
/** How long it may take until the next allocation where nobody says, ms. */
export const ROUND_MS = 5 * 60_000;

export interface Demand {
  charger: Contender;
  /** Most current that it could have if it were alone, A. */
  current: number;
  /** Wh that are missing, told or assumed. */
  energy: number;
  /** ms, told or assumed. */
  departure: number;
  /** How long the energy takes at that current, ms; Infinity where there is none. */
  timeNeeded: number;
  /**
   * Laxity, ms: how long it can wait and still leave with everything; negative: it cannot any more.
   * `departure − now − energy / power`, as in ACN's LLF, but with what the circuits really allow.
   */
  laxity: number;
  /** Whether both departure (in the future) and energy were told. */
  told: boolean;
}

/**
 * The demands of a problem's vehicles, in their order. An unknown energy counts as the mean of the told ones (10 kWh where
 * none is). An unknown or passed departure counts as 8 h after plug-in, later as the earliest moment at which the vehicle
 * can be ready: so it grows urgent with time and is never starved.
 */
export function demandsOf(problem: PolicyProblem, room: Room, now: number): Demand[] {
  const told = problem.chargers.flatMap((c) => c.energyRemaining ?? []);
  const usual = told.length > 0 ? told.reduce((sum, energy) => sum + energy, 0) / told.length : USUAL_ENERGY_WH;
  return problem.chargers.map((charger) => {
    const current = room.alone(charger);
    const energy = Math.max(0, charger.energyRemaining ?? usual);
    const timeNeeded = energy === 0 ? 0 : (energy / (current * wattsPerAmpere(charger))) * 3_600_000;
    const isTold = charger.departure !== undefined && charger.departure > now;
    const departure = isTold ? (charger.departure ?? now) : Math.max(since(charger) + USUAL_STAY_MS, now + timeNeeded);
    const laxity = timeNeeded === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : departure - now - timeNeeded;
    return {
      charger,
      current,
      energy,
      departure,
      timeNeeded,
      laxity,
      told: isTold && charger.energyRemaining !== undefined,
    };
  });
}

/**
 * Whether waiting for another round (ms, default 5 min) costs a vehicle energy: its laxity is used up, or will be by then. Who
 * has lost more than a round is not urgent any more: where the circuits are far too small that would be most of them.
 */
export function isUrgent(demand: Demand, round: number = ROUND_MS): boolean {
  return demand.energy > 0 && Math.abs(demand.laxity) < round;
}
