/**
 * A go-e charger as its driver sees it: reports become readings, set-points become writes. Pure: no I/O, time is an
 * argument (ms, monotonic); `client.ts` does what the outputs say, in their order.
 */
import type { PhaseCount } from '../../core/charger-track.ts';
import type { Phase } from '../../core/units.ts';
import { AlertLatch, BadSources, type DriverAlert, REPEAT_MS } from '../alert.ts';
import type { ChargerReading } from '../charger.ts';
import { DeviceDataError } from '../device-data.ts';
import {
  type CardNames,
  decodeV1Status,
  decodeV2Status,
  decodeV2Value,
  type GoEApi,
  type GoEStatus,
  type GoEWrite,
  hardLimit,
  heldBy,
  iecState,
  isStopped,
  offeredCurrent,
  parseV2Payload,
  phasesConfigured,
  rotate,
  v1Topics,
  v2Key,
  v2Topics,
  v2WriteAnswer,
} from './codec.ts';
import {
  acceptSetpoint,
  type ControlEffect,
  type ControlOptions,
  type ControlState,
  decide,
  disobeyedFor,
  type Fresh,
  initialControl,
  NO_PAUSE,
  observe,
  type PauseRecord,
} from './control.ts';
import { Answers, Overdraw, UsedPhases } from './evidence.ts';

export interface GoEOptions {
  api: GoEApi;
  /** As in the topic `<topicPrefix>/<serial>/…`. */
  serial: string;
  topicPrefix: string;
  /** Grid phase of each conductor of the connector. */
  rotation: Phase[];
  /** A. */
  minCurrent: number;
  maxCurrent: number;
  safeCurrent: number;
  /** ms without a report after which the charger counts as unreachable; default 15 s (three v1 reports). */
  silenceMs?: number;
}

export type GoEOutput =
  | ControlEffect
  | { type: 'reading'; reading: ChargerReading }
  | { type: 'alert'; alert: DriverAlert; error?: Error };

const SILENCE_MS = 15_000;
/** A v2 charger without its clock on the broker has nothing to say while nothing changes: its last will must tell. */
const QUIET_MS = 120_000;
/** A charger that does not follow for this long is told. */
const DISOBEYED_MS = 20_000;
/** An unchanged v2 charger is reported this often. */
const UNCHANGED_EVERY_MS = 1000;
/** One that is out of reach is reported this often: a history must not show a gap. */
const LOST_EVERY_MS = 5000;
/** A charger that connects tells all its values within this time; if it was connected all along, the retained ones hold. */
const BURST_MS = 300;
const NO_BURST_MS = 2000;

/** From here on the vehicle charges, A. */
const FLOWING_A = 1;
/** Between two values of a living v2 charger. */
const HEARTBEAT_MS = 1000;
/** How old a retained measurement is taken to be: older than any rhythm of the devices. */
const RETAINED_AGE_MS = 10_000;

export class GoECharger {
  readonly #options: GoEOptions;
  readonly #controlOptions: ControlOptions;
  readonly #control: ControlState;
  readonly #status: GoEStatus = {};
  readonly #cards: CardNames = new Map();
  readonly #alerts = new AlertLatch();
  readonly #bad = new BadSources();
  #linked = false;
  #lastReport: number | undefined;
  #online = false;
  #heartbeat = false;
  #overMqtt = true;
  /** First report since the charger was out of reach, and whether its switch was heard since. */
  #firstReport: number | undefined;
  #stopHeard: 'no' | 'retained' | 'live' = 'no';
  /** When the currents were measured, ms. */
  #measuredAt: number | undefined;
  #lastReading: { text: string; at: number; measuredAt: number } | undefined;
  readonly #phases: UsedPhases;
  readonly #overdraw = new Overdraw();
  readonly #answers = new Answers();

