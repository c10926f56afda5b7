import type { PerPhase, Phase } from '../units.ts';

export interface AllocationCircuit {
  id: string;
  parent?: string;
  /** A that may flow per phase. */
  limit: PerPhase;
  /** Uncontrolled current through this circuit, sub-circuits included, A; taken as it is, negative included. */
  load?: PerPhase;
  /** Highest minus lowest phase current, load included, A. Where the load alone stands out further, chargers make it no worse. */
  maxUnbalance?: number;
}

export interface AllocationGroup {
  id: string;
  /** W over the chargers that name it. */
  limit: number;
  /** Steps may round to the nearest (a surplus), as far as the circuits allow. */
  soft?: boolean;
}

export interface AllocationCharger {
  id: string;
  circuit: string;
  /** Grid phase of each conductor that the vehicle uses. */
  phases: Phase[];
  min: number;
  max: number;
  /** A; counts from 0 and rounds down. Absent: continuous. */
  step?: number;
  /** V; default 230. */
  voltage?: number;
  /** Higher first; default 0. */
  priority?: number;
  /** Default 1. */
  weight?: number;
  /** Turn inside a priority when not everybody can have the minimum: lower first; ties by id. */
  order?: number;
  groups?: string[];
}

export interface AllocationProblem {
  circuits: AllocationCircuit[];
  groups?: AllocationGroup[];
  chargers: AllocationCharger[];
  /** Default `minimum-first`: everybody's minimum before anybody's more; `strict`: a higher priority is served fully first. */
  admission?: 'minimum-first' | 'strict';
  /** What rounding down to steps leaves: `keep` it free (default), or `hand-out` whole steps, to whoever has least per weight first. */
  remainders?: 'keep' | 'hand-out';
}

export interface AllocatedSetpoint {
  id: string;
  /** A: 0, or between minimum and maximum. */
  current: number;
  /** What holds the charger there: `circuit main L2`, `unbalance main L2`, `group surplus`, `max`, `waiting`. */
  binding: string;
}

export interface Allocation {
  setpoints: AllocatedSetpoint[];
}
