/** The commissioning check on homes in virtual time, device by device: what is wired wrongly is named, what is right passes. */
import assert from 'node:assert/strict';
import type { CheckView } from '../../core/index.ts';
import { onRequest } from '../../core/index.ts';
import { CheckHome, type CheckHomeOptions } from '../../simulator/check-home.ts';
import { houseDay, showcaseDay } from '../../simulator/house.ts';
import { clampsApart, clampsOn } from '../../simulator/wiring.ts';
import { goThrough, type Habits, START, said, verdict } from './electrician.ts';

const ONE_PHASE = { phases: ['L1' as const] };
const METER = {
  order: 'proven order-proven',
  sign: 'proven sign-proven',
  includes: 'proven includes-proven',
  amount: 'proven amount-proven',
};
const CHARGER = { phases: 'proven phases-first', obeys: 'proven obeys-proven' };
const ALIKE = { ...CHARGER, phases: 'not-proven phases-alike' };

/** Runs the whole check on a home. */
function checked(options: CheckHomeOptions, habits: Habits = {}): { home: CheckHome; view: CheckView } {
  const home = new CheckHome(options);
  home.run(12);
  home.command(START);
  return { home, view: goThrough(home, habits) };
}

interface Plant {
  name: string;
  options: CheckHomeOptions;
  habits?: Habits;
  meter: Record<string, string>;
  charger: Record<string, string>;
  /** What must stand in a sentence or a remedy. */
  args?: [check: Parameters<typeof verdict>[2], args: Record<string, unknown>, remedy?: string];
}

