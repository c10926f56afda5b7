/** What is not known of chargers after a silence, a restart or on other phases than they were said to be: each case once broke a rule. */
import assert from 'node:assert/strict';
import { booked } from '../../core/booked.ts';
import { leastSince } from '../../core/charger-draw.ts';
import { phasesOf } from '../../core/charger-track.ts';
import { houseLoad } from '../../core/house-load.ts';
import { type Controller, createController, decide, onCharger, onMeter, type PerPhase } from '../../core/index.ts';
import { plan } from '../../core/plan.ts';
import type { ChargerConfig } from '../../core/site.ts';
import { watch } from '../../core/watch.ts';
import { charger, HOME } from './mini-site.ts';

const flat = (a: number): PerPhase => [a, a, a];

function controllerFor(config: ChargerConfig): Controller {
  return createController({ circuits: [{ ...HOME, rating: 63 }], chargers: [config], voltage: 230 }, {}, 0);
}

/** A charger with an offer of 16 A and its meter, heard every second from `from` to `to`. */
function hear(controller: Controller, from: number, to: number, what: { total?: number; draw?: number }): void {
  for (let second = from; second <= to; second++) {
    if (what.total !== undefined) onMeter(controller, 'grid', { current: flat(what.total) }, second * 1000);
    if (what.draw !== undefined) report(controller, second + 0.3, what.draw);
    decide(controller, second * 1000 + 400);
  }
}

function report(controller: Controller, second: number, draw: number, offer = 16, current = flat(draw)): void {
  onCharger(controller, 'go-e', { online: true, state: draw > 0 ? 'C' : 'B', current, offer }, second * 1000);
}

describe('a charger that comes back', () => {
  it('has proven nothing of what it drew while it was lost (site day 40)', () => {
    const controller = controllerFor(charger());
    hear(controller, 1, 10, { total: 24, draw: 16 });
    hear(controller, 11, 39, { total: 24 });
    // The sample is from before the report, and the charger may have risen in between.
    onMeter(controller, 'grid', { current: flat(24) }, 40_000);
    report(controller, 40.3, 16);
    const [circuit] = controller.circuits.values();
    const [track] = controller.chargers.values();
    assert.ok(houseLoad(controller, circuit, 40_400).high[0] >= 24, `${houseLoad(controller, circuit, 40_400).high}`);
    assert.equal(leastSince(track, 0, 9000), 0);
    assert.equal(leastSince(track, 0, 40_300), 16);
  });

  it('before its meter is told nothing for three seconds: it may have fallen to its safe current (site day 42)', () => {
    const controller = controllerFor(charger());
    hear(controller, 1, 20, { total: 24, draw: 16 });
    // Both are silent for long enough that everything is due to be told again.
    report(controller, 50, 6, 6);
    assert.deepEqual(decide(controller, 50_100).setpoints, []);
    assert.deepEqual(decide(controller, 52_900).setpoints, []);
    const told = decide(controller, 53_100).setpoints.map((s) => s.current);
    assert.deepEqual(told, [0]);
  });

  it('with its meter goes on as before', () => {
    const controller = controllerFor(charger());
    hear(controller, 1, 20, { total: 24, draw: 16 });
    report(controller, 50, 16);
    decide(controller, 50_100);
    onMeter(controller, 'grid', { current: flat(24) }, 50_500);
    const told = decide(controller, 50_500).setpoints.map((s) => s.current);
    assert.deepEqual(told, [16]);
  });
});

it('a charger that stands at 0 may go to its safe current until it has been told anything after a restart (site day 20)', () => {
  const controller = controllerFor(charger('go-e', { safe: 7 }));
  const now = 100;
  onCharger(controller, 'go-e', { online: true, state: 'B', current: flat(0), offer: 0 }, now);
  const reserved = (at: number) =>
    booked(controller, plan(controller, watch(controller, at), at).parts).get('main')?.[0];
  assert.equal(reserved(now), 7);
  assert.equal(decide(controller, 200).setpoints.length, 1);
  assert.equal(reserved(2000), 7);
  assert.equal(reserved(2300), 0);
});

describe('a charger that reports current on a phase that it was not said to have (site day 101)', () => {
  const current: PerPhase = [0, 10, 0];

  it('is taken to load that one, too', () => {
    const controller = controllerFor(charger('go-e', { rotation: ['L1'] }));
    report(controller, 1, 10, 16, current);
    assert.deepEqual([...controller.chargers.values()].map(phasesOf), [['L1', 'L2']]);
  });

  it('but none that its circuit does not have', () => {
    const circuits = [HOME, { ...HOME, id: 'garage', parent: 'main', meter: undefined, phases: ['L1' as const] }];
    const chargers = [charger('go-e', { rotation: ['L1'], circuit: 'garage' })];
    const controller = createController({ circuits, chargers, voltage: 230 }, {}, 0);
    report(controller, 1, 10, 16, current);
    assert.deepEqual([...controller.chargers.values()].map(phasesOf), [['L1']]);
  });
});
