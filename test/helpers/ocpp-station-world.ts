/**
 * A station's logic and a station that keeps to OCPP 1.6, in virtual time. The station holds profiles as the
 * specification says; every way in which real ones differ is a switch.
 */
import assert from 'node:assert/strict';
import type { Phase } from '../../core/units.ts';
import type { DriverAlert } from '../../drivers/alert.ts';
import type { ChargerReading } from '../../drivers/charger.ts';
import type { MeterReading } from '../../drivers/meter.ts';
import { ACTIONS, type Action, type RequestOf } from '../../drivers/ocpp/actions.ts';
import { readRecord } from '../../drivers/ocpp/record.ts';
import { Station } from '../../drivers/ocpp/station.ts';
import type {
  CallAnswer,
  StationCall,
  StationLogic,
  StationOutput,
  StationResponse,
} from '../../drivers/ocpp/station-io.ts';
import type { StationOptions } from '../../drivers/ocpp/station-options.ts';

type Profile = RequestOf<'SetChargingProfile'>['csChargingProfiles'];
type Answer = CallAnswer | 'none' | undefined;

export interface Traits {
  vendor: string;
  model: string;
  firmware: string;
  configuration: Record<string, string>;
  /** Refuses this profile. */
  rejects: (connectorId: number, profile: Profile) => boolean;
  /** Accepts everything, does nothing. */
  ignores: boolean;
  /** Takes profiles and never answers. */
  silent: boolean;
  losesProfilesOnReconnect: boolean;
  /** From when a Relative profile counts. */
  relativeTo: 'receipt' | 'transaction';
  composite: boolean;
  tellsOffered: boolean;
  /** ms. */
  clockError: number;
  voltage: number;
  /** What else a call gets as its answer. */
  answer: (action: string, payload: unknown) => Answer;
  /** ms one way. */
  delay: number;
}

export const STANDARD: Traits = {
  vendor: 'Acme',
  model: 'One',
  firmware: '1.0',
  configuration: {
    ChargeProfileMaxStackLevel: '3',
    ChargingScheduleAllowedChargingRateUnit: 'Current,Power',
    ChargingScheduleMaxPeriods: '6',
    MeterValuesSampledData: 'Energy.Active.Import.Register,Power.Active.Import,Current.Import,Current.Offered,Voltage',
    MeterValueSampleInterval: '10',
    SupportedFeatureProfiles: 'Core,SmartCharging,RemoteTrigger',
  },
  rejects: () => false,
  ignores: false,
  silent: false,
  losesProfilesOnReconnect: false,
  relativeTo: 'receipt',
  composite: true,
  tellsOffered: true,
  clockError: 0,
  voltage: 230,
  answer: () => undefined,
  delay: 20,
};

const STEP_MS = 250;
const START = 1_764_000_000_000;

interface Installed {
  connectorId: number;
  profile: Profile;
  at: number;
}

/** One connector with a vehicle that takes what it is offered. */
export class ModelStation {
  readonly traits: Traits;
  readonly max: number;
  readonly conductors: number;
  installed: Installed[] = [];
  plugged = false;
  wants = true;
  vehicleMax = 1000;
  transaction: { id: number | undefined; startedAt: number } | undefined;
  energy = 1000;

  constructor(traits: Traits, max: number, conductors: number) {
    this.traits = traits;
    this.max = max;
    this.conductors = conductors;
  }

