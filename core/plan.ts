/**
 * From what is known to set-points. Two allocations are solved: one with the lower end of the house load
 * (what must be given up now) and one with the upper end (what is proven free). Between them nothing moves.
 */
import { type AllocatedSetpoint, allocate } from './allocate.ts';
import { allFit, booked, isReserved, reservationFits } from './booked.ts';
import { committed } from './charger-draw.ts';
import { type ChargerTrack, measured, phasesOf, recordSetpoint, rotationProven } from './charger-track.ts';
import { type CircuitPlan, type CircuitPlans, innerNode, innerOf, limitsOf, tree } from './circuit-plan.ts';
import { type Controller, FIRST_PROOF_S, type Patience, planLimit } from './controller.ts';
import { describe } from './explain.ts';
import { drawTimes, type HouseLoad, REPORT_SKEW_S, trustOf } from './house-load.ts';
import { keepsMinimum, leaveToOthers, type Part, partOf, type Reason } from './part.ts';
import { advanceSwitch, choosePhases, SWITCH_PAUSE_S } from './phase-switch.ts';
import { type Place, placesOf, takeTurns } from './turns.ts';
import { EPSILON_A, floorToStep, type PerPhase, PHASE_INDICES, perPhase, STEP_A } from './units.ts';
import { boundUnproven, UnprovenRaises } from './unproven-raise.ts';

export type { CircuitPlan, Reason };

/** What the plan says of one charger. */
export interface ChargerPlan {
  track: ChargerTrack;
  /** A that it would take alone. */
  wish: number;
  setpoint: number;
  binding: string;
  reason: Reason;
}

export interface Plan {
  circuits: Map<string, CircuitPlan>;
  parts: readonly Part[];
  /** What is said of a charger: worked out when asked for, and only until the next round. */
  describe(part: Part): ChargerPlan;
}

export type Solution = Map<string, { current: number; binding: string }>;

/** What a round works on. */
export interface Round {
  controller: Controller;
  circuits: CircuitPlans;
  parts: Part[];
  /** Who comes first, with which weight and how far, by policy and turn. */
  places: ReadonlyMap<string, Place>;
  admission: 'minimum-first' | 'strict';
  now: number;
}

const LONGEST_PROOF_S = 120;
/** A single step that is taken back within this time was one too many, s. */
const REVERSAL_S = 60;
/** Fewer steps than this are no more than noise of ± one step. */
const NOISE_STEPS = 3;
/** The longest patience before a start where there is room for more than the minimum, s. */
const AMPLE_PROOF_S = 24;
/** A start that lasted this long was none too many, s. */
const LASTING_S = 300;
/** Beyond the vehicle's lag the upper end must have asked for less this long before it counts, s. */
const WINDOW_S = 6;
/** A share that both ends give to others must have been theirs this long, ms. */
const SETTLE_MS = 2000;

/** Plans at `now` (ms) with the house load of every circuit, and books the new set-points on the chargers' tracks. */
export function plan(controller: Controller, loads: ReadonlyMap<string, HouseLoad>, now: number): Plan {
  const circuits = new Map<string, CircuitPlan>();
  for (const track of controller.circuits.values()) {
    const load = loads.get(track.config.id) as HouseLoad;
    circuits.set(track.config.id, {
      track,
      limit: planLimit(controller, track),
      load,
      trust: trustOf(controller, track, now),
      limits: limitsOf(track, now),
      inner: innerNode(track, now),
    });
  }
  for (const track of controller.chargers.values()) advanceSwitch(controller, track, now);
  const parts = [...controller.chargers.values()].map((track) => partOf(controller, circuits, track, now));
  leaveToOthers(parts, controller.options.turnSeconds, now);
  boundUnproven(controller, circuits, parts, now);
  const round: Round = { controller, circuits, parts, ...placesOf(controller, circuits, parts, now), now };
  const present = solve(round, 'low');
  const proven = solve(round, 'high');
  // What is hoped for counts for those who may have to go below what they have.
  const doubted = parts.some(({ track }) => solved(proven, track.config.id).current < (track.setpoint ?? 0));
  const hoped = doubted ? solve(round, 'low', 'everybody') : proven;
  for (const part of parts) lower(round, part, present, hoped, proven);
  raise(round, proven);
  takeTurns(controller, parts, proven, now);
  choosePhases(round, proven);
  for (const part of parts) {
    if (part.role === 'fixed' && part.track.setpoint === undefined) continue;
    recordSetpoint(part.track, part.wanted, now);
    // A person's pause is no start-stop of ours: it may end at once.
    if (part.role === 'out') part.track.stoppedAt = Number.NEGATIVE_INFINITY;
  }
  return { circuits, parts, describe: (part) => describe(controller, part, present, proven, now) };
}

