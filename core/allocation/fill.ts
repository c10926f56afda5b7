/**
 * Weighted max-min by progressive filling: the level "A per weight" rises for all at once, everybody takes
 * `clamp(level · weight, minimum, maximum)`, and who loads a full constraint stops there.
 * Constraints wait in a heap by the level at which they would be full. A stop elsewhere only puts that off, so a
 * level that was computed once is a lower bound and is computed again only when its turn comes (lazy heap).
 */
import { AT_MAXIMUM, type Model, take } from './model.ts';

/**
 * The users of the constraints that can get full, as one list after another. What user `u` takes of its constraint at a level
 * beyond its minimum is `clamp(level · slope[u] - floor[u], 0, rise[u])`.
 */
interface Users {
  /** Per constraint of the model: its row in the lists, or -1. */
  row: Int32Array;
  /** Per row: constraint, begin and end in the lists. */
  constraint: readonly number[];
  begin: Int32Array;
  end: Int32Array;
  charger: Int32Array;
  slope: Float64Array;
  floor: Float64Array;
  rise: Float64Array;
}

/** Raises the admitted of the given chargers (indices of one priority, each at its minimum) as far as everything allows. */
export function fill(model: Model, members: readonly number[]): void {
  const growing = members.filter((i) => model.admitted[i] === 1);
  if (growing.length === 1) {
    fillOne(model, growing[0]);
    return;
  }
  const stopped = new Uint8Array(model.current.length);
  const tight = tightOf(model, growing);
  if (tight.length > 0) raiseTogether(model, usersOf(model, growing, tight), stopped);
  for (const i of growing) {
    if (stopped[i] === 1) continue;
    take(model, i, model.max[i]);
    model.binding[i] = AT_MAXIMUM;
  }
}

/** Raises everybody's level; who loads a constraint that gets full stops. */
function raiseTogether(model: Model, users: Users, stopped: Uint8Array): void {
  const rows = users.constraint.length;
  const touched = new Uint8Array(rows);
  const levels = new Float64Array(rows);
  const heap = new Heap(levels);
  for (let row = 0; row < rows; row++) {
    levels[row] = levelWhenFull(model, users, row, 0);
    if (levels[row] < Number.POSITIVE_INFINITY) heap.push(row);
  }
  for (let row = heap.pop(); row >= 0; row = heap.pop()) {
    if (touched[row] === 1) {
      touched[row] = 0;
      keepGrowing(users, row, stopped);
      const level = levelWhenFull(model, users, row, levels[row]);
      if (level === Number.POSITIVE_INFINITY) continue;
      levels[row] = level;
      if (level > heap.least()) {
        heap.push(row);
        continue;
      }
    }
    stopUsers(model, users, row, levels[row], stopped, touched);
  }
}

function fillOne(model: Model, i: number): void {
  const { begin, constraint, load, free } = model;
  let current = model.max[i];
  let binding = AT_MAXIMUM;
  for (let k = begin[i]; k < begin[i + 1]; k++) {
    const most = model.current[i] + Math.max(0, free[constraint[k]]) / load[k];
    if (most >= current) continue;
    current = most;
    binding = constraint[k];
  }
  take(model, i, current);
  model.binding[i] = binding;
}

/** The constraints on which not all of their users can have their maximum. */
function tightOf(model: Model, growing: readonly number[]): number[] {
  const { begin, constraint, load } = model;
  const wanted = new Float64Array(model.constraints);
  for (const i of growing) {
    const more = model.max[i] - model.current[i];
    for (let k = begin[i]; k < begin[i + 1]; k++) wanted[constraint[k]] += more * load[k];
  }
  const tight: number[] = [];
  for (let c = 0; c < wanted.length; c++) if (wanted[c] > model.free[c]) tight.push(c);
  return tight;
}

/** Lists the users of the given constraints. */
function usersOf(model: Model, growing: readonly number[], tight: readonly number[]): Users {
  const { begin: first, constraint, load } = model;
  const row = new Int32Array(model.constraints).fill(-1);
  for (let r = 0; r < tight.length; r++) row[tight[r]] = r;
  const count = new Int32Array(tight.length);
  for (const i of growing)
    for (let k = first[i]; k < first[i + 1]; k++) if (row[constraint[k]] >= 0) count[row[constraint[k]]] += 1;
  const begin = new Int32Array(tight.length);
  let total = 0;
  for (let r = 0; r < tight.length; r++) {
    begin[r] = total;
    total += count[r];
  }
  const end = begin.slice();
  const users: Users = {
    row,
    constraint: tight,
    begin,
    end,
    charger: new Int32Array(total),
    slope: new Float64Array(total),
    floor: new Float64Array(total),
    rise: new Float64Array(total),
  };
  for (const i of growing) {
    for (let k = first[i]; k < first[i + 1]; k++) {
      const r = row[constraint[k]];
      if (r < 0) continue;
      const u = end[r]++;
      users.charger[u] = i;
      users.slope[u] = model.weight[i] * load[k];
      users.floor[u] = model.current[i] * load[k];
      users.rise[u] = (model.max[i] - model.current[i]) * load[k];
    }
  }
  return users;
}

