/**
 * The simulated home of `npm start`: one plant, and a Shelly and a go-e that speak their real protocols over MQTT, in real time. A kettle
 * can be switched on by hand.
 */
import { protectiveDevice } from '../core/protection.ts';
import { perPhase } from '../core/units.ts';
import { Driver } from './driver.ts';
import { SimulatedGoEV1 } from './go-e-v1.ts';
import { SimulatedGoEV2 } from './go-e-v2.ts';
import { createHouse, showcaseDay } from './house.ts';
import { SimulatedKettle } from './kettle.ts';
import { createPlant, type Plant } from './plant.ts';
import { createRandom } from './random.ts';
import { type ConnectingDevice, runDevices } from './real-time.ts';
import { SimulatedShellyGen1 } from './shelly-gen1.ts';
import { SimulatedShellyGen2 } from './shelly-gen2.ts';
import { createVehicle } from './vehicle.ts';

export interface HomeSimulationOptions {
  mqttUrl: string;
  username?: string;
  password?: string;
  /** Gen 1: as in `shellies/<id>/…`; gen 2: the topic prefix. */
  shellyId: string;
  shellyGeneration: 1 | 2;
  goESerial: string;
  goEApi: 'v1' | 'v2';
  mainFuseA: number;
  mainFuseType: 'gG' | 'B' | 'C' | 'D';
  seed?: number;
  /** ms between two looks at the plant; default 100. */
  tickMs?: number;
}

export interface HomeSimulation {
  readonly plant: Plant;
  readonly charger: SimulatedGoEV1 | SimulatedGoEV2;
  stop(): Promise<void>;
}

/** A car with 60 kWh that arrived at 30 %: it charges for hours, leaves when it is full, and comes back later. */
const CAR = {
  phases: ['L1' as const, 'L2' as const, 'L3' as const],
  maxCurrent: 16,
  lag: [3, 5] as [number, number],
  capacity: 60_000,
  soc: 0.3,
  slack: 0.2,
};

/** Starts the home. It stops when `stop` has resolved. */
export async function startHome(options: HomeSimulationOptions): Promise<HomeSimulation> {
  const seed = options.seed ?? 1;
  const start = performance.now();
  const vehicle = createVehicle(CAR, createRandom(seed + 1));
  const house = createHouse(seed, showcaseDay);
  const driver = new Driver(vehicle);
  const kettle = new SimulatedKettle();
  const plant = createPlant({
    house: { current: (now) => perPhase((p) => house.current(now)[p] + kettle.current[p]) },
    vehicle,
    fuse: protectiveDevice({ rating: options.mainFuseA, device: options.mainFuseType }),
  });
  const { shellyId: deviceId, goESerial: serial } = options;
  const shelly: ConnectingDevice =
    options.shellyGeneration === 1
      ? new SimulatedShellyGen1(plant.grid, { deviceId })
      : new SimulatedShellyGen2(plant.grid, { deviceId });
  const charger =
    options.goEApi === 'v1' ? new SimulatedGoEV1(vehicle, { serial }) : new SimulatedGoEV2(vehicle, { serial });
  const stop = await runDevices({
    devices: [shelly, charger, kettle],
    mqttUrl: options.mqttUrl,
    username: options.username,
    password: options.password,
    tickMs: options.tickMs,
    now: () => performance.now() - start,
    step: (now) => {
      plant.step(now);
      driver.step(now);
    },
  });
  return { plant, charger, stop };
}
