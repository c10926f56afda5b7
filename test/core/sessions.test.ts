import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  averagePower,
  dayOf,
  isoWithOffset,
  isPeriod,
  mergePrices,
  priced,
  type SessionReport,
  zoneOffset,
} from '../../core/index.ts';
import { HOUR, Keeper, START, WORLD } from './keeper.ts';
import { type Meters, SessionPlant } from './session-plant.ts';

type Step =
  | { do: 'plug' | 'unplug' | 'restart' | 'lost' | 'heard' | 'rubbish' }
  | { do: 'charge' | 'wait'; minutes: number; watts: number; by?: SessionReport['stoppedBy'] };

type Charge = Extract<Step, { do: 'charge' | 'wait' }>;
const charging = (minutes: number, watts: number): Charge => ({ do: 'charge', minutes, watts });
/** Vehicles change while nobody hears it: what the one still takes, what the next one takes, and what happens meanwhile. */
const swap = fc
  .tuple(
    fc.integer({ min: 1, max: 90 }),
    fc.integer({ min: 10, max: 90 }),
    fc.subarray(['unplug', 'plug', 'restart'] as const),
  )
  .map(([first, second, also]): Step[] => [
    { do: 'plug' },
    charging(10, 7000),
    { do: 'lost' },
    charging(first, 5000),
    ...also.map((name) => ({ do: name })),
    charging(second, 9000),
    { do: 'heard' },
  ]);

/** One comes to an empty charger and goes again while nobody hears it; perhaps the next one is there when somebody does. */
const missed = fc
  .tuple(
    fc.integer({ min: 10, max: 90 }),
    fc.integer({ min: 1, max: 400 }),
    fc.subarray(['restart', 'plug'] as const),
    fc.integer({ min: 0, max: 90 }),
  )
  .map(([first, pause, also, second]): Step[] => [
    ...[{ do: 'unplug' } as const, { do: 'wait', minutes: 10, watts: 0 } as const],
    ...[{ do: 'lost' } as const, { do: 'plug' } as const, charging(first, 7000), { do: 'unplug' } as const],
    { do: 'wait', minutes: pause, watts: 0 },
    ...also.map((name) => ({ do: name })),
    ...(second > 0 ? [charging(second, 9000)] : []),
    { do: 'heard' },
  ]);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Step>({ do: 'plug' }, { do: 'unplug' }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Step>({ do: 'restart' }, { do: 'lost' }, { do: 'heard' }, { do: 'rubbish' }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('charge' as const, 'wait' as const),
      minutes: fc.integer({ min: 10, max: 90 }),
      watts: fc.integer({ min: 4000, max: 22_000 }),
      by: fc.constantFrom('user' as const, 'energy' as const, undefined),
    }),
  },
);
const steps = fc
  .array(fc.oneof({ weight: 8, arbitrary: step.map((s) => [s]) }, { weight: 1, arbitrary: fc.oneof(swap, missed) }), {
    maxLength: 24,
  })
  .map((list) => list.flat());
const RUBBISH: Partial<SessionReport>[] = [
  { energy: Number.NaN },
  { energy: -5 },
  { energy: 1e9 },
  { power: Number.POSITIVE_INFINITY },
  { register: -1 },
  { online: false, energy: 0, state: 'A' },
];

/**
 * Plays steps; a program that is lost hears nothing until it is back. Meanwhile vehicles change at most once, or one comes to
 * an empty charger and goes again, and perhaps the next one comes.
 */
