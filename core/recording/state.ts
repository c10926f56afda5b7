/** The whole state of a controller as lines of text, and back. */
import { type Controller, createController } from '../controller.ts';
import { decode, encode, type Json } from './exact.ts';

/** What follows from the site alone, and is made anew. */
const DERIVED: ReadonlySet<string> = new Set(['below', 'paths'] satisfies (keyof Controller)[]);

/** What `stateLines` takes: a moment of a controller, which does not change with it. */
export type Snapshot = Omit<Controller, 'below' | 'paths'>;

/** A line of the state: what is at a path below the controller, or an entry of the Map or list that is there. */
export type StateLine = { state: [path: string[], value: Json] } | { entry: [path: string[], key: Json, value: Json] };

/** A list of more than this is written entry by entry. */
const LONG = 20;

/**
 * A copy of everything that changes. Objects in lists (samples, reports, changes, prices) are put there once and never changed
 * again, so both share them: that makes the copy several times as fast as writing it, which can be done later, bit by bit.
 */
export function snapshot(controller: Controller): Snapshot {
  const entries = Object.entries(controller).filter(([key]) => !DERIVED.has(key));
  return Object.fromEntries(entries.map(([key, value]) => [key, copy(value)])) as unknown as Snapshot;
}

function copy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => (Array.isArray(item) ? copy(item) : item)) as T;
  if (value instanceof Map) return new Map(Array.from(value, ([key, item]) => [key, copy(item)])) as T;
  // What is no plain data is refused when it is written.
  if (!isPlain(value)) return value;
  const result = { ...value };
  for (const key in result) if (typeof result[key] === 'object') result[key] = copy(result[key]);
  return result;
}

/** A snapshot in pieces of some kilobytes at most, so that whoever writes them can do other things in between. */
export function* stateLines(state: Snapshot): Generator<StateLine> {
  for (const [field, value] of Object.entries(state)) {
    if (!isPlain(value)) yield* linesAt([field], value);
    else {
      yield { state: [[field], {}] };
      for (const [key, item] of Object.entries(value)) yield* linesAt([field, key], item);
    }
  }
}

function* linesAt(path: string[], value: unknown): Generator<StateLine> {
  const entries =
    value instanceof Map ? value : Array.isArray(value) && value.length > LONG ? value.entries() : undefined;
  if (!entries) yield { state: [path, encode(value)] };
  else {
    yield { state: [path, encode(value instanceof Map ? new Map() : [])] };
    for (const [key, item] of entries) yield { entry: [path, encode(key), encode(item)] };
  }
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** The controller that a snapshot was taken of: it decides as that one would. Throws where lines are missing or no state. */
export function thaw(lines: Iterable<StateLine>): Controller {
  const state = {};
  for (const line of lines) {
    checkPath('state' in line ? line.state[0] : line.entry[0]);
    if ('state' in line) put(state, line.state[0], decode(line.state[1]));
    else {
      const [path, key, value] = line.entry;
      const list = path.reduce(at, state);
      if (list instanceof Map) list.set(decode(key), decode(value));
      else if (Array.isArray(list)) list.push(decode(value));
      else throw new RangeError(`entry of ${path} — expected a Map or a list before its entries`);
    }
  }
  const { site, options, startedAt } = state as Snapshot;
  const missing = ['site', 'options', 'startedAt', 'circuits', 'chargers', 'patience'].find(
    (k) => !Object.hasOwn(state, k),
  );
  if (missing) throw new RangeError(`state without ${missing} — expected the whole controller`);
  const { below, paths } = createController(site, options, startedAt);
  return { ...(state as Snapshot), below, paths };
}

function checkPath(path: unknown): void {
  if (Array.isArray(path) && path.length > 0 && path.every((key) => typeof key === 'string')) return;
  throw new RangeError(`${JSON.stringify(path)} — expected a path of texts`);
}

/** Paths come from a file: only what is an object's own is found. */
function at(value: unknown, key: string): unknown {
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, key)) return value[key as keyof typeof value];
  throw new RangeError(`path ${key} — expected what is above it first`);
}

function put(state: object, path: readonly string[], value: unknown): void {
  const parent = path.slice(0, -1).reduce(at, state);
  const own = { value, configurable: true, enumerable: true, writable: true };
  Object.defineProperty(parent, path[path.length - 1], own);
}
