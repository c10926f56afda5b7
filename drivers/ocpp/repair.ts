/**
 * What real stations get wrong and what cannot be misunderstood: numbers as text, case of enums, additional fields, texts too
 * long, times without an offset. Works on a payload of JSON.parse, in place.
 */
import { type Issue, pathText, valueAt } from './issue.ts';
import { isDateTime } from './schemas/common.ts';

const MAX_REPAIRS_TOLD = 20;
/** One in each value of a long transaction. */
const MAX_EXTRA_FIELDS = 2000;
const MAX_EXTRA_DEPTH = 8;
/** A text too long is kept up to so many times its length, or this length. */
const LONG_TEXT_FACTOR = 4;
const LONG_TEXT = 255;

const NUMBER = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/;
/** Wh: some stations count them with decimals. */
const ROUNDED = new Set<PropertyKey>(['meterStart', 'meterStop']);
/** Where OCPP itself has a word for what it does not know. */
const OTHERWISE: ReadonlyMap<PropertyKey, string> = new Map([
  ['errorCode', 'OtherError'],
  ['reason', 'Other'],
  ['context', 'Other'],
]);
/** Never put into an object, whoever sends it. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

type Holder = Record<PropertyKey, unknown>;

export class Repair {
  /** What was done, in order. */
  readonly done: string[] = [];
  readonly #root: Holder;
  readonly #wallClock: number;
  /** What passes although the schema refuses it: taken out for the check, put back after it. */
  readonly #aside: { holder: Holder; key: string | number; value: unknown }[] = [];
  #extras = 0;
  /** Sampled values to drop at the end of the round: positions must hold until then. */
  readonly #drop: { list: unknown[]; item: unknown }[] = [];

  constructor(payload: unknown, wallClock: number) {
    this.#root = { payload };
    this.#wallClock = wallClock;
  }

  get payload(): unknown {
    return this.#root.payload;
  }

  /** Repairs one finding of the check. False when that would be guessing. */
  issue(issue: Issue): boolean {
    if (issue.code === 'unrecognized_keys') return this.#extraFields(issue.path, issue.keys);
    const full = ['payload', ...issue.path];
    const key = full.at(-1) as PropertyKey;
    const holder = valueAt(this.#root, full.slice(0, -1));
    if (holder === null || typeof holder !== 'object') return false;
    const what = this.#place(
      issue,
      holder as Holder,
      key,
      Object.hasOwn(holder, key) ? (holder as Holder)[key] : undefined,
    );
    if (what === undefined) return false;
    this.#tell(issue.path, what);
    return true;
  }

  endRound(): void {
    for (const { list, item } of this.#drop) {
      const at = list.indexOf(item);
      if (at >= 0) list.splice(at, 1);
    }
    this.#drop.length = 0;
  }

  /** The payload with what was taken out for the check. */
  restored(): unknown {
    for (const { holder, key, value } of this.#aside) {
      Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
    }
    return this.payload;
  }

  #tell(path: readonly PropertyKey[], what: string): void {
    if (this.done.length < MAX_REPAIRS_TOLD) this.done.push(`${pathText(path)}: ${what}`.slice(0, 200));
  }

  #extraFields(path: readonly PropertyKey[], keys: string[]): boolean {
    const holder = valueAt(this.payload, path) as Holder;
    for (const key of keys) {
      const value = holder[key];
      delete holder[key];
      if (FORBIDDEN.has(key)) continue;
      this.#extras += 1;
      if (this.#extras > MAX_EXTRA_FIELDS || !isShallow(value, MAX_EXTRA_DEPTH)) return false;
      this.#aside.push({ holder, key, value });
    }
    this.#tell(path, `unknown field ${keys.slice(0, 3).join(', ')}`);
    return true;
  }

  /** Repairs one place; says what was done, or undefined. */
  #place(issue: Issue, holder: Holder, key: PropertyKey, value: unknown): string | undefined {
    if (value === undefined) {
      if (key !== 'timestamp') return undefined;
      holder[key] = new Date(this.#wallClock).toISOString();
      return 'missing, time of arrival taken';
    }
    if (value === null || (value === '' && issue.code !== 'too_big')) {
      if (holder === this.#root) holder[key] = {};
      else if (Array.isArray(holder)) return undefined;
      else delete holder[key];
      return value === null ? 'null, left out' : 'empty, left out';
    }
    switch (issue.code) {
      case 'invalid_type':
        return retyped(issue.expected, holder, key, value);
      case 'invalid_value':
        return this.#word(issue, holder, key, value);
      case 'too_big':
        if (String(value).length > Math.max(LONG_TEXT, LONG_TEXT_FACTOR * Number(issue.maximum))) return undefined;
        return this.#setAside(holder, key, value, '', `longer than ${issue.maximum} characters`);
      case 'not_multiple_of':
        return this.#setAside(holder, key, value, 0, `no multiple of ${issue.divisor}`);
      case 'invalid_format':
        return issue.format === 'datetime' && typeof value === 'string' ? time(holder, key, value) : undefined;
      default:
        return undefined;
    }
  }

  #setAside(holder: Holder, key: PropertyKey, value: unknown, instead: unknown, what: string): string {
    this.#aside.push({ holder, key: key as string | number, value });
    holder[key] = instead;
    return what;
  }

  #word(
    issue: Extract<Issue, { code: 'invalid_value' }>,
    holder: Holder,
    key: PropertyKey,
    value: unknown,
  ): string | undefined {
    if (typeof value !== 'string') return undefined;
    const wanted = value.trim().toLowerCase();
    const found = issue.values.filter((word) => String(word).toLowerCase() === wanted);
    const word = found.length === 1 ? found[0] : OTHERWISE.get(key);
    if (word !== undefined && issue.values.includes(word)) {
      holder[key] = word;
      return `${JSON.stringify(value.slice(0, 40))} read as ${String(word)}`;
    }
    // One value of a kind that OCPP does not have must not cost the others.
    const list = valueAt(this.payload, issue.path.slice(0, -2));
    if (issue.path.at(-3) !== 'sampledValue' || !Array.isArray(list)) return undefined;
    this.#drop.push({ list, item: holder });
    return `${JSON.stringify(value.slice(0, 40))} unknown, this value dropped`;
  }
}

