/** `npm start` as a child process, on free loopback ports and with a user directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../helpers/free-port.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

export class RunningHome {
  log = '';
  readonly userDir = mkdtempSync(join(tmpdir(), 'fusewise-home-'));
  port = 0;
  #child?: ChildProcess;
  readonly #env: Record<string, string>;

  constructor(env: Record<string, string>) {
    this.#env = env;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when the flows have started. `args`: as after `npm start --`. */
  async start(...args: string[]): Promise<void> {
    this.port ||= await freePort();
    const env = { ...process.env, ...this.#env, PORT: String(this.port), USER_DIR: this.userDir };
    const child = spawn(
      process.execPath,
      ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', 'scripts/start.ts', ...args],
      {
        cwd: ROOT,
        env,
        detached: true,
      },
    );
    this.#child = child;
    const from = this.log.length;
    await new Promise<void>((started, failed) => {
      const read = (data: Buffer) => {
        this.log += data;
        if (this.log.slice(from).includes('Started flows')) started();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', (code) =>
        failed(new Error(`ended with ${code} before the flows started:\n${this.log.slice(from)}`)),
      );
    });
  }

  /** Ends it as Ctrl-C does, or as a power cut does: then nothing can be saved. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child?.pid || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    // The group: Node-RED is a child of the process that was started.
    process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.userDir, { recursive: true, force: true });
  }
}