/** Drops from a row the users that stopped: what they take is booked in `free`. */
function keepGrowing(users: Users, row: number, stopped: Uint8Array): void {
  let end = users.begin[row];
  for (let u = users.begin[row]; u < users.end[row]; u++) {
    if (stopped[users.charger[u]] === 1) continue;
    users.charger[end] = users.charger[u];
    users.slope[end] = users.slope[u];
    users.floor[end] = users.floor[u];
    users.rise[end] = users.rise[u];
    end += 1;
  }
  users.end[row] = end;
}

/**
 * The level at which a constraint is full: the root of a piecewise linear, increasing function, found by Newton's method between
 * two bounds, from a level at which it is not full yet. Infinity where all of its users can have their maximum.
 */
function levelWhenFull(model: Model, users: Users, row: number, from: number): number {
  const { slope, floor, rise } = users;
  const begin = users.begin[row];
  const end = users.end[row];
  const free = Math.max(0, model.free[users.constraint[row]]);
  let most = 0;
  for (let u = begin; u < end; u++) most += rise[u];
  if (most <= free) return Number.POSITIVE_INFINITY;
  const precision = 1e-12 * (free + 1);
  let low = from;
  let high = Number.POSITIVE_INFINITY;
  let level = Math.max(from, unclamped(users, row, free));
  for (let round = 0; round < 200; round++) {
    let used = 0;
    let growth = 0;
    for (let u = begin; u < end; u++) {
      const share = level * slope[u] - floor[u];
      if (share >= rise[u]) used += rise[u];
      else if (share >= 0) {
        used += share;
        growth += slope[u];
      }
    }
    const left = free - used;
    if (growth > 0 && Math.abs(left) <= precision) return level;
    if (left >= 0) low = level;
    else high = level;
    let next = growth > 0 ? level + left / growth : Number.NaN;
    // Where nobody grows, or Newton's step leaves the bounds: on to the next beginning, or to the middle.
    if (!(next > low && next < high))
      next = high < Number.POSITIVE_INFINITY ? (low + high) / 2 : nextBeginning(users, row, level);
    if (next <= low || next >= high) return low;
    level = next;
  }
  return low;
}

/** Where the constraint would be full if nobody had a minimum or a maximum: where to begin the search. */
function unclamped(users: Users, row: number, free: number): number {
  let slope = 0;
  let floor = 0;
  for (let u = users.begin[row]; u < users.end[row]; u++) {
    slope += users.slope[u];
    floor += users.floor[u];
  }
  return (free + floor) / slope;
}

/** The lowest level above `level` at which a user of the constraint begins to grow. */
function nextBeginning(users: Users, row: number, level: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (let u = users.begin[row]; u < users.end[row]; u++) {
    const begins = users.floor[u] / users.slope[u];
    if (begins > level && begins < next) next = begins;
  }
  return next;
}

/** The users of a full constraint stop where they are; what they share with other constraints changes there. */
function stopUsers(
  model: Model,
  users: Users,
  row: number,
  level: number,
  stopped: Uint8Array,
  touched: Uint8Array,
): void {
  for (let u = users.begin[row]; u < users.end[row]; u++) {
    const i = users.charger[u];
    if (stopped[i] === 1) continue;
    stopped[i] = 1;
    const share = Math.max(model.min[i], level * model.weight[i]);
    const atMaximum = share >= model.max[i];
    take(model, i, atMaximum ? model.max[i] : share);
    model.binding[i] = atMaximum ? AT_MAXIMUM : users.constraint[row];
    for (let k = model.begin[i]; k < model.begin[i + 1]; k++) {
      const other = users.row[model.constraint[k]];
      if (other >= 0) touched[other] = 1;
    }
  }
}

/** Rows by level, the lowest first. */
class Heap {
  readonly #levels: Float64Array;
  readonly #rows: Int32Array;
  #size = 0;

  constructor(levels: Float64Array) {
    this.#levels = levels;
    this.#rows = new Int32Array(levels.length);
  }

  /** The lowest level; infinity when empty. */
  least(): number {
    return this.#size > 0 ? this.#levels[this.#rows[0]] : Number.POSITIVE_INFINITY;
  }

  push(row: number): void {
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#levels[this.#rows[parent]] <= this.#levels[row]) break;
      this.#rows[at] = this.#rows[parent];
      at = parent;
    }
    this.#rows[at] = row;
  }

  /** The row with the lowest level; -1 when empty. */
  pop(): number {
    if (this.#size === 0) return -1;
    const top = this.#rows[0];
    this.#size -= 1;
    const last = this.#rows[this.#size];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#levels[this.#rows[child + 1]] < this.#levels[this.#rows[child]]) child += 1;
      if (this.#levels[last] <= this.#levels[this.#rows[child]]) break;
      this.#rows[at] = this.#rows[child];
      at = child;
    }
    this.#rows[at] = last;
    return top;
  }
}
