/** The allocator: books every message in the core's controller and sends what it decides. */
import path from 'node:path';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import {
  type AlertEvent,
  type AllocationOut,
  bookEnergy,
  type ChargerConfig,
  type Controller,
  createController,
  type Decision,
  decide,
  energyOn,
  type Input,
  type LimitInput,
  type PolicyName,
  receive,
  reconfigure,
  siteProblems,
  withFindings,
} from '../../core/index.ts';
import { StateFile } from '../../drivers/state-file.ts';
import { ALERTS, formatTopic, type Parsed, parseMessage, REASONS, sentence } from '../../messages/index.ts';
import type { DlmSiteNode } from '../dlm-site/dlm-site.ts';
import { ConfigError, choiceField, numberField } from '../fields.ts';
import { startNode } from '../start-node.ts';
import { chargerInput, requestInput } from './inputs.ts';
import { byCalendar, byController, readMemory, recall, retain, shifted, writeMemory } from './memory.ts';
import { type RecordingNode, recorderOf, serveRecordings } from './recordings.ts';
import { Rounds } from './rounds.ts';

export interface DlmAllocatorDef extends NodeDef {
  site: string;
  increaseSeconds: unknown;
  minOffSeconds: unknown;
  vehicleLagSeconds: unknown;
  /** Flows from before there were policies do not have the following fields. */
  policy?: unknown;
  turnMinutes?: unknown;
  criticalSoc?: unknown;
}

/** The first one is what a flow without the field means. */
const POLICY_NAMES: readonly [PolicyName, ...PolicyName[]] = [
  'priority',
  'equal',
  'first-come',
  'soc',
  'departure',
  'most-vehicles',
  'tariff',
];

const TICK_MS = 250;
const REPORT_EVERY_MS = 1000;
const REMEMBER_EVERY_MS = 600_000;

export default function (RED: NodeAPI): void {
  function DlmAllocator(this: Node, def: DlmAllocatorDef): void {
    RED.nodes.createNode(this, def);
    startNode(this, () => start(RED, this, def));
  }
  RED.nodes.registerType('dlm-allocator', DlmAllocator);
  serveRecordings(RED);
}

