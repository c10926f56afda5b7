/** Simulated stations on real WebSockets against a central system written by others, whose strict validation judges every frame. */
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import type { PerPhase } from '../../../core/units.ts';
import { type BehaviourName, behaviour } from '../../../simulator/ocpp/behaviours.ts';
import { MEASURAND_NAMES } from '../../../simulator/ocpp/measurands.ts';
import type { Feeder } from '../../../simulator/ocpp/plant.ts';
import {
  type FeederRun,
  type FeederRunOptions,
  type FeederStation,
  runFeeder,
} from '../../../simulator/ocpp/run-feeder.ts';
import { profileOf, START } from './desk.ts';
import { Judge, type JudgeOptions } from './judge.ts';

const BACK_OFF = { first: 20, longest: 100 };
/** The stations' time runs so many times as fast. */
const FAST = 50;

type Bench = FeederRun & { judge: Judge };
type One = Partial<FeederStation>;

async function bench(ones: One[], options: JudgeOptions & Partial<FeederRunOptions> = {}): Promise<Bench> {
  const judge = await Judge.start(options);
  const { speed = FAST, periodMs = 20 } = options;
  const vehicle = { lag: [0.1, 0.1] as [number, number], slack: 0 };
  const stations = ones.map((one, i) => ({
    identity: `CP${i + 1}`,
    bootSeconds: 1,
    vehicle,
    ...one,
    wire: { backOff: BACK_OFF, ...one.wire },
  }));
  const run = runFeeder({ ...options, url: judge.url, stations, speed, periodMs, startClock: START });
  return {
    ...run,
    judge,
    async stop() {
      await run.stop();
      await judge.stop();
    },
  };
}

