/**
 * The allocation: shares the current of a circuit tree among chargers, per phase.
 * Admission by priority and turn (a charger that cannot have its minimum waits at 0), then weighted max-min fair
 * filling inside each priority: the level "current per weight" rises for all at once and a charger stops
 * where its maximum or a constraint stops it.
 */
import { admit } from './allocation/admission.ts';
import { fill } from './allocation/fill.ts';
import { compile, type Model, nameOf } from './allocation/model.ts';
import type { AllocatedSetpoint, Allocation, AllocationProblem } from './allocation/problem.ts';
import { roundToSteps } from './allocation/steps.ts';
import { balance, isBalanced } from './allocation/unbalance.ts';

export type * from './allocation/problem.ts';

/**
 * Solves an allocation problem; currents in A. Throws a RangeError that names field, value and expectation
 * when the problem is malformed (unknown circuit or group, duplicate id, negative or non-finite numbers).
 * The result is in the order of `chargers` and does not depend on that order.
 */
export function allocate(problem: AllocationProblem): Allocation {
  let model = compile(problem);
  share(model);
  if (!isBalanced(model)) model = balance(problem);
  const setpoints: AllocatedSetpoint[] = new Array(problem.chargers.length);
  const names = new Map<number, string>();
  for (let i = 0; i < setpoints.length; i++) {
    const code = model.binding[i];
    let binding = names.get(code);
    if (binding === undefined) {
      binding = nameOf(model, code);
      names.set(code, binding);
    }
    const place = model.place[i];
    setpoints[place] = { id: problem.chargers[place].id, current: model.current[i], binding };
  }
  return { setpoints };
}

function share(model: Model): void {
  const classes = byPriority(model);
  if (model.problem.admission !== 'strict') admit(model, classes.flat());
  for (const members of classes) {
    if (model.problem.admission === 'strict') admit(model, members);
    fill(model, members);
    roundToSteps(model, members);
  }
}

/** Chargers (indices) of one priority each, the highest first. */
function byPriority(model: Model): number[][] {
  const classes = new Map<number, number[]>();
  for (let i = 0; i < model.priority.length; i++) {
    const members = classes.get(model.priority[i]);
    if (members) members.push(i);
    else classes.set(model.priority[i], [i]);
  }
  return [...classes].sort(([a], [b]) => b - a).map(([, members]) => members);
}