function start(RED: NodeAPI, node: RecordingNode, def: DlmAllocatorDef): void {
  const site = RED.nodes.getNode(def.site) as DlmSiteNode | null;
  if (!site?.registry) throw new ConfigError('site', def.site, 'a site node');
  const { registry } = site;
  const policy = choiceField('policy', def.policy, POLICY_NAMES);
  const options = {
    policy,
    increaseSeconds: numberField('increaseSeconds', def.increaseSeconds, { min: 1, max: 600, fallback: 5, unit: 's' }),
    minOffSeconds: numberField('minOffSeconds', def.minOffSeconds, { min: 0, max: 3600, fallback: 60, unit: 's' }),
    vehicleLagSeconds: numberField('vehicleLagSeconds', def.vehicleLagSeconds, {
      min: 1,
      max: 60,
      fallback: 6,
      unit: 's',
    }),
    turnSeconds: 60 * numberField('turnMinutes', def.turnMinutes, { min: 1, max: 240, fallback: 15, unit: 'min' }),
    // The form shows this field for its policy only: nobody could see what is wrong with it otherwise.
    criticalSoc:
      policy === 'soc'
        ? numberField('criticalSoc', def.criticalSoc, { min: 0, max: 100, fallback: 20, unit: '%' })
        : 20,
  };
  const now = () => performance.now();
  // Read once, and again when the calendar is set: so a time is the same after its way to the other clock and back.
  let ahead = Date.now() - now();
  const clocks = () => {
    const at = now();
    if (Math.abs(Date.now() - at - ahead) > 1000) ahead = Date.now() - at;
    return { now: at, epoch: at + ahead };
  };
  const file = new StateFile(path.join(RED.settings.userDir ?? '.', 'dlm'), `allocator-${node.id}`);
  const memory = readMemory(file.read());
  // en-CA writes a day as 2026-11-22.
  const calendar = new Intl.DateTimeFormat('en-CA', { timeZone: registry.timeZone });
  const recorder = recorderOf(RED, node, (at) => at + ahead);
  const announced = new Map<string, ChargerConfig>();
  const warned = new Set<string>();
  let controller: Controller | undefined;
  let reportedAt = Number.NEGATIVE_INFINITY;
  let rememberedAt = now();
  let rebuild: NodeJS.Immediate | undefined;
  let problems = '';
  let tariff = '';

  function build(): void {
    rebuild = undefined;
    const chargers = new Map([...announced, ...registry.chargers().map((c) => [c.id, c] as const)]);
    const declared = { circuits: registry.circuits(), chargers: [...chargers.values()], voltage: registry.voltage };
    const config = withFindings(declared, registry.findings);
    try {
      // What a node that is being deployed anew had comes back when it is there again.
      if (controller) retain(controller, memory, clocks());
      controller = controller ? reconfigure(controller, config, now()) : createController(config, options, now());
      recall(controller, memory, clocks());
      tellProblems(siteProblems(config).map((p) => `${p.field}: ${p.value} — expected ${p.expected}`));
    } catch (error) {
      tellProblems([error instanceof Error ? error.message : String(error)]);
    }
  }

  function tellProblems(found: string[]): void {
    const all = found.join('\n');
    if (all !== problems && all !== '') node.error(all);
    problems = all;
  }

  function scheduleBuild(): void {
    rebuild ??= setImmediate(build);
  }

  function remember(): void {
    rememberedAt = now();
    if (!controller) return;
    try {
      file.write(writeMemory(controller, memory, clocks()));
    } catch (error) {
      if (!warned.has('disk')) node.warn(`state cannot be saved: ${error instanceof Error ? error.message : error}`);
      warned.add('disk');
    }
  }

  function run(): void {
    if (!controller) return;
    const at = now();
    const decision = attempt(controller, at);
    for (const s of decision.setpoints) {
      const { id, sequence, current, phases, validFor, binding } = s;
      const payload = { at: Date.now(), sequence, current, phases, validFor, reason: worded(s.reason), binding };
      node.send([{ topic: formatTopic({ kind: 'setpoint', id }), payload }, null, null]);
    }
    for (const alert of decision.alerts) sendAlert(alert);
    if (decision.setpoints.length > 0 || now() - reportedAt >= REPORT_EVERY_MS) report(decision);
    recorder.settle(controller, at);
    if (now() - rememberedAt > REMEMBER_EVERY_MS) remember();
  }

  /** Decides and records it; what the controller fails on, too. */
  function attempt(controller: Controller, at: number): Decision {
    let decision: Decision | Error;
    try {
      decision = decide(controller, at);
    } catch (error) {
      decision = error instanceof Error ? error : new Error(String(error));
    }
    recorder.decided(controller, at, decision);
    if (!(decision instanceof Error)) return decision;
    recorder.settle(controller, at);
    throw decision;
  }

  /** Books an input with the controller and, if it was meant for anything, on the recorder. */
  function enter(input: Input): boolean {
    if (!controller || !receive(controller, input)) return false;
    recorder.heard(controller, input);
    return true;
  }

  function worded(reason: Decision['setpoints'][number]['reason']) {
    return { ...reason, text: sentence(REASONS, registry.language, reason.code, named(reason.args)) };
  }

  /** For sentences: circuits by the name people gave them. */
  function named(args: AlertEvent['args']): AlertEvent['args'] {
    const circuit = registry.circuits().find((c) => c.id === args.circuit);
    return circuit?.name ? { ...args, circuit: circuit.name } : args;
  }

  function sendAlert(event: AlertEvent): void {
    const { source, code, severity, args, active } = event;
    const text = sentence(ALERTS, registry.language, code, named(args));
    if (active) node.warn(text);
    else node.log(`over: ${text}`);
    node.send([
      null,
      null,
      {
        topic: formatTopic({ kind: 'alert', id: source }),
        payload: { at: Date.now(), severity, code, args, text, active },
      },
    ]);
  }

  function report(decision: Decision): void {
    reportedAt = now();
    const { circuits, chargers } = decision.allocation();
    const payload = {
      at: Date.now(),
      circuits,
      chargers: chargers.map((c) => ({
        ...c,
        reason: worded(c.reason),
        request: byCalendar(c.request, clocks()),
        energyToday: energyOn(memory.energies.get(c.id), calendar.format(Date.now())),
      })),
    };
    node.send([null, { topic: 'allocation', payload }, null]);
    node.status(statusOf(chargers, problems !== '', controller?.alerts.values().next().value?.code));
  }

  /** A remote charger may be there before this node has a controller. */
  function enrol({ id, payload }: Extract<Parsed, { kind: 'announce' }>): void {
    const { min, max, safe } = payload;
    if (!(min > 0 && max >= min && safe <= max))
      throw new RangeError(
        `announce ${id}: min ${min}, max ${max}, safe ${safe} — expected 0 < min ≤ max and safe ≤ max`,
      );
    announced.set(id, { id, ...payload });
    scheduleBuild();
  }

  function book(message: Parsed): boolean {
    if (message.kind === 'announce') enrol(message);
    if (!controller || message.kind === 'announce') return true;
    const { id } = message;
    switch (message.kind) {
      case 'meter': {
        const { current, age } = message.payload;
        return current ? enter({ kind: 'meter', at: now(), id, input: { current, ...(age && { age }) } }) : true;
      }
      case 'charger': {
        const asked = () => Object.keys(controller?.chargers.get(id)?.request ?? {}).length;
        const before = asked();
        const known = enter({ kind: 'charger', at: now(), id, input: chargerInput(message.payload) });
        // A charger that was not heard yet has counted nothing: its 0 would be taken for a new session.
        if (known && message.payload.online)
          memory.energies.set(id, bookEnergy(memory.energies.get(id), message.payload, calendar.format(Date.now())));
        // What a person asked for ends with the vehicle's leaving: that must survive, too.
        if (asked() !== before) remember();
        return known;
      }
      case 'limit': {
        const { source } = message.payload;
        const before = controller.circuits.get(id)?.limits.get(source);
        const known = enter({ kind: 'limit', at: now(), id, source, input: message.payload });
        // On the disk before anything follows from it; a mere renewal is not worth a write.
        if (known && !sameLimit(before, message.payload)) remember();
        return known;
      }
      case 'request': {
        const input = byController(requestInput(message.payload), clocks());
        const known = enter({ kind: 'request', at: now(), id, input });
        if (known) remember();
        return known;
      }
      case 'tariff': {
        const { prices } = message.payload;
        const { now: at, epoch } = clocks();
        enter({ kind: 'prices', at, prices: shifted(prices, at - epoch) });
        // A source that repeats itself is not worth a write.
        const told = JSON.stringify(prices);
        if (told !== tariff) remember();
        tariff = told;
        return true;
      }
      default:
        return false;
    }
  }

  function warnOnce(key: string, text: string): void {
    if (warned.size > 100 || warned.has(key)) return;
    warned.add(key);
    node.warn(text);
  }

  registry.on('change', scheduleBuild);
  scheduleBuild();
  const rounds = new Rounds(run, (error) => {
    // Without decisions the set-points run out and every charger falls to its safe current.
    warnOnce('run', `no decision: ${error instanceof Error ? error.stack : error}`);
    node.status({ fill: 'red', shape: 'ring', text: 'see the log' });
  });
  const timer = setInterval(() => rounds.tick(), TICK_MS);
  node.on('input', (msg, _send, done) => {
    try {
      const message = parseMessage(msg);
      if (!message)
        warnOnce(
          'kind',
          `topic: ${JSON.stringify(msg.topic)} — expected meter/…, charger/…, limit/…, request/… or tariff/…`,
        );
      else if ((msg as { retain?: boolean }).retain)
        warnOnce('retained', `${message.kind}/${message.id}: a retained message is refused`);
      else if (book(message)) {
        if (message.kind === 'charger') rounds.soon();
        else rounds.now();
      } else
        warnOnce(
          `${message.kind}/${message.id}`,
          `${message.kind}/${message.id} — expected the id of a ${message.kind === 'meter' ? 'meter that a circuit names' : 'circuit or charger of this site'}`,
        );
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  });
  node.on('close', (done: () => void) => {
    clearInterval(timer);
    rounds.stop();
    if (rebuild) clearImmediate(rebuild);
    registry.off('change', scheduleBuild);
    remember();
    recorder.close().then(done);
  });
}

/** Whether a limit only renews another. */
function sameLimit(before: LimitInput | undefined, limit: LimitInput): boolean {
  const key = (l: LimitInput) => JSON.stringify([l.current, l.power, l.onExpiry, l.keepMinimum === true, l.validFor]);
  return before !== undefined && key(before) === key(limit);
}

/** What an installer should see on the canvas: the current in all, or what to look at next. */
function statusOf(chargers: AllocationOut['chargers'], broken: boolean, alert: string | undefined) {
  if (broken) return { fill: 'red' as const, shape: 'ring' as const, text: 'check site' };
  if (alert?.startsWith('meter')) return { fill: 'yellow' as const, shape: 'ring' as const, text: 'check meter' };
  if (alert?.startsWith('charger') || alert === 'disobeys')
    return { fill: 'yellow' as const, shape: 'ring' as const, text: 'check charger' };
  if (alert) return { fill: 'red' as const, shape: 'dot' as const, text: alert };
  if (chargers.length === 0) return { fill: 'grey' as const, shape: 'ring' as const, text: 'add a charger' };
  const active = chargers.filter((c) => c.state === 'C');
  const total = chargers.reduce((sum, c) => sum + c.setpoint, 0);
  const text =
    chargers.length === 1 ? `${total} A, ${chargers[0].state}` : `${active.length}/${chargers.length} charge`;
  return { fill: active.length > 0 ? ('green' as const) : ('grey' as const), shape: 'dot' as const, text };
}
