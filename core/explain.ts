/** What a round says of each charger: what holds it where it is, and why, for people. */
import { isReserved } from './booked.ts';
import { phasesOf } from './charger-track.ts';
import type { CircuitPlan } from './circuit-plan.ts';
import type { Controller } from './controller.ts';
import type { Part, Reason } from './part.ts';
import { type ChargerPlan, type Solution, solved } from './plan.ts';
import { type Queues, queuesOf, usedIn, waitsFor } from './queue.ts';
import { EPSILON_A, type Phase, phaseIndex } from './units.ts';

export function describe(
  controller: Controller,
  part: Part,
  present: Solution,
  proven: Solution,
  now: number,
): ChargerPlan {
  const { track, role, why } = part;
  const id = track.config.id;
  const a = present.get(id);
  const b = solved(proven, id);
  const asked = Math.min(track.config.max, track.request.maxCurrent ?? track.config.max);
  const wish = role === 'active' ? asked : 0;
  const own =
    role === 'fixed' ||
    role === 'out' ||
    (why !== undefined && (part.cap < track.config.min || why.code === 'fallback'));
  // What holds it now, unless that is only what it has already.
  const held = a && Math.abs(a.current - part.wanted) <= EPSILON_A && a.current < b.current - EPSILON_A;
  const solution = held ? a : b;
  const binding = own ? (why as Reason).code : nameOf(solution.binding);
  return {
    track,
    wish,
    setpoint: part.wanted,
    binding,
    reason: own ? (why as Reason) : reasonFor(controller, part, binding, proven, now),
  };
}

/** `circuit limit main L2` of the doubled tree is `limit main L2` for people. */
function nameOf(binding: string): string {
  return binding.replace(/^circuit limit /, 'limit ').replace(/^group /, 'limit ');
}

function reasonFor(controller: Controller, part: Part, binding: string, proven: Solution, now: number): Reason {
  const { track, why } = part;
  const free = solved(proven, track.config.id).current;
  const own = why ?? { code: 'charger-maximum', args: { max: track.config.max } };
  if (part.wanted === 0) return whyNothing(controller, part, proven, now);
  if (part.wanted >= part.cap - EPSILON_A && binding === 'max') return own;
  const [kind, circuit, phase = ''] = binding.split(' ');
  if (kind === 'circuit') return full(controller, circuit, phase);
  if (kind === 'unbalance') return { code: 'unbalance', args: { circuit, phase } };
  if (kind === 'limit') return { code: 'limit', args: { circuit, phase } };
  if (kind === 'waiting') {
    // It still charges, but may have to stop: for others, or because less is certain than it takes.
    const least = tightest(roomsOf(controller, part, 'high'));
    if (openIn(least) >= track.config.min - EPSILON_A) return { code: 'gives-way', args: {} };
    return full(controller, idOf(least), least.phase);
  }
  return part.wanted < free ? rising(free) : own;
}

function rising(free: number): Reason {
  return { code: 'rising', args: { free: Math.floor(10 * free) / 10 } };
}

/** A circuit's phase has no more: one charger shares it with the house only, several with each other, too. */
function full(controller: Controller, circuit: string, phase: string): Reason {
  const alone = (controller.below.get(circuit)?.length ?? 0) < 2;
  return { code: alone ? 'circuit' : 'shared', args: { circuit, phase } };
}

/** Why a charger that could be told to charge stands at 0. */
function whyNothing(controller: Controller, part: Part, proven: Solution, now: number): Reason {
  const { track, role, why } = part;
  const { id, min } = track.config;
  const free = solved(proven, id).current;
  if (free >= min - EPSILON_A) {
    const left = controller.options.minOffSeconds - (now - track.stoppedAt) / 1000;
    if (left <= 0) return rising(free);
    return { code: 'minimum-off', args: { seconds: Math.ceil(left / 10) * 10 } };
  }
  if (role === 'standby' && why) return why;
  if (isReserved(part)) return { code: 'not-seen-to-obey', args: { max: track.config.max } };
  if (controller.places?.turns.get(id)?.max === 0) return { code: 'held-by-policy', args: {} };
  const rooms = roomsOf(controller, part, 'low');
  return (
    roomless(rooms, min) ??
    queued(controller, part, rooms, proven, now) ?? { code: 'no-room', args: { min, circuit: idOf(tightest(rooms)) } }
  );
}

/** Whether house or limits leave less than the minimum, even if no other charger took anything. */
function roomless(rooms: readonly Room[], min: number): Reason | undefined {
  const least = tightest(rooms);
  if (openIn(least) >= min - EPSILON_A) return undefined;
  const { phase, limit, house } = least;
  const circuit = idOf(least);
  return limit < house ? { code: 'limit', args: { circuit, phase } } : { code: 'no-room', args: { min, circuit } };
}

function tightest(rooms: readonly Room[], taken: (room: Room) => number = () => 0): Room {
  const left = (room: Room) => openIn(room) - taken(room);
  return rooms.reduce((least, room) => (left(room) < left(least) ? room : least));
}

/** What a circuit's phase leaves to all its chargers together, A: beside one end of the house load, and by the limits of others. */
interface Room {
  circuit: CircuitPlan;
  phase: Phase;
  house: number;
  limit: number;
}

function roomsOf(controller: Controller, part: Part, end: 'low' | 'high'): Room[] {
  const phases = phasesOf(part.track);
  return part.path.flatMap((circuit) => {
    const { limits } = circuit;
    const byPower = limits.power / (controller.site.voltage * phases.length);
    return phases.map((phase) => {
      const p = phaseIndex(phase);
      const house = circuit.limit[p] - circuit.load[end][p];
      return { circuit, phase, house, limit: Math.min(limits.current[p], byPower) };
    });
  });
}

function openIn({ house, limit }: Room): number {
  return Math.min(house, limit);
}

function idOf(room: Room): string {
  return room.circuit.track.config.id;
}

/** Who waits only because others charge: whether they come first or, when it goes by turns, how long at most. */
function queued(
  controller: Controller,
  part: Part,
  rooms: readonly Room[],
  round: Solution,
  now: number,
): Reason | undefined {
  const queues = queuesIn(controller, round);
  const used = (r: Room) => usedIn(queues, idOf(r), r.phase);
  const room = tightest(rooms, used);
  const waits = waitsFor(controller, queues, part.track.config.id, idOf(room), room.phase);
  if (!waits) {
    const free = openIn(room) - used(room);
    // What others just gave up has yet to be seen on the meter.
    return free >= part.track.config.min - EPSILON_A ? rising(free) : undefined;
  }
  if (waits.kind === 'priority') return { code: 'waits-priority', args: {} };
  return { code: 'waits-turn', args: { minutes: Math.max(1, Math.ceil((waits.until - now) / 60_000)) } };
}

/** The queues of a round, made when the first charger asks for them. */
function queuesIn(controller: Controller, round: Solution): Queues {
  const known = queuesByRound.get(round) ?? queuesOf(controller);
  queuesByRound.set(round, known);
  return known;
}

const queuesByRound = new WeakMap<Solution, Queues>();
