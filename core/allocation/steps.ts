/** From currents to what a charger can be told: whole steps. */
import { EPSILON_A, floorToStep } from '../units.ts';
import { inTurn } from './admission.ts';
import { AT_MAXIMUM, chargerOf, type Model, SLACK, take } from './model.ts';

/**
 * Rounds the given chargers (indices) down to their steps; where a soft group holds one, to the nearest that everything else
 * has room for. Whole steps that are left over are handed out when the problem asks for it.
 */
export function roundToSteps(model: Model, members: readonly number[]): void {
  const rounded: { i: number; exact: number }[] = [];
  for (const i of members) {
    const { step } = chargerOf(model, i);
    if (!step || model.admitted[i] === 0) continue;
    const exact = model.current[i];
    const down = floorToStep(exact, step);
    const binding = model.binding[i];
    const nearest = binding >= 0 && model.soft[binding] === 1 && exact - down >= step / 2;
    if (nearest && hasRoom(model, i, floorToStep(down + step, step), true)) {
      take(model, i, floorToStep(down + step, step));
      continue;
    }
    // What floating point made of a whole step counts as one, if there is room for it.
    const least = Math.max(model.min[i], down - step);
    take(model, i, down <= exact || hasRoom(model, i, down, false) ? down : floorToStep(least, step));
    if (exact > down + EPSILON_A) rounded.push({ i, exact });
  }
  if (model.problem.remainders === 'hand-out' && rounded.length > 0) handOut(model, rounded);
}

/** One step each at most, so that nobody is further than a step from its exact share. */
function handOut(model: Model, rounded: readonly { i: number; exact: number }[]): void {
  const share = new Map(rounded.map(({ i }) => [i, model.current[i] / model.weight[i]]));
  const order = inTurn(
    model,
    rounded.map(({ i }) => i),
  ).sort((a, b) => (share.get(a) as number) - (share.get(b) as number));
  for (const i of order) {
    const step = chargerOf(model, i).step as number;
    const up = floorToStep(model.current[i] + step, step);
    if (!hasRoom(model, i, up, false)) continue;
    take(model, i, up);
    if (up >= model.max[i] - EPSILON_A) model.binding[i] = AT_MAXIMUM;
  }
}

function hasRoom(model: Model, i: number, current: number, softMayBeExceeded: boolean): boolean {
  if (current > model.max[i] + EPSILON_A) return false;
  const { begin, constraint, load, free, soft } = model;
  const more = current - model.current[i];
  for (let k = begin[i]; k < begin[i + 1]; k++) {
    if (softMayBeExceeded && soft[constraint[k]] === 1) continue;
    if (more * load[k] > free[constraint[k]] + SLACK) return false;
  }
  return true;
}
