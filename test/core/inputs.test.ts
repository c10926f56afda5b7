import assert from 'node:assert/strict';
import {
  type ChargerInput,
  createController,
  onCharger,
  onLimit,
  onMeter,
  onPrices,
  onRequest,
  type PerPhase,
} from '../../core/index.ts';
import { charger, HOME } from './mini-site.ts';

const site = { circuits: [HOME], chargers: [charger()], voltage: 230 };
const good: ChargerInput = { online: true, state: 'C', current: [6, 6, 6], offer: 6 };

describe('what comes in', () => {
  const controller = createController(site, {}, 0);
  const bad: Record<string, [() => unknown, RegExp]> = {
    'a current that is no number': [
      () => onMeter(controller, 'grid', { current: [Number.NaN, 1, 1] }, 0),
      /meter grid.current.0: NaN/,
    ],
    'a negative age': [
      () => onMeter(controller, 'grid', { current: [1, 1, 1], age: [0, -1, 0] }, 0),
      /age.1: -1 — expected a finite number from 0/,
    ],
    'an infinite draw': [
      () => onCharger(controller, 'go-e', { ...good, current: [0, Number.POSITIVE_INFINITY, 0] }, 0),
      /charger go-e.current.1: Infinity/,
    ],
    'an offer below 0': [() => onCharger(controller, 'go-e', { ...good, offer: -6 }, 0), /offer: -6/],
    'a state of charge above 100': [() => onRequest(controller, 'all', { soc: 101 }), /soc: 101 .* from 0 to 100/],
    'a text for a current': [
      () => onRequest(controller, 'go-e', { maxCurrent: '16' as unknown as number }),
      /maxCurrent: 16 — expected a finite number/,
    ],
    'a limit without an end': [
      () => onLimit(controller, 'main', 'grid', { power: 4200, validFor: Number.NaN, onExpiry: 'release' }, 0),
      /validFor: NaN/,
    ],
    'a negative limit': [
      () => onLimit(controller, 'main', 'x', { current: [-1, 0, 0] as PerPhase, validFor: 30, onExpiry: 'release' }, 0),
      /current.0: -1/,
    ],
    'a price that is none': [
      () => onPrices(controller, [{ start: 0, end: 1, price: Number.NaN }], 0),
      /prices.0.price: NaN/,
    ],
  };
  for (const [what, [send, expected]] of Object.entries(bad))
    it(`${what} is refused by name, and nothing is changed`, () => {
      const before = structuredClone(controller);
      assert.throws(send, (error) => error instanceof RangeError && expected.test(error.message));
      assert.deepEqual(controller, before);
    });

  it('null takes a wish back, and leaves the others', () => {
    const fresh = createController(site, {}, 0);
    const request = () => fresh.chargers.get('go-e')?.request;
    onRequest(fresh, 'go-e', { departure: 9e6, energy: 5000, soc: 40, maxCurrent: 10, priority: 3, enabled: true });
    onRequest(fresh, 'go-e', { departure: null, energy: null, soc: null });
    assert.deepEqual(request(), { maxCurrent: 10, priority: 3, enabled: true });
    onRequest(fresh, 'all', { maxCurrent: null, priority: null });
    assert.deepEqual(request(), { enabled: true });
  });

  it('currents that are older than what is known say nothing of the present (S12)', () => {
    onCharger(controller, 'go-e', { ...good, current: [10, 10, 10], offer: 10 }, 100_000);
    onCharger(controller, 'go-e', { ...good, current: [0, 0, 0], offer: 10, age: 60 }, 101_000);
    assert.deepEqual(controller.chargers.get('go-e')?.report?.current, [10, 10, 10]);
  });
});
