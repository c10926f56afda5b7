/**
 * go-e API v2 as pure functions.
 * Source: go-e API v2 document (V3, Gemini, V4).
 */
import { DeviceDataError, parseJson, parseJsonObject, payloadText, readNumber } from '../device-data.ts';
import { cardName, type GoEStatus, MAX_WH, readAmps, readNrg } from './status.ts';

/** Keys that are read; `utc` and `rbt` change every second and so tell that the charger lives. */
export const V2_KEYS = [
  'car',
  'amp',
  'frc',
  'psm',
  'alw',
  'acu',
  'nrg',
  'wh',
  'eto',
  'ama',
  'cbl',
  'amt',
  'adi',
  'modelStatus',
  'err',
  'trx',
  'cards',
  'c0n',
  'c1n',
  'c2n',
  'c3n',
  'c4n',
  'c5n',
  'c6n',
  'c7n',
  'c8n',
  'c9n',
  'utc',
  'rbt',
  'mcc',
] as const;
export type V2Key = (typeof V2_KEYS)[number];
const KEYS: ReadonlySet<string> = new Set(V2_KEYS);

/** Topics of a v2 charger. Some brokers show its topics with a leading `/`. */
export function v2Topics(prefix: string, serial: string): string[] {
  const base = `${prefix}/${serial}`;
  const results = ['frc', 'amp', 'psm'].map((key) => `${base}/${key}/result`);
  return [...V2_KEYS.map((key) => `${base}/${key}`), ...results].flatMap((topic) => [topic, `/${topic}`]);
}

/** Key of a v2 topic; undefined when it is none that is used. `result`: the answer to a write. */
export function v2Key(prefix: string, serial: string, topic: string): { key: V2Key; result: boolean } | undefined {
  const plain = topic.startsWith('/') && !prefix.startsWith('/') ? topic.slice(1) : topic;
  const base = `${prefix}/${serial}/`;
  if (!plain.startsWith(base)) return undefined;
  const [key, suffix, more] = plain.slice(base.length).split('/');
  if (more !== undefined || (suffix !== undefined && suffix !== 'result') || !KEYS.has(key)) return undefined;
  return { key: key as V2Key, result: suffix === 'result' };
}

/** Cards by index, as far as their names were reported. */
export type CardNames = Map<number, string>;

/**
 * One v2 value as new parts of the status.
 * @throws DeviceDataError for a value that cannot be believed.
 */
export function decodeV2Value(key: V2Key, value: unknown, cards: CardNames): GoEStatus {
  switch (key) {
    case 'car':
      return { car: value === null ? null : readNumber(key, value, 0, 5) };
    case 'amp':
      return { limit: readNumber(key, value, 0, 80, 'A') };
    case 'frc':
      return { force: readNumber(key, value, 0, 2) };
    case 'psm':
      return { phaseMode: readNumber(key, value, 0, 2) };
    case 'alw':
      return { allowed: readBoolean(key, value) };
    case 'acu':
      return { allowedCurrent: value === null ? null : readNumber(key, value, 0, 80, 'A') };
    case 'nrg':
      return decodeV2Nrg(readNrg(value));
    case 'wh':
      return { session: readNumber(key, value, 0, MAX_WH, 'Wh') };
    case 'eto':
      return { total: readNumber(key, value, 0, MAX_WH, 'Wh') };
    default:
      return decodeV2Detail(key, value, cards);
  }
}

function decodeV2Detail(key: V2Key, value: unknown, cards: CardNames): GoEStatus {
  switch (key) {
    case 'ama':
      return { maximum: readNumber(key, value, 0, 80, 'A') };
    case 'cbl':
      return { cable: value === null ? undefined : readNumber(key, value, 0, 80, 'A') || undefined };
    case 'amt':
      return { temperatureLimit: value === null ? undefined : readNumber(key, value, 0, 80, 'A') };
    case 'adi':
      return { adapter: value === null ? undefined : readBoolean(key, value) };
    case 'modelStatus':
      return { modelStatus: value === null ? undefined : readNumber(key, value, 0, 255) };
    case 'err':
      return { error: value === null ? undefined : readNumber(key, value, 0, 255) || undefined };
    case 'mcc':
      return { connected: readBoolean(key, value) };
    case 'trx':
      return { user: v2User(value, cards) };
    case 'utc':
    case 'rbt':
      return {};
    default:
      return rememberCards(key, value, cards);
  }
}

function decodeV2Nrg(nrg: number[]): GoEStatus {
  return {
    voltage: [nrg[0], nrg[1], nrg[2]],
    current: [readAmps(nrg[4]), readAmps(nrg[5]), readAmps(nrg[6])],
    power: nrg[11],
  };
}

/** `trx`: null no session, 0 without a card, else index + 1. */
function v2User(value: unknown, cards: CardNames): string | undefined {
  if (value === null) return undefined;
  const card = readNumber('trx', value, 0, 255);
  return card === 0 ? undefined : cardName(cards.get(card - 1), card);
}

/** Names come as `cards` up to firmware 59, then as `c0n`, `c1n` … */
function rememberCards(key: V2Key, value: unknown, cards: CardNames): GoEStatus {
  if (key === 'cards') {
    const list: unknown[] = Array.isArray(value) ? value.slice(0, 10) : [];
    for (const [i, card] of list.entries()) rememberName(i, cardField(card), cards);
  } else {
    rememberName(Number(key[1]), value, cards);
  }
  return {};
}

function cardField(card: unknown): unknown {
  return card !== null && typeof card === 'object' && 'name' in card ? card.name : undefined;
}

function rememberName(index: number, name: unknown, cards: CardNames): void {
  if (typeof name === 'string') cards.set(index, name.slice(0, 60));
}

function readBoolean(field: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new DeviceDataError(field, value, 'true or false');
  return value;
}

/** The JSON value of a v2 topic. @throws DeviceDataError */
export function parseV2Payload(key: V2Key, payload: Uint8Array | string): unknown {
  return parseJson(key, payloadText(key, payload));
}

/** `/api/status?filter=…`: a JSON object of keys. @throws DeviceDataError */
export function decodeV2Status(payload: Uint8Array | string, cards: CardNames): GoEStatus {
  const raw = parseJsonObject('status', payloadText('status', payload));
  const status: GoEStatus = {};
  // Card names first, so that `trx` finds them.
  for (const key of [...V2_KEYS].sort((a, b) => Number(a === 'trx') - Number(b === 'trx'))) {
    if (Object.hasOwn(raw, key)) Object.assign(status, decodeV2Value(key, raw[key], cards));
  }
  for (const key of ['car', 'amp', 'frc', 'nrg'] as const) {
    if (!Object.hasOwn(raw, key))
      throw new DeviceDataError(key, undefined, 'a value (is the API v2 enabled in the app?)');
  }
  return status;
}
