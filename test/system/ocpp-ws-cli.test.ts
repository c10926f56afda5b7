/** The station of ocpp-ws-cli, driven without a terminal: against a central system written by others, and against ours. */
import assert from 'node:assert/strict';
import { OcppBench } from '../nodes/ocpp-bench.ts';
import { Judge } from '../simulator/ocpp/judge.ts';
import { startWsCli, type WsCliStation } from './ocpp-ws-cli.ts';

const LIMIT = {
  connectorId: 1,
  csChargingProfiles: {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 8 }] },
  },
};

describe('the station of ocpp-ws-cli', () => {
  let judge: Judge;
  let station: WsCliStation;
  before(async () => {
    judge = await Judge.start();
  });
  after(async () => {
    await station?.stop();
    await judge.stop();
  });

  it('boots, charges, takes a limit without keeping it, is stopped from afar, and quits', async () => {
    station = startWsCli({ url: judge.url, identity: 'OTHER-1' });
    const status = (name: string, from = 0) =>
      judge.hears('StatusNotification', ({ params }) => params.connectorId === 1 && params.status === name, from);
    await status('Available');
    station.press('authorize');
    await status('Preparing');
    station.press('start');
    await status('Charging');
    assert.deepEqual(await judge.call('OTHER-1', 'SetChargingProfile', LIMIT), { status: 'Accepted' });
    station.press('meter');
    const { params } = await judge.hears('MeterValues');
    assert.equal(params.transactionId, 1);
    const [{ sampledValue }] = params.meterValue as { sampledValue: { measurand: string; value: string }[] }[];
    const power = sampledValue.find(({ measurand }) => measurand === 'Power.Active.Import');
    assert.ok(Number(power?.value) > 4800, `${power?.value} W: more than 8 A on one phase`);
    assert.deepEqual(await judge.call('OTHER-1', 'RemoteStopTransaction', { transactionId: 1 }), {
      status: 'Accepted',
    });
    await judge.hears('StopTransaction', ({ params }) => params.transactionId === 1);
    const from = judge.heard.length;
    await status('Available', from);
    assert.deepEqual(await judge.call('OTHER-1', 'RemoteStartTransaction', { connectorId: 1, idTag: 'REMOTE-1' }), {
      status: 'Accepted',
    });
    const started = await judge.hears('StartTransaction', ({ params }) => params.idTag === 'REMOTE-1');
    assert.equal(started.params.connectorId, 1);
    await status('Charging', from);
    assert.equal(await station.stop(), 0);
    assert.deepEqual(judge.violations, []);
  });
});

describe('the station of ocpp-ws-cli at ocpp-central', function () {
  this.timeout(60_000);
  const ROW = { identity: 'OTHER-1', circuit: 'main', rotation: 'L1', maxCurrent: 32, safeCurrent: 6 };
  const ID = 'OTHER-1-1';
  let bench: OcppBench;
  let station: WsCliStation;
  let keys: NodeJS.Timeout | undefined;
  beforeEach(async () => {
    bench = new OcppBench();
    await bench.start();
  });
  afterEach(async () => {
    clearInterval(keys);
    await station?.stop();
    await bench.stop();
  });

  const state = () => bench.last(ID)?.state;
  async function charge(row: object): Promise<void> {
    await bench.load({ stations: [{ ...ROW, ...row }] });
    station = startWsCli({ url: bench.url, identity: 'OTHER-1' });
    const shown = () => station.output().slice(-2000);
    await bench.until(() => bench.last(ID)?.online === true, shown, 30_000);
    station.press('authorize');
    await bench.until(() => state() === 'B', shown);
    station.press('start');
    await bench.until(() => state() === 'C', shown);
    keys = setInterval(() => station.press('meter'), 500);
    await bench.until(() => Number(bench.last(ID)?.power) > 4800, shown);
  }

  it('charges; as it ignores its limit it is flagged, and reserved at its maximum; it stops', async () => {
    await charge({});
    const { session, user, current } = bench.last(ID) as { session: string; user: string; current: number[] };
    assert.match(session, /^\S+$/);
    assert.equal(user, 'CARD-1');
    assert.ok(current[0] > 20 && current[1] === 0, `${current}`);
    for (const amps of [10, 8]) {
      bench.receive(bench.setpoint(ID, amps));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await bench.until(
      () => bench.told().includes(`+not-obeying ${ID}`),
      () => station.output().slice(-2000),
      40_000,
    );
    await bench.until(() => bench.last(ID)?.offer === 32);
    const text = bench.alerts.find(({ payload }) => payload.code === 'not-obeying')?.payload.text;
    assert.match(String(text), /OTHER-1-1.*maximum stays reserved/);
    clearInterval(keys);
    station.press('stop');
    await bench.until(() => state() === 'A', undefined, 20_000);
    assert.ok(!bench.told().some((told) => /malformed|refused|repaired|internal/.test(told)), bench.told().join());
  });

  it('is stopped from here where a pause means that', async () => {
    await charge({ quirks: '{"pause":"remote-stop"}' });
    bench.receive(bench.setpoint(ID, 0));
    await bench.until(
      () => bench.last(ID)?.session === undefined && state() !== 'C',
      () => station.output(),
      30_000,
    );
    assert.ok(Number(bench.last(ID)?.power ?? 0) < 100);
  });
});
