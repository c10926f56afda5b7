/** A parking bay at a simulated station: vehicles come and go, the station's own meter goes on. */
import type { PerPhase, Phase } from '../../core/units.ts';
import type { VehiclePort } from '../ports.ts';
import type { Random } from '../random.ts';
import { createVehicle, type Vehicle, type VehicleOptions } from '../vehicle.ts';

export interface Bay extends VehiclePort {
  /** Moves to `now` (ms). */
  step(now: number, volts: number): void;
  arrive(vehicle: VehicleOptions): void;
  leave(): void;
  /** 0..1; undefined without a vehicle. */
  soc(): number | undefined;
}

const NONE: PerPhase = [0, 0, 0];

/** An empty bay. */
export function createBay(random: Random): Bay {
  let vehicle: Vehicle | undefined;
  let now = 0;
  let volts = 230;
  let before = 0;
  let connected: readonly Phase[] | undefined;
  return {
    plugged: () => vehicle?.plugged() ?? false,
    wants: () => vehicle?.wants() ?? false,
    soc: () => vehicle?.soc(),
    current: () => vehicle?.current() ?? NONE,
    voltage: () => vehicle?.voltage() ?? [volts, volts, volts],
    offer: (current) => vehicle?.offer(current),
    connect(phases) {
      connected = phases;
      vehicle?.connect(phases);
    },
    sessionEnergy: () => vehicle?.sessionEnergy() ?? 0,
    totalEnergy: () => before + (vehicle?.totalEnergy() ?? 0),
    arrive(options) {
      if (vehicle) before += vehicle.totalEnergy();
      vehicle = createVehicle(options, random);
      if (connected) vehicle.connect(connected);
      vehicle.step(now, volts);
    },
    leave() {
      if (!vehicle) return;
      before += vehicle.totalEnergy();
      vehicle = undefined;
    },
    step(to, at) {
      now = to;
      volts = at;
      vehicle?.step(to, at);
    },
  };
}