const PLANTS: Plant[] = [
  { name: 'a right one, one-phase car', options: { vehicle: ONE_PHASE }, meter: METER, charger: CHARGER },
  {
    name: 'a right one, three-phase car: all rise alike',
    options: {},
    meter: METER,
    charger: ALIKE,
    args: ['phases', { phases: 'L1, L2, L3' }, 'do-one-phase'],
  },
  {
    name: 'a right one that can be switched to one phase',
    options: { phaseSwitching: true },
    meter: METER,
    charger: CHARGER,
  },
  {
    name: 'a right one, go-e of API v1 that reports every 5 s',
    options: { api: 'v1', vehicle: ONE_PHASE },
    meter: METER,
    charger: CHARGER,
  },
  {
    name: 'a right one, Shelly of generation 2',
    options: { generation: 2, vehicle: ONE_PHASE },
    meter: METER,
    charger: CHARGER,
  },
  {
    name: 'a right one, meter and charger every 4 and 5 s',
    options: { api: 'v1', meterPeriod: 4, vehicle: ONE_PHASE },
    meter: METER,
    charger: CHARGER,
  },
  {
    name: 'two swapped channels',
    options: { clamps: clampsOn('L2', 'L1', 'L3') },
    meter: { ...METER, order: 'wrong order-swapped' },
    charger: ALIKE,
    args: ['order', { a: 'L1', b: 'L2' }, 'do-swap-or-rename L1, L2 L2, L1, L3'],
  },
  {
    name: 'two swapped channels and a one-phase car',
    options: { clamps: clampsOn('L2', 'L1', 'L3'), vehicle: ONE_PHASE },
    meter: { ...METER, order: 'wrong order-swapped' },
    charger: CHARGER,
  },
  {
    name: 'three rotated channels',
    options: { clamps: clampsOn('L2', 'L3', 'L1') },
    meter: { ...METER, order: 'wrong order-wrong' },
    charger: ALIKE,
    args: ['order', { shown: 'L1 → L3, L2 → L1, L3 → L2' }, 'do-swap-or-rename L1, L2, L3 L2, L3, L1'],
  },
  {
    name: 'two clamps swapped without their voltages: half the power, the wrong sign',
    options: { clamps: clampsApart('L2', 'L1', 'L3') },
    meter: { ...METER, order: 'wrong order-swapped', sign: 'not-proven sign-partly' },
    charger: ALIKE,
    args: ['order', { a: 'L1', b: 'L2' }, 'do-move-clamps L1, L2'],
  },
  {
    name: 'the same without a known load: the power factor tells',
    options: { clamps: clampsApart('L2', 'L1', 'L3') },
    habits: { skips: (step) => step.code.startsWith('load') },
    meter: { ...METER, order: 'wrong order-clamps', sign: 'not-proven sign-partly' },
    charger: ALIKE,
    args: ['order', { phases: 'L1, L2' }, 'do-move-clamps L1, L2'],
  },
  {
    name: 'a reversed transformer',
    options: { clamps: [{ phase: 'L1' }, { phase: 'L2', reversed: true }, { phase: 'L3' }], vehicle: ONE_PHASE },
    meter: { ...METER, sign: 'wrong sign-reversed' },
    charger: CHARGER,
    args: ['sign', { phases: 'L2', meter: 'grid' }, 'do-turn-clamps L2'],
  },
  {
    name: 'a transformer of half the ratio',
    options: { clamps: [{ phase: 'L1', ratio: 0.5 }, { phase: 'L2' }, { phase: 'L3' }] },
    meter: { ...METER, amount: 'wrong amount-wrong' },
    charger: ALIKE,
  },
  {
    name: 'a clamp that is not plugged in',
    options: { clamps: [{ phase: 'L1' }, { phase: 'L2', ratio: 0 }, { phase: 'L3' }] },
    meter: {
      ...METER,
      order: 'not-proven order-unseen',
      sign: 'not-proven sign-partly',
      includes: 'wrong includes-dead',
    },
    charger: { ...CHARGER, phases: 'not-proven phases-or-meter' },
    args: ['includes', { phases: 'L2', charger: 'wallbox' }, 'do-check-clamps L2'],
  },
  {
    name: 'a rotated charger and a one-phase car',
    options: { wired: ['L2', 'L3', 'L1'], vehicle: { phases: ['L2'] } },
    meter: METER,
    charger: { ...CHARGER, phases: 'wrong phases-wrong' },
    args: ['phases', { reported: 'L1', shown: 'L2' }, 'do-turn-rotation L2,L3,L1'],
  },
  {
    name: 'a rotated charger that can be switched to one phase',
    options: { wired: ['L3', 'L1', 'L2'], phaseSwitching: true },
    meter: METER,
    charger: { ...CHARGER, phases: 'wrong phases-wrong' },
    args: ['phases', { reported: 'L1', shown: 'L3' }, 'do-turn-rotation L3,L1,L2'],
  },
  {
    name: 'a rotated charger without a known load: the charger or the meter',
    options: { wired: ['L2', 'L3', 'L1'], vehicle: { phases: ['L2'] } },
    habits: { skips: (step) => step.code.startsWith('load') },
    meter: { ...METER, order: 'not-proven order-or-charger', sign: 'not-proven sign-partly' },
    charger: { ...CHARGER, phases: 'not-proven phases-or-meter' },
    args: ['order', { charger: 'wallbox', reported: 'L1', shown: 'L2' }, 'do-load-test'],
  },
  {
    name: 'a meter without the charger that should measure it',
    options: { measures: 'house', vehicle: ONE_PHASE },
    meter: { order: METER.order, sign: METER.sign, includes: 'wrong includes-wrong' },
    charger: { ...CHARGER, phases: 'not-proven phases-unseen' },
    args: ['includes', { chargers: 'wallbox' }, 'do-exclude grid main'],
  },
  {
    name: 'a meter with the charger that should not measure it',
    options: { includesChargers: false, vehicle: ONE_PHASE },
    meter: { order: METER.order, sign: METER.sign, includes: 'wrong excludes-wrong' },
    charger: CHARGER,
    args: ['includes', { chargers: 'wallbox' }, 'do-include grid main'],
  },
  {
    name: 'a meter without the charger, as configured',
    options: { measures: 'house', includesChargers: false },
    meter: { order: METER.order, sign: METER.sign, includes: 'proven excludes-proven' },
    charger: { ...CHARGER, phases: 'not-proven phases-no-meter' },
  },
  {
    name: 'a car with a maximum of 6 A: less than that was not seen',
    options: { vehicle: { ...ONE_PHASE, maxCurrent: 6 } },
    meter: METER,
    charger: { ...CHARGER, obeys: 'not-proven obeys-stop-only' },
  },
  {
    name: 'a car that follows after 11 s only',
    options: { vehicle: { ...ONE_PHASE, lag: [11, 11.5] } },
    meter: METER,
    charger: { ...CHARGER, obeys: 'wrong obeys-slowly' },
  },
];

