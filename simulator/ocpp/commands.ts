/** How a simulated station answers the calls of the core and trigger profiles (OCPP 1.6 edition 2, 5). */
import { clearChargingProfile, getCompositeSchedule, install, readProfile, setChargingProfile } from './charging.ts';
import { MAX_KEYS } from './configuration.ts';
import type { Connector } from './connector.ts';
import { type Answer, CallFault, field, type JsonObject } from './frames.ts';
import type { StationInside } from './inside.ts';
import { SERVICES } from './services.ts';

export type Command = (inside: StationInside, payload: JsonObject, now: number) => JsonObject;

const FROM_STATIONS = new Set([
  'Authorize',
  'BootNotification',
  'DiagnosticsStatusNotification',
  'FirmwareStatusNotification',
  'Heartbeat',
  'LogStatusNotification',
  'MeterValues',
  'SecurityEventNotification',
  'SignCertificate',
  'SignedFirmwareStatusNotification',
  'StartTransaction',
  'StatusNotification',
  'StopTransaction',
]);
const SAMPLE_INTERVAL = 'MeterValueSampleInterval';
const MEASURAND_KEYS = new Set(['MeterValuesSampledData', 'MeterValuesAlignedData']);

const COMMANDS: Record<string, Command> = {
  ...SERVICES,
  SetChargingProfile: setChargingProfile,
  ClearChargingProfile: clearChargingProfile,
  GetCompositeSchedule: getCompositeSchedule,
  GetConfiguration: getConfiguration,
  ChangeConfiguration: changeConfiguration,
  ChangeAvailability: changeAvailability,
  RemoteStartTransaction: remoteStart,
  RemoteStopTransaction: remoteStop,
  Reset: reset,
  TriggerMessage: trigger,
  ExtendedTriggerMessage: trigger,
  UnlockConnector: unlock,
  ClearCache: () => ({ status: 'Accepted' }),
  DataTransfer: (_inside, payload) => {
    field.text(payload, 'vendorId');
    return { status: 'UnknownVendorId' };
  },
};

/** The answer to any call. */
export function answerTo(inside: StationInside, action: string, payload: JsonObject, now: number): Answer {
  const command = Object.hasOwn(COMMANDS, action) ? COMMANDS[action] : undefined;
  if (inside.behaviour.unsupported?.includes(action) || (!command && FROM_STATIONS.has(action)))
    return { code: 'NotSupported', description: `${action} is not supported` };
  if (!command) return { code: 'NotImplemented', description: `${action} is not known` };
  try {
    return { payload: command(inside, payload, now) };
  } catch (error) {
    if (!(error instanceof CallFault)) throw error;
    return { code: error.code, description: error.message };
  }
}

function getConfiguration(inside: StationInside, payload: JsonObject): JsonObject {
  const names = (field.optionalList(payload, 'key') ?? []).map(String);
  const { services, behaviour, configuration } = inside;
  if (services.failedReads < (behaviour.failedReads ?? 0)) {
    services.failedReads += 1;
    throw new CallFault('InternalError', 'configuration cannot be read');
  }
  if (names.length > MAX_KEYS)
    throw new CallFault('OccurenceConstraintViolation', `${names.length} keys, at most ${MAX_KEYS}`);
  const { known, unknown } = configuration.read(names);
  return unknown.length > 0 ? { configurationKey: known, unknownKey: unknown } : { configurationKey: known };
}

function changeConfiguration(inside: StationInside, payload: JsonObject, now: number): JsonObject {
  const key = field.text(payload, 'key', 50);
  const status = inside.configuration.change(key, field.text(payload, 'value', 500));
  if (status === 'Accepted' && MEASURAND_KEYS.has(key) && inside.behaviour.rebootsOnMeasurands)
    inside.reboot('SoftReset', now);
  if (status === 'Accepted' && key === SAMPLE_INTERVAL) for (const c of inside.connectors) c.intervalChanged(now);
  return { status };
}