describe('simulated OCPP stations on the wire', () => {
  let running: Bench | undefined;
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });
  const start = async (...args: Parameters<typeof bench>) => {
    running = await bench(...args);
    return running;
  };

  it('what they send is valid in all shapes of meter values, and in a whole life', async () => {
    const shapes: BehaviourName[][] = [
      ['obeying'],
      ['kilo'],
      ['total-values'],
      ['both-values'],
      ['no-phase'],
      ['terse'],
      ['with-location'],
      ['kilo', 'both-values', 'no-phase', 'terse', 'with-location'],
      ['odd-intervals', 'repeats-start', 'stops-yesterdays', 'minus-one'],
    ];
    const configuration = {
      MeterValuesSampledData: MEASURAND_NAMES.join(','),
      MeterValuesAlignedData: MEASURAND_NAMES.join(','),
      StopTxnSampledData: MEASURAND_NAMES.join(','),
      MeterValueSampleInterval: '5',
      ClockAlignedDataInterval: '10',
    };
    const { judge, wires } = await start(
      shapes.map((names) => ({ behaviour: behaviour(...names), configuration, connectors: 2 })),
    );
    const all = (met: (identity: string) => boolean) => judge.until(() => wires.every((w) => met(w.station.identity)));
    const heard = (identity: string, method: string) =>
      judge.heard.filter((c) => c.identity === identity && c.method === method);
    await all((id) => heard(id, 'MeterValues').some(({ params }) => params.transactionId !== undefined));
    // The terse ones leave Sample.Periodic out: it is the default.
    for (const context of ['"Sample.Periodic"', '"Sample.Clock"'])
      await judge.until(() => judge.heard.some(({ params }) => JSON.stringify(params).includes(context)));
    await all((id) => heard(id, 'MeterValues').some(({ params }) => JSON.stringify(params).includes('"Sample.Clock"')));
    for (const requestedMessage of [
      'BootNotification',
      'MeterValues',
      'FirmwareStatusNotification',
      'DiagnosticsStatusNotification',
    ])
      for (const { station } of wires) await judge.call(station.identity, 'TriggerMessage', { requestedMessage });
    for (const { station } of wires) {
      await judge.call(station.identity, 'ExtendedTriggerMessage', { requestedMessage: 'LogStatusNotification' });
      await judge.call(station.identity, 'ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' });
      station.stop(1, 1e9);
    }
    await all((id) => heard(id, 'StopTransaction').some(({ params }) => params.transactionData !== undefined));
    await all((id) => heard(id, 'SignCertificate').length > 0 && heard(id, 'DiagnosticsStatusNotification').length > 0);
    assert.deepEqual(judge.violations, []);
  });

  it('what they answer is valid for every action', async () => {
    const { judge } = await start([{ behaviour: { lagSeconds: 1 } }]);
    await judge.hears('StatusNotification', ({ params }) => params.status === 'Charging');
    const time = new Date(START).toISOString();
    const location = 'https://example.org/file';
    const hash = { hashAlgorithm: 'SHA256', issuerNameHash: 'aa', issuerKeyHash: 'bb', serialNumber: '1' };
    const root = 'CentralSystemRootCertificate';
    const firmware = { location, retrieveDateTime: time, signingCertificate: 'x', signature: 'y' };
    const tx = profileOf(9, { chargingProfilePurpose: 'TxProfile', chargingProfileId: 2 });
    const calls: [string, object][] = [
      ['SetChargingProfile', { connectorId: 1, csChargingProfiles: profileOf(8.5) }],
      ['SetChargingProfile', { connectorId: 1, csChargingProfiles: tx }],
      ['GetCompositeSchedule', { connectorId: 1, duration: 600 }],
      ['GetCompositeSchedule', { connectorId: 0, duration: 600, chargingRateUnit: 'W' }],
      ['GetCompositeSchedule', { connectorId: 9, duration: 600 }],
      ['ClearChargingProfile', { id: 2 }],
      ['GetConfiguration', {}],
      ['GetConfiguration', { key: ['Nonsense', 'CpoName'] }],
      ['ChangeConfiguration', { key: 'CpoName', value: 'x' }],
      ['ChangeAvailability', { connectorId: 0, type: 'Inoperative' }],
      ['ChangeAvailability', { connectorId: 0, type: 'Operative' }],
      ['ReserveNow', { connectorId: 1, expiryDate: time, idTag: 'A', reservationId: 1 }],
      ['CancelReservation', { reservationId: 1 }],
      [
        'SendLocalList',
        {
          listVersion: 1,
          updateType: 'Full',
          localAuthorizationList: [{ idTag: 'A', idTagInfo: { status: 'Accepted' } }],
        },
      ],
      ['GetLocalListVersion', {}],
      ['ClearCache', {}],
      ['DataTransfer', { vendorId: 'x', data: 'y' }],
      ['UpdateFirmware', { location, retrieveDate: time }],
      ['GetDiagnostics', { location }],
      ['GetLog', { logType: 'DiagnosticsLog', requestId: 1, log: { remoteLocation: location } }],
      ['SignedUpdateFirmware', { requestId: 2, firmware }],
      ['InstallCertificate', { certificateType: root, certificate: '-----BEGIN CERTIFICATE-----' }],
      ['GetInstalledCertificateIds', { certificateType: root }],
      ['DeleteCertificate', { certificateHashData: hash }],
      ['GetInstalledCertificateIds', { certificateType: root }],
      ['CertificateSigned', { certificateChain: 'x' }],
      ['TriggerMessage', { requestedMessage: 'Heartbeat' }],
      ['RemoteStopTransaction', { transactionId: 1 }],
      ['RemoteStartTransaction', { connectorId: 1, idTag: 'A', chargingProfile: tx }],
      ['UnlockConnector', { connectorId: 1 }],
    ];
    for (const [action, payload] of calls) {
      const answer = await judge.call('CP1', action, payload);
      assert.equal(typeof answer, 'object', action);
    }
    await judge.hears('SignedFirmwareStatusNotification', ({ params }) => params.status === 'Downloading');
    const from = judge.heard.length;
    assert.deepEqual(await judge.call('CP1', 'Reset', { type: 'Soft' }), { status: 'Accepted' });
    await judge.hears('BootNotification', () => true, from);
    assert.deepEqual(judge.violations, []);
  });

  it('dials until there is a server, and again after every end but its own', async () => {
    const first = await Judge.start();
    const { port } = new URL(first.url);
    await first.stop();
    const { judge, wires } = await start([{ wire: { url: `ws://127.0.0.1:${port}` }, plugged: false }]);
    assert.deepEqual(judge.heard, []);
    const second = await Judge.start({ port: Number(port) });
    await second.hears('BootNotification');
    await second.stop();
    const third = await Judge.start({ port: Number(port) });
    await third.hears('BootNotification');
    wires[0].cutNetwork();
    wires[0].restoreNetwork();
    await third.hears('BootNotification', () => true, third.heard.length);
    await third.stop();
  });

  it('logs on with its password, and is refused with a wrong one', async () => {
    const events: string[] = [];
    const { judge } = await start(
      [
        { wire: { password: 'right' }, plugged: false },
        { wire: { password: 'wrong', onEvent: (_id, event) => events.push(event) }, plugged: false },
      ],
      { passwords: { CP1: 'right', CP2: 'right' } },
    );
    await judge.hears('BootNotification');
    while (!events.some((e) => e.includes('401'))) await setTimeout(10);
    assert.ok(judge.heard.every((c) => c.identity === 'CP1'));
  });

  it('no-redial stays away after a graceful close, not after a cut (lbbrhzn/ocpp#1975)', async () => {
    const { judge, wires } = await start([{ behaviour: behaviour('no-redial'), plugged: false }, { plugged: false }]);
    const booted = (identity: string, times: number) =>
      judge.until(
        () => judge.heard.filter((c) => c.identity === identity && c.method === 'BootNotification').length >= times,
      );
    await Promise.all([booted('CP1', 1), booted('CP2', 1)]);
    await Promise.all(['CP1', 'CP2'].map((id) => judge.clients.get(id)?.close({ code: 1000 })));
    await booted('CP2', 2);
    await judge.clients.get('CP2')?.close({ code: 1000 });
    await booted('CP2', 3);
    assert.equal(judge.heard.filter((c) => c.identity === 'CP1' && c.method === 'BootNotification').length, 1);
    wires[0].cutPower();
    wires[0].restorePower();
    await booted('CP1', 2);
  });

  it('duplicate-connections opens another one while the first is open (ocpp-go#358)', async () => {
    const { judge } = await start([{ behaviour: behaviour('duplicate-connections'), plugged: false }]);
    await judge.until(() => judge.heard.filter((c) => c.method === 'BootNotification').length >= 3);
    assert.deepEqual(judge.violations, []);
  });

  it('a server that dies leaves ten stations at their safe current within the duration of their profiles', async () => {
    const duration = 100;
    const house = { current: (): PerPhase => [8, 4, 2] };
    let peak = 0;
    let limits = false;
    let worstAfter = 0;
    let diedAt = Number.POSITIVE_INFINITY;
    let tell = () => {};
    const limited = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const onStep = (now: number, feeder: Feeder) => {
      // All follow the limit above the safe one.
      if (feeder.vehicles().every((amps) => amps === 90)) tell();
      const most = Math.max(...feeder.grid.current());
      if (limits) peak = Math.max(peak, most);
      if (now > diedAt + (duration + 5) * 1000) worstAfter = Math.max(worstAfter, most);
    };
    const ones = Array.from(
      { length: 10 },
      (): One => ({ rotation: ['L2', 'L3', 'L1'], bootSeconds: 1, vehicle: { lag: [1, 3], slack: 0 } }),
    );
    const { judge, wires, now } = await start(ones, { house, onStep, speed: 20 });
    const safe = profileOf(6, { chargingProfileId: 1 });
    const identities = wires.map((w) => w.station.identity);
    await judge.until(() => identities.every((id) => judge.heard.some((c) => c.identity === id)));
    await Promise.all(
      identities.map((id) => judge.call(id, 'SetChargingProfile', { connectorId: 0, csChargingProfiles: safe })),
    );
    await judge.until(() => judge.heard.filter((c) => c.method === 'StartTransaction').length === 10);
    const over = { chargingProfileId: 2, chargingProfilePurpose: 'TxProfile' };
    // Their clocks were set at boot.
    const startSchedule = new Date(wires[0].station.clock(now()) - 5000).toISOString();
    const limit = profileOf(9, over, { startSchedule, duration });
    await Promise.all(
      identities.map((id) => judge.call(id, 'SetChargingProfile', { connectorId: 1, csChargingProfiles: limit })),
    );
    await limited;
    limits = true;
    await judge.stop();
    diedAt = now();
    await setTimeout(((duration + 20) * 1000) / 20);
    assert.ok(worstAfter > 60 && worstAfter <= 10 * 6 + 8, `${worstAfter} A`);
    assert.ok(peak > 97 && peak <= 10 * 9 + 8 + 1e-6, `${peak} A`);
  }).timeout(60_000);

  it('the judge notices what is not valid', async () => {
    for (const name of ['extra-fields', 'boots-as-201', 'site-locations', 'numeric-ids'] as const) {
      const site = () => ({ grid: 1, pv: 2, home: 3 });
      const configuration = { ClockAlignedDataInterval: '5' };
      const one = await bench([{ behaviour: behaviour(name), site, configuration }]);
      await one.judge.until(() => one.judge.violations.length > 0);
      await one.stop();
    }
  });

  it('hundreds of stations in one process boot, charge and follow a limit', async () => {
    const count = 300;
    const { judge, wires } = await start(
      Array.from({ length: count }, () => ({ configuration: { MeterValueSampleInterval: '10' } })),
      { speed: 10, periodMs: 250 },
    );
    const charging = () =>
      judge.heard.filter((c) => c.method === 'StatusNotification' && c.params.status === 'Charging').length;
    await judge.until(() => charging() === count);
    const answers = await Promise.all(
      wires.map((w) =>
        judge.call(w.station.identity, 'SetChargingProfile', { connectorId: 1, csChargingProfiles: profileOf(7) }),
      ),
    );
    assert.ok(answers.every((a) => a.status === 'Accepted'));
    await judge.until(() => wires.every((w) => Math.max(...w.station.connectors[0].vehicle.current()) === 7));
    assert.deepEqual(judge.violations, []);
  });
});
