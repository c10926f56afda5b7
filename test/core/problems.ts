/** Random allocation problems: trees, rotations, loads, minima, steps, groups. */
import fc from 'fast-check';
import type { AllocationCharger, AllocationCircuit, AllocationProblem } from '../../core/allocate.ts';
import { type PerPhase, PHASES, type Phase } from '../../core/units.ts';

const amps = (max: number) => fc.integer({ min: 0, max: max * 10 }).map((x) => x / 10);
const perPhase = (max: number): fc.Arbitrary<PerPhase> => fc.tuple(amps(max), amps(max), amps(max));
const phases = fc.constantFrom<Phase[]>(
  ['L1'],
  ['L2'],
  ['L3'],
  ['L1', 'L2'],
  ['L3', 'L1'],
  ['L1', 'L2', 'L3'],
  ['L2', 'L3', 'L1'],
);

export interface Shape {
  priorities: number;
  steps: boolean;
  minima: boolean;
  groups: boolean;
  /** Unbalance limits on some circuits. */
  unbalance?: boolean;
}

export function problems(shape: Shape): fc.Arbitrary<AllocationProblem> {
  const circuit = (i: number): fc.Arbitrary<AllocationCircuit> =>
    fc
      .tuple(
        perPhase(100),
        fc.option(perPhase(60), { nil: undefined }),
        fc.integer({ min: 0, max: Math.max(0, i - 1) }),
        shape.unbalance ? fc.option(amps(40), { nil: undefined }) : fc.constant(undefined),
      )
      .map(([limit, load, parent, maxUnbalance]) => ({
        id: `c${i}`,
        limit,
        load,
        parent: i === 0 ? undefined : `c${parent}`,
        maxUnbalance,
      }));
  const charger = (i: number, circuits: number): fc.Arbitrary<AllocationCharger> =>
    fc
      .tuple(
        fc.integer({ min: 0, max: circuits - 1 }),
        phases,
        fc.constantFrom(0, 6, 6, 8),
        amps(32),
        fc.constantFrom<(number | undefined)[]>(undefined, 1, 0.1),
        fc.integer({ min: 0, max: shape.priorities - 1 }),
        fc.constantFrom(1, 1, 2, 0.5),
        fc.subarray(shape.groups ? ['g0', 'g1'] : []),
      )
      .map(([c, p, min, above, step, priority, weight, groups]) => {
        const least = shape.minima ? min : 0;
        return {
          id: `x${i}`,
          circuit: `c${c}`,
          phases: p,
          min: least,
          max: least + above,
          step: shape.steps ? step : undefined,
          priority,
          weight,
          groups,
        };
      });
  return fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 9 })).chain(([circuits, chargers]) =>
    fc.record({
      circuits: fc.tuple(...Array.from({ length: circuits }, (_, i) => circuit(i))),
      groups: fc
        .constant(shape.groups ? ['g0', 'g1'] : [])
        .chain((ids) => fc.tuple(...ids.map((id) => amps(20000).map((limit) => ({ id, limit }))))),
      chargers: fc.tuple(...Array.from({ length: chargers }, (_, i) => charger(i, circuits))),
      admission: fc.constantFrom<('minimum-first' | 'strict')[]>('minimum-first', 'strict'),
    }),
  );
}

/** What each circuit and group carries under a result, beside what it may. */
export function usage(
  problem: AllocationProblem,
  current: ReadonlyMap<string, number>,
): { name: string; used: number; limit: number }[] {
  const parents = new Map(problem.circuits.map((c) => [c.id, c.parent]));
  const inside = (id: string | undefined, circuit: string): boolean =>
    id !== undefined && (id === circuit || inside(parents.get(id), circuit));
  const rows: { name: string; used: number; limit: number }[] = [];
  for (const circuit of problem.circuits) {
    for (const [p, phase] of (['L1', 'L2', 'L3'] as const).entries()) {
      const users = problem.chargers.filter((c) => c.phases.includes(phase) && inside(c.circuit, circuit.id));
      const used = users.reduce((sum, c) => sum + (current.get(c.id) ?? 0), 0);
      rows.push({
        name: `circuit ${circuit.id} ${phase}`,
        used,
        limit: Math.max(0, circuit.limit[p] - (circuit.load?.[p] ?? 0)),
      });
    }
  }
  for (const { id, maxUnbalance, load = [0, 0, 0] } of problem.circuits) {
    if (maxUnbalance === undefined) continue;
    const on = (phase: Phase) =>
      problem.chargers
        .filter((c) => c.phases.includes(phase) && inside(c.circuit, id))
        .reduce((sum, c) => sum + (current.get(c.id) ?? 0), 0);
    for (const [p, high] of PHASES.entries())
      for (const [q, low] of PHASES.entries())
        if (p !== q)
          rows.push({
            name: `unbalance ${id} ${high} ${low}`,
            used: load[p] + on(high) - load[q] - on(low),
            // Where the load alone stands out further, the chargers make it no worse.
            limit: Math.max(maxUnbalance, load[p] - load[q]),
          });
  }
  for (const group of problem.groups ?? []) {
    const users = problem.chargers.filter((c) => c.groups?.includes(group.id));
    const used = users.reduce((sum, c) => sum + (current.get(c.id) ?? 0) * c.phases.length * (c.voltage ?? 230), 0);
    rows.push({ name: `group ${group.id}`, used, limit: group.limit });
  }
  return rows;
}

/** Names of the constraints that a charger is under. */
export function constraintsOf(problem: AllocationProblem, charger: AllocationCharger): Set<string> {
  const parents = new Map(problem.circuits.map((c) => [c.id, c.parent]));
  const names = new Set<string>();
  for (let id: string | undefined = charger.circuit; id !== undefined; id = parents.get(id))
    for (const p of charger.phases) names.add(`circuit ${id} ${p}`);
  for (const id of charger.groups ?? []) names.add(`group ${id}`);
  return names;
}
