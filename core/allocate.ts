/**
 * The allocation: shares the current of a circuit tree among chargers, per phase.
 * Admission by priority (a charger that cannot have its minimum waits at 0), then weighted max-min fair
 * filling inside each priority: the level "current per weight" rises for all at once and a charger stops
 * where its maximum or a constraint stops it.
 */
import { pathToRoot } from './circuits.ts';
import {
  EPSILON_A,
  floorToStep,
  type PerPhase,
  PHASE_INDICES,
  PHASES,
  type Phase,
  perPhase,
  phaseIndex,
} from './units.ts';

export interface AllocationCircuit {
  id: string;
  parent?: string;
  /** A that may flow per phase. */
  limit: PerPhase;
  /** Uncontrolled current through this circuit, sub-circuits included, A; taken as it is, negative included. */
  load?: PerPhase;
  /** Highest minus lowest phase current, load included, A. */
  maxUnbalance?: number;
}

export interface AllocationGroup {
  id: string;
  /** W over the chargers that name it. */
  limit: number;
  /** Steps may round to the nearest (a surplus), as far as the circuits allow. */
  soft?: boolean;
}

export interface AllocationCharger {
  id: string;
  circuit: string;
  /** Grid phase of each conductor that the vehicle uses. */
  phases: Phase[];
  min: number;
  max: number;
  /** A; counts from 0 and rounds down. Absent: continuous. */
  step?: number;
  /** V; default 230. */
  voltage?: number;
  /** Higher first; default 0. */
  priority?: number;
  /** Default 1. */
  weight?: number;
  /** Turn inside a priority when not everybody can have the minimum: lower first; ties by id. */
  order?: number;
  groups?: string[];
}

export interface AllocationProblem {
  circuits: AllocationCircuit[];
  groups?: AllocationGroup[];
  chargers: AllocationCharger[];
  admission?: 'minimum-first' | 'strict';
}

export interface AllocatedSetpoint {
  id: string;
  /** A: 0, or between minimum and maximum. */
  current: number;
  /** What holds the charger there: `circuit main L2`, `unbalance main L2`, `group surplus`, `max`, `waiting`. */
  binding: string;
}

export interface Allocation {
  setpoints: AllocatedSetpoint[];
}

interface Constraint {
  name: string;
  soft: boolean;
  /** What is still free, in the constraint's unit (A or W). */
  free: number;
}

interface Use {
  constraint: Constraint;
  /** Constraint units per A of the charger. */
  perAmpere: number;
}

interface Candidate {
  charger: AllocationCharger;
  min: number;
  max: number;
  weight: number;
  uses: Use[];
  current: number;
  admitted: boolean;
  binding: string;
}

/**
 * Solves an allocation problem; currents in A. Throws a RangeError that names field, value and expectation
 * when the problem is malformed (unknown circuit or group, duplicate id, negative or non-finite numbers).
 * The result is in the order of `chargers` and does not depend on that order.
 */
export function allocate(problem: AllocationProblem): Allocation {
  const limited = problem.circuits.filter((c) => c.maxUnbalance !== undefined);
  const caps = new Map<string, PerPhase>();
  let candidates = solve(problem, caps);
  // A cap on the highest phase lowers three-phase chargers and so the lowest phase too: repeat until it holds.
  for (let round = 0; round < UNBALANCE_ROUNDS; round++) {
    if (!tightenUnbalance(limited, problem, candidates, caps, round === UNBALANCE_ROUNDS - 1)) break;
    candidates = solve(problem, caps);
  }
  return { setpoints: candidates.map((c) => ({ id: c.charger.id, current: c.current, binding: c.binding })) };
}

const UNBALANCE_ROUNDS = 60;

function solve(problem: AllocationProblem, caps: ReadonlyMap<string, PerPhase>): Candidate[] {
  const candidates = prepare(problem, caps);
  const order = [...candidates].sort(byTurn);
  if (problem.admission === 'strict') {
    for (const group of byPriority(order)) {
      admit(group);
      fill(group);
    }
  } else {
    admit(order);
    for (const group of byPriority(order)) fill(group);
  }
  return candidates;
}

function byTurn(a: Candidate, b: Candidate): number {
  return (
    (b.charger.priority ?? 0) - (a.charger.priority ?? 0) ||
    (a.charger.order ?? 0) - (b.charger.order ?? 0) ||
    (a.charger.id < b.charger.id ? -1 : 1)
  );
}

function byPriority(sorted: readonly Candidate[]): Candidate[][] {
  const groups: Candidate[][] = [];
  let last: number | undefined;
  for (const candidate of sorted) {
    const priority = candidate.charger.priority ?? 0;
    if (priority !== last) groups.push([]);
    last = priority;
    groups[groups.length - 1].push(candidate);
  }
  return groups;
}

