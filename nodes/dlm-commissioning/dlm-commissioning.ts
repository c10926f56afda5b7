/** The commissioning check: meters, chargers, the allocator's picture and a person's commands in; wishes and the whole picture out. */
import path from 'node:path';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import {
  advanceCheck,
  type ChargerConfig,
  type CheckSite,
  checkFindings,
  checkView,
  createCheck,
  type Effect,
  keptOf,
  metersOf,
  NO_FINDINGS,
  onCheckCharger,
  onCheckCommand,
  onCheckMeter,
  onCheckTold,
  setCheckSite,
} from '../../core/index.ts';
import { StateFile } from '../../drivers/state-file.ts';
import { formatTopic, type Parsed, parseMessage } from '../../messages/index.ts';
import type { DlmSiteNode } from '../dlm-site/dlm-site.ts';
import { ConfigError } from '../fields.ts';
import { startNode } from '../start-node.ts';
import { channelsOf, devicesOf, identitiesOf, vehicleLagOf } from './devices.ts';
import { readKept } from './memory.ts';
import { type Alert, alertsOf, type Names, stateOf, statusOf } from './report.ts';

export interface DlmCommissioningDef extends NodeDef {
  site: string;
}

const TICK_MS = 250;
/** What is measured is told this often: while a check goes on, and while none does. */
const LIVE_MS = 1000;
const IDLE_MS = 5000;
/** Flows that have not started after this long will hardly say so any more. */
const STARTS_WITHIN_MS = 120_000;

export default function (RED: NodeAPI): void {
  function DlmCommissioning(this: Node, def: DlmCommissioningDef): void {
    RED.nodes.createNode(this, def);
    startNode(this, () => start(RED, this, def));
  }
  RED.nodes.registerType('dlm-commissioning', DlmCommissioning);
}

