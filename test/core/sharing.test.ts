/** Several vehicles on one circuit: turns, what a vehicle leaves, and the published cases of swinging. */
import assert from 'node:assert/strict';
import { type CircuitConfig, onRequest, type PerPhase } from '../../core/index.ts';
import { charger, HOME, type MiniCar, type MiniSite, miniCar, miniSite, run, setpoint } from './mini-site.ts';

const flat = (a: number): PerPhase => [a, a, a];
const names = (count: number) => Array.from({ length: count }, (_, i) => String.fromCharCode(97 + i));
const cars = (count: number, max = 16, more: Partial<MiniCar> = {}) =>
  names(count).map((id) => miniCar(charger(id, { max, safe: 0 }), { offer: 0, draw: 0, ...more }));
const feeder = (rating: number): CircuitConfig => ({ ...HOME, rating, margin: 0 });
const setpoints = (site: MiniSite) => site.cars.map((c) => setpoint(site, c.config.id));

/** Ah that each car got from `from` seconds on. */
function charge(site: MiniSite, from: number): number[] {
  const sums = new Map<string, number>();
  for (const { at, cars } of site.trace)
    if (at > from) for (const [id, { draw }] of cars) sums.set(id, (sums.get(id) ?? 0) + draw / 36_000);
  return [...sums.values()];
}

const jain = (xs: readonly number[]) =>
  xs.reduce((a, b) => a + b) ** 2 / (xs.length * xs.reduce((a, b) => a + b * b, 0));

/** Times at which a charger's set-point turned back, up or down. */
function reversals(site: MiniSite, id: string, from: number): number[] {
  const sent = site.sent.filter((s) => s.id === id && s.at > from);
  return sent
    .filter(
      (s, i) =>
        i >= 2 && Math.sign(s.current - sent[i - 1].current) === -Math.sign(sent[i - 1].current - sent[i - 2].current),
    )
    .map((s) => s.at);
}

function assertCalm(site: MiniSite, from: number): void {
  for (const { config } of site.cars) {
    const turned = reversals(site, config.id, from);
    for (let i = 1; i < turned.length; i++)
      assert.ok(turned[i] - turned[i - 1] >= 60, `${config.id} at ${turned[i]} s`);
    const switched = site.sent.filter(
      (s, i, all) =>
        s.id === config.id &&
        s.at > from &&
        (s.current === 0) !== (all.slice(0, i).findLast((x) => x.id === s.id)?.current === 0),
    );
    for (let i = 1; i < switched.length; i++)
      assert.ok(switched[i].at - switched[i - 1].at >= 60, `${config.id} switched at ${switched[i].at} s`);
  }
}

describe('turns, where not everybody can have the minimum', () => {
  it('every waiting car is served within ⌈waiting/slots⌉ turns, and all get the same in the end', () => {
    const site = miniSite(cars(5), [feeder(25)], { turnSeconds: 300 });
    site.house = () => flat(12);
    run(site, 60);
    assert.equal(setpoints(site).filter((s) => (s ?? 0) > 0).length, 2);
    // Three wait for two slots: two turns, and the time that a change of turns takes.
    run(site, 2 * (300 + 60));
    for (const [i, ah] of charge(site, 0).entries()) assert.ok(ah > 0, `${names(5)[i]} was not served`);
    run(site, 20 * 300);
    assert.ok(jain(charge(site, 0)) > 0.95, `${charge(site, 0)}`);
    assertCalm(site, 0);
  });

  it('nobody gives up its turn while nobody waits', () => {
    const site = run(miniSite(cars(2), [feeder(25)], { turnSeconds: 300 }), 1200);
    assert.deepEqual(
      site.sent.filter((s) => s.at > 60),
      [],
    );
  });

  it('a newcomer waits for the end of a turn, not for ever', () => {
    const [a, b] = cars(2);
    b.plugged = false;
    const site = miniSite([a, b], [feeder(25)], { turnSeconds: 300 });
    site.house = () => flat(16);
    run(site, 1000);
    b.plugged = true;
    run(site, 360);
    assert.ok((setpoint(site, 'b') ?? 0) >= 6, `${setpoints(site)}`);
    assert.equal(setpoint(site, 'a'), 0);
  });

  it('a higher priority does not wait for turns', () => {
    const site = miniSite(cars(3), [feeder(25)], { turnSeconds: 300 });
    site.house = () => flat(16);
    onRequest(site.controller, 'c', { priority: 5 });
    run(site, 3000);
    assert.ok((charge(site, 60)[2] ?? 0) > 0.9 * charge(site, 60).reduce((x, y) => x + y, 0), `${charge(site, 60)}`);
  });
});

