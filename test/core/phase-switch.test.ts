/** One phase or three: when a charger is switched, and what is reserved meanwhile. */
import assert from 'node:assert/strict';
import { phasesOf } from '../../core/charger-track.ts';
import { onCharger, onLimit, onPrices, onRequest, type PerPhase } from '../../core/index.ts';
import { charger, type MiniSite, miniCar, miniSite, run, setpoint } from './mini-site.ts';

const onL3 = (current: number) => (): PerPhase => [4, 4, current];

function switchable(more: Parameters<typeof miniCar>[1] = {}) {
  return miniCar(charger('go-e', { phaseSwitching: true }), { phaseCount: 3, ...more });
}

/** Highest total on any phase while a vehicle drew there. */
function highest(site: MiniSite, from: number): number {
  return Math.max(...site.trace.filter((t) => t.at >= from).map((t) => Math.max(...t.total)));
}

describe('one phase or three', () => {
  it('goes to one phase where three leave less than the minimum, at rest and after a pause', () => {
    const car = switchable();
    const site = run(miniSite([car]), 60);
    site.house = onL3(21);
    run(site, 240);
    assert.deepEqual(
      car.switches.map(({ to, draw }) => ({ to, draw })),
      [{ to: 1, draw: 0 }],
    );
    assert.equal(setpoint(site), 16);
    const started = site.trace.find((t) => t.at > car.switches[0].at && (t.cars.get('go-e')?.setpoint ?? 0) > 0);
    assert.ok((started?.at ?? 0) >= car.switches[0].at + 30, `${started?.at}`);
    assert.ok(highest(site, 75) <= 25);
  });

  it('a limit in W that is too small for three phases is used on one', () => {
    const car = switchable();
    const site = run(miniSite([car]), 30);
    for (let i = 0; i < 40; i++) {
      onLimit(
        site.controller,
        'main',
        'surplus',
        { power: 3000, validFor: 60, onExpiry: 'release' },
        site.seconds * 1000,
      );
      run(site, 10);
    }
    assert.equal(car.phaseCount, 1);
    assert.equal(setpoint(site), 13);
  });

  it('goes back to three when they have had room for five minutes, and never within ten minutes of the last time', () => {
    const car = switchable();
    const site = run(miniSite([car]), 60);
    site.house = (t) => [4, 4, t < 300 ? 21 : 4];
    run(site, 1800);
    assert.deepEqual(
      car.switches.map(({ to, draw }) => ({ to, draw })),
      [
        { to: 1, draw: 0 },
        { to: 3, draw: 0 },
      ],
    );
    assert.ok(car.switches[1].at - car.switches[0].at >= 600);
    assert.equal(setpoint(site), 16);
  });

  it('does not follow a load that comes and goes', () => {
    const car = switchable();
    const site = run(miniSite([car]), 60);
    site.house = (t) => [4, 4, t % 240 < 120 ? 21 : 4];
    run(site, 7200);
    assert.ok(car.switches.length <= 2, JSON.stringify(car.switches));
  });

  it('a vehicle that uses one phase anyway is left alone', () => {
    const car = switchable({ phases: ['L1'] });
    const site = run(miniSite([car]), 60);
    site.house = onL3(24);
    run(site, 900);
    assert.deepEqual(car.switches, []);
    assert.equal(setpoint(site), 16);
  });

  it('reserves all phases and starts nothing when the charger does not confirm, and tells it once', () => {
    const car = switchable({ obeysPhases: false });
    const site = run(miniSite([car]), 60);
    site.house = onL3(21);
    run(site, 1200);
    assert.equal(setpoint(site), 0);
    assert.deepEqual(
      site.alerts.filter((a) => a.code === 'phases-not-switched').map((a) => a.active),
      [true],
    );
    site.house = onL3(4);
    run(site, 200);
    assert.equal(setpoint(site), 16);
    car.plugged = false;
    run(site, 10);
    car.plugged = true;
    run(site, 10);
    assert.equal(site.alerts.filter((a) => a.code === 'phases-not-switched').length, 2);
  });

  it('a charger that says one phase and loads others is counted on all of them at once', () => {
    const car = switchable({ phaseCount: 1 });
    const site = run(miniSite([car]), 60);
    const track = site.controller.chargers.get('go-e');
    assert.ok(track);
    assert.deepEqual(phasesOf(track), ['L1']);
    const report = {
      online: true,
      state: 'C' as const,
      current: [8, 8, 8] as PerPhase,
      offer: 8,
      phasesConfigured: 1 as const,
    };
    onCharger(site.controller, 'go-e', report, site.seconds * 1000 + 50);
    track.provenPhases = undefined;
    assert.deepEqual(phasesOf(track), ['L1', 'L2', 'L3']);
  });

  it('a charger that goes on with three phases is found out at its first start, told once, and not tried again', () => {
    const car = switchable({ liesOfPhases: true });
    const site = run(miniSite([car]), 60);
    site.house = onL3(21);
    run(site, 1800);
    const starts = site.sent.filter((s, i) => i > 0 && s.current > 0 && site.sent[i - 1].current === 0 && s.at > 90);
    assert.equal(starts.length, 1);
    assert.deepEqual(
      site.alerts.filter((a) => a.code === 'phases-not-switched').map((a) => a.active),
      [true],
    );
  });

  it('on the way back to three, all phases are reserved from the moment it is told, and after it was given up', () => {
    const car = switchable({ phaseCount: 1, obeysPhases: false });
    const site = run(miniSite([car]), 200);
    const track = site.controller.chargers.get('go-e');
    assert.ok(track);
    assert.deepEqual(phasesOf(track), ['L1']);
    while (track.phaseSwitch?.toldAt === undefined && site.seconds < 900) run(site, 1);
    for (let i = 0; i < 300; i++) {
      run(site, 1);
      assert.deepEqual(phasesOf(track), ['L1', 'L2', 'L3'], `${site.seconds}`);
    }
    assert.ok(site.alerts.some((a) => a.code === 'phases-not-switched'));
  });

  it('what other phases have shown of the wiring says nothing of one phase', () => {
    const car = switchable();
    const site = run(miniSite([car]), 60);
    const track = site.controller.chargers.get('go-e');
    assert.ok(track);
    track.shown = 2;
    car.phaseCount = 1;
    run(site, 3);
    assert.equal(track.shown, 0);
  });

  it('a charger that is lost while it is switched is neither blamed nor forgotten', () => {
    const car = switchable();
    const site = run(miniSite([car]), 60);
    const track = site.controller.chargers.get('go-e');
    assert.ok(track);
    site.house = onL3(21);
    car.obeysPhases = false;
    while (track.phaseSwitch?.toldAt === undefined && site.seconds < 600) run(site, 1);
    car.reports = false;
    run(site, 300);
    assert.deepEqual(phasesOf(track), ['L1', 'L2', 'L3']);
    car.reports = true;
    car.obeysPhases = true;
    run(site, 120);
    assert.equal(car.phaseCount, 1);
    assert.equal(setpoint(site), 16);
    assert.ok(!site.alerts.some((a) => a.code === 'phases-not-switched'));
  });

  it('a vehicle that waits for a cheap hour is left on its phases', () => {
    const car = switchable();
    const site = miniSite([car], undefined, { policy: 'tariff' });
    const hour = 3_600_000;
    onPrices(
      site.controller,
      [
        { start: 0, end: 3 * hour, price: 0.4 },
        { start: 3 * hour, end: 9 * hour, price: 0.1 },
      ],
      0,
    );
    onRequest(site.controller, 'go-e', { energy: 5000, departure: 9 * hour });
    run(site, 3600);
    assert.equal(setpoint(site), 0);
    assert.deepEqual(car.switches, []);
  });

  it('an empty charger goes back to three phases for whoever comes next', () => {
    const car = switchable({ phaseCount: 1, plugged: false });
    run(miniSite([car]), 300);
    assert.equal(car.phaseCount, 3);
  });

  it('others keep what they have while it is switched', () => {
    const car = switchable();
    const other = miniCar(charger('b', { rotation: ['L3'] }), { phases: ['L3'] });
    const site = run(miniSite([car, other]), 120);
    site.house = (t) => [4, 4, t < 130 ? 4 : 14];
    run(site, 600);
    assert.equal(car.phaseCount, 1);
    assert.equal(setpoint(site), 16);
    assert.equal(setpoint(site, 'b'), 11);
    assert.ok(highest(site, 160) <= 25);
  });
});
