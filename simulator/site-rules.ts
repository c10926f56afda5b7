/** The safety rules S1 to S13 as a judge outside the control loop sees them: by what devices do and what they were told. */
import { planLimit } from '../core/controller.ts';
import type { Decision, SetpointOut } from '../core/index.ts';
import { type PerPhase, PHASE_INDICES, PHASES, type PhaseIndex, perPhase, phaseIndex } from '../core/units.ts';
import type { SiteDay } from './site-day.ts';
import { hidden, inForce, isFrozen, lastHeard } from './site-knowledge.ts';
import type { PlantCar, PlantCharger, PlantCircuit } from './site-world.ts';

/** An overload that is none, A. */
const TOLERANCE_A = 0.5;
/**
 * An overload that nothing excuses is over by then, s: where a raise is on its way it may explain a part of it, which shows after
 * the window (vehicle and report) only, and then the vehicle needs its time, too.
 */
export const REACTION_S = 18;
/** By when the backstop has sent everything to safe, and to 0 (S10), s. */
const BACKSTOP_S = 22;
const STOPPED_S = 42;
/** A meter is silent for the control loop after this long, and nothing charges after that, s (S9). */
const SILENT_S = 9;
const PAUSED_S = 31.5;
/** A change of a charger's draw that a meter must show (S13), A; how long it must last, s; and how many are needed. */
const SHOWN_A = 4;
const LASTING_S = 20;
const UNSHOWN = 4;
/** After a gap every charger has been heard again by then, s. */
const REPORTED_S = 12;
const LONGEST_VALIDITY_S = 60;
/** A vehicle that has drawn for this long has shown its phases (S4), s. */
const PHASES_SHOWN_S = 15;

interface Draw {
  car: PlantCar;
  phases: readonly PhaseIndex[];
  /** For how long the vehicle has drawn since it was plugged in, s. */
  seconds: number;
  /** What it drew when it last changed by much, A, and since when it has drawn what it draws, ms. */
  reference: number;
  level: number;
  levelSince: number;
}

export class SiteRules {
  readonly #tell: (at: number, what: string) => void;
  readonly #over = new Map<string, number>();
  readonly #draws = new Map<string, Draw>();
  /** Per frozen meter: how many changes it did not show, and when the last of them was, ms. */
  readonly #unshown = new Map<string, { count: number; at: number }>();
  /** What all vehicles together have drawn below each circuit of late, A. */
  readonly #sums = new Map<string, { at: number; sum: PerPhase }[]>();
  readonly #alerts = new Set<string>();
  /** What is told in this decision, A. */
  #raised: ReadonlyMap<string, number> = new Map();
  #controller: unknown;

  constructor(tell: (at: number, what: string) => void) {
    this.#tell = tell;
  }

  decided(day: SiteDay, decision: Decision): void {
    // A control loop that starts anew tells its alerts anew.
    if (this.#controller !== day.controller) {
      this.#alerts.clear();
      this.#unshown.clear();
    }
    this.#controller = day.controller;
    for (const { source, code, active } of decision.alerts) {
      if (active) this.#alerts.add(`${source} ${code}`);
      else this.#alerts.delete(`${source} ${code}`);
    }
    this.#raised = new Map(decision.setpoints.map((s) => [s.id, s.current]));
    for (const setpoint of decision.setpoints) this.#setpoint(day, setpoint);
    this.#reversed(day);
    this.#frozen(day);
    this.#outdated(day, decision);
  }

  rubbish(day: SiteDay, error: unknown, changed: boolean): void {
    if (!(error instanceof RangeError)) this.#tell(day.agenda.now, `S8 rubbish was taken without a word: ${error}`);
    if (changed) this.#tell(day.agenda.now, 'S8 rubbish has changed something');
  }

  passes(day: SiteDay, from: number, to: number): void {
    for (const charger of day.world.chargers) this.#draw(charger, from, to);
    for (const circuit of day.world.circuits) {
      this.#overloads(day, circuit, from, to);
      if (day.frozen.size > 0) this.#sum(circuit, from);
    }
    if (to <= day.disturbedUntil || !day.controller || to - day.controller.startedAt < 40_000) return;
    for (const { config, car, stoppedBy, reachable } of day.world.chargers) {
      if (!car.plugged || stoppedBy || !reachable) continue;
      const said = day.said.get(config.id);
      if (!said || to - said.at <= said.validFor * 1000) continue;
      this.#tell(to, `S5 ${config.id} was not told anything for ${((to - said.at) / 1000).toFixed(1)} s`);
    }
  }