  /** A that the connector offers, or would offer to a vehicle that comes now. */
  offers(now: number): number {
    if (this.traits.ignores) return this.max;
    const of = (purpose: Profile['chargingProfilePurpose']) =>
      this.installed
        .filter(({ profile }) => profile.chargingProfilePurpose === purpose)
        .sort((a, b) => b.profile.stackLevel - a.profile.stackLevel)
        .map((i) => this.#limit(i, now))
        .find((limit) => limit !== undefined);
    const inTransaction = this.transaction ? of('TxProfile') : undefined;
    return Math.min(
      inTransaction ?? of('TxDefaultProfile') ?? this.max,
      of('ChargePointMaxProfile') ?? this.max,
      this.max,
    );
  }

  draws(now: number): number {
    return this.plugged && this.wants && this.transaction ? Math.min(this.offers(now), this.vehicleMax) : 0;
  }

  #limit({ profile, at }: Installed, now: number): number | undefined {
    const schedule = profile.chargingSchedule;
    const clock = now + this.traits.clockError + START;
    let elapsed = (now - at) / 1000;
    if (profile.chargingProfileKind === 'Absolute' && schedule.startSchedule)
      elapsed = (clock - Date.parse(schedule.startSchedule)) / 1000;
    else if (this.traits.relativeTo === 'transaction') elapsed = (now - (this.transaction?.startedAt ?? now)) / 1000;
    if (elapsed < 0 || (schedule.duration !== undefined && elapsed >= schedule.duration)) return undefined;
    const period = schedule.chargingSchedulePeriod.findLast((p) => p.startPeriod <= elapsed);
    if (!period) return undefined;
    const phases = period.numberPhases ?? 3;
    return schedule.chargingRateUnit === 'A' ? period.limit : period.limit / (this.traits.voltage * phases);
  }

  set({ connectorId, csChargingProfiles: profile }: RequestOf<'SetChargingProfile'>, now: number): string {
    if (this.traits.rejects(connectorId, profile)) return 'Rejected';
    const { chargingProfilePurpose: purpose, transactionId } = profile;
    if (purpose === 'TxProfile' && !this.transaction) return 'Rejected';
    if (purpose === 'TxProfile' && transactionId !== undefined && transactionId !== this.transaction?.id)
      return 'Rejected';
    this.installed = this.installed.filter(
      ({ profile: p, connectorId: c }) =>
        p.chargingProfileId !== profile.chargingProfileId &&
        !(p.chargingProfilePurpose === purpose && p.stackLevel === profile.stackLevel && c === connectorId),
    );
    this.installed.push({ connectorId, profile, at: now });
    return 'Accepted';
  }

  endTransaction(): void {
    this.transaction = undefined;
    this.installed = this.installed.filter(({ profile }) => profile.chargingProfilePurpose !== 'TxProfile');
  }

  schedule(now: number, duration: number): object {
    const limit = this.offers(now);
    const periods = [{ startPeriod: 0, limit: Math.round(limit * 10) / 10 }];
    for (let startPeriod = 1; startPeriod < duration && periods.length < 2; startPeriod++) {
      const later = this.offers(now + startPeriod * 1000);
      if (later !== limit) periods.push({ startPeriod, limit: Math.round(later * 10) / 10 });
    }
    return { chargingRateUnit: 'A', chargingSchedulePeriod: periods };
  }
}

export interface WorldOptions {
  traits?: Partial<Traits>;
  rotation?: Phase[];
  min?: number;
  max?: number;
  safe?: number;
  station?: Partial<StationOptions>;
  make?: (options: StationOptions, now: number) => StationLogic;
}

export class StationWorld {
  now = 0;
  /** ms by which the clock of the host was put forward. */
  clockPut = 0;
  readonly model: ModelStation;
  readonly traits: Traits;
  readonly options: StationOptions;
  logic: StationLogic;
  /** ms monotonic of the logic begins anew with its process. */
  isRunning = true;
  isConnected = false;
  /** Whether a call or its answer is lost. */
  loses: () => boolean = () => false;
  /** Everything it was ever told to call, as sent. */
  readonly calls: { at: number; action: string; payload: unknown; call: StationCall }[] = [];
  readonly readings: ChargerReading[] = [];
  readonly meters: { meter: string; reading: MeterReading }[] = [];
  readonly alerts: DriverAlert[] = [];
  record: unknown;
  writes = 0;
  /** A, and until when it is valid. */
  setpoints: { at: number; current: number; until: number }[] = [];
  /** To be run at each step. */
  check: () => void = () => {};
  readonly #make: (options: StationOptions, now: number) => StationLogic;
  #queue: { at: number; run: () => void }[] = [];
  #connection = 0;
  #meterAt = 0;
  #start: { connectorId: number; idTag: string; meterStart: number; timestamp: string } | undefined;
  #waiting: { call: StationCall; timeoutAt: number }[] = [];

