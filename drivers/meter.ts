import type { PerPhase } from '../core/units.ts';

/** What a meter driver hands to its node: the latest value of every phase and how old each is. */
export interface MeterReading {
  /** A, import positive; null until the phase was seen. The sign comes from the power where the device's current has none. */
  current: [number | null, number | null, number | null];
  /** W. */
  power: [number | null, number | null, number | null];
  /** W of all phases together, where nobody tells them apart: of no phase anything is known then. */
  totalPower?: number;
  /** V. */
  voltage: [number | null, number | null, number | null];
  /** s since each phase's current arrived. */
  age: PerPhase;
  /** Wh. */
  energyImport?: number;
  energyExport?: number;
}
