import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import WebSocket from 'ws';
import { certificate } from '../helpers/certificates.ts';
import { helper, logged } from './helper.ts';
import { OcppBench, ROW } from './ocpp-bench.ts';

/** Whether somebody listens there. */
async function isOpen(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  const [answer] = await Promise.race([
    once(socket, 'connect').then(() => [true]),
    once(socket, 'error').then(
      () => [false],
      () => [false],
    ),
  ]).catch(() => [false]);
  socket.destroy();
  return answer as boolean;
}

/** HTTP status of an attempt to connect; 101 = let in. */
async function attempt(url: string, options: WebSocket.ClientOptions = {}): Promise<number> {
  const ws = new WebSocket(url, ['ocpp1.6'], options);
  ws.on('error', () => undefined);
  const status = await Promise.race([
    once(ws, 'open').then(() => 101),
    new Promise<number>((resolve) =>
      ws.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0)),
    ),
  ]);
  ws.terminate();
  return status;
}

const basic = (user: string, password: string) => ({
  headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
});

describe('node ocpp-central, settings', function () {
  this.timeout(20_000);
  let bench: OcppBench;
  beforeEach(async () => {
    bench = new OcppBench();
    await bench.start();
  });
  afterEach(() => bench.stop());

  it('registers each connector as a charger, and all leave when it is closed', async () => {
    const row = { ...ROW, connectors: '2', minCurrent: '7', safeCurrent: '8', priority: '3' };
    await bench.load({ stations: [row, { identity: 'CP002', circuit: 'main' }] });
    const common = { circuit: 'main', rotation: ['L2', 'L3', 'L1'], min: 7, max: 16, safe: 8, priority: 3, step: 1 };
    const plain = { circuit: 'main', rotation: ['L1', 'L2', 'L3'], min: 6, max: 16, safe: 6, priority: 0, step: 1 };
    assert.deepEqual(bench.registry.chargers(), [
      { id: 'CP001-1', ...common },
      { id: 'CP001-2', ...common },
      { id: 'CP002-1', ...plain },
    ]);
    const { registry } = bench;
    await helper.getNode('central').close(true);
    assert.deepEqual(registry.chargers(), []);
    assert.equal(await isOpen(bench.port), false);
  });

  const row = (more: object) => ({
    stations: [
      { identity: 'FIRST', circuit: 'main' },
      { ...ROW, ...more },
    ],
  });
  const WRONG: [string, object, RegExp, object?][] = [
    ['no site', { site: 'nobody' }, /^site: "nobody" — expected a site node/],
    ['listen', { listen: 'radio' }, /^listen: "radio" — expected one of port, node-red/],
    ['port', { port: '70000' }, /^port: "70000" — expected 1 to 65535/],
    ['port, text', { port: 'x' }, /^port: "x" — expected 1 to 65535/],
    ['path', { path: 'ocpp' }, /^path: "ocpp" — expected a path such as "\/ocpp"/],
    ['path, query', { path: '/a?b' }, /^path: "\/a\?b" — expected/],
    ['security', { security: '4' }, /^security: "4" — expected one of 1, 0, 2, 3/],
    ['no password', { security: '1' }, /^stations\.CP001\.password: "" — expected a password \(security 1\)/],
    ['a password of another', { security: '1' }, /^stations\.CP001\.password/, { CP002: 'x' }],
    ['no password, TLS', { security: '2' }, /^stations\.CP001\.password: "" — expected a password \(security 2\)/],
    ['certificate', { security: '3' }, /^certificate: "" — expected a PEM file that Node-RED may read/],
    ['certificate, gone', { security: '3', certificate: '/nowhere/a.pem' }, /^certificate: "\/nowhere\/a\.pem" — exp/],
    ['stations', { stations: 'CP001' }, /^stations: "CP001" — expected a list of stations/],
    ['too many', { stations: Array(5001).fill(ROW) }, /^stations: 5001 — expected at most 5000 stations/],
    ['twice', row({ identity: 'FIRST' }), /^stations\.identity: "FIRST" — expected each identity only once/],
    ['identity', row({ identity: 'CP 1' }), /^stations\.identity: "CP 1" — expected 1 to 33 letters/],
    ['identity, long', row({ identity: 'x'.repeat(34) }), /^stations\.identity: "x+" — expected 1 to 33/],
    ['nothing', { stations: [null] }, /^stations\.identity: undefined — expected 1 to 33/],
    ['circuit', row({ circuit: '' }), /^stations\.CP001\.circuit: "" — expected 1 to 36 letters/],
    ['rotation', row({ rotation: 'L1,L1' }), /^stations\.CP001\.rotation: "L1,L1" — expected one to three/],
    ['connectors', row({ connectors: 0 }), /^stations\.CP001\.connectors: 0 — expected 1 to 20/],
    ['half a connector', row({ connectors: 1.5 }), /^stations\.CP001\.connectors: 1.5 — expected a whole number/],
    ['minimum', row({ minCurrent: 5 }), /^stations\.CP001\.minCurrent: 5 — expected 6 to 80 A/],
    ['maximum', row({ maxCurrent: 4 }), /^stations\.CP001\.maxCurrent: 4 — expected 6 to 500 A/],
    ['safe above', row({ safeCurrent: 17 }), /^stations\.CP001\.safeCurrent: 17 — expected 0 to 16 A/],
    ['safe, dead band', row({ safeCurrent: 3 }), /^stations\.CP001\.safeCurrent: 3 — expected 0 \(pause\), or 6 to/],
    ['priority', row({ priority: 'high' }), /^stations\.CP001\.priority: "high" — expected -1000 to 1000/],
    ['quirks, JSON', row({ quirks: '{' }), /^stations\.CP001\.quirks: "\{" — expected/],
    ['quirks, unknown', row({ quirks: '{"x":1}' }), /^stations\.CP001\.quirks: .*Unrecognized key/],
    ['unknown', { unknown: 'maybe' }, /^unknown: "maybe" — expected one of refuse, accept/],
    ['unknown, circuit', { unknown: 'accept' }, /^unknownCircuit: "" — expected/],
    ['unknown, maximum', { unknown: 'accept', unknownCircuit: 'main', unknownMaximum: 5 }, /^unknownMaximum: 5 — exp/],
    ['cards', { idTags: `A, ${'x'.repeat(21)}` }, /^idTags: "x+" — expected cards of 1 to 20/],
    ['meter', { meterSeconds: 0 }, /^meterSeconds: 0 — expected 1 to 300 s/],
    ['profile', { profileSeconds: 10 }, /^profileSeconds: 10 — expected 60 to 3600 s/],
  ];
  for (const [what, settings, expected, passwords] of WRONG)
    it(`says what is wrong and starts nothing: ${what}`, async () => {
      await bench.load(settings, passwords);
      assert.match(logged('central', 'error')[0] ?? '', expected);
      assert.deepEqual(bench.registry.chargers(), []);
      assert.equal(await isOpen(bench.port), false);
    });

  it('an id that another charger has: none of this node is registered, the other stays', async () => {
    const other = { id: 'other', type: 'ocpp-central', site: 'site', listen: 'node-red', security: '0' };
    const stations = [{ identity: 'CP001', circuit: 'main', minCurrent: 10, safeCurrent: 10 }];
    await bench.load({ stations: [{ identity: 'FIRST', circuit: 'main' }, ROW] }, undefined, [{ ...other, stations }]);
    assert.match(logged('central', 'error')[0], /^chargerId: "CP001-1" — expected an id that no other charger/);
    assert.deepEqual(
      bench.registry.chargers().map(({ id, min }) => [id, min]),
      [['CP001-1', 10]],
    );
    assert.equal(await isOpen(bench.port), false);
  });

  it('wrong passwords of the credential are told without what they hold', async () => {
    await bench.load({ security: '1' }, 'secret' as unknown as object);
    assert.match(logged('central', 'error')[0], /^passwords: "…" — expected/);
    assert.ok(!logged('central', 'error').join().includes('secret'));
  });

  it('security 1: the password of the credential lets its station in, and nobody else', async () => {
    await bench.load({ security: '1', unknown: 'accept', unknownCircuit: 'main' }, { CP001: 'open sesame' });
    assert.equal(await attempt(`${bench.url}/CP001`, basic('CP001', 'open sesame')), 101);
    assert.equal(await attempt(`${bench.url}/CP001`, basic('CP001', 'wrong')), 401);
    assert.equal(await attempt(`${bench.url}/CP001`), 401);
    assert.equal(
      await attempt(`${bench.url}/CP009`, basic('CP009', 'open sesame')),
      401,
      'unknown, without a password',
    );
    await bench.until(() => bench.told().length >= 2);
    assert.deepEqual(bench.told(), ['+ocpp-refused-401 CP001', '+ocpp-refused-401 CP009']);
    assert.equal(await attempt(`${bench.url}/CP001`, basic('CP001', 'open sesame')), 101);
    await bench.until(() => bench.told().includes('-ocpp-refused-401 CP001'));
    assert.deepEqual(
      bench.registry.chargers().map(({ id }) => id),
      ['CP001-1'],
    );
  });

  describe('with certificates', () => {
    const authority = certificate('Test CA');
    const server = certificate('127.0.0.1', authority);
    const station = certificate('CP001', authority);
    const stranger = certificate('CP001', certificate('Another CA'));
    let folder: string;
    const file = (name: string) => path.join(folder, name);
    before(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'fusewise-tls-'));
      for (const [name, text] of [
        ['cert', server.cert],
        ['key', server.key],
        ['ca', authority.cert],
        ['bad', 'no PEM'],
      ])
        writeFileSync(file(name), text);
    });
    after(() => rmSync(folder, { recursive: true, force: true }));
    const tls = () => ({ certificate: file('cert'), key: file('key'), ca: file('ca') });

    it('security 2: password and TLS', async () => {
      await bench.load({ security: '2', ...tls() }, { CP001: 'open sesame' });
      const url = `${bench.url.replace('ws:', 'wss:')}/CP001`;
      const ca = authority.cert;
      assert.equal(await attempt(url, { ca, ...basic('CP001', 'open sesame') }), 101);
      assert.equal(await attempt(url, { ca }), 401);
    });

    it('security 3: the certificate of the station', async () => {
      await bench.load({ security: '3', ...tls() });
      const url = `${bench.url.replace('ws:', 'wss:')}/CP001`;
      const ca = authority.cert;
      assert.equal(await attempt(url, { ca, cert: station.cert, key: station.key }), 101);
      assert.equal(await attempt(url, { ca, cert: stranger.cert, key: stranger.key }), 401);
      assert.equal(await attempt(url, { ca }), 401);
    });

    it('a file that holds no certificate: told once, the chargers stay registered', async () => {
      await bench.load({ security: '3', ...tls(), certificate: file('bad') });
      await bench.until(() => bench.statuses.at(-1) === 'cannot listen');
      assert.equal(bench.registry.chargers().length, 1);
      assert.equal(logged('central', 'error').length, 1);
      assert.match(logged('central', 'error')[0], /Stations cannot come in/);
    });
  });

  it('on Node-RED’s own server: stations below the path, everything else is left alone', async () => {
    for (const [set, used] of [
      ['', '/ocpp'],
      ['/', '/ocpp'],
      ['/cars/', '/cars'],
    ]) {
      const server = (helper as unknown as { _server: net.Server })._server;
      const mine = (request: { url: string }, socket: net.Socket) => {
        if (request.url === '/mine') socket.end('HTTP/1.1 418 mine\r\n\r\n');
      };
      const before = server.listenerCount('upgrade');
      await bench.load({ listen: 'node-red', path: set });
      server.on('upgrade', mine);
      const { port } = server.address() as net.AddressInfo;
      const url = `ws://127.0.0.1:${port}`;
      assert.equal(await attempt(`${url}/comms`), 101, `the editor, path ${set}`);
      assert.equal(await attempt(`${url}/mine`), 418, `path ${set}`);
      assert.equal(await attempt(`${url}${used}/CP001`), 101, `path ${set}`);
      assert.equal(await attempt(`${url}${used}/CP002`), 404);
      assert.equal(server.listenerCount('upgrade'), before + 2);
      await helper.unload();
      server.off('upgrade', mine);
      assert.equal(server.listenerCount('upgrade'), before);
    }
  });

  it('a port that is taken is told, and used once it is free', async () => {
    const other = net.createServer().listen(bench.port, '127.0.0.1');
    await once(other, 'listening');
    await bench.load();
    await bench.until(() => bench.statuses.at(-1) === 'port is in use');
    assert.equal(bench.registry.chargers().length, 1);
    other.close();
    bench.stations([{ identity: 'CP001' }]);
    await bench.until(() => bench.last('CP001-1')?.online === true);
    await bench.until(() => bench.statuses.at(-1) === '1 of 1 connected');
    assert.equal(logged('central', 'error').length, 1);
    assert.equal(bench.told().at(-1), '-ocpp-port ocpp');
  });
});