describe('commissioning check', function () {
  this.timeout(120_000);

  for (const { name, options, habits, meter, charger, args } of PLANTS) {
    it(name, () => {
      const { home, view } = checked(options, habits);
      assert.deepEqual(said(view, 'grid'), meter);
      assert.deepEqual(said(view, 'wallbox'), charger);
      if (args) {
        const found = verdict(view, ['phases', 'obeys'].includes(args[0]) ? 'wallbox' : 'grid', args[0]);
        for (const [key, value] of Object.entries(args[1])) assert.equal(found.args[key], value);
        const { code, args: more } = found.remedy ?? { code: '', args: {} };
        if (args[2]) assert.equal([code, ...Object.values(more)].join(' '), args[2]);
      }
      // The lowered maximum is taken back, and nobody was asked for anything else.
      home.run(10);
      assert.deepEqual(home.controller.chargers.get('wallbox')?.request, {});
      assert.equal(home.kept?.running, false);
      assert.deepEqual(home.kept?.wishes, {});
    });
  }

  it('a charger that takes no set-point', () => {
    const home = new CheckHome({ vehicle: ONE_PHASE });
    home.run(30);
    home.goE.writesRefused = true;
    home.command(START);
    const view = goThrough(home);
    assert.equal(said(view, 'grid').order, METER.order);
    assert.deepEqual(said(view, 'wallbox'), {
      phases: 'not-proven phases-not-checked',
      obeys: 'wrong ignores-setpoint',
    });
    const { args } = verdict(view, 'wallbox', 'obeys');
    assert.deepEqual(args, { setpoint: 0, offer: 16, current: 15.8 });
  });

  it('a vehicle that ignores what it is offered', () => {
    const home = new CheckHome({ vehicle: ONE_PHASE });
    // It comes to its full current and hears nothing from then on.
    home.run(40);
    home.vehicle.offer = () => {};
    home.command(START);
    const view = goThrough(home);
    assert.equal(said(view, 'wallbox').obeys, 'wrong ignores-offer');
    assert.deepEqual(verdict(view, 'wallbox', 'obeys').remedy?.code, 'do-other-vehicle');
  });

  it('a restless house gives no wrong verdict, whatever the day', () => {
    const verdicts: string[] = [];
    for (let seed = 1; seed <= 12; seed++) {
      const day = seed % 2 ? showcaseDay : eveningOf;
      const { view } = checked({ seed, day, vehicle: ONE_PHASE, base: [2, 2, 2] });
      for (const { result, check, code } of view.verdicts) {
        assert.notEqual(result, 'wrong', `seed ${seed}: ${check} ${code}`);
        verdicts.push(result);
      }
    }
    const proven = verdicts.filter((result) => result === 'proven').length;
    assert.ok(proven / verdicts.length > 0.7, `${proven} of ${verdicts.length}`);
  });

  it('nor does it hide what is wrong', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const rotated = { wired: ['L2' as const, 'L3' as const, 'L1' as const], vehicle: { phases: ['L2' as const] } };
      const { view } = checked({ seed, day: eveningOf, ...rotated });
      assert.equal(view.state, 'checked', `seed ${seed}`);
      const { phases } = said(view, 'wallbox');
      assert.ok(!phases.startsWith('proven'), `seed ${seed}: ${phases}`);
    }
  });

  it('asks again where something else switched along with the load', () => {
    const home = new CheckHome({ vehicle: ONE_PHASE });
    home.run(12);
    home.command(START);
    const steps: string[] = [];
    const view = goThrough(home, {
      meets: ({ code, args }) => {
        steps.push(code);
        if (code === 'load-on' && args.phase === 'L2' && !steps.includes('load-reset')) home.switch('L1', 6);
      },
    });
    assert.ok(steps.includes('load-reset'), steps.join());
    assert.deepEqual(said(view, 'grid'), METER);
  });

  it('a load that is too small is not seen, and after three tries it goes on', () => {
    const home = new CheckHome({ vehicle: ONE_PHASE });
    home.run(12);
    home.command(START);
    let asked = 0;
    const view = goThrough(home, {
      load: 2,
      meets: ({ code, args }) => {
        if (code === 'load-on' && args.phase === 'L1') asked += 1;
      },
    });
    assert.equal(asked, 3);
    assert.equal(said(view, 'grid').order, 'not-proven order-unseen');
    assert.equal(said(view, 'wallbox').phases, CHARGER.phases);
  });

  it('a vehicle that leaves in the middle begins anew when it is back', () => {
    const home = new CheckHome({ vehicle: ONE_PHASE });
    home.run(12);
    home.command(START);
    const steps: string[] = [];
    const notes = new Set<string | undefined>();
    const view = goThrough(home, {
      meets: ({ code, args }) => {
        notes.add(home.view().note?.code);
        if (code === 'stepping' && args.current === 6 && !steps.includes('plug-in')) home.vehicle.unplug();
        if (code === 'plug-in') home.vehicle.plugIn();
        steps.push(code);
      },
    });
    assert.ok(steps.includes('plug-in'), steps.join());
    assert.ok(notes.has('vehicle-left'));
    assert.deepEqual(said(view, 'wallbox'), CHARGER);
  });

  it('where there is no room it waits and says why; who skips finds that in the verdict', () => {
    const home = new CheckHome({ base: [1, 1, 21] });
    home.run(12);
    home.command(START);
    const steps: string[] = [];
    const view = goThrough(home, {
      meets: ({ code }) => steps.push(code),
      skips: ({ code }) => code === 'no-room' || code.startsWith('load'),
    });
    assert.ok(steps.includes('no-room'));
    const { remedy } = verdict(view, 'wallbox', 'obeys');
    assert.deepEqual(remedy, { code: 'no-room', args: { charger: 'wallbox', reason: 'no-room' } });
  });

  it('a charger without a vehicle is skipped, and is not proven', () => {
    const home = new CheckHome({});
    home.vehicle.unplug();
    home.run(12);
    home.command(START);
    const view = goThrough(home, { skips: (step) => step.code === 'plug-in' });
    assert.deepEqual(said(view, 'wallbox'), {
      phases: 'not-proven phases-not-checked',
      obeys: 'not-proven obeys-not-checked',
    });
    assert.equal(verdict(view, 'wallbox', 'obeys').remedy?.code, 'plug-in');
  });
});

