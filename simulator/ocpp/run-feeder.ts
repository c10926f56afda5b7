/** Stations with a vehicle each, on a feeder with a house, against a central system: in real time, or faster. */
import type { PerPhase, Phase } from '../../core/units.ts';
import { createRandom } from '../random.ts';
import { createVehicle, type Vehicle, type VehicleOptions } from '../vehicle.ts';
import { createFeeder, type Feeder } from './plant.ts';
import { OcppStation, type StationOptions } from './station.ts';
import { StationFleet, StationWire, type WireOptions } from './wire.ts';

export interface FeederStation extends Omit<StationOptions, 'connectors'> {
  /** Default 1. */
  connectors?: number;
  /** Grid phase of each conductor; default L1, L2, L3. */
  rotation?: readonly Phase[];
  /** A; default 16. */
  maximum?: number;
  /** Over those of a car that takes all phases and 16 A and is hours from full. */
  vehicle?: Partial<VehicleOptions>;
  /** Vehicles are there from the start; default true. */
  plugged?: boolean;
  /** W of the site, where the station meters it. */
  site?: () => { grid: number; pv: number; home: number };
  wire?: Partial<WireOptions>;
}

export interface FeederRunOptions {
  /** Of the central system. */
  url: string;
  stations: readonly FeederStation[];
  /** A per phase at `now`; default none. */
  house?: { current(now: number): PerPhase };
  /** The stations' time runs so many times as fast; default 1. */
  speed?: number;
  /** Between two looks at the plant and the stations, ms of real time; default 250. */
  periodMs?: number;
  /** Epoch ms at the start; default the true time. */
  startClock?: number;
  /** Called after every step of the plant. */
  onStep?: (now: number, feeder: Feeder) => void;
}

export interface FeederRun {
  readonly feeder: Feeder;
  /** As the stations. */
  readonly wires: readonly StationWire[];
  /** By station and connector. */
  readonly vehicles: readonly (readonly Vehicle[])[];
  /** ms of the stations' time since the start, and its epoch ms. */
  now(): number;
  wallClock(): number;
  stop(): Promise<void>;
}

const VOLTS = 230;
const CAR: Omit<VehicleOptions, 'phases'> = { maxCurrent: 16, lag: [1, 3], capacity: 60_000, soc: 0.3, slack: 0.2 };

export function runFeeder(options: FeederRunOptions): FeederRun {
  const { speed = 1, periodMs, onStep } = options;
  const startClock = options.startClock ?? Date.now();
  const start = performance.now();
  const now = () => (performance.now() - start) * speed;
  const wallClock = () => startClock + now();
  const vehicles = options.stations.map(vehiclesOf);
  const house = options.house ?? { current: (): PerPhase => [0, 0, 0] };
  const feeder = createFeeder({ house, vehicles: vehicles.flat(), voltage: VOLTS });
  const wires = options.stations.map(
    ({ connectors, rotation, maximum, vehicle, plugged, site, wire, ...station }, i) => {
      const outlets = vehicles[i].map((v) => ({ vehicle: v, conductors: rotation, maximum, soc: v.soc, site }));
      return new StationWire(new OcppStation({ ...station, connectors: outlets }), { url: options.url, ...wire });
    },
  );
  const step = (at: number) => {
    feeder.step(at);
    onStep?.(at, feeder);
  };
  const fleet = new StationFleet(wires, { now, wallClock, periodMs, step });
  return { feeder, wires, vehicles, now, wallClock, stop: () => fleet.stop() };
}

function vehiclesOf(
  { connectors = 1, rotation = ['L1', 'L2', 'L3'], vehicle, plugged = true }: FeederStation,
  index: number,
) {
  return Array.from({ length: connectors }, (_, connector) => {
    const seed = index * 8 + connector + 1;
    const created = createVehicle({ ...CAR, phases: [...rotation], ...vehicle }, createRandom(seed));
    if (!plugged) created.unplug();
    return created;
  });
}
