/**
 * What a Shelly three-phase energy meter says, as values per channel. Pure.
 * Source: shelly-api-docs (gen 1: Shelly 3EM; gen 2+: EM, EM1, EMData components, RPC protocol, notifications).
 */
import { asObject, DeviceDataError, parseJsonObject, payloadText, readNumber, readOptional } from '../device-data.ts';

export type ShellyGeneration = 1 | 2;
export type Channel = 0 | 1 | 2;

/** New values of one channel; what is absent was not in the message. */
export interface ChannelValues {
  channel: Channel;
  /** A, magnitude: the device's current has no sign. */
  current?: number;
  /** W, signed. */
  power?: number;
  /** V. */
  voltage?: number;
  /** Wh since ever. */
  energyImport?: number;
  energyExport?: number;
}

export interface ShellyUpdate {
  channels: ChannelValues[];
  /** From the last will and its counterpart. */
  online?: boolean;
  /** Wh of all phases together, where the device counts them so. */
  energyImport?: number;
  energyExport?: number;
  /** The device has no such component: it is set to the other profile (triphase EM, monophase EM1). */
  unsupported?: boolean;
}

const MAX_A = 2000;
const MAX_V = 1000;
const MAX_W = 1.5e6;
const MAX_WH = 1e12;

function known(channels: ChannelValues[]): ShellyUpdate {
  return { channels };
}

function readCurrent(object: Record<string, unknown>, key: string): number | undefined {
  const current = readOptional(object, key, -MAX_A, MAX_A, 'A');
  return current === undefined ? undefined : Math.abs(current);
}

// ---- generation 1

/** Topics of a gen 1 device below `shellies/<deviceId>/` that carry what is needed. */
export function gen1Topics(deviceId: string): string[] {
  return [`shellies/${deviceId}/emeter/#`, `shellies/${deviceId}/online`];
}

const GEN1 = /^emeter\/([0-2])\/(current|power|voltage|total|total_returned)$/;

/**
 * One scalar topic of a gen 1 device. Undefined for a topic that is not used.
 * @throws DeviceDataError for a value that cannot be believed.
 */
export function decodeGen1(deviceId: string, topic: string, payload: Uint8Array | string): ShellyUpdate | undefined {
  const prefix = `shellies/${deviceId}/`;
  if (!topic.startsWith(prefix)) return undefined;
  const rest = topic.slice(prefix.length);
  if (rest === 'online') return decodeOnline(payload);
  const match = GEN1.exec(rest);
  if (!match) return undefined;
  const channel = Number(match[1]) as Channel;
  const text = payloadText(rest, payload);
  switch (match[2]) {
    case 'current':
      return known([{ channel, current: Math.abs(readNumber(rest, text, -MAX_A, MAX_A, 'A')) }]);
    case 'power':
      return known([{ channel, power: readNumber(rest, text, -MAX_W, MAX_W, 'W') }]);
    case 'voltage':
      return known([{ channel, voltage: readNumber(rest, text, 0, MAX_V, 'V') }]);
    case 'total':
      return known([{ channel, energyImport: readNumber(rest, text, 0, MAX_WH, 'Wh') }]);
    default:
      return known([{ channel, energyExport: readNumber(rest, text, 0, MAX_WH, 'Wh') }]);
  }
}

function decodeOnline(payload: Uint8Array | string): ShellyUpdate {
  const text = payloadText('online', payload).trim();
  if (text !== 'true' && text !== 'false') throw new DeviceDataError('online', text, 'true or false');
  return { channels: [], online: text === 'true' };
}

/** The answer of `GET /status` of a gen 1 device. A channel that calls itself invalid is left out. */
export function decodeGen1Status(payload: Uint8Array | string): ShellyUpdate {
  const status = parseJsonObject('status', payloadText('status', payload));
  const emeters = status.emeters;
  if (!Array.isArray(emeters) || emeters.length < 3) throw new DeviceDataError('emeters', emeters, 'three channels');
  const channels = ([0, 1, 2] as const).map((channel): ChannelValues => {
    const emeter = asObject(`emeters.${channel}`, emeters[channel]);
    if (emeter.is_valid === false) return { channel };
    return {
      channel,
      current: readCurrent(emeter, 'current'),
      power: readOptional(emeter, 'power', -MAX_W, MAX_W, 'W'),
      voltage: readOptional(emeter, 'voltage', 0, MAX_V, 'V'),
      energyImport: readOptional(emeter, 'total', 0, MAX_WH, 'Wh'),
      energyExport: readOptional(emeter, 'total_returned', 0, MAX_WH, 'Wh'),
    };
  });
  return known(channels);
}

// ---- generation 2 and later

/** Topics of a gen 2+ device; replies to RPC requests arrive on `<replyTo>/rpc`. */
export function gen2Topics(prefix: string, replyTo: string): string[] {
  return [`${prefix}/events/rpc`, `${prefix}/online`, `${prefix}/status/+`, `${replyTo}/rpc`];
}

/** An RPC request frame for `<prefix>/rpc`. */
export function encodeRpc(id: number, replyTo: string, method: string, component: number): string {
  return JSON.stringify({ id, src: replyTo, method, params: { id: component } });
}

/**
 * Any MQTT message of a gen 2+ device. Undefined for one that is not used.
 * @throws DeviceDataError for a value that cannot be believed.
 */
