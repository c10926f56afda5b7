/**
 * `npm run bench -- month [--data sessions.json] [--caps 10,20,30,45] [--json]`: a month of charging sessions under each
 * policy, beside plain schedulers: share of the energy delivered and of the sessions met (at most 0.1 kWh short) under each
 * cap. Naive schedulers offer up to the charger's 32 A, learned ones up to the vehicle's own maximum. Without `--data` the
 * sessions are generated.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { POLICIES, type PolicyName } from '../core/policies.ts';
import {
  generateMonth,
  type MonthData,
  type MonthResult,
  replayMonth,
  type Scheduler,
  scheduleBy,
} from '../simulator/month.ts';
import { createRandom } from '../simulator/random.ts';
import { edf, fcfs, llf, roundRobin } from '../simulator/schedulers.ts';

/** What the policies are to reach on March 2019 of the Caltech ACN: energy and met in %, by cap. */
const TARGETS_KW = [10, 20, 30, 45];
const TARGETS: Record<string, { energy?: number[]; met: number[] }> = {
  'departure, any current': { energy: [49.1, 74.9, 86.7, 96.7], met: [39.3, 72.0, 83.0, 93.2] },
  'most-vehicles, any current': { met: [48.6, 81.7, 89.0, 94.9] },
  'departure, whole amperes': { energy: [47.8, 73.7, 86.1, 96.3], met: [34.6, 70.0, 79.0, 89.3] },
  'most-vehicles, whole amperes': { met: [43.7, 78.7, 85.4, 91.3] },
};

interface Row {
  name: string;
  scheduler: Scheduler;
  naive?: boolean;
  policy?: PolicyName;
}

const policyRow = (policy: PolicyName): Row => ({ name: policy, policy, scheduler: scheduleBy(POLICIES[policy]) });
const plainRows = (naive: boolean): Row[] =>
  Object.entries({ EDF: edf, LLF: llf, 'round robin': roundRobin, 'first come': fcfs }).map(([name, scheduler]) => ({
    name: `${name}, ${naive ? 'naive' : 'learned'}`,
    scheduler,
    naive,
  }));

const ROWS: Row[] = [
  ...plainRows(true),
  ...plainRows(false),
  ...(['equal', 'first-come', 'departure', 'most-vehicles'] as const).map(policyRow),
];

const percent = (share: number) => (100 * share).toFixed(2).padStart(5);

export default function bench(args: string[]): Record<string, unknown> {
  const { values } = parseArgs({
    args,
    options: { data: { type: 'string' }, caps: { type: 'string', default: TARGETS_KW.join() } },
  });
  const data: MonthData = values.data
    ? JSON.parse(readFileSync(values.data, 'utf8'))
    : generateMonth(createRandom(1), 30);
  const caps = values.caps.split(',').map(Number);
  const judged = values.data !== undefined && caps.join() === TARGETS_KW.join();
  const figures: Record<string, unknown> = {};
  console.log(`${data.name}: ${data.sessions.length} sessions; energy % / met % (Jain's index of delivered/requested)`);
  for (const wholeAmperes of [false, true]) {
    const currents = wholeAmperes ? 'whole amperes' : 'any current';
    console.log(`\n${`${currents}, cap`.padEnd(22)}${caps.map((cap) => `${cap} kW`.padStart(23)).join('')}    s/month`);
    for (const row of ROWS) {
      const start = performance.now();
      const results = caps.map((capKw) => replayMonth(data, { capKw, wholeAmperes, naive: row.naive }, row.scheduler));
      const seconds = (performance.now() - start) / 1000 / caps.length;
      const name = `${row.name}, ${currents}`;
      figures[name] = { byCap: Object.fromEntries(caps.map((cap, i) => [cap, results[i]])), seconds };
      const cells = results.map((r) => `${percent(r.energy)} / ${percent(r.met)} (${r.jain.toFixed(2)})`.padStart(23));
      console.log(`${row.name.padEnd(22)}${cells.join('')}${seconds.toFixed(2).padStart(11)}`);
      if (judged && TARGETS[name]) printTarget(name, results);
    }
  }
  console.log('\nsoc and tariff need a state of charge or prices, priority needs classes: these sessions have none.');
  return figures;
}

function printTarget(name: string, results: readonly MonthResult[]): void {
  const { energy, met } = TARGETS[name];
  const cells = results.map((r, i) => {
    const reached = 100 * r.met >= met[i] && (!energy || 100 * r.energy >= energy[i]);
    return `${energy ? energy[i].toFixed(1).padStart(4) : '   –'}  / ${met[i].toFixed(1)}  ${reached ? '  ok  ' : 'MISSED'}`.padStart(
      23,
    );
  });
  console.log(`${'  wanted at least'.padEnd(22)}${cells.join('')}`);
}
