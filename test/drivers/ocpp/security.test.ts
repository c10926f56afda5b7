import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { certificateFits, identityOf, passwordFits } from '../../../drivers/ocpp/admission.ts';
import { Attempts } from '../../../drivers/ocpp/attempts.ts';
import { Takeovers } from '../../../drivers/ocpp/takeovers.ts';
import { type Certified, certificate } from '../../helpers/certificates.ts';
import { ask, basic, dial, refusal, startServer, type TestServer } from './harness.ts';

const header = (user: string, password: string | Uint8Array) =>
  (basic(user, password).headers as { Authorization: string }).Authorization;

describe('OCPP identities', () => {
  it('are the last segment of the path, decoded', () => {
    assert.deepEqual(identityOf('/CP1', '/'), { identity: 'CP1', wire: 'CP1' });
    assert.deepEqual(identityOf('/ocpp/CP1/', '/ocpp/'), { identity: 'CP1', wire: 'CP1' });
    assert.deepEqual(identityOf('/a/b/DE*ABC%3AE1?x=/y', ''), { identity: 'DE_ABC_E1', wire: 'DE*ABC:E1' });
    assert.equal(identityOf('/ocppx/CP1', '/ocpp'), undefined);
    assert.equal(identityOf('/ocpp', '/ocpp'), undefined);
    for (const bad of ['%ff', '%2F', '%2e%2e%2f', 'ä', '%C3%A4', '%00', 'x'.repeat(37), '%22', '$x']) {
      assert.equal((identityOf(`/${bad}`, '/') as { status: number }).status, 400, bad);
    }
  });
});

describe('OCPP passwords', () => {
  it('are the bytes after the identity, which may contain a colon', () => {
    assert.ok(passwordFits(header('CP:1', 'se:cret'), 'CP:1', 'se:cret'));
    assert.ok(!passwordFits(header('CP', '1:se:cret'), 'CP:2', 'se:cret'));
    assert.ok(!passwordFits(header('CP1', 'secret '), 'CP1', 'secret'));
    assert.ok(!passwordFits(header('CP1', ''), 'CP1', 'secret'));
    for (const wrong of [undefined, '', 'Basic', 'Basic %%%', 'Bearer x', `Basic ${'A'.repeat(5000)}`]) {
      assert.ok(!passwordFits(wrong, 'CP1', 'secret'));
    }
  });

  it('an AuthorizationKey is taken as its bytes and as its hexadecimal text, any bytes included', () => {
    const key = Buffer.from('00ff3a0a80c1fe7f0001020304050607aabbccdd', 'hex');
    assert.ok(passwordFits(header('CP1', key), 'CP1', key.toString('hex')));
    assert.ok(passwordFits(header('CP1', key), 'CP1', key.toString('hex').toUpperCase()));
    assert.ok(passwordFits(header('CP1', key.toString('hex')), 'CP1', key.toString('hex')));
    assert.ok(passwordFits(header('CP1', key), 'CP1', key));
    assert.ok(!passwordFits(header('CP1', key.subarray(1)), 'CP1', key));
    // 15 bytes are no AuthorizationKey: the text is the password.
    const short = key.toString('hex').slice(0, 30);
    assert.ok(!passwordFits(header('CP1', Buffer.from(short, 'hex')), 'CP1', short));
  });
});