/** Whether it cannot be reached for sure, nor its meter be heard: its own dead man's switch is to act (S5, S9). */
export function isLeft({ role, path }: Part): boolean {
  return role === 'fixed' && path.some((c) => c.trust !== 'fresh');
}

/** A charger as the allocator takes it, with least and most current. */
function member({ controller, circuits, places }: Round, part: Part, least: number, most: number) {
  const { config } = part.track;
  const place = places.get(config.id);
  return {
    id: config.id,
    circuit: innerOf(circuits, config.circuit),
    phases: phasesOf(part.track),
    min: least,
    max: Math.min(most, place?.max ?? most),
    step: config.step ?? STEP_A,
    voltage: controller.site.voltage,
    priority: place?.priority,
    weight: place?.weight ?? config.weight,
    order: place?.order,
    groups: part.path.filter((c) => c.limits.power < Number.POSITIVE_INFINITY).map((c) => c.track.config.id),
  };
}

/** `whom`: only those who have something already, with no more than that, or everybody with as much as they may have. */
function solve(
  round: Round,
  end: 'low' | 'high',
  whom: 'holders' | 'everybody' = end === 'low' ? 'holders' : 'everybody',
): Solution {
  const { controller, circuits, parts, admission, now } = round;
  // Whoever was not heard since the start may be charging already: no reason to lower the others, but none to raise them.
  const grace = now - controller.options.chargerSilentSeconds * 1000;
  const counts = (p: Part) => p.track.report !== undefined || p.track.knownSince <= grace || end === 'high';
  const reserved = parts.filter((p) => p.role !== 'fixed' && !p.track.disobeys && isReserved(p));
  const fixed = parts.filter((p) => (p.role === 'fixed' && counts(p)) || p.track.disobeys || reserved.includes(p));
  // Now nobody gets more than it has: whoever stands at 0 must not make the others give way in a moment of doubt.
  const cap = (p: Part) => (whom === 'holders' ? Math.min(p.cap, p.track.setpoint ?? 0) : p.cap);
  const solution: Solution = new Map();
  const taken = [...fixed];
  // An empty connector gets what the charging ones leave.
  for (const role of ['active', 'standby'] as const) {
    const members = parts.filter(
      (p) => p.role === role && !p.track.disobeys && !reserved.includes(p) && (whom === 'everybody' || cap(p) > 0),
    );
    if (members.length === 0) continue;
    const sums = booked(controller, taken, solution);
    taken.push(...members);
    if (allFit(round, end, members, cap, sums, solution)) continue;
    const problem = tree(circuits, end, sums, controller.site.voltage);
    problem.chargers = members.map((p) => member(round, p, p.track.config.min, cap(p)));
    for (const s of allocate({ ...problem, admission, remainders: 'hand-out' }).setpoints) solution.set(s.id, s);
  }
  for (const part of reserved) solution.set(part.track.config.id, reservedShare(round, part, end, cap(part), fixed));
  return solution;
}

/** All that it may have where its maximum fits, which is reserved for it anyway; else nothing. */
function reservedShare(round: Round, part: Part, end: 'low' | 'high', cap: number, fixed: readonly Part[]) {
  const { config } = part.track;
  const most = floorToStep(Math.min(cap, round.places.get(config.id)?.max ?? cap), config.step ?? STEP_A);
  const fits = most >= config.min && reservationFits(round, part, end, booked(round.controller, fixed));
  return fits ? { current: most, binding: 'max' } : { current: 0, binding: 'waiting' };
}

