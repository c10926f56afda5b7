import type { PerPhase, Phase } from '../core/units.ts';

/** What a meter at the grid connection senses of the plant, at the plant's present time. */
export interface GridPort {
  /** A, signed: import positive. */
  current(): PerPhase;
  voltage(): PerPhase;
  /** W, signed. */
  power(): PerPhase;
  /** Wh per phase since the start of the plant. */
  energyImport(): PerPhase;
  energyExport(): PerPhase;
}

/** What a charger senses of its vehicle and does to it, at the plant's present time. */
export interface VehiclePort {
  /** A vehicle is plugged in. */
  plugged(): boolean;
  /** The vehicle asks for energy (its contactor would close under a pilot signal): false when full or asleep. */
  wants(): boolean;
  /** A per grid phase that the vehicle draws. */
  current(): PerPhase;
  voltage(): PerPhase;
  /** Pilot signal: A offered to the vehicle; 0 = no charging (contactor opens after the vehicle has ramped down). */
  offer(current: number): void;
  /** Grid phases that the charger's contactors connect. */
  connect(phases: readonly Phase[]): void;
  /** Wh charged since plugged in, and since ever. */
  sessionEnergy(): number;
  totalEnergy(): number;
}

/** The MQTT side of a simulated device; the virtual bus and a real client both fit. */
export interface Bus {
  publish(topic: string, payload: string, retain?: boolean): void;
}

/**
 * A simulated device at protocol level. It has no timers: whoever runs it calls `tick` with the time
 * (every simulated second, or every 100 ms) and hands it what arrives.
 */
export interface SimulatedDevice {
  /** Topic filters it listens to (MQTT wildcards allowed). */
  readonly subscriptions: readonly string[];
  /** `now`: ms, monotonic. Publishes what is due. */
  tick(now: number, bus: Bus): void;
  message(topic: string, payload: string, now: number, bus: Bus): void;
  /** An HTTP request; `path` with query. Undefined = not found. */
  http(path: string, now: number, body?: string): { status: number; body: string } | undefined;
}
