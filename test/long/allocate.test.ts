/** `npm run test:long`: 100,000 random allocation problems, shared out among the rules; `PROBLEMS` chooses another number. */
import { allocate } from '../../core/allocate.ts';
import { check, RULES } from '../core/allocation-rules.ts';

const PROBLEMS = Number(process.env.PROBLEMS ?? 100_000);

describe(`${PROBLEMS} random allocation problems per rule`, function () {
  this.timeout(0);
  for (const rule of Object.values(RULES)) it(rule.name, () => check(rule, PROBLEMS, allocate));
});
