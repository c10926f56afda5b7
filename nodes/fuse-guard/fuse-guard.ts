/** The fuse guard: a meter in, `limit/<circuit>` out. What it knows is in core/guard.ts. */
import path from 'node:path';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { z } from 'zod';
import {
  createGuard,
  type Guard,
  type GuardRecord,
  type GuardVerdict,
  guardAbsorbs,
  guardMeter,
  guardRecord,
  guardVerdict,
  PHASES,
  protectiveDevice,
  ratingPerPhase,
} from '../../core/index.ts';
import { StateFile } from '../../drivers/state-file.ts';
import { ALERTS, formatTopic, parseMessage, sentence } from '../../messages/index.ts';
import type { DlmCircuitNode } from '../dlm-circuit/dlm-circuit.ts';
import { ConfigError, choiceField, numberField } from '../fields.ts';
import { startNode } from '../start-node.ts';

export interface FuseGuardDef extends NodeDef {
  circuit: string;
  rule: unknown;
  reactionSeconds: unknown;
  resumeBudget: unknown;
  minPauseSeconds: unknown;
}

const TICK_MS = 1000;
const RENEW_MS = 10_000;
const VALID_S = 30;
const SAVE_MS = 60_000;
/** What is told between two renewals: a budget that has moved this much, and no more often than that. */
const MOVED_BUDGET = 0.02;
const MOVED_MS = 1000;
/** The rise that "can absorb" is told for where the circuit learns its own, A. */
const USUAL_JUMP_A = 16;
const recordSchema = z.object({
  heat: z.tuple([z.number(), z.number(), z.number()]),
  paused: z.boolean(),
  savedAt: z.number(),
  circuit: z.string().optional(),
});

export default function (RED: NodeAPI): void {
  function FuseGuard(this: Node, def: FuseGuardDef): void {
    RED.nodes.createNode(this, def);
    startNode(this, () => start(RED, this, def));
  }
  RED.nodes.registerType('fuse-guard', FuseGuard);
}

