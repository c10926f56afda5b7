/** How a simulated station answers what is not about charging: lists, reservations, firmware, logs, certificates. */
import type { Command } from './commands.ts';
import { MAX_LIST } from './configuration.ts';
import type { Connector } from './connector.ts';
import { CallFault, field, type JsonObject } from './frames.ts';
import type { StationInside } from './inside.ts';

const SECOND = 1000;

export const SERVICES: Record<string, Command> = {
  GetLocalListVersion: (inside) => ({ listVersion: inside.services.listVersion }),
  SendLocalList: sendLocalList,
  ReserveNow: reserveNow,
  CancelReservation: cancelReservation,
  UpdateFirmware: updateFirmware,
  GetDiagnostics: getDiagnostics,
  GetLog: getLog,
  SignedUpdateFirmware: signedUpdateFirmware,
  InstallCertificate: installCertificate,
  DeleteCertificate: deleteCertificate,
  GetInstalledCertificateIds: installedCertificates,
  CertificateSigned: (_inside, payload) => {
    const chain = field.text(payload, 'certificateChain', 10_000);
    return { status: chain.includes('BEGIN CERTIFICATE') ? 'Accepted' : 'Rejected' };
  },
};

function sendLocalList(inside: StationInside, payload: JsonObject): JsonObject {
  const version = field.integer(payload, 'listVersion');
  const full = field.oneOf(payload, 'updateType', ['Differential', 'Full']) === 'Full';
  const entries = (field.optionalList(payload, 'localAuthorizationList') ?? []) as JsonObject[];
  const { services } = inside;
  if (!inside.configuration.flag('LocalAuthListEnabled')) return { status: 'NotSupported' };
  if (entries.length > MAX_LIST) return { status: 'Failed' };
  if (!full && version <= services.listVersion) return { status: 'VersionMismatch' };
  if (full) services.list.clear();
  for (const entry of entries) {
    const tag = field.text(entry, 'idTag', 20);
    const info = field.optionalObject(entry, 'idTagInfo');
    // Without idTagInfo a differential list removes (5.15).
    if (info) services.list.set(tag, String(info.status));
    else services.list.delete(tag);
  }
  services.listVersion = version;
  return { status: 'Accepted' };
}

function reserveNow(inside: StationInside, payload: JsonObject, _now: number): JsonObject {
  const connector = inside.connectors[field.integer(payload, 'connectorId') - 1] as Connector | undefined;
  const id = field.integer(payload, 'reservationId');
  const idTag = field.text(payload, 'idTag', 20);
  const until = field.optionalTime(payload, 'expiryDate');
  if (!until) throw new CallFault('OccurenceConstraintViolation', 'expiryDate is missing');
  if (!connector) return { status: 'Rejected' };
  const status = connector.status();
  if (status === 'Faulted' || status === 'Unavailable') return { status };
  const free = status === 'Available' || connector.reservation?.id === id;
  if (!free) return { status: 'Occupied' };
  connector.reservation = { id, idTag, until: Date.parse(until) };
  return { status: 'Accepted' };
}

function cancelReservation(inside: StationInside, payload: JsonObject): JsonObject {
  const id = field.integer(payload, 'reservationId');
  const connector = inside.connectors.find((c) => c.reservation?.id === id);
  if (!connector) return { status: 'Rejected' };
  connector.reservation = undefined;
  return { status: 'Accepted' };
}

function updateFirmware(inside: StationInside, payload: JsonObject, now: number): JsonObject {
  field.text(payload, 'location', 2000);
  field.optionalTime(payload, 'retrieveDate');
  const steps = ['Downloading', 'Downloaded', 'Installing', 'Installed'];
  for (const [i, status] of steps.entries())
    inside.later(now, (i + 1) * 5 * SECOND, 'FirmwareStatusNotification', { status });
  inside.services.firmwareStatus = 'Installed';
  return {};
}

function signedUpdateFirmware(inside: StationInside, payload: JsonObject, now: number): JsonObject {
  const requestId = field.integer(payload, 'requestId');
  if (!field.optionalObject(payload, 'firmware'))
    throw new CallFault('OccurenceConstraintViolation', 'firmware is missing');
  const steps = ['Downloading', 'Downloaded', 'SignatureVerified', 'Installing', 'Installed'];
  for (const [i, status] of steps.entries())
    inside.later(now, (i + 1) * 5 * SECOND, 'SignedFirmwareStatusNotification', { status, requestId });
  return { status: 'Accepted' };
}

function getDiagnostics(inside: StationInside, payload: JsonObject, now: number): JsonObject {
  field.text(payload, 'location', 2000);
  for (const [i, status] of ['Uploading', 'Uploaded'].entries())
    inside.later(now, (i + 1) * 5 * SECOND, 'DiagnosticsStatusNotification', { status });
  inside.services.diagnosticsStatus = 'Uploaded';
  return { fileName: 'diagnostics.txt' };
}

function getLog(inside: StationInside, payload: JsonObject, now: number): JsonObject {
  const requestId = field.integer(payload, 'requestId');
  field.oneOf(payload, 'logType', ['DiagnosticsLog', 'SecurityLog']);
  for (const [i, status] of ['Uploading', 'Uploaded'].entries())
    inside.later(now, (i + 1) * 5 * SECOND, 'LogStatusNotification', { status, requestId });
  return { status: 'Accepted', filename: 'station.log' };
}

function installCertificate(inside: StationInside, payload: JsonObject): JsonObject {
  const certificateType = field.oneOf(payload, 'certificateType', [
    'CentralSystemRootCertificate',
    'ManufacturerRootCertificate',
  ]);
  const pem = field.text(payload, 'certificate', 5500);
  if (!pem.includes('BEGIN CERTIFICATE')) return { status: 'Rejected' };
  const serialNumber = (inside.services.certificates.length + 1).toString(16);
  const hash = { hashAlgorithm: 'SHA256', issuerNameHash: 'aa', issuerKeyHash: 'bb', serialNumber };
  inside.services.certificates.push({ certificateType, hash });
  return { status: 'Accepted' };
}

function deleteCertificate(inside: StationInside, payload: JsonObject): JsonObject {
  const wanted = field.optionalObject(payload, 'certificateHashData');
  if (!wanted) throw new CallFault('OccurenceConstraintViolation', 'certificateHashData is missing');
  const { certificates } = inside.services;
  const at = certificates.findIndex(({ hash }) => (hash as JsonObject).serialNumber === wanted.serialNumber);
  if (at < 0) return { status: 'NotFound' };
  certificates.splice(at, 1);
  return { status: 'Accepted' };
}

function installedCertificates(inside: StationInside, payload: JsonObject): JsonObject {
  const type = field.text(payload, 'certificateType');
  const found = inside.services.certificates.filter(({ certificateType }) => certificateType === type);
  if (found.length === 0) return { status: 'NotFound' };
  return { status: 'Accepted', certificateHashData: found.map(({ hash }) => hash as JsonObject) };
}
