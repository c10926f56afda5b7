/** A central system for OCPP stations: takes `setpoint/<id>`, reports `charger/<id>`. What it knows is in drivers/ocpp. */
import path from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import type { DriverAlert } from '../../drivers/alert.ts';
import { type Central, type CentralEvents, type CentralStations, runCentral } from '../../drivers/ocpp/central.ts';
import { Station } from '../../drivers/ocpp/station.ts';
import { StateFile } from '../../drivers/state-file.ts';
import { formatTopic, type SetpointMessage } from '../../messages/index.ts';
import { alertMessage } from '../device-alerts.ts';
import type { DlmSiteNode } from '../dlm-site/dlm-site.ts';
import type { SiteRegistry } from '../dlm-site/registry.ts';
import { ConfigError } from '../fields.ts';
import { setpointInput } from '../setpoints.ts';
import { startNode } from '../start-node.ts';
import { StatusLine } from '../status-line.ts';
import { type CentralConfig, type OcppCentralDef, readConfig, type StationRow } from './config.ts';
import { GuestKeeper } from './guest-keeper.ts';
import { Stations } from './stations.ts';

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
  const { ended, ...events } = eventsOf(node, stations, registry);
  const guests = new GuestKeeper(new StateFile(stateFolder(RED), `ocpp-central-${node.id}`), stations, {
    saved: () => events.saved(CENTRAL),
    notSaved: (error) => events.notSaved(CENTRAL, error),
  });
  let central: Central;
  try {
    central = run(RED, config, stations, registry, {
      ...events,
      connected: ({ identity }) => guests.connected(identity),
      disconnected: (identity) => guests.disconnected(identity),
    });
  } catch (error) {
    stations.leave();
    throw error;
  }
  // Not before all chargers that somebody has described have their ids.
  const expectGuests = () => guests.expect(central);
  RED.events.once('flows:started', expectGuests);
  const status = new StatusLine(node);
  const timer = setInterval(() => {
    for (const [source, alert] of guests.tick(central)) ended(source, alert);
    status.show(...statusOf(central, stations));
  }, STATUS_MS);
  const take = (id: string) => {
    const at = stations.connectors.get(id);
    return (
      at &&
      (({ current, validFor, phases }: SetpointMessage) =>
        central.setpoint(at.identity, at.connector, current, validFor, phases))
    );
  };
  node.on('input', setpointInput(node, 'setpoint/<id>', take));
  node.on('close', (done: () => void) => {
    RED.events.off('flows:started', expectGuests);
    clearInterval(timer);
    stations.leave();
    central.stop().then(done, done);
  });
}

function stateFolder(RED: NodeAPI): string {
  return path.join(RED.settings.userDir ?? '.', 'dlm');
}

function run(
  RED: NodeAPI,
  config: CentralConfig,
  stations: Stations,
  registry: SiteRegistry,
  events: CentralEvents,
): Central {
  const { listen, path: below, security, tls } = config;
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
    store: (identity) => new StateFile(stateFolder(RED), `ocpp-${identity}`),
  };
  return runCentral(
    {
      listen: listen.kind === 'port' ? listen : { server: RED.server },
      ...(below ? { path: below } : {}),
      securityProfile: security,
      tls,
      stations: config.stations.map(({ identity }) => identity),
      limitSeconds: config.profileSeconds,
    },
    made,
    events,
  );
}

interface Events extends CentralEvents {
  /** An alert of somebody who is no station any more. */
  ended(id: string, alert: DriverAlert): void;
}

function eventsOf(node: Node, stations: Stations, registry: SiteRegistry): Events {
  const { language } = registry;
  const send = (topic: string, payload: object) => {
    if (!stations.hasLeft) node.send([{ topic, payload: { at: Date.now(), ...payload } }, null]);
  };
  const tell = (id: string, raised: DriverAlert) => {
    if (stations.hasLeft) return;
    const key = `${id} ${raised.code}`;
    if (raised.active && raised.severity !== 'info') stations.troubles.set(key, raised);
    else stations.troubles.delete(key);
    node.send([null, alertMessage(node, id, language, raised)]);
  };
  const alert: CentralEvents['alert'] = (raised, identity, connector) => {
    const charger = connector === undefined ? undefined : stations.row(identity ?? '')?.chargers[connector - 1];
    tell(charger?.id ?? identity ?? CENTRAL, raised);
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
    ended: (id, raised) => tell(id, { ...raised, active: false }),
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
