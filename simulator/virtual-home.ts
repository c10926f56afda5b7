/**
 * A home in virtual time: plant, simulated devices and the real drivers on a bus that may lose messages, with a
 * control loop ("brain") that is ours or another one. The same seed gives the same day.
 */
import type { PhaseCount } from '../core/charger-track.ts';
import type { MeterInput } from '../core/meter-track.ts';
import { protectiveDevice } from '../core/protection.ts';
import type { DeviceKind } from '../core/site.ts';
import { type PerPhase, PHASES, type Phase, perPhase } from '../core/units.ts';
import type { ChargerReading } from '../drivers/charger.ts';
import { GoECharger, type GoEOutput } from '../drivers/go-e/charger.ts';
import { type GoEApi, mqttWrite } from '../drivers/go-e/codec.ts';
import type { PauseRecord } from '../drivers/go-e/control.ts';
import { type MeterOutput, ShellyMeter } from '../drivers/shelly-3em/meter.ts';
import { SimulatedGoEV1 } from './go-e-v1.ts';
import { SimulatedGoEV2 } from './go-e-v2.ts';
import { createHouse } from './house.ts';
import { createPlant, type Plant } from './plant.ts';
import type { SimulatedDevice } from './ports.ts';
import { createRandom, type Random } from './random.ts';
import { SimulatedShellyGen1 } from './shelly-gen1.ts';
import { SimulatedShellyGen2 } from './shelly-gen2.ts';
import { createVehicle } from './vehicle.ts';

/** A control loop for one charger. */
export interface Brain {
  meter(input: MeterInput, now: number): void;
  charger(reading: ChargerReading, now: number): void;
  /** Called after every input and four times a second. A set-point to send, if there is one. */
  decide(now: number): { current: number; validFor: number; phases?: PhaseCount } | undefined;
}

export interface HomeOptions {
  seed: number;
  brain: (now: number) => Brain;
  api?: GoEApi;
  generation?: 1 | 2;
  device?: DeviceKind;
  /** A. */
  rating?: number;
  /** Share of messages that are lost. */
  loss?: number;
  /** Broker outages and restarts of the control loop. */
  disturbed?: boolean;
  hours?: number;
  /** A car that is never full, or one that comes and goes with a battery. */
  car?: 'endless' | 'everyday';
}

export interface Moment {
  /** ms since the start. */
  now: number;
  plant: Plant;
  phases: readonly Phase[];
  /** A that the car stays below its offer. */
  slack: number;
  /** Broker reachable and the control loop running. */
  reachable: boolean;
  /** Messages that were lost so far: of the meter per phase, and to or from the charger. */
  lost: { meter: PerPhase; charger: number };
}

export const TICK_MS = 100;
const HOUR_S = 3600;
const METER = 'shellyem3-VIRTUAL';
const SERIAL = '000001';
/** Without news a decision is due twice a second. */
const IDLE_MS = 500;
/** The go-e's own logic runs once a second: with the vehicle's 3 to 5 s its reaction is 3 to 6 s. */
const VEHICLE_LAG_S: [number, number] = [3, 5];
export const REACTION_S = 6;

interface Window {
  from: number;
  to: number;
}

/** One to three broker outages a day of 10 s to 3 min, and two to four restarts of 2 to 20 s. */
function disturbances(r: Random, hours: number): { outages: Window[]; restarts: Window[] } {
  const windows = (count: number, shortest: number, longest: number) =>
    Array.from({ length: count }, () => {
      const from = r.between(60, hours * HOUR_S) * 1000;
      return { from, to: from + r.between(shortest, longest) * 1000 };
    });
  return { outages: windows(r.integer(1, 3), 10, 180), restarts: windows(r.integer(2, 4), 2, 20) };
}

const inside = (windows: readonly Window[], now: number) => windows.some((w) => now >= w.from && now < w.to);

/** Runs the home; `observe` sees every tick. */
export function runHome(options: HomeOptions, observe: (moment: Moment) => void): Plant {
  return new VirtualHome(options).run(observe);
}

