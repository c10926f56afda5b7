/** How far chargers are raised whose rotation nobody has seen: what a wrong one loads is carried until it is found out (S1, S10). */
import assert from 'node:assert/strict';
import { type ChargerConfig, type CircuitConfig, onRequest } from '../../core/index.ts';
import { heatAfter, protectiveDevice, steadyHeat } from '../../core/protection.ts';
import { charger, HOME, type MiniSite, miniCar, miniSite, run, setpoint } from './mini-site.ts';

const FUSE: CircuitConfig = { ...HOME, jump: 8 };
const BREAKER: CircuitConfig = { ...HOME, device: 'C', jump: 4 };

/** The most heat that L3 of the main fuse has reached, 1 = it has tripped. */
function hottest({ trace }: MiniSite, circuit = FUSE): number {
  const device = protectiveDevice(circuit);
  let heat = steadyHeat(device, trace[0].total[2]);
  return Math.max(...trace.map(({ total }) => (heat = heatAfter(device, heat, total[2], 0.1))));
}

describe('a charger whose rotation nobody has seen', () => {
  it('is raised by no more than another phase carries until the backstop has acted (site day 917)', () => {
    // It is told to be on L2, where there is room for 25 A, and is on L3.
    const car = miniCar(charger('a', { rotation: ['L2'], max: 32 }), { wiredTo: ['L3'], lag: 5 });
    for (const l3 of [14, 16, 18.5]) {
      const site = miniSite([{ ...car, pending: [] }], [FUSE]);
      site.house = () => [1, 0, l3];
      run(site, 180);
      assert.ok(
        site.sent.some(({ current }) => current > 16),
        'it was raised',
      );
      assert.ok(hottest(site) < 1, `${l3} A on L3: ${hottest(site)}`);
    }
  });

  it('may have all of it at once when the meter has shown where it is', () => {
    const site = miniSite([miniCar(charger('a', { rotation: ['L2'], max: 32 }))], [{ ...FUSE, rating: 40 }]);
    site.house = (seconds) => [20, Math.floor(seconds / 60) % 2 === 0 ? 20 : 1, 34];
    run(site, 300);
    site.house = () => [20, 32, 34];
    run(site, 60);
    assert.equal(setpoint(site, 'a'), 8);
    site.house = () => [20, 2, 34];
    run(site, 30);
    assert.equal(Math.max(...site.sent.filter((s) => s.at > 360).map((s) => s.current)), 32);
  });

  it('starts with its minimum, whatever another phase carries: somebody must show where it is', () => {
    const site = miniSite([asleep('a', { rotation: ['L2'] })], [BREAKER]);
    site.house = () => [4, 4, 24];
    run(site, 120);
    assert.ok((setpoint(site, 'a') ?? 0) >= 6);
  });

  it('starts one after another, in the order of their priorities and not of the list', () => {
    const starts = ['abc', 'cba'].map((list) => {
      const cars = [...list].map((id) => asleep(id, { rotation: ['L2'], priority: id === 'c' ? 9 : 0 }));
      const site = miniSite(cars, [BREAKER]);
      site.house = () => [4, 2, 24];
      run(site, 200);
      return ['c', 'a', 'b'].map((id) => site.sent.find((s) => s.id === id && s.current > 0)?.at ?? Infinity);
    });
    assert.deepEqual(starts[0], starts[1]);
    const [c, a, b] = starts[0];
    assert.ok(a - c > 5 && b - a > 5 && b < 120, `${starts[0]}`);
  });

  it('starts beside others that come and go, however small their changes are', () => {
    const cars = ['b', 'c', 'a'].map((id) => asleep(id, { rotation: [id === 'a' ? 'L2' : 'L1'] }));
    const site = miniSite(cars, [BREAKER]);
    site.house = () => [1, 1, 24];
    onRequest(site.controller, 'a', { enabled: false });
    for (let k = 0; k < 24; k++) {
      onRequest(site.controller, 'b', { maxCurrent: k % 2 ? 6 : 9 });
      onRequest(site.controller, 'c', { maxCurrent: k % 2 ? 9 : 6 });
      if (k === 6) onRequest(site.controller, 'a', { enabled: true });
      run(site, 10);
    }
    assert.ok((setpoint(site, 'a') ?? 0) >= 6);
  });

  it('starts with a minimum that is no whole number of steps', () => {
    const site = miniSite([asleep('a', { rotation: ['L2'], min: 6.5 })], [BREAKER]);
    site.house = () => [4, 4, 24];
    run(site, 60);
    assert.ok((setpoint(site, 'a') ?? 0) >= 7);
  });

  it('is carried beside those whose phase it may be on', () => {
    const a = miniCar(charger('a', { rotation: ['L2'], max: 32, safe: 0 }), {
      wiredTo: ['L3'],
      lag: 5,
      offer: 0,
      draw: 0,
    });
    const b = miniCar(charger('b', { rotation: ['L3'], max: 32, safe: 0 }), { lag: 5, offer: 0, draw: 0 });
    for (const l3 of [1, 6, 8]) {
      const site = miniSite(
        [a, b].map((car) => ({ ...car, pending: [] })),
        [BREAKER],
      );
      site.house = () => [1, 1, l3];
      const known = site.controller.chargers.get('b');
      if (known) known.shown = 2;
      run(site, 120);
      assert.ok(hottest(site, BREAKER) < 1, `${l3} A on L3: ${hottest(site, BREAKER)}`);
    }
  });

  it('is carried when its vehicle wakes up long after it was raised, and with a high safe current', () => {
    for (const { wake, safe } of [
      { wake: 40, safe: 0 },
      { wake: 0, safe: 16 },
      { wake: 0, safe: 20 },
    ]) {
      const car = miniCar(charger('a', { rotation: ['L2'], max: 32, safe }), {
        wiredTo: ['L3'],
        lag: 5,
        offer: 0,
        draw: 0,
      });
      if (wake > 0) car.max = 0;
      const site = miniSite([car], [FUSE]);
      site.house = () => [1, 1, 18.5];
      run(site, wake);
      car.max = 32;
      run(site, 120);
      assert.ok(hottest(site) < 1, `${wake} s, safe ${safe} A: ${hottest(site)}`);
    }
  });

  it('is carried on all phases of the main fuse, also behind a feeder of one phase', () => {
    const feeder: CircuitConfig = { id: 'f', parent: 'main', rating: 32, device: 'C', phases: ['L2'], margin: 0 };
    const config = charger('a', { rotation: ['L2'], max: 32, safe: 0, circuit: 'f' });
    const site = miniSite([miniCar(config, { wiredTo: ['L3'], lag: 5, offer: 0, draw: 0 })], [FUSE, feeder]);
    site.house = () => [1, 1, 18.5];
    run(site, 120);
    assert.ok(hottest(site) < 1, `${hottest(site)}`);
  });
});

function asleep(id: string, config: Partial<ChargerConfig>) {
  return miniCar(charger(id, { safe: 0, ...config }), { offer: 0, draw: 0 });
}
