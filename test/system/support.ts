/** What the system tests run on: the whole of `npm start`, and the machine's own browser. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { freePort } from '../helpers/free-port.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export interface Running {
  url: string;
  log(): string;
  stop(): Promise<void>;
}

/** Resolves when the condition holds; the caller's test has the time limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await setTimeout(20);
}

export interface StartOptions {
  /** Its clocks run so many times as fast. */
  clockFactor?: number;
  /** May put something into the user directory first. */
  prepare?: (userDir: string) => void;
}

/** Environment of processes whose clocks run `factor` times as fast, all from `began` (epoch ms) on. */
export function fastClock(factor: number, began = Date.now()): Record<string, string> {
  const file = new URL('./fast-clock.mjs', import.meta.url);
  return { NODE_OPTIONS: `--import ${file}`, CLOCK_FACTOR: String(factor), CLOCK_BEGAN: String(began) };
}

/** `npm start` with a user directory of its own. */
export async function startFusewise(
  env: Record<string, string>,
  { clockFactor = 1, prepare = () => undefined }: StartOptions = {},
): Promise<Running> {
  const port = String(await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'fusewise-system-'));
  prepare(folder);
  const args = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', join(ROOT, 'scripts/start.ts')];
  const child = spawn(process.execPath, args, {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      PORT: port,
      USER_DIR: folder,
      ...(clockFactor === 1 ? {} : fastClock(clockFactor)),
      ...env,
    },
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

declare const axe: {
  run(
    context: { include: string[] },
    options: { runOnly: string[] },
  ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
};

/** What an automated check (axe-core, WCAG 2 A and AA, contrast included) finds wrong in our widgets. */
export async function inaccessible(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: fileURLToPath(import.meta.resolve('axe-core')) });
  return page.evaluate(async () => {
    const options = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] };
    const { violations } = await axe.run({ include: ['.nrdb-ui-widget'] }, options);
    return violations.flatMap(({ id, nodes }) => nodes.map((n) => `${id}: ${n.html} ${n.failureSummary}`));
  });
}
