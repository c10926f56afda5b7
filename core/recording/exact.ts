/**
 * JSON that keeps what JSON loses: `undefined`, `NaN`, `±Infinity` and `-0` become strings that begin with `#`, a Map or a Set
 * an object with the one key `#map` or `#set`. A string or a key that begins with `#` gets another one before it.
 * Order is kept, and a double is written so that it is read as the same double (ECMAScript's Number::toString).
 */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const MARK = '#';
const MAP = '#map';
const SET = '#set';

/** A value as JSON. Throws a TypeError on what is neither plain data, nor a Map or a Set of it. */
export function encode(value: unknown): Json {
  switch (typeof value) {
    case 'string':
      return marked(value);
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : MARK + (Object.is(value, -0) ? '-0' : value);
    case 'undefined':
      return `${MARK}undefined`;
    case 'object':
      return value === null ? null : encodeObject(value);
    default:
      throw new TypeError(`${String(value)} — expected plain data, a Map or a Set`);
  }
}

function encodeObject(value: object): Json {
  if (Array.isArray(value)) return value.map(encode);
  if (value instanceof Map) return { [MAP]: Array.from(value, ([key, item]) => [encode(key), encode(item)]) };
  if (value instanceof Set) return { [SET]: Array.from(value, encode) };
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError(`${prototype.constructor?.name} — expected plain data, a Map or a Set`);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [marked(key), encode(item)]));
}

const SPECIAL: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['#undefined', undefined],
  ['#NaN', Number.NaN],
  ['#Infinity', Number.POSITIVE_INFINITY],
  ['#-Infinity', Number.NEGATIVE_INFINITY],
  ['#-0', -0],
]);

/** What `encode` was given. Throws a RangeError on a mark that it does not make. */
export function decode(json: Json): unknown {
  if (typeof json === 'string') {
    if (SPECIAL.has(json)) return SPECIAL.get(json);
    return unmarked(json);
  }
  if (json === null || typeof json !== 'object') return json;
  if (Array.isArray(json)) return json.map(decode);
  if (Array.isArray(json[MAP])) return new Map(json[MAP].map((entry) => decode(entry) as [unknown, unknown]));
  if (Array.isArray(json[SET])) return new Set(json[SET].map(decode));
  return Object.fromEntries(Object.entries(json).map(([key, item]) => [unmarked(key), decode(item)]));
}

function marked(text: string): string {
  return text.startsWith(MARK) ? MARK + text : text;
}

function unmarked(text: string): string {
  if (!text.startsWith(MARK)) return text;
  if (text.startsWith(MARK + MARK)) return text.slice(MARK.length);
  throw new RangeError(`${text.slice(0, 40)} — expected one of ${[...SPECIAL.keys(), MAP, SET].join(', ')}`);
}

/** Where two values differ first: the path to it and both, as JSON. */
export interface Divergence {
  path: string;
  recorded: string;
  replayed: string;
}

/** The first difference of two values that were encoded; undefined where they are the same, bit for bit and in order. */
export function divergence(recorded: Json | undefined, replayed: Json | undefined, path = ''): Divergence | undefined {
  if (recorded === replayed) return undefined;
  const keys = inner(recorded) && inner(replayed) && Array.isArray(recorded) === Array.isArray(replayed);
  if (!keys) return { path, recorded: shown(recorded), replayed: shown(replayed) };
  const before = Object.keys(recorded);
  const after = Object.keys(replayed);
  for (const key of new Set([...before, ...after])) {
    const found = divergence(item(recorded, key), item(replayed, key), path === '' ? key : `${path}.${key}`);
    if (found) return found;
  }
  if (before.join() === after.join()) return undefined;
  return { path: `${path} (order)`.trim(), recorded: before.join(), replayed: after.join() };
}

function inner(json: Json | undefined): json is Json[] | { [key: string]: Json } {
  return typeof json === 'object' && json !== null;
}

function item(json: Json[] | { [key: string]: Json }, key: string): Json | undefined {
  return Object.hasOwn(json, key) ? (json as { [key: string]: Json })[key] : undefined;
}

function shown(json: Json | undefined): string {
  const text = JSON.stringify(json) ?? 'nothing';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
