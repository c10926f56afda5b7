/**
 * One OCPP 1.6 station as its central system sees it: a state machine in virtual time. It answers what the station calls,
 * says what the station is to be called, and turns what it tells into readings. Pure: `station-io.ts` says who does the I/O.
 */
import { AlertLatch, type DriverAlert } from '../alert.ts';
import { DeviceDataError } from '../device-data.ts';
import { StationClock } from './clock.ts';
import { Configuration } from './configuration.ts';
import { Outlet, type StationView } from './outlet.ts';
import { type Quirks, quirksOf, type StationIdentity } from './quirks.ts';
import { emptyRecord, readRecord, type StationRecord } from './record.ts';
import { StationRequests } from './requests.ts';
import { remoteTag, StartStop } from './start-stop.ts';
import type { CallAnswer, StationCall, StationLogic, StationOutput, StationResponse } from './station-io.ts';
import { readOptions, type StationOptions, type StationSettings } from './station-options.ts';
import { Transactions } from './transactions.ts';

/** A station that boots says so within this time; one that is only back says something else. ms. */
const BOOT_GRACE_MS = 1000;
/** So long a limit waits for what the station can do, ms. */
const CONFIGURATION_MS = 5000;
/** After this time without a word about itself it is asked, ms. */
const ASK_MS = 10_000;
const DEFAULT_CONNECT_S = 60;
const UNREAD_TRIES = 4;
/** By how much more or less a clock is to be wrong to be noted anew, ms. */
const CLOCK_MOVED_MS = 5000;
/** Our clock was set when it is off by more than this, ms. */
const CLOCK_PUT_MS = 2000;
const ORDINARY_TIMEOUT_S = 30;

export class Station implements StationLogic {
  readonly settings: StationSettings;
  readonly record: StationRecord;
  readonly transactions: Transactions;
  readonly configuration: Configuration;
  readonly clock: StationClock;
  readonly startStop = new StartStop();
  readonly outlets: ReadonlyMap<number, Outlet>;
  quirks: Quirks;
  readonly #requests: StationRequests;
  readonly #alerts = new AlertLatch();
  readonly #proven: Set<string>;
  #calls = 0;
  #connectedAt: number | undefined;
  #lostAt: number;
  #heardAt: number | undefined;
  #booted = false;
  #statusHeard = false;
  #askedForStatus = false;
  #saved: string;
  /** Something that belongs on the disk may have changed. */
  #touched = false;
  #learnedSaved: { proven: number; fromStart: boolean; overlay: unknown };
  #everConnected = false;
  #wall: { at: number; clock: number };

