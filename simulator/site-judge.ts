/** Judges a day of a site: safety by rule, fairness, and the room that stayed unused while somebody waited. */
import { allocate } from '../core/allocate.ts';
import { isSilent } from '../core/charger-draw.ts';
import { phasesOf } from '../core/charger-track.ts';
import { planLimit } from '../core/controller.ts';
import type { Decision } from '../core/index.ts';
import { PHASES } from '../core/units.ts';
import { SiteDay, type SiteDayOptions, type SiteObserver } from './site-day.ts';
import { REACTION_S, SiteRules } from './site-rules.ts';
import type { PlantCharger, PlantCircuit } from './site-world.ts';

export interface SiteVerdict {
  seed: number;
  chargers: number;
  /** What broke a rule, in words; empty on a good day. */
  violations: string[];
  /** Jain's index over the energy of equal claims, in windows of two hours; undefined without such. */
  fairness?: number;
  /** Wh that charging could have had while somebody had less than it would take, and what it had in all; undisturbed times only. */
  unused: number;
  energy: number;
}

const SAMPLE_S = 20;
const WINDOW_S = 7200;
/** As many violations of one rule are put into words. */
const MOST_TOLD = 3;

export function judgeSite(options: SiteDayOptions): SiteVerdict {
  const judge = new Judge();
  const day = new SiteDay(options, judge);
  day.run();
  return judge.verdict(day, options.seed);
}

interface Claim {
  charger: PlantCharger;
  energy: number;
  /** What it could take is the same as this at the same kind of place. */
  kind: string;
  phases: readonly number[];
  whole: boolean;
}

class Judge implements SiteObserver {
  readonly #violations: string[] = [];
  readonly #told = new Map<string, number>();
  readonly #rules = new SiteRules((at, what) => this.#tell(at, what));
  #nextSample = 0;
  #unused = 0;
  #energy = 0;
  #windowEnds = WINDOW_S * 1000;
  #claims: Claim[] = [];
  readonly #shares: number[] = [];
  readonly #disturbed: { from: number; until: number }[] = [];

  disturbed(from: number, until: number): void {
    this.#disturbed.push({ from, until });
  }

  decided(day: SiteDay, decision: Decision): void {
    this.#rules.decided(day, decision);
  }

  rubbish(day: SiteDay, error: unknown, changed: boolean): void {
    this.#rules.rubbish(day, error, changed);
  }

