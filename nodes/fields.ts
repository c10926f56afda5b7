/**
 * Reads the fields of a node's configuration. They arrive as the editor saved them or, for `${NAME}`, as the text of
 * an environment variable ('' when it is unset), so numbers may be strings.
 */
import type { CurvePoint } from '../core/site.ts';
import { isId, PHASES, type Phase } from '../core/units.ts';

/** A configuration that cannot work: which field, what it was, what was expected. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly field: string;
  readonly value: unknown;
  readonly expected: string;

  constructor(field: string, value: unknown, expected: string) {
    super(`${field}: ${show(value)} — expected ${expected}`);
    this.field = field;
    this.value = value;
    this.expected = expected;
  }
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

export interface NumberRange {
  min: number;
  max: number;
  /** What an empty field means; without it an empty field is refused. */
  fallback?: number;
  unit?: string;
}

/** @throws ConfigError when the value is not a number within the range. */
export function numberField(field: string, value: unknown, range: NumberRange): number {
  if (isBlank(value) && range.fallback !== undefined) return range.fallback;
  const parsed = typeof value === 'string' && !isBlank(value) ? Number(value.trim().replace(',', '.')) : value;
  if (typeof parsed === 'number' && parsed >= range.min && parsed <= range.max) return parsed;
  throw new ConfigError(field, value, `${range.min} to ${range.max}${range.unit ? ` ${range.unit}` : ''}`);
}

/** A number that may be left out. @throws ConfigError */
export function optionalNumberField(field: string, value: unknown, range: NumberRange): number | undefined {
  return isBlank(value) ? undefined : numberField(field, value, range);
}

/** The first of `allowed` is what an empty field means. @throws ConfigError */
export function choiceField<T extends string>(field: string, value: unknown, allowed: readonly [T, ...T[]]): T {
  if (isBlank(value)) return allowed[0];
  const found = allowed.find((choice) => choice === String(value).trim());
  if (found === undefined) throw new ConfigError(field, value, `one of ${allowed.join(', ')}`);
  return found;
}

/** A tick box; an environment variable may say 1, 0, true or false. @throws ConfigError */
export function booleanField(field: string, value: unknown, fallback: boolean): boolean {
  if (isBlank(value)) return fallback;
  if (value === true || value === 1 || value === 'true' || value === '1') return true;
  if (value === false || value === 0 || value === 'false' || value === '0') return false;
  throw new ConfigError(field, value, 'true or false');
}

/** @throws ConfigError */
export function idField(field: string, value: unknown): string {
  const id = typeof value === 'string' ? value.trim() : value;
  if (isId(id)) return id;
  throw new ConfigError(field, value, '1 to 36 letters, digits, "_" or "-"');
}

/** `L1,L2,L3` in any order, each at most once; the order matters for a rotation. @throws ConfigError */
export function phasesField(field: string, value: unknown): Phase[] {
  const named = isBlank(value)
    ? [...PHASES]
    : String(value)
        .split(',')
        .map((name) => name.trim());
  const phases = PHASES.length >= named.length ? named.map((name) => PHASES.find((phase) => phase === name)) : [];
  const known = phases.filter((phase) => phase !== undefined);
  if (known.length === named.length && new Set(known).size === known.length) return known;
  throw new ConfigError(field, value, 'one to three different phases such as "L1,L2,L3" or "L2"');
}

/** A manufacturer's curve, one point per line: multiple of the rating, seconds (earliest trip, cold). @throws ConfigError */
export function curveField(field: string, value: unknown): CurvePoint[] {
  const lines = String(value ?? '')
    .split('\n')
    .map((line) => line.trim());
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [factor, seconds, ...rest] = line.split(/[\s;]+/).map((part) => Number(part.replace(',', '.')));
      if (factor > 0 && seconds >= 0 && rest.length === 0) return { factor, seconds };
      throw new ConfigError(field, line, 'lines such as "1.45 3600": multiple of the rating, seconds');
    });
}
