/**
 * A Shelly meter as its driver sees it: what arrives becomes a reading at once, phase by phase. Pure: no I/O, time is an
 * argument (ms, monotonic); `client.ts` does what the outputs say.
 */
import { PHASES, type Phase, type PhaseIndex, perPhase, phaseIndex } from '../../core/units.ts';
import { AlertLatch, BadSources, type DriverAlert, REPEAT_MS } from '../alert.ts';
import { DeviceDataError } from '../device-data.ts';
import type { MeterReading } from '../meter.ts';
import {
  type ChannelValues,
  decodeGen1,
  decodeGen1Status,
  decodeGen2,
  decodeGen2Status,
  encodeRpc,
  gen1Topics,
  gen2Topics,
  type ShellyGeneration,
  type ShellyUpdate,
} from './codec.ts';
import { PhaseMonitor } from './monitor.ts';

export interface ShellyOptions {
  generation: ShellyGeneration;
  /** Gen 1: as in `shellies/<deviceId>/…`; gen 2+: the topic prefix. */
  deviceId: string;
  /** Grid phase of channels 1 to 3. */
  phaseOrder: [Phase, Phase, Phase];
  /** Where a gen 2+ device sends its answers: `<replyTo>/rpc`. */
  replyTo: string;
  /** s between two requests to a gen 2+ device. */
  pollSeconds: number;
}

export type MeterOutput =
  | { type: 'reading'; reading: MeterReading }
  | { type: 'publish'; topic: string; payload: string }
  | { type: 'alert'; alert: DriverAlert; error?: DeviceDataError };

interface PhaseState {
  current: number | null;
  power: number | null;
  voltage: number | null;
  energyImport?: number;
  energyExport?: number;
  /** Reports of the current since the power was last heard. */
  sincePower: number;
}

/** Below this power the sign says nothing. */
const SIGN_MIN_W = 5;
/** A power that missed more reports of the current than this no longer lends its sign. */
const SIGN_MAX_MISSED = 2;
const ENERGY_EVERY_POLLS = 60;

export class ShellyMeter {
  readonly #options: ShellyOptions;
  #phases: [PhaseState, PhaseState, PhaseState];
  #monitors: [PhaseMonitor, PhaseMonitor, PhaseMonitor];
  readonly #alerts = new AlertLatch();
  readonly #bad = new BadSources();
  #energyImport: number | undefined;
  #energyExport: number | undefined;
  #monophase = false;
  #offline = false;
  #nextPoll: number;
  #polls = 0;
  #energyPoll: 'later' | 'asked' | 'refused' = 'later';

  constructor(options: ShellyOptions, now: number) {
    this.#options = options;
    this.#nextPoll = now;
    this.#phases = [emptyPhase(), emptyPhase(), emptyPhase()];
    this.#monitors = [new PhaseMonitor(now), new PhaseMonitor(now), new PhaseMonitor(now)];
  }

  /** MQTT topic filters to subscribe. */
  subscriptions(): string[] {
    const { generation, deviceId, replyTo } = this.#options;
    return generation === 1 ? gen1Topics(deviceId) : gen2Topics(deviceId, replyTo);
  }

