import assert from 'node:assert/strict';
import { judgeSite, type SiteVerdict } from '../../simulator/site-judge.ts';
import { BROKEN_LOOPS } from './broken-loops.ts';
import { assertKept, summarise } from './sites.ts';

describe('twenty days of sites, five hours of each', function () {
  this.timeout(60_000);
  const verdicts: SiteVerdict[] = [];

  for (let seed = 1; seed <= 20; seed++) {
    it(`day ${seed}: every rule is kept`, () => {
      const verdict = judgeSite({ seed, hours: 5 });
      verdicts.push(verdict);
      assertKept(verdict);
    });
  }

  it('little room stays unused while somebody would take more', () => {
    const { unused } = summarise(verdicts);
    console.log(`      unused room: ${(100 * unused).toFixed(2)} % of the energy`);
    assert.ok(unused <= 0.03, `${unused}`);
  });
});

describe('the judgement of sites can fail: each of these is caught by its rule', function () {
  this.timeout(60_000);
  for (const [rule, variants] of Object.entries(BROKEN_LOOPS))
    for (const [name, { seeds = [12, 2, 10, 8, 13], ...options }] of Object.entries(variants))
      it(`${rule}: ${name}`, () => {
        const caught = (seed: number) =>
          judgeSite({ hours: 1, ...options, seed }).violations.some((violation) => violation.includes(` s: ${rule} `));
        assert.ok(seeds.some(caught), 'not noticed');
      });
});
