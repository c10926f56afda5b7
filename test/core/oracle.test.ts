import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type AllocationCharger, type AllocationProblem, allocate } from '../../core/allocate.ts';
import { Oracle } from './oracle.ts';
import { problems, usage } from './problems.ts';

describe('allocate beside an oracle of linear programs (HiGHS)', function () {
  this.timeout(300_000);
  let oracle: Oracle;

  before(async () => {
    oracle = await Oracle.load();
  });

  it('finds the lexicographic weighted max-min of 1,000 continuous problems, unbalance limits included', () => {
    let unbalanced = 0;
    const shape = { priorities: 1, steps: false, minima: false, groups: true, unbalance: true };
    fc.assert(
      fc.property(problems(shape), (problem) => {
        const expected = oracle.maxMin(problem);
        const { setpoints } = allocate(problem);
        if (setpoints.some((s) => s.binding.startsWith('unbalance'))) unbalanced += 1;
        for (const { id, current } of setpoints)
          assert.ok(
            Math.abs(current - (expected.get(id) ?? Number.NaN)) <= 1e-6,
            `${id}: ${current}, oracle ${expected.get(id)}`,
          );
      }),
      { numRuns: 1000 },
    );
    assert.ok(unbalanced >= 100, `an unbalance limit was binding in ${unbalanced} problems only`);
  });

  it('admission beside an exhaustive search: what greed by turn costs', () => {
    let served = 0;
    let possible = 0;
    let worse = 0;
    const shape = { priorities: 1, steps: false, minima: true, groups: true };
    const sample = fc.sample(problems(shape), { numRuns: 1000, seed: 1 }).filter((p) => p.admission !== 'strict');
    for (const problem of sample) {
      const current = new Map(allocate(problem).setpoints.map((s) => [s.id, s.current]));
      const count = needing(problem).filter((c) => (current.get(c.id) ?? 0) > 0).length;
      const best = mostServed(problem);
      assert.ok(count <= best, `${count} served, at most ${best} can be`);
      served += count;
      possible += best;
      if (count < best) worse += 1;
    }
    const loss = 1 - served / possible;
    console.log(
      `      ${sample.length} problems: ${served} of at most ${possible} served, ${(100 * loss).toFixed(2)} % fewer, in ${worse} problems`,
    );
    assert.ok(loss < 0.05, `${loss}`);
  });
});

/** The largest number of chargers whose minima fit together. */
function mostServed(problem: AllocationProblem): number {
  const wanting = needing(problem);
  let best = 0;
  for (let set = 0; set < 1 << wanting.length; set++) {
    const chosen = wanting.filter((_, i) => set & (1 << i));
    if (chosen.length <= best) continue;
    const minima = new Map(chosen.map((c) => [c.id, c.min]));
    if (usage(problem, minima).every((row) => row.used <= row.limit + 1e-9)) best = chosen.length;
  }
  return best;
}

function needing(problem: AllocationProblem): AllocationCharger[] {
  return problem.chargers.filter((c) => c.min > 0 && c.max >= c.min);
}
