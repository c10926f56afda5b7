/**
 * A day of a site with 1 to 20 chargers in virtual time, event by event: meters that are late and lose reports, vehicles that
 * lag, draw less or ignore, links that break, restarts, people who stop. The control loop is the core's own.
 */
import {
  type ChargerInput,
  type Controller,
  type ControllerOptions,
  createController,
  type Decision,
  decide,
  onCharger,
  onMeter,
  type PerPhase,
  type SetpointOut,
} from '../core/index.ts';
import { PHASES } from '../core/units.ts';
import { Agenda } from './agenda.ts';
import { createRandom, type Random } from './random.ts';
import { type ChargerPlan, type MeterPlan, planSite, type SitePlan } from './site-plan.ts';
import { type PlantCharger, type PlantCircuit, SiteWorld } from './site-world.ts';

export interface SiteDayOptions {
  seed: number;
  hours?: number;
  options?: Partial<ControllerOptions>;
  /** A broken control loop, for tests that must be able to fail. */
  distort?: (decision: Decision, controller: Controller) => Decision;
}

/** What a judge sees. */
export interface SiteObserver {
  disturbed(from: number, until: number): void;
  passes(day: SiteDay, from: number, to: number): void;
  setpoint(day: SiteDay, setpoint: SetpointOut): void;
}

/** Without news a decision is due this often, s. */
const TICK_S = 2;
/** How long what was broken may show in what is measured and reserved, s. */
const AFTERMATH_S = 120;
/** From a set-point to the vehicle's answer at the longest, s. */
const LAG_S: [number, number] = [1, 5];

export class SiteDay {
  readonly agenda = new Agenda();
  readonly plan: SitePlan;
  readonly world: SiteWorld;
  controller?: Controller;
  /** Until when something is or has just been broken, ms. */
  disturbedUntil = 0;
  /** When each meter was last heard, ms. */
  readonly heard = new Map<string, number>();
  readonly #options: SiteDayOptions;
  readonly #random: Random;
  readonly #observer: SiteObserver;
  readonly #quiet = new Set<string>();
  #decidedAt = 0;