describe('OCPP attempts that fail', () => {
  it('cost more and more time, and are forgotten', () => {
    const attempts = new Attempts();
    for (let i = 0; i < 3; i++) {
      assert.equal(attempts.wait('a', 'CP1', 0), 0);
      attempts.failed('a', 'CP1', 0);
    }
    assert.equal(attempts.wait('a', 'CP1', 0), 1000);
    assert.equal(attempts.wait('a', 'CP1', 1000), 0);
    attempts.failed('a', 'CP1', 1000);
    assert.equal(attempts.wait('a', 'CP1', 1000), 2000);
    for (let i = 0; i < 20; i++) attempts.failed('a', 'CP1', 1000);
    assert.equal(attempts.wait('a', 'CP1', 1000), 60_000);
    assert.equal(attempts.wait('a', 'CP1', 700_000), 0);
  });

  it('of many names from one address are bounded; who has proved itself there is not locked out', () => {
    const attempts = new Attempts();
    attempts.succeeded('nat', 'good', 0);
    let tried = 0;
    for (let i = 0; i < 10_000; i++) {
      if (attempts.wait('nat', `CP${i}`, i) > 0) continue;
      attempts.failed('nat', `CP${i}`, i);
      tried += 1;
    }
    assert.ok(tried <= 71, String(tried));
    assert.equal(attempts.wait('nat', 'good', 10_000), 0);
    assert.equal(attempts.wait('elsewhere', 'CP1', 10_000), 0);
  });
});

describe('OCPP takeovers', () => {
  it('a fight is told once, slows down more and more, and ends', () => {
    const takeovers = new Takeovers(60_000);
    const holds: number[] = [];
    let told = 0;
    for (let now = 0, i = 0; i < 9; i++) {
      now += takeovers.hold('CP1', now);
      if (takeovers.replaced('CP1', true, now).fight) told += 1;
      holds.push(takeovers.hold('CP1', now));
    }
    assert.equal(told, 1);
    assert.deepEqual(holds.slice(0, 6), [0, 0, 0, 5000, 10_000, 20_000]);
    assert.ok(holds.every((hold) => hold <= 60_000));
    assert.deepEqual(takeovers.ended(1e6), [{ identity: 'CP1', fight: true, args: {} }]);
    assert.equal(takeovers.hold('CP1', 1e6), 0);
    assert.deepEqual(takeovers.ended(2e6), []);
  });

  it('a station whose old connection is dead each time fights nobody, however often it comes back', () => {
    const takeovers = new Takeovers(60_000);
    for (let i = 0; i < 100; i++)
      assert.deepEqual(takeovers.replaced('CP1', false, i), { first: i === 0, fight: false });
    assert.equal(takeovers.hold('CP1', 100), 0);
    assert.deepEqual(takeovers.ended(1e6), [{ identity: 'CP1', fight: false, args: {} }]);
  });

  it('a station that reconnects now and then fights nobody', () => {
    const takeovers = new Takeovers(60_000);
    for (let i = 0; i < 100; i++) assert.ok(!takeovers.replaced('CP1', true, i * 60_000).fight);
    assert.equal(takeovers.hold('CP1', 99 * 60_000), 0);
  });
});

