/**
 * An independent oracle for continuous problems of one priority without minima: lexicographic weighted max-min by a sequence of
 * linear programs, solved by HiGHS. Written from the definition, without any code of the allocator.
 */
import loadHighs from 'highs';
import type { AllocationCharger, AllocationProblem } from '../../core/allocate.ts';

const TIGHT = { primal_feasibility_tolerance: 1e-10, dual_feasibility_tolerance: 1e-10 } as const;

export class Oracle {
  readonly #highs: Awaited<ReturnType<typeof loadHighs>>;

  private constructor(highs: Awaited<ReturnType<typeof loadHighs>>) {
    this.#highs = highs;
  }

  static async load(): Promise<Oracle> {
    return new Oracle(await loadHighs());
  }

  /** A per charger. */
  maxMin(problem: AllocationProblem): Map<string, number> {
    const { chargers } = problem;
    const rows = constraints(problem);
    const least = new Map<AllocationCharger, number>();
    const fixed = new Map<AllocationCharger, number>();
    while (fixed.size < chargers.length) {
      const open = chargers.filter((c) => !fixed.has(c));
      const level = this.#most(
        't',
        [...rows, ...open.map((c) => `${name(chargers, c)} - ${c.weight ?? 1} t >= 0`)],
        chargers,
        fixed,
        least,
      );
      for (const c of open) least.set(c, level * (c.weight ?? 1));
      const held = open.filter(
        (c) => this.#most(name(chargers, c), rows, chargers, fixed, least) <= (least.get(c) as number) + 1e-7,
      );
      if (held.length === 0) throw new Error(`nobody is held at ${level}`);
      for (const c of held) fixed.set(c, least.get(c) as number);
    }
    return new Map([...fixed].map(([c, current]) => [c.id, current]));
  }

  #most(
    objective: string,
    rows: readonly string[],
    chargers: readonly AllocationCharger[],
    fixed: ReadonlyMap<AllocationCharger, number>,
    least: ReadonlyMap<AllocationCharger, number>,
  ): number {
    const bounds = chargers.map((c) => {
      const low = Math.max(0, (fixed.get(c) ?? least.get(c) ?? 0) - 1e-9);
      return `${low} <= ${name(chargers, c)} <= ${fixed.get(c) ?? c.max}`;
    });
    const text = `Maximize\n obj: ${objective}\nSubject To\n${rows.map((row, i) => ` r${i}: ${row}`).join('\n')}\nBounds\n ${bounds.join('\n ')}\n t >= 0\nEnd\n`;
    const solution = this.#highs.solve(text, TIGHT);
    if (solution.Status !== 'Optimal') throw new Error(`${solution.Status}\n${text}`);
    return solution.ObjectiveValue;
  }
}

function name(chargers: readonly AllocationCharger[], charger: AllocationCharger): string {
  return `x${chargers.indexOf(charger)}`;
}

function constraints({ circuits, groups, chargers }: AllocationProblem): string[] {
  const rows = ['t <= 1000'];
  const parents = new Map(circuits.map((c) => [c.id, c.parent]));
  const below = (id: string | undefined, top: string): boolean =>
    id !== undefined && (id === top || below(parents.get(id), top));
  const sum = (weight: (c: AllocationCharger) => number) =>
    chargers
      .filter((c) => weight(c) !== 0)
      .map((c) => `${weight(c) < 0 ? '-' : '+'} ${Math.abs(weight(c))} ${name(chargers, c)}`)
      .join(' ');
  const add = (terms: string, limit: number) => {
    if (terms) rows.push(`${terms} <= ${limit}`);
  };
  const phases = ['L1', 'L2', 'L3'] as const;
  for (const { id, limit, load = [0, 0, 0], maxUnbalance } of circuits) {
    const on = (c: AllocationCharger, p: number) =>
      below(c.circuit, id) ? c.phases.filter((x) => x === phases[p]).length : 0;
    for (const p of [0, 1, 2]) {
      add(
        sum((c) => on(c, p)),
        Math.max(0, limit[p] - load[p]),
      );
      if (maxUnbalance === undefined) continue;
      for (const q of [0, 1, 2])
        if (p !== q)
          add(
            sum((c) => on(c, p) - on(c, q)),
            Math.max(0, maxUnbalance - load[p] + load[q]),
          );
    }
  }
  for (const group of groups ?? [])
    add(
      sum((c) => (c.groups?.includes(group.id) ? c.phases.length * (c.voltage ?? 230) : 0)),
      group.limit,
    );
  return rows;
}