  constructor(options: SiteDayOptions, observer: SiteObserver) {
    this.#options = options;
    this.#observer = observer;
    this.#random = createRandom(options.seed * 7919 + 3);
    this.plan = planSite(this.#random);
    this.world = new SiteWorld(this.plan.site);
  }

  run(): SiteWorld {
    const hours = this.#options.hours ?? 24;
    this.#start();
    this.#loads();
    for (const meter of this.plan.meters) this.#measures(meter);
    for (const [i, plan] of this.plan.chargers.entries()) this.#charges(plan, this.world.chargers[i], hours);
    this.#breaks(hours);
    this.agenda.every(
      () => TICK_S,
      () => {
        // What only time brings; news was decided on when it came.
        if (this.agenda.now - this.#decidedAt > 900 * TICK_S) this.#decide();
      },
    );
    this.world.settle();
    this.agenda.run(hours * 3_600_000, (from, to) => {
      this.world.pass(from, to);
      this.#observer.passes(this, from, to);
    });
    return this.world;
  }

  /** From now on something is broken for `seconds`; what follows from it may take a while longer. */
  disturb(seconds: number): void {
    const until = this.agenda.now + (seconds + AFTERMATH_S) * 1000;
    this.disturbedUntil = Math.max(this.disturbedUntil, until);
    this.#observer.disturbed(this.agenda.now, until);
  }

  #start(): void {
    this.controller = createController(this.plan.site, this.#options.options ?? {}, this.agenda.now);
  }

  /** Loads that come and go, on the root and on feeders with a meter; no jump is larger than the site is planned for. */
  #loads(): void {
    const r = this.#random;
    for (const circuit of this.world.circuits) {
      if (!circuit.config.meter) continue;
      const { rating } = circuit.config;
      for (const p of [0, 1, 2] as const) circuit.own[p] = r.between(0.02, 0.08) * rating;
      const share = circuit.config.parent === undefined ? 0.3 : 0.1;
      this.agenda.every(
        () => r.between(120, 1200),
        () => {
          const all = r.chance(0.4);
          const current = r.between(0.05, 1) * Math.min(share * rating, 0.8 * this.plan.jump);
          const phases = all ? [0, 1, 2] : [r.integer(0, 2)];
          this.#load(circuit, phases, current);
          this.agenda.after(r.between(60, 1800), () => this.#load(circuit, phases, -current));
        },
      );
    }
  }

  #load(circuit: PlantCircuit, phases: readonly number[], current: number): void {
    this.#change(() => {
      for (const p of phases) circuit.own[p] = Math.max(0, circuit.own[p] + current);
    });
  }

  #change(change: () => void): void {
    change();
    this.world.settle();
  }

  #measures({ id, circuit, period, latency, loss }: MeterPlan): void {
    const r = this.#random;
    const { total } = this.world.circuit(circuit);
    this.agenda.after(r.between(0, period), () =>
      this.agenda.every(
        () => period,
        () => {
          if (this.#quiet.has(id) || r.chance(loss)) return;
          const sample: PerPhase = [...total];
          this.agenda.after(latency, () => {
            this.heard.set(id, this.agenda.now);
            if (!this.controller) return;
            onMeter(this.controller, id, { current: sample }, this.agenda.now);
            this.#decide();
          });
        },
      ),
    );
  }

  #charges(plan: ChargerPlan, charger: PlantCharger, hours: number): void {
    const r = this.#random;
    this.agenda.after(r.between(0, plan.report), () =>
      this.agenda.every(
        () => plan.report,
        () => this.#report(plan, charger),
      ),
    );
    this.agenda.after(plan.ignoresFrom, () => {
      charger.ignores = true;
      this.disturb(24 * 3600);
    });
    this.#sessions(plan, charger, hours);
  }

  /** Vehicles come and go; now and then a person stops one. */
  #sessions(plan: ChargerPlan, charger: PlantCharger, hours: number): void {
    const r = this.#random;
    this.agenda.after(r.between(0, 0.15 * hours * 3600), () => {
      const conductors = plan.config.rotation.length === 1 ? 1 : r.chance(0.7) ? 3 : r.integer(1, 2);
      const max = r.chance(0.75) ? plan.config.max : r.between(7, plan.config.max);
      const wants = r.chance(0.3) ? Number.POSITIVE_INFINITY : r.between(5_000, 60_000);
      this.#change(() => this.world.plugIn(charger, { conductors, max, slack: r.between(0, 0.4), wants }));
      this.#follow(charger);
      this.agenda.after(r.between(0.5, 20), () => this.#report(plan, charger));
      if (r.chance(0.05))
        this.agenda.after(r.between(600, 7200), () => {
          if (!charger.car.plugged) return;
          charger.stoppedBy = 'user';
          charger.offer = 0;
          this.#follow(charger);
          this.#report(plan, charger);
        });
      this.agenda.after(r.between(0.1, 0.6) * hours * 3600, () => {
        this.#change(() => this.world.unplug(charger));
        this.#report(plan, charger);
        this.#sessions(plan, charger, hours);
      });
    });
  }

  #report(plan: ChargerPlan, charger: PlantCharger): void {
    const r = this.#random;
    if (!charger.reachable || r.chance(plan.loss)) return;
    const { car, offer, stoppedBy } = charger;
    const current: PerPhase = [0, 0, 0];
    for (const p of car.phases) current[p] = car.drawn;
    const state = !car.plugged ? 'A' : car.drawn > 0 ? 'C' : 'B';
    const phases = car.drawn > 1 ? car.phases.map((p) => PHASES[p]) : undefined;
    const input: ChargerInput = { online: true, state, current, offer, phases, stoppedBy };
    this.agenda.after(plan.latency, () => {
      if (this.controller) onCharger(this.controller, plan.config.id, input, this.agenda.now);
    });
  }

  #decide(): void {
    if (!this.controller) return;
    this.#decidedAt = this.agenda.now;
    let decision = decide(this.controller, this.agenda.now);
    decision = this.#options.distort?.(decision, this.controller) ?? decision;
    for (const setpoint of decision.setpoints) {
      this.#observer.setpoint(this, setpoint);
      const charger = this.world.chargers.find((c) => c.config.id === setpoint.id) as PlantCharger;
      this.agenda.after(this.#random.between(0.02, 0.3), () => this.#obey(charger, setpoint));
    }
  }

  #obey(charger: PlantCharger, { current, validFor }: SetpointOut): void {
    if (!charger.reachable) return;
    charger.validUntil = this.agenda.now + validFor * 1000;
    this.agenda.after(validFor, () => {
      if (this.agenda.now < charger.validUntil || charger.stoppedBy) return;
      // The dead man's switch of the charger.
      charger.offer = charger.config.safe;
      this.#follow(charger);
    });
    if (charger.stoppedBy || charger.offer === current) return;
    charger.offer = current;
    if (!charger.ignores) this.#follow(charger);
  }

  /** The vehicle follows the offer in force after its lag. */
  #follow(charger: PlantCharger): void {
    const { offer, car } = charger;
    this.agenda.after(this.#random.between(...LAG_S), () => {
      if (charger.car !== car || charger.offer !== offer) return;
      this.#change(() => {
        car.followed = offer;
      });
    });
  }

  /** Restarts of the control loop, silent meters and chargers that cannot be reached. */
  #breaks(hours: number): void {
    const r = this.#random;
    const some = (count: number, run: () => void) => {
      for (let i = 0; i < count; i++) this.agenda.after(r.between(300, hours * 3600), run);
    };
    some(r.integer(1, 3), () => {
      const seconds = r.between(2, 30);
      this.controller = undefined;
      this.disturb(seconds);
      this.agenda.after(seconds, () => this.#start());
    });
    some(r.integer(1, 3), () => {
      const { id } = this.plan.meters[r.integer(0, this.plan.meters.length - 1)];
      const seconds = r.between(5, 180);
      this.#quiet.add(id);
      this.disturb(seconds);
      this.agenda.after(seconds, () => this.#quiet.delete(id));
    });
    some(r.integer(0, 2), () => {
      const charger = this.world.chargers[r.integer(0, this.world.chargers.length - 1)];
      const seconds = r.between(20, 900);
      charger.reachable = false;
      this.disturb(seconds);
      this.agenda.after(seconds, () => {
        charger.reachable = true;
      });
    });
  }
}
