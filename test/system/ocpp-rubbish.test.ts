/** `FLOW=ocpp npm start` is fed rubbish: the program lives, the site's stations go on as if nothing had been. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout } from 'node:timers/promises';
import WebSocket from 'ws';
import { type Broker, startBroker } from '../../scripts/start/broker.ts';
import { type FeederRun, runFeeder } from '../../simulator/ocpp/run-feeder.ts';
import { freePort } from '../helpers/free-port.ts';
import { RunningHome } from './node-red.ts';
import { until } from './support.ts';

const ODD = [
  '',
  '%ff',
  '%00',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '__proto__',
  'constructor',
  'toString',
  'CP001%0d%0aX: y',
  'CP001%20',
  'cp001',
  '%F0%9F%9A%97',
  'x'.repeat(37),
  'x'.repeat(5000),
  'a/b/c',
  '?CP001',
  '<script>',
  '${OCPP_PORT}',
  'ocpp',
];

const NONSENSE: unknown[] = [
  null,
  0,
  -1,
  1e308,
  true,
  '',
  'x'.repeat(1000),
  [],
  {},
  [[[[[]]]]],
  { __proto__: 1, constructor: 2 },
  '2026-13-45T99:99:99Z',
];

const ACTIONS: Record<string, string[]> = {
  BootNotification: ['chargePointVendor', 'chargePointModel', 'firmwareVersion'],
  StatusNotification: ['connectorId', 'status', 'errorCode', 'timestamp', 'info'],
  StartTransaction: ['connectorId', 'idTag', 'meterStart', 'timestamp'],
  StopTransaction: ['transactionId', 'meterStop', 'timestamp', 'reason', 'idTag'],
  MeterValues: ['connectorId', 'transactionId', 'meterValue'],
  Authorize: ['idTag'],
  DataTransfer: ['vendorId', 'data'],
  SecurityEventNotification: ['type', 'timestamp'],
  Heartbeat: [],
  toString: ['x'],
};

/** Calls with a wrong type in each field, and values of a meter that no meter has. */
function* wrongCalls(): Generator<[string, unknown]> {
  for (const [action, fields] of Object.entries(ACTIONS)) {
    for (const nonsense of NONSENSE) {
      yield [action, nonsense];
      for (const field of fields) yield [action, { [field]: nonsense }];
      yield [action, Object.fromEntries(fields.map((field) => [field, nonsense]))];
    }
  }
  for (const value of ['NaN', 'Infinity', '-1e99', '1e99', '0x10', '', ' ', '12,5', 'x'])
    for (const measurand of [
      'Current.Import',
      'Power.Active.Import',
      'Energy.Active.Import.Register',
      'Current.Offered',
    ]) {
      const sampledValue = [
        { value, measurand, unit: 'kWh', phase: 'L9' },
        { value, measurand },
      ];
      yield ['MeterValues', { connectorId: 1, meterValue: [{ timestamp: 'yesterday', sampledValue }] }];
      yield ['MeterValues', { connectorId: 1, meterValue: [{ timestamp: new Date().toISOString(), sampledValue }] }];
    }
}

const FRAMES = [
  '',
  '[',
  '[]',
  '[2]',
  '[2,"1"]',
  '[9,"1","x",{}]',
  '{"a":1}',
  '[3,"nobody",{}]',
  '[4,"nobody","x","y",{}]',
  'null',
];

