import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type AllocationCircuit, allocate } from '../../core/allocate.ts';
import {
  type Contender,
  POLICIES,
  type PolicyName,
  type Price,
  type Situation,
  underPolicy,
} from '../../core/policies.ts';
import { generateMonth, replayMonth, scheduleBy } from '../../simulator/month.ts';
import { createRandom } from '../../simulator/random.ts';
import { edf, fcfs } from '../../simulator/schedulers.ts';
import { problems, usage } from './problems.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 12, 18);
const NAMES = Object.keys(POLICIES) as PolicyName[];
const main = (limit: number): AllocationCircuit => ({ id: 'main', limit: [limit, limit, limit] });

/** A single-phase 16 A charger at 230 V: 3.68 kW; what the vehicle tells in Wh, hours from now and hours ago. */
function car(id: string, more: { wh?: number; leavesIn?: number; here?: number } & Partial<Contender> = {}): Contender {
  const { wh, leavesIn, here = 1, ...fields } = more;
  return {
    id,
    circuit: 'main',
    phases: ['L1'],
    min: 6,
    max: 16,
    step: 1,
    pluggedSince: NOW - here * HOUR,
    energyRemaining: wh,
    departure: leavesIn === undefined ? undefined : NOW + leavesIn * HOUR,
    ...fields,
  };
}

/** The currents under a policy on one circuit, by id. */
function currents(
  name: PolicyName,
  limit: number,
  chargers: Contender[],
  situation: Partial<Situation> = {},
): Record<string, number> {
  const problem = { circuits: [main(limit)], chargers };
  const { setpoints } = allocate(underPolicy(POLICIES[name], problem, { now: NOW, ...situation }));
  return Object.fromEntries(setpoints.map((s) => [s.id, s.current]));
}

