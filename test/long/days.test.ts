/** `npm run test:long`: 200 seeded days; `DAYS` and `SEED` choose others. */
import assert from 'node:assert/strict';
import type { DayResult } from '../../simulator/day.ts';
import { assertSafe, dayOptions, runDay } from '../simulator/days.ts';

const DAYS = Number(process.env.DAYS ?? 200);
const FIRST = Number(process.env.SEED ?? 1);

describe(`${DAYS} days of a home from seed ${FIRST}`, function () {
  this.timeout(0);
  const results: DayResult[] = [];

  for (let seed = FIRST; seed < FIRST + DAYS; seed++) {
    it(`day ${seed}`, () => {
      const result = runDay(seed);
      results.push(result);
      assertSafe(result);
    });
  }

  it('is not bought with caution: at least 97 % of the oracle in the mean, 94 % on the worst day', () => {
    const counted = results.filter(
      (r) => dayOptions(r.seed).options.device === 'gG' && dayOptions(r.seed).options.car === 'endless',
    );
    const mean = counted.reduce((sum, r) => sum + r.reached, 0) / counted.length;
    const least = counted.reduce((a, b) => (b.reached < a.reached ? b : a));
    const worst = least.reached;
    const near = counted.reduce((sum, r) => sum + r.constrained, 0) / counted.length;
    console.log(
      `      ${counted.length} days: mean ${(100 * mean).toFixed(2)} %, worst ${(100 * worst).toFixed(2)} % (day ${least.seed}), near the limit ${(100 * near).toFixed(1)} % of the time`,
    );
    assert.ok(mean >= 0.97 && worst >= 0.94 && near >= 0.3, `${mean}, ${worst}, ${near}`);
  });
});
