/** Frames that a broken or a hostile station may send: valid ones with one or more things wrong, and bytes at random. Seeded. */

export type Random = () => number;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

const timestamp = '2026-05-03T12:00:00Z';
const sampledValue = [
  { value: '16.1', measurand: 'Current.Import', phase: 'L1', unit: 'A', context: 'Sample.Periodic', format: 'Raw' },
  { value: '1234', measurand: 'Energy.Active.Import.Register', unit: 'Wh' },
];

const VALID: readonly unknown[] = [
  [2, 'a', 'BootNotification', { chargePointVendor: 'V', chargePointModel: 'M', firmwareVersion: '1.0' }],
  [2, 'b', 'Heartbeat', {}],
  [2, 'c', 'MeterValues', { connectorId: 1, transactionId: 5, meterValue: [{ timestamp, sampledValue }] }],
  [2, 'd', 'StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging', timestamp }],
  [2, 'e', 'StartTransaction', { connectorId: 1, idTag: 'TAG', meterStart: 5, timestamp }],
  [
    2,
    'f',
    'StopTransaction',
    { transactionId: 5, meterStop: 9, timestamp, transactionData: [{ timestamp, sampledValue }] },
  ],
  [2, 'g', 'DataTransfer', { vendorId: 'v', messageId: 'm', data: 'x' }],
  [2, 'h', 'Authorize', { idTag: 'TAG' }],
  [3, 'nobody', { status: 'Accepted' }],
  [4, 'nobody', 'GenericError', 'text', {}],
];

const JUNK: readonly ((random: Random) => unknown)[] = [
  () => null,
  () => true,
  () => '',
  () => [],
  () => ({}),
  (random) => Math.floor(random() * 10) - 5,
  () => 1e308,
  () => -0.1,
  () => 2 ** 53,
  (random) => 'x'.repeat(Math.floor(random() * 2000)),
  (random) => String.fromCharCode(...Array.from({ length: 20 }, () => Math.floor(random() * 65536))),
  () => JSON.parse('{"__proto__":{"polluted":1}}'),
  () => JSON.parse('{"constructor":{"prototype":{"polluted":1}}}'),
  () => 'toString',
  () => '__proto__',
  () => '0000-00-00T00:00:00Z',
];

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  'x',
  '0',
  'length',
  'timestamp',
];

/** One thing wrong, somewhere. */
function mutate(random: Random, value: unknown, depth = 0): unknown {
  if (value === null || typeof value !== 'object' || random() < 0.15 + depth * 0.1) return pick(random, JUNK)(random);
  if (Array.isArray(value)) {
    const at = Math.floor(random() * value.length);
    const copy = [...value];
    const how = random();
    if (how < 0.1) copy.splice(at, 1);
    else if (how < 0.2) copy.splice(at, 0, pick(random, JUNK)(random));
    else copy[at] = mutate(random, copy[at], depth + 1);
    return copy;
  }
  const copy: Record<string, unknown> = { ...value };
  const key = pick(random, Object.keys(copy)) ?? 'x';
  const how = random();
  if (how < 0.15) delete copy[key];
  else if (how < 0.35) {
    const own = { value: pick(random, JUNK)(random), enumerable: true, configurable: true, writable: true };
    Object.defineProperty(copy, pick(random, KEYS), own);
  } else copy[key] = mutate(random, copy[key], depth + 1);
  return copy;
}

function brokenText(random: Random, text: string): string {
  const at = Math.floor(random() * text.length);
  const how = random();
  if (how < 0.3) return text.slice(0, at);
  if (how < 0.6) return text.slice(0, at) + String.fromCharCode(Math.floor(random() * 0x3000)) + text.slice(at);
  if (how < 0.8) return text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 5));
  return text + text;
}

function special(random: Random): string | Uint8Array {
  const depth = 1 + Math.floor(random() * 20_000);
  const nested = '['.repeat(depth) + ']'.repeat(depth);
  return pick<() => string | Uint8Array>(random, [
    () => nested,
    () => '['.repeat(depth),
    () => `{"a":`.repeat(depth),
    () => `[2,"n","MeterValues",{"connectorId":1,"meterValue":${nested}}]`,
    () => `[2,"n","Heartbeat",{"x":${nested}}]`,
    () => `[2,${'9'.repeat(1 + (depth % 500))},"Heartbeat",{}]`,
    () => `[2,1e${depth},"Heartbeat",{}]`,
    () => `[2,"n","StartTransaction",{"connectorId":1e999,"idTag":"a","meterStart":-1e999,"timestamp":"${timestamp}"}]`,
    () => '[2,"n","Heartbeat",{"a":1,"a":2,"__proto__":null,"__proto__":{"polluted":1}}]',
    () => `[2,"n","DataTransfer",{"vendorId":"v","data":"${'x'.repeat(depth * 4)}"}]`,
    () => `[2,"n","Heartbeat",{${Array.from({ length: depth % 3000 }, (_, i) => `"k${i}":${i}`).join()}}]`,
    () => Buffer.from(Array.from({ length: depth % 500 }, () => Math.floor(random() * 256))),
    () => Buffer.from('[2,"n","Heartbeat",{}]'),
    () => '',
    () => '\u0000',
  ])();
}

/** The next frame: text, or the bytes of a binary one. */
export function fuzzFrame(random: Random): string | Uint8Array {
  const how = random();
  if (how < 0.05) return special(random);
  let value = pick(random, VALID);
  for (let i = 0; i < 1 + random() * 3; i++) value = mutate(random, value);
  const text = JSON.stringify(value) ?? '';
  return how < 0.25 ? brokenText(random, text) : text;
}
