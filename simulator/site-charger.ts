/** A charger of a site's day: its vehicles, its reports, and what it makes of set-points. */
import type { ChargerInput, PerPhase, SetpointOut } from '../core/index.ts';
import { PHASES, phaseIndex } from '../core/units.ts';
import type { Random } from './random.ts';
import type { SiteDay } from './site-day.ts';
import type { ChargerPlan } from './site-plan.ts';
import type { PlantCar, PlantCharger } from './site-world.ts';

/** From a set-point to the vehicle's answer at the longest, s. */
const LAG_S: [number, number] = [1, 5];
/** What a charger takes to move its contactors, s. */
const SWITCH_S = 2;

export class SiteCharger {
  readonly #day: SiteDay;
  readonly #random: Random;
  readonly #plan: ChargerPlan;
  readonly #charger: PlantCharger;
  /** When the newest set-point that it has taken was sent, ms. */
  #obeyed = Number.NEGATIVE_INFINITY;

  constructor(day: SiteDay, random: Random, plan: ChargerPlan, charger: PlantCharger) {
    this.#day = day;
    this.#random = random;
    this.#plan = plan;
    this.#charger = charger;
  }

  /** Puts its reports and vehicles of a day of `hours` on the agenda. */
  begin(hours: number): void {
    const r = this.#random;
    const { agenda } = this.#day;
    const { report, ignoresFrom } = this.#plan;
    agenda.after(r.between(0, report), () =>
      agenda.every(
        () => report,
        () => this.#report(),
      ),
    );
    agenda.after(ignoresFrom, () => {
      this.#charger.ignores = true;
      this.#day.disturb(24 * 3600);
    });
    this.#sessions(hours);
  }

  /** Vehicles come and go; now and then a person stops one. */
  #sessions(hours: number): void {
    const r = this.#random;
    const day = this.#day;
    const charger = this.#charger;
    const { config, wiring } = this.#plan;
    day.agenda.after(r.between(0, 0.15 * hours * 3600), () => {
      const conductors = config.rotation.length === 1 ? 1 : r.chance(0.7) ? 3 : r.integer(1, 2);
      const max = r.chance(0.75) ? config.max : r.between(7, config.max);
      const wants = r.chance(0.3) ? Number.POSITIVE_INFINITY : r.between(5_000, 60_000);
      const wires = (wiring ?? config.rotation).slice(0, conductors);
      day.change(() => day.world.plugIn(charger, { max, slack: r.between(0, 0.4), wants }, wires));
      this.#follow();
      day.agenda.after(r.between(0.5, 20), () => this.#report());
      if (r.chance(0.05)) day.agenda.after(r.between(600, 7200), () => this.#stop());
      day.agenda.after(r.between(0.1, 0.6) * hours * 3600, () => {
        // What it was told before a person stopped it counts no more.
        if (charger.stoppedBy) day.said.delete(config.id);
        day.change(() => day.world.unplug(charger));
        this.#report();
        this.#sessions(hours);
      });
    });
  }

  #stop(): void {
    const charger = this.#charger;
    if (!charger.car.plugged) return;
    charger.stoppedBy = 'user';
    charger.offer = 0;
    this.#follow();
    this.#report();
  }

  #report(): void {
    const { car, offer, stoppedBy, reachable, phaseCount: phasesConfigured } = this.#charger;
    const { config, wiring, loss, latency } = this.#plan;
    if (!reachable || this.#random.chance(loss)) return;
    const current: PerPhase = [0, 0, 0];
    // It knows its conductors, and of the grid what it was told.
    const known = car.phases.map((p) => (wiring ? config.rotation[wiring.indexOf(PHASES[p])] : PHASES[p]));
    for (const phase of known) current[phaseIndex(phase)] = car.drawn;
    const state = stateOf(car);
    const phases = car.drawn > 1 ? known : undefined;
    const input: ChargerInput = { online: true, state, current, offer, phases, phasesConfigured, stoppedBy };
    const at = this.#day.agenda.now;
    this.#day.agenda.after(latency, () => {
      this.#day.reported.set(config.id, { ...input, at });
      this.#day.hearCharger(config.id, input);
    });
  }

  /** Takes a set-point that was sent at `at` (ms); one that was overtaken on its way is refused (S12). */
  obey({ current, validFor, phases }: SetpointOut, at: number): void {
    const charger = this.#charger;
    const { agenda, world } = this.#day;
    if (!charger.reachable || at < this.#obeyed) return;
    this.#obeyed = at;
    if (phases && charger.phaseCount && phases !== charger.phaseCount && !charger.ignores)
      agenda.after(SWITCH_S, () => this.#day.change(() => world.connect(charger, phases)));
    charger.validUntil = agenda.now + validFor * 1000;
    agenda.after(validFor, () => {
      if (agenda.now < charger.validUntil || charger.stoppedBy) return;
      // The dead man's switch of the charger.
      charger.offer = charger.config.safe;
      this.#follow();
    });
    if (charger.stoppedBy || charger.offer === current) return;
    charger.offer = current;
    if (!charger.ignores) this.#follow();
  }

  /** The vehicle follows the offer in force after its lag; on its way down another lowering does not hold it up (IEC 61851-1: 5 s each). */
  #follow(): void {
    const charger = this.#charger;
    const { offer, car } = charger;
    this.#day.agenda.after(this.#random.between(...LAG_S), () => {
      if (charger.car !== car || charger.offer > offer || (charger.offer < offer && offer >= car.followed)) return;
      this.#day.change(() => {
        car.followed = offer;
      });
    });
  }
}

export function stateOf(car: PlantCar): 'A' | 'B' | 'C' {
  if (!car.plugged) return 'A';
  return car.drawn > 0 ? 'C' : 'B';
}