  /** `now`: ms, monotonic. @throws Error when an option is wrong: field, value and what was expected. */
  constructor(options: StationOptions, now: number) {
    this.settings = readOptions(options);
    this.record = readRecord(options.record) ?? emptyRecord();
    this.#saved = JSON.stringify(this.record);
    this.clock = new StationClock(this.record.clock);
    this.transactions = new Transactions(this.record.transactions);
    this.quirks = quirksOf(this.record.identity, options.quirks, options.quirkTable);
    this.configuration = new Configuration(this.settings.meterInterval);
    this.#proven = new Set(this.record.learned.proven);
    const { fromStart, overlay } = this.record.learned;
    this.outlets = new Map(
      this.settings.connectors.map((c) => [c.connector, new Outlet(c, this.settings, this.#proven, overlay, now)]),
    );
    this.#lostAt = now;
    this.#wall = { at: now, clock: 0 };
    this.#learnedSaved = { proven: this.#proven.size, fromStart, overlay };
    this.#requests = new StationRequests(this);
    for (const outlet of this.outlets.values()) outlet.setLadders(this.view(now, 0));
  }

  connected(now: number, wallClock: number): StationOutput[] {
    this.#lookAtClock(now, wallClock);
    this.#connectedAt = now;
    this.#everConnected = true;
    this.#heardAt = undefined;
    this.#booted = false;
    this.#statusHeard = false;
    this.#askedForStatus = false;
    for (const outlet of this.outlets.values()) {
      outlet.restarted();
      outlet.limiter.allAgain(this.quirks.losesProfiles === true);
      // What worked goes first again.
      outlet.setLadders(this.view(now, wallClock));
    }
    if (!this.configuration.isRead) this.configuration.forget(now);
    return this.#outputs([this.clear('unreachable')], now, wallClock);
  }

  disconnected(now: number): StationOutput[] {
    this.#connectedAt = undefined;
    this.#lostAt = now;
    for (const outlet of this.outlets.values()) outlet.limiter.bound.doubtOverlay();
    return this.#outputs([], now, this.#wallAt(now));
  }

  request(
    action: string,
    payload: unknown,
    now: number,
    wallClock: number,
  ): { response: StationResponse; outputs: StationOutput[] } {
    this.#lookAtClock(now, wallClock);
    this.#heardAt ??= now;
    if (action === 'StatusNotification') this.#statusHeard = true;
    const { response, outputs, answerFirst } = this.#requests.request(action, payload, now, wallClock);
    // What follows from a start or a boot must not overtake its answer.
    const steps = answerFirst ? [] : [this.#step(now, wallClock)];
    return { response, outputs: this.#outputs([outputs, ...steps], now, wallClock) };
  }

  answered(id: number, answer: CallAnswer, now: number, wallClock: number): StationOutput[] {
    this.#lookAtClock(now, wallClock);
    if (this.startStop.answered(id, answer, this.record)) this.touch();
    const outputs = [...this.#configured(id, answer, now), ...this.#limited(id, answer, now)];
    return this.#outputs([outputs, this.#step(now, wallClock)], now, wallClock);
  }

  setpoint(connector: number, current: number, validFor: number, now: number, phases?: 1 | 3): StationOutput[] {
    const outlet = this.outlets.get(connector);
    const known = [...this.outlets.keys()].join(', ');
    if (!outlet) throw new DeviceDataError('setpoint.connector', connector, `one of ${known}`);
    const { min } = outlet.connector.options;
    if (!Number.isFinite(current) || current < 0 || (current > 0 && current < min))
      throw new DeviceDataError('setpoint.current', current, `0, or at least ${min} A`);
    if (!(validFor > 0)) throw new DeviceDataError('setpoint.validFor', validFor, 'more than 0 s');
    outlet.limiter.setpoint(current, now + validFor * 1000, phases);
    // It replaces what another process told, and may begin later: it goes out with the reading that says so.
    if (!this.clock.isKnown && outlet.limiter.bound.restsOnAnother) return [];
    const calls = this.#step(now, this.#wallAt(now));
    return [...this.#persist(), ...calls];
  }

  tick(now: number, wallClock: number): StationOutput[] {
    this.#lookAtClock(now, wallClock);
    this.#noteClock(now);
    return this.#outputs([this.#ask(now), this.#step(now, wallClock), this.#watch(now)], now, wallClock);
  }

  /** A BootNotification was accepted. */
  booted(identity: StationIdentity, now: number): void {
    const { record } = this;
    const firmware = `${identity.vendor}|${identity.model}|${identity.firmware}`;
    this.touch();
    record.identity = identity;
    record.askedForBoot = false;
    if (record.learned.for !== firmware) {
      record.learned = { for: firmware, proven: [], expires: false, fromStart: false };
      record.written = {};
      this.#proven.clear();
      for (const outlet of this.outlets.values()) outlet.limiter.obedience.state = 'unproven';
    }
    this.quirks = quirksOf(identity, this.settings.quirks, this.settings.quirkTable);
    this.configuration.forget(now);
    this.clock.synchronised();
    this.#booted = true;
    this.#heardAt = now;
    for (const outlet of this.outlets.values()) {
      outlet.restarted();
      outlet.limiter.allAgain(this.quirks.losesProfiles === true);
      outlet.setLadders(this.view(now, this.#wallAt(now)));
    }
  }

  view(now: number, wallClock: number): StationView {
    const { settings, quirks, configuration, record } = this;
    const connectedAt = this.#connectedAt ?? now;
    const { least, most } = this.clock.between(now);
    return {
      settings,
      quirks,
      configuration,
      record,
      ready: this.#isReady(now),
      connected: this.#connectedAt !== undefined,
      connectedAt,
      stationTime: wallClock + least,
      clockSpan: most - least,
      clockKnown: this.clock.isKnown,
      wallClock,
    };
  }

  /** ms since it connected; 0 while it has not. */
  connectedFor(now: number): number {
    return now - (this.#connectedAt ?? now);
  }

  /** A limit waits a moment for the boot, and for what the station can do. */
  #isReady(now: number): boolean {
    const since = this.#heardAt ?? (this.#connectedAt === undefined ? undefined : this.#connectedAt + BOOT_GRACE_MS);
    if (this.#connectedAt === undefined || since === undefined || now < since) return false;
    return this.configuration.isRead || this.configuration.tried || now - since >= CONFIGURATION_MS;
  }

  #step(now: number, wallClock: number): StationOutput[] {
    if (this.#connectedAt === undefined) return [];
    const heard = this.#heardAt !== undefined || now - this.#connectedAt >= BOOT_GRACE_MS;
    const call = () => this.#nextCall();
    const outputs: StationOutput[] = heard ? this.configuration.step(this.quirks, call, now) : [];
    const view = this.view(now, wallClock);
    for (const [connector, outlet] of this.outlets) {
      const transaction = this.transactions.of(connector);
      if (transaction && outlet.begin.note(transaction, wallClock, now)) this.touch();
      const { calls, alerts } = outlet.step(view, transaction, call, now);
      outputs.push(...calls, ...this.alert(alerts, connector));
      if (!view.ready) continue;
      const { asked, isNew } = this.startStop.due(outlet, transaction, { ...view, tag: this.remoteTag() }, now);
      if (isNew) this.touch();
      if (!asked) continue;
      const ordinary = this.ordinary(asked.action, asked.payload);
      this.startStop.sent(asked, connector, ordinary.id);
      outputs.push(ordinary);
    }
    return outputs;
  }

  /** What it has not said by itself: its status, and once ever its name (lbbrhzn/ocpp#1096, evcc#25069). */
  #ask(now: number): StationOutput[] {
    if (this.#connectedAt === undefined || now - this.#connectedAt < ASK_MS || this.#askedForStatus) return [];
    this.#askedForStatus = true;
    const asks: StationOutput[] = [];
    if (!this.#booted && !this.record.identity && !this.record.askedForBoot) {
      this.record.askedForBoot = true;
      this.touch();
      asks.push(this.ordinary('TriggerMessage', { requestedMessage: 'BootNotification' }));
    }
    if (!this.#statusHeard)
      for (const connectorId of this.outlets.keys())
        asks.push(this.ordinary('TriggerMessage', { requestedMessage: 'StatusNotification', connectorId }));
    return asks;
  }

  #watch(now: number): StationOutput[] {
    const outputs: StationOutput[] = [];
    const patience = (this.quirks.connectSeconds ?? DEFAULT_CONNECT_S) * 1000;
    if (this.#connectedAt === undefined && now - this.#lostAt >= patience)
      outputs.push(...this.raise({ severity: 'error', code: 'unreachable', args: {} }, now));
    const wrong = this.#connectedAt === undefined ? undefined : this.clock.wrongBy(now);
    if (wrong !== undefined)
      outputs.push(...this.raise({ severity: 'warning', code: 'clock-skew', args: { seconds: wrong } }, now));
    else if (this.#connectedAt !== undefined) outputs.push(...this.clear('clock-skew'));
    return outputs;
  }

  #configured(id: number, answer: CallAnswer, now: number): StationOutput[] {
    const result = this.configuration.answered(id, answer, this.quirks, this.record.written, now);
    if (result === undefined) return [];
    if (result === 'unread') {
      if (this.configuration.failures < UNREAD_TRIES) return [];
      return this.raise({ severity: 'warning', code: 'configuration-unread', args: {} }, now);
    }
    if (result === 'read') {
      for (const outlet of this.outlets.values()) outlet.setLadders(this.view(now, this.#wallAt(now)));
      return [...this.clear('configuration-unread'), ...this.#unlisted(now)];
    }
    const { key, value, status } = result;
    if (status === 'timeout' || status === 'disconnected') return [];
    this.record.written[key] = value;
    this.touch();
    if (status === 'Accepted') return [];
    const code = status === 'RebootRequired' ? 'reboot-required' : 'configuration-refused';
    return this.raise({ severity: 'warning', code, args: { key, value, status } }, now);
  }

  /** It has more connectors than the table knows: after a restart of ours it may not say a word of them by itself. */
  #unlisted(now: number): StationOutput[] {
    const connector = this.configuration.connectors ?? 0;
    if (connector <= Math.max(...this.outlets.keys())) return [];
    return this.raise({ severity: 'warning', code: 'unknown-connector', args: { connector } }, now);
  }

  #limited(id: number, answer: CallAnswer, now: number): StationOutput[] {
    const view = this.view(now, this.#wallAt(now));
    return [...this.outlets].flatMap(([connector, outlet]) => {
      const active = outlet.isActive(this.transactions.of(connector), now);
      const result = outlet.answered(id, answer, view, active, now);
      if (result?.expires) this.record.learned.expires = true;
      if (result?.expires || result?.learned) this.touch();
      return result ? this.alert(result.alerts, connector) : [];
    });
  }

  remoteTag(): string {
    return remoteTag(this.settings, this.quirks, this.configuration);
  }

  ordinary(action: string, payload: object): StationCall {
    return { type: 'call', id: this.#nextCall(), action, payload, lane: 'ordinary', timeout: ORDINARY_TIMEOUT_S };
  }

  alert(alerts: DriverAlert[], connector?: number): StationOutput[] {
    return alerts.map((alert) => ({ type: 'alert', connector, alert }));
  }

  raise(alert: Omit<DriverAlert, 'active'>, now: number, holdOff = 0): StationOutput[] {
    return this.alert(this.#alerts.raise(alert, now, holdOff));
  }

  clear(code: string): StationOutput[] {
    return this.alert(this.#alerts.clear(code));
  }

  /** Our clock may be set while we run: how long ago something began must not follow it. */
  #lookAtClock(now: number, wallClock: number): void {
    const by = wallClock - this.#wallAt(now);
    if (this.#wall.clock > 0 && Math.abs(by) > CLOCK_PUT_MS) {
      this.transactions.clockPut(by);
      for (const pause of Object.values(this.record.pauses)) {
        if (pause.since !== undefined) pause.since += by;
        if (pause.askedAt !== undefined) pause.askedAt += by;
      }
      this.touch();
    }
    this.#wall = { at: now, clock: wallClock };
  }

  /** What begins at a time must not begin in the station's future after a restart. */
  #noteClock(now: number): void {
    const wrong = this.clock.before(now);
    const { clock } = this.record;
    if (wrong === clock || Math.abs((wrong ?? 0) - (clock ?? 0)) <= CLOCK_MOVED_MS) return;
    this.record.clock = wrong;
    this.touch();
  }

  #wallAt(now: number): number {
    return this.#wall.clock + now - this.#wall.at;
  }

  /** The record has changed: it is on the disk before the answer goes out. */
  touch(): void {
    this.#touched = true;
  }

  #nextCall(): number {
    this.#calls += 1;
    return this.#calls;
  }

  /** Puts what has to be on the disk first, and adds the readings that are due. */
  #outputs(parts: StationOutput[][], now: number, wallClock: number): StationOutput[] {
    const outputs = parts.flat();
    const view = this.view(now, wallClock);
    for (const [connector, outlet] of this.#tells(now) ? this.outlets : []) {
      const reading = outlet.reading(view, this.transactions.of(connector), now);
      if (reading) outputs.push({ type: 'reading', connector, reading });
    }
    return [...this.#persist(), ...outputs];
  }

  /** Before a station was ever heard, everything of it is reserved; one that has just come back may be about to boot. */
  #tells(now: number): boolean {
    if (!this.#everConnected) return false;
    return this.#connectedAt === undefined || this.#heardAt !== undefined || now - this.#connectedAt >= BOOT_GRACE_MS;
  }

  #persist(): StationOutput[] {
    const { fromStart, overlay } = this.record.learned;
    const last = this.#learnedSaved;
    const same = last.proven === this.#proven.size && last.fromStart === fromStart && last.overlay === overlay;
    if (!this.#touched && same) return [];
    this.#touched = false;
    this.#learnedSaved = { proven: this.#proven.size, fromStart, overlay };
    this.record.learned.proven = [...this.#proven].slice(-60);
    this.record.transactions = this.transactions.book;
    const text = JSON.stringify(this.record);
    if (text === this.#saved) return [];
    this.#saved = text;
    return [{ type: 'persist', record: JSON.parse(text) }];
  }
}
