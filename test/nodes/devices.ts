/** Simulated devices on a loopback broker, and a flow that uses them. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Node, NodeInitializer } from 'node-red';
import goECharger from '../../nodes/go-e-charger/go-e-charger.ts';
import shelly3em from '../../nodes/shelly-3em/shelly-3em.ts';
import { type Broker, startBroker } from '../../scripts/start/broker.ts';
import { type FlowNode, helper, load, MAIN, SITE } from './helper.ts';

export interface Message {
  topic: string;
  payload: Record<string, unknown>;
  [key: string]: unknown;
}

/** Node-RED's own MQTT nodes, which it does not export. */
const mqttNodes = createRequire(import.meta.resolve('node-red'))(
  '@node-red/nodes/core/network/10-mqtt.js',
) as NodeInitializer;

export class Bench {
  broker: Broker | undefined;
  readonly userDir = mkdtempSync(path.join(tmpdir(), 'fusewise-'));
  readonly #stops: (() => Promise<void>)[] = [];

  get mqttUrl(): string {
    return this.broker?.url ?? '';
  }

  get port(): string {
    return new URL(this.mqttUrl).port;
  }

  async start(): Promise<void> {
    this.broker = await startBroker({ host: '127.0.0.1', port: 0, user: '', password: '' });
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
    helper.settings({ userDir: this.userDir } as never);
  }

  defer(stop: () => Promise<void>): void {
    this.#stops.push(stop);
  }

  async stop(): Promise<void> {
    await helper.unload();
    for (const stop of this.#stops.splice(0)) await stop();
    await this.broker?.stop();
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    rmSync(this.userDir, { recursive: true, force: true });
  }

  brokerNode(): FlowNode {
    return {
      id: 'broker',
      type: 'mqtt-broker',
      broker: '127.0.0.1',
      port: this.port,
      clientid: '',
      autoConnect: true,
      usetls: false,
      protocolVersion: '4',
      keepalive: '60',
      cleansession: true,
      autoUnsubscribe: true,
    };
  }

  async load(nodes: FlowNode[], credentials: Record<string, Record<string, string>> = {}): Promise<void> {
    const helpers = [
      { id: 'out', type: 'helper' },
      { id: 'alerts', type: 'helper' },
    ];
    const flow = [SITE, MAIN, this.brokerNode(), ...nodes, ...helpers];
    await load(flow, [shelly3em, goECharger, mqttNodes], credentials);
  }
}

/** The first message at a helper node for which the test holds. */
export function next(id: string, test: (message: Message) => boolean = () => true, ms = 8000): Promise<Message> {
  const node = helper.getNode(id) as Node;
  return new Promise((resolve, reject) => {
    const listener = (msg: unknown) => {
      if (!test(msg as Message)) return;
      clearTimeout(timer);
      node.removeListener('input', listener);
      resolve(msg as Message);
    };
    const timer = setTimeout(() => {
      node.removeListener('input', listener);
      reject(new Error(`nothing fitting arrived at ${id} within ${ms} ms`));
    }, ms);
    node.on('input', listener);
  });
}
