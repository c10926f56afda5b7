/** A small station on the strict client of ocpp-rpc, which validates all that it hears and says, at our whole central system: it charges, is limited, stops. */
import assert from 'node:assert/strict';
import { setTimeout as passes } from 'node:timers/promises';
import { RPCClient } from 'ocpp-rpc';
import type { RPC_ClientOptions } from 'ocpp-rpc/lib/client';
import type { DriverAlert } from '../../../drivers/alert.ts';
import type { ChargerReading } from '../../../drivers/charger.ts';
import { type Central, runCentral } from '../../../drivers/ocpp/central.ts';
import { Station } from '../../../drivers/ocpp/station.ts';

const IDENTITY = 'CP001';
const CONNECTOR = { connector: 1, id: 'CP001-1', rotation: ['L2' as const], min: 6, max: 16, safe: 6 };
const CONFIGURATION: Record<string, string> = {
  ChargeProfileMaxStackLevel: '5',
  ChargingScheduleAllowedChargingRateUnit: 'Current',
  MeterValueSampleInterval: '60',
  MeterValuesSampledData: 'Energy.Active.Import.Register',
  NumberOfConnectors: '1',
  SupportedFeatureProfiles: 'Core,SmartCharging,RemoteTrigger',
};

interface Profile {
  chargingProfilePurpose: string;
  chargingSchedule: { chargingSchedulePeriod: { limit: number }[] };
}

class SmallStation {
  readonly problems: unknown[] = [];
  readonly limits: [purpose: string, limit: number][] = [];
  readonly #client: RPCClient;
  readonly #profiles = new Map<string, number>();
  #wh = 1000;

