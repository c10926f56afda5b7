/** The tab History of flows/home.json in this process, with its own wires: the real history node before the real contrib node. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { NodeInitializer } from 'node-red';
import dlmAllocator from '../../nodes/dlm-allocator/dlm-allocator.ts';
import { answerOf } from '../../nodes/dlm-history/answer.ts';
import dlmHistory from '../../nodes/dlm-history/dlm-history.ts';
import { type FlowNode, helper, load } from '../nodes/helper.ts';
import type { Influx } from './influxd.ts';
import type { VirtualTime } from './virtual-time.ts';

const require = createRequire(import.meta.url);
const core = createRequire(require.resolve('node-red'));
const TYPES: NodeInitializer[] = [
  dlmHistory,
  require('node-red-contrib-influxdb'),
  ...['24-complete', '25-catch', '60-link', '90-comment'].map((name) => core(`@node-red/nodes/core/common/${name}.js`)),
];
const TAB = 'home-influx';

interface Message {
  topic: string;
  payload: Record<string, unknown>;
}

export class HistoryFlow {
  /** Batches that went to the database, points in them, and errors that it answered with. */
  sent = 0;
  points = 0;
  failures = 0;
  #answered = 0;
  readonly #userDir = mkdtempSync(join(tmpdir(), 'fusewise-'));
  readonly alerts: Record<string, unknown>[] = [];
  readonly #time?: VirtualTime;

  /** Without a time of its own it runs in the real one. */
  constructor(time?: VirtualTime) {
    this.#time = time;
  }

  /** `settings`: fields of the history node; `more`: nodes beside the tab. */
  async start(database: Influx, site: string, settings: object = {}, more: readonly FlowNode[] = []): Promise<void> {
    Object.assign(process.env, {
      INFLUX_URL: database.url,
      INFLUX_HOST: database.host,
      INFLUX_PORT: String(database.port),
      INFLUX_PROTOCOL: 'http',
      INFLUX_DB: 'dlm',
    });
    const all = JSON.parse(readFileSync(new URL('../../flows/home.json', import.meta.url), 'utf8')) as FlowNode[];
    const tab = all.filter((n) => n.id === TAB || n.z === TAB || n.type === 'influxdb');
    const flow = [{ ...all.find((n) => n.type === 'dlm-site'), name: site } as FlowNode, ...tab, ...more].map((n) =>
      n.type === 'dlm-history' ? { ...n, ...settings } : n,
    );
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
    helper.settings({ userDir: this.#userDir } as never);
    await load(flow, [...TYPES, dlmAllocator], { 'home-influx-db': { username: '', password: '' } });
    helper.getNode('home-influx-write').on('input', (msg) => {
      this.sent += 1;
      this.points += (msg.payload as unknown[]).length;
    });
    const history = helper.getNode('home-influx-history');
    history.on('input', (msg) => {
      const answer = answerOf(msg);
      if (!answer) return;
      this.#answered += 1;
      if (answer.refusal) this.failures += 1;
    });
    helper.getNode('home-influx-out-alert').on('input', (msg) => {
      this.alerts.push(msg.payload as Record<string, unknown>);
    });
  }

  /** What a wire brings, without waiting for what comes of it. */
  receive(message: Message): void {
    helper.getNode('home-influx-in').receive({ ...message } as never);
  }

  /**
   * What a wire brings at this moment. Time stands still while a batch is in the air. `past` the link node for whole days:
   * the helper keeps every message that a node sends.
   */
  async say(messages: readonly Message[], past = false): Promise<void> {
    const entry = helper.getNode(past ? 'home-influx-history' : 'home-influx-in');
    for (const message of messages) entry.receive({ ...message } as never);
    await this.settle();
  }

  async settle(): Promise<void> {
    await turn();
    while (this.sent > this.#answered) await turn();
  }

  /** Lets time pass with nothing to say, a second at a time. */
  async pass(seconds: number): Promise<void> {
    const time = this.#time;
    for (let i = 0; time && i < seconds; i++) {
      time.now += 1000;
      // An unknown kind with a known topic: it only lets the node look at the clock.
      await this.say([{ topic: 'surplus/none', payload: { at: time.epoch, power: 0 } }]);
    }
  }

  async stop(): Promise<void> {
    await helper.unload();
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    rmSync(this.#userDir, { recursive: true, force: true });
  }
}