describe('npm start with OCPP stations that send rubbish', function () {
  this.timeout(90_000);
  let broker: Broker;
  let home: RunningHome;
  let site: FeederRun;
  let url: string;
  let port: number;
  const unanswered: string[] = [];
  const answers = new Map<string, number>();
  const slowest = { ms: 0 };

  /** Of the site's own stations: every call is answered, and how fast. */
  const onFrame = (identity: string, direction: string, text: string) => {
    const [type, id] = JSON.parse(text) as [number, string];
    const call = `${identity} ${id}`;
    if (direction === 'sent' && type === 2) answers.set(call, performance.now());
    if (direction === 'received' && type !== 2) {
      slowest.ms = Math.max(slowest.ms, performance.now() - (answers.get(call) ?? Number.NEGATIVE_INFINITY));
      answers.delete(call);
      if (type === 4) unanswered.push(text);
    }
  };

  before(async () => {
    broker = await startBroker({ host: '127.0.0.1', port: 0, user: '', password: '' });
    port = await freePort();
    url = `ws://127.0.0.1:${port}`;
    home = new RunningHome({ FLOW: 'ocpp', SIMULATE: '0', MQTT_URL: broker.url, OCPP_PORT: String(port) });
    await home.start();
    const good = ['CP001', 'CP002', 'CP003'].map((identity) => ({ identity, rotation: ['L1' as const] }));
    site = runFeeder({ url, stations: good.map((s) => ({ ...s, wire: { onFrame } })) });
    await until(() =>
      site.wires.every(({ station }) => station.accepted && station.connectors[0].transaction?.id !== undefined),
    );
    answers.clear();
  });
  after(async () => {
    await site?.stop();
    await home?.remove();
    await broker?.stop();
  });

  let going: (number | undefined)[];
  beforeEach(() => {
    going = site.wires.map(({ station }) => station.connectors[0].transaction?.id);
    Object.assign(slowest, { ms: 0 });
  });
  afterEach(async () => {
    const heard = slowest.ms;
    const since = performance.now();
    // All have been answered since, and what they were at goes on.
    await until(() => slowest.ms > 0 && [...answers.values()].every((at) => at > since));
    assert.ok(site.wires.every((wire) => wire.connected));
    assert.deepEqual(
      site.wires.map(({ station }) => station.connectors[0].transaction?.id),
      going,
    );
    assert.deepEqual(unanswered, []);
    assert.ok(heard < 3000, `${heard} ms`);
    assert.equal((await fetch(`${home.url}/settings`)).status, 200);
    assert.doesNotMatch(home.log, /uncaught|unhandled|went wrong|TypeError|Error:/i);
  });

  /** Resolves with the HTTP status, 101 when it was let in, 0 when the connection was closed without one. */
  async function attempt(identity: string): Promise<number> {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    const head = `GET /${identity} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n`;
    socket.write(`${head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n`);
    const [data] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [''])]);
    socket.destroy();
    return Number(/^HTTP\/1\.1 (\d+)/.exec(String(data))?.[1] ?? 0);
  }

  async function dial(identity: string): Promise<WebSocket> {
    const ws = new WebSocket(`${url}/${identity}`, ['ocpp1.6']);
    ws.on('error', () => undefined);
    await once(ws, 'open');
    return ws;
  }

  it('200 stations that connect and vanish, at any moment', async () => {
    const attempts = Array.from({ length: 200 }, async (_, i) => {
      await setTimeout((i % 40) * 50);
      const identity = i % 2 ? `STRANGER-${i}` : `CP0${String(4 + (i % 9)).padStart(2, '0')}`;
      const ws = new WebSocket(`${url}/${identity}`, ['ocpp1.6']);
      ws.on('error', () => undefined);
      if (i % 3 === 0) await setTimeout(i % 17);
      else
        await Promise.race([once(ws, 'open'), once(ws, 'unexpected-response'), once(ws, 'close')]).catch(
          () => undefined,
        );
      if (i % 3 === 1 && ws.readyState === WebSocket.OPEN)
        ws.send('[2,"1","BootNotification",{"chargePointVendor":"V"');
      ws.terminate();
    });
    await Promise.all(attempts);
  });

  it('identities that no station has', async () => {
    for (const identity of ODD) {
      const status = await attempt(identity);
      assert.ok(status >= 400 && status < 500, `${identity.slice(0, 40)}: ${status}`);
    }
  });

  it('wrong types in every field: each call is answered, and the station is listened to afterwards', async () => {
    const ws = await dial('CP012');
    let id = 0;
    const replies = new Set<number>();
    ws.on('message', (data) => {
      const frame = JSON.parse(String(data)) as [number, string];
      if (frame[0] !== 2) replies.add(Number(frame[1]));
    });
    for (const frame of FRAMES) ws.send(frame);
    for (const [action, payload] of wrongCalls()) {
      id += 1;
      ws.send(JSON.stringify([2, String(id), action, payload]));
      await until(() => replies.has(id) || ws.readyState !== WebSocket.OPEN);
      assert.equal(ws.readyState, WebSocket.OPEN, `${action} ${JSON.stringify(payload)}`);
    }
    console.log(`      ${id} wrong calls`);
    ws.send('[2,"0","Heartbeat",{}]');
    await until(() => replies.has(0));
    ws.terminate();
  });
});