function changeAvailability(inside: StationInside, payload: JsonObject): JsonObject {
  const id = field.integer(payload, 'connectorId');
  const operative = field.oneOf(payload, 'type', ['Inoperative', 'Operative']) === 'Operative';
  if (inside.behaviour.refusesAvailability || id < 0 || id > inside.connectors.length) return { status: 'Rejected' };
  const wanted = id === 0 ? inside.connectors : [inside.connectors[id - 1]];
  if (id === 0) inside.inoperative = !operative;
  let scheduled = false;
  for (const connector of wanted) {
    const busy = !operative && connector.transaction !== undefined;
    scheduled ||= busy;
    connector.scheduledInoperative = busy;
    if (!busy) connector.inoperative = !operative;
  }
  return { status: scheduled ? 'Scheduled' : 'Accepted' };
}

function remoteStart(inside: StationInside, payload: JsonObject, now: number): JsonObject {
  const idTag = field.text(payload, 'idTag', 20);
  const id = field.optionalInteger(payload, 'connectorId');
  const given = field.optionalObject(payload, 'chargingProfile');
  const profile = given && readProfile(given);
  const free = (c: Connector) =>
    ['Available', 'Preparing', 'Finishing', 'Reserved'].includes(c.status()) && !c.transaction;
  const connector = id === undefined ? inside.connectors.find(free) : inside.connectors[id - 1];
  if (!connector || !free(connector) || id === 0) return { status: 'Rejected' };
  if (connector.finished && inside.behaviour.replugAfterStop) return { status: 'Rejected' };
  if (connector.reservation && connector.reservation.idTag !== idTag) return { status: 'Rejected' };
  if (profile && profile.chargingProfilePurpose !== 'TxProfile') return { status: 'Rejected' };
  // A TxProfile that comes with the start is of the transaction that begins (5.16.2).
  connector.atBegin =
    profile && ((at) => install(inside, connector.number, { ...profile, transactionId: undefined }, at));
  inside.present(connector, idTag, true, now);
  return { status: 'Accepted' };
}

function remoteStop(inside: StationInside, payload: JsonObject, now: number): JsonObject {
  const id = field.integer(payload, 'transactionId');
  const connector = inside.connectors.find((c) => c.transaction?.id === id);
  if (!connector) return { status: 'Rejected' };
  connector.end('Remote', now);
  return { status: 'Accepted' };
}

function reset(inside: StationInside, payload: JsonObject, now: number): JsonObject {
  const hard = field.oneOf(payload, 'type', ['Hard', 'Soft']) === 'Hard';
  inside.reboot(hard ? 'HardReset' : 'SoftReset', now);
  return { status: 'Accepted' };
}

function trigger(inside: StationInside, payload: JsonObject, now: number): JsonObject {
  const message = field.text(payload, 'requestedMessage', 50);
  const id = field.optionalInteger(payload, 'connectorId');
  if (id !== undefined && (id < 0 || id > inside.connectors.length)) return { status: 'Rejected' };
  const wanted = id ? [inside.connectors[id - 1]] : inside.connectors;
  const tell: Record<string, () => void> = {
    BootNotification: () => inside.bootNotification(now, true),
    Heartbeat: () => inside.heartbeat(),
    MeterValues: () => {
      for (const c of wanted) c.meterNow(now);
    },
    StatusNotification: () => {
      for (const c of wanted) inside.later(now, 0, 'StatusNotification', c.statusPayload(now));
    },
    FirmwareStatusNotification: () =>
      inside.later(now, 0, 'FirmwareStatusNotification', { status: inside.services.firmwareStatus }),
    DiagnosticsStatusNotification: () =>
      inside.later(now, 0, 'DiagnosticsStatusNotification', { status: inside.services.diagnosticsStatus }),
    LogStatusNotification: () => inside.later(now, 0, 'LogStatusNotification', { status: 'Idle' }),
    SignChargePointCertificate: () => inside.later(now, 0, 'SignCertificate', { csr: 'CSR of the simulated station' }),
  };
  if (!Object.hasOwn(tell, message)) return { status: 'NotImplemented' };
  tell[message]();
  return { status: 'Accepted' };
}

function unlock(inside: StationInside, payload: JsonObject, now: number): JsonObject {
  const connector = inside.connectors[field.integer(payload, 'connectorId') - 1] as Connector | undefined;
  if (!connector) return { status: 'NotSupported' };
  connector.end('UnlockCommand', now);
  return { status: 'Unlocked' };
}
