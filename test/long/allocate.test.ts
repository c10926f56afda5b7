/** `npm run test:long`: 100,000 random allocation problems, for each rule, others each time; `PROBLEMS` and `PROBLEM_SEED` choose. */
import { allocate } from '../../core/allocate.ts';
import { check, RULES } from '../core/allocation-rules.ts';

const PROBLEMS = Number(process.env.PROBLEMS ?? 100_000);
const SEED = Number(process.env.PROBLEM_SEED ?? Date.now() % 1e9);

describe(`${PROBLEMS} random allocation problems per rule from seed ${SEED}`, function () {
  this.timeout(0);
  for (const rule of Object.values(RULES)) it(rule.name, () => check(rule, PROBLEMS, allocate, SEED));
});
