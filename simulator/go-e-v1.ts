/** A go-e HOME+ (V2 hardware, API v1): a status of strings every 5 s, commands as plain `key=value`. */
import { GoEBox, type GoEBoxOptions } from './go-e-box.ts';
import type { Bus, SimulatedDevice, VehiclePort } from './ports.ts';
import { Rhythm } from './rhythm.ts';

export interface GoEV1Options extends GoEBoxOptions {
  /** Energy limit of the session, kWh. */
  energyLimitKwh?: number;
  /** Older firmware knows no `amx`. */
  noVolatileLimit?: boolean;
  /** s between two reports over MQTT; 5 in the device. */
  reportSeconds?: number;
}

export class SimulatedGoEV1 extends GoEBox implements SimulatedDevice {
  readonly subscriptions: readonly string[];
  #amp: number;
  #amx: number;
  #alw = 1;
  readonly #energyLimit: number;
  readonly #noAmx: boolean;
  readonly #second = new Rhythm(1000);
  readonly #report: Rhythm;
  /** Writes to flash so far. */
  flashWrites = 0;

  constructor(vehicle: VehiclePort, options: GoEV1Options) {
    super(vehicle, options);
    this.#amp = options.amp ?? 16;
    this.#amx = this.#amp;
    this.#energyLimit = options.energyLimitKwh ?? 0;
    this.#report = new Rhythm((options.reportSeconds ?? 5) * 1000);
    this.#noAmx = options.noVolatileLimit ?? false;
    this.subscriptions = [`${this.base}/cmd/req`];
  }

  tick(now: number, bus: Bus): void {
    if (this.#second.due(now)) this.logic();
    if (this.#report.due(now) && !this.silent) bus.publish(`${this.base}/status`, this.#status());
  }

  message(topic: string, payload: string, _now: number, _bus: Bus): void {
    if (!this.silent && topic === `${this.base}/cmd/req`) this.#command(payload);
  }

  http(path: string, _now: number): { status: number; body: string } | undefined {
    if (this.silent) return { status: 0, body: '' };
    const url = new URL(path, 'http://device');
    if (url.pathname === '/mqtt') this.#command(url.searchParams.get('payload') ?? '');
    else if (url.pathname !== '/status') return undefined;
    return { status: 200, body: this.#status() };
  }

  /** A person at the app. */
  press(button: 'stop' | 'start'): void {
    this.#alw = button === 'stop' ? 0 : 1;
  }

  setAmp(current: number): void {
    this.#amp = current;
    this.#amx = current;
  }

  /** Switched off and on: what is volatile is lost. */
  powerCycle(): void {
    this.#amx = this.#amp;
    this.#report.now();
  }

  /** What a test may look at. */
  inspect(): { alw: number; amp: number; amx: number; car: number } {
    return { alw: this.#alw, amp: this.#amp, amx: this.#amx, car: this.car };
  }

  protected allowed(): boolean {
    return this.#alw === 1 && !this.#energyReached();
  }

  protected limit(): number {
    return this.#amx;
  }

  protected unplugged(): void {}

  #energyReached(): boolean {
    return this.#energyLimit > 0 && this.vehicle.sessionEnergy() >= this.#energyLimit * 1000;
  }

  #command(text: string): void {
    const [key, raw] = text.split('=');
    const value = Number(raw);
    if (this.writesRefused || !/^\d+$/.test(raw ?? '')) return;
    if (key === 'alw' && value <= 1) this.#alw = value;
    if (value < 6 || value > this.maximum) return;
    if (key === 'amx' && !this.#noAmx) this.#amx = value;
    if (key === 'amp') {
      if (value !== this.#amp) this.flashWrites += 1;
      this.setAmp(value);
    }
  }

  #status(): string {
    const voltage = this.conductors(this.vehicle.voltage());
    const current = this.conductors(this.vehicle.current());
    const watts = voltage.map((v, i) => v * current[i]);
    const total = watts[0] + watts[1] + watts[2];
    const nrg = [
      ...voltage.map(Math.round),
      0,
      ...current.map((a) => Math.round(a * 10)),
      ...watts.map((w) => Math.round(w / 100)),
      0,
      Math.round(total / 10),
      ...current.map((a) => (a > 0 ? 100 : 0)),
      0,
    ];
    return JSON.stringify({
      version: 'B',
      car: String(this.car),
      amp: String(this.#amp),
      ...(this.#noAmx ? {} : { amx: String(this.#amx) }),
      err: '0',
      ast: '0',
      alw: this.allowed() ? '1' : '0',
      stp: this.#energyLimit > 0 ? '2' : '0',
      dwo: String(Math.round(this.#energyLimit * 10)),
      cbl: String(this.cable),
      pha: '63',
      tmp: '30',
      dws: String(Math.round(this.vehicle.sessionEnergy() * 360)),
      eto: String(Math.round(this.vehicle.totalEnergy() / 100)),
      ama: String(this.maximum),
      uby: '0',
      sse: this.serial,
      nrg,
    });
  }
}