  constructor(options: WorldOptions = {}) {
    this.traits = { ...STANDARD, ...options.traits };
    this.traits.configuration = { ...STANDARD.configuration, ...options.traits?.configuration };
    const { rotation = ['L1', 'L2', 'L3'], min = 6, max = 32, safe = 6 } = options;
    this.model = new ModelStation(this.traits, max, rotation.length);
    this.options = {
      identity: 'CP001',
      connectors: [{ connector: 1, id: 'CP001-1', rotation, min, max, safe }],
      ...options.station,
    };
    this.#make = options.make ?? ((o, now) => new Station(o, now));
    this.logic = this.#make(this.options, this.now);
  }

  get wall(): number {
    return START + this.now + this.clockPut;
  }

  get stationTime(): string {
    return new Date(this.wall + this.traits.clockError).toISOString();
  }

  get last(): ChargerReading {
    const reading = this.readings.at(-1);
    assert.ok(reading, 'no reading yet');
    return reading;
  }

  get profiles(): RequestOf<'SetChargingProfile'>[] {
    return this.called('SetChargingProfile') as RequestOf<'SetChargingProfile'>[];
  }

  called(action: string): unknown[] {
    return this.calls.filter((c) => c.action === action).map((c) => c.payload);
  }

  activeAlerts(): string[] {
    const active = new Set<string>();
    for (const { code, active: is } of this.alerts) is ? active.add(code) : active.delete(code);
    return [...active].sort();
  }

  connect(boot = true): void {
    this.#connection += 1;
    this.isConnected = true;
    if (this.traits.losesProfilesOnReconnect) this.model.installed = [];
    this.#do(this.logic.connected(this.now, this.wall));
    if (boot) this.boot();
    this.status();
  }

  boot(): void {
    const { vendor, model, firmware } = this.traits;
    this.request('BootNotification', {
      chargePointVendor: vendor,
      chargePointModel: model,
      firmwareVersion: firmware,
    });
  }

  disconnect(): void {
    if (!this.isConnected) return;
    this.isConnected = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (!this.isRunning) return;
    this.#do(this.logic.disconnected(this.now));
    for (const { call } of waiting) this.#answer(call, { ok: false, error: 'disconnected', description: 'closed' });
  }

  /** The process ends at once, and another one begins with what was on the disk. */
  kill(): void {
    this.disconnect();
    this.logic = this.#make({ ...this.options, record: this.record }, this.now);
  }

  request(action: string, payload: object): StationResponse {
    const strict = ACTIONS[action as Action]?.request.safeParse(payload);
    assert.ok(strict?.success !== false, `${action} is not OCPP 1.6: ${strict?.error}`);
    return this.requestAnything(action, payload);
  }

  requestAnything(action: string, payload: unknown): StationResponse {
    const { response, outputs } = this.logic.request(action, payload, this.now, this.wall);
    for (const output of outputs) if (output.type === 'persist') this.#persist(output.record);
    if (response.ok) {
      const valid = ACTIONS[action as Action]?.response.safeParse(response.payload);
      assert.ok(valid?.success !== false, `answer to ${action}: ${valid?.error}`);
    }
    this.#do(outputs.filter((o) => o.type !== 'persist'));
    return response;
  }

  status(status?: string, more: object = {}): void {
    const { plugged, transaction } = this.model;
    const offers = this.model.offers(this.now);
    const charging = offers > 0 ? (this.model.wants ? 'Charging' : 'SuspendedEV') : 'SuspendedEVSE';
    const is = status ?? (transaction ? charging : plugged ? 'Preparing' : 'Available');
    this.request('StatusNotification', {
      connectorId: 1,
      errorCode: 'NoError',
      status: is,
      timestamp: this.stationTime,
      ...more,
    });
  }

