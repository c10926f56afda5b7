/** History: the palette's messages in, batches for the `influxdb batch` node out, and its answers in again. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import {
  addPoints,
  advanceBuffer,
  type BufferEffect,
  buffered,
  createBuffer,
  createHistory,
  dueHistory,
  type HistoryBuffer,
  type HistoryMessage,
  onNotTaken,
  onTaken,
  recordHistory,
} from '../../core/index.ts';
import { formatTopic, HISTORY, type Parsed, parseMessage, sentence } from '../../messages/index.ts';
import type { DlmSiteNode } from '../dlm-site/dlm-site.ts';
import { ConfigError, numberField } from '../fields.ts';
import { startNode } from '../start-node.ts';
import { StatusLine } from '../status-line.ts';
import { type Answer, answerOf } from './answer.ts';

export interface DlmHistoryDef extends NodeDef {
  site: string;
  database: unknown;
  capacity: unknown;
  batchSeconds: unknown;
  timeoutSeconds: unknown;
}

const TICK_MS = 1000;
const KINDS: readonly string[] = ['meter', 'charger', 'limit', 'allocation', 'alert', 'session'];
/** Source of the alert: there is one history per site. */
const SOURCE = 'history';
/** What waits when a node is deployed anew: by the id of the node. A restart of Node-RED begins with nothing. */
const waiting = new Map<string, HistoryBuffer>();

export default function (RED: NodeAPI): void {
  function DlmHistory(this: Node, def: DlmHistoryDef): void {
    RED.nodes.createNode(this, def);
    startNode(this, () => start(RED, this, def));
  }
  RED.nodes.registerType('dlm-history', DlmHistory);
}

function start(RED: NodeAPI, node: Node, def: DlmHistoryDef): void {
  const site = RED.nodes.getNode(def.site) as DlmSiteNode | null;
  if (!site?.registry) throw new ConfigError('site', def.site, 'a site node');
  const { language } = site.registry;
  const capacity = numberField('capacity', def.capacity, { min: 1000, max: 1_000_000, fallback: 50_000 });
  const options = {
    capacity,
    batchSeconds: numberField('batchSeconds', def.batchSeconds, { min: 1, max: 300, fallback: 5, unit: 's' }),
    timeoutSeconds: numberField('timeoutSeconds', def.timeoutSeconds, { min: 5, max: 600, fallback: 60, unit: 's' }),
  };
  const status = new StatusLine(node);
  if (String(def.database ?? '').trim() === '') {
    status.show('grey', 'ring', 'no database');
    node.on('input', (_msg, _send, done) => done());
    return;
  }
  const now = () => performance.now();
  const history = createHistory({ site: site.settings.name });
  const buffer = takeUp(node.id, options);
  const warned = new Set<string>();

  function carryOut(effects: readonly BufferEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'alert') tell(effect);
      else {
        const { id, attempt, points } = effect;
        node.send([{ topic: SOURCE, payload: points, history: { node: node.id, id, attempt } } as never, null]);
      }
    }
    show();
  }

  function tell({ active, lost, text: cause }: Extract<BufferEffect, { type: 'alert' }>): void {
    const args = { cause, capacity, lost };
    const text = sentence(HISTORY, language, active ? 'history-stopped' : 'history-resumed', args);
    if (active) node.warn(text);
    else node.log(text);
    const payload = { at: Date.now(), severity: 'warning', code: 'history-stopped', args, text, active };
    node.send([null, { topic: formatTopic({ kind: 'alert', id: SOURCE }), payload }]);
  }

  function show(): void {
    if (buffer.alerting) status.show('yellow', 'ring', 'check database');
    else if (buffer.written === 0) status.show('grey', 'dot', 'nothing written yet');
    else status.show('green', 'dot', `${buffered(buffer)} waiting`);
  }

  function hear(answer: Answer): void {
    if (answer.node !== node.id) return;
    const { id, attempt, refusal } = answer;
    carryOut(refusal ? onNotTaken(buffer, id, attempt, refusal, now()) : onTaken(buffer, id, now()));
  }

  function book(msg: object): void {
    const message = parseMessage(msg);
    if (!message) {
      const { topic } = msg as { topic?: unknown };
      warnOnce('kind', `topic: ${JSON.stringify(topic)?.slice(0, 80)} — expected meter/…, charger/…, allocation …`);
      return;
    }
    // What a broker kept was true at some other time.
    if ((msg as { retain?: boolean }).retain === true) {
      warnOnce('retained', `${message.kind}/${message.id}: a retained message is refused`);
      return;
    }
    carryOut(addPoints(buffer, isKept(message) ? recordHistory(history, message, Date.now()) : [], now()));
    if (history.refused > 0)
      warnOnce('series', `more than ${history.options.maxSeries} series: further ids are not recorded`);
  }

  function warnOnce(key: string, text: string): void {
    if (warned.has(key)) return;
    warned.add(key);
    node.warn(text);
  }

  const timer = setInterval(() => {
    carryOut([...addPoints(buffer, dueHistory(history, Date.now()), now()), ...advanceBuffer(buffer, now())]);
  }, TICK_MS);
  node.on('input', (msg, _send, done) => {
    try {
      const answer = answerOf(msg);
      if (answer) hear(answer);
      else book(msg);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  });
  node.on('close', (removed: boolean, done: () => void) => {
    clearInterval(timer);
    if (!removed) waiting.set(node.id, buffer);
    done();
  });
  show();
}

function isKept(message: Parsed): message is Extract<Parsed, HistoryMessage> {
  return KINDS.includes(message.kind);
}

/** The buffer of the node that stood here before the deploy, or a new one. Nobody answers what was in the air. */
function takeUp(id: string, options: Partial<HistoryBuffer['options']>): HistoryBuffer {
  const buffer = waiting.get(id) ?? createBuffer();
  waiting.delete(id);
  Object.assign(buffer.options, options);
  buffer.sentAt = undefined;
  return buffer;
}