  /** Whether a vehicle's draw has changed since `at` (ms). */
  changedSince(charger: PlantCharger | undefined, at: number): boolean {
    return charger !== undefined && (this.#draws.get(charger.config.id)?.levelSince ?? 0) > at;
  }

  #setpoint(day: SiteDay, { id, current, validFor, phases }: SetpointOut): void {
    const { now } = day.agenda;
    const charger = day.world.chargers.find((c) => c.config.id === id) as PlantCharger;
    const { config } = charger;
    const tell = (what: string) => this.#tell(now, `${what}: ${id} ${current} A`);
    if (current !== 0 && (current < config.min || current > config.max)) tell('S3 outside 0 or minimum to maximum');
    if (!(validFor > 0 && validFor <= LONGEST_VALIDITY_S)) tell(`S5 valid for ${validFor} s`);
    if (day.reported.get(id)?.stoppedBy && current > 0) tell('S7 against a stop by a person');
    if (phases && charger.phaseCount && phases !== charger.phaseCount && (current > 0 || charger.car.drawn > 0))
      tell(`S4 switched to ${phases} phases under ${charger.car.drawn.toFixed(1)} A`);
    this.#age(day, charger, current, tell);
    const before = day.said.get(id)?.current ?? inForce(day, id);
    if (current > before && current > charger.offer) this.#raise(day, charger, tell);
  }

