/** Where in a payload a check has found something. */
import type { z } from 'zod';

export type Issue = z.core.$ZodIssue;

/** `meterValue[0].timestamp`; the payload itself is `payload`. */
export function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'payload';
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

/** What is there, own properties only; undefined where nothing is. */
export function valueAt(payload: unknown, path: readonly PropertyKey[]): unknown {
  let value = payload;
  for (const key of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
