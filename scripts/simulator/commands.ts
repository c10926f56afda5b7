/** What a person may tell a simulated station while it runs. */
import type { OcppStation } from '../../simulator/ocpp/station.ts';
import type { StationWire } from '../../simulator/ocpp/wire.ts';
import type { Vehicle } from '../../simulator/vehicle.ts';

export const COMMANDS = `  plug [N], unplug [N]     a vehicle at connector N (1)
  card TAG [N]             a card is held to it; the same card again ends
  stop [N]                 the transaction is ended at the station
  fault [CODE] [N]         an error code of OCPP, such as GroundFailure; none: the fault is over
  cut [network|power]      cut again: it is back
  reboot                   as after Reset
  status                   what it does now
  quit`;

export interface Hands {
  station: OcppStation;
  wire: StationWire;
  vehicles: readonly Vehicle[];
  /** What is cut. */
  cuts: { network: boolean; power: boolean };
  now: number;
}

const ERROR_CODES = [
  'ConnectorLockFailure',
  'EVCommunicationError',
  'GroundFailure',
  'HighTemperature',
  'InternalError',
  'OtherError',
  'OverCurrentFailure',
  'PowerMeterFailure',
  'PowerSwitchFailure',
  'ReaderFailure',
  'UnderVoltage',
  'OverVoltage',
  'WeakSignal',
];

type Do = (hands: Hands, words: string[]) => string | undefined;

const DO: Record<string, Do> = {
  help: () => `commands:\n${COMMANDS}`,
  status: ({ station, wire, vehicles }) => statusText(station, wire, vehicles),
  plug: (hands, words) => atVehicle(hands, words[0], (vehicle) => vehicle.plugged() || vehicle.plugIn()),
  unplug: (hands, words) => atVehicle(hands, words[0], (vehicle) => vehicle.unplug()),
  stop: ({ station, now }, [n = '1']) => atConnector(station, n, (connector) => station.stop(connector, now)),
  card: ({ station, now }, [tag, n = '1']) => {
    if (!tag || tag.length > 20) return 'card TAG: expected 1 to 20 characters';
    return atConnector(station, n, (connector) => station.card(connector, tag, now));
  },
  fault: ({ station, now }, words) => {
    const code = words.find((word) => !/^\d+$/.test(word));
    const n = words.find((word) => /^\d+$/.test(word)) ?? '1';
    if (code && !ERROR_CODES.includes(code)) return `fault ${code}: expected one of ${ERROR_CODES.join(', ')}`;
    return atConnector(station, n, (connector) => station.fault(connector, code, now));
  },
  cut: ({ wire, cuts }, [what = 'network']) => {
    if (what !== 'network' && what !== 'power') return `cut ${what}: expected network or power`;
    cuts[what] = !cuts[what];
    if (what === 'network') cuts.network ? wire.cutNetwork() : wire.restoreNetwork();
    else cuts.power ? wire.cutPower() : wire.restorePower();
    return `${what} is ${cuts[what] ? 'cut' : 'back'}`;
  },
  reboot: ({ station, now }) => {
    station.reboot(now);
    return undefined;
  },
};

/** Does what a line says. @returns what there is to say about it. */
export function runCommand(line: string, hands: Hands): string | undefined {
  const [name, ...words] = line.trim().split(/\s+/);
  if (name === '') return undefined;
  if (!Object.hasOwn(DO, name)) return `${name} is no command; "help" names them`;
  return DO[name](hands, words);
}

function atVehicle({ vehicles }: Hands, n = '1', act: (vehicle: Vehicle) => void): string | undefined {
  const vehicle = vehicles[Number(n) - 1];
  if (!vehicle) return `connector ${n}: expected 1 to ${vehicles.length}`;
  act(vehicle);
  return undefined;
}

function atConnector(station: OcppStation, n: string, act: (connector: number) => void): string | undefined {
  if (!station.connectors[Number(n) - 1]) return `connector ${n}: expected 1 to ${station.connectors.length}`;
  act(Number(n));
  return undefined;
}

function statusText(station: OcppStation, wire: StationWire, vehicles: readonly Vehicle[]): string {
  const link = !wire.connected ? 'not connected' : station.accepted ? 'connected' : 'connected, not accepted';
  const lines = station.connectors.map((connector, i) => {
    const { transaction, offered, number } = connector;
    const amps = vehicles[i].current().map((a) => a.toFixed(1));
    const running = transaction ? `, transaction ${transaction.id ?? 'not yet named'} of ${transaction.idTag}` : '';
    return `  ${number}: ${connector.status()}, ${offered.toFixed(1)} A offered, ${amps.join(' ')} A drawn on L1 L2 L3${running}`;
  });
  const profiles = station.profiles.installed.map(({ connector, profile: p }) => {
    const periods = p.chargingSchedule.chargingSchedulePeriod.map((x) => `${x.startPeriod}s:${x.limit}`).join(' ');
    const what = `${p.chargingProfilePurpose} ${p.chargingProfileKind}, stack level ${p.stackLevel}`;
    return `  profile ${p.chargingProfileId} at ${connector}: ${what}, ${periods} ${p.chargingSchedule.chargingRateUnit}`;
  });
  return [`${link}, ${station.waiting} message(s) wait`, ...lines, ...profiles].join('\n');
}
