/**
 * A Shelly Pro 3EM or 3EM-63 Gen3 over the grid connection: RPC over MQTT and HTTP, notifications on change.
 * Profile triphase has one component EM, monophase three EM1.
 */
import { PHASE_INDICES, type PhaseIndex } from '../core/units.ts';
import type { Bus, GridPort, SimulatedDevice } from './ports.ts';
import { Rhythm } from './rhythm.ts';
import { powerFactor, round2 } from './shelly-gen1.ts';

export interface ShellyGen2Options {
  /** Device id (`src` of its frames) and topic prefix, unless that is given. */
  deviceId: string;
  prefix?: string;
  profile?: 'triphase' | 'monophase';
  /** s between two reports without a change. */
  periodicSeconds?: number;
  /** Publishes whole components on `<prefix>/status/…` too (off in the device's own default). */
  statusNotifications?: boolean;
}

interface Sample {
  current: number;
  power: number;
  voltage: number;
}

export class SimulatedShellyGen2 implements SimulatedDevice {
  readonly subscriptions: readonly string[];
  readonly lastWill: { topic: string; payload: string };
  silent = false;
  readonly #id: string;
  readonly #prefix: string;
  readonly #grid: GridPort;
  readonly #monophase: boolean;
  readonly #statusNotifications: boolean;
  readonly #measure = new Rhythm(1000);
  readonly #periodic: Rhythm;
  #told: (Sample | undefined)[] = [undefined, undefined, undefined];

  constructor(grid: GridPort, options: ShellyGen2Options) {
    this.#grid = grid;
    this.#id = options.deviceId;
    this.#prefix = options.prefix ?? options.deviceId;
    this.#monophase = options.profile === 'monophase';
    this.#statusNotifications = options.statusNotifications ?? false;
    this.#periodic = new Rhythm((options.periodicSeconds ?? 60) * 1000);
    this.subscriptions = [`${this.#prefix}/rpc`];
    this.lastWill = { topic: `${this.#prefix}/online`, payload: 'false' };
  }

  connect(_now: number, bus: Bus): void {
    if (this.silent) return;
    bus.publish(this.lastWill.topic, 'true', true);
    this.#told = [undefined, undefined, undefined];
  }

