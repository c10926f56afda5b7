/**
 * From what is known to set-points. Two allocations are solved: one with the lower end of the house load
 * (what must be given up now) and one with the upper end (what is proven free). Between them nothing moves.
 */
import { type AllocationCircuit, type AllocationGroup, type AllocationProblem, allocate } from './allocate.ts';
import { type ChargerTrack, committed, isSilent, measured, phasesOf, recordSetpoint } from './charger-track.ts';
import { type CircuitTrack, type Controller, FIRST_PROOF_S, type Patience, planLimit } from './controller.ts';
import { drawTimes, type HouseLoad, houseLoad, type Trust, trustOf } from './house-load.ts';
import { EPSILON_A, type PerPhase, PHASE_INDICES, perPhase, phaseIndex } from './units.ts';

export interface Reason {
  code: string;
  args: Record<string, string | number>;
}

/** What the plan says of one charger. */
export interface ChargerPlan {
  track: ChargerTrack;
  /** A that it would take alone. */
  wish: number;
  setpoint: number;
  binding: string;
  reason: Reason;
}

export interface CircuitPlan {
  track: CircuitTrack;
  /** A per phase by plan, without the limits of others. */
  limit: PerPhase;
  load: HouseLoad;
  trust: Trust;
}

export interface Plan {
  circuits: Map<string, CircuitPlan>;
  chargers: ChargerPlan[];
}

/** How a charger takes part now. */
interface Part {
  track: ChargerTrack;
  patience: Patience;
  path: CircuitPlan[];
  /** `fixed`: reserved, but it cannot be told anything; `out`: gets 0 and reserves only what it draws. */
  role: 'active' | 'standby' | 'fixed' | 'out';
  /** The most it may have now, A, and why no more. */
  cap: number;
  why?: Reason;
  /** The set-point that is to be in force after this round, A. */
  wanted: number;
}

type Solution = Map<string, { current: number; binding: string }>;

const STANDBY_PRIORITY = -1_000_000;
const STEP_A = 1;
const LONGEST_PROOF_S = 120;
/** A single step that is taken back within this time was one too many, s. */
const REVERSAL_S = 60;
/** Beyond the vehicle's lag the upper end must have asked for less this long before it counts, s. */
const WINDOW_S = 6;
/** How long a charger that can be reached again waits for its meter, s. */
const REUNION_S = 3;
/** Prefix of the inner node of a circuit, which carries the limits of others on its chargers. */
const INNER = 'limit ';

/** Plans at `now` (ms) and books the new set-points on the chargers' tracks. */
export function plan(controller: Controller, now: number): Plan {
  const circuits = new Map<string, CircuitPlan>();
  for (const track of controller.circuits.values()) {
    const load = houseLoad(controller, track, now);
    circuits.set(track.config.id, {
      track,
      limit: planLimit(controller, track),
      load,
      trust: trustOf(controller, track, now),
    });
  }
  const parts = [...controller.chargers.values()].map((track) => partOf(controller, circuits, track, now));
  const present = solve(controller, circuits, parts, 'low', now);
  const proven = solve(controller, circuits, parts, 'high', now);
  for (const part of parts) lower(controller, part, present, proven, now);
  raise(controller, circuits, parts, proven, now);
  for (const part of parts) {
    if (part.role === 'fixed' && part.track.setpoint === undefined) continue;
    recordSetpoint(part.track, part.wanted, now);
    // A person's pause is no start-stop of ours: it may end at once.
    if (part.role === 'out') part.track.stoppedAt = Number.NEGATIVE_INFINITY;
  }
  return { circuits, chargers: parts.map((part) => describe(controller, part, present, proven, now)) };
}