  /** `record`: what the last process left on the disk. */
  constructor(options: GoEOptions, record: PauseRecord | undefined, now: number) {
    this.#options = options;
    this.#phases = new UsedPhases(options.rotation);
    this.#controlOptions = {
      api: options.api,
      min: options.minCurrent,
      max: options.maxCurrent,
      safe: options.safeCurrent,
    };
    this.#control = initialControl(record ?? NO_PAUSE, now);
  }

  subscriptions(): string[] {
    const { api, topicPrefix, serial } = this.#options;
    return api === 'v1' ? v1Topics(topicPrefix, serial) : v2Topics(topicPrefix, serial);
  }

  /** The way to the charger (broker connection, HTTP) came or went. */
  linked(connected: boolean, now: number): GoEOutput[] {
    if (connected && !this.#linked) this.#forgetStop();
    this.#linked = connected;
    return [...this.#decide(now), ...this.#presence(now)];
  }

  /**
   * A set-point in A (0 = pause) that holds for `validFor` s; `phases` while it is to switch. Never produces a reading.
   * @throws DeviceDataError when it is neither 0 nor at least the minimum.
   */
  setpoint(current: number, validFor: number, now: number, phases?: PhaseCount): GoEOutput[] {
    const { minCurrent, maxCurrent } = this.#options;
    if (!Number.isFinite(current) || current < 0 || (current > 0 && current < minCurrent)) {
      throw new DeviceDataError('setpoint.current', current, `0, or at least ${minCurrent} A`);
    }
    if (!(validFor > 0)) throw new DeviceDataError('setpoint.validFor', validFor, 'more than 0 s');
    acceptSetpoint(this.#control, Math.min(current, maxCurrent), validFor, now, phases);
    return this.#decide(now);
  }

  /** An MQTT message. */
  message(topic: string, payload: Uint8Array | string, retained: boolean, now: number): GoEOutput[] {
    const { api, topicPrefix, serial } = this.#options;
    return this.#guarded(topic, now, () => {
      if (api === 'v2') return this.#v2Message(topic, payload, retained, now);
      return v1Topics(topicPrefix, serial).includes(topic) ? this.#v1Status(payload, retained, now) : [];
    });
  }

  /** The body of an HTTP status. */
  httpStatus(body: string, now: number): GoEOutput[] {
    return this.#guarded('http', now, () => {
      if (this.#options.api === 'v1') return this.#v1Status(body, false, now);
      Object.assign(this.#status, decodeV2Status(body, this.#cards));
      this.#overMqtt = false;
      return this.#reported({ stop: true, limit: true }, now, true);
    });
  }

  /** The answer to an HTTP write. v1 answers with its status, v2 with what became of the write. */
  httpWritten(write: GoEWrite, body: string, now: number): GoEOutput[] {
    return this.#guarded('http', now, () =>
      this.#options.api === 'v1' ? this.#v1Status(body, false, now) : this.#answered(write.key, body, now),
    );
  }

  /** To be called at least every 250 ms: repeats, validity of the set-point, silence. */
  tick(now: number): GoEOutput[] {
    return [...this.#believeAnswers(now), ...this.#decide(now), ...this.#presence(now)];
  }

  /** Undefined until the charger was heard. */
  reading(now: number): ChargerReading | undefined {
    const status = this.#status;
    const { api, rotation } = this.#options;
    if (status.car === undefined) return undefined;
    return {
      online: this.#isOnline(now),
      state: iecState(status.car),
      current: rotate(status.current ?? [0, 0, 0], rotation),
      age: Math.max(0, now - (this.#measuredAt ?? now)) / 1000,
      power: status.power ?? 0,
      energy: Math.round(status.session ?? 0),
      register: status.total,
      offer: offeredCurrent(api, status),
      phases: this.#phases.phases(now),
      phasesConfigured: phasesConfigured(status),
      user: status.user,
      fault: status.error === undefined ? undefined : `go-e error ${status.error}`,
      stoppedBy: this.#control.userStop ? 'user' : heldBy(api, status),
    };
  }

  activeAlerts(): DriverAlert[] {
    return this.#alerts.active();
  }

  #v1Status(payload: Uint8Array | string, retained: boolean, now: number): GoEOutput[] {
    Object.assign(this.#status, decodeV1Status(payload));
    return this.#reported({ stop: !retained, limit: !retained }, now, true);
  }

  #v2Message(topic: string, payload: Uint8Array | string, retained: boolean, now: number): GoEOutput[] {
    const target = v2Key(this.#options.topicPrefix, this.#options.serial, topic);
    if (!target) return [];
    const { key, result } = target;
    if (result) return retained ? [] : this.#answered(key, payload, now);
    const part = decodeV2Value(key, parseV2Payload(key, payload), this.#cards);
    Object.assign(this.#status, part);
    if (key === 'frc' && retained && this.#stopHeard === 'no') this.#stopHeard = 'retained';
    // Whoever publishes a value has a connection, whatever an earlier last will said.
    if (!retained && key !== 'mcc') this.#status.connected = true;
    if (!retained && (key === 'utc' || key === 'rbt')) {
      this.#heartbeat = true;
      // A charger that publishes every second and not this: it was unchanged a second ago.
      if (this.#measuredAt !== undefined) this.#measuredAt = Math.max(this.#measuredAt, now - HEARTBEAT_MS);
    }
    if (key === 'nrg') this.#measuredAt = retained ? now - RETAINED_AGE_MS : now;
    this.#answers.reported(key);
    return this.#reported(
      { stop: key === 'frc' && !retained, limit: key === 'amp' && !retained },
      now,
      false,
      retained,
    );
  }

  #reported(fresh: Fresh, now: number, whole: boolean, retained = false): GoEOutput[] {
    if (whole) this.#measuredAt = fresh.stop ? now : now - RETAINED_AGE_MS;
    const life = whole ? fresh.stop : !retained && this.#status.connected !== false;
    if (life) {
      this.#lastReport = now;
      this.#firstReport ??= now;
    }
    if (whole || fresh.stop) this.#stopHeard = fresh.stop ? 'live' : 'retained';
    this.#phases.note(this.#status, now);
    if (this.#options.api === 'v2') this.#status.limit = this.#overdraw.limit(this.#status, now) ?? this.#status.limit;
    return [...this.#observe(fresh, now), ...this.#decide(now), ...this.#emit(now, whole), ...this.#presence(now)];
  }

  #observe(fresh: Fresh, now: number): ControlEffect[] {
    const status = this.#status;
    const { api } = this.#options;
    const observation = {
      stopped: isStopped(api, status),
      // A charger through which current flows is not forced off: the report of its new state was lost.
      forcedOff: api === 'v2' && status.modelStatus === 4 && Math.max(...(status.current ?? [0])) < FLOWING_A,
      plugged: status.car !== 1,
      held: heldBy(api, status) !== undefined,
      limit: status.limit,
      flashLimit: status.flashLimit,
      hardLimit: hardLimit(status),
      phases: phasesConfigured(status),
      flowing: Math.max(...(status.current ?? [0])) >= FLOWING_A,
    };
    if (status.car === undefined) return [];
    // A v1 charger that reached its energy limit is switched off by nobody.
    if (api === 'v1' && status.energyReached && this.#control.record.pause === 'none') observation.stopped = false;
    return observe(this.#control, this.#controlOptions, observation, fresh, now);
  }

  #decide(now: number): GoEOutput[] {
    if (!this.#mayBeReached(now)) return [];
    const effects = decide(this.#control, this.#controlOptions, now, this.#stopKnown(now));
    for (const effect of effects) if (effect.type === 'write') this.#answers.written(effect.write, now);
    return effects;
  }

  /** Out of reach: a person may have stopped the charger meanwhile. */
  #forgetStop(): void {
    this.#firstReport = undefined;
    this.#stopHeard = 'no';
  }

  /** v2 tells its values one by one, and unchanged ones only when it connects: then all within a moment. */
  #stopKnown(now: number): boolean {
    if (this.#stopHeard === 'live') return true;
    if (this.#firstReport === undefined) return false;
    return now - this.#firstReport >= (this.#stopHeard === 'retained' ? BURST_MS : NO_BURST_MS);
  }

  #answered(key: string, payload: Uint8Array | string, now: number): GoEOutput[] {
    const answer = v2WriteAnswer(key, payload);
    if (!answer.ok) return this.#refused(key, answer.detail, now);
    this.#answers.answered(key, now);
    return asAlerts(this.#alerts.clear('write-refused'));
  }

  #refused(key: string, detail: string, now: number): GoEOutput[] {
    if (!this.#answers.wrote(key)) return [];
    return asAlerts(this.#alerts.raise({ severity: 'error', code: 'write-refused', args: { key, detail } }, now));
  }

  #believeAnswers(now: number): GoEOutput[] {
    return this.#answers.due(now).flatMap(({ key, value }) => {
      if (key === 'frc') this.#status.force = value;
      if (key === 'amp') this.#status.limit = value;
      if (key === 'psm') this.#status.phaseMode = value;
      return this.#observe({ stop: key === 'frc', limit: key === 'amp', acknowledged: true }, now);
    });
  }

  /** A link that is back says nothing of the charger: until it is heard again it is out of reach. */
  #isOnline(now: number): boolean {
    return this.#firstReport !== undefined && this.#mayBeReached(now);
  }

  #mayBeReached(now: number): boolean {
    if (!this.#linked || this.#lastReport === undefined || this.#status.connected === false) return false;
    return now - this.#lastReport <= this.#silenceMs();
  }

  #silenceMs(): number {
    if (this.#options.silenceMs !== undefined) return this.#options.silenceMs;
    return this.#options.api === 'v2' && !this.#heartbeat && this.#overMqtt ? QUIET_MS : SILENCE_MS;
  }

  /** Every v1 or HTTP report is passed on; v2 values come one by one: changes are, new measurements, and each second one. */
  #emit(now: number, whole: boolean): GoEOutput[] {
    const reading = this.reading(now);
    if (!reading) return [];
    const text = JSON.stringify({ ...reading, age: 0 });
    const due = !this.#lastReading || now - this.#lastReading.at >= UNCHANGED_EVERY_MS;
    const measuredAt = this.#measuredAt ?? now;
    const remeasured = measuredAt - (this.#lastReading?.measuredAt ?? measuredAt) >= UNCHANGED_EVERY_MS / 2;
    if (!whole && !due && !remeasured && text === this.#lastReading?.text) return [];
    this.#lastReading = { text, at: now, measuredAt };
    return [{ type: 'reading', reading }];
  }

  /** Tells when the charger is lost and found, and when it does not follow. */
  #presence(now: number): GoEOutput[] {
    const online = this.#isOnline(now);
    const outputs: GoEOutput[] = [];
    if (online !== this.#online) {
      this.#online = online;
      if (!online) this.#forgetStop();
      if (!this.#lastReading || JSON.parse(this.#lastReading.text).online !== online)
        outputs.push(...this.#emit(now, true));
      if (online) outputs.push(...asAlerts(this.#alerts.clear('unreachable')));
    } else if (!online && this.#lastReading && now - this.#lastReading.at >= LOST_EVERY_MS) {
      outputs.push(...this.#emit(now, true));
    }
    const heardOrWaited = this.#lastReport !== undefined || this.#control.startedAt + SILENCE_MS < now;
    if (!online && heardOrWaited) {
      outputs.push(...asAlerts(this.#alerts.raise({ severity: 'error', code: 'unreachable', args: {} }, now)));
    }
    const disobeyed = online && disobeyedFor(this.#control, DISOBEYED_MS, now);
    if (disobeyed) {
      outputs.push(...asAlerts(this.#alerts.raise({ severity: 'error', code: 'not-following', args: {} }, now)));
    } else if (online) {
      outputs.push(...asAlerts(this.#alerts.clear('not-following')));
    }
    return outputs;
  }

  #guarded(source: string, now: number, work: () => GoEOutput[]): GoEOutput[] {
    try {
      const outputs = work();
      return this.#bad.good(source) ? [...outputs, ...asAlerts(this.#alerts.clear('bad-data'))] : outputs;
    } catch (error) {
      if (!(error instanceof DeviceDataError)) throw error;
      this.#bad.add(source);
      const args = { source: source.slice(0, 120), detail: error.message.slice(0, 200) };
      return this.#alerts
        .raise({ severity: 'warning', code: 'bad-data', args }, now, REPEAT_MS)
        .map((alert) => ({ type: 'alert', alert, error }));
    }
  }
}

function asAlerts(alerts: DriverAlert[]): GoEOutput[] {
  return alerts.map((alert) => ({ type: 'alert', alert }));
}
