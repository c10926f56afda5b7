/** A central system for OCPP stations: takes `setpoint/<id>`, reports `charger/<id>`. What it knows is in drivers/ocpp. */
import path from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { isId } from '../../core/units.ts';
import type { DriverAlert } from '../../drivers/alert.ts';
import { DeviceDataError } from '../../drivers/device-data.ts';
import { type Central, type CentralEvents, type CentralStations, runCentral } from '../../drivers/ocpp/central.ts';
import { type Quirks, readQuirks } from '../../drivers/ocpp/quirks.ts';
import { Station } from '../../drivers/ocpp/station.ts';
import { StateFile } from '../../drivers/state-file.ts';
import { formatTopic, MessageError, parseMessage } from '../../messages/index.ts';
import { alertMessage } from '../device-alerts.ts';
import type { DlmSiteNode } from '../dlm-site/dlm-site.ts';
import type { SiteRegistry } from '../dlm-site/registry.ts';
import { ConfigError } from '../fields.ts';
import { newestSetpoints } from '../setpoints.ts';
import { startNode } from '../start-node.ts';
import { StatusLine } from '../status-line.ts';
import { type CentralConfig, type OcppCentralDef, readConfig, type StationRow, unknownStation } from './config.ts';

type CentralNode = Node<{ passwords: unknown }>;

const STATUS_MS = 1000;
/** A limit is renewed after this share of its time. */
const RENEWED_AFTER = 0.4;
/** Source of alerts that are no station's. */
const CENTRAL = 'ocpp';

export default function (RED: NodeAPI): void {
  function OcppCentral(this: CentralNode, def: OcppCentralDef): void {
    RED.nodes.createNode(this, def);
    startNode(this, () => start(RED, this, def));
  }
  RED.nodes.registerType('ocpp-central', OcppCentral, { credentials: { passwords: { type: 'text' } } });
}

function start(RED: NodeAPI, node: CentralNode, def: OcppCentralDef): void {
  const site = RED.nodes.getNode(def.site) as DlmSiteNode | null;
  if (!site?.registry) throw new ConfigError('site', def.site, 'a site node');
  const { registry } = site;
  const config = readConfig(def, node.credentials?.passwords);
  const stations = new Stations(config, registry);
  let central: Central;
  try {
    central = run(RED, node, config, stations, registry);
  } catch (error) {
    stations.leave();
    throw error;
  }
  const status = new StatusLine(node);
  const timer = setInterval(() => status.show(...statusOf(central, stations)), STATUS_MS);
  node.on('input', setpointHandler(node, central, stations));
  node.on('close', (done: () => void) => {
    clearInterval(timer);
    stations.leave();
    central.stop().then(done, done);
  });
}

/** The stations of the table, and those that were let in beside it, as chargers of the site. */
class Stations {
  readonly #rows: Map<string, StationRow>;
  readonly #quirks = new Map<string, Quirks>();
  readonly #config: CentralConfig;
  readonly #registry: SiteRegistry;
  readonly #joined: string[] = [];
  /** Charger id → where it is. */
  readonly connectors = new Map<string, { identity: string; connector: number }>();
  /** What needs a person, by charger, identity or `ocpp`, and code. */
  readonly troubles = new Map<string, DriverAlert>();
  /** This node has been closed: what follows from it concerns nobody. */
  hasLeft = false;

