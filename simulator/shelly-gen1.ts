/** A Shelly 3EM (gen 1) over the grid connection: one scalar per MQTT topic, HTTP `/status` and `/settings`. */
import { PHASE_INDICES } from '../core/units.ts';
import type { Bus, GridPort, SimulatedDevice } from './ports.ts';
import { Rhythm } from './rhythm.ts';

export interface ShellyGen1Options {
  /** As in the topic, e.g. `shellyem3-C8C9A3000001`. */
  deviceId: string;
  /** MQTT update period, s; the device's own default is 30. */
  periodSeconds?: number;
}

export class SimulatedShellyGen1 implements SimulatedDevice {
  readonly subscriptions: readonly string[];
  readonly lastWill: { topic: string; payload: string };
  /** Says nothing and hears nothing, as without power. */
  silent = false;
  readonly #id: string;
  readonly #grid: GridPort;
  readonly #rhythm: Rhythm;
  #topics: string[];

  constructor(grid: GridPort, options: ShellyGen1Options) {
    this.#grid = grid;
    this.#id = options.deviceId;
    this.#rhythm = new Rhythm((options.periodSeconds ?? 1) * 1000);
    this.subscriptions = ['shellies/command', `shellies/${this.#id}/command`];
    this.lastWill = { topic: `shellies/${this.#id}/online`, payload: 'false' };
    this.#topics = PHASE_INDICES.map((i) => `shellies/${this.#id}/emeter/${i}/`);
  }

  connect(_now: number, bus: Bus): void {
    if (this.silent) return;
    bus.publish(this.lastWill.topic, 'true', true);
    this.#announce(bus);
  }

  tick(now: number, bus: Bus): void {
    if (!this.#rhythm.due(now) || this.silent) return;
    this.#publish(bus);
  }

  message(_topic: string, payload: string, _now: number, bus: Bus): void {
    if (this.silent) return;
    if (payload === 'announce') this.#announce(bus);
    if (payload === 'update') this.#publish(bus);
  }

  http(path: string, _now: number): { status: number; body: string } | undefined {
    if (this.silent) return { status: 0, body: '' };
    const url = new URL(path, 'http://device');
    if (url.pathname === '/status') return json(this.#status());
    if (url.pathname === '/settings') {
      const period = Number(url.searchParams.get('mqtt_update_period'));
      if (period > 0) this.#rhythm.periodMs = period * 1000;
      return json({ device: { type: 'SHEM-3' }, mqtt: { update_period: this.#rhythm.periodMs / 1000 } });
    }
    return undefined;
  }

  #announce(bus: Bus): void {
    bus.publish('shellies/announce', JSON.stringify({ id: this.#id, model: 'SHEM-3', new_fw: false }));
  }

  #publish(bus: Bus): void {
    const [current, power, voltage] = [this.#grid.current(), this.#grid.power(), this.#grid.voltage()];
    const [total, returned] = [this.#grid.energyImport(), this.#grid.energyExport()];
    for (const i of PHASE_INDICES) {
      const topic = this.#topics[i];
      bus.publish(`${topic}power`, power[i].toFixed(2));
      bus.publish(`${topic}pf`, powerFactor(power[i], voltage[i], current[i]).toFixed(2));
      bus.publish(`${topic}current`, Math.abs(current[i]).toFixed(2));
      bus.publish(`${topic}voltage`, voltage[i].toFixed(2));
      bus.publish(`${topic}total`, total[i].toFixed(1));
      bus.publish(`${topic}total_returned`, returned[i].toFixed(1));
    }
  }

  #status(): unknown {
    const [current, power, voltage] = [this.#grid.current(), this.#grid.power(), this.#grid.voltage()];
    const [total, returned] = [this.#grid.energyImport(), this.#grid.energyExport()];
    const emeters = PHASE_INDICES.map((i) => ({
      power: round2(power[i]),
      pf: round2(powerFactor(power[i], voltage[i], current[i])),
      current: round2(Math.abs(current[i])),
      voltage: round2(voltage[i]),
      is_valid: true,
      total: Math.round(total[i] * 10) / 10,
      total_returned: Math.round(returned[i] * 10) / 10,
    }));
    return { emeters, total_power: round2(power[0] + power[1] + power[2]), fs_mounted: true };
  }
}

function json(value: unknown): { status: number; body: string } {
  return { status: 200, body: JSON.stringify(value) };
}

export function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

export function powerFactor(power: number, voltage: number, current: number): number {
  const apparent = Math.abs(voltage * current);
  return apparent < 1 ? 0 : Math.max(-1, Math.min(1, power / apparent));
}