function partOf(
  controller: Controller,
  circuits: ReadonlyMap<string, CircuitPlan>,
  track: ChargerTrack,
  now: number,
): Part {
  const { config, request, report } = track;
  const patience = controller.patience.get(config.id) as Patience;
  const path = (controller.paths.get(config.id) ?? []).map((id) => circuits.get(id)).filter((c) => c !== undefined);
  const part = (role: Part['role'], cap: number, code?: string, args: Reason['args'] = {}): Part => {
    const why = code ? { code, args } : undefined;
    return { track, patience, path, role, cap, why, wanted: track.setpoint ?? 0 };
  };
  if (!report || track.setpoint === undefined) return part('fixed', config.max, 'not-heard');
  if (isSilent(track, controller.options.chargerSilentSeconds, now)) return part('fixed', track.setpoint, 'offline');
  if (report.stoppedBy) return part('out', 0, `stopped-${report.stoppedBy}`);
  if (request.enabled === false) return part('out', 0, 'paused');
  const asked = request.maxCurrent ?? config.max;
  if (asked < config.min) return part('out', 0, 'limit-below-minimum', { limit: asked, min: config.min });
  // Whoever was cut off together with the meter waits a moment for it before anything is given up.
  const reunited = now - track.onlineSince < REUNION_S * 1000 && track.setpoint > 0;
  if (reunited && path.some((c) => c.trust !== 'fresh'))
    return part('active', Math.min(track.setpoint, asked), 'not-heard');
  const silent = path.find((c) => c.trust === 'silent');
  if (silent) return part('active', 0, 'meter-silent', { circuit: silent.track.config.id });
  const stopped = path.find((c) => c.track.backstop === 'stop');
  if (stopped) return part('active', 0, 'backstop', { circuit: stopped.track.config.id });
  const fallen = path.find((c) => c.trust === 'fallback' || c.track.backstop === 'safe' || notRenewed(c.track, now));
  if (fallen)
    return part('active', Math.min(track.setpoint, config.safe, asked), 'fallback', {
      circuit: fallen.track.config.id,
    });
  if (report.state === 'A') return part('standby', Math.min(config.min, asked), 'no-vehicle');
  if (report.state === 'E' || report.state === 'F') return part('standby', Math.min(config.min, asked), 'fault');
  return part('active', Math.min(config.max, asked), asked < config.max ? 'limit-set' : undefined);
}

/** Whether a source whose silence means danger did not renew its limit (S5). */
function notRenewed(circuit: CircuitTrack, now: number): boolean {
  for (const limit of circuit.limits.values()) if (limit.onExpiry === 'fallback' && limit.expiresAt <= now) return true;
  return false;
}

interface LimitsInForce {
  current: PerPhase;
  power: number;
  keepMinimum: boolean;
}

/** What the limits in force on a circuit leave to its chargers together; the lowest of several sources counts. */
function limitsOf(circuit: CircuitTrack, now: number): LimitsInForce {
  const all: LimitsInForce = { current: [UNLIMITED, UNLIMITED, UNLIMITED], power: UNLIMITED, keepMinimum: false };
  for (const limit of circuit.limits.values()) {
    if (limit.expiresAt <= now) {
      if (limit.onExpiry === 'release') circuit.limits.delete(limit.source);
      continue;
    }
    all.current = perPhase((p) => Math.min(all.current[p], limit.current?.[p] ?? UNLIMITED));
    all.power = Math.min(all.power, limit.power ?? UNLIMITED);
    all.keepMinimum ||= limit.keepMinimum === true;
  }
  return all;
}

const UNLIMITED = Number.POSITIVE_INFINITY;

/**
 * The circuit tree as the allocator takes it. Every circuit is two nodes: the outer one carries plan limit and load, the inner one
 * what others allow its chargers. `booked` is the current of chargers that are not part of the problem.
 */
function tree(
  circuits: ReadonlyMap<string, CircuitPlan>,
  end: 'low' | 'high',
  booked: ReadonlyMap<string, PerPhase>,
  now: number,
  volts: number,
): AllocationProblem {
  const nodes: AllocationCircuit[] = [];
  const groups: AllocationGroup[] = [];
  for (const { track, limit, load } of circuits.values()) {
    const { id, parent, maxUnbalance } = track.config;
    const limits = limitsOf(track, now);
    const reserved = booked.get(id) ?? [0, 0, 0];
    nodes.push({
      id,
      parent: parent === undefined ? undefined : inner(circuits, parent, now),
      limit,
      load: perPhase((p) => load[end][p] + reserved[p]),
      maxUnbalance,
    });
    if (hasCurrentLimit(track, now)) nodes.push({ id: INNER + id, parent: id, limit: limits.current, load: reserved });
    if (limits.power < UNLIMITED)
      groups.push({ id, limit: Math.max(0, limits.power - volts * (reserved[0] + reserved[1] + reserved[2])) });
  }
  return { circuits: nodes, groups, chargers: [] };
}

/** The node that chargers and circuits below a circuit hang on. */
function inner(circuits: ReadonlyMap<string, CircuitPlan>, id: string, now: number): string {
  const circuit = circuits.get(id);
  return circuit && hasCurrentLimit(circuit.track, now) ? INNER + id : id;
}

function hasCurrentLimit(circuit: CircuitTrack, now: number): boolean {
  for (const limit of circuit.limits.values()) if (limit.current && limit.expiresAt > now) return true;
  return false;
}

/** Per circuit, what the given chargers must be assumed to take, A. */
function booked(controller: Controller, parts: readonly Part[], given: Solution = new Map()): Map<string, PerPhase> {
  const sums = new Map<string, PerPhase>();
  for (const part of parts) {
    const current =
      given.get(part.track.config.id)?.current ??
      Math.max(committed(part.track, drawTimes(controller)), part.role === 'fixed' ? part.track.config.safe : 0);
    for (const circuit of part.path) {
      const sum = sums.get(circuit.track.config.id) ?? [0, 0, 0];
      for (const phase of phasesOf(part.track)) sum[phaseIndex(phase)] += current;
      sums.set(circuit.track.config.id, sum);
    }
  }
  return sums;
}

