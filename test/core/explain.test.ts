/** What is said of chargers that wait: for whom, for how long, or for what. */
import assert from 'node:assert/strict';
import {
  type CircuitConfig,
  type ControllerOptions,
  decide,
  onLimit,
  onPrices,
  onRequest,
  type PerPhase,
  type Reason,
} from '../../core/index.ts';
import { charger, HOME, type MiniSite, miniCar, miniSite, run } from './mini-site.ts';

const HOUR = 3_600_000;
const flat = (a: number): PerPhase => [a, a, a];
const feeder = (rating: number): CircuitConfig => ({ ...HOME, rating, margin: 0 });

/** Cars a, b, c … at a feeder of 25 A beside a house. */
function feederWith(cars: number, house: number, options: Partial<ControllerOptions> = {}): MiniSite {
  const chargers = Array.from({ length: cars }, (_, i) => charger(String.fromCharCode(97 + i), { safe: 0 }));
  const site = miniSite(
    chargers.map((config) => miniCar(config, { offer: 0, draw: 0 })),
    [feeder(25)],
    options,
  );
  site.house = () => flat(house);
  return site;
}

function reasons(site: MiniSite): Record<string, Reason> {
  const { chargers } = decide(site.controller, site.seconds * 1000).allocation();
  return Object.fromEntries(chargers.map((c) => [c.id, c.reason]));
}

const codes = (site: MiniSite) => Object.values(reasons(site)).map((r) => r.code);

describe('what is said of a charger that waits', () => {
  it('for its turn: at most as long as the turns before it take', () => {
    const site = run(feederWith(5, 12, { turnSeconds: 300 }), 60);
    assert.deepEqual(
      site.sent.filter((s) => s.current > 0).map((s) => s.reason),
      ['shared', 'shared'],
    );
    assert.deepEqual(codes(site), ['shared', 'shared', 'waits-turn', 'waits-turn', 'waits-turn']);
    // Two slots: c and d are next, e is after them.
    const minutes = Object.values(reasons(site)).map((r) => r.args.minutes);
    assert.deepEqual(minutes.slice(2), [5, 5, 10]);
    // While the turn is handed over nobody is told that it has all it may have.
    for (let second = 60; second < 330; second++) {
      const said = codes(run(site, 1));
      assert.ok(!said.includes('charger-maximum') && !said.includes('no-room'), `${second} s: ${said}`);
    }
    // And so it is, but for the time that a change of turns takes.
    run(site, 660 - site.seconds);
    assert.ok(site.sent.some((s) => s.id === 'e' && s.current > 0));
  });

  it('for those who come first', () => {
    const site = feederWith(3, 16);
    onRequest(site.controller, 'c', { priority: 5 });
    run(site, 120);
    assert.deepEqual(codes(site).slice(0, 2), ['waits-priority', 'waits-priority']);
    assert.deepEqual(codes(run(feederWith(3, 16, { policy: 'first-come' }), 60)).slice(1), [
      'waits-priority',
      'waits-priority',
    ]);
  });

  it('for room, where the house or a limit leaves nobody the minimum', () => {
    const site = run(feederWith(2, 22), 60);
    assert.deepEqual(reasons(site).b, { code: 'no-room', args: { min: 6, circuit: 'main' } });
    site.house = () => flat(4);
    onLimit(site.controller, 'main', 'grid', { current: [5, 5, 5], validFor: 600, onExpiry: 'release' }, 60_000);
    run(site, 120);
    assert.deepEqual(codes(site), ['limit', 'limit']);
  });

  it('for a cheaper hour', () => {
    const site = run(feederWith(2, 4, { policy: 'tariff' }), 60);
    const now = site.seconds * 1000;
    onRequest(site.controller, 'a', { energy: 5000, departure: now + 4 * HOUR });
    const prices = [
      { start: now + HOUR, end: now + 4 * HOUR, price: 0.2 },
      { start: now - 1, end: now + HOUR, price: 0.4 },
      { start: now - HOUR, end: now - 1, price: 0.1 },
    ];
    onPrices(site.controller, prices, now);
    assert.deepEqual(
      site.controller.prices.map((p) => p.price),
      [0.4, 0.2],
    );
    // At once, not when the policy is asked next.
    decide(site.controller, now);
    assert.equal(site.controller.chargers.get('a')?.setpoint, 0);
    assert.equal(reasons(site).a.code, 'held-by-policy');
  });

  it('of a car that takes less than it might, and of one that takes nothing', () => {
    const site = feederWith(2, 4);
    site.cars[0].max = 7;
    run(site, 120);
    assert.deepEqual(reasons(site).a, { code: 'vehicle-maximum', args: { max: 7 } });
    site.cars[0].max = 0;
    site.house = () => flat(14);
    run(site, 300);
    assert.deepEqual(codes(site), ['idle', 'shared']);
  });
});