  /** @throws ConfigError for quirks that cannot be read or a charger id that is taken; then none has joined. */
  constructor(config: CentralConfig, registry: SiteRegistry) {
    this.#config = config;
    this.#registry = registry;
    this.#rows = new Map(config.stations.map((row) => [row.identity, row]));
    try {
      for (const row of config.stations) this.#join(row);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  row(identity: string): StationRow | undefined {
    const { unknown } = this.#config;
    return this.#rows.get(identity) ?? (unknown && unknownStation(identity, unknown));
  }

  /** Undefined for one that may not come in: not known, or its charger would have no id, or that of another one. */
  admissible(identity: string): StationRow | undefined {
    const row = this.row(identity);
    if (!row || this.#rows.has(identity)) return row;
    const taken = new Set(this.#registry.chargers().map(({ id }) => id));
    return row.chargers.every(({ id }) => isId(id) && !taken.has(id)) ? row : undefined;
  }

  quirks(identity: string): Quirks {
    return this.#quirks.get(identity) ?? {};
  }

  /** @throws ConfigError when an id of an unknown station is another charger's. */
  admit(row: StationRow): void {
    if (!this.#rows.has(row.identity)) this.#join(row);
    this.#rows.set(row.identity, row);
  }

  leave(): void {
    this.hasLeft = true;
    for (const id of this.#joined.splice(0)) this.#registry.removeCharger(id);
    this.connectors.clear();
  }

  #join(row: StationRow): void {
    this.#quirks.set(row.identity, quirksOf(row));
    for (const [i, charger] of row.chargers.entries()) {
      this.#registry.addCharger(charger);
      this.#joined.push(charger.id);
      this.connectors.set(charger.id, { identity: row.identity, connector: i + 1 });
    }
  }
}

function quirksOf({ identity, quirks }: StationRow): Quirks {
  if (quirks === '') return {};
  try {
    return readQuirks(quirks);
  } catch (error) {
    throw new ConfigError(`stations.${identity}.quirks`, quirks, (error as Error).message);
  }
}

function run(RED: NodeAPI, node: Node, config: CentralConfig, stations: Stations, registry: SiteRegistry): Central {
  const { listen, path: below, security, tls } = config;
  const folder = path.join(RED.settings.userDir ?? '.', 'dlm');
  const made: CentralStations = {
    access: ({ identity }) => {
      const row = stations.admissible(identity);
      const { anySubprotocol, pingSeconds: pingInterval } = stations.quirks(identity);
      return row && { password: row.password, tolerant: row.tolerant, anySubprotocol, pingInterval };
    },
    create: (identity, record) => {
      const row = stations.row(identity) as StationRow;
      stations.admit(row);
      const options = {
        identity,
        connectors: row.chargers.map((charger, i) => ({ ...charger, connector: i + 1 })),
        idTags: { accept: config.idTags },
        quirks: stations.quirks(identity),
        voltage: registry.voltage,
        meterInterval: config.meterSeconds,
        duration: config.profileSeconds,
        renewal: config.profileSeconds * RENEWED_AFTER,
        record,
      };
      return new Station(options, performance.now());
    },
    store: (identity) => new StateFile(folder, `ocpp-${identity}`),
  };
  return runCentral(
    {
      listen: listen.kind === 'port' ? listen : { server: RED.server },
      ...(below ? { path: below } : {}),
      securityProfile: security,
      tls,
      stations: config.stations.map(({ identity }) => identity),
    },
    made,
    eventsOf(node, stations, registry),
  );
}

function eventsOf(node: Node, stations: Stations, registry: SiteRegistry): CentralEvents {
  const { language } = registry;
  const send = (topic: string, payload: object) => {
    if (!stations.hasLeft) node.send([{ topic, payload: { at: Date.now(), ...payload } }, null]);
  };
  const alert: CentralEvents['alert'] = (raised, identity, connector) => {
    if (stations.hasLeft) return;
    const charger = connector === undefined ? undefined : stations.row(identity ?? '')?.chargers[connector - 1];
    const id = charger?.id ?? identity ?? CENTRAL;
    const key = `${id} ${raised.code}`;
    if (raised.active && raised.severity !== 'info') stations.troubles.set(key, raised);
    else stations.troubles.delete(key);
    node.send([null, alertMessage(node, id, language, raised)]);
  };
  const unsaved = new Set<string>();
  return {
    reading: (identity, connector, reading) => {
      const charger = stations.row(identity)?.chargers[connector - 1];
      if (!charger) return;
      // Somebody else may be this station, and charge beside it.
      const doubtful = stations.troubles.get(`${identity} ocpp-duplicate`)?.args.authenticated === false;
      const offer = doubtful ? Math.max(reading.offer, charger.max) : reading.offer;
      send(formatTopic({ kind: 'charger', id: charger.id }), { ...reading, offer });
    },
    meter: (_identity, id, reading) => send(formatTopic({ kind: 'meter', id }), reading),
    alert,
    notSaved: (identity, error) => {
      if (unsaved.has(identity)) return;
      unsaved.add(identity);
      const detail = error instanceof Error ? error.message.slice(0, 150) : '';
      alert({ severity: 'error', code: 'ocpp-not-saved', args: { detail }, active: true }, identity);
    },
    saved: (identity) => {
      if (!unsaved.delete(identity)) return;
      alert({ severity: 'error', code: 'ocpp-not-saved', args: { detail: '' }, active: false }, identity);
    },
  };
}

/** Takes set-points; never sends anything itself: what a station does is told when it reports it. */
function setpointHandler(node: Node, central: Central, stations: Stations) {
  const warned = new Set<string>();
  const newest = newestSetpoints();
  return (
    msg: { topic?: unknown; payload?: unknown; retain?: unknown },
    _send: unknown,
    done: (error?: Error) => void,
  ) => {
    try {
      const message = parseMessage(msg);
      if (message?.kind !== 'setpoint') {
        const kind = message?.kind ?? 'unknown';
        if (!warned.has(kind)) node.warn(`topic: ${JSON.stringify(msg.topic)?.slice(0, 80)} — expected setpoint/<id>`);
        warned.add(kind);
      } else if (msg.retain !== true) {
        // Those of other chargers come by on the same wire.
        const at = stations.connectors.get(message.id);
        const { current, validFor, phases } = message.payload;
        if (at)
          newest(message.id, message.payload, () =>
            central.setpoint(at.identity, at.connector, current, validFor, phases),
          );
      }
      done();
    } catch (error) {
      if (!(error instanceof MessageError || error instanceof DeviceDataError)) throw error;
      done(error);
    }
  };
}

type Shown = Parameters<StatusLine['show']>;

function statusOf(central: Central, stations: Stations): Shown {
  const known = new Set([...stations.connectors.values()].map(({ identity }) => identity)).size;
  const connected = central.connections();
  const port = stations.troubles.get(`${CENTRAL} ocpp-port`);
  if (port) return ['red', 'ring', port.args.inUse === true ? 'port is in use' : 'cannot listen'];
  const bad = new Set([...stations.troubles.keys()].map((key) => key.slice(0, key.indexOf(' ')))).size;
  if (bad > 0) return ['yellow', 'dot', bad === 1 ? `check ${nameOf(stations)}` : `check ${bad} stations`];
  if (connected === 0) return known === 0 ? ['grey', 'ring', 'add a station'] : ['yellow', 'ring', 'no station yet'];
  return ['green', 'dot', `${connected} of ${known} connected`];
}

function nameOf({ troubles }: Stations): string {
  const [key = ''] = troubles.keys();
  return key.slice(0, key.indexOf(' '));
}