function member(
  controller: Controller,
  circuits: ReadonlyMap<string, CircuitPlan>,
  part: Part,
  range: [number, number],
  now: number,
) {
  const { config, request } = part.track;
  return {
    id: config.id,
    circuit: inner(circuits, config.circuit, now),
    phases: phasesOf(part.track),
    min: range[0],
    max: range[1],
    step: config.step ?? STEP_A,
    voltage: controller.site.voltage,
    priority: part.role === 'standby' ? STANDBY_PRIORITY : (request.priority ?? config.priority ?? 0),
    weight: config.weight ?? 1,
    groups: part.path.filter((c) => limitsOf(c.track, now).power < UNLIMITED).map((c) => c.track.config.id),
  };
}

function solve(
  controller: Controller,
  circuits: ReadonlyMap<string, CircuitPlan>,
  parts: readonly Part[],
  end: 'low' | 'high',
  now: number,
): Solution {
  // Whoever was not heard since the start may be charging already: no reason to lower the others, but none to raise them.
  const grace = now - controller.options.chargerSilentSeconds * 1000;
  const counts = (p: Part) => p.track.report !== undefined || p.track.knownSince <= grace || end === 'high';
  const fixed = parts.filter((p) => (p.role === 'fixed' && counts(p)) || p.track.disobeys);
  // Now nobody gets more than it has: whoever stands at 0 must not make the others give way in a moment of doubt.
  const cap = (p: Part) => (end === 'low' ? Math.min(p.cap, p.track.setpoint ?? 0) : p.cap);
  const solution: Solution = new Map();
  const taken = [...fixed];
  // An empty connector gets what the charging ones leave.
  for (const role of ['active', 'standby'] as const) {
    const members = parts.filter((p) => p.role === role && !p.track.disobeys && (end === 'high' || cap(p) > 0));
    if (members.length === 0) continue;
    const problem = tree(circuits, end, booked(controller, taken, solution), now, controller.site.voltage);
    problem.chargers = members.map((p) => member(controller, circuits, p, [p.track.config.min, cap(p)], now));
    for (const s of allocate(problem).setpoints) solution.set(s.id, s);
    taken.push(...members);
  }
  return solution;
}

/** What must be given up: at once where the lower end of the load asks for it, after a window where only the upper end does. */
function lower(controller: Controller, part: Part, present: Solution, proven: Solution, now: number): void {
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
  const outlasted =
    patience.belowSince !== undefined &&
    now - patience.belowSince >= (controller.options.vehicleLagSeconds + WINDOW_S) * 1000;
  const target = Math.min(setpoint, most, outlasted ? safeMost : setpoint);
  part.wanted =
    target < track.config.min && setpoint >= track.config.min && keepsMinimum(part, controller.site.voltage, now)
      ? track.config.min
      : target;
  if (part.wanted >= setpoint) return;
  if (now - patience.steppedAt < REVERSAL_S * 1000) patience.proof = Math.min(LONGEST_PROOF_S, patience.proof * 2);
  patience.steppedAt = Number.NEGATIVE_INFINITY;
  patience.belowSince = undefined;
}

function solved(solution: Solution, id: string): { current: number; binding: string } {
  return solution.get(id) ?? { current: 0, binding: 'waiting' };
}

/** The classic rule: a source on the path asks to keep the minimum, and no limit says 0. */
function keepsMinimum(part: Part, volts: number, now: number): boolean {
  if (part.role !== 'active' || part.cap < part.track.config.min) return false;
  const limits = part.path.map((c) => limitsOf(c.track, now));
  const phases = phasesOf(part.track);
  const { min } = part.track.config;
  const allowed = (l: LimitsInForce) =>
    l.power >= min * phases.length * volts && phases.every((p) => l.current[phaseIndex(p)] >= min);
  return limits.some((l) => l.keepMinimum) && limits.every(allowed);
}

/** Increases, where the room is proven free and no decrease is still under way in it (S2). */
function raise(
  controller: Controller,
  circuits: ReadonlyMap<string, CircuitPlan>,
  parts: readonly Part[],
  proven: Solution,
  now: number,
): void {
  const candidates = parts.filter((part) =>
    mayRaise(controller, circuits, part, solved(proven, part.track.config.id).current, now),
  );
  if (candidates.length === 0) return;
  const others = parts.filter((p) => !candidates.includes(p));
  const problem = tree(circuits, 'high', booked(controller, others), now, controller.site.voltage);
  problem.chargers = candidates.map((part) => {
    const { track } = part;
    const held = Math.max(track.config.min, part.wanted);
    return member(controller, circuits, part, [held, Math.max(held, solved(proven, track.config.id).current)], now);
  });
  for (const { id, current } of allocate(problem).setpoints) {
    const part = candidates.find((c) => c.track.config.id === id) as Part;
    if (current <= part.wanted + EPSILON_A) continue;
    const step = part.track.config.step ?? STEP_A;
    if (current <= part.wanted + step + EPSILON_A) noteStep(part.patience, now);
    part.patience.aboveSince = undefined;
    part.wanted = current;
  }
}