  /** An MQTT message. A retained measurement is no news; a retained last will is. */
  message(topic: string, payload: Uint8Array | string, retained: boolean, now: number): MeterOutput[] {
    const { generation, deviceId, replyTo } = this.#options;
    return this.#guarded(topic, now, () => {
      const update =
        generation === 1 ? decodeGen1(deviceId, topic, payload) : decodeGen2(deviceId, replyTo, topic, payload);
      if (!update || (retained && update.online !== false)) return undefined;
      return update;
    });
  }

  /** The body of an HTTP answer (gen 1 `/status`, gen 2 `/rpc/…GetStatus`). */
  httpAnswer(path: string, body: string, now: number): MeterOutput[] {
    return this.#guarded(path, now, () =>
      this.#options.generation === 1 ? decodeGen1Status(body) : decodeGen2Status(body),
    );
  }

  /** What to ask over HTTP in one round. */
  httpPaths(): string[] {
    if (this.#options.generation === 1) return ['/status'];
    if (!this.#monophase) return ['/rpc/EM.GetStatus?id=0'];
    return [0, 1, 2].map((id) => `/rpc/EM1.GetStatus?id=${id}`);
  }

  /** The device does not have what `httpPaths` asked for: it may be set to its other profile. */
  httpNotFound(): void {
    this.#monophase = !this.#monophase;
  }

  /** To be called at least every 250 ms: polls, silence, report period. */
  tick(now: number, connected: boolean): MeterOutput[] {
    return [...this.#poll(now, connected), ...this.#supervise(now)];
  }

  reading(now: number): MeterReading {
    const phases = this.#phases;
    const value = (key: 'power' | 'voltage') =>
      [phases[0][key], phases[1][key], phases[2][key]] as [number | null, number | null, number | null];
    return {
      current: [signed(phases[0]), signed(phases[1]), signed(phases[2])],
      power: value('power'),
      voltage: value('voltage'),
      age: perPhase((i) => this.#monitors[i].age(now) / 1000),
      energyImport: this.#energyImport ?? sum(phases.map((p) => p.energyImport)),
      energyExport: this.#energyExport ?? sum(phases.map((p) => p.energyExport)),
    };
  }

  /** Phases that count as not measured at this time. */
  silentPhases(now: number): Phase[] {
    if (this.#offline) return [...PHASES];
    return PHASES.filter((_, i) => this.#monitors[i].silent(now));
  }

  /** Slowest measured report period, s; undefined until known. */
  periodSeconds(): number | undefined {
    const periods = this.#monitors.map((m) => m.period()).filter((p) => p !== undefined);
    return periods.length ? Math.max(...periods) / 1000 : undefined;
  }

  activeAlerts(): DriverAlert[] {
    return this.#alerts.active();
  }

  #guarded(source: string, now: number, decode: () => ShellyUpdate | undefined): MeterOutput[] {
    try {
      const update = decode();
      return update ? [...this.#good(source), ...this.#apply(update, now)] : [];
    } catch (error) {
      if (!(error instanceof DeviceDataError)) throw error;
      this.#bad.add(source);
      const args = { source: source.slice(0, 120), detail: error.message.slice(0, 200) };
      return this.#alerts
        .raise({ severity: 'warning', code: 'bad-data', args }, now, REPEAT_MS)
        .map((alert) => ({ type: 'alert', alert, error }));
    }
  }

  #good(source: string): MeterOutput[] {
    return this.#bad.good(source) ? asAlerts(this.#alerts.clear('bad-data')) : [];
  }

  #apply(update: ShellyUpdate, now: number): MeterOutput[] {
    if (update.unsupported) this.#otherProfile();
    if (update.online === false) return this.#lost(now);
    if (update.online) return [];
    this.#energyImport = update.energyImport ?? this.#energyImport;
    this.#energyExport = update.energyExport ?? this.#energyExport;
    let news = false;
    for (const values of update.channels) news = this.#applyChannel(values, now) || news;
    return news ? [{ type: 'reading', reading: this.reading(now) }, ...this.#supervise(now)] : [];
  }

  /** Several requests of one round may be refused: the profile changes once. */
  #otherProfile(): void {
    if (this.#energyPoll === 'refused') return;
    this.#monophase = !this.#monophase;
    this.#energyPoll = 'refused';
  }

  /** True when a current or a power came: those go on at once, the rest goes with them. */
  #applyChannel(values: ChannelValues, now: number): boolean {
    const index = phaseIndex(this.#options.phaseOrder[values.channel]);
    const phase = this.#phases[index];
    phase.voltage = values.voltage ?? phase.voltage;
    phase.energyImport = values.energyImport ?? phase.energyImport;
    phase.energyExport = values.energyExport ?? phase.energyExport;
    if (values.power !== undefined) {
      phase.power = values.power;
      phase.sincePower = 0;
    }
    if (values.current !== undefined) {
      phase.current = values.current;
      if (values.power === undefined) phase.sincePower += 1;
      this.#monitors[index].report(now);
      this.#offline = false;
    }
    return values.current !== undefined || values.power !== undefined;
  }

  /** The broker tells that the device is gone: nothing it said holds any longer. */
  #lost(now: number): MeterOutput[] {
    this.#phases = [emptyPhase(), emptyPhase(), emptyPhase()];
    this.#offline = true;
    return [{ type: 'reading', reading: this.reading(now) }, ...this.#supervise(now)];
  }

  #poll(now: number, connected: boolean): MeterOutput[] {
    if (this.#options.generation === 1 || !connected || now < this.#nextPoll) return [];
    const period = this.#options.pollSeconds * 1000;
    // After a pause the rhythm starts anew instead of catching up.
    this.#nextPoll = now - this.#nextPoll > period ? now + period : this.#nextPoll + period;
    const ids = this.#monophase ? [0, 1, 2] : [0];
    const component = this.#monophase ? 'EM1' : 'EM';
    const requests = ids.map((id) => [`${component}.GetStatus`, id] as const);
    const counters = ids.map((id) => [`${component}Data.GetStatus`, id] as const);
    const withCounters = this.#polls % ENERGY_EVERY_POLLS === 0 || this.#energyPoll === 'refused';
    this.#energyPoll = withCounters ? 'asked' : 'later';
    const all = withCounters ? [...requests, ...counters] : requests;
    this.#polls += 1;
    return all.map(([method, id]) => ({
      type: 'publish',
      topic: `${this.#options.deviceId}/rpc`,
      payload: encodeRpc(this.#polls, this.#options.replyTo, method, id),
    }));
  }

  #supervise(now: number): MeterOutput[] {
    const gone = PHASES.filter((_, i) => this.#offline || this.#monitors[i].gone(now));
    const silence = gone.length
      ? this.#alerts.raise({ severity: 'error', code: 'sensor-silent', args: { phases: gone.join(' ') } }, now)
      : this.#alerts.clear('sensor-silent');
    const slow = ([0, 1, 2] as PhaseIndex[]).some((i) => this.#monitors[i].tooSlow());
    const args = { seconds: Math.round(this.periodSeconds() ?? 0) };
    const code = `sensor-slow-${this.#options.generation}`;
    const rhythm = slow ? this.#alerts.raise({ severity: 'warning', code, args }, now) : this.#alerts.clear(code);
    return [...asAlerts(silence), ...asAlerts(rhythm)];
  }
}

function emptyPhase(): PhaseState {
  return { current: null, power: null, voltage: null, sincePower: Number.POSITIVE_INFINITY };
}

/** The current with the sign of the power; where the power is missing, old or near zero the magnitude counts as import. */
function signed(phase: PhaseState): number | null {
  if (phase.current === null) return null;
  const exporting = phase.power !== null && phase.power <= -SIGN_MIN_W && phase.sincePower <= SIGN_MAX_MISSED;
  return exporting ? -phase.current : phase.current;
}

function sum(values: (number | undefined)[]): number | undefined {
  return values.every((v) => v !== undefined) ? values.reduce((a, b) => a + b, 0) : undefined;
}

function asAlerts(alerts: DriverAlert[]): MeterOutput[] {
  return alerts.map((alert) => ({ type: 'alert', alert }));
}
