import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { OcppServer } from '../../../drivers/ocpp/server.ts';
import { ask, basic, closing, dial, refusal, startServer, type TestServer } from './harness.ts';

/** What the server says to bytes that are sent to it, until it closes. */
async function raw(port: number, text: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  await once(socket, 'close');
  return Buffer.concat(parts).toString();
}

const upgrade = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n${more}\r\n`;

describe('OCPP server', () => {
  let world: TestServer;
  afterEach(() => world.stop());

  it('connects a station, answers it, calls it', async () => {
    world = await startServer();
    const ws = await dial(world.url('/ocpp/CP1'));
    assert.equal(ws.protocol, 'ocpp1.6');
    assert.equal((await ask(ws, '[2,17,"Heartbeat",{}]'))[1], 17, 'ocpp-rpc refuses numeric message ids');
    const boot = { chargePointVendor: 'V', chargePointModel: 'M' };
    assert.equal((await ask(ws, [2, '1', 'BootNotification', boot]))[0], 3);
    const call = once(ws, 'message');
    const reset = {
      type: 'call',
      id: 7,
      action: 'Reset',
      payload: { type: 'Soft' },
      lane: 'ordinary',
      timeout: 5,
    } as const;
    world.connections.get('CP1')?.call(reset);
    const [, id, action] = JSON.parse(String((await call)[0]));
    assert.equal(action, 'Reset');
    ws.send(JSON.stringify([3, id, { status: 'Accepted' }]));
    await world.until(() => world.answers.length > 0);
    assert.deepEqual(world.answers, [['CP1', 7, { ok: true, payload: { status: 'Accepted' } }]]);
    ws.close(1000);
    await world.until(() => world.log.includes('-CP1'));
    assert.deepEqual(world.log, ['+CP1', '-CP1']);
    assert.equal(world.server.size, 0);
  });

  it('GET /%ff with an upgrade, before any authentication, does not end the process (ocpp-rpc: unhandled URIError)', async () => {
    world = await startServer();
    for (const path of ['/%ff', '/ocpp/%ff', '/%', '/%E0%A4%A', '//%ff/%ff?%ff']) {
      assert.match(await raw(world.port, upgrade(path)), /^HTTP\/1\.1 400 /, path);
    }
    await dial(world.url('/CP1'));
  });

  it('wrong URLs: paths without a station, names that are none, stations that are unknown (node-red-contrib-ocpp#23)', async () => {
    world = await startServer({}, (identity) => (identity === 'CP_1' ? {} : undefined));
    assert.equal(await refusal(world.url('/')), 404);
    assert.equal(await refusal(world.url('/ocpp/other')), 404);
    assert.equal(await refusal(world.url('/ocpp/CP%00')), 400);
    assert.equal(await refusal(world.url('/ocpp/CP%2F1')), 400);
    assert.equal(await refusal(world.url(`/ocpp/${'x'.repeat(37)}`)), 400);
    assert.equal(await refusal(world.url('/ocpp/CP%201')), 101);
    assert.equal(await refusal(world.url('/some/other/path/CP.1/?token=x')), 101);
    assert.deepEqual(
      world.stations.map(({ identity, wire }) => [identity, wire]),
      [
        ['CP_1', 'CP 1'],
        ['CP_1', 'CP.1'],
      ],
    );
    assert.ok(world.alerts.some(([{ code }, identity]) => code === 'ocpp-refused-404' && identity === 'other'));
  });

  it('a station with another name that reads the same here waits until the first is gone', async () => {
    world = await startServer();
    await dial(world.url('/CP.1'));
    assert.equal(await refusal(world.url('/CP:1')), 409);
  });

  it('an unknown subprotocol, or none, is refused (ocpp-rpc: accepted without strict validation), but for an exception', async () => {
    world = await startServer({}, (identity) => ({ anySubprotocol: identity === 'odd' }));
    assert.equal(await refusal(world.url('/CP1'), {}, []), 400);
    assert.equal(await refusal(world.url('/CP1'), {}, ['ocpp2.0.1']), 400);
    assert.equal(await refusal(world.url('/CP1'), {}, ['ocpp2.0.1', 'ocpp1.6']), 101);
    const odd = await dial(world.url('/odd'), {}, []);
    assert.equal((await ask(odd, '[2,"1","Heartbeat",{"x":{}}]'))[0], 3);
    assert.match(
      String(world.alerts.find(([{ code }]) => code === 'ocpp-refused-400')?.[0].args.reason),
      /subprotocol/,
    );
  });

  it('frames above the limit close the connection (ocpp-rpc: 128 KB accepted); those below do not', async () => {
    world = await startServer();
    const ws = await dial(world.url('/CP1'));
    const frame = (bytes: number) => `[2,"1","DataTransfer",{"vendorId":"v","data":"${'x'.repeat(bytes)}"}]`;
    assert.equal((await ask(ws, frame(60_000)))[0], 3);
    ws.send(frame(66_000));
    assert.equal((await closing(ws))[0], 1009);
    await world.until(() => world.log.includes('-CP1'));
    assert.deepEqual(world.faults, [['malformed', 'WebSocket: Max payload size exceeded']], 'a person can see why');
  });

  it('HTTP requests that are no upgrades', async () => {
    world = await startServer({ path: '/ocpp' });
    const status = async (path: string) => (await fetch(`http://127.0.0.1:${world.port}${path}`)).status;
    assert.equal(await status('/ocpp/CP1'), 426);
    assert.equal(await status('/'), 404);
    assert.equal(await status('/%ff'), 404);
    assert.equal(await refusal(world.url('/elsewhere/CP1')), 404);
    assert.match(await raw(world.port, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.match(await raw(world.port, upgrade('/ocpp/CP1').replace('Version: 13', 'Version: 1')), /^HTTP\/1\.1 4/);
    assert.equal(world.server.size, 0);
  });

  it('the newest connection of a station wins (ocpp-rpc: both stay open), and it is told', async () => {
    world = await startServer();
    const older = await dial(world.url('/CP1'));
    const closed = closing(older);
    const newer = await dial(world.url('/CP1'));
    assert.equal((await closed)[0], 1008);
    assert.deepEqual(world.log, ['+CP1', '-CP1', '+CP1']);
    assert.equal(world.server.size, 1);
    const duplicate = () => world.alerts.find(([{ code }]) => code === 'ocpp-duplicate');
    await world.until(() => duplicate() !== undefined);
    assert.equal(duplicate()?.[0].args.authenticated, false);
    assert.equal((await ask(newer, [2, '1', 'Heartbeat', {}]))[0], 3);
    await dial(world.url('/CP1'));
    assert.equal(world.alerts.length, 1, 'once');
  });

  it('without passwords: all that come back after an outage are no duplicates, one from another address is, at once', async () => {
    world = await startServer();
    const older = await dial(world.url('/CP1'));
    older.pause();
    const again = await dial(world.url('/CP1'));
    again.pause();
    assert.deepEqual(world.alerts, []);
    await dial(world.url('/CP1'), { localAddress: '127.0.0.2' });
    const told = () => world.alerts.map(([{ code, args }]) => [code, args.authenticated, args.older, args.address]);
    const one = [['ocpp-duplicate', false, '127.0.0.1', '127.0.0.2']];
    assert.deepEqual(told(), one);
    await world.stop();
    assert.deepEqual(told(), one, 'the others were dead');
    for (const ws of [older, again]) ws.terminate();
  });

  it('a refusal is over when nobody tries any more, also where the path has no name', async () => {
    let now = 0;
    world = await startServer({}, (identity) => (identity === 'CP1' ? {} : undefined), {
      now: () => now,
      wallClock: () => Date.now(),
    });
    const told = () => world.alerts.map(([{ code, active }, identity]) => `${active ? '+' : '-'}${code} ${identity}`);
    assert.equal(await refusal(world.url('/other')), 404);
    assert.equal(await refusal(world.url('/%ff')), 400);
    now += 14 * 60_000;
    world.server.tick();
    assert.equal(await refusal(world.url('/other')), 404);
    now += 2 * 60_000;
    world.server.tick();
    assert.deepEqual(told(), ['+ocpp-refused-404 other', '+ocpp-refused-400 undefined', '-ocpp-refused-400 undefined']);
    now += 14 * 60_000;
    world.server.tick();
    assert.deepEqual(told().slice(3), ['-ocpp-refused-404 other']);
  });

  it('a byte that is no UTF-8 does not close the connection', async () => {
    world = await startServer();
    const ws = await dial(world.url('/CP1'));
    const answer = once(ws, 'message');
    const text = '[2,"1","BootNotification",{"chargePointVendor":"M\xfcller","chargePointModel":"M"}]';
    ws.send(Buffer.from(text, 'latin1'), { binary: false });
    assert.equal(JSON.parse(String((await answer)[0]))[0], 3);
  });

  it('can be stopped at the very moment in which it starts, and the port is free', async () => {
    world = await startServer();
    const { port } = world;
    await world.stop();
    const listen = { port, host: '127.0.0.1' };
    const events = {
      access: () => undefined,
      ends: () => {
        throw new Error('no station comes');
      },
      connected: () => undefined,
      disconnected: () => undefined,
      alert: () => undefined,
    };
    const server = new OcppServer({ listen, securityProfile: 0 }, events);
    const started = server.start();
    await server.stop();
    assert.equal(await started, undefined);
    world = await startServer({ listen });
    assert.deepEqual(world.alerts, []);
  });

  it('a newer connection wins over one whose peer is gone without a word', async () => {
    world = await startServer();
    const older = await dial(world.url('/CP1'));
    older.pause();
    const newer = await dial(world.url('/CP1'));
    assert.equal((await ask(newer, [2, '1', 'Heartbeat', {}]))[0], 3);
    older.terminate();
  });

  it('two stations with one identity that replace each other are told and slowed down (ocpp-go#358)', async () => {
    let now = 0;
    world = await startServer({ limitSeconds: 60 }, () => ({}), { now: () => now, wallClock: () => Date.now() });
    for (let i = 0; i < 5; i++) await dial(world.url('/CP1'));
    await world.until(() => world.alerts.some(([{ code }]) => code === 'ocpp-duplicate-loop'));
    assert.deepEqual(
      world.alerts.filter(([{ code }]) => code === 'ocpp-duplicate-loop').map(([a, id]) => [a.active, id]),
      [[true, 'CP1']],
    );
    assert.equal(await refusal(world.url('/CP1')), 503);
    assert.equal(await refusal(world.url('/CP2')), 101, 'others do not feel it');
    now += 5000;
    assert.equal(await refusal(world.url('/CP1')), 101);
    now += 121_000;
    world.server.tick();
    const duplicates = world.alerts.filter(([{ code }]) => code === 'ocpp-duplicate').map(([alert]) => alert);
    assert.deepEqual(duplicates[1], { ...duplicates[0], active: false }, 'its end names both, too');
    const loops = world.alerts.filter(([{ code }]) => code === 'ocpp-duplicate-loop');
    assert.deepEqual(
      loops.map(([{ active }]) => active),
      [true, false],
    );
  });

  for (const limitSeconds of [undefined, 3600])
    it(`who was thrown out and does not come back is told while it may be under its last limit of ${limitSeconds ?? 300} s (lbbrhzn/ocpp#1975)`, async () => {
      let now = 0;
      world = await startServer({ limitSeconds }, () => ({}), { now: () => now, wallClock: () => Date.now() });
      const older = await dial(world.url('/CP1'));
      const closed = closing(older);
      await dial(world.url('/CP1'), { localAddress: '127.0.0.2' });
      assert.equal((await closed)[0], 1008);
      const told = () => world.alerts.map(([{ code, active, args }]) => [code, active, args.authenticated]);
      const duplicate = ['ocpp-duplicate', true, false];
      for (const until = ((limitSeconds ?? 300) + 59) * 1000; now < until; now += 1000) world.server.tick();
      assert.deepEqual(told(), [duplicate]);
      now += 2000;
      world.server.tick();
      assert.deepEqual(told(), [duplicate, ['ocpp-duplicate', false, false]]);
    });

  it('a station that comes back while its old connection is dead is no fight', async () => {
    world = await startServer({ securityProfile: 1 }, () => ({ password: 'secret' }));
    const dead = [];
    for (let i = 0; i < 8; i++) {
      const ws = await dial(world.url('/CP1'), basic('CP1', 'secret'));
      ws.pause();
      dead.push(ws);
    }
    await world.stop();
    assert.deepEqual(world.alerts, []);
    for (const ws of dead) ws.terminate();
  });

  it('sockets that are reset at any moment: the server and the others live on', async () => {
    world = await startServer();
    const good = await dial(world.url('/good'));
    const hello = upgrade('/CP1');
    for (let cut = 1; cut <= hello.length; cut += 16) {
      const socket = net.connect(world.port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      await new Promise((resolve) => socket.write(hello.slice(0, cut), resolve));
      socket.resetAndDestroy();
    }
    for (let i = 0; i < 10; i++) {
      const ws = await dial(world.url('/CP2'));
      ws.send('[2,"1","Heartbeat",{}]');
      (ws as unknown as { _socket: net.Socket })._socket.resetAndDestroy();
    }
    assert.equal((await ask(good, [2, '1', 'Heartbeat', {}]))[0], 3);
    // ocpp-rpc reports an aborted upgrade when an open socket is reset.
    assert.ok(
      world.alerts.every(([{ code }]) => code.startsWith('ocpp-duplicate')),
      JSON.stringify(world.alerts),
    );
  });

  it('sockets that say nothing are bounded, in all and per address', async () => {
    world = await startServer({ maxHalfOpenPerAddress: 5 });
    const sockets = Array.from({ length: 8 }, () => net.connect(world.port, '127.0.0.1'));
    const closed = Promise.all(sockets.slice(5).map((socket) => once(socket, 'close')));
    for (const socket of sockets) socket.on('error', () => undefined);
    await closed;
    sockets[0]?.destroy();
    // The place is free as soon as the server has seen the end of that socket.
    while ((await refusal(world.url('/CP1'))) !== 101);
    for (const socket of sockets) socket.destroy();
  });

  it('stations that are connected do not count as sockets that say nothing', async () => {
    world = await startServer({ maxHalfOpenPerAddress: 3 });
    for (let i = 0; i < 10; i++) await dial(world.url(`/CP${i}`));
    assert.equal(world.server.size, 10);
  });

  it('stations at once are bounded; a known one may still replace its own connection', async () => {
    world = await startServer({ maxStations: 2 });
    await dial(world.url('/CP1'));
    await dial(world.url('/CP2'));
    assert.equal(await refusal(world.url('/CP3')), 503);
    await dial(world.url('/CP2'));
  });

  it('stop closes the stations (1001), waits for them, and the port can be used again at once', async () => {
    world = await startServer();
    const first = world;
    const stations = await Promise.all(Array.from({ length: 20 }, (_, i) => dial(first.url(`/CP${i}`))));
    const codes = stations.map(closing);
    await first.stop();
    assert.ok((await Promise.all(codes)).every(([code]) => code === 1001));
    assert.equal(first.log.filter((entry) => entry.startsWith('-')).length, 20);
    world = await startServer({ listen: { port: first.port, host: '127.0.0.1' } });
    assert.equal(world.port, first.port);
    await dial(world.url('/CP1'));
  });

  it('stop does not wait for stations that are gone without a word, nor for half an upgrade', async () => {
    world = await startServer();
    const dead = await dial(world.url('/CP1'));
    dead.pause();
    const half = net.connect(world.port, '127.0.0.1');
    half.on('error', () => undefined);
    await once(half, 'connect');
    half.write(upgrade('/CP2').slice(0, 40));
    await world.stop();
    assert.deepEqual(world.log, ['+CP1', '-CP1']);
    dead.terminate();
  });

  it('a busy port is told once and tried until it is free (ocpp-rpc: uncaught EADDRINUSE)', async () => {
    const other = http.createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as net.AddressInfo;
    const alerts: [string, boolean, unknown][] = [];
    let tried = 0;
    const events = {
      access: () => ({}),
      ends: () => {
        throw new Error('no station comes');
      },
      connected: () => undefined,
      disconnected: () => undefined,
      alert: ({ code, active, args }: { code: string; active: boolean; args: object }) =>
        alerts.push([code, active, args]),
    };
    const options = { listen: { port, host: '127.0.0.1' }, securityProfile: 0, retrySeconds: 0.01 } as const;
    const listen = net.Server.prototype.listen;
    net.Server.prototype.listen = function (this: net.Server, ...args: Parameters<typeof listen>) {
      tried += 1;
      if (tried === 4) other.close();
      return listen.apply(this, args);
    } as typeof listen;
    try {
      const server = new OcppServer(options, events);
      assert.equal(await server.start(), port);
      assert.ok(tried >= 4);
      const args = { port, reason: 'another program listens there', inUse: true };
      assert.deepEqual(alerts, [
        ['ocpp-port', true, args],
        ['ocpp-port', false, args],
      ]);
      await server.stop();
    } finally {
      net.Server.prototype.listen = listen;
    }
    world = await startServer();
  });

  it('can be stopped while it waits for its port', async () => {
    const other = await startServer();
    const options = { listen: { port: other.port, host: '127.0.0.1' }, securityProfile: 0 } as const;
    let told: () => void = () => undefined;
    const busy = new Promise<void>((resolve) => {
      told = resolve;
    });
    const server = new OcppServer(options, {
      access: () => undefined,
      ends: () => {
        throw new Error('no station comes');
      },
      connected: () => undefined,
      disconnected: () => undefined,
      alert: () => told(),
    });
    const started = server.start();
    await busy;
    await server.stop();
    assert.equal(await started, undefined);
    world = other;
  });

  it('who listens may fail: the station is refused, the process lives', async () => {
    world = await startServer({}, (identity) => {
      if (identity === 'bad') throw new Error('no database');
      return {};
    });
    assert.equal(await refusal(world.url('/bad')), 404);
    assert.equal(world.alerts[0]?.[0].code, 'ocpp-internal');
    assert.equal(await refusal(world.url('/CP1')), 101);
  });

  it('connecting again gives no new burst', async () => {
    const connection = { rate: { perSecond: 10, burst: 100, patience: 30 } };
    world = await startServer({ connection }, () => ({}), { now: () => 0, wallClock: () => Date.now() });
    for (let round = 0; round < 2; round++) {
      const ws = await dial(world.url('/CP1'));
      for (let i = 0; i < 60; i++) ws.send('[2,"1","Heartbeat",{}]');
      await world.until(() => world.faults.length === round);
      if (round === 0) {
        await ask(ws, [2, '1', 'Heartbeat', {}]);
        ws.close();
        await world.until(() => world.log.includes('-CP1'));
      }
    }
    assert.equal(world.faults[0]?.[0], 'throttled');
  });

  it('a station that sends and does not read is closed before it fills the memory; the others are answered', async () => {
    world = await startServer({ connection: { rate: { perSecond: 1e6, burst: 1e6, patience: 30 } } });
    const good = await dial(world.url('/good'));
    world.request = (identity) => {
      const data = identity === 'good' ? 'x' : 'x'.repeat(10_000);
      return { response: { ok: true, payload: { status: 'Accepted', data } } };
    };
    const deaf = await dial(world.url('/deaf'));
    deaf.pause();
    while (!world.log.includes('-deaf')) {
      for (let i = 0; i < 100; i++) deaf.send('[2,"1","DataTransfer",{"vendorId":"v"}]');
      assert.equal((await ask(good, [2, '1', 'DataTransfer', { vendorId: 'v' }]))[0], 3);
    }
    assert.equal(world.faults[0]?.[0], 'not-reading');
    deaf.terminate();
  });

  it('a peer that is gone without a word is found', async () => {
    let now = 0;
    world = await startServer({}, () => ({}), { now: () => now, wallClock: () => Date.now() });
    const dead = await dial(world.url('/dead'));
    dead.pause();
    const good = await dial(world.url('/good'));
    now += 30_000;
    const pinged = once(good, 'ping');
    world.server.tick();
    await pinged;
    // Its pong has arrived when what it sends after that is answered.
    await ask(good, [2, '1', 'Heartbeat', {}]);
    now += 20_000;
    world.server.tick();
    await world.until(() => world.log.includes('-dead'));
    assert.equal((await ask(good, [2, '1', 'Heartbeat', {}]))[0], 3);
    assert.deepEqual(world.log, ['+dead', '+good', '-dead']);
    dead.terminate();
  });

  it('a flood of frames and of pings is read slowly, then closed; the others are answered', async () => {
    let now = 0;
    const connection = { rate: { perSecond: 10, burst: 100, patience: 30 } };
    world = await startServer({ connection }, () => ({}), { now: () => now, wallClock: () => Date.now() });
    const good = await dial(world.url('/good'));
    for (const send of ['message', 'ping'] as const) {
      const flood = await dial(world.url('/flood'));
      const closed = once(flood, 'close');
      for (let i = 0; i < 5000; i++) {
        if (send === 'ping') flood.ping('x');
        else flood.send('[2,"1","Heartbeat",{}]');
      }
      await world.until(() => world.faults.some(([kind]) => kind === 'throttled'));
      assert.equal((await ask(good, [2, '1', 'Heartbeat', {}]))[0], 3);
      now += 31_000;
      world.server.tick();
      await closed;
      // Pings that are sent faster than their answers are taken end the connection in ws already.
      if (send === 'message') assert.equal(world.faults.at(-1)?.[0], 'flood');
      world.faults.length = 0;
    }
  });
});

describe('OCPP server on the server of somebody else', () => {
  it('leaves upgrades of other paths alone, and the server open when it stops', async () => {
    const host = http.createServer((_request, response) => response.end('editor'));
    const other: string[] = [];
    host.on('upgrade', (request, socket) => {
      if (!request.url?.startsWith('/comms')) return;
      other.push(request.url);
      socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n');
    });
    host.listen(0, '127.0.0.1');
    await once(host, 'listening');
    const { port } = host.address() as net.AddressInfo;
    const world = await startServer({ listen: { server: host } });
    assert.equal(world.port, 0);
    const url = (path: string) => `ws://127.0.0.1:${port}${path}`;
    const ws = await dial(url('/ocpp/CP1'));
    assert.equal((await ask(ws, [2, '1', 'Heartbeat', {}]))[0], 3);
    assert.equal(await refusal(url('/comms')), 418);
    assert.equal(await refusal(url('/ocpp/%ff')), 400);
    assert.deepEqual(other, ['/comms']);
    const closed = closing(ws);
    await world.stop();
    assert.equal((await closed)[0], 1001);
    assert.equal(host.listenerCount('upgrade'), 1);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'editor');
    host.closeAllConnections();
    host.close();
  });
});
