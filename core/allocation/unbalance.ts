/**
 * Limits on the unbalance of a circuit: highest minus lowest phase current. Here more on one phase makes room on another, so
 * filling does not find the optimum. Where the plain allocation breaks such a limit, the weighted max-min is found by a
 * sequence of linear programs: the lowest level is maximised, who cannot have more at any optimum stays there, and on.
 * (Lexicographic max-min: Ogryczak, Pióro, Tomaszewski, "Telecommunications network design and max-min optimization", 2005.)
 */
import { EPSILON_A, floorToStep, PHASE_INDICES } from '../units.ts';
import { accept, admit, fits, inTurn, wants } from './admission.ts';
import { AT_MAXIMUM, chargerOf, compile, type Model, SLACK, take, UNBALANCED, WAITING } from './model.ts';
import type { AllocationProblem } from './problem.ts';
import { type LinearProgram, maximise, type Optimum } from './simplex.ts';
import { roundToSteps } from './steps.ts';

/** `Σ current · difference ≤ limit` on the chargers below a circuit: phase p above phase q. */
interface Gap {
  /** Index of the circuit. */
  circuit: number;
  p: number;
  q: number;
  limit: number;
}

interface Limits {
  /** Of each constraint, before anybody has anything. */
  capacity: Float64Array;
  gaps: Gap[];
}

/** A multiplier above this is no rounding error: the kind cannot have more at any optimum. */
const HELD = 1e-6;

/** Chargers that nothing distinguishes: they get the same. */
interface Kind {
  members: number[];
  /** Bounds of each member's current, A. */
  low: number;
  high: number;
  weight: number;
}

/** What the limits allow: each ordered pair of phases of each limited circuit. Where the load breaks one, it may stay as it is. */
function gapsOf({ problem }: Model): Gap[] {
  const gaps: Gap[] = [];
  problem.circuits.forEach(({ maxUnbalance, load }, circuit) => {
    if (maxUnbalance === undefined) return;
    for (const p of PHASE_INDICES) {
      for (const q of PHASE_INDICES) {
        if (p !== q)
          gaps.push({ circuit, p, q, limit: Math.max(0, maxUnbalance - (load?.[p] ?? 0) + (load?.[q] ?? 0)) });
      }
    }
  });
  return gaps;
}

/** By how much a gap is exceeded, A (negative: what is left). */
function excess(model: Model, gap: Gap): number {
  let sum = 0;
  for (let i = 0; i < model.current.length; i++)
    if (model.current[i] > 0) sum += model.current[i] * across(model, i, gap);
  return sum - gap.limit;
}

/** Conductors of a charger on phase p of the circuit less those on phase q. */
function across({ begin, constraint, load }: Model, i: number, { circuit, p, q }: Gap): number {
  let sum = 0;
  for (let k = begin[i]; k < begin[i + 1]; k++) {
    if (constraint[k] === 3 * circuit + p) sum += load[k];
    else if (constraint[k] === 3 * circuit + q) sum -= load[k];
  }
  return sum;
}

export function isBalanced(model: Model): boolean {
  return gapsOf(model).every((gap) => excess(model, gap) <= SLACK);
}

/** The allocation of the same problem with all unbalance limits kept. */
export function balance(problem: AllocationProblem): Model {
  const model = compile(problem);
  // By id: the order of the input must not choose between gaps that are exceeded alike.
  const id = (gap: Gap) => problem.circuits[gap.circuit].id;
  const gaps = gapsOf(model).sort((a, b) => (id(a) === id(b) ? 0 : id(a) < id(b) ? -1 : 1));
  const limits: Limits = { capacity: model.free.slice(), gaps };
  const everybody = inTurn(model, [...model.current.keys()]);
  const strict = problem.admission === 'strict';
  if (!strict) admitBalanced(model, everybody, limits);
  for (const priority of new Set(everybody.map((i) => model.priority[i]))) {
    const members = everybody.filter((i) => model.priority[i] === priority);
    if (strict) admitBalanced(model, members, limits);
    level(model, priority, limits);
  }
  for (const i of everybody) if (model.admitted[i] === 1) model.binding[i] = bindingOf(model, i, limits.gaps);
  roundToSteps(model, everybody);
  for (let gap = worst(model, limits.gaps); gap; gap = worst(model, limits.gaps)) lowerOne(model, gap);
  return model;
}

/** Admits in order; where the minima together cannot be balanced, those at the end of the order wait. */
function admitBalanced(model: Model, order: readonly number[], limits: Limits): void {
  admit(model, order);
  const feasible = () => solve(kindsOf(model), limits, model, undefined) !== undefined;
  for (let last = order.length - 1; last >= 0 && !feasible(); last--)
    if (model.admitted[order[last]] === 1) dismiss(model, order[last]);
  for (const i of order) {
    if (model.admitted[i] === 1 || !wants(model, i) || !fits(model, i)) continue;
    accept(model, i);
    if (!feasible()) dismiss(model, i);
  }
}

function dismiss(model: Model, i: number): void {
  model.admitted[i] = 0;
  model.binding[i] = WAITING;
  take(model, i, 0);
}

