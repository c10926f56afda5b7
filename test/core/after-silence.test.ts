/** What is not known of chargers after a silence, a restart, or on other phases than they were said to be: each case once broke a rule. */
import assert from 'node:assert/strict';
import { booked } from '../../core/booked.ts';
import { committed, leastSince } from '../../core/charger-draw.ts';
import { houseLoad } from '../../core/house-load.ts';
import {
  type Controller,
  createController,
  decide,
  onCharger,
  onMeter,
  onRequest,
  type PerPhase,
} from '../../core/index.ts';
import { plan } from '../../core/plan.ts';
import type { ChargerConfig } from '../../core/site.ts';
import { watch } from '../../core/watch.ts';
import { charger, HOME, miniCar, miniSite, run, setpoint } from './mini-site.ts';

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

  it('gives way at once all the same where another circuit on its way is overloaded', () => {
    const circuits = [
      { ...HOME, rating: 32, margin: 0 },
      { ...HOME, id: 'garage', parent: 'main', meter: 'feeder', margin: 0 },
    ];
    const chargers = [charger('go-e', { circuit: 'garage' })];
    const controller = createController({ circuits, chargers, voltage: 230 }, {}, 0);
    for (let second = 1; second <= 20; second++) {
      onMeter(controller, 'feeder', { current: flat(16) }, second * 1000);
      hear(controller, second, second, { total: 24, draw: 16 });
    }
    hear(controller, 21, 50, { total: 24 });
    report(controller, 51, 16);
    assert.deepEqual(decide(controller, 51_100).setpoints, []);
    onMeter(controller, 'grid', { current: flat(45) }, 51_500);
    assert.deepEqual(
      decide(controller, 51_600).setpoints.map((s) => s.current),
      [0],
    );
  });

  it('again and again, with its meter silent, is paused like any other', () => {
    const controller = controllerFor(charger());
    hear(controller, 1, 20, { total: 24, draw: 16 });
    const input = { state: 'C', current: flat(16), offer: 16 } as const;
    for (let second = 21; second <= 60; second++) {
      onCharger(controller, 'go-e', { ...input, online: second % 4 < 2 }, second * 1000);
      decide(controller, second * 1000 + 100);
    }
    assert.equal(controller.chargers.get('go-e')?.setpoint, 0);
  });

  it('and says what it had before it was told to give way is not raised to that again (site day 227)', () => {
    const controller = controllerFor(charger());
    hear(controller, 1, 20, { total: 24, draw: 16 });
    hear(controller, 21, 34, { total: 24 });
    // It is told just before it counts as lost, and its next report is from before that.
    onMeter(controller, 'grid', { current: flat(68) }, 35_000);
    const told = decide(controller, 35_100).setpoints.map((s) => s.current);
    assert.equal(told.length, 1);
    assert.ok(told[0] < 16, `${told}`);
    decide(controller, 35_900);
    report(controller, 36, 16);
    assert.equal(controller.chargers.get('go-e')?.setpoint, told[0]);
    // Later it is what is in force: the command was lost.
    for (let second = 37; second < 60; second++) decide(controller, second * 1000);
    report(controller, 60, 16);
    assert.equal(controller.chargers.get('go-e')?.setpoint, 16);
  });

  it('with less than it was told has that booked for as long as it may be on its way (site day 21)', () => {
    const controller = controllerFor(charger('go-e', { safe: 0 }));
    hear(controller, 1, 20, { total: 24, draw: 16 });
    hear(controller, 21, 49, { total: 8 });
    const [track] = controller.chargers.values();
    const times = { vehicleLag: 6, reportSkew: 1 };
    report(controller, 50, 0, 0);
    assert.equal(track.setpoint, 0);
    assert.equal(committed(track, times), 16);
    report(controller, 58, 0, 0);
    assert.equal(committed(track, times), 0);
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

it("a charger whose dead man's switch acts before it is told anything has what it says (site day 111)", () => {
  const controller = controllerFor(charger('go-e', { safe: 0 }));
  report(controller, 0.1, 6, 6);
  report(controller, 0.3, 6, 0);
  assert.deepEqual(
    decide(controller, 500).setpoints.map((s) => s.current),
    [0],
  );
});

it('a charger that a person has stopped reserves nothing after a restart, though it is told nothing', () => {
  const chargers = ['a', 'b'].map((id) => charger(id));
  const controller = createController(
    { circuits: [{ ...HOME, rating: 16, margin: 0 }], chargers, voltage: 230 },
    {},
    0,
  );
  const stopped = { online: true, state: 'B', current: flat(0), offer: 0, stoppedBy: 'user' } as const;
  for (let second = 1; second <= 120; second++) {
    onMeter(controller, 'grid', { current: flat(5) }, second * 1000);
    onCharger(controller, 'a', stopped, second * 1000);
    onCharger(
      controller,
      'b',
      { ...stopped, offer: controller.chargers.get('b')?.setpoint ?? 0, stoppedBy: undefined },
      second * 1000,
    );
    decide(controller, second * 1000);
  }
  assert.equal(controller.chargers.get('b')?.setpoint, 11);
});

it('a charger that reports every 20 s is not lost in between', () => {
  const site = miniSite([miniCar(charger(), { reportEvery: 20 })]);
  run(site, 300);
  const settled = site.sent.length;
  run(site, 1800);
  assert.equal(setpoint(site), 16);
  assert.ok(site.sent.length - settled <= 2, `${site.sent.length - settled} changes`);
});

it("what a charger reports on a phase that is not booked for it is the house's (site day 101)", () => {
  const controller = controllerFor(charger('go-e', { rotation: ['L1'] }));
  for (let second = 1; second <= 10; second++) {
    onMeter(controller, 'grid', { current: [5, 15, 5] }, second * 1000);
    report(controller, second + 0.3, 10, 16, [0, 10, 0]);
    decide(controller, second * 1000 + 400);
  }
  const [circuit] = controller.circuits.values();
  const { low, high } = houseLoad(controller, circuit, 10_500);
  assert.deepEqual([low[1], high[1]], [15, 15]);
});

it('a charger that cannot be reached may have another vehicle after a minute: its offer is booked on all its phases (S4)', () => {
  const one = ['L1'] as const;
  const lost = miniCar(charger('lost'), { phases: [...one], max: 10 });
  const other = miniCar(charger('other', { rotation: ['L2'], max: 32 }), { max: 32 });
  const site = run(miniSite([lost, other]), 300);
  lost.reports = false;
  lost.obeys = false;
  run(site, 59);
  const before = setpoint(site, 'other') ?? 0;
  assert.ok(before > 11, `${before} A`);
  run(site, 60);
  // The next one takes what is offered, on three phases.
  Object.assign(lost, { phases: ['L1', 'L2', 'L3'], max: 32, draw: lost.offer });
  run(site, 600);
  const highest = Math.max(...site.trace.filter((t) => t.at > 419).map((t) => t.total[1]));
  assert.ok(highest <= 25, `${highest} A on L2`);
  lost.reports = true;
  lost.obeys = true;
  run(site, 120);
  assert.ok((setpoint(site, 'other') ?? 0) >= 6);
});

it('a charger that cannot be reached may load a phase with its safe current: the backstop counts it (S10, site day 558)', () => {
  const lost = miniCar(charger('a', { rotation: ['L1'] }), { offer: 0, draw: 0 });
  const other = miniCar(charger('b', { rotation: ['L3'] }));
  const site = miniSite([lost, other], [{ ...HOME, margin: 0 }]);
  onRequest(site.controller, 'a', { maxCurrent: 0 });
  run(site, 60);
  assert.equal(setpoint(site, 'b'), 16);
  const track = site.controller.chargers.get('b');
  // A meter has shown that it is on L3 alone.
  if (track) track.shown = 2;
  Object.assign(lost, { reports: false, obeys: false });
  run(site, 30);
  // Its dead man's switch has acted, and the house takes the rest.
  lost.pending = [];
  lost.offer = 6;
  site.house = () => [22, 4, 4];
  run(site, 60);
  assert.ok((setpoint(site, 'b') ?? 0) <= 6, `${setpoint(site, 'b')} A`);
});
