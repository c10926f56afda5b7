/** Charging sessions of a site: chargers, prices and questions in; sessions, answers and alerts out. The store is on the disk. */
import path from 'node:path';
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { Session } from '../../core/index.ts';
import { LateBook } from '../../drivers/session-store/late.ts';
import { NewerStoreError } from '../../drivers/session-store/schema.ts';
import { NoSqliteError } from '../../drivers/session-store/sqlite.ts';
import { SessionStore } from '../../drivers/session-store/store.ts';
import { formatTopic, type Parsed, parseMessage } from '../../messages/index.ts';
import type { DlmSiteNode } from '../dlm-site/dlm-site.ts';
import { ConfigError } from '../fields.ts';
import { startNode } from '../start-node.ts';
import { StatusLine } from '../status-line.ts';
import { SessionAlerts } from './alerts.ts';
import { answerOf, sessionMessage } from './answer.ts';

export interface DlmSessionsDef extends NodeDef {
  site: string;
}

const TICK_MS = 2000;
/** A file that was set aside is told for so long. */
const DAMAGE_TOLD_MS = 86_400_000;
/** Files that a node writes now: two would book each session twice. */
const inUse = new Set<string>();

export default function (RED: NodeAPI): void {
  function DlmSessions(this: Node, def: DlmSessionsDef): void {
    RED.nodes.createNode(this, def);
    startNode(this, () => start(RED, this, def));
  }
  RED.nodes.registerType('dlm-sessions', DlmSessions);
}

function start(RED: NodeAPI, node: Node, def: DlmSessionsDef): void {
  const site = RED.nodes.getNode(def.site) as DlmSiteNode | null;
  if (!site?.registry) throw new ConfigError('site', def.site, 'a site node');
  const name = `sessions-${site.id.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 100)}.sqlite`;
  const file = path.join(RED.settings.userDir ?? '.', 'dlm', name);
  if (inUse.has(file)) throw new ConfigError('site', site.settings.name, 'a site that no other dlm-sessions node has');
  const alerts = new SessionAlerts(node, site.settings.language);
  const listen = () => alerts.listened();
  RED.events.once('flows:started', listen);
  inUse.add(file);
  const running = run(node, site, file, alerts);
  node.on('close', (done: () => void) => {
    RED.events.off('flows:started', listen);
    running.stop();
    inUse.delete(file);
    done();
  });
}

function run(node: Node, site: DlmSiteNode, file: string, alerts: SessionAlerts): { stop(): void } {
  const book = bookOf(node, site, file, alerts);
  const status = new StatusLine(node);
  const tell = teller(node);
  const tick = () => {
    book.tick(Date.now()).forEach(tell);
    status.show(...statusOf(book.open(), book.broken, alerts.has('sessions-not-saved')));
  };
  const forget = setTimeout(() => alerts.clear('sessions-damaged'), DAMAGE_TOLD_MS);
  const timer = setInterval(tick, TICK_MS);
  node.on('input', inputHandler(node, site, book, tell));
  tick();
  return {
    stop: () => {
      clearInterval(timer);
      clearTimeout(forget);
      book.close();
    },
  };
}

function bookOf(node: Node, { settings }: DlmSiteNode, file: string, alerts: SessionAlerts): LateBook {
  const alert = (code: 'sessions-not-saved' | 'sessions-unusable') => (error: unknown) => {
    if (error === undefined) alerts.clear(code);
    else alerts.raise(code, { detail: textOf(error) });
  };
  const setAside = (aside: string, detail: string) =>
    alerts.raise('sessions-damaged', { file: path.basename(aside), detail });
  return new LateBook({
    timeZone: settings.timeZone,
    currency: settings.currency,
    open: () => new SessionStore(file, setAside),
    saved: alert('sessions-not-saved'),
    unusable: alert('sessions-unusable'),
    refused: (error) => node.error(textOf(error)),
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function teller(node: Node): (session: Session) => void {
  return (session) => {
    const topic = formatTopic({ kind: 'session', id: session.charger });
    node.send([{ topic, payload: sessionMessage(session, Date.now()) }, null, null]);
  };
}

type Send = (messages: (NodeMessage | null)[]) => void;
type InputHandler = (msg: NodeMessage, send: Send, done: (error?: Error) => void) => void;

function inputHandler(
  node: Node,
  { settings }: DlmSiteNode,
  book: LateBook,
  tell: (session: Session) => void,
): InputHandler {
  const warned = new Set<string>();
  const warnOnce = (key: string, text: string) => {
    if (warned.size > 50 || warned.has(key)) return;
    warned.add(key);
    node.warn(text);
  };
  const take = (message: Parsed | undefined, msg: object, send: Send): boolean => {
    switch (message?.kind) {
      case 'charger':
        book.hear(message.id, message.payload, Date.now()).forEach(tell);
        return true;
      case 'tariff':
        book.price(message.payload.prices, message.payload.currency, Date.now());
        return true;
      case 'sessions-query': {
        // The alert says why.
        if (!book.store) return true;
        const payload = answerOf(message.payload, book.store, book.open(), settings, Date.now());
        send([null, { ...msg, topic: formatTopic({ kind: 'sessions-answer' }), payload }, null]);
        return true;
      }
      // A charger says who it is on the same wire.
      case 'announce':
        return true;
      default:
        return false;
    }
  };
  return (msg, send, done) => {
    try {
      const message = parseMessage(msg);
      // Prices may wait at a broker; what a charger said long ago is no news.
      if ((msg as { retain?: unknown }).retain === true && message?.kind !== 'tariff')
        warnOnce('retained', `${message?.kind ?? msg.topic}: a retained message is refused`);
      else if (!take(message, msg, send))
        warnOnce('kind', `topic: ${JSON.stringify(msg.topic)} — expected charger/…, tariff/… or sessions/query`);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

type Shown = Parameters<StatusLine['show']>;

function statusOf(open: readonly Session[], broken: unknown, unsaved: boolean): Shown {
  if (broken instanceof NoSqliteError) return ['red', 'ring', 'needs Node 22.13'];
  if (broken instanceof NewerStoreError) return ['red', 'ring', 'update the palette'];
  if (broken !== undefined || unsaved) return ['red', 'ring', 'check disk'];
  if (open.length === 0) return ['grey', 'dot', 'no vehicle'];
  const energy = open.reduce((sum, s) => sum + s.energy, 0) / 1000;
  if (open.length === 1) return ['green', 'dot', `${energy.toFixed(1)} kWh so far`];
  return ['green', 'dot', `${open.length} sessions`];
}
