/** `npm run test:long`: 1,000 seeded days of sites; `SITE_DAYS` and `SITE_SEED` choose others. */
import assert from 'node:assert/strict';
import { judgeSite, type SiteVerdict } from '../../simulator/site-judge.ts';
import { assertKept, summarise, tell } from '../simulator/sites.ts';

const DAYS = Number(process.env.SITE_DAYS ?? 1000);
const FIRST = Number(process.env.SITE_SEED ?? 1);

describe(`${DAYS} days of sites from seed ${FIRST}`, function () {
  this.timeout(0);
  const verdicts: SiteVerdict[] = [];

  for (let seed = FIRST; seed < FIRST + DAYS; seed++) {
    it(`day ${seed}`, () => {
      const verdict = judgeSite({ seed });
      verdicts.push(verdict);
      assertKept(verdict);
    });
  }

  it('equal claims get the same, and little room stays unused while somebody would take more', () => {
    const summary = summarise(verdicts);
    tell(summary, verdicts.length);
    assert.ok(summary.fairness >= 0.95 && summary.unused <= 0.03, JSON.stringify(summary));
  });
});