  tick(now: number, bus: Bus): void {
    if (!this.#measure.due(now) || this.silent) return;
    const all = this.#periodic.due(now);
    const changed = PHASE_INDICES.filter((i) => all || this.#changed(i));
    if (changed.length === 0) return;
    this.#notify(changed, now, bus);
    if (this.#statusNotifications) this.#publishStatus(bus);
  }

  message(topic: string, payload: string, _now: number, bus: Bus): void {
    if (this.silent || topic !== `${this.#prefix}/rpc`) return;
    let request: { id?: unknown; src?: unknown; method?: unknown; params?: { id?: unknown } };
    try {
      request = JSON.parse(payload) as typeof request;
    } catch {
      return;
    }
    if (typeof request?.src !== 'string' || typeof request.method !== 'string') return;
    const result = this.#call(request.method, Number(request.params?.id ?? 0));
    const answer = result ?? { error: { code: 404, message: `No handler for ${request.method}` } };
    const frame = { id: request.id, src: this.#id, dst: request.src, ...(result ? { result } : answer) };
    bus.publish(`${request.src}/rpc`, JSON.stringify(frame));
  }

  http(path: string, _now: number): { status: number; body: string } | undefined {
    if (this.silent) return { status: 0, body: '' };
    const url = new URL(path, 'http://device');
    if (!url.pathname.startsWith('/rpc/')) return undefined;
    const method = url.pathname.slice('/rpc/'.length);
    const result = this.#call(method, Number(url.searchParams.get('id') ?? 0));
    if (result) return { status: 200, body: JSON.stringify(result) };
    return { status: 404, body: JSON.stringify({ code: 404, message: `No handler for ${method}` }) };
  }

  #call(method: string, id: number): object | undefined {
    if (method === 'Shelly.GetDeviceInfo') {
      return { id: this.#id, model: 'SPEM-003CEBEU', gen: 2, profile: this.#monophase ? 'monophase' : 'triphase' };
    }
    if (!this.#monophase && id === 0 && method === 'EM.GetStatus') return this.#em();
    if (!this.#monophase && id === 0 && method === 'EMData.GetStatus') return this.#emData();
    if (this.#monophase && (id === 0 || id === 1 || id === 2)) {
      if (method === 'EM1.GetStatus') return this.#em1(id);
      if (method === 'EM1Data.GetStatus') return this.#em1Data(id);
    }
    return undefined;
  }

  #sample(i: PhaseIndex): Sample {
    return {
      current: Math.abs(this.#grid.current()[i]),
      power: this.#grid.power()[i],
      voltage: this.#grid.voltage()[i],
    };
  }

  /** Thresholds of the device: current 5 % or 0.05 A, power 5 % or 10 W, voltage 5 % or 1 V, whichever is more. */
  #changed(i: PhaseIndex): boolean {
    const told = this.#told[i];
    if (!told) return true;
    const now = this.#sample(i);
    return (
      moved(told.current, now.current, 0.05) || moved(told.power, now.power, 10) || moved(told.voltage, now.voltage, 1)
    );
  }

  #notify(changed: PhaseIndex[], now: number, bus: Bus): void {
    const params: Record<string, unknown> = { ts: now / 1000 };
    for (const i of changed) this.#told[i] = this.#sample(i);
    if (this.#monophase) {
      for (const i of changed) params[`em1:${i}`] = this.#em1(i);
    } else {
      params['em:0'] = Object.assign({ id: 0 }, ...changed.map((i) => this.#phase(i)));
    }
    const frame = { src: this.#id, dst: `${this.#prefix}/events`, method: 'NotifyStatus', params };
    bus.publish(`${this.#prefix}/events/rpc`, JSON.stringify(frame));
  }

  #publishStatus(bus: Bus): void {
    if (this.#monophase) {
      for (const i of PHASE_INDICES) bus.publish(`${this.#prefix}/status/em1:${i}`, JSON.stringify(this.#em1(i)));
    } else {
      bus.publish(`${this.#prefix}/status/em:0`, JSON.stringify(this.#em()));
    }
  }

  #phase(i: PhaseIndex): Record<string, number> {
    const { current, power, voltage } = this.#sample(i);
    const name = 'abc'[i];
    return {
      [`${name}_current`]: round2(current),
      [`${name}_voltage`]: round2(voltage),
      [`${name}_act_power`]: round2(power),
      [`${name}_aprt_power`]: round2(current * voltage),
      [`${name}_pf`]: round2(Math.abs(powerFactor(power, voltage, current))),
      [`${name}_freq`]: 50,
    };
  }

  #em(): object {
    const power = this.#grid.power();
    const samples = PHASE_INDICES.map((i) => this.#sample(i));
    return {
      id: 0,
      ...this.#phase(0),
      ...this.#phase(1),
      ...this.#phase(2),
      n_current: null,
      total_current: round2(samples.reduce((sum, s) => sum + s.current, 0)),
      total_act_power: round2(power[0] + power[1] + power[2]),
      total_aprt_power: round2(samples.reduce((sum, s) => sum + s.current * s.voltage, 0)),
      user_calibrated_phase: [],
    };
  }

  #emData(): object {
    const [total, returned] = [this.#grid.energyImport(), this.#grid.energyExport()];
    const data: Record<string, number> = { id: 0 };
    for (const i of PHASE_INDICES) {
      data[`${'abc'[i]}_total_act_energy`] = round2(total[i]);
      data[`${'abc'[i]}_total_act_ret_energy`] = round2(returned[i]);
    }
    data.total_act = round2(total[0] + total[1] + total[2]);
    data.total_act_ret = round2(returned[0] + returned[1] + returned[2]);
    return data;
  }

  #em1(i: PhaseIndex): object {
    const { current, power, voltage } = this.#sample(i);
    return {
      id: i,
      current: round2(current),
      voltage: round2(voltage),
      act_power: round2(power),
      aprt_power: round2(current * voltage),
      pf: round2(Math.abs(powerFactor(power, voltage, current))),
      freq: 50,
      calibration: 'factory',
    };
  }

  #em1Data(i: PhaseIndex): object {
    return {
      id: i,
      total_act_energy: round2(this.#grid.energyImport()[i]),
      total_act_ret_energy: round2(this.#grid.energyExport()[i]),
    };
  }
}

function moved(before: number, now: number, least: number): boolean {
  return Math.abs(now - before) > Math.max(least, 0.05 * Math.abs(before));
}
