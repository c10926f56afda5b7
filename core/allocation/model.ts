/**
 * An allocation problem as arrays of numbers. A constraint is one phase of a circuit (A) or a group (W); what a charger loads,
 * and by how much per A, stands in one list after another. Chargers are numbered circuit by circuit, so that neighbours in
 * memory share constraints: that is what makes large sites fast.
 */
import { floorToStep, PHASE_INDICES, PHASES, phaseIndex } from '../units.ts';
import type { AllocationCharger, AllocationCircuit, AllocationProblem } from './problem.ts';

/** By how much rounding may exceed a constraint, in its unit. */
export const SLACK = 5e-7;

/** What holds a charger, beside the index of a constraint. */
export const WAITING = -1;
export const AT_MAXIMUM = -2;
/** Bindings from here downwards: unbalance of a circuit's phase, `UNBALANCED - (3 · circuit + phase)`. */
export const UNBALANCED = -3;

export interface Model {
  problem: AllocationProblem;
  /** Per charger of the model: its place in `problem.chargers`. */
  place: Int32Array;
  /** Number of constraints: three per circuit, then one per group. */
  constraints: number;
  /** What is still free of each constraint. */
  free: Float64Array;
  soft: Uint8Array;
  /** Charger `i` uses `constraint[k]` with `load[k]` per A (A or W), for k from begin[i] to begin[i + 1]. */
  begin: Int32Array;
  constraint: Int32Array;
  load: Float64Array;
  min: Float64Array;
  max: Float64Array;
  weight: Float64Array;
  priority: Float64Array;
  current: Float64Array;
  admitted: Uint8Array;
  binding: Int32Array;
}

/** Builds the model; nobody has anything yet. Throws a RangeError that names field, value and expectation. */
export function compile(problem: AllocationProblem): Model {
  const circuits = indexById('circuits', problem.circuits);
  const groups = indexById('groups', problem.groups ?? []);
  indexById('chargers', problem.chargers);
  const paths = pathsToRoot(problem.circuits, circuits);
  const n = problem.chargers.length;
  const circuitOf = new Int32Array(n);
  for (let i = 0; i < n; i++) circuitOf[i] = known(circuits, problem.chargers[i].circuit);
  const constraints = 3 * problem.circuits.length + groups.size;
  let uses = 0;
  for (let i = 0; i < n; i++) uses += 3 * paths[circuitOf[i]].length + (problem.chargers[i].groups?.length ?? 0);
  const model: Model = {
    problem,
    place: byCircuit(circuitOf, problem.circuits.length),
    constraints,
    free: new Float64Array(constraints),
    soft: new Uint8Array(constraints),
    begin: new Int32Array(n + 1),
    constraint: new Int32Array(uses),
    load: new Float64Array(uses),
    min: new Float64Array(n),
    max: new Float64Array(n),
    weight: new Float64Array(n),
    priority: new Float64Array(n),
    current: new Float64Array(n),
    admitted: new Uint8Array(n),
    binding: new Int32Array(n).fill(WAITING),
  };
  compileConstraints(model);
  for (let i = 0; i < n; i++) {
    compileCharger(model, i);
    compileUses(model, i, paths[circuitOf[model.place[i]]], groups);
  }
  return model;
}

function compileConstraints({ problem, free, soft }: Model): void {
  problem.circuits.forEach((circuit, i) => {
    number(circuit.maxUnbalance ?? 0, () => `circuits.${circuit.id}.maxUnbalance`);
    for (const p of PHASE_INDICES) {
      const load = number(circuit.load?.[p] ?? 0, () => `circuits.${circuit.id}.load`);
      const limit = number(circuit.limit[p], () => `circuits.${circuit.id}.limit`);
      free[3 * i + p] = Math.max(0, limit - load);
    }
  });
  (problem.groups ?? []).forEach((group, i) => {
    const limit = number(group.limit, () => `groups.${group.id}.limit`);
    free[3 * problem.circuits.length + i] = Math.max(0, limit);
    soft[3 * problem.circuits.length + i] = group.soft ? 1 : 0;
  });
}

function compileCharger(model: Model, i: number): void {
  const charger = chargerOf(model, i);
  const { id, step } = charger;
  const min = Math.max(
    0,
    number(charger.min, () => `chargers.${id}.min`),
  );
  const max = Math.max(
    0,
    number(charger.max, () => `chargers.${id}.max`),
  );
  if (!Number.isFinite(max)) throw new RangeError(`chargers.${id}.max: ${max} — expected a finite number`);
  model.min[i] = step ? ceilToStep(min, step) : min;
  model.max[i] = step ? floorToStep(max, step) : max;
  model.weight[i] = positive(charger.weight ?? 1, () => `chargers.${id}.weight`);
  model.priority[i] = charger.priority ?? 0;
}

