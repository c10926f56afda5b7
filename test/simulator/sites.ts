/** Days of sites with 1 to 20 chargers: what none of them may show, and what they show together. */
import assert from 'node:assert/strict';
import type { SiteVerdict } from '../../simulator/site-judge.ts';

export function assertKept({ seed, violations }: SiteVerdict): void {
  assert.deepEqual(violations, [], `seed ${seed}`);
}

export interface Summary {
  /** Mean of Jain's index over the days that have equal claims. */
  fairness: number;
  worstFairness: number;
  /** Room that stayed unused while somebody would have taken more, as a share of the energy charged. */
  unused: number;
}

export function summarise(verdicts: readonly SiteVerdict[]): Summary {
  const fair = verdicts.map((v) => v.fairness).filter((f) => f !== undefined);
  const sum = (of: (v: SiteVerdict) => number) => verdicts.reduce((total, v) => total + of(v), 0);
  return {
    fairness: fair.reduce((a, b) => a + b, 0) / fair.length,
    worstFairness: Math.min(...fair),
    unused: sum((v) => v.unused) / sum((v) => v.energy),
  };
}

export function tell({ fairness, worstFairness, unused }: Summary, days: number): void {
  const index = `fairness ${fairness.toFixed(3)}, worst ${worstFairness.toFixed(3)}`;
  console.log(`      ${days} days: ${index}, unused room ${(100 * unused).toFixed(2)} % of the energy`);
}