  /** The vehicle is plugged in, and its transaction begins. */
  plugIn(idTag = 'TAG'): number | undefined {
    this.model.plugged = true;
    if (this.isConnected) this.status();
    this.model.transaction = { id: undefined, startedAt: this.now };
    this.#start = undefined;
    if (!this.isConnected) return undefined;
    return this.startTransaction(idTag);
  }

  startTransaction(idTag = 'TAG', timestamp = this.stationTime): number | undefined {
    const meterStart = Math.round(this.model.energy);
    this.#start = { connectorId: 1, idTag, meterStart, timestamp };
    const response = this.request('StartTransaction', this.#start);
    const id = response.ok ? (response.payload as { transactionId: number }).transactionId : undefined;
    if (this.model.transaction) this.model.transaction.id = id;
    this.status();
    return id;
  }

  /** The running transaction is told again, as after an answer that was lost. */
  repeatStart(): void {
    const { transaction } = this.model;
    if (!this.isConnected || !this.#start || !transaction) return;
    const response = this.request('StartTransaction', this.#start);
    if (response.ok) transaction.id = (response.payload as { transactionId: number }).transactionId;
  }

  /** A stop without an id, of another connector. */
  strayStop(): void {
    if (!this.isConnected || this.options.connectors.length < 2) return;
    const meterStop = Math.round(this.model.energy);
    this.request('StopTransaction', { transactionId: -1, meterStop, timestamp: this.stationTime });
  }

  unplug(): void {
    const id = this.model.transaction?.id;
    const had = this.model.transaction !== undefined;
    this.model.endTransaction();
    this.model.plugged = false;
    if (!this.isConnected) return;
    if (had)
      this.request('StopTransaction', {
        transactionId: id ?? -1,
        meterStop: Math.round(this.model.energy),
        timestamp: this.stationTime,
        reason: 'EVDisconnected',
      });
    this.status();
  }

  setpoint(current: number, validFor = 60, phases?: 1 | 3): void {
    this.setpoints.push({ at: this.now, current, until: this.now + validFor * 1000 });
    if (this.isRunning) this.#do(this.logic.setpoint(1, current, validFor, this.now, phases));
  }

  meterValues(sampledValue: object[] = this.samples(), more: object = {}, timestamp = this.stationTime): void {
    const id = this.model.transaction?.id;
    this.request('MeterValues', {
      connectorId: 1,
      ...(id === undefined ? {} : { transactionId: id }),
      meterValue: [{ timestamp, sampledValue }],
      ...more,
    });
  }

  samples(): object[] {
    const amps = this.model.draws(this.now);
    const values: object[] = [
      { value: String(Math.round(this.model.energy)) },
      { value: (amps * 230 * this.model.conductors).toFixed(1), measurand: 'Power.Active.Import', unit: 'W' },
    ];
    for (let i = 1; i <= this.model.conductors; i++)
      values.push({ value: amps.toFixed(2), measurand: 'Current.Import', unit: 'A', phase: `L${i}` });
    if (this.traits.tellsOffered)
      values.push({ value: this.model.offers(this.now).toFixed(1), measurand: 'Current.Offered', unit: 'A' });
    return values;
  }

  /** Lets so many seconds pass. */
  pass(seconds: number): void {
    const until = this.now + seconds * 1000;
    while (this.now < until) {
      this.#advance(Math.min(this.now + STEP_MS, until));
      if (this.isRunning) {
        this.#timeouts();
        this.#do(this.logic.tick(this.now, this.wall));
      }
      const { transaction } = this.model;
      this.model.energy += (this.model.draws(this.now) * 230 * this.model.conductors * STEP_MS) / 3_600_000;
      if (this.isRunning && this.isConnected && transaction && this.now - this.#meterAt >= this.#meterInterval) {
        this.#meterAt = this.now;
        this.meterValues();
      }
      this.check();
    }
  }

  /** ms between two MeterValues, as it was configured. */
  get #meterInterval(): number {
    return Number(this.traits.configuration.MeterValueSampleInterval) * 1000;
  }

  #advance(to: number): void {
    for (;;) {
      const next = this.#queue.filter((q) => q.at <= to).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#queue = this.#queue.filter((q) => q !== next);
      this.now = Math.max(this.now, next.at);
      next.run();
      this.check();
    }
    this.now = to;
  }

  #timeouts(): void {
    const late = this.#waiting.filter((w) => this.now >= w.timeoutAt);
    this.#waiting = this.#waiting.filter((w) => this.now < w.timeoutAt);
    for (const { call } of late) this.#answer(call, { ok: false, error: 'timeout', description: 'no answer' });
  }