function compileUses(model: Model, i: number, path: readonly number[], groups: ReadonlyMap<string, number>): void {
  const charger = chargerOf(model, i);
  const { phases } = charger;
  if (phases.length === 0) throw new RangeError(`chargers.${charger.id}.phases: [] — expected at least one phase`);
  const conductors = [0, 0, 0];
  for (const phase of phases) conductors[phaseIndex(phase)] += 1;
  let k = model.begin[i];
  const use = (constraint: number, load: number) => {
    model.constraint[k] = constraint;
    model.load[k] = load;
    k += 1;
  };
  for (const circuit of path) for (const p of PHASE_INDICES) if (conductors[p] > 0) use(3 * circuit + p, conductors[p]);
  const volts = positive(charger.voltage ?? 230, () => `chargers.${charger.id}.voltage`);
  if (charger.groups) {
    for (const id of new Set(charger.groups)) {
      const group = groups.get(id);
      if (group === undefined)
        throw new RangeError(`chargers.${charger.id}.groups: "${id}" — expected the id of a known group`);
      use(3 * model.problem.circuits.length + group, phases.length * volts);
    }
  }
  model.begin[i + 1] = k;
}

export function chargerOf(model: Model, i: number): AllocationCharger {
  return model.problem.chargers[model.place[i]];
}

/** Sets a charger's current and books the difference on its constraints. */
export function take(model: Model, i: number, current: number): void {
  const { begin, constraint, load, free } = model;
  const more = current - model.current[i];
  for (let k = begin[i]; k < begin[i + 1]; k++) free[constraint[k]] -= more * load[k];
  model.current[i] = current;
}

/** What a binding is called in a message. */
export function nameOf(model: Model, binding: number): string {
  if (binding === WAITING) return 'waiting';
  if (binding === AT_MAXIMUM) return 'max';
  const { circuits, groups } = model.problem;
  const kind = binding <= UNBALANCED ? 'unbalance' : 'circuit';
  const index = binding <= UNBALANCED ? UNBALANCED - binding : binding;
  if (index >= 3 * circuits.length) return `group ${groups?.[index - 3 * circuits.length].id}`;
  return `${kind} ${circuits[Math.floor(index / 3)].id} ${PHASES[index % 3]}`;
}

/** Places of the chargers, circuit by circuit. */
function byCircuit(circuitOf: Int32Array, circuits: number): Int32Array {
  const next = new Int32Array(circuits + 1);
  for (const circuit of circuitOf) next[circuit + 1] += 1;
  for (let c = 0; c < circuits; c++) next[c + 1] += next[c];
  const places = new Int32Array(circuitOf.length);
  for (let place = 0; place < circuitOf.length; place++) places[next[circuitOf[place]]++] = place;
  return places;
}

/** Per circuit: the circuits from it up to the root. */
function pathsToRoot(circuits: readonly AllocationCircuit[], index: ReadonlyMap<string, number>): number[][] {
  return circuits.map((circuit, i) => {
    const path = [i];
    for (let { parent } = circuit; parent !== undefined; ) {
      const above = known(index, parent);
      if (path.includes(above))
        throw new RangeError(`parent: "${parent}" — expected a tree, this circuit is its own ancestor`);
      path.push(above);
      parent = circuits[above].parent;
    }
    return path;
  });
}

function known(circuits: ReadonlyMap<string, number>, id: string): number {
  const index = circuits.get(id);
  if (index === undefined) throw new RangeError(`circuit: "${id}" — expected the id of a known circuit`);
  return index;
}

function indexById(field: string, list: readonly { id: string }[]): Map<string, number> {
  const index = new Map<string, number>();
  for (let i = 0; i < list.length; i++) index.set(list[i].id, i);
  if (index.size < list.length) throw twice(field);
  return index;
}

function twice(field: string): RangeError {
  return new RangeError(`${field}: two entries with one id — expected unique ids`);
}

function ceilToStep(value: number, step: number): number {
  const down = floorToStep(value, step);
  return down >= value - 1e-9 ? down : floorToStep(down + step, step);
}

function number(value: number, field: () => string): number {
  if (typeof value !== 'number' || Number.isNaN(value) || value === Number.NEGATIVE_INFINITY)
    throw new RangeError(`${field()}: ${value} — expected a number`);
  return value;
}

function positive(value: number, field: () => string): number {
  if (!(value > 0) || !Number.isFinite(value)) throw new RangeError(`${field()}: ${value} — expected a number above 0`);
  return value;
}