  constructor(port: number) {
    const options = {
      endpoint: `ws://127.0.0.1:${port}`,
      identity: IDENTITY,
      protocols: ['ocpp1.6'],
      strictMode: true,
    };
    this.#client = new RPCClient({ ...options, reconnect: false } as unknown as RPC_ClientOptions);
    for (const event of ['strictValidationFailure', 'badMessage'])
      this.#client.on(event, (problem: unknown) => this.problems.push(problem));
    this.#client.handle('GetConfiguration', async ({ params }) => {
      const asked: string[] = params?.key ?? Object.keys(CONFIGURATION);
      const known = asked.filter((key) => key in CONFIGURATION);
      const unknownKey = asked.filter((key) => !(key in CONFIGURATION));
      return {
        configurationKey: known.map((key) => ({ key, readonly: false, value: CONFIGURATION[key] })),
        ...(unknownKey.length > 0 ? { unknownKey } : {}),
      };
    });
    this.#client.handle('ChangeConfiguration', async ({ params }) => {
      CONFIGURATION[params?.key] = params?.value;
      return { status: 'Accepted' };
    });
    this.#client.handle('SetChargingProfile', async ({ params }) => {
      const { chargingProfilePurpose: purpose, chargingSchedule } = (params as { csChargingProfiles: Profile })
        .csChargingProfiles;
      const [{ limit }] = chargingSchedule.chargingSchedulePeriod;
      this.#profiles.set(purpose, limit);
      this.limits.push([purpose, limit]);
      return { status: 'Accepted' };
    });
    this.#client.handle('GetCompositeSchedule', async () => ({
      status: 'Accepted',
      connectorId: 1,
      chargingSchedule: {
        chargingRateUnit: 'A',
        chargingSchedulePeriod: [{ startPeriod: 0, limit: this.offered }],
      },
    }));
    this.#client.handle('TriggerMessage', async () => ({ status: 'NotImplemented' }));
  }

  /** A. */
  get offered(): number {
    return this.#profiles.get('TxProfile') ?? this.#profiles.get('TxDefaultProfile') ?? 16;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the answers are validated by the client itself
  call(action: string, payload: object): Promise<any> {
    return this.#client.call(action, payload);
  }

  async connect(): Promise<void> {
    await this.#client.connect();
    const boot = { chargePointVendor: 'Somebody', chargePointModel: 'Small', firmwareVersion: '1.0' };
    assert.equal((await this.call('BootNotification', boot)).status, 'Accepted');
    await this.status('Available');
  }

  status(status: string): Promise<unknown> {
    return this.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status, timestamp: now() });
  }

  async start(): Promise<number> {
    await this.status('Preparing');
    assert.equal((await this.call('Authorize', { idTag: 'CARD' })).idTagInfo.status, 'Accepted');
    const start = { connectorId: 1, idTag: 'CARD', meterStart: this.#wh, timestamp: now() };
    const { transactionId } = await this.call('StartTransaction', start);
    await this.status('Charging');
    return transactionId;
  }

  /** The vehicle takes what it is offered. */
  async meter(transactionId: number): Promise<void> {
    const amps = this.offered < 6 ? 0 : this.offered;
    this.#wh += amps * 10;
    const of = (measurand: string, unit: string, value: number) => ({ measurand, unit, value: String(value) });
    const sampledValue = [
      { ...of('Current.Import', 'A', amps), phase: 'L1' },
      of('Power.Active.Import', 'W', amps * 230),
      of('Energy.Active.Import.Register', 'Wh', this.#wh),
    ];
    await this.call('MeterValues', { connectorId: 1, transactionId, meterValue: [{ timestamp: now(), sampledValue }] });
  }

  async stop(transactionId: number): Promise<void> {
    const stop = { transactionId, meterStop: this.#wh, timestamp: now(), idTag: 'CARD', reason: 'Local' };
    await this.call('StopTransaction', stop);
    await this.status('Available');
  }

  close(): Promise<unknown> {
    return this.#client.close({});
  }
}

const now = () => new Date().toISOString();

async function until(so: () => boolean): Promise<void> {
  while (!so()) await passes(10);
}

describe('OCPP central system with a strict station of somebody else', () => {
  let central: Central;
  let port: number;
  let readings: ChargerReading[];
  let alerts: DriverAlert[];

  beforeEach(async () => {
    readings = [];
    alerts = [];
    const records = new Map<string, unknown>();
    central = runCentral(
      {
        listen: { port: 0, host: '127.0.0.1' },
        securityProfile: 0,
        stations: [IDENTITY],
        connection: { tolerant: false },
      },
      {
        access: () => ({ tolerant: false }),
        create: (identity, record) =>
          new Station({ identity, connectors: [CONNECTOR], meterInterval: 5, record }, performance.now()),
        store: (identity) => ({
          read: () => records.get(identity),
          write: (record) => void records.set(identity, record),
        }),
      },
      {
        reading: (_identity, _connector, reading) => readings.push(reading),
        meter: () => undefined,
        alert: (alert) => alerts.push(alert),
        notSaved: assert.ifError,
        saved: () => undefined,
      },
    );
    port = (await central.listening) as number;
  });
  afterEach(() => central.stop());

  it('connects, charges, is limited and stops; its own validation reports nothing', async () => {
    const station = new SmallStation(port);
    await station.connect();
    await until(() => station.limits.length > 0);
    assert.deepEqual(station.limits, [['TxDefaultProfile', 6]]);
    const transactionId = await station.start();
    central.setpoint(IDENTITY, 1, 10, 60);
    await until(() => station.limits.some(([purpose, limit]) => purpose === 'TxProfile' && limit === 10));
    await station.meter(transactionId);
    await until(() => readings.at(-1)?.offer === 10 && readings.at(-1)?.current[1] === 10);
    const { state, power, energy, user } = readings.at(-1) as ChargerReading;
    assert.deepEqual([state, power, energy, user], ['C', 2300, 100, 'CARD']);
    central.setpoint(IDENTITY, 1, 6.28, 60);
    await until(() => station.limits.at(-1)?.[1] === 6.2);
    await station.meter(transactionId);
    central.setpoint(IDENTITY, 1, 0, 60);
    await until(() => station.limits.at(-1)?.[1] === 0);
    await station.status('SuspendedEVSE');
    await station.meter(transactionId);
    await until(() => readings.at(-1)?.state === 'B' && readings.at(-1)?.current[1] === 0);
    await station.stop(transactionId);
    await until(() => readings.at(-1)?.state === 'A');
    assert.equal(readings.at(-1)?.online, true);
    assert.equal(CONFIGURATION.MeterValueSampleInterval, '5');
    assert.deepEqual(station.problems, []);
    assert.deepEqual(alerts, []);
    await station.close();
  });
});
