/**
 * `npm run bench -- home [--days 20] [--seed 1] [--json]`: simulated days of a home with a 25 A main fuse, 5 % lost messages, broker
 * outages and restarts. Per control loop: what share of an all-knowing oracle's charging is reached near the fuse's
 * limit (mean and worst day), and what it cost: trips and overloads that lasted longer than the reaction chain.
 */
import { parseArgs } from 'node:util';
import { fusewise } from '../simulator/brain.ts';
import { type DayResult, homeCircuit, judgeDay } from '../simulator/day.ts';
import { existingRule, plainSubtraction } from '../simulator/rivals.ts';
import type { HomeOptions } from '../simulator/virtual-home.ts';

const RIVAL = { rating: 25, max: 16, min: 6, step: 1 };

interface Row {
  name: string;
  brain: () => HomeOptions['brain'];
  more?: Partial<HomeOptions>;
  device?: 'gG' | 'B';
}

const ROWS: Row[] = [
  { name: 'Fusewise, go-e v2', brain: () => fusewise({ circuit: homeCircuit(), guard: true }) },
  { name: 'Fusewise, go-e v1', brain: () => fusewise({ circuit: homeCircuit(), guard: true }), more: { api: 'v1' } },
  { name: 'existing rule', brain: () => existingRule(RIVAL) },
  { name: 'plain subtraction', brain: () => plainSubtraction(RIVAL) },
];

export default function bench(args: string[]): Record<string, unknown> {
  const { values } = parseArgs({
    args,
    options: { days: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
  });
  const days = Number(values.days);
  const first = Number(values.seed);
  const figures: Record<string, unknown> = {};
  console.log(
    `${days} days from seed ${first}; gG 25 A, 1 s meter, vehicle 3–6 s, 5 % of messages lost, outages, restarts`,
  );
  console.log('control loop         reached of the oracle      near the   trips: all/   overloads  longest');
  console.log('                     mean     worst day         limit      reachable    too long   overload');
  for (const row of ROWS) {
    const results: DayResult[] = [];
    for (let seed = first; seed < first + days; seed++) {
      results.push(judgeDay({ seed, brain: row.brain(), ...row.more }, homeCircuit()));
    }
    const figure = summary(results);
    figures[row.name] = figure;
    const percent = (x: number) => `${(100 * x).toFixed(2)} %`.padStart(8);
    console.log(
      `${row.name.padEnd(18)} ${percent(figure.mean)} ${percent(figure.worst)}       ${percent(figure.near)} ${String(figure.trips).padStart(8)}/${String(figure.reachable).padEnd(6)} ${String(figure.late).padStart(9)} ${figure.longest.toFixed(1).padStart(9)} s`,
    );
  }
  return figures;
}

function summary(results: readonly DayResult[]) {
  const sum = (of: (r: DayResult) => number) => results.reduce((total, r) => total + of(r), 0);
  return {
    mean: sum((r) => r.reached) / results.length,
    worst: Math.min(...results.map((r) => r.reached)),
    near: sum((r) => r.constrained) / results.length,
    trips: sum((r) => r.trips.total - r.trips.withoutVehicle),
    reachable: sum((r) => r.tripsWhileReachable),
    late: sum((r) => r.lateOverloads),
    longest: Math.max(...results.map((r) => r.worstOverload)),
  };
}