/** A single step up is an experiment: when the last ones held, the next needs less patience again. */
function noteStep(patience: Patience, now: number): void {
  if (now - patience.steppedAt > 5 * REVERSAL_S * 1000 && patience.steppedAt > 0)
    patience.proof = Math.max(FIRST_PROOF_S, patience.proof / 2);
  patience.steppedAt = now;
}

function mayRaise(
  controller: Controller,
  circuits: ReadonlyMap<string, CircuitPlan>,
  part: Part,
  free: number,
  now: number,
): boolean {
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
  const single = setpoint > 0 ? free < setpoint + 2 * step - EPSILON_A : free < track.config.min + step - EPSILON_A;
  // The last step up to what the charger may have at most cannot be one too many.
  const clear = !single || now - patience.aboveSince >= patience.proof * 1000;
  return clear && committed(track, drawTimes(controller)) <= Math.max(setpoint, free) + EPSILON_A;
}

/** Every phase was measured since the start (S9): of the circuit's meter or, where it has none, of those below it. */
function seen(circuits: ReadonlyMap<string, CircuitPlan>, circuit: CircuitPlan): boolean {
  const { meter, config } = circuit.track;
  if (!meter) return [...circuits.values()].every((c) => c.track.config.parent !== config.id || seen(circuits, c));
  return PHASE_INDICES.every((p) => circuit.limit[p] === 0 || meter.samples[p].length > 0);
}

function describe(controller: Controller, part: Part, present: Solution, proven: Solution, now: number): ChargerPlan {
  const { track, role, why } = part;
  const id = track.config.id;
  const a = solved(present, id);
  const b = solved(proven, id);
  const asked = Math.min(track.config.max, track.request.maxCurrent ?? track.config.max);
  const wish = role === 'active' ? asked : 0;
  const own =
    role === 'fixed' ||
    role === 'out' ||
    (why !== undefined && (part.cap < track.config.min || why.code === 'fallback'));
  const solution = a.current <= part.wanted + EPSILON_A ? a : b;
  const binding = own ? (why as Reason).code : nameOf(solution.binding);
  return {
    track,
    wish,
    setpoint: part.wanted,
    binding,
    reason: own ? (why as Reason) : reasonFor(controller, part, binding, b.current, now),
  };
}

/** `circuit limit main L2` of the doubled tree is `limit main L2` for people. */
function nameOf(binding: string): string {
  return binding.replace(/^circuit limit /, 'limit ').replace(/^group /, 'limit ');
}

function reasonFor(controller: Controller, part: Part, binding: string, free: number, now: number): Reason {
  const { track, why } = part;
  const { config } = track;
  if (part.wanted >= part.cap - EPSILON_A && binding === 'max')
    return why ?? { code: 'charger-maximum', args: { max: config.max } };
  const [kind, circuit, phase] = binding.split(' ');
  const off = (now - track.stoppedAt) / 1000;
  if (part.wanted === 0 && free >= config.min && off < controller.options.minOffSeconds) {
    return { code: 'minimum-off', args: { seconds: Math.ceil((controller.options.minOffSeconds - off) / 10) * 10 } };
  }
  if (binding === 'waiting') return { code: 'no-room', args: { min: config.min, circuit: tightest(part) } };
  if (kind === 'circuit' || kind === 'unbalance') return { code: kind, args: { circuit, phase } };
  if (kind === 'limit') return { code: 'limit', args: { circuit, phase: phase ?? '' } };
  return part.wanted < free
    ? { code: 'rising', args: { free } }
    : (why ?? { code: 'charger-maximum', args: { max: config.max } });
}

/** The circuit on the path with the least room for a charger. */
function tightest(part: Part): string {
  let least = Number.POSITIVE_INFINITY;
  let id = '';
  for (const circuit of part.path) {
    const room = Math.min(
      ...phasesOf(part.track).map((phase) => circuit.limit[phaseIndex(phase)] - circuit.load.high[phaseIndex(phase)]),
    );
    if (room >= least) continue;
    least = room;
    id = circuit.track.config.id;
  }
  return id;
}

/** Measured current per phase of a charger, for the allocation message. */
export function measuredPerPhase(track: ChargerTrack): PerPhase {
  return perPhase((p) => measured(track, p));
}
