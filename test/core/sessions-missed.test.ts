import assert from 'node:assert/strict';
import type { Session } from '../../core/index.ts';
import { HOUR, Keeper, START, WORLD } from './keeper.ts';

describe('sessions that came and went while nobody listened', () => {
  const empty = { online: true, state: 'A' as const, power: 0, energy: 4000, register: 90_000, offer: 16 };
  const left = { ...empty, energy: 7300, register: 97_300 };
  const shown = (list: readonly Session[]) => list.map((s) => [s.energy, s.start - START, s.endedBy]);

  it('are told by the register, from when the charger was last known to be empty until now at the latest', () => {
    const prices = [{ start: START, end: START + 8 * HOUR, price: 0.3 }];
    const keeper = new Keeper({ ...WORLD, prices });
    keeper.hear(empty, START);
    keeper.hear(left, START + 2 * HOUR);
    assert.deepEqual(keeper.all(), [], 'a value of one moment may be a wrong one');
    keeper.hear(left, START + 2 * HOUR + 10_000);
    keeper.hear(left, START + 2 * HOUR + 20_000);
    keeper.hear(left, START + 9 * HOUR);
    assert.deepEqual(keeper.all(), [
      {
        ...{ id: `box-${START + 1}`, charger: 'box', start: START + 1, startOffset: 60 },
        ...{ end: START + 2 * HOUR, endOffset: 60, energy: 7300, chargingMs: 0, peakPower: 0 },
        ...{
          cost: 0.3 * 7.3,
          pricedEnergy: 7300,
          currency: 'EUR',
          endedBy: 'unheard',
          counter: 7300,
          register: 97_300,
        },
      },
    ]);
  });

  it('are told from the one that is there when somebody listens again', () => {
    const keeper = new Keeper();
    keeper.hear(empty, START);
    const there = { ...empty, state: 'C' as const, power: 10_000, energy: 5000, register: 102_300 };
    for (const seconds of [0, 5, 10, 15])
      keeper.hear({ ...there, energy: 5000 + seconds, register: 102_300 + seconds }, START + 3 * HOUR + seconds * 1000);
    assert.deepEqual(shown(keeper.all()), [
      [7300, 1, 'unheard'],
      [5015, 2.5 * HOUR, undefined],
    ]);
    assert.equal(keeper.ended[0].end, START + 2.5 * HOUR);
  });

  it('are none while values come one by one, while somebody listens, and where a meter counts for itself', () => {
    const keeper = new Keeper();
    keeper.hear(empty, START);
    // State, register and counter of a vehicle that came.
    const there = { ...empty, state: 'C' as const, power: 10_000, energy: 0 };
    keeper.hear({ ...there, register: undefined }, START + 2 * HOUR);
    keeper.hear({ ...there, register: 97_300 }, START + 2 * HOUR + 20_000);
    keeper.hear({ ...there, energy: 7300, register: 97_300 }, START + 2 * HOUR + 22_000);
    keeper.hear({ ...there, energy: 7320, register: 97_320 }, START + 2 * HOUR + 40_000);
    assert.deepEqual(keeper.ended, []);
    assert.equal(keeper.all()[0].energy, 7320);

    const silent = new Keeper();
    silent.hear(empty, START);
    silent.hear({ ...empty, register: 90_400 }, START + 30_000);
    silent.hear({ ...empty, register: undefined }, START + HOUR);
    silent.hear({ ...empty, register: 90_500 }, START + 2 * HOUR);
    silent.hear({ ...empty, register: 90_500 }, START + 2 * HOUR + 15_000);
    for (let day = 1; day < 30; day++)
      for (const s of [0, 15])
        silent.hear({ ...empty, register: 90_500 + day * 100 }, START + day * 24 * HOUR + s * 1000);
    // Another register.
    for (const s of [0, 15]) silent.hear({ ...empty, register: 10 }, START + 31 * 24 * HOUR + s * 1000);
    for (const s of [0, 15]) silent.hear({ ...empty, register: 5e9 }, START + 32 * 24 * HOUR + s * 1000);
    assert.deepEqual(silent.all(), []);
  });
});
