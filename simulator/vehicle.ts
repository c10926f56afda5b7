/**
 * A vehicle behind a charger: battery, charging curve, the phases it uses, and its lag behind the pilot
 * signal (IEC 61851-1: a vehicle follows a changed PWM within 5 s).
 */
import { type PerPhase, type Phase, phaseIndex } from '../core/units.ts';
import type { VehiclePort } from './ports.ts';
import type { Random } from './random.ts';

export interface VehicleOptions {
  /** Grid phases that it draws from. */
  phases: Phase[];
  /** Its own largest current, A. */
  maxCurrent: number;
  /** Lag behind the pilot signal, s: each change is followed after a random time between the two. */
  lag: [number, number];
  /** Battery, Wh; Infinity: never full. */
  capacity: number;
  /** State of charge when it arrives, 0..1. */
  soc: number;
  /** A below the offer that it keeps; real cars keep 0 to 0.5 A. */
  slack: number;
}

export interface Vehicle extends VehiclePort {
  /** Moves to `now` (ms). */
  step(now: number, volts: number): void;
  plugIn(): void;
  unplug(): void;
  /** 0..1. */
  soc(): number;
}

const TAPER_FROM_SOC = 0.85;
const MIN_CURRENT = 6;

export function createVehicle(options: VehicleOptions, random: Random): Vehicle {
  const pending: { at: number; offer: number }[] = [];
  let now = 0;
  let plugged = true;
  let offered = 0;
  let followed = 0;
  let drawn = 0;
  let session = 0;
  let total = 0;
  let stored = options.soc * options.capacity;
  const current: PerPhase = [0, 0, 0];
  let indices = options.phases.map(phaseIndex);

  const soc = () => (options.capacity === Number.POSITIVE_INFINITY ? 0.5 : stored / options.capacity);
  const wants = () => plugged && soc() < 1;
  const draw = () => {
    if (!wants() || followed < MIN_CURRENT) return 0;
    const curve = soc() < TAPER_FROM_SOC ? 1 : Math.max(0.2, (1 - soc()) / (1 - TAPER_FROM_SOC));
    return Math.max(Math.min(followed - options.slack, options.maxCurrent * curve), MIN_CURRENT - options.slack);
  };

  return {
    plugged: () => plugged,
    wants,
    soc,
    current: () => current,
    // The grid's voltage is never still: a device that publishes what changes publishes every second.
    voltage: () => [0, 1, 2].map((p) => 229 + ((Math.floor(now / 1000) * (p + 2)) % 3)) as PerPhase,
    sessionEnergy: () => session,
    totalEnergy: () => total,
    offer(value) {
      if (value === offered) return;
      offered = value;
      const due = now + random.between(options.lag[0], options.lag[1]) * 1000;
      pending.push({ at: Math.max(due, pending.at(-1)?.at ?? 0), offer: value });
    },
    connect(phases) {
      indices = options.phases.filter((p) => phases.includes(p)).map(phaseIndex);
    },
    plugIn() {
      plugged = true;
      session = 0;
      stored = options.soc * options.capacity;
    },
    unplug() {
      plugged = false;
      followed = 0;
      pending.length = 0;
      offered = 0;
    },
    step(to, volts) {
      const wh = (drawn * indices.length * volts * (to - now)) / 3_600_000;
      now = to;
      session += wh;
      total += wh;
      if (options.capacity !== Number.POSITIVE_INFINITY) stored = Math.min(options.capacity, stored + wh * 0.9);
      while (pending.length > 0 && pending[0].at <= now) followed = (pending.shift() as { offer: number }).offer;
      drawn = draw();
      current[0] = current[1] = current[2] = 0;
      for (const i of indices) current[i] = drawn;
    },
  };
}
