import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type AllocationCharger, type AllocationProblem, allocate } from '../../core/allocate.ts';
import type { PerPhase, Phase } from '../../core/units.ts';
import { constraintsOf, problems, usage } from './problems.ts';

const three: Phase[] = ['L1', 'L2', 'L3'];
const main = (limit: number, load: PerPhase = [0, 0, 0]) => ({
  id: 'main',
  limit: [limit, limit, limit] as PerPhase,
  load,
});
const car = (id: string, more: Partial<AllocationCharger> = {}): AllocationCharger => ({
  id,
  circuit: 'main',
  phases: three,
  min: 6,
  max: 16,
  step: 1,
  ...more,
});
const currents = (problem: AllocationProblem) => new Map(allocate(problem).setpoints.map((s) => [s.id, s.current]));
const bindings = (problem: AllocationProblem) => new Map(allocate(problem).setpoints.map((s) => [s.id, s.binding]));
const runs = { numRuns: 2000 };

describe('allocate', () => {
  it('gives a car what the fullest of its phases leaves, in whole amperes', () => {
    const problem = { circuits: [main(25, [4, 11.6, 3])], chargers: [car('a')] };
    assert.equal(currents(problem).get('a'), 13);
    assert.equal(bindings(problem).get('a'), 'circuit main L2');
  });

  it('lets a car that cannot have its minimum wait', () => {
    const problem = { circuits: [main(25, [20, 0, 0])], chargers: [car('a')] };
    assert.deepEqual(allocate(problem).setpoints, [{ id: 'a', current: 0, binding: 'waiting' }]);
  });

  it('an overload on L3 does not stop a car on L1 (evcc#29532)', () => {
    const problem = {
      circuits: [main(25, [4, 4, 30])],
      chargers: [car('a', { phases: ['L1'] }), car('b', { phases: ['L3'] })],
    };
    assert.deepEqual([...currents(problem).values()], [16, 0]);
  });

  it('serves 32 A and 16 A chargers together on 35 A (evcc#30340)', () => {
    const problem = { circuits: [main(35)], chargers: [car('big', { max: 32 }), car('small')] };
    assert.deepEqual([...currents(problem).values()], [19, 16]);
  });

  it('shares by weight', () => {
    const problem = {
      circuits: [main(30)],
      chargers: [car('a', { weight: 2, max: 32, step: undefined }), car('b', { max: 32, step: undefined })],
    };
    assert.deepEqual(
      [...currents(problem).values()].map((x) => Math.round(x * 1e6) / 1e6),
      [20, 10],
    );
  });

  it('minimum-first gives everybody the minimum, strict serves the higher priority fully', () => {
    const chargers = [car('low'), car('high', { priority: 5 })];
    assert.deepEqual([...currents({ circuits: [main(20)], chargers }).values()], [6, 14]);
    assert.deepEqual([...currents({ circuits: [main(20)], chargers, admission: 'strict' }).values()], [0, 16]);
  });

  it('admits by turn inside a priority', () => {
    const chargers = [car('a', { order: 2 }), car('b', { order: 1 })];
    assert.deepEqual([...currents({ circuits: [main(7)], chargers }).values()], [0, 7]);
  });

  it('a negative load is room, a load above the limit leaves nothing', () => {
    assert.equal(currents({ circuits: [main(10, [-4, -4, -4])], chargers: [car('a')] }).get('a'), 14);
    assert.equal(currents({ circuits: [main(10, [11, 0, 0])], chargers: [car('a')] }).get('a'), 0);
  });

  it('a soft group rounds to the nearest step, a circuit never', () => {
    const chargers = [car('a', { groups: ['sun'] })];
    const sun = (limit: number) => [{ id: 'sun', limit, soft: true }];
    assert.equal(currents({ circuits: [main(25)], groups: sun(9.6 * 690), chargers }).get('a'), 10);
    assert.equal(currents({ circuits: [main(9.6)], groups: sun(9.6 * 690), chargers }).get('a'), 9);
  });

  it('keeps an unbalance limit, load included', () => {
    const circuits = [{ ...main(63, [5, 5, 5]), maxUnbalance: 20 }];
    const problem = { circuits, chargers: [car('one', { phases: ['L1'], max: 32 }), car('all', { max: 32 })] };
    const result = currents(problem);
    const one = result.get('one') ?? 0;
    assert.ok(one >= 6 && one <= 20, `${one}`);
    assert.ok((result.get('all') ?? 0) >= one);
  });

  it('says what is wrong with a malformed problem', () => {
    assert.throws(
      () => allocate({ circuits: [main(25)], chargers: [car('a', { circuit: 'x' })] }),
      /circuit: "x" — expected/,
    );
    assert.throws(() => allocate({ circuits: [main(25)], chargers: [car('a'), car('a')] }), /unique/);
    assert.throws(
      () => allocate({ circuits: [main(25)], chargers: [car('a', { max: Number.NaN })] }),
      /chargers.a.max/,
    );
    assert.throws(() => allocate({ circuits: [{ ...main(25), parent: 'main' }], chargers: [car('a')] }), /parent/);
  });

  it('never exceeds a circuit or group, and never lands in the dead band', () => {
    fc.assert(
      fc.property(problems({ priorities: 3, steps: true, minima: true, groups: true }), (problem) => {
        const result = currents(problem);
        for (const row of usage(problem, result))
          assert.ok(row.used <= row.limit + 1e-6, `${row.name}: ${row.used} > ${row.limit}`);
        for (const charger of problem.chargers) {
          const current = result.get(charger.id) ?? -1;
          assert.ok(
            current === 0 || (current >= charger.min - 1e-9 && current <= charger.max + 1e-9),
            `${charger.id}: ${current}`,
          );
        }
      }),
      runs,
    );
  });

  it('certificate: every admitted charger is at its maximum or has a full constraint on which nobody of its priority has more per weight', () => {
    fc.assert(
      fc.property(problems({ priorities: 2, steps: false, minima: true, groups: true }), (problem) => {
        const result = currents(problem);
        const rows = usage(problem, result);
        const per = (c: AllocationCharger) => (result.get(c.id) ?? 0) / (c.weight ?? 1);
        for (const charger of problem.chargers) {
          const current = result.get(charger.id) ?? 0;
          if (current === 0 || current >= charger.max - 1e-6) continue;
          const held = [...constraintsOf(problem, charger)].some((name) => {
            const row = rows.find((r) => r.name === name);
            if (!row || row.used < row.limit - 1e-4) return false;
            const rivals = problem.chargers.filter(
              (o) => constraintsOf(problem, o).has(name) && (o.priority ?? 0) <= (charger.priority ?? 0),
            );
            return rivals.every((o) => per(o) <= per(charger) + 1e-4 || (result.get(o.id) ?? 0) <= o.min + 1e-4);
          });
          assert.ok(held, `${charger.id} could have more`);
        }
      }),
      runs,
    );
  });

  it('does not depend on the order of the input', () => {
    fc.assert(
      fc.property(problems({ priorities: 2, steps: true, minima: true, groups: true }), (problem) => {
        const mixed = {
          ...problem,
          chargers: [...problem.chargers].reverse(),
          circuits: [...problem.circuits].reverse(),
        };
        const a = currents(problem);
        for (const [id, current] of currents(mixed)) assert.ok(Math.abs(current - (a.get(id) ?? -1)) < 1e-6, id);
      }),
      runs,
    );
  });

  it('raising a limit never makes the worst-off worse (one priority, continuous, no minima)', () => {
    fc.assert(
      fc.property(
        problems({ priorities: 1, steps: false, minima: false, groups: true }),
        fc.nat(5),
        fc.double({ min: 0.1, max: 30, noNaN: true }),
        (problem, index, more) => {
          const circuits = problem.circuits.map((c, i) =>
            i === index % problem.circuits.length ? { ...c, limit: c.limit.map((x) => x + more) as PerPhase } : c,
          );
          const sorted = (p: AllocationProblem) => {
            const result = currents(p);
            return p.chargers.map((c) => (result.get(c.id) ?? 0) / (c.weight ?? 1)).sort((x, y) => x - y);
          };
          const before = sorted(problem);
          const after = sorted({ ...problem, circuits });
          const first = before.findIndex((x, i) => Math.abs(x - after[i]) > 1e-5);
          assert.ok(first < 0 || after[first] > before[first], `${before} → ${after}`);
        },
      ),
      runs,
    );
  });
});
