/**
 * How long an allocation takes: a car park of 54 chargers, and four-level trees of 1,000 to 100,000 chargers with minima, three
 * priorities and weights. Garbage collection included; the slope is that of log time over log N (least squares).
 */
import { type AllocationCharger, type AllocationCircuit, type AllocationProblem, allocate } from '../core/allocate.ts';
import type { PerPhase, Phase } from '../core/units.ts';
import { createRandom } from '../simulator/random.ts';

const ROTATIONS: Phase[][] = [
  ['L1', 'L2', 'L3'],
  ['L2', 'L3', 'L1'],
  ['L3', 'L1', 'L2'],
  ['L1'],
  ['L2'],
  ['L3'],
  ['L1', 'L2'],
];

/** Root, areas, panels and rows: each level can carry a share of what hangs below it. */
export function carPark(chargers: number, seed: number): AllocationProblem {
  const { next } = createRandom(seed);
  const pick = <T>(list: readonly T[]) => list[Math.floor(next() * list.length)];
  const flat = (a: number): PerPhase => [a, a, a];
  const leaves = Math.max(2, Math.round(chargers / 12));
  const panels = Math.max(1, Math.round(leaves / 8));
  const areas = Math.max(1, Math.round(panels / 8));
  const circuits: AllocationCircuit[] = [{ id: 'root', limit: flat(8 * chargers), load: flat(chargers) }];
  const level = (name: string, parents: string[], count: number, limit: number): string[] =>
    Array.from({ length: count }, (_, i) => {
      const id = `${name}${i}`;
      circuits.push({ id, parent: parents[i % parents.length], limit: flat(limit * (0.6 + 0.8 * next())) });
      return id;
    });
  const area = level('area', ['root'], areas, (9 * chargers) / areas);
  const panel = level('panel', area, panels, (10 * chargers) / panels);
  const leaf = level('row', panel, leaves, (11 * chargers) / leaves);
  const list = Array.from(
    { length: chargers },
    (_, i): AllocationCharger => ({
      id: `CP${String(i).padStart(6, '0')}`,
      circuit: leaf[i % leaf.length],
      phases: pick(ROTATIONS),
      min: 6,
      max: pick([16, 20, 32]),
      step: undefined,
      priority: Math.floor(3 * next()),
      weight: 0.5 + 1.5 * next(),
    }),
  );
  return { circuits, chargers: list };
}

export default function bench(): Record<string, number> {
  const figures: Record<string, number> = {};
  const sizes = [54, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];
  const points: [number, number][] = [];
  console.log('chargers   median ms   99 % ms   worst ms   waiting   runs');
  for (const size of sizes) {
    const problems = [1, 2, 3].map((seed) => carPark(size, seed));
    const runs = Math.max(30, Math.min(3000, Math.round(2_000_000 / size)));
    for (let i = 0; i < Math.min(runs, 300); i++) allocate(problems[i % 3]);
    const times: number[] = [];
    for (let i = 0; i < runs; i++) {
      const problem = problems[i % 3];
      const before = performance.now();
      allocate(problem);
      times.push(performance.now() - before);
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
    const waiting = allocate(problems[0]).setpoints.filter((s) => s.current === 0).length;
    const row = [at(0.5), at(0.99), times[times.length - 1]];
    console.log(
      `${String(size).padStart(8)}   ${row.map((x) => x.toFixed(3).padStart(9)).join(' ')}   ${String(waiting).padStart(7)}   ${runs}`,
    );
    figures[`median ms, ${size}`] = row[0];
    figures[`99 % ms, ${size}`] = row[1];
    if (size >= 1000) points.push([Math.log(size), Math.log(row[0])]);
  }
  figures.slope = slope(points);
  console.log(`slope of log time over log N, 1,000 to 100,000: ${figures.slope.toFixed(3)}`);
  return figures;
}

function slope(points: readonly [number, number][]): number {
  const mean = (k: 0 | 1) => points.reduce((sum, p) => sum + p[k], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  return points.reduce((s, p) => s + (p[0] - x) * (p[1] - y), 0) / points.reduce((s, p) => s + (p[0] - x) ** 2, 0);
}
