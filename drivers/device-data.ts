/** Reading what a device sent: every value is checked before it is believed, and a refusal says what was wrong with it. */

/** Longest payload that is looked at; no message of the supported devices comes near it. */
export const MAX_PAYLOAD_BYTES = 64 * 1024;

/** A device sent something that cannot be believed: which field, what it was, what was expected. */
export class DeviceDataError extends Error {
  override name = 'DeviceDataError';
  readonly field: string;
  readonly value: string;
  readonly expected: string;

  constructor(field: string, value: unknown, expected: string) {
    const shown = show(value);
    super(`${field}: ${shown} — expected ${expected}`);
    this.field = field;
    this.value = shown;
    this.expected = expected;
  }
}

function show(value: unknown): string {
  const text =
    typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : (JSON.stringify(value) ?? String(value));
  return text.slice(0, 82);
}

/** The text of a payload. @throws DeviceDataError when it is larger than 64 KB. */
export function payloadText(field: string, payload: Uint8Array | string): string {
  const size = payload.length;
  if (size > MAX_PAYLOAD_BYTES) throw new DeviceDataError(field, `${size} bytes`, `at most ${MAX_PAYLOAD_BYTES} bytes`);
  return typeof payload === 'string' ? payload : Buffer.from(payload.buffer, payload.byteOffset, size).toString('utf8');
}

/** A JSON value. @throws DeviceDataError when the text is no JSON. */
export function parseJson(field: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new DeviceDataError(field, text, 'JSON');
  }
}

/** A JSON object. @throws DeviceDataError when the text is no JSON or no object. */
export function parseJsonObject(field: string, text: string): Record<string, unknown> {
  return asObject(field, parseJson(field, text));
}

/** @throws DeviceDataError when the value is no plain object. */
export function asObject(field: string, value: unknown): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new DeviceDataError(field, value, 'a JSON object');
  }
  return value as Record<string, unknown>;
}

const NUMBER = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/;

/** A finite number within limits, from a number or its decimal text. @throws DeviceDataError otherwise. */
export function readNumber(field: string, value: unknown, min: number, max: number, unit = ''): number {
  const number = typeof value === 'string' && NUMBER.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw new DeviceDataError(field, value, 'a number');
  if (number < min || number > max) {
    throw new DeviceDataError(field, value, `${min} to ${max}${unit ? ` ${unit}` : ''}`);
  }
  return number;
}

/** Like `readNumber`; undefined when the object has no such own key or it is null. */
export function readOptional(
  object: Record<string, unknown>,
  key: string,
  min: number,
  max: number,
  unit = '',
): number | undefined {
  if (!Object.hasOwn(object, key) || object[key] === null || object[key] === undefined) return undefined;
  return readNumber(key, object[key], min, max, unit);
}
