/** A kettle of the simulated home that somebody switches by hand over MQTT: `L1`, `L2`, `L3` say on which phase it is on, anything else off. */
import { type PerPhase, PHASES } from '../core/units.ts';
import type { SimulatedDevice } from './ports.ts';

export const KETTLE_TOPIC = 'simulated/kettle';
/** 2 kW. */
const KETTLE_A = 8.7;

export class SimulatedKettle implements SimulatedDevice {
  readonly subscriptions = [KETTLE_TOPIC];
  /** A per phase. */
  current: PerPhase = [0, 0, 0];

  tick(): void {}

  message(_topic: string, payload: string): void {
    this.current = PHASES.map((phase) => (payload === phase ? KETTLE_A : 0)) as PerPhase;
  }

  http(): undefined {}
}
