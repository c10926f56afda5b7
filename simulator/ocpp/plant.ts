/** The plant of a feeder with many vehicles and a house behind it. One truth for all simulated devices. */
import { type PerPhase, PHASE_INDICES, perPhase } from '../../core/units.ts';
import type { GridPort } from '../ports.ts';

export interface Feeder {
  readonly grid: GridPort;
  /** Moves everything to `now` (ms since the start, never backwards). */
  step(now: number): void;
  /** A per phase that the vehicles draw. */
  vehicles(): PerPhase;
}

export interface FeederOptions {
  /** Uncontrolled load on the feeder, A per phase, at `now`. */
  house: { current(now: number): PerPhase };
  vehicles: readonly { step(now: number, volts: number): void; current(): PerPhase }[];
  voltage?: number;
}

export function createFeeder(options: FeederOptions): Feeder {
  const { house, vehicles } = options;
  const volts = options.voltage ?? 230;
  let now = 0;
  let drawn: PerPhase = [0, 0, 0];
  let total: PerPhase = perPhase((p) => house.current(0)[p]);
  const imported: PerPhase = [0, 0, 0];
  return {
    grid: {
      current: () => total,
      voltage: () => [volts, volts, volts],
      power: () => perPhase((p) => total[p] * volts),
      energyImport: () => imported,
      energyExport: () => [0, 0, 0],
    },
    step(to) {
      for (const p of PHASE_INDICES) imported[p] += (total[p] * volts * (to - now)) / 3_600_000;
      now = to;
      const sum: PerPhase = [0, 0, 0];
      for (const vehicle of vehicles) {
        vehicle.step(to, volts);
        const current = vehicle.current();
        for (const p of PHASE_INDICES) sum[p] += current[p];
      }
      const load = house.current(to);
      drawn = sum;
      total = perPhase((p) => load[p] + sum[p]);
    },
    vehicles: () => drawn,
  };
}
