/**
 * A site of several circuits, meters and chargers in virtual time, for the commissioning check: messages come as a meter or a
 * charger gives them, with noise and in their own rhythm; what is wired wrongly is in the functions.
 */
import {
  advanceCheck,
  type CheckSite,
  type CheckState,
  checkFindings,
  checkView,
  createCheck,
  createController,
  decide,
  type Effect,
  onCharger,
  onCheckCharger,
  onCheckCommand,
  onCheckMeter,
  onCheckTold,
  onLimit,
  onMeter,
  onRequest,
  type PerPhase,
  type Phase,
  reconfigure,
  withFindings,
} from '../../core/index.ts';
import { PHASES, perPhase, phaseIndex } from '../../core/units.ts';
import { createRandom, type Random } from '../../simulator/random.ts';
import { type PlantCharger, SiteWorld } from '../../simulator/site-world.ts';
import type { Checked } from './electrician.ts';

export interface CheckSiteOptions {
  site: CheckSite;
  /** By charger: the conductors that its vehicle uses as they are really wired, and those that it reports. */
  vehicles: Record<string, { wired: Phase[]; reports?: Phase[]; max?: number }>;
  /** The site as it really is, where that is not what is configured. */
  really?: CheckSite;
  /** By meter: what it makes of the truth; undefined: it says nothing. */
  meters?: Record<string, (truth: PerPhase) => PerPhase | undefined>;
  /** s between two messages of every meter and charger. */
  meterPeriod?: number;
  reportPeriod?: number;
  /** Standard deviation of a meter's noise, A. */
  noise?: number;
  seed?: number;
}

const TICK_MS = 100;

export class CheckedSite implements Checked {
  readonly world: SiteWorld;
  readonly check: CheckState;
  now = 0;
  /** Where a known load is switched on; the first circuit of the site unless somebody goes elsewhere. */
  socket: string;
  controller: ReturnType<typeof createController>;
  readonly #options: CheckSiteOptions;
  readonly #random: Random;
  readonly #pending: { at: number; charger: PlantCharger; offer: number }[] = [];
  #findings = '';

  constructor(options: CheckSiteOptions) {
    this.#options = options;
    this.#random = createRandom(options.seed ?? 1);
    const { site } = options;
    this.world = new SiteWorld(options.really ?? site);
    this.controller = createController(site, {}, 0);
    this.check = createCheck(site, { vehicleLagSeconds: 6 }, undefined);
    this.socket = site.circuits[0].id;
    for (const circuit of this.world.circuits) circuit.own.fill(0.5);
    for (const charger of this.world.chargers) {
      const vehicle = options.vehicles[charger.config.id];
      if (vehicle) this.world.plugIn(charger, { wants: 1e9, max: vehicle.max ?? 32, slack: 0.1 }, vehicle.wired);
    }
    this.world.settle();
  }

  run(seconds: number): void {
    for (const end = this.now + seconds * 1000; this.now < end; ) this.#tick();
  }

  view() {
    return checkView(this.check);
  }

  command(command: Parameters<typeof onCheckCommand>[1]): void {
    this.#apply(onCheckCommand(this.check, command, this.now));
  }

  switch(phase: Phase, current: number): void {
    for (const circuit of this.world.circuits) circuit.own[phaseIndex(phase)] = 0.5;
    this.world.circuit(this.socket).own[phaseIndex(phase)] += current;
    this.world.settle();
  }

  #tick(): void {
    this.now += TICK_MS;
    const { meterPeriod = 1, reportPeriod = 1 } = this.#options;
    for (const due of this.#pending.filter((p) => p.at <= this.now)) due.charger.car.followed = due.offer;
    this.#pending.splice(0, this.#pending.length, ...this.#pending.filter((p) => p.at > this.now));
    this.world.settle();
    if (this.now % (meterPeriod * 1000) === 0) this.#measure();
    if (this.now % (reportPeriod * 1000) === 300) for (const charger of this.world.chargers) this.#report(charger);
    if (this.now % 500 === 0) this.#decide();
    this.#apply(advanceCheck(this.check, this.now));
  }

  #measure(): void {
    const { meters = {}, noise = 0 } = this.#options;
    for (const { config, total } of this.world.circuits) {
      if (!config.meter) continue;
      const truth = perPhase((p) => total[p] + noise * this.#random.normal());
      const current = meters[config.meter] ? meters[config.meter](truth) : truth;
      if (!current) continue;
      onMeter(this.controller, config.meter, { current }, this.now);
      onCheckMeter(this.check, config.meter, { current, power: perPhase((p) => 230 * current[p]) }, this.now);
    }
  }

  #report({ config, car, offer }: PlantCharger): void {
    const { wired = [], reports = config.rotation.slice(0, wired.length) } = this.#options.vehicles[config.id] ?? {};
    const current: PerPhase = [0, 0, 0];
    for (const phase of reports) current[phaseIndex(phase)] = car.drawn;
    const state = !car.plugged ? ('A' as const) : car.drawn > 0 ? ('C' as const) : ('B' as const);
    const input = { online: true, state, current, offer, phases: car.drawn > 1 ? reports : undefined };
    onCharger(this.controller, config.id, input, this.now);
    onCheckCharger(this.check, config.id, input, this.now);
  }

  #decide(): void {
    const decision = decide(this.controller, this.now);
    for (const { id, current } of decision.setpoints) {
      const charger = this.world.chargers.find((c) => c.config.id === id) as PlantCharger;
      if (charger.offer === current) continue;
      charger.offer = current;
      this.#pending.push({ at: this.now + 1000 * this.#random.between(2, 4), charger, offer: current });
    }
    for (const { id, setpoint, request, reason } of decision.allocation().chargers)
      onCheckTold(this.check, id, { setpoint, request, reason: { code: reason.code, text: reason.code } }, this.now);
  }

  #apply(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'request') onRequest(this.controller, effect.id, { maxCurrent: effect.maxCurrent });
      if (effect.type !== 'limit') continue;
      const { circuit, power, validFor } = effect;
      onLimit(this.controller, circuit, 'commissioning', { power, validFor, onExpiry: 'release' }, this.now);
    }
    const findings = checkFindings(this.check);
    if (JSON.stringify(findings) === this.#findings) return;
    this.#findings = JSON.stringify(findings);
    this.controller = reconfigure(this.controller, withFindings(this.#options.site, findings), this.now);
  }
}

/** Currents of a meter whose channels are on other phases than it says: `L2,L1,L3` shows L2's current as L1's. */
export function shown(order: string): (truth: PerPhase) => PerPhase {
  const names = order.split(',') as Phase[];
  return (truth) => perPhase((p) => truth[PHASES.indexOf(names[p])]);
}