  /** S6, S9, S12: nothing above what was in force before every phase was heard, and less when a meter falls silent. */
  #age(day: SiteDay, charger: PlantCharger, current: number, tell: (what: string) => void): void {
    const { now } = day.agenda;
    const started = day.controller?.startedAt ?? now;
    for (const { config } of charger.path) {
      if (!config.meter) continue;
      const heard = day.heard.get(config.meter)?.at ?? 0;
      if (heard < started && current > Math.max(charger.offer, inForce(day, charger.config.id)))
        tell(`S6 raised before ${config.meter} was heard`);
      const silent = (now - Math.max(heard, started)) / 1000;
      const rule = (day.repeated.get(config.meter) ?? 0) > heard ? 'S12' : 'S9';
      if (silent > PAUSED_S && current > 0) tell(`${rule} with ${config.meter} silent for ${silent.toFixed(1)} s`);
      else if (silent > SILENT_S && current > Math.max(charger.config.safe, charger.offer))
        tell(`${rule} raised with ${config.meter} silent for ${silent.toFixed(1)} s`);
    }
  }

  /** S1, S2, S4: a raise fits beside the house as it was last heard and all that the others may take. */
  #raise(day: SiteDay, charger: PlantCharger, tell: (what: string) => void): void {
    if (!day.controller || day.plan.chargers.some((c) => c.wiring)) return;
    for (const circuit of charger.path) {
      const track = day.controller.circuits.get(circuit.config.id);
      const house = lastHeard(day, circuit);
      if (!track || !house || isFrozen(day)) continue;
      const limit = planLimit(day.controller, track);
      const [seen, unseen]: [PerPhase, PerPhase] = [[...house], [0, 0, 0]];
      for (const other of day.world.chargers) {
        if (!other.path.includes(circuit)) continue;
        const { id } = other.config;
        const told = Math.max(day.said.get(id)?.current ?? 0, this.#raised.get(id) ?? 0);
        // Who was stopped by a person is told nothing more, and what it was told before counts no more.
        const most = Math.max(other.offer, other.stoppedBy ? 0 : told, other.car.drawn);
        const sum = this.#shown(other) && other.reachable ? seen : unseen;
        for (const p of this.#phases(other)) sum[p] += most;
      }
      for (const p of this.#phases(charger)) {
        if (seen[p] + unseen[p] - hidden(day, circuit, p) <= limit[p] + TOLERANCE_A) continue;
        const rule = seen[p] > limit[p] + TOLERANCE_A ? 'S2' : 'S4';
        const sums = `${seen[p].toFixed(1)} + ${unseen[p].toFixed(1)} A of ${limit[p].toFixed(1)} A`;
        tell(`${rule} raised without room on ${circuit.config.id} ${PHASES[p]}, ${sums}`);
      }
    }
  }

  /** S1, S10: which phases of a circuit are above their limit with vehicles on them, as far as the meter can show it. */
  #overloads(day: SiteDay, circuit: PlantCircuit, from: number, to: number): void {
    const { id, meter = '' } = circuit.config;
    const track = day.controller?.circuits.get(id);
    const limit = day.controller && track && planLimit(day.controller, track);
    const heard = day.frozen.has(meter) ? 0 : (day.heard.get(meter)?.at ?? 0);
    const silent = from - heard > SILENT_S * 1000;
    for (const p of PHASE_INDICES) {
      const high = limit && !silent && circuit.total[p] > limit[p] + TOLERANCE_A;
      if (high && circuit.below.some(({ car }) => car.drawn > 0 && car.phases.includes(p)))
        this.#overload(day, circuit, `${id} ${PHASES[p]}`, from, to);
      else if (this.#over.size > 0) this.#over.delete(`${id} ${PHASES[p]}`);
    }
  }

  /** S1, S10: how long an overload has lasted. */
  #overload(day: SiteDay, { below }: PlantCircuit, key: string, from: number, to: number): void {
    const since = Math.max(this.#over.get(key) ?? from, day.controller?.startedAt ?? 0);
    this.#over.set(key, since);
    const lasted = (to - since) / 1000;
    const free = below.filter((c) => c.reachable && !c.stoppedBy && c.car.plugged);
    const above = (most: (c: PlantCharger) => number) =>
      free.find((c) => (day.said.get(c.config.id)?.current ?? 0) > most(c))?.config.id;
    const high = lasted > STOPPED_S ? above(() => 0) : lasted > BACKSTOP_S ? above((c) => c.config.safe) : undefined;
    if (high) this.#once(key, to, `S10 ${key} is above its limit for ${lasted.toFixed(0)} s, and ${high} goes on`);
    const excused = day.plan.chargers.some((c) => c.wiring) || since <= day.disturbedUntil;
    if (lasted > REACTION_S && !excused) this.#once(key, to, `S1 ${key} above its limit for ${REACTION_S} s`);
  }

  /** Tells an overload once. */
  #once(key: string, at: number, what: string): void {
    this.#over.set(key, Number.POSITIVE_INFINITY);
    this.#tell(at, what);
  }

  /** The phases that must be assumed. */
  #phases(charger: PlantCharger): readonly PhaseIndex[] {
    const { car, config, phaseCount } = charger;
    // Who has just been unplugged may not have told so yet.
    const known = this.#shown(charger) || (!car.plugged && car.phases.length > 0);
    return known ? car.phases : config.rotation.slice(0, phaseCount).map(phaseIndex);
  }

  /** Whether the vehicle has shown which phases it uses (S4). */
  #shown(charger: PlantCharger): boolean {
    const draw = this.#draws.get(charger.config.id);
    return draw?.car === charger.car && draw.seconds >= PHASES_SHOWN_S;
  }

  #draw({ config, car }: PlantCharger, now: number, to: number): void {
    const known = this.#draws.get(config.id);
    const draw = known ?? {
      car,
      phases: car.phases,
      seconds: 0,
      reference: car.drawn,
      level: car.drawn,
      levelSince: now,
    };
    if (!known) this.#draws.set(config.id, draw);
    if (draw.car !== car || draw.phases !== car.phases) Object.assign(draw, { car, phases: car.phases, seconds: 0 });
    if (car.drawn > 0) draw.seconds += (to - now) / 1000;
    if (Math.abs(car.drawn - draw.level) > 0.5) Object.assign(draw, { level: car.drawn, levelSince: now });
  }

  /** S11: a transformer that is on the wrong way round is told. */
  #reversed(day: SiteDay): void {
    const { now } = day.agenda;
    if (!day.controller || now - day.controller.startedAt < 15_000) return;
    for (const { id, circuit, reversed } of day.plan.meters) {
      const fresh = now - (day.heard.get(id)?.at ?? 0) < 3000 && !day.frozen.has(id);
      if (reversed === undefined || !fresh || this.#alerts.has(`${circuit} meter-negative`)) continue;
      if (day.world.circuit(circuit).total[reversed] > 1) this.#tell(now, `S11 ${id} is reversed, and nobody is told`);
    }
  }

  /** S13: a meter that does not show what vehicles do is not believed. */
  #frozen(day: SiteDay): void {
    const { now } = day.agenda;
    for (const id of this.#unshown.keys()) if (!day.frozen.has(id)) this.#unshown.delete(id);
    for (const [id, began] of day.frozen) {
      // What happens in a gap of its messages it need not show, as far as the reports from before it tell.
      const since = day.quiet.has(id) ? now : Math.max(began, (day.resumed.get(id) ?? 0) + REPORTED_S * 1000);
      const meter = day.plan.meters.find((m) => m.id === id);
      if (!meter || !day.controller) continue;
      for (const { config, path } of day.world.chargers) {
        const draw = this.#draws.get(config.id);
        if (!draw || now - draw.levelSince < LASTING_S * 1000) continue;
        const changed = Math.abs(draw.level - draw.reference) >= SHOWN_A;
        draw.reference = draw.level;
        const net = this.#net(meter.circuit, draw, day.agenda.now);
        const last = this.#unshown.get(id);
        // What several do at once is one change.
        const another = draw.levelSince > Math.max(since, (last?.at ?? 0) + REPORTED_S * 1000);
        if (changed && net >= SHOWN_A && another && path.some((c) => c.config.id === meter.circuit))
          this.#unshown.set(id, { count: (last?.count ?? 0) + 1, at: draw.levelSince });
      }
      if ((this.#unshown.get(id)?.count ?? 0) < UNSHOWN) continue;
      const told = this.#alerts.has(`${meter.circuit} meter-implausible`);
      const high = day.world.chargers.find(
        (c) =>
          c.reachable &&
          !c.stoppedBy &&
          c.path.some((x) => x.config.id === meter.circuit) &&
          (day.said.get(c.config.id)?.current ?? 0) > Math.max(c.config.safe, c.config.min),
      );
      if (!told) this.#tell(now, `S13 ${id} is frozen, and nobody is told`);
      else if (high) this.#tell(now, `S13 ${id} is frozen, and ${high.config.id} goes on`);
    }
  }

  #sum({ config, total, house }: PlantCircuit, at: number): void {
    const list = this.#sums.get(config.id) ?? [];
    this.#sums.set(config.id, list);
    const sum = perPhase((p) => total[p] - house[p]);
    if (list.length === 0 || sum.some((x, p) => Math.abs(x - list[list.length - 1].sum[p]) > 0.1))
      list.push({ at, sum });
    while (list.length > 1 && list[1].at < at - 60_000) list.shift();
  }

  /** By how much all together have changed on the vehicle's phases while it did, A: what others did may hide it. */
  #net(circuit: string, { car, levelSince }: Draw, now: number): number {
    const list = this.#sums.get(circuit) ?? [];
    const before = list.findLast((s) => s.at < levelSince - 1000) ?? list[0];
    const after = list.filter((s) => s.at > levelSince && s.at <= now).concat(list.slice(-1));
    if (!before || car.phases.length === 0) return 0;
    return Math.min(...car.phases.flatMap((p) => after.map((s) => Math.abs(s.sum[p] - before.sum[p]))));
  }

  /** S12: currents of a minute ago are not what is measured now. */
  #outdated(day: SiteDay, decision: Decision): void {
    for (const { id, current } of day.outdated.splice(0)) {
      const measured = decision.allocation().chargers.find((c) => c.id === id)?.measured ?? [0, 0, 0];
      const known = day.reported.get(id)?.current ?? measured;
      const differs = (a: PerPhase, b: PerPhase) => a.some((x, p) => Math.abs(x - b[p]) > 0.01);
      if (differs(current, known) && !differs(current, measured))
        this.#tell(day.agenda.now, `S12 ${id} is taken for ${current} A as a minute ago`);
    }
  }
}