describe('OCPP security profiles', () => {
  let world: TestServer;
  let folder: string;
  let root: Certified;
  const file = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ocpp-tls-'));
    root = certificate('Test root');
    const { cert, key } = certificate('localhost', root);
    file('server.pem', cert);
    file('server.key', key);
    file('root.pem', root.cert);
  });
  after(() => fs.rmSync(folder, { recursive: true }));
  afterEach(() => world.stop());
  const tls = () => ({
    cert: path.join(folder, 'server.pem'),
    key: path.join(folder, 'server.key'),
    ca: path.join(folder, 'root.pem'),
  });

  it('1: a password per station; without, or with a wrong one, 401 and no connection', async () => {
    world = await startServer({ securityProfile: 1 }, (identity) =>
      identity === 'open' ? {} : { password: identity === 'empty' ? '' : `${identity}-secret` },
    );
    const url = world.url('/ocpp/CP1');
    assert.equal(await refusal(url), 401);
    assert.equal(await refusal(url, basic('CP1', 'wrong')), 401);
    assert.equal(await refusal(url, basic('CP2', 'CP1-secret')), 401);
    assert.equal(world.server.size, 0);
    assert.equal(await refusal(world.url('/open'), basic('open', '')), 401, 'no password set: nobody gets in');
    assert.equal(await refusal(world.url('/empty'), basic('empty', '')), 401);
    assert.equal(await refusal(world.url('/CP2'), basic('CP2', 'CP2-secret')), 101);
    assert.equal(world.stations[0]?.authenticated, true);
  });

  it('wrong passwords are slowed down and told; the right one gets in afterwards, which is told, too', async () => {
    let now = 0;
    const clock = { now: () => now, wallClock: () => 0 };
    world = await startServer({ securityProfile: 1 }, () => ({ password: 'right' }), clock);
    const url = world.url('/CP1');
    for (let i = 0; i < 3; i++) assert.equal(await refusal(url, basic('CP1', 'wrong')), 401);
    assert.equal(await refusal(url, basic('CP1', 'right')), 429, 'nothing is compared while it has to wait');
    assert.equal(await refusal(world.url('/CP2'), basic('CP2', 'right')), 101);
    now += 1000;
    assert.equal(await refusal(url, basic('CP1', 'right')), 101);
    const told = world.alerts.filter(([, identity]) => identity === 'CP1').map(([{ code, active }]) => [code, active]);
    assert.deepEqual(told, [
      ['ocpp-refused-401', true],
      ['ocpp-refused-429', true],
      ['ocpp-refused-401', false],
      ['ocpp-refused-429', false],
    ]);
  });

  it('a duplicate identity without the password does not touch the connection that is there', async () => {
    world = await startServer({ securityProfile: 1 }, () => ({ password: 'right' }));
    const ws = await dial(world.url('/CP1'), basic('CP1', 'right'));
    assert.equal(await refusal(world.url('/CP1'), basic('CP1', 'wrong')), 401);
    assert.equal((await ask(ws, [2, '1', 'Heartbeat', {}]))[0], 3);
    assert.deepEqual(world.log, ['+CP1']);
  });

  it('0: a password is asked for where one is set', async () => {
    world = await startServer({}, (identity) => (identity === 'CP1' ? { password: 'secret' } : {}));
    assert.equal(await refusal(world.url('/CP1')), 401);
    assert.equal(await refusal(world.url('/CP1'), basic('CP1', 'secret')), 101);
    assert.equal(await refusal(world.url('/CP2')), 101);
    assert.deepEqual(
      world.stations.map(({ authenticated }) => authenticated),
      [true, false],
    );
  });

  it('2: TLS from 1.2 on, with a password', async () => {
    world = await startServer({ securityProfile: 2, tls: tls() }, () => ({ password: 'secret' }));
    const ca = root.cert;
    const ws = await dial(world.url('/CP1'), { ca, ...basic('CP1', 'secret') });
    assert.equal((await ask(ws, [2, '1', 'Heartbeat', {}]))[0], 3);
    assert.equal(await refusal(world.url('/CP2'), { ca }), 401);
    const old = {
      ca,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1.1',
      ciphers: 'ALL@SECLEVEL=0',
      ...basic('CP3', 'secret'),
    };
    await assert.rejects(dial(world.url('/CP3'), old as object), /alert|protocol|EPROTO/i);
    await assert.rejects(dial(world.url('/CP3').replace('wss', 'ws'), basic('CP3', 'secret')));
    assert.equal(world.server.size, 1);
  });

  it('stations over TLS do not count as sockets that say nothing', async () => {
    world = await startServer({ securityProfile: 2, tls: tls(), maxHalfOpenPerAddress: 2 }, () => ({
      password: 'secret',
    }));
    for (let i = 0; i < 6; i++) await dial(world.url(`/CP${i}`), { ca: root.cert, ...basic(`CP${i}`, 'secret') });
    assert.equal(world.server.size, 6);
  });

  it('2 and 3 on a server without TLS let nobody in', async () => {
    world = await startServer({ securityProfile: 1 }, () => ({ password: 'secret' }));
    await world.stop();
    const http = await import('node:http');
    const host = http.createServer();
    host.listen(0, '127.0.0.1');
    await new Promise((resolve) => host.once('listening', resolve));
    world = await startServer({ listen: { server: host }, securityProfile: 2 }, () => ({ password: 'secret' }));
    const { port } = host.address() as { port: number };
    assert.equal(await refusal(`ws://127.0.0.1:${port}/ocpp/CP1`, basic('CP1', 'secret')), 403);
    host.close();
  });

  it('3: a certificate with the identity as common name, of an authority that is trusted', async () => {
    world = await startServer({ securityProfile: 3, tls: tls() });
    const shown = ({ cert, key }: Certified) => ({ ca: root.cert, cert, key });
    const ws = await dial(world.url('/CP1'), shown(certificate('CP1', root)));
    assert.equal((await ask(ws, [2, '1', 'Heartbeat', {}]))[0], 3);
    assert.equal(world.stations[0]?.authenticated, true);
    assert.equal(await refusal(world.url('/CP2'), { ca: root.cert }), 401);
    assert.equal(await refusal(world.url('/CP2'), shown(certificate('CP1', root))), 401);
    assert.equal(await refusal(world.url('/CP2'), shown(certificate('CP2', certificate('Test root')))), 401);
    assert.equal(await refusal(world.url('/CP3'), shown(certificate('CP3', root))), 101);
    assert.match(String(world.alerts[0]?.[0].args.reason), /^client certificate: /);
    assert.equal(certificateFits({ authorized: true, getPeerCertificate: () => null }, 'CP1')?.status, 401);
  });

  it('renewed certificates are taken while stations are connected; files that are broken are told and change nothing', async () => {
    const renewed = certificate('localhost', certificate('Other root'));
    const files = {
      cert: file('renewed.pem', fs.readFileSync(tls().cert, 'utf8')),
      key: file('renewed.key', fs.readFileSync(tls().key, 'utf8')),
    };
    world = await startServer({ securityProfile: 2, tls: files }, () => ({ password: 'secret' }));
    const ws = await dial(world.url('/CP1'), { ca: root.cert, ...basic('CP1', 'secret') });
    file('renewed.pem', 'broken');
    for (let i = 0; i < 2; i++) world.server.reloadCertificates();
    assert.equal(await refusal(world.url('/CP2'), { ca: root.cert, ...basic('CP2', 'secret') }), 101);
    file('renewed.pem', renewed.cert);
    file('renewed.key', renewed.key);
    world.server.reloadCertificates();
    await assert.rejects(dial(world.url('/CP3'), { ca: root.cert, ...basic('CP3', 'secret') }), /certificate/);
    assert.equal((await ask(ws, [2, '1', 'Heartbeat', {}]))[0], 3);
    assert.deepEqual(
      world.alerts.map(([{ code, active }]) => [code, active]),
      [
        ['ocpp-certificates', true],
        ['ocpp-certificates', false],
      ],
    );
  });

  it('certificate files that are missing are told, and read again until they are there', async () => {
    world = await startServer();
    await world.stop();
    const wanted = path.join(folder, 'later.pem');
    const { OcppServer } = await import('../../../drivers/ocpp/server.ts');
    const reasons: [unknown, boolean][] = [];
    const server = new OcppServer(
      {
        listen: { port: 0, host: '127.0.0.1' },
        securityProfile: 2,
        tls: { ...tls(), cert: wanted },
        retrySeconds: 0.01,
      },
      {
        access: () => undefined,
        ends: () => {
          throw new Error('no station comes');
        },
        connected: () => undefined,
        disconnected: () => undefined,
        alert: ({ args, active }) => {
          reasons.push([args.reason, active]);
          if (active) fs.copyFileSync(tls().cert, wanted);
        },
      },
    );
    assert.ok(((await server.start()) ?? 0) > 0);
    await server.stop();
    assert.match(String(reasons[0]?.[0]), /ENOENT.*later\.pem/);
    assert.deepEqual(
      reasons.map(([, active]) => active),
      [true, false],
    );
  });
});
