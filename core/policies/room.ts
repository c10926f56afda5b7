/** How much current the circuits and groups of a problem leave, and which of them a charger loads. */
import { pathToRoot } from '../circuits.ts';
import { floorToStep, PHASE_INDICES, PHASES, type Phase, phaseIndex } from '../units.ts';
import type { Contender, PolicyProblem } from './policy.ts';

/** A constraint that a charger loads, and by how much for each of its amperes (A for a circuit, W for a group). */
export interface Load {
  constraint: string;
  perAmpere: number;
}

export interface Room {
  /** What is free for all chargers together, by constraint: A for a circuit's phase, W for a group. */
  free: ReadonlyMap<string, number>;
  loads(charger: Contender): Load[];
  /** The most that a charger could have if it were alone, A: 0, or between its minimum and its maximum. */
  alone(charger: Contender): number;
}

/** The room of a problem. Throws a RangeError where a charger names an unknown circuit. */
export function roomOf(problem: PolicyProblem): Room {
  const circuits = new Map(problem.circuits.map((c) => [c.id, c]));
  const free = new Map<string, number>();
  for (const { id, limit, load } of problem.circuits)
    for (const p of PHASE_INDICES) free.set(`circuit ${id} ${PHASES[p]}`, Math.max(0, limit[p] - (load?.[p] ?? 0)));
  for (const { id, limit } of problem.groups ?? []) free.set(`group ${id}`, Math.max(0, limit));

  const conductors = (charger: Contender, phase: Phase) => charger.phases.filter((p) => p === phase).length;
  const loads = (charger: Contender): Load[] => [
    ...pathToRoot(circuits, charger.circuit).flatMap((id) =>
      [...new Set(charger.phases)].map((phase) => ({
        constraint: `circuit ${id} ${PHASES[phaseIndex(phase)]}`,
        perAmpere: conductors(charger, phase),
      })),
    ),
    ...(charger.groups ?? []).map((id) => ({ constraint: `group ${id}`, perAmpere: wattsPerAmpere(charger) })),
  ];
  const alone = (charger: Contender) => {
    const most = loads(charger).map(({ constraint, perAmpere }) => (free.get(constraint) ?? 0) / perAmpere);
    const current = floorToStep(Math.min(charger.max, ...most), charger.step);
    return current < charger.min ? 0 : current;
  };
  return { free, loads, alone };
}

/** W that a charger's vehicle takes for each A of its set-point. */
export function wattsPerAmpere(charger: Contender): number {
  return charger.phases.length * (charger.voltage ?? 230);
}
