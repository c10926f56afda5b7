/** A central system: binds each station that connects to its logic. One timer for all of them. */
import type { DriverAlert } from '../alert.ts';
import type { ChargerReading } from '../charger.ts';
import { DeviceDataError } from '../device-data.ts';
import type { MeterReading } from '../meter.ts';
import type { Identity, StationAccess } from './admission.ts';
import { type Clock, SYSTEM_CLOCK } from './connection-io.ts';
import { type ConnectedStation, OcppServer, type OcppServerOptions } from './server.ts';
import type { StationLogic } from './station-io.ts';
import { type RecordStore, type RunnerEvents, StationRunner } from './station-runner.ts';

export interface CentralOptions extends OcppServerOptions {
  /** Stations that are known: their logic runs from the start, also while they are not connected. */
  stations: readonly string[];
  /** Others that may come at once, where `access` lets them. Default 100. */
  maxOthers?: number;
}

/** What the central system asks its caller for. */
export interface CentralStations {
  /** What is known of a station that wants to connect; undefined = it is refused. */
  access(identity: Identity): StationAccess | undefined;
  /** The logic of a station. `record`: what its last `persist` held, undefined at first. */
  create(identity: string, record: unknown): StationLogic;
  /** Where the record of a station is kept. */
  store(identity: string): RecordStore;
}

export interface CentralEvents {
  reading(identity: string, connector: number, reading: ChargerReading): void;
  meter(identity: string, meter: string, reading: MeterReading): void;
  /** Of the central system, of a station, or of a connector. */
  alert(alert: DriverAlert, identity?: string, connector?: number): void;
  /** The record of a station cannot be saved. */
  notSaved(identity: string, error: unknown): void;
  saved(identity: string): void;
  /** Without authentication anybody may be the station: its worst case is to be reserved. */
  connected?(station: ConnectedStation): void;
  disconnected?(identity: string): void;
}

export interface Central {
  /** Resolves with the port once stations can connect; undefined on the server of somebody else, or when stopped before. */
  readonly listening: Promise<number | undefined>;
  /**
   * Set-point of a connector, A (0 = pause), valid for `validFor` s; `phases` while it is to switch.
   * @throws DeviceDataError for one that is not known.
   */
  setpoint(identity: string, connector: number, current: number, validFor: number, phases?: 1 | 3): void;
  /** Runs the logic of a station that was here before: it counts although it has not come back yet. */
  expect(identity: string): void;
  /** Ends the logic of a station that is not connected. */
  forget(identity: string): void;
  /** Stations that are connected. */
  connections(): number;
  /** Closes all connections and the port; the stations' logic is told that they are gone. */
  stop(): Promise<void>;
}

const TICK_MS = 250;

export function runCentral(
  options: CentralOptions,
  stations: CentralStations,
  events: CentralEvents,
  clock: Clock = SYSTEM_CLOCK,
): Central {
  const runners = new Map<string, StationRunner>();
  const add = (identity: string): StationRunner => {
    const known = runners.get(identity);
    if (known) return known;
    const runner = createRunner(identity, stations, events, clock);
    runners.set(identity, runner);
    return runner;
  };
  for (const identity of options.stations) add(identity);
  const mayCome = (identity: string) =>
    runners.has(identity) || runners.size < options.stations.length + (options.maxOthers ?? 100);
  const server = new OcppServer(
    options,
    {
      access: (identity) => (mayCome(identity.identity) ? stations.access(identity) : undefined),
      ends: add,
      connected(station, connection) {
        const runner = runners.get(station.identity);
        runner?.tell(() => events.connected?.(station));
        runner?.connected(connection);
      },
      disconnected(identity) {
        const runner = runners.get(identity);
        runner?.disconnected();
        runner?.tell(() => events.disconnected?.(identity));
      },
      alert: (alert, identity) => events.alert(alert, identity),
    },
    clock,
  );
  const listening = server.start();
  const timer = setInterval(() => {
    server.tick();
    for (const runner of runners.values()) runner.tick();
  }, TICK_MS);
  return {
    listening,
    setpoint(identity, connector, current, validFor, phases) {
      const runner = runners.get(identity);
      if (!runner) throw new DeviceDataError('station', identity, 'a station that is known');
      runner.setpoint(connector, current, validFor, phases);
    },
    expect: add,
    forget: (identity) => runners.delete(identity),
    connections: () => server.size,
    stop() {
      clearInterval(timer);
      return server.stop();
    },
  };
}

function createRunner(identity: string, stations: CentralStations, events: CentralEvents, clock: Clock): StationRunner {
  const store = stations.store(identity);
  const logic = stations.create(identity, store.read());
  const runnerEvents: RunnerEvents = {
    output: (output) => {
      if (output.type === 'reading') events.reading(identity, output.connector, output.reading);
      else events.meter(identity, output.meter, output.reading);
    },
    alert: (alert, connector) => events.alert(alert, identity, connector),
    notSaved: (error) => events.notSaved(identity, error),
    saved: () => events.saved(identity),
  };
  return new StationRunner(logic, store, runnerEvents, clock);
}