/** What must be given up: at once where the lower end of the load asks for it, after a window where only the upper end does. */
function lower({ controller, now }: Round, part: Part, present: Solution, hoped: Solution, proven: Solution): void {
  const { track, patience, role } = part;
  const setpoint = track.setpoint ?? 0;
  if (role === 'fixed') return;
  if (role === 'out') {
    part.wanted = 0;
    return;
  }
  const id = track.config.id;
  const most = solved(present, id).current;
  const safeMost = solved(proven, id).current;
  if (safeMost >= setpoint) patience.belowSince = undefined;
  else patience.belowSince ??= now;
  const outlasted = patience.belowSince !== undefined && now - patience.belowSince >= windowOf(controller, part) * 1000;
  // What even the lower end leaves to others is theirs, whatever the load is.
  const others = Math.max(safeMost, solved(hoped, id).current);
  if (others >= setpoint) patience.othersSince = undefined;
  else patience.othersSince ??= now;
  const settled = patience.othersSince !== undefined && now - patience.othersSince >= SETTLE_MS;
  const target = Math.min(setpoint, most, outlasted ? safeMost : setpoint, settled ? others : setpoint);
  part.wanted =
    target < track.config.min && setpoint >= track.config.min && keepsMinimum(part, controller.site.voltage, now)
      ? track.config.min
      : target;
  if (part.wanted >= setpoint) return;
  if (part.wanted === 0 && !track.phaseSwitch) noteStop(controller, part, now);
  else if (part.wanted > 0)
    noteTurn(patience, setpoint - part.wanted <= (track.config.step ?? STEP_A) + EPSILON_A, now);
  patience.steppedAt = undefined;
  patience.belowSince = undefined;
  patience.othersSince = undefined;
}

/** A start that did not last, but for another's turn, was one too many: the next needs more patience. */
function noteStop({ options }: Controller, { patience }: Part, now: number): void {
  if (patience.turnSince === undefined) return;
  const lasted = (now - patience.turnSince) / 1000;
  if (lasted < LASTING_S) patience.startProof = Math.min(LONGEST_PROOF_S, 2 * patience.startProof);
  else if (lasted < options.turnSeconds) patience.startProof = Math.max(FIRST_PROOF_S, patience.startProof / 2);
  else patience.startProof = FIRST_PROOF_S;
}

/** How long the upper end may be above the truth after a change below the same circuits, s: vehicle, next report, next reading. */
function windowOf({ below, chargers, options }: Controller, { path }: Part): number {
  let slowest = 0;
  for (const { track } of path) {
    const meter = Math.max(...(track.meter?.period ?? [0]));
    for (const { id } of below.get(track.config.id) ?? [])
      slowest = Math.max(slowest, meter + (chargers.get(id)?.reportPeriod ?? 0));
  }
  return options.vehicleLagSeconds + Math.max(WINDOW_S, REPORT_SKEW_S + slowest);
}

export function solved(solution: Solution, id: string): { current: number; binding: string } {
  return solution.get(id) ?? { current: 0, binding: 'waiting' };
}

/** Increases, where the room is proven free and no decrease is still under way in it (S2). */
function raise(round: Round, proven: Solution): void {
  const { parts, now } = round;
  const candidates = parts.filter((part) => mayRaise(round, part, solved(proven, part.track.config.id).current));
  const reserved = candidates.filter(isReserved);
  const shared = reserved.length > 0 ? candidates.filter((part) => !reserved.includes(part)) : candidates;
  const shares = new Map(
    [...reservedRaises(round, reserved, proven), ...shareOut(round, shared, proven)].map((s) => [s.id, s.current]),
  );
  const raises = new UnprovenRaises(round.controller, round.circuits, parts, now);
  for (const part of inOrder(round, candidates)) {
    const before = part.wanted;
    const current = raises.most(part, shares.get(part.track.config.id) ?? 0);
    if (current <= part.wanted + EPSILON_A) continue;
    const step = part.track.config.step ?? STEP_A;
    if (current <= part.wanted + step + EPSILON_A) {
      noteTurn(part.patience, false, now);
      part.patience.steppedAt = now;
    }
    part.patience.aboveSince = undefined;
    part.wanted = current;
    raises.raised(part, before);
  }
}

/** Those first whose rotation is proven, as nothing holds them back; the others as they come by their places. */
function inOrder({ places }: Round, candidates: readonly Part[]): readonly Part[] {
  if (candidates.length < 2) return candidates;
  const key = (part: Part) => {
    const { priority = 0, order = 0 } = places.get(part.track.config.id) ?? {};
    return [rotationProven(part.track) ? 0 : 1, -priority, order, part.wanted];
  };
  return candidates
    .map((part) => ({ part, key: key(part), id: part.track.config.id }))
    .sort((a, b) => {
      const i = a.key.findIndex((value, k) => value !== b.key[k]);
      return i < 0 ? (a.id < b.id ? -1 : 1) : a.key[i] - b.key[i];
    })
    .map(({ part }) => part);
}

