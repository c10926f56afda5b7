import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { SiteRegistry } from '../../nodes/dlm-site/registry.ts';
import { startBroker } from '../../scripts/start/broker.ts';
import { SimulatedGoEV1 } from '../../simulator/go-e-v1.ts';
import { SimulatedGoEV2 } from '../../simulator/go-e-v2.ts';
import { runDevices } from '../../simulator/real-time.ts';
import { FakeVehicle } from '../helpers/go-e-world.ts';
import { Bench, type Message, next } from './devices.ts';
import { helper, logged } from './helper.ts';

const CHARGER = {
  id: 'charger',
  type: 'go-e-charger',
  chargerId: 'wallbox',
  circuit: 'main-node',
  rotation: 'L1,L2,L3',
  minCurrent: 6,
  maxCurrent: '16',
  safeCurrent: 6,
  priority: '',
  api: 'v2',
  broker: 'broker',
  serial: '201630',
  topicPrefix: 'go-eCharger',
  host: '',
  pollSeconds: 0.5,
  wires: [['out'], ['alerts']],
};

let sequence = 0;
function setpoint(current: unknown, more: object = {}): Message {
  sequence += 1;
  const reason = { code: 'circuit', args: {}, text: '' };
  return {
    topic: 'setpoint/wallbox',
    payload: { at: Date.now(), sequence, current, validFor: 60, reason, binding: 'max', ...more },
  };
}

function receive(message: object): void {
  helper.getNode('charger').receive(message as never);
}

function registry(): SiteRegistry {
  return (helper.getNode('site') as unknown as { registry: SiteRegistry }).registry;
}

describe('node go-e-charger', function () {
  this.timeout(20_000);
  let bench: Bench;
  let vehicle: FakeVehicle;
  beforeEach(async () => {
    bench = new Bench();
    vehicle = new FakeVehicle();
    await bench.start();
  });
  afterEach(() => bench.stop());

  async function simulate(device: SimulatedGoEV1 | SimulatedGoEV2, over: 'mqtt' | 'http'): Promise<string> {
    let host = '';
    const stop = await runDevices({
      devices: [device],
      mqttUrl: over === 'mqtt' ? bench.mqttUrl : undefined,
      onHttp: (_device, port) => {
        host = `127.0.0.1:${port}`;
      },
    });
    bench.defer(stop);
    return over === 'http' ? host : '';
  }

  for (const api of ['v1', 'v2'] as const) {
    for (const over of ['mqtt', 'http'] as const) {
      it(`limits, pauses and resumes a charger with API ${api} over ${over}`, async () => {
        const device =
          api === 'v1'
            ? new SimulatedGoEV1(vehicle, { serial: '201630', reportSeconds: 1 })
            : new SimulatedGoEV2(vehicle, { serial: '201630' });
        const host = await simulate(device, over);
        await bench.load([{ ...CHARGER, api, host }]);
        const first = await next('out', (m) => m.payload.online === true && m.payload.state === 'C');
        assert.equal(first.topic, 'charger/wallbox');
        receive(setpoint(9));
        await next('out', (m) => m.payload.offer === 9);
        receive(setpoint(0));
        await next('out', (m) => m.payload.offer === 0);
        const file = path.join(bench.userDir, 'dlm', 'wallbox.json');
        assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { version: 1, pause: 'paused' });
        receive(setpoint(7));
        await next('out', (m) => m.payload.offer === 7, 12_000);
        device.press('stop');
        await next('out', (m) => m.payload.stoppedBy === 'user');
      });
    }
  }

  it('says that API v1 cannot switch phases', async () => {
    await bench.load([{ ...CHARGER, phaseSwitching: true, api: 'v1' }]);
    assert.deepEqual(registry().chargers(), []);
    assert.match(logged('charger', 'error').join(), /phaseSwitching: true — expected/);
  });

  it('registers with the site, and leaves no trace when it is closed', async () => {
    await bench.load([CHARGER]);
    const wallbox = { id: 'wallbox', circuit: 'main', rotation: ['L1', 'L2', 'L3'], min: 6, max: 16, safe: 6 };
    assert.deepEqual(registry().chargers(), [{ ...wallbox, priority: 0, step: 1, phaseSwitching: false }]);
    const site = registry();
    const broker = helper.getNode('broker') as unknown as { users: object; subscriptions: Record<string, object> };
    assert.ok(Object.keys(broker.subscriptions).length > 20);
    await helper.getNode('charger').close(true);
    assert.deepEqual(site.chargers(), []);
    assert.deepEqual(Object.keys(broker.users), []);
    assert.deepEqual(Object.keys(broker.subscriptions), []);
  });

  it('refuses what is no set-point and keeps the last one', async () => {
    const device = new SimulatedGoEV2(vehicle, { serial: '201630' });
    await simulate(device, 'mqtt');
    await bench.load([CHARGER]);
    await next('out', (m) => m.payload.online === true);
    const node = helper.getNode('charger');
    receive(setpoint(8));
    for (const bad of [setpoint('x'), setpoint(3), setpoint(Number.NaN), setpoint(8, { validFor: -1 })]) {
      const error = new Promise<unknown>((resolve) =>
        node.once('call:error', (call: { firstArg: unknown }) => resolve(call.firstArg)),
      );
      receive(bad);
      assert.match(String(await error), /expected/);
    }
    receive({ ...setpoint(16), retain: true });
    receive(setpoint(16, { sequence: 0, at: 1 }));
    receive({ topic: 'setpoint/other', payload: setpoint(16).payload });
    receive({ topic: 'weather', payload: 1 });
    receive({ topic: 'weather', payload: 2 });
    await next('out', (m) => m.payload.offer === 8);
    await next('out', () => true);
    assert.equal(device.inspect().amp, 8);
    assert.equal(logged('charger', 'warn').length, 1);
  });

  it('says what is wrong with its settings and registers nothing', async () => {
    await bench.load([{ ...CHARGER, maxCurrent: '4' }]);
    assert.match(logged('charger', 'error')[0], /maxCurrent: "4" — expected 6 to 32 A/);
    assert.deepEqual(registry().chargers(), []);
  });

  it('tells garbage once, and its end once', async () => {
    const device = new SimulatedGoEV2(vehicle, { serial: '201630' });
    await simulate(device, 'mqtt');
    await bench.load([CHARGER]);
    await next('out', (m) => m.payload.online === true);
    const alerts: unknown[] = [];
    helper
      .getNode('alerts')
      .on('input', (msg) => alerts.push([(msg as Message).payload.code, (msg as Message).payload.active]));
    const link = helper.getNode('broker') as unknown as { publish(msg: object): void };
    const cleared = next('alerts', (m) => m.payload.active === false);
    for (let i = 0; i < 5; i++) link.publish({ topic: 'go-eCharger/201630/amp', payload: '{"constructor":9' });
    device.setAmp(14);
    await cleared;
    assert.deepEqual(alerts, [
      ['bad-data', true],
      ['bad-data', false],
    ]);
    assert.equal(logged('charger', 'warn').length, 1);
  });
});

