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
} from '../core/index.ts';
import type { MeterInput } from '../core/meter-track.ts';
import { PHASE_INDICES, perPhase } from '../core/units.ts';
import { Agenda } from './agenda.ts';
import { createRandom, type Random } from './random.ts';
import { SiteCharger } from './site-charger.ts';
import { type Fault, type MeterPlan, planSite, type SitePlan } from './site-plan.ts';
import { isTrouble, SiteTroubles, type TroubleKind } from './site-troubles.ts';
import { type PlantCircuit, SiteWorld } from './site-world.ts';

export interface SiteDayOptions {
  seed: number;
  hours?: number;
  options?: Partial<ControllerOptions>;
  /** Only this goes wrong, several times; without it, a bit of everything. */
  only?: TroubleKind | Fault;
  broken?: Broken;
}

/** A broken control loop, for tests that must be able to fail. */
export interface Broken {
  onMeter?: typeof onMeter;
  onCharger?: typeof onCharger;
  /** What it does to its memory before it decides. */
  before?(controller: Controller, now: number): void;
  /** What becomes of its decision. */
  after?(decision: Decision, controller: Controller, now: number): Decision;
}

/** What a judge sees. */
export interface SiteObserver {
  disturbed(from: number, until: number): void;
  passes(day: SiteDay, from: number, to: number): void;
  decided(day: SiteDay, decision: Decision): void;
  /** A message of no sense came: what was said to it, and whether anything changed. */
  rubbish(day: SiteDay, error: unknown, changed: boolean): void;
}

/** What the control loop was last told and has last said, of a charger. */
export interface Said {
  at: number;
  current: number;
  validFor: number;
}

/** Without news a decision is due this often, s. */
const TICK_S = 2;
/** How long what was broken may show in what is measured and reserved, s. */
const AFTERMATH_S = 120;
/** Longer than this between two messages is a gap: what happened meanwhile a meter need not show. */
const GAP_MS = 4500;
/** So much time passes at once at most, ms. */
const LONGEST_PASS_MS = 2000;

export class SiteDay {
  readonly agenda = new Agenda();
  readonly plan: SitePlan;
  readonly world: SiteWorld;
  controller?: Controller;
  /** Until when something is or has just been broken, ms. */
  disturbedUntil = 0;
  /** When each meter was last heard, ms, what its circuit's uncontrolled load was then, A, and whether it said an old value. */
  readonly heard = new Map<string, { at: number; house: PerPhase; frozen: boolean }>();
  /** The same of the last minute. */
  readonly houses = new Map<string, { at: number; house: PerPhase }[]>();
  /** When a meter's old values were last sent around, ms. */
  readonly repeated = new Map<string, number>();
  /** Meters that say the same again and again, since when, ms. */
  readonly frozen = new Map<string, number>();
  readonly said = new Map<string, Said>();
  /** The last report of each charger that arrived, and old ones that arrived after it since the last decision. */
  readonly reported = new Map<string, ChargerInput & { at: number }>();
  readonly outdated: { id: string; current: PerPhase }[] = [];
  /** What every charger offered when the control loop started, A. */
  readonly offered = new Map<string, number>();
  readonly #options: SiteDayOptions;
  readonly #random: Random;
  readonly observer: SiteObserver;
  readonly inputs: { onMeter: typeof onMeter; onCharger: typeof onCharger };
  /** Meters that are silent, and when each was last heard again after a gap, ms. */
  readonly quiet = new Set<string>();
  readonly resumed = new Map<string, number>();
  readonly samples = new Map<string, PerPhase>();
  readonly #chargers = new Map<string, SiteCharger>();
  readonly #metered = new Map<string, MeterInput['current']>();
  #decidedAt = 0;
  #passed = 0;