function start(RED: NodeAPI, node: Node, def: DlmCommissioningDef): void {
  const siteNode = RED.nodes.getNode(def.site) as DlmSiteNode | null;
  if (!siteNode?.registry) throw new ConfigError('site', def.site, 'a site node');
  const { registry, settings } = siteNode;
  const file = new StateFile(path.join(RED.settings.userDir ?? '.', 'dlm'), `commissioning-${node.id}`);
  const announced = new Map<string, ChargerConfig>();
  const warned = new Set<string>();
  const source = `commissioning-${node.id}`.slice(0, 60);
  const now = () => performance.now();
  const check = createCheck(siteNow(), { vehicleLagSeconds: vehicleLagOf(RED, def.site) }, readKept(file.read()));
  let alerts = new Map<string, Alert>();
  let told = '';
  let shown = check.outcome;
  let sentAt = Number.NEGATIVE_INFINITY;
  /** All nodes of the flows are there: what is said before, nobody may hear. */
  let listened = false;
  const begunAt = now();

  function siteNow(): CheckSite {
    const chargers = new Map([...announced, ...registry.chargers().map((c) => [c.id, c] as const)]);
    const { voltage } = registry;
    const [channels, devices] = [channelsOf(RED), identitiesOf(RED)];
    return { circuits: registry.circuits(), chargers: [...chargers.values()], voltage, channels, devices };
  }

  function names(): Names {
    const { site } = check;
    return {
      language: registry.language,
      site: { name: settings.name, timeZone: settings.timeZone },
      circuit: (id) => site.circuits.find((c) => c.id === id)?.name ?? id,
      devices: devicesOf(
        RED,
        metersOf(site).map((m) => m.id),
        site.chargers.map((c) => c.id),
      ),
    };
  }

  function carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'persist') persist();
      else node.send([messageOf(effect), null, null]);
    }
    if (effects.length > 0) settle();
  }

  /** Site and pages learn what the check has found, and where it stands. */
  function settle(): void {
    registry.findings = checkFindings(check);
    report();
  }

  function messageOf(effect: Exclude<Effect, { type: 'persist' }>) {
    if (effect.type === 'request') {
      return { topic: formatTopic({ kind: 'request', id: effect.id }), payload: { maxCurrent: effect.maxCurrent } };
    }
    const { circuit, power, validFor } = effect;
    const payload = { at: Date.now(), source, power, validFor, onExpiry: 'release' };
    return { topic: formatTopic({ kind: 'limit', id: circuit }), payload };
  }

  function persist(): void {
    try {
      file.write(keptOf(check));
    } catch (error) {
      warnOnce('disk', `state cannot be saved: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Every other step at once, what is measured meanwhile now and then. */
  function report(): void {
    if (!listened && now() - begunAt < STARTS_WITHIN_MS) return;
    const view = checkView(check);
    const { state, step, note, progress, unchecked, verdicts } = view;
    const said = JSON.stringify([state, step, note, progress, unchecked, verdicts.map((v) => v.void)]);
    const news = said !== told || check.outcome !== shown;
    if (!news && now() - sentAt < (check.run ? LIVE_MS : IDLE_MS)) return;
    told = said;
    shown = check.outcome;
    sentAt = now();
    const all = names();
    node.send([
      null,
      { topic: formatTopic({ kind: 'commissioning-state' }), payload: stateOf(view, all, Date.now()) },
      null,
    ]);
    node.status(statusOf(view));
    sendAlerts(alertsOf(view, all));
  }

  function sendAlerts(wrong: typeof alerts): void {
    const changed = (a: typeof alerts, b: typeof alerts) => [...a].filter(([key]) => !b.has(key));
    for (const [, alert] of changed(wrong, alerts)) sendAlert(alert, true);
    for (const [, alert] of changed(alerts, wrong)) sendAlert(alert, false);
    alerts = wrong;
  }

  function sendAlert({ id, code, args, text }: Alert, active: boolean): void {
    if (active) node.warn(text);
    else node.log(`over: ${text}`);
    const payload = { at: Date.now(), severity: 'error', code, args, text, active };
    node.send([null, null, { topic: formatTopic({ kind: 'alert', id }), payload }]);
  }

  function book(message: Parsed): Effect[] | undefined {
    const at = now();
    switch (message.kind) {
      case 'meter': {
        const { current, age, power } = message.payload;
        if (current) onCheckMeter(check, message.id, { current, age, power }, at);
        return advanceCheck(check, at);
      }
      case 'charger':
        onCheckCharger(check, message.id, message.payload, at);
        return advanceCheck(check, at);
      case 'announce':
        announced.set(message.id, { id: message.id, ...message.payload });
        return setCheckSite(check, siteNow());
      case 'allocation':
        for (const { id, setpoint, request = {}, reason } of message.payload.chargers)
          onCheckTold(check, id, { setpoint, request, reason }, at);
        return advanceCheck(check, at);
      case 'commissioning': {
        const { command, installer = '', step } = message.payload;
        if (command === 'start')
          return onCheckCommand(check, { command, installer: installer.trim(), epoch: Date.now() }, at);
        return onCheckCommand(check, { command, step }, at);
      }
      default:
        return undefined;
    }
  }

  function warnOnce(key: string, text: string): void {
    if (warned.size > 50 || warned.has(key)) return;
    warned.add(key);
    node.warn(text);
  }

  const change = () => {
    carryOut(setCheckSite(check, siteNow()));
    settle();
  };
  registry.on('change', change);
  registry.findings = checkFindings(check);
  const tick = () => {
    try {
      carryOut(advanceCheck(check, now()));
      settle();
    } catch (error) {
      warnOnce('run', `the check cannot go on: ${error instanceof Error ? error.stack : error}`);
      node.status({ fill: 'red', shape: 'ring', text: 'see the log' });
    }
  };
  const listen = () => {
    listened = true;
    tick();
  };
  RED.events.once('flows:started', listen);
  const timer = setInterval(tick, TICK_MS);
  node.on('input', (msg, _send, done) => {
    try {
      const message = parseMessage(msg);
      const retained = (msg as { retain?: boolean }).retain === true;
      const effects = message && !retained ? book(message) : undefined;
      if (effects) carryOut(effects);
      else if (retained) warnOnce('retained', `${message?.kind ?? msg.topic}: a retained message is refused`);
      else
        warnOnce(
          'kind',
          `topic: ${JSON.stringify(msg.topic)} — expected meter/…, charger/…, allocation or commissioning`,
        );
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  });
  node.on('close', (removed: boolean, done: () => void) => {
    clearInterval(timer);
    RED.events.off('flows:started', listen);
    registry.off('change', change);
    if (removed) {
      // Whoever takes the node out of the flow must not leave cars waiting, nor a site at what nobody can check any more.
      if (check.run) carryOut(onCheckCommand(check, { command: 'abort' }, now()));
      carryOut(advanceCheck(check, now()));
      registry.findings = NO_FINDINGS;
    }
    done();
  });
}
