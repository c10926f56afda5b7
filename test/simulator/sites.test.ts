import assert from 'node:assert/strict';
import type { Decision } from '../../core/index.ts';
import type { SiteDayOptions } from '../../simulator/site-day.ts';
import { judgeSite, type SiteVerdict } from '../../simulator/site-judge.ts';
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

describe('the judgement of sites can fail', function () {
  this.timeout(60_000);
  const changed =
    (change: (current: number) => number) =>
    (decision: Decision): Decision => ({
      ...decision,
      setpoints: decision.setpoints.map((s) => ({ ...s, current: change(s.current) })),
    });
  const BROKEN: Record<string, Omit<SiteDayOptions, 'seed'>> = {
    'S2: everything at once for whoever charges': { distort: changed((x) => (x > 0 ? 16 : x)) },
    'S1: never below 16 A': { distort: changed(() => 16) },
    'S3: halves what is short': { distort: changed((x) => (x > 0 && x < 10 ? x / 2 : x)) },
    'S3: more than the charger may': { distort: changed((x) => (x === 16 ? 40 : x)) },
    'S9: never pauses': { distort: changed((x) => Math.max(6, x)) },
  };
  for (const [name, broken] of Object.entries(BROKEN)) {
    it(name, () => {
      const seeds = [8, 13, 16, 3];
      assert.ok(
        seeds.some((seed) => judgeSite({ seed, hours: 4, ...broken }).violations.length > 0),
        'not noticed',
      );
    });
  }
});
