/** A go-e charger: takes `setpoint/<id>`, reports `charger/<id>`. What it knows is in drivers/go-e. */
import path from 'node:path';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { ChargerConfig } from '../../core/site.ts';
import type { ChargerReading } from '../../drivers/charger.ts';
import type { GoEOptions } from '../../drivers/go-e/charger.ts';
import { type GoEClient, type GoEEvents, type GoETransport, runGoE } from '../../drivers/go-e/client.ts';
import { deviceUrl } from '../../drivers/http.ts';
import { StateFile } from '../../drivers/state-file.ts';
import { formatTopic, type SetpointMessage } from '../../messages/index.ts';
import { alertMessage } from '../device-alerts.ts';
import type { DlmCircuitNode } from '../dlm-circuit/dlm-circuit.ts';
import { ConfigError, choiceField, idField, numberField, phasesField } from '../fields.ts';
import { type BrokerLink, brokerLink } from '../mqtt-link.ts';
import { setpointInput } from '../setpoints.ts';
import { startNode } from '../start-node.ts';
import { StatusLine } from '../status-line.ts';

export interface GoEChargerDef extends NodeDef {
  chargerId: unknown;
  circuit: unknown;
  rotation: unknown;
  minCurrent: unknown;
  maxCurrent: unknown;
  safeCurrent: unknown;
  priority: unknown;
  /** Flows from before phases could be switched do not have it. */
  phaseSwitching?: unknown;
  api: unknown;
  broker: unknown;
  serial: unknown;
  topicPrefix: unknown;
  host: unknown;
  pollSeconds: unknown;
}

export default function (RED: NodeAPI): void {
  function GoECharger(this: Node, def: GoEChargerDef): void {
    RED.nodes.createNode(this, def);
    startNode(this, () => start(RED, this, def));
  }
  RED.nodes.registerType('go-e-charger', GoECharger);
}

const TOPIC_PART = /^[^+#\s]{1,100}$/;

function topicPart(field: string, value: unknown, fallback: string, expected: string): string {
  const text = String(value ?? '').trim() || fallback;
  if (!TOPIC_PART.test(text)) throw new ConfigError(field, value, expected);
  return text;
}

function readCharger(def: GoEChargerDef, circuit: string): ChargerConfig {
  const min = numberField('minCurrent', def.minCurrent, { min: 6, max: 32, fallback: 6, unit: 'A' });
  const max = numberField('maxCurrent', def.maxCurrent, { min, max: 32, fallback: 16, unit: 'A' });
  const safe = numberField('safeCurrent', def.safeCurrent, { min: 0, max, fallback: 6, unit: 'A' });
  if (safe > 0 && safe < min) throw new ConfigError('safeCurrent', def.safeCurrent, `0 (pause), or ${min} to ${max} A`);
  return {
    id: idField('chargerId', def.chargerId),
    circuit,
    rotation: phasesField('rotation', def.rotation),
    min,
    max,
    safe,
    priority: numberField('priority', def.priority, { min: -1000, max: 1000, fallback: 0 }),
    step: 1,
    phaseSwitching: readPhaseSwitching(def),
  };
}

function readPhaseSwitching({ phaseSwitching, api }: GoEChargerDef): boolean {
  if (phaseSwitching === true && api === 'v1')
    throw new ConfigError('phaseSwitching', phaseSwitching, 'no switching of phases with API v1');
  return phaseSwitching === true;
}

function readOptions(def: GoEChargerDef, charger: ChargerConfig, host: string): GoEOptions {
  return {
    api: choiceField('api', def.api, ['v2', 'v1']),
    serial: topicPart(
      'serial',
      def.serial,
      host ? 'http' : '',
      'the serial number, as in the topic go-eCharger/<serial>',
    ),
    topicPrefix: topicPart('topicPrefix', def.topicPrefix, 'go-eCharger', 'a topic without wildcards'),
    rotation: charger.rotation,
    minCurrent: charger.min,
    maxCurrent: charger.max,
    safeCurrent: charger.safe,
  };
}

function start(RED: NodeAPI, node: Node, def: GoEChargerDef): void {
  const circuitNode = RED.nodes.getNode(String(def.circuit ?? '')) as DlmCircuitNode | null;
  const registry = circuitNode?.siteNode?.registry;
  if (!circuitNode?.config || !registry) throw new ConfigError('circuit', def.circuit, 'a circuit node that works');
  const charger = readCharger(def, circuitNode.config.id);
  const host = String(def.host ?? '').trim();
  const options = readOptions(def, charger, host);
  if (host) deviceUrl(host, '/');
  const pollSeconds = numberField('pollSeconds', def.pollSeconds, { min: 0.5, max: 60, fallback: 1, unit: 's' });
  registry.addCharger(charger);

  let link: BrokerLink | undefined;
  let client: GoEClient;
  try {
    link = host ? undefined : brokerLink(RED, node, def.broker);
    const transport: GoETransport = link ? { kind: 'mqtt', link } : { kind: 'http', http: { host }, pollSeconds };
    const file = new StateFile(path.join(RED.settings.userDir ?? '.', 'dlm'), charger.id);
    client = runGoE(options, transport, file, eventsOf(node, charger.id, registry.language, host === ''));
  } catch (error) {
    registry.removeCharger(charger.id);
    throw error;
  }
  const take = ({ current, validFor, phases }: SetpointMessage) => client.setpoint(current, validFor, phases);
  const isOurs = (id: string) => (id === charger.id ? take : undefined);
  node.on('input', setpointInput(node, `setpoint/${charger.id}`, isOurs));
  node.on('close', (removed: boolean, done: () => void) => {
    registry.removeCharger(charger.id);
    client.stop();
    if (link) link.close(removed, done);
    else done();
  });
}

function eventsOf(node: Node, id: string, language: 'en-US' | 'de', overMqtt: boolean): GoEEvents {
  const topic = formatTopic({ kind: 'charger', id });
  const status = new StatusLine(node);
  let notSaved = false;
  const alert: GoEEvents['alert'] = (raised) => node.send([null, alertMessage(node, id, language, raised)]);
  return {
    reading: (reading) => node.send([{ topic, payload: { at: Date.now(), ...reading } }, null]),
    alert,
    notSaved: (error) => {
      if (notSaved) return;
      notSaved = true;
      const detail = error instanceof Error ? error.message.slice(0, 150) : '';
      alert({ severity: 'error', code: 'not-saved', args: { detail }, active: true });
    },
    saved: () => {
      if (!notSaved) return;
      notSaved = false;
      alert({ severity: 'error', code: 'not-saved', args: { detail: '' }, active: false });
    },
    tick: (reading) => status.show(...statusOf(reading, overMqtt)),
  };
}

type Shown = Parameters<StatusLine['show']>;

function statusOf(reading: ChargerReading | undefined, overMqtt: boolean): Shown {
  if (!reading) return ['yellow', 'ring', overMqtt ? 'check serial/broker' : 'check host'];
  if (!reading.online) return ['red', 'ring', 'check charger'];
  if (reading.state === 'F') return ['red', 'dot', reading.fault ?? 'charger fault'];
  if (reading.stoppedBy === 'user') return ['yellow', 'dot', 'stopped by hand'];
  if (reading.stoppedBy) return ['yellow', 'dot', `stopped: ${reading.stoppedBy}`];
  if (reading.state === 'A') return ['grey', 'dot', 'no vehicle'];
  if (reading.state === 'C')
    return ['green', 'dot', `${Math.round(Math.max(...reading.current))} of ${reading.offer} A`];
  return ['grey', 'dot', reading.offer > 0 ? `offers ${reading.offer} A` : 'paused'];
}
