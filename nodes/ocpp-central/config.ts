/** Reads the form of ocpp-central: where stations come in, and the table of those that are known. */
import { accessSync, constants } from 'node:fs';
import type { NodeDef } from 'node-red';
import type { ChargerConfig } from '../../core/site.ts';
import type { TlsFiles } from '../../drivers/ocpp/listener.ts';
import { ConfigError, choiceField, idField, numberField, phasesField } from '../fields.ts';

/** As the editor saves it. */
export interface OcppCentralDef extends NodeDef {
  site: string;
  listen: unknown;
  port: unknown;
  host: unknown;
  path: unknown;
  security: unknown;
  certificate: unknown;
  key: unknown;
  ca: unknown;
  stations: unknown;
  unknown: unknown;
  unknownCircuit: unknown;
  unknownMaximum: unknown;
  idTags: unknown;
  meterSeconds: unknown;
  profileSeconds: unknown;
}

/** A station of the table; each of its connectors is a charger of the allocator. */
export interface StationRow {
  identity: string;
  /** By connector, the first is number 1. */
  chargers: ChargerConfig[];
  /** Wrong formats are repaired where what is meant is clear. */
  tolerant: boolean;
  /** JSON object that overrides what is known of its kind; '' = nothing. */
  quirks: string;
  password?: string;
}

export interface CentralConfig {
  listen: { kind: 'port'; port: number; host?: string } | { kind: 'node-red' };
  /** Such as `/ocpp`; absent: the server's default. */
  path?: string;
  security: 0 | 1 | 2 | 3;
  tls?: TlsFiles;
  stations: StationRow[];
  /** Absent: unknown stations are refused. */
  unknown?: { circuit: string; max: number };
  /** Absent: every card may charge. */
  idTags?: string[];
  meterSeconds: number;
  profileSeconds: number;
}

const MOST_STATIONS = 5000;
const IDENTITY = /^[A-Za-z0-9_-]{1,33}$/;
const PATH = /^(\/[A-Za-z0-9._~-]+)*\/?$/;

/** `passwords`: the credential, a JSON object by identity. @throws ConfigError */
export function readConfig(def: OcppCentralDef, passwords: unknown): CentralConfig {
  const security = Number(choiceField('security', def.security, ['1', '0', '2', '3'])) as CentralConfig['security'];
  const own = choiceField('listen', def.listen, ['port', 'node-red']) === 'port';
  const host = String(def.host ?? '').trim();
  const stations = readStations(def.stations, readPasswords(passwords));
  const missing = stations.find(({ password }) => (security === 1 || security === 2) && !password);
  if (missing) throw new ConfigError(`stations.${missing.identity}.password`, '', `a password (security ${security})`);
  const accept = choiceField('unknown', def.unknown, ['refuse', 'accept']) === 'accept';
  const max = accept ? numberField('unknownMaximum', def.unknownMaximum, { min: 6, max: 500, fallback: 32 }) : 0;
  const idTags = readTags(def.idTags);
  const path = readPath(def.path);
  return {
    listen: own
      ? {
          kind: 'port',
          port: numberField('port', def.port, { min: 1, max: 65535, fallback: 9000 }),
          ...(host ? { host } : {}),
        }
      : { kind: 'node-red' },
    ...(path ? { path } : {}),
    security,
    ...(own && security >= 2 ? { tls: readTls(def, security === 3) } : {}),
    stations,
    ...(accept ? { unknown: { circuit: idField('unknownCircuit', def.unknownCircuit), max } } : {}),
    ...(idTags ? { idTags } : {}),
    meterSeconds: numberField('meterSeconds', def.meterSeconds, { min: 1, max: 300, fallback: 5, unit: 's' }),
    profileSeconds: numberField('profileSeconds', def.profileSeconds, { min: 60, max: 3600, fallback: 300, unit: 's' }),
  };
}

/** Without a slash at its end; '' = none. */
function readPath(value: unknown): string {
  const path = String(value ?? '').trim();
  if (!PATH.test(path)) throw new ConfigError('path', value, 'a path such as "/ocpp"');
  return path.replace(/\/$/, '');
}

