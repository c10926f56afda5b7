/**
 * Who comes first where there is not enough: the policy's places, and turns among those whom it does not tell apart. Whoever
 * charges keeps its turn for a while; when the turn is over and others wait, it goes to the end of the queue.
 */
import { phasesOf } from './charger-track.ts';
import { type CircuitPlan, type CircuitPlans, innerOf, tree } from './circuit-plan.ts';
import type { Controller, PolicyPlaces } from './controller.ts';
import type { Part } from './part.ts';
import type { Solution } from './plan.ts';
import { type Contender, POLICIES } from './policies.ts';
import { type PerPhase, perPhase } from './units.ts';

/** A charger's place in a round. */
export interface Place {
  priority: number;
  weight: number;
  order: number;
  /** A; less than its maximum while the policy holds it back. */
  max: number;
}

/** A policy is asked again after a turn, and after this long at the latest: its plans are for as long, s. */
const LONGEST_ROUND_S = 900;
/** Over how long a policy's idea of the house load is a mean, s: appliances come and go, a vehicle's plan is for hours. */
const MEAN_S = 1800;
/** Whoever has its turn stands before everybody who waits. */
const TURN = -1e11;
/** More than all times of the queue together, ms. */
const ORDER = 1e12;

/** The place of each charger at `now` (ms), and the admission rule. */
export function placesOf(
  controller: Controller,
  circuits: CircuitPlans,
  parts: readonly Part[],
  now: number,
): { places: Map<string, Place>; admission: 'minimum-first' | 'strict' } {
  const { admission, turns } = policyPlaces(controller, circuits, parts, now);
  const places = new Map<string, Place>();
  for (const part of parts) {
    const { id, priority = 0, weight = 1 } = part.track.config;
    const turn = turns.get(id);
    places.set(id, {
      priority: turn?.priority ?? priority,
      weight: turn?.weight ?? weight,
      // What the policy does not tell apart goes by turns.
      order: (turn?.order ?? 0) * ORDER + queuePlace(controller, part, now),
      max: turn?.max ?? Number.POSITIVE_INFINITY,
    });
  }
  return { places, admission };
}

/** Books at `now` (ms) who has its turn and who waits, after set-points were chosen. */
export function takeTurns(controller: Controller, parts: readonly Part[], proven: Solution, now: number): void {
  for (const { patience, track, role, wanted } of parts) {
    if (wanted === 0 || role !== 'active') {
      if (patience.turnSince !== undefined || role !== 'active') patience.waitsSince = now;
      patience.turnSince = undefined;
      continue;
    }
    patience.turnSince ??= now;
    const over = now - patience.turnSince >= controller.options.turnSeconds * 1000;
    // Nobody else could have used it: another turn.
    if (over && (proven.get(track.config.id)?.current ?? 0) > 0) patience.turnSince = now;
  }
}

/** Who has its turn keeps it, the earlier served first; then who waits, and whose turn is over, by time. */
function queuePlace(controller: Controller, { patience }: Part, now: number): number {
  const { turnSince, waitsSince } = patience;
  if (turnSince === undefined) return waitsSince;
  const end = turnSince + controller.options.turnSeconds * 1000;
  return now < end ? TURN + turnSince : end;
}

/**
 * The policy is asked when vehicles, wishes or prices change, and else once a turn (of 15 min at most): what a vehicle was
 * promised holds for as long. The load that it plans with is a mean.
 */
function policyPlaces(
  controller: Controller,
  circuits: CircuitPlans,
  parts: readonly Part[],
  now: number,
): PolicyPlaces {
  const { policy, criticalSoc, turnSeconds } = controller.options;
  const round = Math.min(turnSeconds, LONGEST_ROUND_S) * 1000;
  for (const circuit of circuits.values()) followLoad(circuit, now - controller.startedAt, now);
  const active = parts.filter((p) => p.role === 'active');
  const key = JSON.stringify([
    controller.prices.find((p) => p.start <= now && now < p.end)?.start,
    active.map((p) => cares(p, criticalSoc)),
  ]);
  const known = controller.places;
  if (known && known.key === key && now - known.at < round) return known;
  const contenders = active.map((p) => contender(circuits, p));
  const calm = new Map([...circuits].map(([id, c]) => [id, { ...c, load: { ...c.load, high: meanLoad(c) } }]));
  const problem = tree(calm, 'high', new Map(), controller.site.voltage);
  const situation = { now, round, prices: controller.prices, criticalSoc };
  const { admission, turns } = POLICIES[policy]({ ...problem, chargers: contenders }, situation);
  const most = new Map(contenders.map((c) => [c.id, c.max]));
  // A maximum that is not the policy's own is none of its business: it may change before the policy is asked again.
  const held = turns.map((t) => ({ ...t, max: t.max < (most.get(t.id) ?? 0) ? t.max : Number.POSITIVE_INFINITY }));
  controller.places = { at: now, key, admission, turns: new Map(held.map((t) => [t.id, t])) };
  return controller.places;
}

/** What makes a vehicle another or its wish: not what changes while it charges, but for having reached what decides. */
function cares({ track }: Part, criticalSoc: number): unknown[] {
  const { config, request, report, pluggedSince } = track;
  const soc = request.soc ?? report?.soc;
  return [
    config.id,
    pluggedSince,
    report?.phasesConfigured,
    request,
    soc !== undefined && soc < criticalSoc,
    request.energy !== undefined && (report?.energy ?? 0) >= request.energy,
  ];
}

/** Lets a circuit's mean load follow its load; `known` is for how long (ms) there has been anything to know. */
function followLoad({ track, load }: CircuitPlan, known: number, now: number): void {
  const before = track.mean ?? { at: now, value: load.high };
  const share = Math.min(1, (now - before.at) / Math.max(1, Math.min(MEAN_S * 1000, known)));
  track.mean = { at: now, value: perPhase((p) => before.value[p] + share * (load.high[p] - before.value[p])) };
}

function meanLoad({ track, load }: CircuitPlan): PerPhase {
  return track.mean?.value ?? load.high;
}

function contender(circuits: CircuitPlans, { track }: Part): Contender {
  const { config, request, report, pluggedSince, vehicleMax } = track;
  const most = Math.min(config.max, request.maxCurrent ?? config.max, Math.ceil(vehicleMax ?? config.max));
  const energy = request.energy === undefined ? undefined : Math.max(0, request.energy - (report?.energy ?? 0));
  return {
    id: config.id,
    circuit: innerOf(circuits, config.circuit),
    phases: phasesOf(track),
    min: config.min,
    max: Math.max(config.min, most),
    step: config.step ?? 1,
    priority: request.priority ?? config.priority,
    weight: config.weight,
    pluggedSince,
    soc: request.soc ?? report?.soc,
    energyRemaining: energy,
    departure: request.departure,
  };
}
