/** A home on which the commissioning check is run: plant and devices at protocol level, with what somebody has wired wrongly. */
import { protectiveDevice } from '../core/protection.ts';
import { type PerPhase, PHASES, type Phase, perPhase, phaseIndex } from '../core/units.ts';
import type { GoEApi } from '../drivers/go-e/codec.ts';
import { SimulatedGoEV1 } from './go-e-v1.ts';
import { SimulatedGoEV2 } from './go-e-v2.ts';
import { createHouse, type SwitchEvent } from './house.ts';
import { createPlant, type Plant } from './plant.ts';
import { createRandom } from './random.ts';
import { SimulatedShellyGen1 } from './shelly-gen1.ts';
import { SimulatedShellyGen2 } from './shelly-gen2.ts';
import { createVehicle, type Vehicle, type VehicleOptions } from './vehicle.ts';
import { type Clamp, clampedGrid, clampsOn } from './wiring.ts';

export interface CheckPlantOptions {
  seed?: number;
  api?: GoEApi;
  generation?: 1 | 2;
  /** s between two reports of a generation 1 meter. */
  meterPeriod?: number;
  clamps?: [Clamp, Clamp, Clamp];
  /** What the meter measures: everything, or the house without the charger. */
  measures?: 'all' | 'house';
  /** Where the conductors of the charger really are; it is configured as L1, L2, L3. */
  wired?: Phase[];
  vehicle?: Partial<VehicleOptions>;
  /** The switching events of the house's day; default none. */
  day?: (seed: number) => SwitchEvent[];
  /** A of the house beside its events. */
  base?: PerPhase;
  /** Of the main fuse (gG), A. */
  rating?: number;
}

export const METER_ID = 'shellyem3-CHECK';
export const SERIAL = '000001';

export class CheckPlant {
  readonly plant: Plant;
  readonly vehicle: Vehicle;
  readonly goE: SimulatedGoEV1 | SimulatedGoEV2;
  readonly shelly: SimulatedShellyGen1 | SimulatedShellyGen2;
  /** A of a known load that somebody has switched on, per phase. */
  readonly known: PerPhase = [0, 0, 0];

  constructor(options: CheckPlantOptions = {}) {
    const { seed = 1, api = 'v2', generation = 1, meterPeriod = 1, rating = 25, base = [1, 1, 1] } = options;
    const wired = options.wired ?? [...PHASES];
    const house = createHouse(seed, options.day ?? (() => []));
    const car = {
      maxCurrent: 16,
      lag: [2, 4] as [number, number],
      capacity: Number.POSITIVE_INFINITY,
      soc: 0.3,
      slack: 0.2,
    };
    this.vehicle = createVehicle({ phases: wired, ...car, ...options.vehicle }, createRandom(seed + 1));
    this.plant = createPlant({
      house: { current: (now) => perPhase((p) => house.current(now)[p] + base[p] + this.known[p]) },
      vehicle: this.vehicle,
      fuse: protectiveDevice({ rating, device: 'gG' }),
    });
    const { grid } = this.plant;
    const measured =
      options.measures === 'house'
        ? { ...grid, current: () => this.plant.house(), power: () => perPhase((p) => this.plant.house()[p] * 230) }
        : grid;
    const clamped = clampedGrid(measured, options.clamps ?? clampsOn('L1', 'L2', 'L3'));
    this.shelly =
      generation === 1
        ? new SimulatedShellyGen1(clamped, { deviceId: METER_ID, periodSeconds: meterPeriod })
        : new SimulatedShellyGen2(clamped, { deviceId: METER_ID });
    const box = { serial: SERIAL, rotation: wired };
    this.goE = api === 'v1' ? new SimulatedGoEV1(this.vehicle, box) : new SimulatedGoEV2(this.vehicle, box);
  }

  /** Switches the known load on a phase to `current` (A). */
  switch(phase: Phase, current: number): void {
    this.known[phaseIndex(phase)] = current;
  }
}
