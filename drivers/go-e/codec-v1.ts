/**
 * go-e API v1 as pure functions.
 * Source: go-e API v1 document (HOME+, V2 hardware).
 */
import { parseJsonObject, payloadText, readNumber, readOptional } from '../device-data.ts';
import { cardName, type GoEStatus, MAX_WH, readAmps, readNrg } from './status.ts';

/** `<prefix>/<serial>/status`, every 5 s. */
export function v1Topics(prefix: string, serial: string): string[] {
  return [`${prefix}/${serial}/status`];
}

/**
 * A v1 status, from MQTT or HTTP. Every scalar is a JSON string; `nrg` is an array of numbers.
 * @throws DeviceDataError when a value that is needed is missing or cannot be believed.
 */
export function decodeV1Status(payload: Uint8Array | string): GoEStatus {
  const raw = parseJsonObject('status', payloadText('status', payload));
  const nrg = readNrg(raw.nrg);
  const amp = readNumber('amp', raw.amp, 0, 80, 'A');
  const amx = readOptional(raw, 'amx', 0, 80, 'A');
  const cable = readOptional(raw, 'cbl', 0, 80, 'A');
  return {
    car: readNumber('car', raw.car, 0, 5),
    limit: amx ?? amp,
    flashLimit: amp,
    allowed: readNumber('alw', raw.alw, 0, 1) === 1,
    voltage: [nrg[0], nrg[1], nrg[2]],
    current: [readAmps(nrg[4] / 10), readAmps(nrg[5] / 10), readAmps(nrg[6] / 10)],
    power: nrg[11] * 10,
    session: tenWattSeconds(readOptional(raw, 'dws', 0, MAX_WH)),
    total: tenthKwh(readOptional(raw, 'eto', 0, MAX_WH)),
    maximum: readOptional(raw, 'ama', 0, 80, 'A'),
    cable: cable || undefined,
    energyReached: energyReached(raw),
    error: readOptional(raw, 'err', 0, 255) || undefined,
    user: v1User(raw),
  };
}

/** `dws` counts 10 Ws. */
function tenWattSeconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value / 360;
}

function tenthKwh(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * 100;
}

function energyReached(raw: Record<string, unknown>): boolean {
  const limit = tenthKwh(readOptional(raw, 'dwo', 0, MAX_WH));
  const session = tenWattSeconds(readOptional(raw, 'dws', 0, MAX_WH));
  if (readOptional(raw, 'stp', 0, 255) !== 2 || limit === undefined || session === undefined) return false;
  return limit > 0 && session >= limit;
}

/** Names of the ten cards of a v1 charger. */
const V1_CARD_NAMES = ['rna', 'rnm', 'rne', 'rn4', 'rn5', 'rn6', 'rn7', 'rn8', 'rn9', 'rn1'] as const;

function v1User(raw: Record<string, unknown>): string | undefined {
  const card = readOptional(raw, 'uby', 0, 10);
  if (!card) return undefined;
  return cardName(raw[V1_CARD_NAMES[card - 1]], card);
}
