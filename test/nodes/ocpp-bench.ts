/** The node ocpp-central in Node-RED's test helper, with simulated stations of the plant. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SiteRegistry } from '../../nodes/dlm-site/registry.ts';
import ocppCentral from '../../nodes/ocpp-central/ocpp-central.ts';
import { type FeederRun, type FeederStation, runFeeder } from '../../simulator/ocpp/run-feeder.ts';
import { freePort } from '../helpers/free-port.ts';
import type { Message } from './devices.ts';
import { type FlowNode, helper, load, MAIN, SITE } from './helper.ts';

export const ROW = { identity: 'CP001', circuit: 'main', rotation: 'L2,L3,L1', maxCurrent: 16, safeCurrent: 6 };

export const CENTRAL: FlowNode = {
  id: 'central',
  type: 'ocpp-central',
  site: 'site',
  listen: 'port',
  port: '',
  host: '127.0.0.1',
  path: '/ocpp',
  security: '0',
  certificate: '',
  key: '',
  ca: '',
  stations: [ROW],
  unknown: 'refuse',
  unknownCircuit: '',
  unknownMaximum: 32,
  idTags: '',
  meterSeconds: 1,
  profileSeconds: 300,
  wires: [['out'], ['alerts']],
};

export class OcppBench {
  port = 0;
  /** What the two outputs have sent since the last `load`. */
  readonly sent: Message[] = [];
  readonly alerts: Message[] = [];
  /** Status texts, the same one only once in a row. */
  readonly statuses: string[] = [];
  readonly userDir = mkdtempSync(path.join(tmpdir(), 'fusewise-'));
  readonly #runs: FeederRun[] = [];
  #sequence = 0;

  async start(): Promise<void> {
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
    helper.settings({ userDir: this.userDir } as never);
    this.port = await freePort();
  }

  async stop(): Promise<void> {
    for (const run of this.#runs.splice(0)) await run.stop();
    await helper.unload();
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    rmSync(this.userDir, { recursive: true, force: true });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ocpp`;
  }

  get registry(): SiteRegistry {
    return (helper.getNode('site') as unknown as { registry: SiteRegistry }).registry;
  }

  /** `central`: over the fields of `CENTRAL`. */
  async load(central: object = {}, passwords?: object, others: FlowNode[] = []): Promise<void> {
    const listeners = ['out', 'alerts'].map((id) => ({ id, type: 'helper' }));
    const credentials: Record<string, Record<string, string>> = {};
    if (passwords) credentials.central = { passwords: JSON.stringify(passwords) };
    const node = { ...CENTRAL, port: String(this.port), ...central };
    await load([SITE, MAIN, ...listeners, ...others, node], [ocppCentral], credentials);
    for (const list of [this.sent, this.alerts, this.statuses]) list.length = 0;
    helper.getNode('out').on('input', (msg) => this.sent.push(msg as Message));
    helper.getNode('alerts').on('input', (msg) => this.alerts.push(msg as Message));
    const emitter = helper.getNode('central') as unknown as NodeJS.EventEmitter;
    emitter.on('call:status', (call: { firstArg: { text: string } }) => {
      const { text } = call.firstArg;
      if (this.statuses.at(-1) !== text) this.statuses.push(text);
    });
  }

  /** Stations in real time, a vehicle plugged in at each. */
  stations(stations: FeederStation[], url = this.url): FeederRun {
    const wire = { backOff: { first: 100, longest: 500 } };
    const run = runFeeder({
      url,
      stations: stations.map((s) => ({ ...s, wire: { ...wire, ...s.wire } })),
      periodMs: 50,
    });
    this.#runs.push(run);
    return run;
  }

  setpoint(id: string, current: unknown, more: object = {}): Message {
    this.#sequence += 1;
    const reason = { code: 'circuit', args: {}, text: '' };
    const payload = {
      at: Date.now(),
      sequence: this.#sequence,
      current,
      validFor: 60,
      reason,
      binding: 'max',
      ...more,
    };
    return { topic: `setpoint/${id}`, payload };
  }

  receive(message: object): void {
    helper.getNode('central').receive(message as never);
  }

  /** `+code id` where it was raised, `-code id` where it ended. */
  told(): string[] {
    return this.alerts.map(({ topic, payload }) => `${payload.active ? '+' : '-'}${payload.code} ${topic.slice(6)}`);
  }

  /** The newest report of a charger. */
  last(id: string): Record<string, unknown> | undefined {
    return this.sent.findLast(({ topic }) => topic === `charger/${id}`)?.payload;
  }

  /** Settles when the condition holds. */
  async until(condition: () => boolean, what: () => unknown = () => '', ms = 15_000): Promise<void> {
    const end = performance.now() + ms;
    while (!condition()) {
      if (performance.now() > end) {
        const state = { said: what(), told: this.told(), statuses: this.statuses, last: this.sent.at(-1) };
        throw new Error(`not within ${ms} ms: ${JSON.stringify(state)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** The error with which a node refuses the next message. */
export function refusal(id: string): Promise<string> {
  return new Promise((resolve) =>
    helper.getNode(id).once('call:error', (call: { firstArg: unknown }) => resolve(String(call.firstArg))),
  );
}
