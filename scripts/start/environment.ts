/** What `npm start` reads from the environment, checked before anything starts. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';

/** Something in the environment that cannot work; the text says what to do. */
export class StartError extends Error {
  override name = 'StartError';
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface StartSettings {
  host: string;
  port: number;
  flow: string;
  simulate: boolean;
  userDir: string;
  /** Absent: the embedded broker is used. */
  mqttUrl?: string;
  mqttUser: string;
  mqttPassword: string;
  mqttHost: string;
  mqttPort: number;
  mainFuseA: number;
  mainFuseType: 'gG' | 'B' | 'C' | 'D';
  maxChargeA: number;
  shellyId: string;
  shellyGeneration: 1 | 2;
  shellyHost: string;
  goESerial: string;
  goEApi: 'v1' | 'v2';
  goEHost: string;
  /** Where the OCPP central system listens. */
  ocppHost: string;
  ocppPort: number;
  /** Absent: no history is written. */
  influx?: InfluxSettings;
}

/** Where history goes, by the v1 API, which InfluxDB 1.x, 2.x and 3 speak. */
export interface InfluxSettings {
  /** Without user and password. */
  url: string;
  protocol: 'http' | 'https';
  host: string;
  port: number;
  database: string;
  user: string;
  /** A token stands in its place: InfluxDB 2.x and 3 take one there. */
  password: string;
}

/** The process environment over the file `.env` of the checkout, where there is one. */
export function withDotEnv(env: Environment, file: string): Environment {
  if (!existsSync(file)) return env;
  return { ...parseEnv(readFileSync(file, 'utf8')), ...env };
}

/** @throws StartError for the first value that cannot work. */
export function readEnvironment(env: Environment, root: string): StartSettings {
  const shellyGeneration = oneOf(env, 'SHELLY_GEN', ['1', '2']) === '2' ? 2 : 1;
  const settings: StartSettings = {
    host: text(env, 'HOST', '127.0.0.1'),
    port: number(env, 'PORT', 1880, 1, 65535),
    flow: flowName(text(env, 'FLOW', 'home'), root),
    simulate: oneOf(env, 'SIMULATE', ['1', '0']) === '1',
    userDir: resolve(root, text(env, 'USER_DIR', '.node-red')),
    mqttUrl: mqttUrl(text(env, 'MQTT_URL', '')),
    mqttUser: text(env, 'MQTT_USER', ''),
    mqttPassword: text(env, 'MQTT_PASSWORD', ''),
    mqttHost: text(env, 'MQTT_HOST', '127.0.0.1'),
    mqttPort: number(env, 'MQTT_PORT', 1883, 1, 65535),
    mainFuseA: number(env, 'MAIN_FUSE_A', 25, 6, 2000),
    mainFuseType: oneOf(env, 'MAIN_FUSE_TYPE', ['gG', 'B', 'C', 'D']),
    maxChargeA: number(env, 'MAX_CHARGE_A', 16, 6, 32),
    shellyId: segment(env, 'SHELLY_ID', shellyGeneration === 1 ? 'shellyem3-SIMULATED1' : 'shellypro3em-SIMULATED1'),
    shellyGeneration,
    shellyHost: text(env, 'SHELLY_HOST', ''),
    goESerial: segment(env, 'GO_E_SERIAL', '000001'),
    goEApi: oneOf(env, 'GO_E_API', ['v2', 'v1']),
    goEHost: text(env, 'GO_E_HOST', text(env, 'GO_E_CHARGER_HOST', '')),
    ocppHost: text(env, 'OCPP_HOST', '127.0.0.1'),
    ocppPort: number(env, 'OCPP_PORT', 9000, 1, 65535),
    influx: influxSettings(env),
  };
  if (settings.userDir === resolve(root)) {
    throw new StartError('USER_DIR must not be the checkout itself: Node-RED would read its sources as nodes.');
  }
  refuseOpenDoors(settings, env);
  return settings;
}

/** Every variable that a flow may name as `${NAME}`, so that none is ever left unreplaced. */
export function flowEnvironment(settings: StartSettings, mqttUrl: string, env: Environment): Record<string, string> {
  const { influx } = settings;
  return {
    HOST: settings.host,
    PORT: String(settings.port),
    USER_DIR: settings.userDir,
    MQTT_URL: mqttUrl,
    MQTT_USER: settings.mqttUser,
    MQTT_PASSWORD: settings.mqttPassword,
    MAIN_FUSE_A: String(settings.mainFuseA),
    MAIN_FUSE_TYPE: settings.mainFuseType,
    MAX_CHARGE_A: String(settings.maxChargeA),
    SHELLY_ID: settings.shellyId,
    SHELLY_GEN: String(settings.shellyGeneration),
    SHELLY_HOST: settings.shellyHost,
    GO_E_SERIAL: settings.goESerial,
    GO_E_API: settings.goEApi,
    GO_E_HOST: settings.goEHost,
    OCPP_HOST: settings.ocppHost,
    OCPP_PORT: String(settings.ocppPort),
    EDITOR_PASSWORD: text(env, 'EDITOR_PASSWORD', ''),
    INFLUX_URL: influx?.url ?? '',
    INFLUX_PROTOCOL: influx?.protocol ?? 'http',
    INFLUX_HOST: influx?.host ?? '127.0.0.1',
    INFLUX_PORT: String(influx?.port ?? 8086),
    INFLUX_DB: influx?.database ?? 'dlm',
    INFLUX_USER: influx?.user ?? '',
    INFLUX_PASSWORD: influx?.password ?? '',
  };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function refuseOpenDoors(settings: StartSettings, env: Environment): void {
  if (!isLoopback(settings.host) && text(env, 'EDITOR_PASSWORD', '') === '') {
    throw new StartError(
      `HOST=${settings.host} would let everybody on that network run commands on this machine through the editor. ` +
        'Set EDITOR_PASSWORD (the user is "admin"), or leave HOST out.',
    );
  }
  const embedded = settings.mqttUrl === undefined;
  if (embedded && !isLoopback(settings.mqttHost) && (settings.mqttUser === '' || settings.mqttPassword === '')) {
    throw new StartError(
      `MQTT_HOST=${settings.mqttHost} would let everybody on that network command the charger. ` +
        'Set MQTT_USER and MQTT_PASSWORD (and give them to the devices), or leave MQTT_HOST out.',
    );
  }
}

function text(env: Environment, name: string, fallback: string): string {
  return env[name]?.trim() || fallback;
}

function number(env: Environment, name: string, fallback: number, least: number, most: number): number {
  const given = text(env, name, String(fallback));
  const value = Number(given);
  if (!(value >= least && value <= most)) {
    throw new StartError(`${name}=${given}: expected a number from ${least} to ${most}.`);
  }
  return value;
}

function oneOf<T extends string>(env: Environment, name: string, allowed: readonly [T, ...T[]]): T {
  const given = text(env, name, allowed[0]);
  const found = allowed.find((value) => value === given);
  if (found === undefined) throw new StartError(`${name}=${given}: expected one of ${allowed.join(', ')}.`);
  return found;
}

/** A piece of an MQTT topic or a prefix of several, without wildcards. */
function segment(env: Environment, name: string, fallback: string): string {
  const given = text(env, name, fallback);
  if (/[+#\s]/.test(given)) throw new StartError(`${name}=${given}: expected a name without spaces, "+" and "#".`);
  return given;
}

function flowName(name: string, root: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(name)) {
    throw new StartError(`FLOW=${name}: expected the plain name of a file in flows/, such as "home".`);
  }
  if (!existsSync(resolve(root, 'flows', `${name}.json`))) {
    throw new StartError(`FLOW=${name}: there is no flows/${name}.json.`);
  }
  return name;
}

function mqttUrl(given: string): string | undefined {
  if (given === '') return undefined;
  if (!/^(mqtts?|wss?):\/\/[^/]+/.test(given)) {
    throw new StartError(`MQTT_URL=${given}: expected something like mqtt://192.168.1.10:1883.`);
  }
  return given;
}

function influxSettings(env: Environment): InfluxSettings | undefined {
  const given = text(env, 'INFLUX_URL', '');
  if (given === '') return undefined;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const protocol = url?.protocol.slice(0, -1);
  if (!url || (protocol !== 'http' && protocol !== 'https') || url.pathname !== '/') {
    // Without what may be a password in it.
    throw new StartError('INFLUX_URL: expected something like http://192.168.1.10:8086, without a path.');
  }
  return {
    url: url.origin,
    protocol,
    host: url.hostname,
    port: Number(url.port) || (protocol === 'https' ? 443 : 80),
    database: segment(env, 'INFLUX_DB', 'dlm'),
    user: text(env, 'INFLUX_USER', decodeURIComponent(url.username)),
    password: text(env, 'INFLUX_TOKEN', text(env, 'INFLUX_PASSWORD', decodeURIComponent(url.password))),
  };
}
