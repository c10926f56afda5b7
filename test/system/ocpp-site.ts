/** Simulated OCPP stations on a feeder with a constant house load and a Shelly, in this process; its clocks run as fast as the server's. */
import { type PerPhase, type Phase, perPhase } from '../../core/units.ts';
import { type BehaviourName, behaviour } from '../../simulator/ocpp/behaviours.ts';
import { type FeederRun, runFeeder } from '../../simulator/ocpp/run-feeder.ts';
import type { WireOptions } from '../../simulator/ocpp/wire.ts';
import { runDevices } from '../../simulator/real-time.ts';
import { SimulatedShellyGen1 } from '../../simulator/shelly-gen1.ts';

export interface SiteOptions {
  mqttUrl: string;
  ocppUrl: string;
  shellyId: string;
  /** By identity: the grid phases of its conductors. */
  stations: Readonly<Record<string, readonly Phase[]>>;
  /** Of them, those where nobody is. */
  empty?: readonly string[];
  behaviours?: readonly BehaviourName[];
  /** A per phase. */
  house: PerPhase;
  factor: number;
  /** Epoch ms of the common calendar. */
  began: number;
  wire?: Partial<WireOptions>;
}

export interface OcppSite {
  readonly run: FeederRun;
  /** ms, monotonic, of its own clock. */
  now(): number;
  /** A per phase that flow through the feeder now, and the most that ever did since `reset`. */
  total(): PerPhase;
  highest(): PerPhase;
  reset(): void;
  /** A that each vehicle draws on its heaviest phase, by identity. */
  draws(): Record<string, number>;
  stop(): Promise<void>;
}

/** Every vehicle charges for hours and takes all that it is offered. */
const VEHICLE = { lag: [1, 4] as [number, number], capacity: 90_000, soc: 0.1, slack: 0 };

export async function startOcppSite(options: SiteOptions): Promise<OcppSite> {
  const { factor, began, mqttUrl, shellyId, house, empty = [], behaviours = [] } = options;
  const identities = Object.keys(options.stations);
  let highest: PerPhase = [0, 0, 0];
  const run = runFeeder({
    url: options.ocppUrl,
    stations: identities.map((identity) => ({
      identity,
      rotation: options.stations[identity],
      behaviour: behaviour(...behaviours),
      vehicle: VEHICLE,
      plugged: !empty.includes(identity),
      wire: { backOff: { first: 1000, longest: 5000 }, ...options.wire },
    })),
    house: { current: () => house },
    speed: factor,
    startClock: began + (Date.now() - began) * factor,
    periodMs: 100 / factor,
    onStep: (_, { grid }) => {
      highest = perPhase((p) => Math.max(highest[p], grid.current()[p]));
    },
  });
  const shelly = new SimulatedShellyGen1(run.feeder.grid, { deviceId: shellyId });
  const stopDevices = await runDevices({ devices: [shelly], mqttUrl, now: run.now, tickMs: 100 / factor });
  return {
    run,
    now: run.now,
    total: () => [...run.feeder.grid.current()],
    highest: () => highest,
    reset: () => {
      highest = [0, 0, 0];
    },
    draws: () => Object.fromEntries(identities.map((id, i) => [id, Math.max(...run.vehicles[i][0].current())])),
    async stop() {
      await run.stop();
      await stopDevices();
    },
  };
}
