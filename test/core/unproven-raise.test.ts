/** How far chargers are raised whose rotation nobody has seen: what a wrong one loads is carried until it is found out (S1, S10). */
import assert from 'node:assert/strict';
import type { CircuitConfig } from '../../core/index.ts';
import { heatAfter, protectiveDevice, steadyHeat } from '../../core/protection.ts';
import { charger, HOME, type MiniSite, miniCar, miniSite, run, setpoint } from './mini-site.ts';

const FUSE: CircuitConfig = { ...HOME, jump: 8 };

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
    const breaker: CircuitConfig = { ...FUSE, device: 'C', jump: 4 };
    const site = miniSite([miniCar(charger('a', { rotation: ['L2'], safe: 0 }), { offer: 0, draw: 0 })], [breaker]);
    site.house = () => [4, 4, 24];
    run(site, 120);
    assert.ok((setpoint(site, 'a') ?? 0) >= 6);
  });

  it('does not start while another one may be on its way up to the same phase', () => {
    const cars = ['a', 'b', 'c'].map((id) =>
      miniCar(charger(id, { rotation: ['L2'], safe: 0 }), { offer: 0, draw: 0 }),
    );
    const site = miniSite(cars, [{ ...FUSE, device: 'C', jump: 4 }]);
    site.house = () => [4, 2, 24];
    run(site, 600);
    const starts = cars.map(({ config }) => site.sent.find((s) => s.id === config.id && s.current > 0)?.at ?? Infinity);
    starts.sort((a, b) => a - b);
    assert.ok(starts[1] - starts[0] >= 15 && starts[1] < 120, `${starts}`);
  });
});
