/**
 * How a go-e charger is told something, as pure functions; what it says is in `codec-v1.ts` and `codec-v2.ts`.
 * Source: go-e API v1 and v2 documents.
 */
import { payloadText } from '../device-data.ts';
import { V2_KEYS } from './codec-v2.ts';
import type { GoEApi } from './status.ts';

export * from './codec-v1.ts';
export * from './codec-v2.ts';
export * from './status.ts';

/** A value to write: v1 `amx`, `amp`, `alw`; v2 `amp`, `frc`, `psm`. */
export interface GoEWrite {
  key: 'amx' | 'amp' | 'alw' | 'frc' | 'psm';
  value: number;
}

/** A write over MQTT: v1 plain `key=value` on `cmd/req`, v2 JSON on `<key>/set`. */
export function mqttWrite(
  api: GoEApi,
  prefix: string,
  serial: string,
  write: GoEWrite,
): { topic: string; payload: string } {
  const base = `${prefix}/${serial}`;
  if (api === 'v1') return { topic: `${base}/cmd/req`, payload: `${write.key}=${write.value}` };
  return { topic: `${base}/${write.key}/set`, payload: String(write.value) };
}

/** A write over HTTP. v1 answers with the whole status, v2 with `{"key":true}` or an error text. */
export function httpWritePath(api: GoEApi, write: GoEWrite): string {
  return api === 'v1' ? `/mqtt?payload=${write.key}=${write.value}` : `/api/set?${write.key}=${write.value}`;
}

export function httpStatusPath(api: GoEApi): string {
  return api === 'v1' ? '/status' : `/api/status?filter=${V2_KEYS.filter((k) => k !== 'mcc').join(',')}`;
}

/** Whether a v2 charger took a write; else what it said instead. */
export function v2WriteAnswer(key: string, payload: Uint8Array | string): { ok: boolean; detail: string } {
  const text = payloadText(`${key} result`, payload);
  let value: unknown = text;
  try {
    value = JSON.parse(text);
  } catch {
    // An error comes as plain text.
  }
  if (value !== null && typeof value === 'object' && Object.hasOwn(value, key))
    value = (value as Record<string, unknown>)[key];
  return { ok: value === true || value === 'true', detail: text.slice(0, 120) };
}
