import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deviceUrl, httpGet } from '../../drivers/http.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('HTTP to devices', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  async function serve(listener: RequestListener): Promise<string> {
    server = createServer(listener);
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('answers a digest challenge as a gen 2 Shelly gives it', async () => {
    const host = await serve((request, response) => {
      const given = request.headers.authorization ?? '';
      const field = (name: string) => new RegExp(`${name}="?([^",]+)`).exec(given)?.[1] ?? '';
      const parts = [field('nonce'), field('nc'), field('cnonce'), 'auth', sha256(`GET:${request.url}`)];
      const expected = sha256([sha256('admin:shellypro3em-1:secret'), ...parts].join(':'));
      const granted = given.startsWith('Digest ') && field('nonce') === 'abc' && field('response') === expected;
      const challenge = 'Digest qop="auth", realm="shellypro3em-1", nonce="abc", algorithm=SHA-256';
      response.writeHead(granted ? 200 : 401, granted ? {} : { 'www-authenticate': challenge });
      response.end(granted ? 'in' : '');
    });
    assert.deepEqual((await httpGet('/rpc/EM.GetStatus?id=0', { host, password: 'secret' })).body, 'in');
    assert.equal((await httpGet('/rpc/EM.GetStatus?id=0', { host, password: 'wrong' })).status, 401);
    assert.equal((await httpGet('/rpc/EM.GetStatus?id=0', { host })).status, 401);
  });

  it('gives up on a device that does not answer in time', async () => {
    const host = await serve(() => undefined);
    await assert.rejects(httpGet('/status', { host, timeoutMs: 50 }), { name: 'TimeoutError' });
  });

  it('ends with the one who asked', async () => {
    const host = await serve(() => undefined);
    const abort = new AbortController();
    const answer = httpGet('/status', { host, signal: abort.signal });
    abort.abort();
    await assert.rejects(answer, { name: 'AbortError' });
  });

  it('reads no more than 64 KB and follows nobody elsewhere', async () => {
    const host = await serve((request, response) => {
      if (request.url === '/large') return response.end('x'.repeat(100_000));
      response.writeHead(302, { location: '/large' });
      return response.end();
    });
    await assert.rejects(httpGet('/large', { host }), /more than 65536 bytes/);
    await assert.rejects(httpGet('/moved', { host }));
  });

  it('takes host names and addresses, nothing that leads elsewhere', () => {
    assert.equal(deviceUrl(' http://shelly.local/ ', '/status'), 'http://shelly.local/status');
    assert.equal(deviceUrl('192.168.1.40:8080', '/'), 'http://192.168.1.40:8080/');
    assert.equal(deviceUrl('[fe80::1]', '/'), 'http://[fe80::1]/');
    for (const bad of ['a/b', 'user@host', 'host?x', 'https://x', 'a b', '', 'host:port']) {
      assert.throws(() => deviceUrl(bad, '/'), /expected a host name or an address/, bad);
    }
  });
});
