import assert from 'node:assert/strict';
import { bookEnergy, type DayEnergy, type EnergyCount } from '../../core/day-energy.ts';

function counted(counts: (EnergyCount & { day?: string })[]): DayEnergy | undefined {
  let state: DayEnergy | undefined;
  for (const { day = '2026-11-22', ...count } of counts) state = bookEnergy(state, count, day);
  return state;
}

describe('energy of the day', () => {
  it('counts from when the charger was first heard', () => assert.equal(counted([{ energy: 5000 }])?.energy, 0));
  it('follows a session, and the next one from 0', () =>
    assert.equal(counted([{ energy: 5000 }, { energy: 7000 }, { energy: 0 }, { energy: 1500 }])?.energy, 3500));
  it('counts a session of which nobody heard the start', () =>
    assert.equal(counted([{ energy: 5000 }, { energy: 800 }])?.energy, 800));
  it('believes the register more than the session', () =>
    assert.equal(
      counted([
        { register: 100_000, energy: 0 },
        { register: 104_000, energy: 900 },
      ])?.energy,
      4000,
    ));
  it('is not shocked by a new device', () =>
    assert.equal(
      counted([
        { register: 100_000, energy: 0 },
        { register: 10, energy: 0 },
      ])?.energy,
      0,
    ));
  it('starts anew at midnight and keeps the counter', () =>
    assert.equal(counted([{ energy: 0 }, { energy: 9000 }, { energy: 9500, day: '2026-11-23' }])?.energy, 500));
});
