/** The plant: a house and a vehicle behind one main fuse, with the fuse's temperature. One truth for all simulated devices. */
import { heatAfter, type ProtectiveDevice, steadyHeat } from '../core/protection.ts';
import { type PerPhase, PHASE_INDICES } from '../core/units.ts';
import type { House } from './house.ts';
import type { GridPort } from './ports.ts';
import type { Vehicle } from './vehicle.ts';

export interface Plant {
  readonly grid: GridPort;
  readonly vehicle: Vehicle;
  /** Moves everything to `now` (ms since the start, never backwards). */
  step(now: number): void;
  /** A per phase, without the vehicle. */
  house(): PerPhase;
  /** Heat of the fuse per phase, 1 = trip; with the vehicle and without it. */
  heat(): PerPhase;
  heatWithoutVehicle(): PerPhase;
  /** Trips so far, with the vehicle and without it. A tripped fuse is replaced when it has cooled down. */
  trips(): { total: number; withoutVehicle: number };
}

export interface PlantOptions {
  house: House;
  vehicle: Vehicle;
  fuse: ProtectiveDevice;
  voltage?: number;
}

const REPLACED_BELOW = 0.9;

/** A replica per phase that counts its trips. */
function createFuse(device: ProtectiveDevice, start: PerPhase) {
  const heat: PerPhase = [steadyHeat(device, start[0]), steadyHeat(device, start[1]), steadyHeat(device, start[2])];
  const tripped = [false, false, false];
  const fuse = { heat, trips: 0, step };
  function step(current: PerPhase, seconds: number): void {
    for (const p of PHASE_INDICES) {
      heat[p] = Math.min(1.2, heatAfter(device, heat[p], current[p], seconds));
      if (!tripped[p] && heat[p] >= 1) fuse.trips += 1;
      tripped[p] = tripped[p] ? heat[p] >= REPLACED_BELOW : heat[p] >= 1;
    }
  }
  return fuse;
}

export function createPlant(options: PlantOptions): Plant {
  const { house, vehicle } = options;
  const volts = options.voltage ?? 230;
  let now = 0;
  let load: PerPhase = house.current(0);
  const total: PerPhase = [...load];
  const alone: PerPhase = [...load];
  const imported: PerPhase = [0, 0, 0];
  const fuse = createFuse(options.fuse, load);
  const shadow = createFuse(options.fuse, load);

  return {
    vehicle,
    grid: {
      current: () => total,
      voltage: () => [volts, volts, volts],
      power: () => [total[0] * volts, total[1] * volts, total[2] * volts],
      energyImport: () => imported,
      energyExport: () => [0, 0, 0],
    },
    step(to) {
      const seconds = (to - now) / 1000;
      now = to;
      fuse.step(total, seconds);
      shadow.step(alone, seconds);
      for (const p of PHASE_INDICES) imported[p] += (total[p] * volts * seconds) / 3600;
      load = house.current(to);
      vehicle.step(to, volts);
      const car = vehicle.current();
      for (const p of PHASE_INDICES) {
        alone[p] = load[p];
        total[p] = load[p] + car[p];
      }
    },
    house: () => alone,
    heat: () => fuse.heat,
    heatWithoutVehicle: () => shadow.heat,
    trips: () => ({ total: fuse.trips, withoutVehicle: shadow.trips }),
  };
}
