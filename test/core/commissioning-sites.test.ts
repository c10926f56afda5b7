/** The commissioning check where there are several circuits, meters and chargers, and for whatever wiring. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ChargerConfig, CheckSite, Phase } from '../../core/index.ts';
import { PHASES, perPhase, phaseIndex } from '../../core/units.ts';
import { CheckedSite, type CheckSiteOptions, shown } from './check-site.ts';
import { goThrough, type Habits, START, said, verdict } from './electrician.ts';

const ALL: Phase[] = ['L1', 'L2', 'L3'];

function charger(id: string, circuit: string, rotation: Phase[] = ALL): ChargerConfig {
  return { id, circuit, rotation, min: 6, max: 16, safe: 6 };
}

/** A main meter, a garage with its own, a three-phase and a single-phase charger in it, and one beside it. */
const SITE: CheckSite = {
  circuits: [
    { id: 'main', rating: 63, device: 'gG', meter: 'grid', margin: 0, jump: 16 },
    { id: 'garage', parent: 'main', rating: 40, device: 'gG', meter: 'sub', margin: 0, jump: 16 },
  ],
  chargers: [charger('a', 'garage'), charger('b', 'garage', ['L2']), charger('c', 'main')],
  voltage: 230,
};
const VEHICLES = { a: { wired: ['L1' as const] }, b: { wired: ['L2' as const] }, c: { wired: ['L1' as const] } };

function check(options: Partial<CheckSiteOptions>, habits: Habits = {}, socket = 'garage') {
  const site = new CheckedSite({ site: SITE, vehicles: VEHICLES, ...options });
  site.socket = socket;
  // Not long enough for the allocator to find anything by itself (S13).
  site.run(3);
  site.command(START);
  const steps: string[] = [];
  const view = goThrough(site, {
    ...habits,
    meets: (step) => steps.push([step.code, ...Object.values(step.args)].join(' ')),
  });
  return { site, view, steps };
}

describe('commissioning check of a site', function () {
  this.timeout(120_000);

  it('a load behind the garage proves the main meter, too; every charger is stepped alone', () => {
    const site = new CheckedSite({ site: SITE, vehicles: VEHICLES });
    site.socket = 'garage';
    site.run(10);
    site.command(START);
    const steps: string[] = [];
    let together = 0;
    const view = goThrough(site, {
      meets: ({ code, args }) => {
        steps.push(`${code} ${args.circuit ?? ''}`.trim());
        if (code !== 'pausing')
          together = Math.max(together, site.world.chargers.filter((c) => c.car.drawn > 0).length);
      },
    });
    assert.equal(steps.filter((s) => s === 'load-on garage').length, 3);
    assert.ok(!steps.includes('load-on main'), steps.join());
    for (const v of view.verdicts) assert.equal(v.result, 'proven', `${v.id} ${v.check} ${v.code}`);
    assert.equal(together, 1);
    assert.equal(verdict(view, 'sub', 'includes').args.chargers, 'a, b');
    assert.equal(verdict(view, 'grid', 'includes').args.chargers, 'a, b, c');
    site.run(60);
    assert.deepEqual(
      [...site.controller.chargers.values()].map((t) => [t.request.maxCurrent, t.setpoint]),
      [16, 16, 16].map((a) => [undefined, a]),
    );
  });

  it('a meter without a socket is placed by a charger whose phase the main meter knows', () => {
    const skips: Habits['skips'] = ({ code, args }) => code === 'load-on' && args.circuit === 'garage';
    const { view } = check({ meters: { sub: shown('L3,L1,L2') } }, { skips }, 'main');
    assert.equal(said(view, 'grid').order, 'proven order-proven');
    assert.equal(said(view, 'sub').order, 'wrong order-wrong');
    assert.equal(verdict(view, 'sub', 'order').args.shown, 'L1 → L2');
    assert.match(said(view, 'a').phases, /^proven/);
  });

  it('a single-phase charger on another phase', () => {
    const { view } = check({ vehicles: { ...VEHICLES, b: { wired: ['L3'], reports: ['L2'] } } });
    assert.equal(said(view, 'b').phases, 'wrong phases-wrong');
    assert.deepEqual(verdict(view, 'b', 'phases').remedy, { code: 'do-turn-rotation', args: { rotation: 'L3' } });
    for (const id of ['grid', 'sub'])
      for (const result of Object.values(said(view, id))) assert.match(result, /^proven/);
  });

  it('a charger that is fed from elsewhere than configured', () => {
    const really = { ...SITE, chargers: SITE.chargers.map((c) => (c.id === 'b' ? { ...c, circuit: 'main' } : c)) };
    const { view } = check({ really });
    const found = verdict(view, 'sub', 'includes');
    assert.deepEqual([found.result, found.code, found.args.chargers], ['wrong', 'includes-wrong', 'b']);
    assert.equal(found.remedy?.code, 'do-find-charger');
    assert.equal(said(view, 'grid').includes, 'proven includes-proven');
  });

  it('a frozen meter', () => {
    const { view } = check({ meters: { sub: () => [3, 3, 3] } });
    assert.equal(said(view, 'sub').includes, 'wrong includes-frozen');
    assert.equal(said(view, 'sub').order, 'not-proven order-unseen');
  });

  it('a meter that says nothing, which keeps nobody from stepping the others', () => {
    const { view, steps } = check({ meters: { sub: () => undefined } }, {}, 'main');
    assert.ok(steps.includes('meter-awaited sub'), steps.join());
    assert.equal(said(view, 'sub').order, 'not-proven meter-silent');
    assert.equal(said(view, 'grid').order, 'proven order-proven');
    assert.equal(said(view, 'c').phases, 'proven phases-first');
  });

  it('noise of 0.3 A and reports every 5 s leave a right site right', () => {
    const open: string[] = [];
    for (let seed = 1; seed <= 10; seed++) {
      const { view } = check({ seed, noise: 0.3, reportPeriod: 5 });
      for (const v of view.verdicts) {
        assert.notEqual(v.result, 'wrong', `seed ${seed}: ${v.id} ${v.code}`);
        if (v.result !== 'proven') open.push(`${seed} ${v.id} ${v.code}`);
      }
    }
    assert.deepEqual(open, []);
  });
});

