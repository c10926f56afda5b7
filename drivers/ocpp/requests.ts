/** What a station calls, and what is answered. Nothing that a station sends makes this throw. */

import { isStatus } from './connector.ts';
import {
  fieldOf,
  inletAsOutlet,
  type MeterValues,
  numberOf,
  readMeterValues,
  readSiteValues,
  tellsDraw,
  textOf,
  timeOf,
} from './meter-values.ts';
import type { Outlet } from './outlet.ts';
import { inletReading, meterId, siteReadings } from './site-meters.ts';
import type { Station } from './station.ts';
import type { StationOutput, StationResponse } from './station-io.ts';
import type { Transaction } from './transactions.ts';

export interface Handled {
  response: StationResponse;
  outputs: StationOutput[];
  /** What follows must not overtake the answer. */
  answerFirst?: boolean;
}

/** A sample that is so much older than the station's clock was queued, ms. */
const QUEUED_MS = 90_000;
/** After a connection, what was queued comes first, ms. */
const QUEUE_MS = 5000;
const BAD_DATA_MS = 30_000;
/** Reasons of a StopTransaction behind which there is a person, or a charger that must not start by itself. */
const BY_PERSON = ['Local', 'Remote', 'EmergencyStop', 'DeAuthorized', 'UnlockCommand'];
const NOTED = [
  'DiagnosticsStatusNotification',
  'FirmwareStatusNotification',
  'SecurityEventNotification',
  'LogStatusNotification',
  'SignedFirmwareStatusNotification',
];

type Handler = (payload: unknown, now: number, wallClock: number) => Handled;

export class StationRequests {
  readonly #station: Station;
  readonly #handlers: Readonly<Record<string, Handler>>;

