/** A real Mosquitto on a free loopback port, that can be stopped and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { freePort } from '../helpers/free-port.ts';

const BINARY = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(existsSync);

export interface Mosquitto {
  url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export async function mosquitto(): Promise<Mosquitto> {
  if (!BINARY) throw new Error('mosquitto is missing: install it first (Debian: apt-get install mosquitto)');
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'fusewise-mosquitto-'));
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const url = `mqtt://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const broker: Mosquitto = {
    url,
    async start() {
      child = spawn(BINARY, ['-c', config], { stdio: 'ignore' });
      const probe = mqtt.connect(url, { reconnectPeriod: 50 });
      probe.on('error', () => {});
      await new Promise<void>((connected) => probe.once('connect', () => connected()));
      await probe.endAsync();
    },
    async stop() {
      if (!child) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      child = undefined;
    },
  };
  await broker.start();
  process.once('exit', () => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return broker;
}