  passes(day: SiteDay, from: number, to: number): void {
    this.#rules.passes(day, from, to);
    for (const circuit of day.world.circuits) this.#trips(day, circuit);
    const seconds = (to - from) / 1000;
    if (to > day.disturbedUntil)
      for (const { car } of day.world.chargers) this.#energy += (car.drawn * car.phases.length * 230 * seconds) / 3600;
    for (const claim of this.#claims) {
      claim.energy += claim.charger.car.drawn * seconds;
      if (!claims(claim.charger) || claim.charger.car.phases !== claim.phases) claim.whole = false;
    }
    if (to >= this.#windowEnds) this.#nextWindow(day);
    if (to < this.#nextSample) return;
    this.#nextSample = to + SAMPLE_S * 1000;
    // On which phases a wrong wiring puts its load nobody knows: all are reserved (S4).
    const miswired = day.plan.chargers.some((c) => c.wiring);
    if (to > day.disturbedUntil && day.controller && !miswired) this.#sample(day);
  }

  verdict(day: SiteDay, seed: number): SiteVerdict {
    const sum = this.#shares.reduce((a, b) => a + b, 0);
    const squares = this.#shares.reduce((a, b) => a + b * b, 0);
    return {
      seed,
      chargers: day.world.chargers.length,
      violations: this.#violations,
      fairness: this.#shares.length > 1 ? (sum * sum) / (this.#shares.length * squares) : undefined,
      unused: this.#unused,
      energy: this.#energy,
    };
  }

  #trips(day: SiteDay, circuit: PlantCircuit): void {
    const { meter, device, id } = circuit.config;
    for (const { at, phase } of circuit.trips.splice(0)) {
      // What is wired to another phase than said is seen by nobody without a meter, and in time only behind a fuse.
      const wrong = circuit.below.find((c) => day.plan.chargers.some((p) => p.config === c.config && p.wiring));
      const loads = wrong && wrong.car.drawn > 0 && wrong.car.phases.includes(phase);
      const unseen =
        meter === undefined || (device !== 'gG' && this.#rules.changedSince(wrong, at - REACTION_S * 1000));
      if (!(loads && unseen) && !this.#excused(at)) this.#tell(at, `S1 a trip of ${id} on ${PHASES[phase]}`);
    }
  }

  /** Whether something was or had just been broken at that time: nobody promises anything then (S4, S5). */
  #excused(at: number): boolean {
    return this.#disturbed.some((d) => at >= d.from && at <= d.until);
  }

  #tell(at: number, what: string): void {
    const rule = what.split(' ')[0];
    const told = (this.#told.get(rule) ?? 0) + 1;
    this.#told.set(rule, told);
    if (told <= MOST_TOLD) this.#violations.push(`${(at / 1000).toFixed(1)} s: ${what}`);
  }

  /** The same claims on the same kind of place: what each got, beside their mean. */
  #nextWindow(day: SiteDay): void {
    const kinds = new Map<string, Claim[]>();
    for (const claim of this.#claims) if (claim.whole) kinds.set(claim.kind, [...(kinds.get(claim.kind) ?? []), claim]);
    for (const equal of kinds.values()) {
      const mean = equal.reduce((sum, c) => sum + c.energy, 0) / equal.length;
      if (equal.length > 1 && mean > 0) this.#shares.push(...equal.map((c) => c.energy / mean));
    }
    this.#claims = day.world.chargers.filter(claims).map((charger) => ({
      charger,
      energy: 0,
      kind: `${charger.config.circuit} ${[...charger.car.phases].sort()} ${charger.car.max} ${charger.config.max}`,
      phases: charger.car.phases,
      whole: true,
    }));
    this.#windowEnds += WINDOW_S * 1000;
  }

  /** What the site draws, beside what somebody who knows everything would let it draw. */
  #sample(day: SiteDay): void {
    const { controller, world } = day;
    if (!controller) return;
    const now = day.agenda.now;
    const wanting = world.chargers.filter(claims);
    if (!wanting.some((c) => c.car.drawn < Math.min(c.car.max, c.config.max) - 1)) return;
    const reserved = world.chargers.filter((c) => !wanting.includes(c) && c.car.drawn > 0);
    const circuits = world.circuits.map(({ config, house }) => {
      const track = controller.circuits.get(config.id);
      const load: [number, number, number] = [...house];
      for (const c of reserved)
        if (c.path.some((x) => x.config.id === config.id)) for (const p of c.car.phases) load[p] += c.car.drawn;
      return {
        id: config.id,
        parent: config.parent,
        limit: track ? planLimit(controller, track) : ([0, 0, 0] as [number, number, number]),
        load,
        maxUnbalance: config.maxUnbalance,
      };
    });
    const chargers = wanting.map((c) => {
      const track = controller.chargers.get(c.config.id);
      const most = Math.min(c.config.max, Math.ceil(c.car.max));
      return {
        id: c.config.id,
        circuit: c.config.circuit,
        // Phases that a vehicle has not shown stay reserved (S4).
        phases: track && !isSilent(track, 15, now) ? phasesOf(track) : c.config.rotation,
        min: 6,
        max: Math.max(6, most),
        step: 1,
        order: c.car.drawn > 0 ? 0 : 1,
      };
    });
    const best = allocate({ circuits, chargers, remainders: 'hand-out' });
    let could = 0;
    let does = 0;
    for (const [i, { current }] of best.setpoints.entries()) {
      const { car } = wanting[i];
      could += Math.min(current === 0 ? 0 : current - car.slack, car.max) * car.phases.length;
      does += car.drawn * car.phases.length;
    }
    const hours = SAMPLE_S / 3600;
    this.#unused += Math.max(0, could - does) * 230 * hours;
  }
}

/** Whether a vehicle would take current now and may have it. */
function claims({ car, stoppedBy, ignores, reachable }: PlantCharger): boolean {
  return car.plugged && car.wants > 0 && !stoppedBy && !ignores && reachable;
}
