/** Who takes part: in order, whoever's minimum still fits on everything that it loads. */
import { AT_MAXIMUM, chargerOf, type Model, SLACK, take } from './model.ts';

/** Admits among the given chargers (indices) and books their minima. */
export function admit(model: Model, members: readonly number[]): void {
  const contended = contendedConstraints(model, members);
  const queue: number[] = [];
  for (const i of members) {
    if (!wants(model, i)) model.binding[i] = AT_MAXIMUM;
    else if (contended && usesAny(model, i, contended)) queue.push(i);
    else accept(model, i);
  }
  if (queue.length === 0) return;
  for (const i of inTurn(model, queue)) if (fits(model, i)) accept(model, i);
}

/** Whether a charger can take anything at all. */
export function wants(model: Model, i: number): boolean {
  return model.max[i] > 0 && model.max[i] >= model.min[i];
}

export function accept(model: Model, i: number): void {
  model.admitted[i] = 1;
  take(model, i, model.min[i]);
}

export function fits(model: Model, i: number): boolean {
  const { begin, constraint, load, free } = model;
  const min = model.min[i];
  for (let k = begin[i]; k < begin[i + 1]; k++)
    if (min * load[k] > Math.max(0, free[constraint[k]]) + SLACK) return false;
  return true;
}

function usesAny({ begin, constraint }: Model, i: number, marked: Uint8Array): boolean {
  for (let k = begin[i]; k < begin[i + 1]; k++) if (marked[constraint[k]] === 1) return true;
  return false;
}

/** Marks the constraints on which not everybody's minimum fits; undefined where everybody's does. */
function contendedConstraints(model: Model, members: readonly number[]): Uint8Array | undefined {
  const { begin, constraint, load, min } = model;
  const needed = new Float64Array(model.constraints);
  for (const i of members) {
    if (!wants(model, i)) continue;
    for (let k = begin[i]; k < begin[i + 1]; k++) needed[constraint[k]] += min[i] * load[k];
  }
  let contended: Uint8Array | undefined;
  for (let c = 0; c < needed.length; c++) {
    if (needed[c] <= Math.max(0, model.free[c])) continue;
    contended ??= new Uint8Array(model.constraints);
    contended[c] = 1;
  }
  return contended;
}

/** By priority (higher first), then turn (lower first), then id: a total order, so that the input's order does not matter. */
export function inTurn(model: Model, members: readonly number[]): number[] {
  const order = (i: number) => chargerOf(model, i).order ?? 0;
  const id = (i: number) => chargerOf(model, i).id;
  return [...members].sort(
    (a, b) => model.priority[b] - model.priority[a] || order(a) - order(b) || (id(a) < id(b) ? -1 : 1),
  );
}
