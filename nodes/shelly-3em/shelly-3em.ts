/** A Shelly three-phase energy meter: `meter/<id>` at every report. What it knows is in drivers/shelly-3em. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Phase } from '../../core/units.ts';
import { deviceUrl } from '../../drivers/http.ts';
import type { MeterReading } from '../../drivers/meter.ts';
import { runShellyHttp, runShellyMqtt, type ShellyEvents } from '../../drivers/shelly-3em/client.ts';
import type { ShellyMeter, ShellyOptions } from '../../drivers/shelly-3em/meter.ts';
import { formatTopic } from '../../messages/index.ts';
import { alertMessage, languageOfMeter } from '../device-alerts.ts';
import { ConfigError, choiceField, idField, numberField, phasesField } from '../fields.ts';
import { brokerLink } from '../mqtt-link.ts';
import { startNode } from '../start-node.ts';
import { StatusLine } from '../status-line.ts';

export interface ShellyDef extends NodeDef {
  meterId: unknown;
  generation: unknown;
  broker: unknown;
  deviceId: unknown;
  host: unknown;
  pollSeconds: unknown;
  phaseOrder: unknown;
}

interface Credentials {
  user: string;
  password: string;
}

const TOPIC_PART = /^[^+#\s]{1,100}$/;

export default function (RED: NodeAPI): void {
  function Shelly3em(this: Node<Credentials>, def: ShellyDef): void {
    RED.nodes.createNode(this, def);
    startNode(this, () => start(RED, this, def));
  }
  RED.nodes.registerType<Node<Credentials>, ShellyDef, object, Credentials>('shelly-3em', Shelly3em, {
    credentials: { user: { type: 'text' }, password: { type: 'password' } },
  });
}

/** `nodeId` keeps the answers apart that two meters of one name get on one broker. */
function readOptions(def: ShellyDef, host: string, nodeId: string): ShellyOptions {
  const meterId = idField('meterId', def.meterId);
  const deviceId = String(def.deviceId ?? '').trim();
  if (!host && !TOPIC_PART.test(deviceId)) {
    throw new ConfigError(
      'deviceId',
      def.deviceId,
      'the device as it stands in its topics, e.g. shellyem3-C8C9A3A1B2C3',
    );
  }
  const phaseOrder = phasesField('phaseOrder', def.phaseOrder);
  if (phaseOrder.length !== 3) throw new ConfigError('phaseOrder', def.phaseOrder, 'three phases such as "L1,L2,L3"');
  return {
    generation: choiceField('generation', def.generation, ['1', '2']) === '1' ? 1 : 2,
    deviceId,
    phaseOrder: phaseOrder as [Phase, Phase, Phase],
    replyTo: `fusewise-${meterId}-${nodeId}`,
    pollSeconds: numberField('pollSeconds', def.pollSeconds, { min: 0.5, max: 60, fallback: 1, unit: 's' }),
  };
}

function start(RED: NodeAPI, node: Node<Credentials>, def: ShellyDef): void {
  const host = String(def.host ?? '').trim();
  const options = readOptions(def, host, node.id);
  const meterId = idField('meterId', def.meterId);
  const topic = formatTopic({ kind: 'meter', id: meterId });
  const status = new StatusLine(node);
  const events: ShellyEvents = {
    reading: (reading) => node.send([{ topic, payload: { at: Date.now(), ...reading } }, null]),
    alert: (alert) => node.send([null, alertMessage(node, meterId, languageOfMeter(RED, meterId), alert)]),
    tick: (meter, now) => showStatus(status, meter, now, host === ''),
  };
  if (host) {
    deviceUrl(host, '/');
    const { user, password } = node.credentials ?? { user: '', password: '' };
    const stop = runShellyHttp(options, { host, user, password }, events);
    node.on('close', (_removed: boolean, done: () => void) => {
      stop();
      done();
    });
    return;
  }
  const link = brokerLink(RED, node, def.broker);
  const stop = runShellyMqtt(options, link, events);
  node.on('close', (removed: boolean, done: () => void) => {
    stop();
    link.close(removed, done);
  });
}

function showStatus(status: StatusLine, meter: ShellyMeter, now: number, overMqtt: boolean): void {
  const silent = meter.silentPhases(now);
  const reading = meter.reading(now);
  const alert = meter.activeAlerts()[0]?.code;
  if (silent.length === 3 && reading.current.every((current) => current === null)) {
    status.show('yellow', 'ring', overMqtt ? 'check device/broker' : 'check device');
  } else if (silent.length) {
    status.show('red', 'ring', `silent: ${silent.join(' ')}`);
  } else if (alert?.startsWith('sensor-slow')) {
    status.show('yellow', 'dot', 'set 1 s period');
  } else {
    status.show('green', 'dot', ampsText(reading));
  }
}

function ampsText(reading: MeterReading): string {
  return `${reading.current.map((current) => Math.round(current ?? 0)).join('/')} A`;
}
