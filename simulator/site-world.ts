/** The plant of a site: circuits with their protective devices, uncontrolled loads, chargers and vehicles. One truth for all. */
import type { PhaseCount } from '../core/charger-track.ts';
import { pathToRoot } from '../core/circuits.ts';
import { heatAfter, type ProtectiveDevice, protectiveDevice, steadyHeat } from '../core/protection.ts';
import type { ChargerConfig, CircuitConfig, SiteConfig } from '../core/site.ts';
import { type PerPhase, PHASE_INDICES, type Phase, type PhaseIndex, phaseIndex } from '../core/units.ts';

export interface PlantCircuit {
  config: CircuitConfig;
  device: ProtectiveDevice;
  /** The chargers at or below it. */
  below: PlantCharger[];
  /** Uncontrolled load that hangs on this circuit itself, A. */
  own: PerPhase;
  /** With everything below it, A; and without chargers. */
  total: PerPhase;
  house: PerPhase;
  heat: PerPhase;
  heatAlone: PerPhase;
  /** Trips that the uncontrolled load alone would not have caused. */
  trips: { at: number; phase: PhaseIndex }[];
}

export interface PlantCar {
  plugged: boolean;
  /** Wh that it still takes. */
  wants: number;
  /** Its own largest current, A, and what it stays below the offer. */
  max: number;
  slack: number;
  /** Grid phases that it is wired to, and those that it can draw from now. */
  wires: readonly PhaseIndex[];
  phases: readonly PhaseIndex[];
  /** Offer that it follows after its lag, A. */
  followed: number;
  drawn: number;
  /** Wh of the session. */
  energy: number;
}

export interface PlantCharger {
  config: ChargerConfig;
  path: PlantCircuit[];
  /** A in force. */
  offer: number;
  /** Until when the set-point holds, ms. */
  validUntil: number;
  stoppedBy?: 'user';
  ignores: boolean;
  reachable: boolean;
  /** Of one that can be switched. */
  phaseCount?: PhaseCount;
  car: PlantCar;
}

const LEAST_A = 6;

export class SiteWorld {
  readonly circuits: PlantCircuit[];
  readonly chargers: PlantCharger[];
  readonly #volts: number;

  constructor(site: SiteConfig) {
    const byId = new Map(site.circuits.map((c) => [c.id, c]));
    this.#volts = site.voltage;
    this.circuits = site.circuits.map((config) => ({
      config,
      device: protectiveDevice(config),
      below: [],
      own: [0, 0, 0],
      total: [0, 0, 0],
      house: [0, 0, 0],
      heat: [0, 0, 0],
      heatAlone: [0, 0, 0],
      trips: [],
    }));
    this.chargers = site.chargers.map((config) => ({
      config,
      path: pathToRoot(byId, config.circuit).map((id) => this.circuit(id)),
      offer: 0,
      validUntil: 0,
      ignores: false,
      reachable: true,
      phaseCount: config.phaseSwitching ? 3 : undefined,
      car: { plugged: false, wants: 0, max: 0, slack: 0, wires: [], phases: [], followed: 0, drawn: 0, energy: 0 },
    }));
    for (const charger of this.chargers) for (const circuit of charger.path) circuit.below.push(charger);
  }

  circuit(id: string): PlantCircuit {
    return this.circuits.find((c) => c.config.id === id) as PlantCircuit;
  }

  /** What every vehicle draws now, and what every circuit carries. To be called after every change. */
  settle(): void {
    for (const c of this.circuits) for (const p of PHASE_INDICES) c.house[p] = c.own[p];
    for (const c of this.circuits) {
      const parent = c.config.parent === undefined ? undefined : this.circuit(c.config.parent);
      // Two levels: what hangs on a feeder flows through the root, too.
      if (parent) for (const p of PHASE_INDICES) parent.house[p] += c.own[p];
    }
    for (const c of this.circuits) for (const p of PHASE_INDICES) c.total[p] = c.house[p];
    for (const { car, path } of this.chargers) {
      const takes = car.plugged && car.wants > 0 && car.followed >= LEAST_A;
      car.drawn = takes ? Math.max(LEAST_A - car.slack, Math.min(car.followed - car.slack, car.max)) : 0;
      for (const c of path) for (const p of car.phases) c.total[p] += car.drawn;
    }
  }

  /** Lets time pass with everything as it is. */
  pass(from: number, to: number): void {
    const seconds = (to - from) / 1000;
    for (const { car } of this.chargers) {
      if (car.drawn === 0) continue;
      const energy = (car.drawn * car.phases.length * this.#volts * seconds) / 3600;
      car.energy += energy;
      car.wants = Math.max(0, car.wants - energy);
    }
    for (const c of this.circuits) {
      for (const p of PHASE_INDICES) {
        const before = c.heat[p];
        c.heat[p] = Math.min(1.2, heatAfter(c.device, before, c.total[p], seconds));
        c.heatAlone[p] = Math.min(1.2, heatAfter(c.device, c.heatAlone[p], c.house[p], seconds));
        if (before >= 1 || c.heat[p] < 1) continue;
        if (c.heatAlone[p] < 1) c.trips.push({ at: to, phase: p });
        // Replaced, or switched on again.
        c.heat[p] = Math.min(0.9, steadyHeat(c.device, c.house[p]));
      }
    }
  }

  plugIn(charger: PlantCharger, car: Pick<PlantCar, 'wants' | 'max' | 'slack'>, conductors: readonly Phase[]): void {
    const wires = conductors.map(phaseIndex);
    charger.car = { ...car, plugged: true, wires, phases: wires, followed: 0, drawn: 0, energy: 0 };
    if (charger.phaseCount) this.connect(charger, charger.phaseCount);
  }

  /** Contactors connect the first conductor only, or all. */
  connect(charger: PlantCharger, count: PhaseCount): void {
    charger.phaseCount = count;
    charger.car.phases = count === 1 ? charger.car.wires.slice(0, 1) : charger.car.wires;
  }

  unplug(charger: PlantCharger): void {
    charger.car = { ...charger.car, plugged: false, wants: 0, followed: 0, drawn: 0 };
    charger.stoppedBy = undefined;
  }
}
