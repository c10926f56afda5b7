import type { PerPhase, Phase } from './units.ts';

/** The kind of a protective device; `table` is a manufacturer's own curve. */
export type DeviceKind = 'gG' | 'B' | 'C' | 'D' | 'table';

/** One point of a manufacturer's curve: at `factor`·In the device may trip after `seconds` (cold, earliest). */
export interface CurvePoint {
  factor: number;
  seconds: number;
}

/** A circuit of the site: a fuse-protected node of the tree. */
export interface CircuitConfig {
  id: string;
  /** What people call it; its id where absent. */
  name?: string;
  /** Absent for the root. */
  parent?: string;
  /** Rated current In of the protective device, A. */
  rating: number;
  /** Grid phases that the circuit has; default all three. */
  phases?: Phase[];
  device: DeviceKind;
  /** For `device: 'table'`. */
  curve?: CurvePoint[];
  /** Share of the rating that may be used continuously, 0 < x ≤ 1; default 1. */
  derating?: number;
  /**
   * A kept free below the derated rating. `auto`: what physics asks for, so that `jump` is survived
   * (0 where the device absorbs it, as a gG fuse does).
   */
  margin?: number | 'auto';
  /** The largest rise of the house load within one reaction time, A; `learned` starts from 16 A. */
  jump?: number | 'learned';
  /** Highest minus lowest phase current, A. */
  maxUnbalance?: number;
  /** Id of the meter that measures this circuit. */
  meter?: string;
  /** Whether that meter measures the chargers too; default true. */
  meterIncludesChargers?: boolean;
  /** Whether there is generation (PV, battery) behind the meter: only then a negative power is believed. */
  generation?: boolean;
  /** Whether export counts as room for charging; default false. */
  exportIsRoom?: boolean;
  /** Uncontrolled load to assume where nothing is measured, A per phase; default 0. */
  fallbackLoad?: number;
  /** A commissioning check found that its meter measures wrongly: it is not believed (S13). Absent: as declared. */
  meterFoundWrong?: boolean;
}

/** What a commissioning check did not prove of a charger: that stays at worst case (S4). */
export interface Unproven {
  /** Grid phases of its rotation whose conductor was not shown to be there: a vehicle that uses one may be on any phase. */
  phases: Phase[];
  /** It was not seen to obey: its maximum stays reserved. */
  obedience: boolean;
}

/** A charger: one connector that can be limited. */
export interface ChargerConfig {
  id: string;
  circuit: string;
  /** Grid phase of each conductor of the connector: `['L1','L2','L3']`, rotated `['L2','L3','L1']`, single-phase `['L2']`. */
  rotation: Phase[];
  /** Least current a vehicle takes, A (IEC 61851-1: 6). */
  min: number;
  max: number;
  /** What the charger falls back to, or is reserved, when it cannot be reached, A; 0 if it stops by itself. */
  safe: number;
  /** Higher is served first; default 0. */
  priority?: number;
  weight?: number;
  /** Steps in which a set-point can be given, A; default 1. */
  step?: number;
  /** The charger can be told to use one phase, the first of its rotation, or all. */
  phaseSwitching?: boolean;
  /** What a commissioning check left open; absent: the charger counts as declared. */
  unproven?: Unproven;
}

/** A site as its configuration nodes describe it. */
export interface SiteConfig {
  circuits: CircuitConfig[];
  chargers: ChargerConfig[];
  /** Nominal phase voltage, V. */
  voltage: number;
}

/** Something that cannot work, told before it is deployed. */
export interface SiteProblem {
  /** Key of a sentence for it, and what the sentence is filled with. */
  code: 'duplicate-charger' | 'duplicate-circuit' | 'no-root' | 'missing-phase' | 'no-switching' | 'safe-sum';
  args: Record<string, string | number>;
  field: string;
  value: unknown;
  expected: string;
}

/** `[x, x, x]` on the phases that a circuit has, 0 on the others. */
export function ratingPerPhase(circuit: Pick<CircuitConfig, 'rating' | 'phases'>): PerPhase {
  const has = (p: Phase) => !circuit.phases || circuit.phases.includes(p);
  return [has('L1') ? circuit.rating : 0, has('L2') ? circuit.rating : 0, has('L3') ? circuit.rating : 0];
}