/** Admits in order whoever's minimum still fits everywhere, and takes it. */
function admit(order: readonly Candidate[]): void {
  for (const candidate of order) {
    if (candidate.max <= 0 || candidate.max < candidate.min) {
      candidate.binding = 'max';
      continue;
    }
    const fits = candidate.uses.every((u) => candidate.min * u.perAmpere <= Math.max(0, u.constraint.free) + EPSILON_A);
    if (!fits) continue;
    candidate.admitted = true;
    take(candidate, candidate.min);
  }
}

/** Sets a candidate's current and books the difference on its constraints. */
function take(candidate: Candidate, current: number): void {
  for (const use of candidate.uses) use.constraint.free -= (current - candidate.current) * use.perAmpere;
  candidate.current = current;
}

/** Weighted max-min filling of the admitted members of one priority, then the rounding to their steps. */
function fill(group: readonly Candidate[]): void {
  const members = group.filter((c) => c.admitted);
  let growing = members;
  while (growing.length > 0) {
    const level = nextLevel(growing);
    for (const candidate of growing) {
      take(candidate, Math.max(candidate.current, Math.min(candidate.max, level * candidate.weight)));
    }
    growing = growing.filter((candidate) => !settle(candidate, level));
  }
  for (const candidate of members) round(candidate);
}

/** The lowest level at which a constraint of the growing candidates is full, or the level at which all are at their maximum. */
function nextLevel(growing: readonly Candidate[]): number {
  const users = new Map<Constraint, { candidate: Candidate; perAmpere: number }[]>();
  let level = 0;
  for (const candidate of growing) {
    level = Math.max(level, candidate.max / candidate.weight);
    for (const use of candidate.uses) {
      const list = users.get(use.constraint);
      if (list) list.push({ candidate, perAmpere: use.perAmpere });
      else users.set(use.constraint, [{ candidate, perAmpere: use.perAmpere }]);
    }
  }
  for (const [constraint, list] of users) level = Math.min(level, saturation(constraint, list));
  return level;
}

/** The level at which a constraint is full: a piecewise linear function of the level, walked along its breakpoints. */
function saturation(constraint: Constraint, users: readonly { candidate: Candidate; perAmpere: number }[]): number {
  if (users.length === 1) {
    const [{ candidate, perAmpere }] = users;
    const level = (candidate.current + Math.max(0, constraint.free) / perAmpere) / candidate.weight;
    return level * candidate.weight < candidate.max ? level : Number.POSITIVE_INFINITY;
  }
  const points: { level: number; slope: number }[] = [];
  for (const { candidate, perAmpere } of users) {
    const slope = perAmpere * candidate.weight;
    points.push(
      { level: candidate.current / candidate.weight, slope },
      { level: candidate.max / candidate.weight, slope: -slope },
    );
  }
  points.sort((a, b) => a.level - b.level);
  let free = Math.max(0, constraint.free);
  let slope = 0;
  for (let i = 0; i < points.length; i++) {
    slope += points[i].slope;
    const next = i + 1 < points.length ? points[i + 1].level : Number.POSITIVE_INFINITY;
    const need = slope > EPSILON_A ? slope * (next - points[i].level) : 0;
    if (slope > EPSILON_A && need > free) return points[i].level + free / slope;
    free -= need;
  }
  return Number.POSITIVE_INFINITY;
}

/** Whether a candidate can grow no further; says why. */
function settle(candidate: Candidate, level: number): boolean {
  const full = candidate.uses.find((u) => u.constraint.free <= EPSILON_A * u.perAmpere);
  if (full) {
    candidate.binding = candidate.current >= candidate.max - EPSILON_A ? 'max' : full.constraint.name;
    return true;
  }
  if (candidate.max > level * candidate.weight + EPSILON_A) return false;
  candidate.binding = 'max';
  return true;
}

/** Rounds down to the step; to the nearest where a soft group held it and every hard constraint has room. */
function round(candidate: Candidate): void {
  const step = candidate.charger.step;
  if (!step) return;
  const down = floorToStep(candidate.current, step);
  const up = floorToStep(down + step, step);
  const heldBySoft = candidate.uses.some((u) => u.constraint.soft && u.constraint.name === candidate.binding);
  const nearer = candidate.current - down >= step / 2 && up <= candidate.max + EPSILON_A;
  const room = candidate.uses.every(
    (u) => u.constraint.soft || (up - candidate.current) * u.perAmpere <= u.constraint.free + EPSILON_A,
  );
  take(candidate, heldBySoft && nearer && room ? up : down);
}

