import assert from 'node:assert/strict';
import { type AllocationCharger, type AllocationProblem, allocate } from '../../core/allocate.ts';
import type { PerPhase, Phase } from '../../core/units.ts';
import { check, RULES } from './allocation-rules.ts';
import { BROKEN } from './broken-allocators.ts';

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

  it('a tie between two unbalanced pairs of phases is not left to floating point (seed 292441186)', () => {
    const circuits = [{ id: 'c0', limit: [22.1, 22.1, 22.1] as PerPhase, maxUnbalance: 0 }];
    const one = (id: string, phases: Phase[], min: number, max: number, more = {}) => ({
      ...{ id, circuit: 'c0', phases, min, max },
      ...more,
    });
    const chargers = [
      one('x2', ['L1'], 0, 4.3),
      one('x3', ['L2'], 6, 6),
      one('x4', ['L2'], 8, 8),
      one('x5', ['L3', 'L1'], 0, 9.8, { weight: 0.5 }),
      one('x6', ['L3'], 0, 12.4),
      one('x8', ['L1', 'L2'], 8, 9, { step: 1 }),
    ];
    const result = currents({ circuits, chargers });
    const turned = currents({ circuits, chargers: chargers.toReversed() });
    for (const [id, current] of result) assert.ok(Math.abs(current - (turned.get(id) ?? -1)) < 1e-6, id);
    const sum = (phase: Phase) =>
      chargers.reduce((total, c) => total + (c.phases.includes(phase) ? (result.get(c.id) ?? 0) : 0), 0);
    for (const phase of ['L1', 'L2', 'L3'] as const) assert.ok(Math.abs(sum(phase) - 22) < 1e-6, `${sum(phase)}`);
  });

  it('what rounding leaves of a current does not choose who gives way (seed 794953230)', () => {
    const c0 = {
      id: 'c0',
      limit: [21.9, 24.9, 19.1] as PerPhase,
      load: [18.8, 15.9, 13.1] as PerPhase,
      maxUnbalance: 0.2,
    };
    const circuits = [c0, { id: 'c1', limit: [0, 0, 0] as PerPhase, parent: 'c0' }];
    const one = (id: string, phases: Phase[], min: number, max: number, more = {}) => ({
      ...{ id, circuit: 'c0', phases, min, max },
      ...more,
    });
    const chargers = [
      one('x0', ['L1', 'L2'], 0, 3.1, { priority: 1, groups: ['g1'] }),
      one('x1', ['L3', 'L1'], 0, 0.1, { priority: 1, circuit: 'c1' }),
      one('x4', ['L3'], 6, 6, { priority: 1 }),
      one('x6', ['L2'], 6, 6),
      one('x7', ['L1'], 0, 2.9),
    ];
    const problem = { circuits, groups: [{ id: 'g1', limit: 1380 }], admission: 'strict' as const };
    const result = currents({ ...problem, chargers });
    const turned = currents({ ...problem, chargers: chargers.toReversed() });
    for (const { id } of chargers)
      assert.ok(Math.abs((result.get(id) ?? -1) - (turned.get(id) ?? -1)) < 1e-6, `${id}: ${result.get(id)}`);
    assert.ok(Math.abs((result.get('x4') ?? 0) - 6) < 1e-6);
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

  it('keeps what rounding down leaves, or hands it out in whole steps where that is asked for', () => {
    const chargers = [car('a'), car('b'), car('c')];
    assert.deepEqual([...currents({ circuits: [main(20)], chargers }).values()], [6, 6, 6]);
    assert.deepEqual([...currents({ circuits: [main(20)], chargers, remainders: 'hand-out' }).values()], [7, 7, 6]);
  });

  it('balances: a car on another phase makes room', () => {
    const circuits = [{ ...main(32), maxUnbalance: 10 }];
    const one = (id: string, phase: Phase, max: number) => car(id, { phases: [phase], min: 0, max, step: undefined });
    const chargers = [
      one('a', 'L1', 10),
      one('b', 'L1', 10),
      one('c', 'L1', 10),
      one('x', 'L2', 32),
      one('y', 'L3', 32),
    ];
    const result = currents({ circuits, chargers });
    for (const id of ['a', 'b', 'c'])
      assert.ok(Math.abs((result.get(id) ?? 0) - 10) < 1e-6, `${id}: ${result.get(id)}`);
    assert.ok(Math.abs((result.get('x') ?? 0) - 32) < 1e-6 && Math.abs((result.get('y') ?? 0) - 32) < 1e-6);
  });

  for (const rule of Object.values(RULES)) it(rule.name, () => check(rule, 2000, allocate));

  describe('the rules can fail: each of these is caught', () => {
    for (const [rule, broken] of Object.entries(BROKEN))
      for (const [name, solve] of Object.entries(broken))
        it(`${rule}: ${name}`, () => assert.throws(() => check(RULES[rule as keyof typeof RULES], 2000, solve)));
  });
});