class VirtualHome {
  readonly #options: Required<HomeOptions>;
  readonly #random: Random;
  readonly #plant: Plant;
  readonly #phases: Phase[];
  readonly #slack: number;
  readonly #shelly: SimulatedDevice;
  readonly #goE: SimulatedDevice;
  readonly #goEOffset: number;
  readonly #windows: { outages: Window[]; restarts: Window[] };
  readonly #lost: { meter: PerPhase; charger: number } = { meter: [0, 0, 0], charger: 0 };
  /** What the broker keeps of the charger. */
  readonly #retained = new Map<string, string>();
  #record: PauseRecord | undefined;
  #running?: { brain: Brain; meter: ShellyMeter; charger: GoECharger };
  #linked = false;
  /** Something came in since the last decision. */
  #dirty = false;
  #decidedAt = 0;
  #now = 0;

  constructor(options: HomeOptions) {
    this.#options = {
      api: 'v2',
      generation: 1,
      device: 'gG',
      rating: 25,
      loss: 0.05,
      disturbed: true,
      hours: 24,
      car: 'endless',
      ...options,
    };
    const { seed, device, rating, generation, api, hours, disturbed } = this.#options;
    const r = createRandom(seed * 7919 + 17);
    this.#random = r;
    // Half of the cars charge on three phases, the others on one.
    this.#phases = r.chance(0.5) ? [...PHASES] : [PHASES[r.integer(0, 2)]];
    this.#slack = r.between(0, 0.4);
    const endless = this.#options.car === 'endless';
    const capacity = endless ? Number.POSITIVE_INFINITY : r.between(30_000, 80_000);
    const vehicle = createVehicle(
      {
        phases: this.#phases,
        maxCurrent: endless ? 16 : r.between(10, 16),
        lag: VEHICLE_LAG_S,
        capacity,
        soc: r.between(0.2, 0.6),
        slack: this.#slack,
      },
      createRandom(seed + 1),
    );
    this.#plant = createPlant({ house: createHouse(seed), vehicle, fuse: protectiveDevice({ rating, device }) });
    const { grid } = this.#plant;
    this.#shelly =
      generation === 1
        ? new SimulatedShellyGen1(grid, { deviceId: METER })
        : new SimulatedShellyGen2(grid, { deviceId: METER });
    this.#goE =
      api === 'v1' ? new SimulatedGoEV1(vehicle, { serial: SERIAL }) : new SimulatedGoEV2(vehicle, { serial: SERIAL });
    // Each device has its own clock: their seconds do not begin together.
    this.#goEOffset = r.integer(1, 9) * TICK_MS;
    this.#windows = disturbed ? disturbances(r, hours) : { outages: [], restarts: [] };
  }

  run(observe: (moment: Moment) => void): Plant {
    const end = this.#options.hours * HOUR_S * 1000;
    for (this.#now = TICK_MS; this.#now <= end; this.#now += TICK_MS) {
      this.#everyday();
      this.#plant.step(this.#now);
      this.#lifecycle();
      this.#shelly.tick(this.#now, { publish: (topic, payload) => this.#fromShelly(topic, payload) });
      this.#goE.tick(this.#now + this.#goEOffset, {
        publish: (topic, payload, retain) => this.#fromGoE(topic, payload, retain),
      });
      if (this.#now % 250 < TICK_MS) this.#tickDrivers();
      if (this.#dirty) this.#decide();
      const reachable = this.#linked && this.#running !== undefined;
      observe({
        now: this.#now,
        plant: this.#plant,
        phases: this.#phases,
        slack: this.#slack,
        reachable,
        lost: this.#lost,
      });
    }
    return this.#plant;
  }

  /** An everyday car is away from 8 to 17 h. */
  #everyday(): void {
    if (this.#options.car === 'endless') return;
    const hour = (this.#now / 1000 / HOUR_S) % 24;
    const home = hour < 8 || hour >= 17;
    const { vehicle } = this.#plant;
    if (vehicle.plugged() && !home) vehicle.unplug();
    if (!vehicle.plugged() && home) vehicle.plugIn();
  }

  /** The control loop starts, dies (nothing is saved but what is on the disk already) and loses its broker. */
  #lifecycle(): void {
    const now = this.#now;
    const dead = inside(this.#windows.restarts, now);
    if (dead) this.#running = undefined;
    if (!dead && !this.#running) {
      const { api, generation, brain } = this.#options;
      const options = {
        api,
        serial: SERIAL,
        topicPrefix: 'go-eCharger',
        rotation: [...PHASES],
        minCurrent: 6,
        maxCurrent: 16,
        safeCurrent: 6,
      };
      this.#running = {
        brain: brain(now),
        meter: new ShellyMeter(
          { generation, deviceId: METER, phaseOrder: ['L1', 'L2', 'L3'], replyTo: 'dlm', pollSeconds: 1 },
          now,
        ),
        charger: new GoECharger(options, this.#record, now),
      };
      this.#linked = false;
    }
    const linked = !inside(this.#windows.outages, now);
    if (linked === this.#linked) return;
    this.#linked = linked;
    this.#fromCharger(this.#running?.charger.linked(linked, now) ?? []);
    if (!linked) return;
    // After an outage the charger connects again and publishes everything anew; a subscription brings what is retained.
    if (this.#goE instanceof SimulatedGoEV2)
      this.#goE.connect(now + this.#goEOffset, {
        publish: (topic, payload) => void this.#retained.set(topic, payload),
      });
    for (const [topic, payload] of this.#retained)
      this.#fromCharger(this.#running?.charger.message(topic, payload, true, now) ?? []);
  }

  #tickDrivers(): void {
    if (!this.#running) return;
    this.#fromMeter(this.#running.meter.tick(this.#now, this.#linked));
    this.#fromCharger(this.#running.charger.tick(this.#now));
    if (this.#now - this.#decidedAt >= IDLE_MS) this.#dirty = true;
  }

  #delivered(): boolean {
    return this.#linked && this.#random.next() >= this.#options.loss;
  }

  #fromShelly(topic: string, payload: string): void {
    if (!this.#running) return;
    if (this.#delivered()) {
      this.#fromMeter(this.#running.meter.message(topic, payload, false, this.#now));
      return;
    }
    const channel = /emeter\/([0-2])\/current$/.exec(topic);
    if (channel) this.#lost.meter[Number(channel[1])] += 1;
    else if (!topic.includes('emeter')) for (let p = 0; p < 3; p++) this.#lost.meter[p] += 1;
  }

  #fromGoE(topic: string, payload: string, retain = false): void {
    if (retain && this.#linked) this.#retained.set(topic, payload);
    if (!this.#running) return;
    if (this.#delivered()) this.#fromCharger(this.#running.charger.message(topic, payload, false, this.#now));
    else if (/\/(amp|frc)(\/result)?$|\/status$/.test(topic)) this.#lost.charger += 1;
  }

  #fromMeter(outputs: readonly MeterOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'publish') {
        if (!this.#delivered()) this.#lost.meter = perPhase((p) => this.#lost.meter[p] + 1);
        else
          this.#shelly.message(output.topic, output.payload, this.#now, {
            publish: (topic, payload) => this.#fromShelly(topic, payload),
          });
      }
      if (output.type !== 'reading') continue;
      this.#running?.brain.meter(output.reading, this.#now);
      this.#dirty = true;
    }
  }

  #fromCharger(outputs: readonly GoEOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'persist') this.#record = structuredClone(output.record);
      if (output.type === 'write') this.#write(output.write);
      if (output.type !== 'reading') continue;
      this.#running?.brain.charger(output.reading, this.#now);
      this.#dirty = true;
    }
  }

  #write(write: Parameters<typeof mqttWrite>[3]): void {
    const { topic, payload } = mqttWrite(this.#options.api, 'go-eCharger', SERIAL, write);
    if (this.#delivered())
      this.#goE.message(topic, payload, this.#now + this.#goEOffset, {
        publish: (t, p, retain) => this.#fromGoE(t, p, retain),
      });
    else this.#lost.charger += 1;
  }

  #decide(): void {
    this.#dirty = false;
    this.#decidedAt = this.#now;
    const setpoint = this.#running?.brain.decide(this.#now);
    if (!setpoint || !this.#running) return;
    this.#fromCharger(this.#running.charger.setpoint(setpoint.current, setpoint.validFor, this.#now, setpoint.phases));
  }
}
