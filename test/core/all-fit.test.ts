/** The short cut for the usual case that there is room for everybody: it must say nothing that the allocator would not. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { allocate } from '../../core/allocate.ts';
import { allFit } from '../../core/booked.ts';
import { innerOf, tree } from '../../core/circuit-plan.ts';
import {
  type ChargerConfig,
  createController,
  decide,
  onCharger,
  onLimit,
  onMeter,
  type PerPhase,
} from '../../core/index.ts';
import type { Part } from '../../core/part.ts';
import { type Plan, plan, type Solution } from '../../core/plan.ts';
import { placesOf } from '../../core/turns.ts';
import { watch } from '../../core/watch.ts';
import { charger, HOME } from './mini-site.ts';

const amps = (max: number) => fc.integer({ min: 0, max: max * 10 }).map((x) => x / 10);
const seldom = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const site = fc.record({
  rating: fc.integer({ min: 40, max: 250 }),
  feeder: fc.integer({ min: 16, max: 125 }),
  maxUnbalance: seldom(fc.integer({ min: 5, max: 30 })),
  load: fc.tuple(amps(40), amps(40), amps(40)),
  booked: fc.tuple(amps(20), amps(20)),
  current: seldom(amps(80)),
  power: seldom(amps(3000).map((x) => x * 10)),
  chargers: fc.array(
    fc.record({
      below: fc.boolean(),
      rotation: fc.constantFrom<ChargerConfig['rotation']>(['L1'], ['L2', 'L3', 'L1'], ['L3']),
      max: fc.integer({ min: 6, max: 32 }),
      step: fc.constantFrom(undefined, 0.1, 1),
      offer: fc.integer({ min: 6, max: 16 }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
});
type Site = typeof site extends fc.Arbitrary<infer T> ? T : never;

/** The same round by the short cut and by the allocator. */
function both({ rating, feeder, maxUnbalance, load, booked, current, power, chargers }: Site): {
  short?: Solution;
  full: Solution;
} {
  const configs = chargers.map(({ below, rotation, max, step }, i) =>
    charger(`c${i}`, { circuit: below ? 'feeder' : 'main', rotation, max, step, safe: 0 }),
  );
  const root = { ...HOME, rating, margin: 0, maxUnbalance };
  const circuits = [root, { ...root, id: 'feeder', parent: 'main', meter: undefined, rating: feeder }];
  const controller = createController({ circuits, chargers: configs, voltage: 230 }, {}, 0);
  onMeter(controller, 'grid', { current: load }, 100);
  for (const [i, { offer }] of chargers.entries())
    onCharger(controller, `c${i}`, { online: true, state: 'B', current: [0, 0, 0], offer }, 100);
  if (power !== undefined) onLimit(controller, 'main', 'grid', { power, validFor: 60, onExpiry: 'release' }, 100);
  if (current !== undefined)
    onLimit(
      controller,
      'feeder',
      'guard',
      { current: [current, current, current], validFor: 60, onExpiry: 'release' },
      100,
    );
  decide(controller, 200);
  const now = 300;
  const round: Plan = plan(controller, watch(controller, now), now);
  const parts = [...round.parts];
  const cap = (part: Part) => part.track.config.max;
  const perPhase = (a: number): PerPhase => [a, a, a];
  const sums = new Map([
    ['main', perPhase(booked[0] + booked[1])],
    ['feeder', perPhase(booked[1])],
  ]);
  const solution: Solution = new Map();
  const places = placesOf(controller, round.circuits, parts, now);
  const short = allFit(
    { controller, circuits: round.circuits, parts, ...places, now },
    'high',
    parts,
    cap,
    sums,
    solution,
  );
  const problem = tree(round.circuits, 'high', sums, 230);
  problem.chargers = configs.map(({ id, circuit, rotation, min, max, step = 1 }) => ({
    ...{ id, circuit: innerOf(round.circuits, circuit), phases: rotation, min, max, step, voltage: 230 },
    groups: power === undefined ? [] : ['main'],
  }));
  const full = new Map(allocate(problem).setpoints.map((s) => [s.id, s]));
  return { short: short ? solution : undefined, full };
}

describe('room for everybody', () => {
  it('is told only where the allocator gives everybody the same', () => {
    let short = 0;
    fc.assert(
      fc.property(site, (random) => {
        const answer = both(random);
        if (!answer.short) return;
        short += 1;
        for (const [id, { current, binding }] of answer.short) {
          const { current: most, binding: why } = answer.full.get(id) ?? {};
          assert.deepEqual([id, current, binding], [id, most, why]);
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
    assert.ok(short > 100 && short < 900, `${short} of 1000`);
  });
});