function start(RED: NodeAPI, node: Node, def: FuseGuardDef): void {
  const circuitNode = RED.nodes.getNode(def.circuit) as DlmCircuitNode | null;
  const circuit = circuitNode?.config;
  if (!circuit) throw new ConfigError('circuit', def.circuit, 'a circuit node that works');
  const language = circuitNode?.siteNode?.registry.language ?? 'en-US';
  const options = {
    rule: choiceField('rule', def.rule, ['replica', 'classic']),
    reactionSeconds: numberField('reactionSeconds', def.reactionSeconds, { min: 1, max: 120, fallback: 8, unit: 's' }),
    resumeBudget: numberField('resumeBudget', def.resumeBudget, { min: 5, max: 95, fallback: 50, unit: '%' }) / 100,
    minPauseSeconds: numberField('minPauseSeconds', def.minPauseSeconds, {
      min: 0,
      max: 3600,
      fallback: 60,
      unit: 's',
    }),
  };
  const file = new StateFile(path.join(RED.settings.userDir ?? '.', 'dlm'), `guard-${node.id}`);
  const stored = recordSchema.safeParse(file.read()).data;
  const moved = stored?.circuit !== undefined && stored.circuit !== circuit.id ? stored.circuit : undefined;
  const record: GuardRecord | undefined = moved ? undefined : stored;
  const age = record ? (Date.now() - record.savedAt) / 1000 : 0;
  const guard: Guard = createGuard(protectiveDevice(circuit), options, performance.now(), record, age);
  const rating = ratingPerPhase(circuit);
  guard.phases = [rating[0] > 0, rating[1] > 0, rating[2] > 0];
  const warned = new Set<string>();
  const jump = typeof circuit.jump === 'number' ? circuit.jump : USUAL_JUMP_A;
  let sentAt = Number.NEGATIVE_INFINITY;
  let sentBudget = 0;
  let savedAt = performance.now();

  function save(): void {
    savedAt = performance.now();
    try {
      file.write({ ...guardRecord(guard, Date.now()), circuit: circuit?.id });
    } catch (error) {
      warnOnce('disk', `state cannot be saved: ${error instanceof Error ? error.message : error}`);
    }
  }

  function warnOnce(key: string, text: string): void {
    if (warned.size > 50 || warned.has(key)) return;
    warned.add(key);
    node.warn(text);
  }

  function run(): void {
    const now = performance.now();
    const verdict = guardVerdict(guard, now);
    // On the disk before it goes out: a pause must be taken back, or kept, by whoever starts next.
    if (verdict.changed || now - savedAt > SAVE_MS) save();
    const moved = Math.abs(verdict.budgetUsed - sentBudget) >= MOVED_BUDGET && now - sentAt >= MOVED_MS;
    if (verdict.changed || moved || now - sentAt >= RENEW_MS) send(verdict, now);
    if (verdict.changed) sendAlert(verdict);
  }

  function send(verdict: GuardVerdict, now: number): void {
    sentAt = now;
    sentBudget = verdict.budgetUsed;
    const seconds = guardAbsorbs(guard, jump);
    const classic = options.rule === 'classic' && !verdict.paused;
    const payload = {
      at: Date.now(),
      source: `guard-${node.id}`.slice(0, 60),
      current: verdict.paused ? [0, 0, 0] : rating,
      validFor: VALID_S,
      onExpiry: 'fallback',
      ...(classic ? { keepMinimum: true } : {}),
      budgetUsed: Math.round(verdict.budgetUsed * 1000) / 1000,
      paused: verdict.paused,
      absorbs: { current: jump, seconds: Number.isFinite(seconds) ? Math.floor(seconds) : null },
    };
    node.send([{ topic: formatTopic({ kind: 'limit', id: circuit?.id }), payload }, null]);
    const text = verdict.paused
      ? verdict.cause === 'silent'
        ? 'check meter'
        : 'charging paused'
      : `budget ${Math.round(verdict.budgetUsed * 100)} %`;
    node.status({ fill: verdict.paused ? 'red' : 'green', shape: verdict.paused ? 'ring' : 'dot', text });
  }

  let raised: { code: string; args: Record<string, string | number> } | undefined;
  function sendAlert(verdict: GuardVerdict): void {
    if (verdict.paused)
      raised = {
        code: `guard-${verdict.cause}`,
        args: {
          circuit: circuit?.id ?? '',
          phase: PHASES[verdict.phase],
          seconds: Math.floor(Math.min(verdict.secondsLeft, 999)),
        },
      };
    if (!raised) return;
    const text = sentence(ALERTS, language, raised.code, { ...raised.args, circuit: circuit?.name ?? circuit?.id });
    if (verdict.paused) node.warn(text);
    else node.log(`over: ${text}`);
    const payload = {
      at: Date.now(),
      severity: 'error',
      code: raised.code,
      args: raised.args,
      text,
      active: verdict.paused,
    };
    node.send([null, { topic: formatTopic({ kind: 'alert', id: circuit?.id }), payload }]);
    if (!verdict.paused) raised = undefined;
  }

  function release(id: string): void {
    const payload = { at: Date.now(), source: `guard-${node.id}`.slice(0, 60), validFor: 1, onExpiry: 'release' };
    node.send([{ topic: formatTopic({ kind: 'limit', id }), payload }, null]);
  }

  let left = moved;
  const tick = () => {
    try {
      if (left) release(left);
      left = undefined;
      run();
    } catch (error) {
      // Without a renewed limit the allocator falls back to the safe current.
      warnOnce('run', `no verdict: ${error instanceof Error ? error.stack : error}`);
      node.status({ fill: 'red', shape: 'ring', text: 'see the log' });
    }
  };
  const timer = setInterval(tick, TICK_MS);
  const first = setImmediate(tick);
  node.on('input', (msg, _send, done) => {
    try {
      const message = parseMessage(msg);
      if (message?.kind !== 'meter') {
        warnOnce('kind', `topic: ${JSON.stringify(msg.topic)} — expected meter/…`);
      } else if (circuit.meter && message.id !== circuit.meter) {
        warnOnce(message.id, `meter/${message.id} — expected the meter of the circuit, meter/${circuit.meter}`);
      } else if (message.payload.current) {
        guardMeter(guard, { current: message.payload.current, age: message.payload.age }, performance.now());
        run();
      }
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  });
  node.on('close', (removed: boolean, done: () => void) => {
    clearInterval(timer);
    clearImmediate(first);
    save();
    // A guard that was taken out of the flow must not leave its chargers at the safe current for ever.
    if (removed) release(circuit.id);
    done();
  });
}