function readStations(value: unknown, passwords: ReadonlyMap<string, string>): StationRow[] {
  if (value !== undefined && !Array.isArray(value)) throw new ConfigError('stations', value, 'a list of stations');
  const rows = (value ?? []) as Record<string, unknown>[];
  if (rows.length > MOST_STATIONS) throw new ConfigError('stations', rows.length, `at most ${MOST_STATIONS} stations`);
  const seen = new Set<string>();
  return rows.map((row) => {
    const station = readStation(row ?? {}, passwords);
    if (seen.has(station.identity))
      throw new ConfigError('stations.identity', station.identity, 'each identity only once');
    seen.add(station.identity);
    return station;
  });
}

function readStation(row: Record<string, unknown>, passwords: ReadonlyMap<string, string>): StationRow {
  const identity = String(row.identity ?? '').trim();
  if (!IDENTITY.test(identity))
    throw new ConfigError('stations.identity', row.identity, '1 to 33 letters, digits, "_" or "-"');
  const field = (name: string) => `stations.${identity}.${name}`;
  const amps = (name: string, min: number, max: number, fallback: number) =>
    numberField(field(name), row[name], { min, max, fallback, unit: 'A' });
  const min = amps('minCurrent', 6, 80, 6);
  const max = amps('maxCurrent', min, 500, Math.max(16, min));
  const safe = amps('safeCurrent', 0, max, 6);
  if (safe > 0 && safe < min) throw new ConfigError(field('safeCurrent'), safe, `0 (pause), or ${min} to ${max} A`);
  const connectors = numberField(field('connectors'), row.connectors, { min: 1, max: 20, fallback: 1 });
  if (!Number.isInteger(connectors)) throw new ConfigError(field('connectors'), row.connectors, 'a whole number');
  const common = {
    circuit: idField(field('circuit'), row.circuit),
    rotation: phasesField(field('rotation'), row.rotation),
    min,
    max,
    safe,
    priority: numberField(field('priority'), row.priority, { min: -1000, max: 1000, fallback: 0 }),
    step: 1,
    ...(row.phaseSwitching === true ? { phaseSwitching: true } : {}),
  };
  if (common.phaseSwitching && common.rotation.length < 3)
    throw new ConfigError(field('phaseSwitching'), true, 'three phases to switch between');
  const password = passwords.get(identity);
  return {
    identity,
    chargers: Array.from({ length: connectors }, (_, i) => ({ id: chargerId(identity, i + 1), ...common })),
    tolerant: row.tolerant === true,
    quirks: String(row.quirks ?? '').trim(),
    ...(password ? { password } : {}),
  };
}

/** Of a station that nobody has described: any phase, and as little as a vehicle takes when nobody tells it anything. */
export function unknownStation(identity: string, { circuit, max }: { circuit: string; max: number }): StationRow {
  const rotation = phasesField('rotation', '');
  const id = chargerId(identity, 1);
  return {
    identity,
    chargers: [{ id, circuit, rotation, min: 6, max, safe: 6, step: 1 }],
    tolerant: true,
    quirks: '',
  };
}

/** The charger id of a connector, such as `CP001-1`. */
export function chargerId(identity: string, connector: number): string {
  return `${identity}-${connector}`;
}

function readPasswords(value: unknown): Map<string, string> {
  if (typeof value !== 'string' || value.trim() === '') return new Map();
  try {
    const read: unknown = JSON.parse(value);
    if (read && typeof read === 'object')
      return new Map(Object.entries(read).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    // Said below, without what may be a password.
  }
  throw new ConfigError('passwords', '…', 'passwords by identity, as the form writes them');
}

function readTags(value: unknown): string[] | undefined {
  const tags = String(value ?? '')
    .split(/[\s,;]+/)
    .filter((tag) => tag !== '');
  const wrong = tags.find((tag) => tag.length > 20);
  if (wrong !== undefined) throw new ConfigError('idTags', wrong, 'cards of 1 to 20 characters');
  return tags.length > 0 ? tags : undefined;
}

/** Files that can be read now; the server reads them. @throws ConfigError */
function readTls(def: OcppCentralDef, withCa: boolean): TlsFiles {
  const file = (field: 'certificate' | 'key' | 'ca') => {
    const path = String(def[field] ?? '').trim();
    try {
      accessSync(path, constants.R_OK);
      return path;
    } catch (error) {
      throw new ConfigError(field, path, `a PEM file that Node-RED may read (${(error as Error).message})`);
    }
  };
  return { cert: file('certificate'), key: file('key'), ...(withCa ? { ca: file('ca') } : {}) };
}
