/** The clock that the simulated day runs on: each case is a process of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';

const BEGAN = Date.UTC(2026, 2, 9, 23);
const CLOCK = String(new URL('./stepped-clock.ts', import.meta.url));

/** What a program says on the stepped clock, as JSON. It is killed after 20 s. */
async function run(program: string, env: Record<string, string> = {}): Promise<unknown> {
  const text = `import { clock } from ${JSON.stringify(CLOCK)}; clock.setSpeed(Infinity);
    const say = (value) => { process.stdout.write(JSON.stringify(value)); process.exit(0); };
    ${program}`;
  const args = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', '--import', CLOCK];
  const { stdout } = await promisify(execFile)(process.execPath, [...args, '--input-type=module', '--eval', text], {
    env: { PATH: process.env.PATH, CLOCK_BEGAN: String(BEGAN), ...env },
    timeout: 20_000,
  });
  return JSON.parse(stdout);
}

describe('the stepped clock', () => {
  it('lets a day pass at once, each timer at its moment and in its order', async () => {
    const said = await run(`
      import { setTimeout as passes } from 'node:timers/promises';
      import { setTimeout as later, clearInterval as end } from 'node:timers';
      import { promisify } from 'node:util';
      const order = [];
      setTimeout((name) => order.push(name, performance.now()), 20, 'third');
      later(() => order.push('second', performance.now()), 10);
      setTimeout(() => order.push('first', performance.now()));
      const never = setTimeout(() => order.push('never'), 15);
      setTimeout(() => clearTimeout(+never), 14);
      const again = setTimeout(() => order.push('again', performance.now()), 18);
      setTimeout(() => again.refresh(), 17);
      let ticks = 0;
      const timer = setInterval(() => { ticks += 1; if (ticks === 3600) end(timer); }, 1000);
      await passes(43_200_000);
      await promisify(setTimeout)(43_200_000);
      say({ order, ticks, now: performance.now(), date: new Date().getTime(), other: new Date(5).getTime() });`);
    const order = ['first', 1, 'second', 10, 'third', 20, 'again', 35];
    assert.deepEqual(said, { order, ticks: 3600, now: 86_400_000, date: BEGAN + 86_400_000, other: 5 });
  });

  it('stands still while sockets of the process, immediates or files have something to do', async () => {
    const said = await run(`
      import { createServer, connect } from 'node:net';
      import { readFile } from 'node:fs/promises';
      import { fileURLToPath } from 'node:url';
      import { once } from 'node:events';
      const server = createServer((socket) => socket.on('data', (data) => setImmediate(() => socket.write(data))));
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const socket = connect(server.address().port, '127.0.0.1');
      await once(socket, 'connect');
      setInterval(() => undefined, 1);
      socket.write('hello');
      await once(socket, 'data');
      const began = performance.now();
      for (let i = 0; i < 500; i++) {
        const heard = once(socket, 'data');
        socket.write('x'.repeat(1 + (i % 5)));
        await heard;
      }
      socket.write(Buffer.alloc(20_000_000));
      for (let read = 0; read < 20_000_000; ) read += (await once(socket, 'data'))[0].length;
      const talk = performance.now() - began;
      for (let i = 0; i < 100; i++) await new Promise((turn) => setImmediate(turn));
      for (let i = 0; i < 50; i++) await readFile(fileURLToPath(${JSON.stringify(CLOCK)}));
      say({ talk, all: performance.now() - began });`);
    assert.deepEqual(said, { talk: 0, all: 0 });
  });

  it('waits for the answer of another process after 4 s of its own', async () => {
    const server = createServer((_request, response) => setTimeout(() => response.end('late'), 300));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const port = (server.address() as AddressInfo).port;
    const said = await run(
      `
      import { get } from 'node:http';
      setInterval(() => undefined, 250);
      const began = performance.now();
      const text = await new Promise((done) => get('http://127.0.0.1:' + process.env.ASKED, (response) => response.on('data', done)));
      say({ text: String(text), took: performance.now() - began });`,
      { ASKED: String(port) },
    );
    server.close();
    const { text, took } = said as { text: string; took: number };
    assert.equal(text, 'late');
    assert.ok(took > 3000 && took <= 4000, `${took}`);
  });
});