export function decodeGen2(
  prefix: string,
  replyTo: string,
  topic: string,
  payload: Uint8Array | string,
): ShellyUpdate | undefined {
  if (topic === `${prefix}/online`) return decodeOnline(payload);
  if (topic === `${prefix}/events/rpc` || topic === `${replyTo}/rpc`) return decodeFrame(payload);
  const status = `${prefix}/status/`;
  if (!topic.startsWith(status)) return undefined;
  const component = topic.slice(status.length);
  if (!COMPONENT.test(component)) return undefined;
  return decodeComponent(component, parseJsonObject(component, payloadText(component, payload)));
}

const COMPONENT = /^(em:0|emdata:0|em1:[0-2]|em1data:[0-2])$/;

function decodeFrame(payload: Uint8Array | string): ShellyUpdate | undefined {
  const frame = parseJsonObject('frame', payloadText('frame', payload));
  if (Object.hasOwn(frame, 'method')) {
    if (frame.method !== 'NotifyStatus' && frame.method !== 'NotifyFullStatus') return undefined;
    return decodeNotification(asObject('params', frame.params));
  }
  if (Object.hasOwn(frame, 'error')) return decodeRpcError(asObject('error', frame.error));
  return decodeRpcResult(asObject('result', frame.result));
}

function decodeNotification(params: Record<string, unknown>): ShellyUpdate | undefined {
  const update: ShellyUpdate = { channels: [] };
  let found = false;
  for (const component of COMPONENTS) {
    if (!Object.hasOwn(params, component)) continue;
    found = true;
    const part = decodeComponent(component, asObject(component, params[component]));
    update.channels.push(...part.channels);
    update.energyImport ??= part.energyImport;
    update.energyExport ??= part.energyExport;
  }
  return found ? update : undefined;
}

const COMPONENTS = ['em:0', 'emdata:0', 'em1:0', 'em1:1', 'em1:2', 'em1data:0', 'em1data:1', 'em1data:2'] as const;

function decodeComponent(component: string, status: Record<string, unknown>): ShellyUpdate {
  if (component === 'em:0') return decodeEm(status);
  if (component === 'emdata:0') return decodeEmData(status);
  const channel = Number(component.at(-1)) as Channel;
  return component.startsWith('em1data') ? decodeEm1Data(channel, status) : decodeEm1(channel, status);
}

function decodeRpcError(error: Record<string, unknown>): ShellyUpdate {
  // 404 "No handler for EM.GetStatus": the device is set to its other profile.
  if (error.code === 404) return { channels: [], unsupported: true };
  throw new DeviceDataError('error', error, 'an RPC result');
}

/** The result of EM.GetStatus, EM1.GetStatus, EMData.GetStatus or EM1Data.GetStatus, told apart by their fields. */
export function decodeRpcResult(result: Record<string, unknown>): ShellyUpdate {
  if (Object.hasOwn(result, 'a_current')) return decodeEm(result);
  if (Object.hasOwn(result, 'a_total_act_energy')) return decodeEmData(result);
  const channel = readNumber('id', result.id, 0, 2) as Channel;
  if (Object.hasOwn(result, 'total_act_energy')) return decodeEm1Data(channel, result);
  if (Object.hasOwn(result, 'current')) return decodeEm1(channel, result);
  throw new DeviceDataError('result', result, 'the status of an energy meter');
}

/** The answer of `GET /rpc/<method>`, the bare result. */
export function decodeGen2Status(payload: Uint8Array | string): ShellyUpdate {
  return decodeRpcResult(parseJsonObject('status', payloadText('status', payload)));
}

/** Triphase profile, component EM. Objects may be partial: what is absent has not changed. */
function decodeEm(em: Record<string, unknown>): ShellyUpdate {
  const channels = ([0, 1, 2] as const).map((channel): ChannelValues => {
    const name = 'abc'[channel];
    if (failed(em[`${name}_errors`])) return { channel };
    return {
      channel,
      current: readCurrent(em, `${name}_current`),
      power: readOptional(em, `${name}_act_power`, -MAX_W, MAX_W, 'W'),
      voltage: readOptional(em, `${name}_voltage`, 0, MAX_V, 'V'),
    };
  });
  return known(channels);
}

function failed(errors: unknown): boolean {
  return Array.isArray(errors) && errors.includes('power_meter_failure');
}

function decodeEm1(channel: Channel, em1: Record<string, unknown>): ShellyUpdate {
  if (failed(em1.errors)) return known([{ channel }]);
  return known([
    {
      channel,
      current: readCurrent(em1, 'current'),
      power: readOptional(em1, 'act_power', -MAX_W, MAX_W, 'W'),
      voltage: readOptional(em1, 'voltage', 0, MAX_V, 'V'),
    },
  ]);
}

function decodeEmData(data: Record<string, unknown>): ShellyUpdate {
  return {
    channels: [],
    energyImport: readOptional(data, 'total_act', 0, MAX_WH, 'Wh'),
    energyExport: readOptional(data, 'total_act_ret', 0, MAX_WH, 'Wh'),
  };
}

function decodeEm1Data(channel: Channel, data: Record<string, unknown>): ShellyUpdate {
  return known([
    {
      channel,
      energyImport: readOptional(data, 'total_act_energy', 0, MAX_WH, 'Wh'),
      energyExport: readOptional(data, 'total_act_ret_energy', 0, MAX_WH, 'Wh'),
    },
  ]);
}
