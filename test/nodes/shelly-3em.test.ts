import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PerPhase } from '../../core/units.ts';
import { parseMessage } from '../../messages/index.ts';
import type { GridPort } from '../../simulator/ports.ts';
import { type ConnectingDevice, runDevices } from '../../simulator/real-time.ts';
import { SimulatedShellyGen1 } from '../../simulator/shelly-gen1.ts';
import { SimulatedShellyGen2 } from '../../simulator/shelly-gen2.ts';
import { Bench, type Message, next } from './devices.ts';
import { helper, logged } from './helper.ts';

const METER = {
  id: 'meter',
  type: 'shelly-3em',
  meterId: 'grid',
  generation: '1',
  broker: 'broker',
  deviceId: 'shellyem3-ABC',
  host: '',
  pollSeconds: '',
  phaseOrder: 'L1,L2,L3',
  wires: [['out'], ['alerts']],
};

class Grid implements GridPort {
  amps: PerPhase = [5, -6, 7];
  current = () => this.amps;
  voltage = (): PerPhase => [230, 230, 230];
  power = (): PerPhase => [this.amps[0] * 230, this.amps[1] * 230, this.amps[2] * 230];
  energyImport = (): PerPhase => [1, 2, 3];
  energyExport = (): PerPhase => [0, 0, 0];
}

function shows(...current: (number | null)[]): (message: Message) => boolean {
  return (m) => JSON.stringify(m.payload.current) === JSON.stringify(current);
}

describe('node shelly-3em', function () {
  this.timeout(20_000);
  let bench: Bench;
  let grid: Grid;
  beforeEach(async () => {
    bench = new Bench();
    grid = new Grid();
    await bench.start();
  });
  afterEach(() => bench.stop());

  async function simulate(device: ConnectingDevice, over: 'mqtt' | 'http'): Promise<string> {
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

  const devices: [string, '1' | '2', (grid: Grid) => ConnectingDevice][] = [
    ['gen 1', '1', (g) => new SimulatedShellyGen1(g, { deviceId: 'shellyem3-ABC' })],
    ['gen 2', '2', (g) => new SimulatedShellyGen2(g, { deviceId: 'shellyem3-ABC' })],
    ['gen 2 monophase', '2', (g) => new SimulatedShellyGen2(g, { deviceId: 'shellyem3-ABC', profile: 'monophase' })],
  ];
  for (const [name, generation, make] of devices) {
    for (const over of ['mqtt', 'http'] as const) {
      it(`reads ${name} over ${over}`, async () => {
        const host = await simulate(make(grid), over);
        await bench.load([{ ...METER, generation, host }]);
        const message = await next('out', shows(5, -6, 7));
        assert.equal(parseMessage(message)?.kind, 'meter');
        grid.amps = [30, 0, 7];
        await next('out', shows(30, 0, 7));
      });
    }
  }

  it('passes a phase on at once, ignores retained values and leaves nothing behind', async () => {
    await bench.load([METER]);
    const broker = helper.getNode('broker') as unknown as {
      connected: boolean;
      publish(msg: object): void;
      users: object;
      subscriptions: object;
      client: { once(e: string, f: () => void): void };
    };
    if (!broker.connected) await new Promise<void>((resolve) => broker.client.once('connect', resolve));
    broker.publish({ topic: 'shellies/shellyem3-ABC/emeter/2/current', payload: '11.00', retain: false });
    await next('out', shows(null, null, 11));
    broker.publish({ topic: 'shellies/shellyem3-ABC/online', payload: 'false' });
    await next('alerts', (m) => m.payload.code === 'sensor-silent' && m.payload.active === true);
    await helper.getNode('meter').close(true);
    assert.deepEqual(Object.keys(broker.users), []);
    assert.deepEqual(Object.keys(broker.subscriptions), []);
  });

  it('logs in where the device asks for it', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      const authorization = request.headers.authorization;
      seen.push(String(authorization));
      const granted = authorization === `Basic ${Buffer.from('installer:secret').toString('base64')}`;
      response.writeHead(granted ? 200 : 401, granted ? {} : { 'www-authenticate': 'Basic realm="shelly"' });
      const emeter = { power: 460, current: 2, voltage: 230, is_valid: true };
      response.end(granted ? JSON.stringify({ emeters: [emeter, emeter, emeter] }) : '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    bench.defer(() => new Promise((resolve) => server.close(() => resolve())));
    const { port } = server.address() as AddressInfo;
    const login = { meter: { user: 'installer', password: 'secret' } };
    await bench.load([{ ...METER, host: `127.0.0.1:${port}` }], login);
    await next('out', shows(2, 2, 2)).catch(() => assert.fail(seen.join()));
    server.closeAllConnections();
  });

  it('says what is wrong with its settings', async () => {
    await bench.load([{ ...METER, deviceId: 'shellies/#' }]);
    assert.match(logged('meter', 'error')[0], /deviceId: "shellies\/#" — expected/);
  });
});