describe('policies', () => {
  describe('equal', () => {
    it('divides evenly, whatever the classes and what is known', () => {
      const cars = [car('a', { priority: 5, leavesIn: 1, wh: 3000 }), car('b', { soc: 5 }), car('c')];
      assert.deepEqual(currents('equal', 24, cars), { a: 8, b: 8, c: 8 });
    });

    it('keeps the given turn where not everybody can have the minimum', () => {
      assert.deepEqual(currents('equal', 8, [car('a', { order: 1 }), car('b', { order: 0 })]), { a: 0, b: 8 });
    });
  });

  describe('priority', () => {
    it('lifts the higher class first, and leaves the lower its minimum', () => {
      assert.deepEqual(currents('priority', 24, [car('a'), car('b', { priority: 1 })]), { a: 8, b: 16 });
    });
  });

  describe('first-come', () => {
    it('serves the earlier fully first', () => {
      const cars = [car('late', { here: 1 }), car('early', { here: 3 })];
      assert.deepEqual(currents('first-come', 20, cars), { late: 0, early: 16 });
      assert.deepEqual(currents('first-come', 24, cars), { late: 8, early: 16 });
    });

    it('takes an unknown plug-in time for the earliest', () => {
      const cars = [car('known', { here: 9 }), car('unknown', { pluggedSince: undefined })];
      assert.deepEqual(currents('first-come', 16, cars), { known: 0, unknown: 16 });
    });

    it('works inside the classes', () => {
      const cars = [car('early', { here: 3 }), car('vip', { here: 1, priority: 1 })];
      assert.deepEqual(currents('first-come', 16, cars), { early: 0, vip: 16 });
    });
  });

  describe('soc', () => {
    it('gives the emptier more, and admits it first', () => {
      const cars = [car('full', { soc: 80 }), car('empty', { soc: 40 })];
      assert.deepEqual(currents('soc', 24, cars), { full: 6 + 2, empty: 16 });
      assert.deepEqual(currents('soc', 8, cars), { full: 0, empty: 8 });
    });

    it('puts a critical battery before everybody, whatever the class', () => {
      const cars = [car('vip', { soc: 30, priority: 9 }), car('critical', { soc: 19 })];
      assert.deepEqual(currents('soc', 20, cars), { vip: 0, critical: 16 });
      assert.deepEqual(currents('soc', 20, cars, { criticalSoc: 10 }), { vip: 16, critical: 0 });
    });

    it('counts an unknown battery as the mean of the known, never as critical', () => {
      const cars = [car('known', { soc: 60, max: 32 }), car('unknown', { max: 32 })];
      assert.deepEqual(currents('soc', 24, cars), { known: 12, unknown: 12 });
      const critical = [car('known', { soc: 10 }), car('unknown')];
      assert.deepEqual(currents('soc', 16, critical), { known: 16, unknown: 0 });
    });

    it('is even where nobody tells', () => {
      assert.deepEqual(currents('soc', 24, [car('a'), car('b')]), { a: 12, b: 12 });
    });
  });

  describe('departure', () => {
    it('serves the earlier departure fully first', () => {
      const cars = [car('late', { leavesIn: 9, wh: 9000 }), car('soon', { leavesIn: 5, wh: 9000 })];
      assert.deepEqual(currents('departure', 20, cars), { late: 0, soon: 16 });
    });

    it('puts a vehicle that must charge now before an earlier departure', () => {
      const soon = car('soon', { leavesIn: 3, wh: 3680 });
      const noLaxity = car('noLaxity', { leavesIn: 4, wh: 4 * 3680 });
      assert.deepEqual(currents('departure', 16, [soon, noLaxity]), { soon: 0, noLaxity: 16 });
      const relaxed = car('noLaxity', { leavesIn: 4.1, wh: 4 * 3680 });
      assert.deepEqual(currents('departure', 16, [soon, relaxed]), { soon: 16, noLaxity: 0 });
    });

    it('counts laxity with what the circuit carries, not with what the vehicle could take', () => {
      const soon = car('soon', { leavesIn: 3, wh: 1000 });
      const slow = car('slow', { leavesIn: 4, wh: 4 * 8 * 230 });
      assert.deepEqual(currents('departure', 8, [soon, slow]), { soon: 0, slow: 8 });
    });

    it('puts who has what it asked for last', () => {
      const cars = [car('done', { leavesIn: 1, wh: 0 }), car('later', { leavesIn: 9, wh: 5000 })];
      assert.deepEqual(currents('departure', 16, cars), { done: 0, later: 16 });
    });

    it('takes an unknown departure for eight hours after plug-in, and for urgent after that', () => {
      const known = car('known', { leavesIn: 5, wh: 5000 });
      const fresh = car('unknown', { here: 1, wh: 5000 });
      const patient = car('unknown', { here: 7, wh: 3000 });
      const overdue = car('unknown', { here: 20, wh: 5000 });
      assert.deepEqual(currents('departure', 16, [known, fresh]), { known: 16, unknown: 0 });
      assert.deepEqual(currents('departure', 16, [known, patient]), { known: 0, unknown: 16 });
      assert.deepEqual(currents('departure', 16, [known, overdue]), { known: 0, unknown: 16 });
    });

    it('takes an unknown energy for the mean of the known', () => {
      const cars = [car('told', { leavesIn: 6, wh: 3 * 3680 }), car('silent', { leavesIn: 3 })];
      assert.deepEqual(currents('departure', 16, cars), { told: 0, silent: 16 });
    });
  });

  describe('most-vehicles', () => {
    it('gives up the one large demand for two small ones, which EDF would not', () => {
      const large = car('large', { leavesIn: 3, wh: 3 * 3680 });
      const small = [1, 2].map((i) => car(`small${i}`, { leavesIn: 3.1, wh: 1.4 * 3680 }));
      assert.deepEqual(currents('departure', 16, [large, ...small]), { large: 16, small1: 0, small2: 0 });
      assert.deepEqual(currents('most-vehicles', 16, [large, ...small]), { large: 0, small1: 16, small2: 0 });
    });

    it('leaves the rest to who was not promised anything', () => {
      const cars = [car('large', { leavesIn: 1, wh: 9000 }), car('small', { leavesIn: 3, wh: 3000 })];
      assert.deepEqual(currents('most-vehicles', 26, cars), { large: 10, small: 16 });
    });

    it('knows that one circuit can keep two promises only one after the other', () => {
      const cars = [car('a', { leavesIn: 2, wh: 2 * 3680 }), car('b', { leavesIn: 4, wh: 2 * 3680 })];
      assert.deepEqual(currents('most-vehicles', 16, [...cars, car('c', { leavesIn: 1.5, wh: 5500 })]), {
        a: 0,
        b: 0,
        c: 16,
      });
      assert.deepEqual(currents('most-vehicles', 16, cars), { a: 16, b: 0 });
    });
  });

  describe('tariff', () => {
    /** 30 ct until 22:00, 10 ct until 02:00, 20 ct until 06:00, 30 ct until 18:00. */
    const prices: Price[] = [
      { start: NOW, end: NOW + 4 * HOUR, price: 0.3 },
      { start: NOW + 4 * HOUR, end: NOW + 8 * HOUR, price: 0.1 },
      { start: NOW + 8 * HOUR, end: NOW + 12 * HOUR, price: 0.2 },
      { start: NOW + 12 * HOUR, end: NOW + 24 * HOUR, price: 0.3 },
    ];

    /** Hours from now in which a vehicle charged, and what it lacks when it leaves, Wh; in steps of 15 min. */
    function night(limit: number, cars: Contender[], until: number) {
      const hours = new Map<string, number[]>(cars.map((c) => [c.id, []]));
      const missing = new Map(cars.map((c) => [c.id, c.energyRemaining ?? 0]));
      for (let at = 0; at < until; at += 0.25) {
        const now = NOW + at * HOUR;
        const here = cars
          .map((c) => ({ ...c, energyRemaining: missing.get(c.id) }))
          .filter((c) => (c.departure ?? now + 1) > now && (missing.get(c.id) ?? 0) > 0);
        const offers = currents('tariff', limit, here, { now, prices, round: HOUR / 4 });
        for (const { id } of here) {
          if (offers[id] === 0) continue;
          hours.get(id)?.push(at);
          missing.set(id, Math.max(0, (missing.get(id) ?? 0) - offers[id] * 230 * 0.25));
        }
      }
      return { hours, missing };
    }

    it('waits for the cheapest hours that are enough', () => {
      const { hours, missing } = night(16, [car('a', { leavesIn: 14, wh: 3 * 3680 })], 14);
      assert.equal(missing.get('a'), 0);
      assert.deepEqual([hours.get('a')?.at(0), hours.get('a')?.at(-1)], [4, 6.75]);
    });

    it('takes the next cheapest where the cheapest are not enough', () => {
      const { hours, missing } = night(16, [car('a', { leavesIn: 13, wh: 6 * 3680 })], 13);
      assert.equal(missing.get('a'), 0);
      assert.deepEqual([hours.get('a')?.at(0), hours.get('a')?.at(-1)], [4, 9.75]);
    });

    it('is ready in time although it is dear', () => {
      const { missing } = night(16, [car('a', { leavesIn: 3, wh: 2.5 * 3680 })], 3);
      assert.equal(missing.get('a'), 0);
    });

    it('shares out the cheap hours that a circuit has: who leaves later moves to the next', () => {
      const cars = [car('a', { leavesIn: 9, wh: 4 * 3680 }), car('b', { leavesIn: 13, wh: 3 * 3680 })];
      const { hours, missing } = night(16, cars, 13);
      assert.deepEqual([...missing.values()], [0, 0]);
      assert.ok((hours.get('a')?.at(0) ?? 0) >= 4 && (hours.get('b')?.at(0) ?? 0) >= 4);
    });

    it('does not hold back who cannot be ready, or does not tell', () => {
      const cars = [car('hopeless', { leavesIn: 1, wh: 9000 }), car('silent'), car('noEnergy', { leavesIn: 12 })];
      assert.deepEqual(currents('tariff', 48, cars, { prices }), { hopeless: 16, silent: 16, noEnergy: 16 });
    });

    it('is equal without a price for now', () => {
      const cars = [car('a', { leavesIn: 12, wh: 3000 }), car('b')];
      for (const known of [undefined, [], prices.slice(1)])
        assert.deepEqual(currents('tariff', 24, cars, { prices: known }), { a: 12, b: 12 });
    });
  });

  describe('all', () => {
    /** What may be known of a vehicle, or not. */
    const knowledge = fc.record(
      {
        pluggedSince: fc.integer({ min: -30, max: 0 }).map((h) => NOW + h * HOUR),
        departure: fc.integer({ min: -2, max: 30 }).map((h) => NOW + h * HOUR),
        energyRemaining: fc.integer({ min: 0, max: 60_000 }),
        soc: fc.integer({ min: 0, max: 100 }),
      },
      { requiredKeys: [] },
    );
    const prices = fc
      .array(fc.integer({ min: -5, max: 50 }), { maxLength: 12 })
      .map((list) => list.map((price, h) => ({ start: NOW + h * HOUR, end: NOW + (h + 1) * HOUR, price })));

    it('change nothing about what is safe: every circuit, minimum and maximum is kept', () => {
      fc.assert(
        fc.property(
          problems({ priorities: 3, steps: true, minima: true, groups: true }),
          fc.array(knowledge, { minLength: 9, maxLength: 9 }),
          prices,
          fc.constantFrom(...NAMES),
          (problem, known, list, name) => {
            const chargers = problem.chargers.map((c, i) => ({ ...c, ...known[i] }));
            const ruled = underPolicy(POLICIES[name], { ...problem, chargers }, { now: NOW, prices: list });
            const current = new Map(allocate(ruled).setpoints.map((s) => [s.id, s.current]));
            for (const row of usage(problem, current)) assert.ok(row.used <= row.limit + 1e-5, `${name}: ${row.name}`);
            for (const charger of problem.chargers) {
              const x = current.get(charger.id) ?? Number.NaN;
              assert.ok(x === 0 || (x >= charger.min - 1e-6 && x <= charger.max + 1e-6), `${name}: ${charger.id} ${x}`);
            }
            assert.deepEqual([ruled.circuits, ruled.groups], [problem.circuits, problem.groups]);
          },
        ),
        { numRuns: 1000 },
      );
    });

    for (const name of NAMES) {
      it(`${name} starves nobody of whom it knows nothing`, () => {
        const rivals = [
          car('rival1', { leavesIn: 4, wh: 7000, soc: 40 }),
          car('rival2', { leavesIn: 6, wh: 7000, soc: 60 }),
        ];
        const missing = new Map<string, number>([...rivals.map((c) => [c.id, 7000] as const), ['silent', 8000]]);
        for (let at = 0; at < 24 && (missing.get('silent') ?? 0) > 0; at += 0.25) {
          const cars = [...rivals, car('silent')].filter((c) => (missing.get(c.id) ?? 0) > 0);
          const told = cars.map((c) => (c.id === 'silent' ? c : { ...c, energyRemaining: missing.get(c.id) }));
          const offers = currents(name, 16, told, { now: NOW + at * HOUR });
          for (const { id } of cars) missing.set(id, (missing.get(id) ?? 0) - offers[id] * 230 * 0.25);
        }
        assert.ok((missing.get('silent') ?? 0) <= 0);
      });
    }

    it('do not depend on the order of the chargers', () => {
      const cars = [
        car('a', { leavesIn: 5, wh: 5000 }),
        car('b', { leavesIn: 5, wh: 5000 }),
        car('c', { soc: 5 }),
        car('d'),
      ];
      for (const name of NAMES) assert.deepEqual(currents(name, 26, cars), currents(name, 26, cars.toReversed()), name);
    });
  });

  describe('a generated month', function () {
    this.timeout(60_000);
    const data = generateMonth(createRandom(7), 7);
    const replay = (scheduler: Parameters<typeof replayMonth>[2], wholeAmperes = false) =>
      replayMonth(data, { capKw: 25, wholeAmperes }, scheduler);
    const under = (name: PolicyName, wholeAmperes = false) => replay(scheduleBy(POLICIES[name]), wholeAmperes);

    for (const wholeAmperes of [false, true]) {
      const currents = wholeAmperes ? 'whole amperes' : 'any current';
      it(`${currents}: most vehicles leave ready under most-vehicles, and departure beats plain EDF`, () => {
        const plain = replay(edf, wholeAmperes);
        const departure = under('departure', wholeAmperes);
        assert.ok(departure.met > plain.met && departure.energy > plain.energy - 0.002);
        assert.ok(under('most-vehicles', wholeAmperes).met > departure.met);
      });

      it(`${currents}: no circuit is exceeded and no current that somebody could use is left`, () => {
        for (const name of ['first-come', 'departure', 'most-vehicles'] as const) {
          const { excess, idle } = under(name, wholeAmperes);
          assert.ok(excess <= 1e-6, `${name}: ${excess} A too much`);
          assert.equal(idle, 0, name);
        }
      });
    }

    it('first-come is the plain scheduler of that name', () => {
      const { energy, met } = under('first-come');
      const plain = replay(fcfs);
      assert.ok(Math.abs(energy - plain.energy) < 1e-6);
      assert.equal(met, plain.met);
    });

    it('equal is the fairest among those that know no departure', () => {
      assert.ok(under('equal').jain > under('first-come').jain + 0.05);
    });
  });
});