describe('commissioning check of any wiring', function () {
  this.timeout(120_000);
  const order = fc.constantFrom('L1,L2,L3', 'L2,L1,L3', 'L1,L3,L2', 'L3,L2,L1', 'L2,L3,L1', 'L3,L1,L2');
  const signs = fc.tuple(...ALL.map(() => fc.constantFrom(1, 1, -1)));
  const rotation = fc.constantFrom<Phase>('L1', 'L2', 'L3');

  it('names order, signs and rotation, each for itself', () => {
    const [main] = SITE.circuits;
    const site: CheckSite = {
      ...SITE,
      circuits: [{ ...main, generation: true, exportIsRoom: false }],
      chargers: [charger('a', 'main')],
    };
    fc.assert(
      fc.property(order, signs, rotation, (channels, sign, wired) => {
        const wiredMeter = shown(channels);
        const { view } = check(
          {
            site,
            vehicles: { a: { wired: [wired], reports: ['L1'] } },
            meters: { grid: (truth) => perPhase((p) => sign[p] * wiredMeter(truth)[p]) },
          },
          {},
          'main',
        );
        const found = said(view, 'grid');
        const names = channels.split(',') as Phase[];
        const moved = names.filter((name, p) => name !== PHASES[p]).length;
        assert.equal(found.order, ['proven order-proven', '', 'wrong order-swapped', 'wrong order-wrong'][moved]);
        const reversed = PHASES.filter((_, p) => sign[p] < 0);
        assert.equal(found.sign, reversed.length > 0 ? 'wrong sign-reversed' : 'proven sign-proven');
        if (reversed.length > 0) assert.equal(verdict(view, 'grid', 'sign').args.phases, reversed.join(', '));
        if (moved === 2) {
          const { a, b } = verdict(view, 'grid', 'order').args;
          assert.deepEqual(
            [a, b],
            PHASES.filter((name, p) => names[p] !== name),
          );
        }
        const { phases } = said(view, 'a');
        assert.equal(phases, wired === 'L1' ? 'proven phases-first' : 'wrong phases-wrong');
        if (wired !== 'L1') {
          const by = phaseIndex(wired);
          const turned = ALL.map((_, p) => PHASES[(p + by) % 3]).join();
          assert.equal(verdict(view, 'a', 'phases').remedy?.args.rotation, turned);
        }
      }),
      { numRuns: 40 },
    );
  });
});