describe('what a commissioning check asks for', function () {
  this.timeout(120_000);

  /** A home whose charger is being stepped, with 12 A asked for by somebody before. */
  function stepping(options: CheckHomeOptions = {}): CheckHome {
    const home = new CheckHome({ vehicle: ONE_PHASE, ...options });
    onRequest(home.controller, 'wallbox', { maxCurrent: 12 });
    home.run(12);
    home.command(START);
    const skipLoads = () => {
      const { step } = home.view();
      if (step?.code.startsWith('load')) home.command({ command: 'skip' });
      return step?.code === 'stepping' && step.args.current === 10 && step.args.seconds === 3;
    };
    assert.ok(home.run(120, skipLoads));
    return home;
  }
  const request = (home: CheckHome) => home.controller.chargers.get('wallbox')?.request;

  it('is never more than what was asked before, and that comes back', () => {
    const home = stepping();
    goThrough(home, { skips: (step) => step.code.startsWith('load') });
    home.run(10);
    assert.deepEqual(request(home), { maxCurrent: 12 });
    assert.ok(
      home.requests().every((a) => a !== null && a <= 12),
      home.requests().join(),
    );
    const { levels } = home.view().outcome?.evidence.chargers.wallbox ?? { levels: [] };
    assert.deepEqual(
      levels.map((l) => l.setpoint),
      [0, 10, 6, 0],
    );
  });

  it('with a maximum of 8 A asked before, the step is smaller', () => {
    const home = new CheckHome({ vehicle: ONE_PHASE });
    onRequest(home.controller, 'wallbox', { maxCurrent: 8 });
    home.run(12);
    home.command(START);
    const view = goThrough(home, { skips: (step) => step.code.startsWith('load') });
    assert.deepEqual(said(view, 'wallbox'), CHARGER);
    home.run(10);
    assert.deepEqual(request(home), { maxCurrent: 8 });
    assert.ok(Math.max(...home.requests().map(Number)) <= 8);
  });

  it('comes back when the check is ended by hand', () => {
    const home = stepping();
    home.command({ command: 'abort' });
    assert.equal(home.view().note?.code, 'aborted-by-hand');
    home.run(10);
    assert.deepEqual(request(home), { maxCurrent: 12 });
    assert.equal(home.view().state, 'never');
  });

  it('comes back after a restart, from the disk', () => {
    const home = stepping();
    assert.equal(home.kept?.running, true);
    home.restart();
    assert.equal(home.view().note?.code, 'aborted-restart');
    home.run(10);
    assert.deepEqual(request(home), { maxCurrent: 12 });
    assert.deepEqual(home.kept?.wishes, {});
  });

  it('is on the disk before it is sent', () => {
    const home = new CheckHome({ vehicle: ONE_PHASE });
    home.run(12);
    home.command(START);
    home.run(10, () => home.requests().length > 0);
    assert.deepEqual(home.kept?.wishes, { wallbox: { before: null, asked: 0 } });
  });

  it('what somebody asks meanwhile is what comes back, and bounds the check', () => {
    const home = stepping();
    onRequest(home.controller, 'wallbox', { maxCurrent: 7 });
    home.run(5);
    const { length } = home.requests();
    goThrough(home, { skips: (step) => step.code.startsWith('load') });
    assert.ok(Math.max(...home.requests().slice(length).map(Number)) <= 7);
    home.run(10);
    assert.deepEqual(request(home), { maxCurrent: 7 });
  });

  it('where it leaves nothing between the minimum and nothing, the steps become fewer', () => {
    const home = stepping();
    onRequest(home.controller, 'wallbox', { maxCurrent: 6 });
    const { length } = home.requests();
    const view = goThrough(home, { skips: (step) => step.code.startsWith('load') });
    assert.ok(
      home
        .requests()
        .slice(length)
        .every((a) => a !== null && a <= 6),
    );
    assert.equal(said(view, 'wallbox').phases, CHARGER.phases);
  });

  it('what somebody asked while nobody ran stays', () => {
    const home = stepping();
    const kept = structuredClone(home.kept);
    onRequest(home.controller, 'wallbox', { maxCurrent: 9 });
    home.kept = kept;
    home.restart();
    home.run(10);
    assert.deepEqual(request(home), { maxCurrent: 9 });
  });

  it('a pause by hand stays one: the check waits, and never resumes', () => {
    const home = stepping();
    onRequest(home.controller, 'wallbox', { enabled: false });
    home.run(60);
    assert.equal(home.view().step?.code, 'charger-paused');
    assert.equal(home.goE.inspect().car, 4);
    home.command({ command: 'skip' });
    home.run(30);
    assert.equal(home.view().state, 'checked');
    assert.deepEqual(request(home), { enabled: false, maxCurrent: 12 });
    assert.equal(home.controller.chargers.get('wallbox')?.setpoint, 0);
  });

  it('an end after 30 minutes without anybody', () => {
    const home = stepping();
    home.vehicle.unplug();
    home.run(1900);
    assert.equal(home.view().note?.code, 'aborted-idle');
    assert.deepEqual(request(home), { maxCurrent: 12 });
  });

  it('a command for a step that is over is passed over, one that makes no sense is refused', () => {
    const home = new CheckHome({ vehicle: ONE_PHASE });
    assert.throws(() => home.command({ command: 'next' }), /command: "next" — expected "start"/);
    home.run(12);
    home.command(START);
    assert.throws(() => home.command(START), /expected "abort" first/);
    assert.ok(home.run(60, () => home.view().step?.code === 'load-on'));
    const { number } = home.view().step ?? { number: 0 };
    home.command({ command: 'next', step: number });
    home.command({ command: 'skip', step: number });
    assert.equal(home.view().step?.code, 'load-measuring');
    assert.equal(home.view().step?.args.meter, 'grid');
  });

  it('nothing is measured for a site that is configured anew meanwhile', () => {
    const home = stepping();
    const [charger] = home.site.chargers;
    home.configure({ ...home.site, chargers: [{ ...charger, rotation: ['L2', 'L3', 'L1'] }] });
    assert.equal(home.view().note?.code, 'aborted-changed');
    home.run(10);
    assert.deepEqual(request(home), { maxCurrent: 12 });
  });
});

/** An ordinary day from its busiest hour on. */
function eveningOf(seed: number) {
  const from = 18 * 3_600_000;
  return houseDay(seed)
    .filter((e) => e.at >= from - 3_600_000)
    .map((e) => ({ ...e, at: Math.max(0, e.at - from) }));
}