function retyped(expected: string, holder: Holder, key: PropertyKey, value: unknown): string | undefined {
  const put = (better: unknown) => {
    holder[key] = better;
    return `${typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value)} read as ${expected}`;
  };
  if (expected === 'number' || expected === 'int') {
    if (typeof value === 'string' && NUMBER.test(value) && Number.isFinite(Number(value))) return put(Number(value));
    if (typeof value === 'number' && ROUNDED.has(key) && Math.abs(value) < 1e15) return put(Math.round(value));
    return undefined;
  }
  if (expected === 'string')
    return typeof value === 'number' || typeof value === 'boolean' ? put(String(value)) : undefined;
  if (expected === 'boolean') {
    const word = String(typeof value === 'object' ? undefined : value).toLowerCase();
    if (word === 'true' || word === '1') return put(true);
    return word === 'false' || word === '0' ? put(false) : undefined;
  }
  if (expected !== 'array') return undefined;
  holder[key] = [value];
  return 'not in an array, put into one';
}

/** A time that is nearly one; one that is none is left out, and taken from the clock where it is needed. */
function time(holder: Holder, key: PropertyKey, value: string): string {
  const dated = value
    .trim()
    .replace(/^(\d{4}-\d\d-\d\d)[ _]/, '$1T')
    .replace(/,(\d)/, '.$1')
    .replace(/(:\d\d):60/, '$1:59');
  const candidates = [dated, `${dated}Z`, `${dated}:00`, dated.replace(/(\.\d{12})\d+/, '$1')];
  const better = candidates.find(isDateTime);
  if (better === undefined) delete holder[key];
  else holder[key] = better;
  return `${JSON.stringify(value.slice(0, 40))} ${better === undefined ? 'left out' : `read as ${better}`}`;
}

/** Whether nothing is nested deeper than `depth`; looks no deeper than that. */
function isShallow(value: unknown, depth: number): boolean {
  if (value === null || typeof value !== 'object') return true;
  if (depth === 0) return false;
  return Object.entries(value).every(([key, inner]) => !FORBIDDEN.has(key) && isShallow(inner, depth - 1));
}