function play(meters: Meters, steps: readonly Step[], period: number, keeper = new Keeper()) {
  const plant = new SessionPlant(meters);
  let now = START;
  let lost = false;
  /** A vehicle has come that nobody heard of. */
  let unknown = false;
  /** Nobody listens since before it came, and the register is to tell that it has gone again. */
  let mayMiss = false;
  const hear = () => {
    if (lost) return;
    keeper.hear(plant.report(), now);
    unknown = false;
    mayMiss = !plant.plugged && meters.register > 0;
  };
  const pass = (seconds: number) => {
    for (let left = seconds; left > 0; left -= period) {
      const span = Math.min(period, left);
      plant.flow(span);
      now += span * 1000;
      hear();
    }
  };
  hear();
  for (const s of steps) {
    now += 1000;
    if (s.do === 'lost') lost = true;
    if (s.do === 'heard') lost = false;
    // What a register tells is believed after 10 s.
    if (s.do === 'heard' && unknown) pass(30);
    if (s.do === 'restart') keeper.restart();
    // A program that has just started does not believe a cleared counter at once: values may come one by one.
    if (meters.clears && (s.do === 'plug' || s.do === 'unplug') && !lost) pass(15);
    // Without a register nobody can tell one vehicle from the next that got more.
    const silent = lost && ((unknown && !mayMiss) || meters.register === 0);
    if (s.do === 'plug' && !(lost && meters.register === 0) && !plant.plugged) {
      plant.plug(now);
      unknown = lost;
    }
    if (s.do === 'unplug' && !silent && plant.plugged) {
      plant.unplug(now);
      if (lost && unknown) mayMiss = false;
    }
    if (s.do === 'rubbish')
      for (const bad of RUBBISH) {
        const before = JSON.stringify(keeper.track);
        try {
          keeper.hear({ ...plant.report(), ...bad }, now);
        } catch (error) {
          assert.ok(error instanceof RangeError);
        }
        assert.equal(JSON.stringify(keeper.track), before);
      }
    hear();
    if (s.do === 'charge' || s.do === 'wait') {
      plant.power = plant.plugged && s.do === 'charge' ? s.watts : 0;
      plant.stoppedBy = plant.plugged && s.do === 'wait' ? s.by : undefined;
      pass(s.minutes * 60);
    }
  }
  lost = false;
  // A counter that has gone back is believed after 10 s.
  plant.power = 0;
  pass(30);
  return { keeper, plant, now };
}

const meters: fc.Arbitrary<Meters> = fc.record({
  counter: fc.constant(true),
  register: fc.constantFrom(0 as const, 1 as const, 100 as const),
  stale: fc.boolean(),
  clears: fc.boolean(),
});

/** Of both: sessions in which something flowed; a vehicle that took nothing leaves no trace where nobody listened. */
const energies = (list: readonly { energy: number }[]) => list.map((s) => s.energy).filter((energy) => energy >= 5);