  constructor(station: Station) {
    this.#station = station;
    this.#handlers = {
      BootNotification: (...args) => this.#boot(...args),
      Heartbeat: (_, __, wallClock) => ok({ currentTime: iso(wallClock) }),
      StatusNotification: (...args) => this.#status(...args),
      MeterValues: (...args) => this.#meterValues(...args),
      Authorize: (payload) => ok({ idTagInfo: this.#idTagInfo(textOf(fieldOf(payload, 'idTag'), 60)) }),
      StartTransaction: (...args) => this.#start(...args),
      StopTransaction: (...args) => this.#stop(...args),
      DataTransfer: (payload) => this.#dataTransfer(payload),
      SignCertificate: () => ok({ status: 'Rejected' }),
    };
  }

  request(action: string, payload: unknown, now: number, wallClock: number): Handled {
    if (NOTED.includes(action)) return ok({});
    if (Object.hasOwn(this.#handlers, action)) return this.#handlers[action](payload, now, wallClock);
    return refused('NotImplemented', `${action.slice(0, 60)} is not known`);
  }

  #boot(payload: unknown, now: number, wallClock: number): Handled {
    const vendor = textOf(fieldOf(payload, 'chargePointVendor'), 60);
    const model = textOf(fieldOf(payload, 'chargePointModel'), 60);
    if (fieldOf(payload, 'chargingStation') !== undefined) {
      // A boot of OCPP 2: it would not understand a word (lbbrhzn/ocpp#2008).
      const outputs = this.#station.raise({ severity: 'error', code: 'wrong-version', args: {} }, now);
      return { ...refused('PropertyConstraintViolation', 'a boot of OCPP 2 on a connection of OCPP 1.6'), outputs };
    }
    const firmware = textOf(fieldOf(payload, 'firmwareVersion'), 60) ?? '';
    this.#station.booted({ vendor: vendor ?? '', model: model ?? '', firmware }, now);
    const interval = Math.round(this.#station.settings.heartbeat);
    const response = { status: 'Accepted', currentTime: iso(wallClock), interval };
    return { ...ok(response), outputs: this.#station.clear('wrong-version'), answerFirst: true };
  }

  #status(payload: unknown, now: number, wallClock: number): Handled {
    const station = this.#station;
    const connector = numberOf(fieldOf(payload, 'connectorId'));
    const status = fieldOf(payload, 'status');
    const outlet = connector === undefined ? undefined : station.outlets.get(connector);
    const stamp = timeOf(fieldOf(payload, 'timestamp'));
    // It may tell when a status began; only what lies ahead, or has just changed, is of now.
    const changed = outlet !== undefined && outlet.connector.status !== undefined && outlet.connector.status !== status;
    if (stamp !== undefined && (changed || stamp > wallClock))
      station.clock.note(stamp, now, wallClock, changed && station.connectedFor(now) > QUEUE_MS);
    if (connector === 0) return ok({});
    if (!outlet || connector === undefined) return { ...ok({}), outputs: this.#unknownConnector(connector, now) };
    if (!isStatus(status))
      return {
        ...ok({}),
        outputs: this.#bad('StatusNotification', `status ${textOf(status, 60) ?? typeof status}`, now),
      };
    outlet.status(status, faultOf(payload, status), now, stamp);
    if (status === 'Available' && station.record.stops[connector]) {
      delete station.record.stops[connector];
      station.touch();
    }
    return ok({});
  }

  #meterValues(payload: unknown, now: number, wallClock: number): Handled {
    const station = this.#station;
    const connector = numberOf(fieldOf(payload, 'connectorId'));
    const values = readMeterValues(fieldOf(payload, 'meterValue'));
    const outputs = values.refused.flatMap((detail) => this.#bad('MeterValues', detail, now));
    const stamp = Math.max(...[values.outlet?.at, values.inlet?.at].filter((at) => at !== undefined));
    if (Number.isFinite(stamp)) station.clock.note(stamp, now, wallClock);
    // What was queued while it was offline says nothing of the present; age is by arrival, this only refuses.
    const oldest = wallClock + station.clock.skew(now) - QUEUED_MS;
    const isQueued = [values.outlet?.at, values.inlet?.at, values.siteAt].some((at) => at !== undefined && at < oldest);
    if (isQueued) return { ...ok({}), outputs };
    outputs.push(...this.#site(connector, values));
    const outlet = connector === undefined ? undefined : station.outlets.get(connector);
    if (!outlet || connector === undefined) return { ...ok({}), outputs };
    outlet.isMetered ||= tellsDraw(values.outlet);
    const sample = outlet.isMetered ? values.outlet : inletAsOutlet(values);
    this.#adopt(connector, outlet, numberOf(fieldOf(payload, 'transactionId')), sample?.energyImport, now, wallClock);
    if (!sample) return { ...ok({}), outputs };
    const active = outlet.isActive(station.transactions.of(connector), now);
    const { refused: wrong, alerts } = outlet.measured(sample, station.view(now, wallClock), active, now);
    outputs.push(
      ...wrong.flatMap((detail) => this.#bad('MeterValues', detail, now)),
      ...station.alert(alerts, connector),
    );
    if (wrong.length === 0 && values.refused.length === 0) outputs.push(...station.clear('bad-data'));
    return { ...ok({}), outputs };
  }

  /** A transaction that nobody told of, or whose start was lost (libocpp#495). */
  #adopt(
    connector: number,
    outlet: Outlet,
    id: number | undefined,
    meter: number | undefined,
    now: number,
    wallClock: number,
  ): void {
    if (id === undefined || outlet.connector.status === 'Available') return;
    const adopted = this.#station.transactions.adopt(connector, id, meter, wallClock);
    if (!adopted) return;
    this.#station.touch();
    outlet.goesOn(now);
  }

  #site(connector: number | undefined, { inlet, outlet, site }: MeterValues): StationOutput[] {
    const { settings } = this.#station;
    const phases = Math.max(...settings.connectors.map((c) => c.rotation.length));
    const main = inlet ?? (connector === 0 ? outlet : undefined);
    const meters: StationOutput[] = main
      ? [{ type: 'meter', meter: this.#inletId(connector), reading: inletReading(main, phases) }]
      : [];
    for (const [meter, reading] of siteReadings(settings.identity, site, phases, settings.voltage))
      meters.push({ type: 'meter', meter, reading });
    return meters;
  }

  /** Of several connectors each has an inlet of its own. */
  #inletId(connector: number | undefined): string {
    const { identity, connectors } = this.#station.settings;
    return meterId(identity, connector && connectors.length > 1 ? `${connector}-inlet` : 'inlet');
  }

  #start(payload: unknown, now: number, wallClock: number): Handled {
    const station = this.#station;
    const connector = numberOf(fieldOf(payload, 'connectorId'));
    const idTag = textOf(fieldOf(payload, 'idTag'), 60) ?? '';
    const meterStart = numberOf(fieldOf(payload, 'meterStart')) ?? 0;
    const timestamp = textOf(fieldOf(payload, 'timestamp'), 60) ?? iso(wallClock);
    const outlet = connector === undefined ? undefined : station.outlets.get(connector);
    if (!outlet || connector === undefined) {
      const refusal = { transactionId: station.transactions.unknown(wallClock), idTagInfo: { status: 'Invalid' } };
      return { ...ok(refusal), outputs: this.#unknownConnector(connector, now) };
    }
    const start = { connector, idTag, meterStart, timestamp };
    const { transaction, isNew, isCurrent } = station.transactions.start(start, wallClock);
    if (isNew) station.touch();
    if (isCurrent) {
      if (isNew) {
        outlet.started(now);
        outlet.connector.register = meterStart;
      } else outlet.goesOn(now);
      delete station.record.stops[connector];
    }
    const idTagInfo = this.#idTagInfo(idTag);
    const refused = { severity: 'info', code: 'id-tag-refused', args: { idTag } } as const;
    const outputs =
      idTagInfo.status === 'Accepted' ? station.clear(refused.code) : station.raise(refused, now, BAD_DATA_MS);
    return { ...ok({ transactionId: transaction.id, idTagInfo }), outputs, answerFirst: true };
  }

  #stop(payload: unknown, now: number, wallClock: number): Handled {
    const station = this.#station;
    const id = numberOf(fieldOf(payload, 'transactionId')) ?? -1;
    const idTag = textOf(fieldOf(payload, 'idTag'), 60);
    const reason = textOf(fieldOf(payload, 'reason'), 40);
    const meterStop = numberOf(fieldOf(payload, 'meterStop')) ?? 0;
    const timestamp = textOf(fieldOf(payload, 'timestamp'), 60) ?? iso(wallClock);
    const mayHaveEnded = (connector: number) => this.#mayHaveEnded(connector);
    const closed = station.transactions.stop(id, meterStop, timestamp, reason, wallClock, mayHaveEnded);
    station.touch();
    if (closed) this.#closed(closed, { reason, meterStop, timestamp }, now, wallClock);
    return ok(idTag === undefined ? {} : { idTagInfo: this.#idTagInfo(idTag) });
  }

  /** A stop without an id may be of another connector: what still runs on this one must not end by it (S7). */
  #mayHaveEnded(connector: number): boolean {
    const { outlets } = this.#station;
    const outlet = outlets.get(connector);
    return outlet !== undefined && (outlets.size === 1 || outlet.connector.isOver);
  }

  #closed(
    closed: Transaction,
    { reason, meterStop, timestamp }: { reason?: string; meterStop: number; timestamp: string },
    now: number,
    wallClock: number,
  ): void {
    const { outlets, record, quirks, startStop, clock } = this.#station;
    const outlet = outlets.get(closed.connector);
    if (!outlet) return;
    const unplugged = reason === 'EVDisconnected';
    // Since it has connected only a while ago, it may have waited with this.
    const mayBeLate = this.#station.connectedFor(now) < QUEUED_MS;
    const endedAt = mayBeLate ? Date.parse(timestamp) - clock.between(now).least : undefined;
    const byUs = startStop.stoppedByUs(closed, reason, { quirks, record, wallClock }, endedAt);
    if (meterStop > 0) outlet.connector.register = meterStop;
    outlet.stopped(unplugged, now);
    if (unplugged) delete record.stops[closed.connector];
    else if (byUs) record.stops[closed.connector] = 'us';
    else if (BY_PERSON.includes(reason ?? 'Local')) record.stops[closed.connector] = 'person';
  }

  #dataTransfer(payload: unknown): Handled {
    const site = readSiteValues(fieldOf(payload, 'data'));
    const outputs = this.#site(undefined, { site, refused: [] });
    return { ...ok({ status: outputs.length ? 'Accepted' : 'UnknownVendorId' }), outputs };
  }

  #idTagInfo(idTag: string | undefined): { status: 'Accepted' | 'Invalid' } {
    const { accept, remote } = this.#station.settings.idTags ?? {};
    const tag = (idTag ?? '').toLowerCase();
    const known = accept === undefined || [...accept, ...(remote ? [remote] : [])].some((t) => t.toLowerCase() === tag);
    return { status: known || tag === this.#station.remoteTag().toLowerCase() ? 'Accepted' : 'Invalid' };
  }

  #unknownConnector(connector: number | undefined, now: number): StationOutput[] {
    const args = { connector: connector ?? -1 };
    return this.#station.raise({ severity: 'warning', code: 'unknown-connector', args }, now);
  }

  #bad(source: string, detail: string, now: number): StationOutput[] {
    const args = { source, detail: detail.slice(0, 200) };
    return this.#station.raise({ severity: 'warning', code: 'bad-data', args }, now, BAD_DATA_MS);
  }
}

function ok(payload: object): Handled {
  return { response: { ok: true, payload }, outputs: [] };
}

function refused(code: 'NotImplemented' | 'PropertyConstraintViolation', description: string): Handled {
  return { response: { ok: false, code, description }, outputs: [] };
}

function iso(wallClock: number): string {
  return new Date(wallClock).toISOString();
}

function faultOf(payload: unknown, status: string): string | undefined {
  const code = textOf(fieldOf(payload, 'errorCode'), 60);
  if (status !== 'Faulted' && (code === undefined || code === 'NoError')) return undefined;
  const parts = [code, textOf(fieldOf(payload, 'vendorErrorCode'), 60), textOf(fieldOf(payload, 'info'), 100)];
  return parts.filter((part) => part !== undefined).join(' ') || 'Faulted';
}
