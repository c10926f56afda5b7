/** OCPP-J frames (OCPP-J 1.6, 4.2) as a simulated station reads and writes them. Its own, so that no mistake of ours cancels out. */

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json | undefined;
}

export type Frame =
  | { type: 'call'; id: Json; action: string; payload: JsonObject }
  | { type: 'result'; id: Json; payload: JsonObject }
  | { type: 'error'; id: Json; code: string; description: string };

/** What the station answers: a payload, or an error code of OCPP-J. */
export type Answer = { payload: JsonObject } | { code: string; description: string };

/** A call that the station refuses as such. */
export class CallFault extends Error {
  override name = 'CallFault';
  readonly code: string;

  constructor(code: string, description: string) {
    super(description);
    this.code = code;
  }
}

/** @returns undefined for what is no frame. */
export function parseFrame(text: string): Frame | undefined {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const [type, id, third, fourth] = value;
  if (type === 2 && typeof third === 'string') return { type: 'call', id, action: third, payload: objectOf(fourth) };
  if (type === 3) return { type: 'result', id, payload: objectOf(third) };
  if (type === 4) return { type: 'error', id, code: String(third), description: String(fourth ?? '') };
  return undefined;
}

export function callText(id: string | number, action: string, payload: JsonObject): string {
  return JSON.stringify([2, id, action, payload]);
}

export function answerText(id: Json, answer: Answer): string {
  if ('payload' in answer) return JSON.stringify([3, id, answer.payload]);
  return JSON.stringify([4, id, answer.code, answer.description, {}]);
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

/** Reads fields of a call. @throws CallFault that names the field, what it was and what was expected. */
export const field = {
  integer: (payload: JsonObject, name: string): number => required(payload, name, field.optionalInteger),
  text: (payload: JsonObject, name: string, most = 255): string =>
    required(payload, name, (p, n) => field.optionalText(p, n, most)),
  oneOf: <T extends string>(payload: JsonObject, name: string, allowed: readonly T[]): T =>
    required(payload, name, (p, n) => field.optionalOneOf(p, n, allowed)),
  optionalInteger(payload: JsonObject, name: string): number | undefined {
    const value = payload[name];
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, value, 'an integer');
    return value;
  },
  optionalText(payload: JsonObject, name: string, most = 255): string | undefined {
    const value = payload[name];
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw wrongType(name, value, 'a text');
    if (value.length > most)
      throw new CallFault('FormationViolation', `${name}: ${value.length} characters, at most ${most} expected`);
    return value;
  },
  optionalOneOf<T extends string>(payload: JsonObject, name: string, allowed: readonly T[]): T | undefined {
    const value = payload[name];
    if (value === undefined) return undefined;
    const found = allowed.find((a) => a === value);
    if (!found)
      throw new CallFault('FormationViolation', `${name}: ${JSON.stringify(value)}, one of ${allowed} expected`);
    return found;
  },
  optionalTime(payload: JsonObject, name: string): string | undefined {
    const value = field.optionalText(payload, name, 64);
    if (value === undefined || !Number.isNaN(Date.parse(value))) return value;
    throw new CallFault('FormationViolation', `${name}: ${JSON.stringify(value)}, a date-time expected`);
  },
  optionalObject(payload: JsonObject, name: string): JsonObject | undefined {
    const value = payload[name];
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(name, value, 'an object');
    return value;
  },
  optionalList(payload: JsonObject, name: string): Json[] | undefined {
    const value = payload[name];
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw wrongType(name, value, 'a list');
    return value;
  },
};

function required<T>(payload: JsonObject, name: string, read: (payload: JsonObject, name: string) => T | undefined): T {
  const value = read(payload, name);
  if (value === undefined) throw new CallFault('OccurenceConstraintViolation', `${name} is missing`);
  return value;
}

function wrongType(name: string, value: Json, expected: string): CallFault {
  return new CallFault('TypeConstraintViolation', `${name}: ${JSON.stringify(value)}, ${expected} expected`);
}