describe('sessions', () => {
  it('none is lost, none doubled, and the energy is the plant’s, whatever is restarted and lost', () => {
    fc.assert(
      fc.property(meters, steps, fc.constantFrom(5, 10), (has, steps, period) => {
        const { keeper, plant } = play(has, steps, period);
        const [told, truth] = [energies(keeper.all()), energies(plant.truth)];
        const shown = JSON.stringify({ told, truth });
        assert.equal(told.length, truth.length, shown);
        // A register of 100 Wh cannot tell the last of a vehicle that nobody saw leaving more exactly.
        const most = has.register === 100 || has.clears ? 101 : 5;
        for (const [i, energy] of told.entries()) assert.ok(Math.abs(energy - truth[i]) <= most, shown);
        const ids = keeper.all().map(({ id }) => id);
        assert.equal(new Set(ids).size, ids.length, 'ids differ');
      }),
      { numRuns: 400 },
    );
  });

  it('times are in order, power fits the energy, and ended ones say why', () => {
    fc.assert(
      fc.property(meters, steps, (has, steps) => {
        const { keeper, now } = play(has, steps, 5);
        let before = 0;
        for (const s of keeper.all()) {
          assert.ok(s.start >= before && s.start <= now);
          assert.equal(s.startOffset, 60);
          if (s.end !== undefined) {
            assert.ok(s.end >= s.start && s.end <= now && s.endedBy !== undefined);
            assert.ok(s.chargingMs <= s.end - s.start, `${s.chargingMs} of ${s.end - s.start}`);
            before = s.end;
          }
          assert.ok(averagePower(s) <= s.peakPower + 1e-6 || s.peakPower === 0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('a charger without a counter is counted by its power, one with a register only by that', () => {
    const steps: Step[] = [{ do: 'plug' }, { do: 'charge', minutes: 60, watts: 11_000 }, { do: 'unplug' }];
    for (const register of [0, 1, 100] as const) {
      const has = { counter: false, register, stale: false, clears: false };
      const { keeper } = play(has, steps, 5);
      assert.equal(keeper.ended.length, 1);
      assert.ok(Math.abs(keeper.ended[0].energy - 11_000) <= 100, `${register}: ${keeper.ended[0].energy}`);
    }
  });

  it('charging in several goes is one session; pauses and being out of reach do not count as charging', () => {
    const { keeper } = play(
      { counter: true, register: 1, stale: false, clears: false },
      [
        { do: 'plug' },
        { do: 'charge', minutes: 30, watts: 11_000 },
        { do: 'wait', minutes: 60, watts: 4000 },
        { do: 'charge', minutes: 30, watts: 7000 },
        { do: 'lost' },
        { do: 'charge', minutes: 30, watts: 7000 },
        { do: 'heard' },
        { do: 'unplug' },
      ],
      5,
    );
    const [session, ...more] = keeper.ended;
    assert.deepEqual(more, []);
    assert.ok(Math.abs(session.energy - 12_500) <= 1);
    assert.ok(Math.abs(session.chargingMs - 1.5 * HOUR) <= 30_000, `${session.chargingMs}`);
    assert.equal(session.peakPower, 11_000);
    assert.ok(Math.abs(averagePower(session) - 12_500 / 1.5) < 60);
  });

  it('says why charging was over', () => {
    const report = (fields: Partial<SessionReport>): SessionReport => ({
      ...{ online: true, state: 'C', power: 3000, energy: 500, register: 1000, offer: 16 },
      ...fields,
    });
    const ends: [Partial<SessionReport>, string][] = [
      [{}, 'unplugged'],
      [{ state: 'B', power: 0 }, 'vehicle'],
      [{ state: 'B', power: 0, offer: 0 }, 'unplugged'],
      [{ state: 'B', power: 0, offer: 0, stoppedBy: 'user' }, 'user'],
      [{ state: 'B', power: 0, offer: 0, stoppedBy: 'energy' }, 'energy'],
      [{ state: 'B', power: 0, offer: 0, stoppedBy: 'device' }, 'device'],
      [{ state: 'F', power: 0, fault: 'residual current' }, 'fault'],
    ];
    for (const [last, cause] of ends) {
      const keeper = new Keeper();
      keeper.hear(report({}), START);
      keeper.hear(report(last), START + 5000);
      keeper.hear(report({ state: 'A', power: 0 }), START + 10_000);
      assert.equal(keeper.ended[0]?.endedBy, cause);
      assert.equal(keeper.ended[0]?.end, START + 10_000);
    }
    const keeper = new Keeper();
    keeper.hear(report({}), START);
    keeper.hear(report({ state: 'A', power: 0, energy: 2000, register: 2500 }), START + 5 * HOUR);
    assert.equal(keeper.ended[0].endedBy, 'unheard');
    assert.equal(keeper.ended[0].end, START + HOUR / 2, 'when it had what it got: 1.5 kWh at 3 kW');
  });

  it('a counter that reads less for a moment ends nothing', () => {
    const keeper = new Keeper();
    const report = { online: true, state: 'C' as const, power: 11_000, energy: 5000, register: 90_000, offer: 16 };
    keeper.hear(report, START);
    keeper.hear({ ...report, energy: 5015, register: 90_015 }, START + 5000);
    // A program that has just started knows the state first, the counters later.
    keeper.restart();
    keeper.hear({ ...report, energy: 0, power: 0, register: undefined }, START + 6000);
    keeper.hear({ ...report, energy: 0, state: 'A', power: 0, register: undefined }, START + 6001);
    keeper.hear({ ...report, energy: 5020, register: 90_020 }, START + 7000);
    assert.equal(keeper.ended.length, 0);
    assert.equal(keeper.track.open?.energy, 5020);
  });

  it('a counter that stays lower is another vehicle’s, also where no register tells more', () => {
    const keeper = new Keeper();
    const report = { online: true, state: 'C' as const, power: 11_000, energy: 5000, offer: 16 };
    keeper.hear(report, START);
    for (const seconds of [3600, 3605, 3611]) keeper.hear({ ...report, energy: seconds - 600 }, START + 1000 * seconds);
    const [first, second] = keeper.all();
    assert.deepEqual([first.energy, first.endedBy, first.end], [5000, 'unheard', START]);
    assert.deepEqual([second.energy, second.end], [3011, undefined]);
    // 3011 Wh at 11 kW.
    assert.equal(second.start, START + 3_611_000 - Math.round((3011 / 11_000) * HOUR));
  });

  it('another transaction is another session', () => {
    const keeper = new Keeper();
    const report = { online: true, state: 'C' as const, power: 3000, energy: 800, offer: 16, session: '1' };
    keeper.hear(report, START);
    keeper.hear({ ...report, energy: 900, session: '2' }, START + 5000);
    assert.deepEqual(
      keeper.all().map((s) => s.energy),
      [800, 900],
    );
  });

  it('energy costs what it costs at its time, also what flowed unheard', () => {
    const prices = [0, 1, 2].map((h) => ({
      start: START + h * HOUR,
      end: START + (h + 1) * HOUR,
      price: 0.1 * (h + 1),
    }));
    const keeper = new Keeper({ ...WORLD, prices });
    const report = { online: true, state: 'C' as const, power: 10_000, energy: 0, offer: 16 };
    keeper.hear(report, START);
    keeper.hear({ ...report, energy: 5000 }, START + HOUR / 2);
    keeper.hear({ ...report, energy: 15_000 }, START + 1.5 * HOUR);
    keeper.hear({ ...report, energy: 35_000 }, START + 3.5 * HOUR);
    const { cost, pricedEnergy } = keeper.all()[0];
    assert.ok(Math.abs(cost - (0.5 + 0.5 + 1 + 1 + 3)) < 1e-9, `${cost}`);
    assert.ok(Math.abs(pricedEnergy - 30_000) < 1e-6, 'nobody told the price of the last 5 kWh');
  });
});

describe('prices', () => {
  const list = (from: number, ...prices: number[]) =>
    prices.map((price, i) => ({ start: START + (from + i) * HOUR, end: START + (from + i + 1) * HOUR, price }));

  it('a new list replaces what it is about, and the past stays', () => {
    const before = list(0, 1, 2, 3, 4);
    const now = START + 1.5 * HOUR;
    const merged = mergePrices(before, list(1, 20, 30), now);
    assert.deepEqual(
      merged.map((p) => p.price),
      [1, 20, 30],
    );
    assert.deepEqual(mergePrices(merged, list(1, 20, 30), now), merged, 'a source that repeats itself');
    const later = mergePrices(merged, list(3, 40), now);
    assert.deepEqual(
      later.map((p) => [p.price, (p.end - START) / HOUR]),
      [
        [1, 1],
        [20, 1.5],
        [40, 4],
      ],
    );
  });

  it('are summed without overlaps, and a moment has one', () => {
    const overlapping = mergePrices([], [...list(0, 1), { start: START, end: START + 2 * HOUR, price: 5 }], START);
    assert.deepEqual(priced(1000, START, START + 2 * HOUR, overlapping), { cost: 3, energy: 1000 });
    assert.deepEqual(priced(1000, START, START, overlapping), { cost: 1, energy: 1000 });
    assert.deepEqual(priced(1000, START - HOUR, START - HOUR, overlapping), { cost: 0, energy: 0 });
  });
});

describe('calendar of sessions', () => {
  it('days and offsets are those of the site, over the changes of its clocks', () => {
    const summer = Date.UTC(2026, 9, 25, 0, 59, 59);
    assert.equal(zoneOffset(summer, 'Europe/Berlin'), 120);
    assert.equal(zoneOffset(summer + 1000, 'Europe/Berlin'), 60);
    assert.equal(zoneOffset(summer, 'Asia/Kolkata'), 330);
    assert.equal(zoneOffset(summer, 'America/St_Johns'), -150);
    assert.equal(isoWithOffset(summer, 120), '2026-10-25T02:59:59+02:00');
    assert.equal(isoWithOffset(summer, -150), '2026-10-24T22:29:59-02:30');
    assert.equal(dayOf(Date.UTC(2026, 11, 31, 23, 30), 60), '2027-01-01');
  });

  it('a period is a day, a month or a year that there is', () => {
    for (const good of ['2026', '2026-02', '2024-02-29']) assert.ok(isPeriod(good), good);
    for (const bad of ['', '26', '2026-13', '2026-02-30', '2026-2', '2026-02-01T', '%', '2026-02~'])
      assert.ok(!isPeriod(bad), bad);
  });
});
