import type { PhaseCount } from '../core/charger-track.ts';
import type { PerPhase, Phase } from '../core/units.ts';

/** What a charger driver hands to its node; the payload of `charger/<id>` but for `at`. */
export interface ChargerReading {
  online: boolean;
  /** IEC 61851-1. */
  state: 'A' | 'B' | 'C' | 'D' | 'E' | 'F';
  /** Measured, A on the grid phases (rotation already applied). */
  current: PerPhase;
  /** s since these currents were measured, as far as the driver knows. */
  age: number;
  /** W, total. */
  power: number;
  /** Wh of this session. */
  energy: number;
  /** Wh, the charger's own counter. */
  register?: number;
  /** A offered to the vehicle now; 0 = charging not allowed. */
  offer: number;
  /** Grid phases in use, from measured currents; absent = not known. */
  phases?: Phase[];
  /** On how many phases the charger says that it is switched; absent = it cannot be switched, or may be on all. */
  phasesConfigured?: PhaseCount;
  /** The session as the charger names it. */
  session?: string;
  user?: string;
  /** State of charge, %. */
  soc?: number;
  fault?: string;
  /** Somebody else holds the charger stopped (a person in the app, an energy limit): no set-point starts it. */
  stoppedBy?: 'user' | 'energy' | 'device';
}
