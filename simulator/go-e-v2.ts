/** A go-e Gemini or V4 (API v2): one retained JSON value per key, at most once a second, and a `result` per write. */
import { GoEBox, type GoEBoxOptions } from './go-e-box.ts';
import type { Bus, SimulatedDevice, VehiclePort } from './ports.ts';
import { Rhythm } from './rhythm.ts';

/** `modelStatus` of the device that is simulated. */
const NOT_CHARGING_NO_CAR = 0;
const FORCED_ON = 3;
const FORCED_OFF = 4;
const CHARGING = 15;

export class SimulatedGoEV2 extends GoEBox implements SimulatedDevice {
  readonly subscriptions: readonly string[];
  readonly lastWill: { topic: string; payload: string };
  #amp: number;
  #frc = 0;
  #psm = 0;
  #switching = false;
  #connected: number;
  /** RFID card of the session: null none, 0 without a card, else index + 1. */
  #trx: number | null = null;
  error = 0;
  #bootedAt: number | undefined;
  readonly #second = new Rhythm(1000);
  readonly #published = new Map<string, string>();

  constructor(vehicle: VehiclePort, options: GoEBoxOptions) {
    super(vehicle, options);
    this.#amp = options.amp ?? 16;
    this.#connected = this.rotation.length;
    this.subscriptions = [`${this.base}/+/set`];
    this.lastWill = { topic: `${this.base}/mcc`, payload: 'false' };
  }

  /** Connected to a broker (again): everything is published anew. */
  connect(now: number, bus: Bus): void {
    this.#published.clear();
    if (!this.silent) this.#publish(now, bus);
  }

  tick(now: number, bus: Bus): void {
    this.#bootedAt ??= now;
    if (!this.#second.due(now)) return;
    this.#switchPhases();
    this.logic();
    if (!this.silent) this.#publish(now, bus);
  }

  message(topic: string, payload: string, _now: number, bus: Bus): void {
    const key = topic.slice(this.base.length + 1, -'/set'.length);
    if (this.silent || topic !== `${this.base}/${key}/set`) return;
    bus.publish(`${this.base}/${key}/result`, this.#write(key, payload));
  }

  http(path: string, now: number): { status: number; body: string } | undefined {
    if (this.silent) return { status: 0, body: '' };
    const url = new URL(path, 'http://device');
    if (url.pathname === '/api/status') return this.#httpStatus(url.searchParams.get('filter'), now);
    if (url.pathname !== '/api/set') return undefined;
    const results: string[] = [];
    for (const [key, value] of url.searchParams) results.push(`${JSON.stringify(key)}:${this.#write(key, value)}`);
    return { status: this.writesRefused ? 403 : 200, body: `{${results.join(',')}}` };
  }

  /** A person at the app; `force` charges whatever the logic says. */
  press(button: 'stop' | 'start' | 'force'): void {
    this.#frc = button === 'stop' ? 1 : button === 'start' ? 0 : 2;
  }

  setAmp(current: number): void {
    this.#amp = current;
  }

  /** A card was held to the charger. */
  card(index: number | null): void {
    this.#trx = index === null ? null : index + 1;
  }

  inspect(): { frc: number; amp: number; car: number; psm: number } {
    return { frc: this.#frc, amp: this.#amp, car: this.car, psm: this.#psm };
  }

  protected allowed(): boolean {
    return this.#frc !== 1 && this.error === 0 && !this.#switching;
  }

  /** The box lets the vehicle stop before it moves its contactors. */
  #switchPhases(): void {
    const phases = this.#psm === 1 ? this.rotation.slice(0, 1) : this.rotation;
    this.#switching = phases.length !== this.#connected;
    if (!this.#switching || Math.max(...this.vehicle.current()) > 0) return;
    this.vehicle.connect(phases);
    this.#connected = phases.length;
    this.#switching = false;
  }

  protected limit(): number {
    return this.#amp;
  }

  protected unplugged(): void {
    this.#frc = 0;
    this.#trx = null;
  }

  /** JSON text of the answer. */
  #write(key: string, text: string): string {
    if (this.writesRefused) return JSON.stringify('MQTT write access is disabled');
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return JSON.stringify('invalid JSON');
    }
    const allowed: Record<string, [number, number]> = { amp: [6, this.maximum], frc: [0, 2], psm: [0, 2] };
    const range = Object.hasOwn(allowed, key) ? allowed[key] : undefined;
    if (!range) return JSON.stringify('unknown or read-only key');
    if (typeof value !== 'number' || !Number.isInteger(value) || value < range[0] || value > range[1]) {
      return JSON.stringify('value out of range');
    }
    if (key === 'amp') this.#amp = value;
    if (key === 'frc') this.#frc = value;
    if (key === 'psm') this.#psm = value;
    return 'true';
  }

  #modelStatus(): number {
    if (this.#frc === 1) return FORCED_OFF;
    if (this.#frc === 2) return FORCED_ON;
    return this.car === 1 ? NOT_CHARGING_NO_CAR : CHARGING;
  }

  #values(now: number): [string, string][] {
    const allowed = this.allowed();
    const voltage = this.conductors(this.vehicle.voltage());
    const current = this.conductors(this.vehicle.current());
    const round = (x: number) => Math.round(x * 100) / 100;
    const watts = voltage.map((v, i) => Math.round(v * current[i]));
    const drawn = current.map(round);
    const nrg = [
      ...voltage.map((v) => Math.round(v)),
      0,
      ...drawn,
      ...watts,
      0,
      watts[0] + watts[1] + watts[2],
      100,
      100,
      100,
      0,
    ];
    const uptime = Math.round(now - (this.#bootedAt ?? now));
    return [
      ['car', String(this.error ? 5 : this.car)],
      ['amp', String(this.#amp)],
      ['frc', String(this.#frc)],
      ['alw', String(allowed)],
      ['acu', allowed ? String(this.inForce()) : 'null'],
      ['nrg', JSON.stringify(nrg)],
      ['wh', String(round(this.vehicle.sessionEnergy()))],
      ['eto', String(Math.round(this.vehicle.totalEnergy()))],
      ['ama', String(this.maximum)],
      ['cbl', this.cable ? String(this.cable) : 'null'],
      ['modelStatus', String(this.#modelStatus())],
      ['err', String(this.error)],
      ['psm', String(this.#psm)],
      ['trx', String(this.#trx)],
      ['rbt', String(uptime)],
      ['mcc', 'true'],
    ];
  }

  #publish(now: number, bus: Bus): void {
    for (const [key, value] of this.#values(now)) {
      if (this.#published.get(key) === value) continue;
      this.#published.set(key, value);
      bus.publish(`${this.base}/${key}`, value, true);
    }
  }

  #httpStatus(filter: string | null, now: number): { status: number; body: string } {
    const wanted = filter ? new Set(filter.split(',')) : undefined;
    const values = this.#values(now).filter(([key]) => !wanted || wanted.has(key));
    return { status: 200, body: `{${values.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}` };
  }
}
