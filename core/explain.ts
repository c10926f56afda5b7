/** What a round says of each charger: what holds it where it is, and why, for people. */
import { phasesOf } from './charger-track.ts';
import type { Controller } from './controller.ts';
import type { Part, Reason } from './part.ts';
import { type ChargerPlan, type Solution, solved } from './plan.ts';
import { EPSILON_A, phaseIndex } from './units.ts';

export function describe(
  controller: Controller,
  part: Part,
  present: Solution,
  proven: Solution,
  now: number,
): ChargerPlan {
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
