/**
 * The simulated site of `FLOW=ocpp npm start`: twelve stations with vehicles that come and go, and a house, on a feeder that a Shelly
 * measures with the stations. Their safe currents (6 A each) are 48 A on every phase.
 */
import { type PerPhase, type Phase, perPhase } from '../../core/units.ts';
import { createHouse, type SwitchEvent } from '../house.ts';
import { SimulatedKettle } from '../kettle.ts';
import { createRandom, type Random } from '../random.ts';
import { type ConnectingDevice, runDevices } from '../real-time.ts';
import { SimulatedShellyGen1 } from '../shelly-gen1.ts';
import { SimulatedShellyGen2 } from '../shelly-gen2.ts';
import { type Bay, createBay } from './bay.ts';
import { type BehaviourName, behaviour } from './behaviours.ts';
import { createFeeder } from './plant.ts';
import { OcppStation } from './station.ts';
import { StationFleet, StationWire } from './wire.ts';

export interface SiteStation {
  identity: string;
  /** Grid phase of each of its conductors L1, L2, L3. */
  rotation: readonly Phase[];
  /** A. */
  maximum: number;
  vendor: string;
  model: string;
  behaviours?: readonly BehaviourName[];
}

/** Two single-phase stations on each phase; six of three phases, three of them rotated. */
export const SITE_STATIONS: readonly SiteStation[] = [
  { identity: 'CP001', rotation: ['L1'], maximum: 32, vendor: 'Fusewise', model: 'Single 32' },
  { identity: 'CP002', rotation: ['L2'], maximum: 32, vendor: 'Fusewise', model: 'Single 32' },
  { identity: 'CP003', rotation: ['L3'], maximum: 32, vendor: 'Fusewise', model: 'Single 32' },
  {
    identity: 'CP004',
    rotation: ['L1'],
    maximum: 16,
    vendor: 'Fusewise',
    model: 'Watt 16',
    behaviours: ['power-only', 'kilo'],
  },
  {
    identity: 'CP005',
    rotation: ['L2'],
    maximum: 16,
    vendor: 'Fusewise',
    model: 'Zero 16',
    behaviours: ['stack-zero'],
  },
  { identity: 'CP006', rotation: ['L3'], maximum: 16, vendor: 'Fusewise', model: 'Single 16' },
  { identity: 'CP007', rotation: ['L2', 'L3', 'L1'], maximum: 16, vendor: 'Fusewise', model: 'Triple 16' },
  { identity: 'CP008', rotation: ['L3', 'L1', 'L2'], maximum: 16, vendor: 'Fusewise', model: 'Triple 16' },
  {
    identity: 'CP009',
    rotation: ['L2', 'L3', 'L1'],
    maximum: 16,
    vendor: 'Fusewise',
    model: 'Amp 16',
    behaviours: ['amps-only'],
  },
  { identity: 'CP010', rotation: ['L1', 'L2', 'L3'], maximum: 16, vendor: 'Fusewise', model: 'Triple 16' },
  { identity: 'CP011', rotation: ['L1', 'L2', 'L3'], maximum: 32, vendor: 'Fusewise', model: 'Triple 32' },
  { identity: 'CP012', rotation: ['L1', 'L2', 'L3'], maximum: 16, vendor: 'Fusewise', model: 'Triple 16' },
];