  #do(outputs: readonly StationOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'persist') this.#persist(output.record);
      else if (output.type === 'reading') {
        if (output.connector === 1) this.readings.push(output.reading);
      } else if (output.type === 'meter') this.meters.push(output);
      else if (output.type === 'alert') this.alerts.push(output.alert);
      else this.#call(output);
    }
  }

  #persist(record: unknown): void {
    this.record = JSON.parse(JSON.stringify(record));
    assert.ok(readRecord(this.record), 'a record that cannot be read back');
    this.writes += 1;
  }

  #call(call: StationCall): void {
    const { action, payload } = call;
    const valid = ACTIONS[action as Action]?.request.safeParse(payload);
    assert.ok(valid?.success, `${action}: ${valid?.error ?? 'not an action'}`);
    this.calls.push({ at: this.now, action, payload, call });
    if (!this.isConnected) {
      this.#answer(call, { ok: false, error: 'disconnected', description: 'not connected' });
      return;
    }
    this.#waiting.push({ call, timeoutAt: this.now + call.timeout * 1000 });
    if (this.loses()) return;
    const connection = this.#connection;
    const late = () => connection !== this.#connection || !this.isConnected;
    this.#queue.push({
      at: this.now + this.traits.delay,
      run: () => {
        if (late()) return;
        const answer = this.#carryOut(action, payload);
        if (answer === 'none' || this.loses()) return;
        this.#queue.push({
          at: this.now + this.traits.delay,
          run: () => {
            if (late() || !this.#waiting.some((w) => w.call === call)) return;
            this.#waiting = this.#waiting.filter((w) => w.call !== call);
            this.#answer(call, answer);
          },
        });
      },
    });
  }

  #answer(call: StationCall, answer: CallAnswer): void {
    if (this.isRunning) this.#do(this.logic.answered(call.id, answer, this.now, this.wall));
  }

  #carryOut(action: string, payload: object): CallAnswer | 'none' {
    const scripted = this.traits.answer(action, payload);
    if (scripted !== undefined) return scripted;
    const done = (result: object): CallAnswer => ({ ok: true, payload: result });
    if (action === 'SetChargingProfile') {
      const status = this.model.set(payload as RequestOf<'SetChargingProfile'>, this.now);
      if (this.traits.silent) return 'none';
      return done({ status: this.traits.ignores ? 'Accepted' : status });
    }
    if (action === 'GetCompositeSchedule') {
      if (!this.traits.composite) return done({ status: 'Rejected' });
      const { duration } = payload as RequestOf<'GetCompositeSchedule'>;
      return done({ status: 'Accepted', connectorId: 1, chargingSchedule: this.model.schedule(this.now, duration) });
    }
    if (action === 'GetConfiguration') {
      const asked = (payload as RequestOf<'GetConfiguration'>).key ?? Object.keys(this.traits.configuration);
      const known = asked.filter((key) => Object.hasOwn(this.traits.configuration, key));
      const configurationKey = known.map((key) => ({ key, readonly: false, value: this.traits.configuration[key] }));
      return done({ configurationKey, unknownKey: asked.filter((key) => !known.includes(key)) });
    }
    if (action === 'ChangeConfiguration') {
      const { key, value } = payload as RequestOf<'ChangeConfiguration'>;
      this.traits.configuration[key] = value;
      return done({ status: 'Accepted' });
    }
    if (action === 'TriggerMessage') return done({ status: 'Accepted' });
    if (action === 'RemoteStartTransaction' || action === 'RemoteStopTransaction') return done({ status: 'Accepted' });
    return { ok: false, error: 'refused', code: 'NotImplemented', description: action };
  }
}