function prepare(problem: AllocationProblem, caps: ReadonlyMap<string, PerPhase>): Candidate[] {
  const circuits = uniqueById('circuits', problem.circuits);
  const groups = uniqueById('groups', problem.groups ?? []);
  uniqueById('chargers', problem.chargers);
  const phases = new Map([...circuits.values()].map((c) => [c.id, phaseConstraints(c, caps.get(c.id))]));
  const powers = new Map(
    [...groups.values()].map((g) => [
      g.id,
      { name: `group ${g.id}`, soft: g.soft === true, free: Math.max(0, number(`groups.${g.id}.limit`, g.limit)) },
    ]),
  );
  return problem.chargers.map((charger) => {
    const uses: Use[] = [];
    for (const id of pathToRoot(circuits, charger.circuit)) {
      for (const p of PHASE_INDICES) {
        const conductors = charger.phases.filter((phase) => phaseIndex(phase) === p).length;
        if (conductors > 0)
          for (const constraint of phases.get(id)?.[p] ?? []) uses.push({ constraint, perAmpere: conductors });
      }
    }
    for (const id of charger.groups ?? []) {
      const constraint = powers.get(id);
      if (!constraint)
        throw new RangeError(`chargers.${charger.id}.groups: "${id}" — expected the id of a known group`);
      uses.push({
        constraint,
        perAmpere: charger.phases.length * positive(`chargers.${charger.id}.voltage`, charger.voltage ?? 230),
      });
    }
    return candidate(charger, uses);
  });
}

function candidate(charger: AllocationCharger, uses: Use[]): Candidate {
  const step = charger.step;
  const field = `chargers.${charger.id}`;
  if (charger.phases.length === 0) throw new RangeError(`${field}.phases: [] — expected at least one phase`);
  const min = Math.max(0, number(`${field}.min`, charger.min));
  const max = Math.max(0, number(`${field}.max`, charger.max));
  return {
    charger,
    min: step ? Math.ceil(min / step - EPSILON_A) * step : min,
    max: floorToStep(max, step),
    weight: positive(`${field}.weight`, charger.weight ?? 1),
    uses,
    current: 0,
    admitted: false,
    binding: 'waiting',
  };
}

function phaseConstraints(
  circuit: AllocationCircuit,
  cap: PerPhase | undefined,
): [Constraint[], Constraint[], Constraint[]] {
  const of = (p: 0 | 1 | 2): Constraint[] => {
    const load = number(`circuits.${circuit.id}.load`, circuit.load?.[p] ?? 0);
    const limit = number(`circuits.${circuit.id}.limit`, circuit.limit[p]);
    const list: Constraint[] = [
      { name: `circuit ${circuit.id} ${PHASES[p]}`, soft: false, free: Math.max(0, limit - load) },
    ];
    if (cap && cap[p] < Number.POSITIVE_INFINITY)
      list.push({ name: `unbalance ${circuit.id} ${PHASES[p]}`, soft: false, free: Math.max(0, cap[p] - load) });
    return list;
  };
  return [of(0), of(1), of(2)];
}

/** Lowers the caps of the phases that stand out too far. Returns whether anything changed. */
function tightenUnbalance(
  limited: readonly AllocationCircuit[],
  problem: AllocationProblem,
  candidates: readonly Candidate[],
  caps: Map<string, PerPhase>,
  last: boolean,
): boolean {
  let changed = false;
  const parents = new Map(problem.circuits.map((c) => [c.id, c]));
  for (const circuit of limited) {
    const load = circuit.load ?? [0, 0, 0];
    // Where the load alone stands out further than allowed, the chargers must not make it worse.
    const spread = Math.max(circuit.maxUnbalance ?? 0, Math.max(...load) - Math.min(...load));
    const below = candidates.filter((c) => pathToRoot(parents, c.charger.circuit).includes(circuit.id));
    const used = perPhase((p) =>
      below.reduce((sum, c) => sum + c.current * c.charger.phases.filter((x) => phaseIndex(x) === p).length, load[p]),
    );
    const highest = Math.min(...used) + spread;
    if (Math.max(...used) <= highest + EPSILON_A / 2) continue;
    const old = caps.get(circuit.id) ?? [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    caps.set(
      circuit.id,
      perPhase((p) => (last ? Math.min(...load) : used[p] > highest ? Math.min(old[p], highest) : old[p])),
    );
    changed = true;
  }
  return changed;
}

function uniqueById<T extends { id: string }>(field: string, list: readonly T[]): Map<string, T> {
  const byId = new Map(list.map((x) => [x.id, x]));
  if (byId.size < list.length) throw new RangeError(`${field}: two entries with one id — expected unique ids`);
  return byId;
}

function number(field: string, value: number): number {
  if (Number.isNaN(value) || value === Number.NEGATIVE_INFINITY)
    throw new RangeError(`${field}: ${value} — expected a number`);
  return value;
}

function positive(field: string, value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) throw new RangeError(`${field}: ${value} — expected a number above 0`);
  return value;
}