describe('node go-e-charger, deploys and outages', function () {
  this.timeout(20_000);
  const bench = new Bench();
  const vehicle = new FakeVehicle();
  before(() => bench.start());
  after(() => bench.stop());

  it('writes nothing after a deploy, and the newest set-point after the broker came back', async () => {
    const device = new SimulatedGoEV2(vehicle, { serial: '201630' });
    const heard: string[] = [];
    const listen = device.message.bind(device);
    device.message = (topic, payload, now, bus) => {
      heard.push(`${topic.split('/')[2]}=${payload}`);
      listen(topic, payload, now, bus);
    };
    bench.defer(await runDevices({ devices: [device], mqttUrl: bench.mqttUrl }));
    await bench.load([CHARGER]);
    await next('out', (m) => m.payload.online === true);
    receive(setpoint(9));
    await next('out', (m) => m.payload.offer === 9);
    // A repeat that left just before the report may still be on its way.
    await next('out');
    await next('out');
    heard.length = 0;
    await helper.unload();
    await bench.load([CHARGER]);
    await next('out', (m) => m.payload.online === true && m.payload.offer === 9);
    assert.deepEqual(heard, []);

    const port = Number(bench.port);
    const offline = next('out', (m) => m.payload.online === false);
    await bench.broker?.stop();
    await offline;
    for (const current of [16, 7, 12]) receive(setpoint(current));
    bench.broker = await startBroker({ host: '127.0.0.1', port, user: '', password: '' });
    await next('out', (m) => m.payload.online === true && m.payload.offer === 12, 18_000);
    assert.deepEqual([...new Set(heard)], ['amp=12']);
  });
});