/** Weighted max-min of one priority: higher ones stay where they are, lower ones anywhere between their bounds. */
function level(model: Model, priority: number, limits: Limits): void {
  const kinds = kindsOf(model);
  for (const kind of kinds) {
    const own = model.priority[kind.members[0]];
    if (own > priority) kind.low = kind.high = model.current[kind.members[0]];
  }
  let open = kinds.filter((kind) => model.priority[kind.members[0]] === priority);
  while (open.length > 0) {
    const optimum = solve(kinds, limits, model, open);
    if (!optimum) break;
    const reached = optimum.x[kinds.length];
    const held = open.map((kind, k) => optimum.dual[k] * kind.weight);
    const least = Math.min(HELD, Math.max(...held));
    for (const [k, kind] of open.entries())
      if (held[k] >= least) kind.low = kind.high = Math.min(kind.high, Math.max(kind.low, reached * kind.weight));
    open = open.filter((_, k) => held[k] < least);
  }
  for (const kind of kinds)
    if (model.priority[kind.members[0]] === priority) for (const i of kind.members) take(model, i, kind.low);
}

function kindsOf(model: Model): Kind[] {
  const kinds = new Map<string, Kind>();
  for (let i = 0; i < model.current.length; i++) {
    if (model.admitted[i] === 0) continue;
    const { circuit, phases, groups, voltage } = chargerOf(model, i);
    const bounds = [model.min[i], model.max[i], model.weight[i], model.priority[i]];
    const key = `${circuit}|${phases}|${groups ?? ''}|${voltage ?? ''}|${bounds}`;
    const kind = kinds.get(key);
    if (kind) kind.members.push(i);
    else kinds.set(key, { members: [i], low: model.min[i], high: model.max[i], weight: model.weight[i] });
  }
  return [...kinds.values()];
}

/**
 * The program over what each kind has above its lower bound, and last the level, which is maximised: no open kind below
 * it. Its first rows belong to the open kinds. Without open kinds only feasibility counts.
 */
function solve(
  kinds: readonly Kind[],
  limits: Limits,
  model: Model,
  open: readonly Kind[] | undefined,
): Optimum | undefined {
  const n = kinds.length;
  const rows: LinearProgram['rows'][number][] = [];
  const add = (limit: number, coefficient: (kind: Kind) => number, level = 0) => {
    const coefficients = [...kinds.map(coefficient), level];
    const low = kinds.reduce((sum, kind, k) => sum + (coefficients[k] === 0 ? 0 : coefficients[k] * kind.low), 0);
    rows.push({ coefficients, limit: limit - low });
  };
  for (const kind of open ?? []) add(0, (other) => (other === kind ? -1 : 0), kind.weight);
  for (const kind of kinds) add(kind.high, (other) => (other === kind ? 1 : 0));
  const most = new Float64Array(model.constraints);
  const uses = kinds.map((kind) => usesOf(model, kind));
  for (const [k, kind] of kinds.entries()) for (const [c, load] of uses[k]) most[c] += load * kind.high;
  for (let c = 0; c < most.length; c++)
    if (most[c] > limits.capacity[c]) add(limits.capacity[c], (kind) => uses[kinds.indexOf(kind)].get(c) ?? 0);
  for (const gap of limits.gaps) add(gap.limit, (kind) => kind.members.length * across(model, kind.members[0], gap));
  const objective = new Array(n + 1).fill(0);
  if (open) objective[n] = 1;
  return maximise({ objective, rows });
}

/** What a kind loads per A of each member. */
function usesOf({ begin, constraint, load }: Model, { members }: Kind): Map<number, number> {
  const uses = new Map<number, number>();
  for (let k = begin[members[0]]; k < begin[members[0] + 1]; k++) uses.set(constraint[k], load[k] * members.length);
  return uses;
}

function bindingOf(model: Model, i: number, gaps: readonly Gap[]): number {
  if (model.current[i] >= model.max[i] - EPSILON_A) return AT_MAXIMUM;
  for (let k = model.begin[i]; k < model.begin[i + 1]; k++)
    if (model.free[model.constraint[k]] <= EPSILON_A * model.load[k]) return model.constraint[k];
  const gap = gaps.find((g) => across(model, i, g) > 0 && excess(model, g) >= -EPSILON_A) ?? gaps[0];
  return UNBALANCED - (3 * gap.circuit + gap.p);
}

/** The gap that is exceeded most, if any is; of equals the first, as floating point must not choose. */
function worst(model: Model, gaps: readonly Gap[]): Gap | undefined {
  const over = gaps.map((gap) => ({ gap, by: excess(model, gap) })).filter(({ by }) => by > SLACK);
  return greatest(over, ({ by }) => by)?.gap;
}

function greatest<T>(list: readonly T[], value: (item: T) => number): T | undefined {
  let found = list[0];
  for (const item of list) if (value(item) > value(found) + EPSILON_A) found = item;
  return found;
}

/** Rounding down can unbalance: whoever has most per weight on the higher phase gives way, at its minimum last of all. */
function lowerOne(model: Model, gap: Gap): void {
  const over = excess(model, gap);
  const below = (i: number) => {
    const { step } = chargerOf(model, i);
    const target = step
      ? floorToStep(model.current[i] - step / 2, step)
      : model.current[i] - over / across(model, i, gap);
    const left = target >= model.min[i] ? target : model.current[i] > model.min[i] + EPSILON_A ? model.min[i] : 0;
    // What rounding leaves is nothing: by it, the order of the input would choose who gives way.
    return left > EPSILON_A ? left : 0;
  };
  const candidates = inTurn(model, [...model.current.keys()])
    .filter((i) => model.current[i] > 0 && across(model, i, gap) > 0)
    .reverse();
  const share = (i: number) => (below(i) > 0 ? model.current[i] / model.weight[i] : -1);
  const first = greatest(candidates, share) as number;
  const target = below(first);
  take(model, first, target);
  model.binding[first] = target > 0 ? UNBALANCED - (3 * gap.circuit + gap.p) : WAITING;
}
