/** What the system tests run on: the whole of `npm start`, and the machine's own browser. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export interface Running {
  url: string;
  log(): string;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves when the condition holds; the caller's test has the time limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await setTimeout(20);
}

/** `npm start` with a user directory of its own; `prepare` may put something into it first. */
export async function startFusewise(
  env: Record<string, string>,
  prepare: (userDir: string) => void = () => undefined,
): Promise<Running> {
  const port = String(await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'fusewise-system-'));
  prepare(folder);
  const args = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', join(ROOT, 'scripts/start.ts')];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, HOME: folder, PORT: port, USER_DIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const running = follow(child, `http://127.0.0.1:${port}`, folder);
  await until(() => {
    if (child.exitCode !== null) throw new Error(running.log());
    return running.log().includes('Started flows');
  });
  return running;
}

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: installed(CHROMIUM, 'chromium'), args: ['--no-sandbox'] });
}

function installed(paths: string[], name: string): string {
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} is missing; on Debian: apt-get install ${name}`);
  return found;
}

function follow(child: ChildProcess, url: string, folder: string): Running {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data) => {
      text += data;
    });
  }
  return {
    url,
    log: () => text,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