  constructor(options: SiteDayOptions, observer: SiteObserver) {
    this.#options = options;
    this.observer = observer;
    this.inputs = { onMeter, onCharger, ...options.broken };
    this.#random = createRandom(options.seed * 7919 + 3);
    const { only } = options;
    this.plan = planSite(this.#random, only === undefined ? 'some' : isTrouble(only) ? 'none' : only);
    this.world = new SiteWorld(this.plan.site);
    for (const [i, plan] of this.plan.chargers.entries())
      this.#chargers.set(plan.config.id, new SiteCharger(this, this.#random, plan, this.world.chargers[i]));
  }

  run(): SiteWorld {
    const hours = this.#options.hours ?? 24;
    this.start();
    this.#loads();
    for (const meter of this.plan.meters) this.#measures(meter);
    for (const charger of this.#chargers.values()) charger.begin(hours);
    const { only } = this.#options;
    if (!only || isTrouble(only)) new SiteTroubles(this, this.#random).plan(hours, only);
    this.agenda.every(
      () => TICK_S,
      () => {
        // What only time brings; news was decided on when it came.
        if (this.agenda.now - this.#decidedAt > 900 * TICK_S) this.decide();
      },
    );
    this.world.settle();
    this.agenda.run(hours * 3_600_000, (from) => {
      if (from - this.#passed >= LONGEST_PASS_MS) this.#pass();
    });
    this.#pass();
    return this.world;
  }

  /** Lets time pass until now with everything as it is: to be called before anything changes, and before anybody judges. */
  #pass(): void {
    const from = this.#passed;
    const to = this.agenda.now;
    if (to <= from) return;
    this.#passed = to;
    this.world.pass(from, to);
    this.observer.passes(this, from, to);
  }

  /** From now on something is broken for `seconds`; what follows from it may take a while longer. */
  disturb(seconds: number): void {
    const until = this.agenda.now + (seconds + AFTERMATH_S) * 1000;
    this.disturbedUntil = Math.max(this.disturbedUntil, until);
    this.observer.disturbed(this.agenda.now, until);
  }

  start(): void {
    this.controller = createController(this.plan.site, this.#options.options ?? {}, this.agenda.now);
    for (const { config, offer } of this.world.chargers) this.offered.set(config.id, offer);
    this.said.clear();
    this.reported.clear();
    this.#metered.clear();
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
    this.change(() => {
      for (const p of phases) circuit.own[p] = Math.max(0, circuit.own[p] + current);
    });
  }

  /** Something of the plant changes. */
  change(change: () => void): void {
    this.#pass();
    change();
    this.world.settle();
  }

  #measures({ id, circuit, period, latency, loss, reversed }: MeterPlan): void {
    const r = this.#random;
    const { total, house } = this.world.circuit(circuit);
    this.agenda.after(r.between(0, period), () =>
      this.agenda.every(
        () => period,
        () => {
          if (this.quiet.has(id) || r.chance(loss)) return;
          const present = perPhase((p) => (p === reversed ? -total[p] : total[p]));
          const frozen = this.frozen.has(id);
          const sample = frozen ? (this.samples.get(id) ?? present) : present;
          const load: PerPhase = [...house];
          this.samples.set(id, sample);
          this.agenda.after(latency, () => {
            const { now } = this.agenda;
            if (now - (this.heard.get(id)?.at ?? now) > GAP_MS) this.resumed.set(id, now);
            this.heard.set(id, { at: now, house: load, frozen });
            this.#remember(id, load);
            this.hearMeter(id, { current: sample });
          });
        },
      ),
    );
  }

  #remember(id: string, house: PerPhase): void {
    const { now } = this.agenda;
    const list = this.houses.get(id) ?? [];
    this.houses.set(id, list);
    list.push({ at: now, house });
    while (list[0].at < now - 60_000) list.shift();
  }

  hearMeter(id: string, input: MeterInput): void {
    if (!this.controller) return;
    this.inputs.onMeter(this.controller, id, input, this.agenda.now);
    const before = this.#metered.get(id);
    this.#metered.set(id, input.current);
    // Where it says the same as before, only time brings news.
    if (PHASE_INDICES.some((p) => input.current[p] !== before?.[p])) this.decide();
  }

  hearCharger(id: string, input: ChargerInput): void {
    if (this.controller) this.inputs.onCharger(this.controller, id, input, this.agenda.now);
  }

  decide(): void {
    const { controller } = this;
    if (!controller) return;
    this.#pass();
    const now = this.agenda.now;
    this.#decidedAt = now;
    const { broken } = this.#options;
    broken?.before?.(controller, now);
    let decision = decide(controller, now);
    decision = broken?.after?.(decision, controller, now) ?? decision;
    this.observer.decided(this, decision);
    for (const setpoint of decision.setpoints) {
      this.said.set(setpoint.id, { at: now, current: setpoint.current, validFor: setpoint.validFor });
      this.agenda.after(this.#random.between(0.02, 0.3), () => this.#chargers.get(setpoint.id)?.obey(setpoint, now));
    }
  }
}