export interface SiteSimulationOptions {
  mqttUrl: string;
  username?: string;
  password?: string;
  /** Gen 1: as in `shellies/<id>/…`; gen 2: the topic prefix. */
  shellyId: string;
  shellyGeneration: 1 | 2;
  /** Of the central system. It may come later than the stations. */
  ocppUrl: string;
  /** Of the stations, by identity. */
  passwords?: Readonly<Record<string, string>>;
  seed?: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const VOLTS = 230;
/** The longest time without the network before a station dials again, ms: somebody waits for it. */
const BACK_OFF = { first: 1000, longest: 5000 };

/** Starts the site. It stops when `stop` has resolved. */
export async function startSite(options: SiteSimulationOptions): Promise<{ stop(): Promise<void> }> {
  const seed = options.seed ?? 1;
  const start = performance.now();
  const now = () => performance.now() - start;
  const kettle = new SimulatedKettle();
  const house = createHouse(seed, workshopDay);
  const bays = SITE_STATIONS.map((_, i) => createBay(createRandom(seed + 100 + i)));
  const traffic = SITE_STATIONS.map((station, i) => createTraffic(station, bays[i], i, createRandom(seed + i)));
  const feeder = createFeeder({
    house: { current: (at) => perPhase((p) => house.current(at)[p] + kettle.current[p]) },
    vehicles: bays,
    voltage: VOLTS,
  });
  const { shellyId: deviceId, mqttUrl, username, password } = options;
  const shelly: ConnectingDevice =
    options.shellyGeneration === 1
      ? new SimulatedShellyGen1(feeder.grid, { deviceId })
      : new SimulatedShellyGen2(feeder.grid, { deviceId });
  const step = (at: number) => {
    for (const drive of traffic) drive(at);
    feeder.step(at);
  };
  const stopDevices = await runDevices({ devices: [shelly, kettle], mqttUrl, username, password, now, step });
  const fleet = new StationFleet(
    SITE_STATIONS.map((s, i) => wireOf(s, bays[i], options)),
    { now },
  );
  return {
    async stop() {
      await fleet.stop();
      await stopDevices();
    },
  };
}

function wireOf(of: SiteStation, bay: Bay, { ocppUrl, passwords }: SiteSimulationOptions): StationWire {
  const { identity, rotation, maximum, vendor, model, behaviours = [] } = of;
  const station = new OcppStation({
    identity,
    vendor,
    model,
    connectors: [{ vehicle: bay, conductors: rotation, maximum, soc: bay.soc }],
    behaviour: behaviour(...behaviours),
    configuration: { MeterValueSampleInterval: '10' },
  });
  return new StationWire(station, { url: ocppUrl, password: passwords?.[identity], backOff: BACK_OFF });
}

/** Vehicles of one bay: two of three bays are taken at first; each stays for a while, and then another one comes. */
function createTraffic(of: SiteStation, bay: Bay, index: number, random: Random): (now: number) => void {
  let next = index % 3 === 2 ? random.between(1, 4) * MINUTE : 0;
  return (now) => {
    if (now < next) return;
    if (bay.plugged()) {
      bay.leave();
      next = now + random.between(1, 6) * MINUTE;
      return;
    }
    const single = of.rotation.length === 1 || random.chance(0.25);
    bay.arrive({
      phases: single ? of.rotation.slice(0, 1) : [...of.rotation],
      maxCurrent: random.chance(0.7) ? of.maximum : random.between(10, of.maximum),
      lag: [1, 4],
      capacity: random.between(40_000, 80_000),
      soc: random.between(0.2, 0.8),
      slack: random.between(0, 0.4),
    });
    next = now + random.between(12, 50) * MINUTE;
  };
}

/** A day of a workshop: with its base load never above 10 A on a phase. */
export function workshopDay(seed: number): SwitchEvent[] {
  const random = createRandom(seed);
  const events: SwitchEvent[] = [];
  const once = (name: string, current: PerPhase, at: number, length: number) => {
    events.push({ at: Math.round(at), name, current });
    events.push({ at: Math.round(at + length), name, current: [0, 0, 0] });
  };
  for (let t = 0; t + 6 * MINUTE < 24 * HOUR; t += 6 * MINUTE) {
    once('kettle', [8, 0, 0], t + random.between(0.3, 0.6) * MINUTE, 0.8 * MINUTE);
    once('oven', [0, 8, 0], t + random.between(1.6, 1.9) * MINUTE, MINUTE);
    once('compressor', [7, 7, 7], t + random.between(3.1, 3.4) * MINUTE, 1.4 * MINUTE);
    once('welder', [0, 0, 8], t + random.between(5, 5.2) * MINUTE, 0.6 * MINUTE);
  }
  return events.sort((a, b) => a.at - b.at);
}
