/** The whole state of a controller as lines of text, and back. */
import { type Controller, type ControllerOptions, createController } from '../controller.ts';
import type { SiteConfig } from '../site.ts';
import { decode, encode, type Json } from './exact.ts';

/** What follows from the site alone, and is made anew. */
const DERIVED: ReadonlySet<string> = new Set(['below', 'paths'] satisfies (keyof Controller)[]);

/** What `stateLines` takes: a moment of a controller, which does not change with it. */
export type Snapshot = Omit<Controller, 'below' | 'paths'>;

/** A line of the state: a field of the controller, or an entry of a field that is a Map. */
export type StateLine = { state: [field: string, value: Json] } | { entry: [field: string, key: Json, value: Json] };

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
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const result = { ...value };
  for (const key in result) if (typeof result[key] === 'object') result[key] = copy(result[key]);
  return result;
}

/** A snapshot in pieces of some kilobytes at most, so that whoever writes them can do other things in between. */
export function* stateLines(state: Snapshot): Generator<StateLine> {
  for (const [field, value] of Object.entries(state)) {
    if (!(value instanceof Map)) yield { state: [field, encode(value)] };
    else {
      yield { state: [field, encode(new Map())] };
      for (const [key, item] of value) yield { entry: [field, encode(key), encode(item)] };
    }
  }
}

/** The controller that a snapshot was taken of: it decides as that one would. Throws where lines are missing or no state. */
export function thaw(lines: Iterable<StateLine>): Controller {
  const state = new Map<string, unknown>();
  for (const line of lines) {
    if ('state' in line) state.set(line.state[0], decode(line.state[1]));
    else {
      const [field, key, value] = line.entry;
      const map = state.get(field);
      if (!(map instanceof Map)) throw new RangeError(`entry of ${field} — expected the Map before its entries`);
      map.set(decode(key), decode(value));
    }
  }
  const missing = ['site', 'options', 'startedAt', 'circuits', 'chargers', 'patience'].find((key) => !state.has(key));
  if (missing) throw new RangeError(`state without ${missing} — expected the whole controller`);
  const { below, paths } = createController(
    state.get('site') as SiteConfig,
    state.get('options') as ControllerOptions,
    state.get('startedAt') as number,
  );
  return { ...(Object.fromEntries(state) as unknown as Snapshot), below, paths };
}