/** Of those whose maximum is reserved: who may use it, because it fits beside all that the others still hold (S2). */
function reservedRaises(round: Round, candidates: readonly Part[], proven: Solution): AllocatedSetpoint[] {
  if (candidates.length === 0) return [];
  const sums = booked(round.controller, round.parts);
  return candidates
    .filter((part) => reservationFits(round, part, 'high', sums))
    .map(({ track }) => ({ id: track.config.id, ...solved(proven, track.config.id) }));
}

/** Shares the proven room. Whoever would get less than it holds keeps that and is no candidate: it is booked as the others are. */
function shareOut(round: Round, candidates: readonly Part[], proven: Solution): AllocatedSetpoint[] {
  const { controller, circuits, parts, admission } = round;
  if (candidates.length === 0) return [];
  const others = parts.filter((p) => !candidates.includes(p));
  const problem = tree(circuits, 'high', booked(controller, others), controller.site.voltage);
  const held = (part: Part) => Math.max(part.wanted, committed(part.track, drawTimes(controller)));
  problem.chargers = candidates.map((part) => {
    const least = Math.max(part.track.config.min, held(part));
    return member(round, part, least, Math.max(least, solved(proven, part.track.config.id).current));
  });
  const { setpoints } = allocate({ ...problem, admission, remainders: 'hand-out' });
  const left = candidates.filter((part, i) => setpoints[i].current >= held(part) - EPSILON_A);
  return left.length === candidates.length ? setpoints : shareOut(round, left, proven);
}

/**
 * A single step up is an experiment. One that was taken back soon as a single step was one too many, and the next needs more
 * patience; one that held, less. A larger fall says nothing: the load itself has changed.
 */
function noteTurn(patience: Patience, takenBack: boolean, now: number): void {
  if (patience.steppedAt === undefined) return;
  const held = now - patience.steppedAt >= REVERSAL_S * 1000;
  if (held) patience.proof = Math.max(FIRST_PROOF_S, patience.proof / 2);
  else if (takenBack) patience.proof = Math.min(LONGEST_PROOF_S, 2 * patience.proof);
}

function mayRaise({ controller, circuits, now }: Round, part: Part, free: number): boolean {
  const { track, patience, role } = part;
  const { options } = controller;
  const step = track.config.step ?? STEP_A;
  const setpoint = track.setpoint ?? 0;
  if ((role !== 'active' && role !== 'standby') || track.disobeys) return false;
  if (
    !part.path.every((c) => c.trust === 'fresh' && seen(circuits, c)) ||
    part.wanted < setpoint ||
    free < setpoint + step - EPSILON_A
  ) {
    patience.aboveSince = undefined;
    return false;
  }
  patience.aboveSince ??= now;
  if (now - track.increasedAt < options.increaseSeconds * 1000) return false;
  if (setpoint === 0 && now - track.stoppedAt < options.minOffSeconds * 1000) return false;
  if (setpoint === 0 && now - track.switchedAt < SWITCH_PAUSE_S * 1000) return false;
  const single = setpoint > 0 ? free < setpoint + 2 * step - EPSILON_A : free < track.config.min + step - EPSILON_A;
  const start = single ? patience.startProof : Math.min(AMPLE_PROOF_S, patience.startProof);
  const proof = setpoint > 0 ? patience.proof : start;
  // At most one turn-back a minute, for as little as noise moves.
  const last = track.changes.at(-1);
  const little = setpoint > 0 && free < setpoint + NOISE_STEPS * step - EPSILON_A;
  if (little && last && last.to < last.from && now - track.reversedAt < REVERSAL_S * 1000) return false;
  // A charger whose starts did not last needs patience even where there is much room now.
  const careful = single || (setpoint === 0 && patience.startProof > FIRST_PROOF_S);
  const clear = !careful || now - patience.aboveSince >= proof * 1000;
  return clear && committed(track, drawTimes(controller)) <= Math.max(setpoint, free) + EPSILON_A;
}

/** Every phase was measured since the start (S9): of the circuit's meter or, where it has none, of those below it. */
export function seen(circuits: CircuitPlans, circuit: CircuitPlan): boolean {
  const { meter, config } = circuit.track;
  if (!meter) return [...circuits.values()].every((c) => c.track.config.parent !== config.id || seen(circuits, c));
  return PHASE_INDICES.every((p) => circuit.limit[p] === 0 || meter.samples[p].length > 0);
}

/** Measured current per phase of a charger, for the allocation message. */
export function measuredPerPhase(track: ChargerTrack): PerPhase {
  return perPhase((p) => measured(track, p));
}
