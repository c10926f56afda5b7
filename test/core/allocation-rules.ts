/** What every allocation must keep, as properties over random problems; `solve` may be a broken one. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AllocationCharger, AllocationProblem, allocate } from '../../core/allocate.ts';
import type { PerPhase } from '../../core/units.ts';
import { constraintsOf, problems, type Shape, usage } from './problems.ts';

export type Solve = typeof allocate;

interface Rule {
  name: string;
  shape: Shape;
  holds(problem: AllocationProblem, solve: Solve, seed: number): void;
}

const currents = (solve: Solve, problem: AllocationProblem) =>
  new Map(solve(problem).setpoints.map((s) => [s.id, s.current]));

const limits: Rule = {
  name: 'no circuit, group or unbalance limit is exceeded by more than 1e-6',
  shape: { priorities: 3, steps: true, minima: true, groups: true, unbalance: true },
  holds(problem, solve) {
    for (const row of usage(problem, currents(solve, problem)))
      assert.ok(row.used <= row.limit + 1e-6, `${row.name}: ${row.used} > ${row.limit}`);
  },
};

const deadBand: Rule = {
  name: 'every current is 0 or from minimum to maximum, in whole steps',
  shape: { priorities: 3, steps: true, minima: true, groups: true, unbalance: true },
  holds(problem, solve) {
    const result = currents(solve, problem);
    for (const { id, min, max, step } of problem.chargers) {
      const current = result.get(id) ?? Number.NaN;
      assert.ok(current === 0 || (current >= min - 1e-9 && current <= max + 1e-9), `${id}: ${current}`);
      if (step) assert.ok(Math.abs(current / step - Math.round(current / step)) < 1e-6, `${id}: ${current} of ${step}`);
    }
  },
};

const certificate: Rule = {
  name: 'whoever is below its maximum has a full constraint on which, minima apart, nobody of its priority has more per weight and nobody of a lower one anything',
  shape: { priorities: 2, steps: false, minima: true, groups: true },
  holds(problem, solve) {
    const result = currents(solve, problem);
    const rows = usage(problem, result);
    const per = (c: AllocationCharger) => (result.get(c.id) ?? 0) / (c.weight ?? 1);
    for (const charger of problem.chargers) {
      const current = result.get(charger.id) ?? 0;
      if (current === 0 || current >= charger.max - 1e-6) continue;
      const held = [...constraintsOf(problem, charger)].some((name) => {
        const row = rows.find((r) => r.name === name);
        if (!row || row.used < row.limit - 1e-4) return false;
        return problem.chargers
          .filter((o) => constraintsOf(problem, o).has(name) && (result.get(o.id) ?? 0) > o.min + 1e-4)
          .every((o) => {
            const lead = (o.priority ?? 0) - (charger.priority ?? 0);
            return lead > 0 || (lead === 0 && per(o) <= per(charger) + 1e-4);
          });
      });
      assert.ok(held, `${charger.id} could have more than ${current}`);
    }
  },
};

const waiting: Rule = {
  name: 'whoever waits could not have its minimum beside those of its or a higher priority',
  shape: { priorities: 2, steps: false, minima: true, groups: true },
  holds(problem, solve) {
    const result = currents(solve, problem);
    for (const charger of problem.chargers) {
      if ((result.get(charger.id) ?? 0) > 0 || charger.max <= 0 || charger.max < charger.min || charger.min === 0)
        continue;
      // Everybody else at its minimum, as far as it is admitted and not of a lower priority.
      const beside = new Map(
        problem.chargers.map((o) => {
          const current = result.get(o.id) ?? 0;
          const least = problem.admission === 'strict' && (o.priority ?? 0) > (charger.priority ?? 0) ? current : o.min;
          return [o.id, current > 0 && (o.priority ?? 0) >= (charger.priority ?? 0) ? least : 0];
        }),
      );
      beside.set(charger.id, charger.min);
      assert.ok(
        usage(problem, beside).some((row) => row.used > row.limit - 1e-6),
        `${charger.id} waits although there is room`,
      );
    }
  },
};

const order: Rule = {
  name: 'the order of the input does not matter',
  shape: { priorities: 2, steps: true, minima: true, groups: true, unbalance: true },
  holds(problem, solve, seed) {
    const turned = <T>(list: T[]) =>
      [...list.slice(seed % list.length), ...list.slice(0, seed % list.length)].reverse();
    const mixed = { ...problem, chargers: turned(problem.chargers), circuits: turned(problem.circuits) };
    const a = currents(solve, problem);
    for (const [id, current] of currents(solve, mixed)) assert.ok(Math.abs(current - (a.get(id) ?? -1)) < 1e-6, id);
  },
};

const monotone: Rule = {
  name: 'a higher limit never makes the sorted currents per weight lexicographically smaller (one priority, continuous, same admitted)',
  shape: { priorities: 1, steps: false, minima: true, groups: true },
  holds(problem, solve, seed) {
    const at = seed % problem.circuits.length;
    const circuits = problem.circuits.map((c, i) =>
      i === at ? { ...c, limit: c.limit.map((x) => x + (seed % 97) / 3) as PerPhase } : c,
    );
    const before = currents(solve, problem);
    const after = currents(solve, { ...problem, circuits });
    if (problem.chargers.some((c) => (before.get(c.id) ?? 0) > 0 !== (after.get(c.id) ?? 0) > 0)) return;
    const sorted = (result: ReadonlyMap<string, number>) =>
      problem.chargers.map((c) => (result.get(c.id) ?? 0) / (c.weight ?? 1)).sort((x, y) => x - y);
    const [a, b] = [sorted(before), sorted(after)];
    const first = a.findIndex((x, i) => Math.abs(x - b[i]) > 1e-5);
    assert.ok(first < 0 || b[first] > a[first], `${a} → ${b}`);
  },
};

export const RULES = { limits, deadBand, certificate, waiting, order, monotone };

/** Checks a rule on `runs` random problems, the same for the same seed; throws with the smallest problem on which it fails. */
export function check(rule: Rule, runs: number, solve: Solve, seed = 1): void {
  fc.assert(
    fc.property(problems(rule.shape), fc.nat(1000), (problem, seed) => rule.holds(problem, solve, seed)),
    { numRuns: runs, seed },
  );
}
