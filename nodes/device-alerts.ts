/** What drivers have to tell a person, as sentences and as `alert/<id>` messages. */
import type { Node, NodeAPI } from 'node-red';
import type { DriverAlert } from '../drivers/alert.ts';
import { formatTopic, sentence } from '../messages/index.ts';
import type { DlmCircuitNode } from './dlm-circuit/dlm-circuit.ts';
import type { Language } from './dlm-site/registry.ts';
import { OCPP_TEXTS } from './ocpp-central/texts.ts';

/** By code: English, German. `{name}` is filled from the args. */
const TEXTS: Readonly<Record<string, readonly [string, string]>> = {
  ...OCPP_TEXTS,
  'bad-data': [
    '{device}: {source} sent something that cannot be used and is ignored: {detail}',
    '{device}: {source} hat etwas Unbrauchbares gesendet, es wird übergangen: {detail}',
  ],
  'sensor-silent': [
    'Meter {device} is silent on {phases}. Check its power, network and broker.',
    'Zähler {device} schweigt auf {phases}. Strom, Netzwerk und Broker des Zählers prüfen.',
  ],
  'sensor-slow-1': [
    'Meter {device} reports only every {seconds} s: too slow for control. Open http://<device>/settings?mqtt_update_period=1',
    'Zähler {device} meldet nur alle {seconds} s: zu langsam zum Regeln. http://<Gerät>/settings?mqtt_update_period=1 aufrufen.',
  ],
  'sensor-slow-2': [
    'Meter {device} reports only every {seconds} s: too slow for control. Enable RPC over MQTT in the device and set the polling period to 1 s.',
    'Zähler {device} meldet nur alle {seconds} s: zu langsam zum Regeln. Im Gerät RPC über MQTT einschalten und die Abfrage auf 1 s stellen.',
  ],
  unreachable: [
    'Charger {device} does not answer. Check its power and network.',
    'Ladestation {device} antwortet nicht. Strom und Netzwerk der Ladestation prüfen.',
  ],
  'not-following': [
    'Charger {device} does not take its limit. Allow the API (v1: HTTP/MQTT, v2: MQTT write access) in the go-e app.',
    'Ladestation {device} übernimmt die Begrenzung nicht. In der go-e-App den Schreibzugriff der API erlauben.',
  ],
  'write-refused': [
    'Charger {device} refuses to set {key}: {detail}. Allow write access of the API in the go-e app.',
    'Ladestation {device} lehnt das Setzen von {key} ab: {detail}. In der go-e-App den Schreibzugriff der API erlauben.',
  ],
  'not-saved': [
    'The pause of {device} cannot be saved: after a power failure it would look like a stop by hand. Check the disk: {detail}',
    'Die Pause von {device} lässt sich nicht speichern: nach einem Stromausfall sähe sie wie ein Stopp von Hand aus. Datenträger prüfen: {detail}',
  ],
};

/** Logs an alert once and makes its message; its end is logged once, too. */
export function alertMessage(
  node: Node,
  id: string,
  language: Language,
  alert: DriverAlert,
): { topic: string; payload: Record<string, unknown> } {
  const { severity, code, active } = alert;
  const args = { device: id, ...alert.args };
  const text = sentence(TEXTS, language, code, args).slice(0, 500);
  if (!active) node.log(language === 'de' ? `vorbei: ${text}` : `over: ${text}`);
  else if (severity === 'error') node.error(text);
  else node.warn(text);
  return { topic: formatTopic({ kind: 'alert', id }), payload: { at: Date.now(), severity, code, args, text, active } };
}

/** The language of the site whose circuit this meter measures; English when there is none. */
export function languageOfMeter(RED: NodeAPI, meterId: string): Language {
  let language: Language | undefined;
  RED.nodes.eachNode((def) => {
    if (def.type !== 'dlm-circuit' || language) return;
    const circuit = RED.nodes.getNode(def.id) as DlmCircuitNode | null;
    if (circuit?.config?.meter === meterId) language = circuit.siteNode?.registry?.language;
  });
  return language ?? 'en-US';
}