describe('what a vehicle leaves', () => {
  it('goes to the others, and the offer stays where it is', () => {
    const [a, b] = cars(2);
    a.max = 7;
    const site = run(miniSite([a, b], [feeder(25)]), 120);
    assert.deepEqual(setpoints(site), [8, 13]);
    run(site, 1800);
    assert.deepEqual(
      site.sent.filter((s) => s.at > 120),
      [],
    );
  });

  it('comes back when the vehicle takes all that it is offered', () => {
    const [a, b] = cars(2);
    a.max = 7;
    const site = run(miniSite([a, b], [feeder(25)]), 120);
    a.max = 32;
    run(site, 60);
    assert.deepEqual(setpoints(site), [11, 10]);
    assertCalm(site, 120);
  });

  it('a full vehicle leaves its share to the others', () => {
    const [a, b] = cars(2, 32);
    const site = run(miniSite([a, b], [feeder(25)], { turnSeconds: 300 }), 60);
    a.max = 0;
    run(site, 200);
    assert.deepEqual(setpoints(site), [0, 21]);
    // It is asked again when its turn comes, and found awake.
    a.max = 32;
    run(site, 420);
    assert.deepEqual(setpoints(site), [11, 10]);
  });
});

describe('the next vehicle', () => {
  it('is not taken for asleep because the one before it was', () => {
    const [a, b] = cars(2, 32);
    const site = run(miniSite([a, b], [feeder(25)]), 60);
    a.max = 0;
    run(site, 200);
    a.plugged = false;
    run(site, 30);
    a.plugged = true;
    a.max = 32;
    run(site, 60);
    assert.deepEqual(setpoints(site).sort(), [10, 11]);
  });
});

describe('no swinging: the published cases', () => {
  const noisy = (house: number, noise: number) => (seconds: number) =>
    flat(house + noise * Math.sin(seconds * 1.7) * Math.cos(seconds * 0.31));

  it('four wallboxes on a 30 A feeder (openWB#1605)', () => {
    const site = miniSite(cars(4), [feeder(30)]);
    site.house = noisy(2, 0.4);
    run(site, 1800);
    assertCalm(site, 120);
    assert.ok(setpoints(site).every((s) => (s ?? 0) >= 6));
  });

  it('the eighth of eight chargers does not flap (evcc#13207)', () => {
    const site = miniSite(cars(8), [feeder(50)]);
    site.house = noisy(3, 0.5);
    run(site, 2400);
    assertCalm(site, 120);
  });

  it('chargers of 32 A and 16 A share 35 A (evcc#30340)', () => {
    const [a, b] = [miniCar(charger('a', { max: 32 })), miniCar(charger('b'))];
    const site = run(miniSite([a, b], [feeder(35)]), 120);
    // 31 A beside the house.
    assert.deepEqual(setpoints(site), [16, 15]);
  });

  it('an overload on L3 does not stop a car on L1 (evcc#29532)', () => {
    const on = (id: string, phase: 'L1' | 'L3') => miniCar(charger(id, { rotation: [phase] }), { phases: [phase] });
    const site = miniSite([on('a', 'L1'), on('b', 'L3')], [feeder(25)]);
    // Both have shown the meter which phase they load: until then the backstop would stop everybody (S10).
    for (const id of ['a', 'b']) {
      for (const maxCurrent of [8, 16, 8, 16]) {
        onRequest(site.controller, id, { maxCurrent });
        run(site, 25);
      }
    }
    site.house = () => [4, 4, 28];
    run(site, 40);
    assert.equal(setpoint(site, 'a'), 16);
    assert.equal(setpoint(site, 'b'), 0);
  });

  it('a house-load meter that lags by 10 s', () => {
    const past: PerPhase[] = [];
    const site = miniSite(cars(2), [feeder(25)], { vehicleLagSeconds: 16 });
    site.house = (seconds) => flat(seconds % 300 > 150 ? 10 : 4);
    site.meter = (total) => {
      past.push([...total]);
      return past[Math.max(0, past.length - 31)];
    };
    run(site, 3000);
    for (const { config } of site.cars) {
      const turned = reversals(site, config.id, 300);
      assert.ok(turned.length <= 2 * (2700 / 150), `${config.id}: ${turned.length}`);
    }
  });
});

it('a vehicle that ignores its stop keeps an overloaded phase to itself: nobody of unproven phases is started (site day 289)', () => {
  const one = (id: string, rotation: 'L1' | 'L2') => charger(id, { rotation: [rotation], safe: 0 });
  const site = miniSite([
    miniCar(one('a', 'L1'), { obeys: false, offer: 16, draw: 16 }),
    miniCar(one('b', 'L2'), { offer: 0, draw: 0 }),
  ]);
  site.house = (seconds) => (seconds < 20 ? flat(4) : [12, 4, 4]);
  run(site, 600);
  const started = site.sent.filter((s) => s.id === 'b' && s.current > 0 && s.at > 40);
  assert.deepEqual(started, []);
});
