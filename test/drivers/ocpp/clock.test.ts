import assert from 'node:assert/strict';
import { StationClock } from '../../../drivers/ocpp/clock.ts';
import { charging, keep, ready } from '../../helpers/ocpp-runs.ts';

const HOUR_MS = 3_600_000;
const WALL = 1_764_000_000_000;

/** Tells every `interval` s for so many seconds that it is `skew` ms ahead; `see` after each. */
function tell(
  clock: StationClock,
  skew: number,
  interval: number,
  from: number,
  seconds: number,
  see = () => {},
): number {
  let now = from;
  for (; now < from + seconds * 1000; now += interval * 1000) {
    clock.note(WALL + now + skew, now, WALL + now);
    see();
  }
  return now;
}

describe('OCPP station, its clock', () => {
  for (const interval of [1, 5, 10, 60, 900])
    it(`a clock that is late is known to be so, and stays so, when it tells every ${interval} s`, () => {
      const clock = new StationClock();
      clock.note(WALL - HOUR_MS, 0, WALL, true);
      assert.equal(clock.skew(0), -HOUR_MS);
      tell(clock, -HOUR_MS, interval, 1000, 20 * interval + 600, () => assert.ok(clock.isKnown));
      const now = tell(clock, -HOUR_MS, interval, 2_000_000, 20 * interval, () => {
        assert.equal(clock.skew(2_000_000), -HOUR_MS);
      });
      assert.equal(clock.skew(now + HOUR_MS), -HOUR_MS, 'nothing was told that says otherwise');
    });

  for (const interval of [1, 5, 10, 60, 900])
    it(`whenever it is known, a clock that was always late is known to be late: told every ${interval} s`, () => {
      const clock = new StationClock();
      let now = 0;
      const end = tell(clock, -HOUR_MS, interval, 0, 20 * interval + 600, () => {
        assert.equal(clock.skew(now), clock.isKnown ? -HOUR_MS : 0);
        now += interval * 1000;
      });
      assert.ok(clock.isKnown, `${end} ms`);
    });

  it('a clock that was set right is right after the window, and one that tells what was queued stays right', () => {
    const clock = new StationClock();
    let now = tell(clock, -HOUR_MS, 5, 0, 400);
    now = tell(clock, 0, 5, now, 5);
    assert.equal(clock.skew(now), 0);
    for (let i = 30; i > 0; i--) clock.note(WALL + now - i * 60_000, now, WALL + now);
    assert.equal(clock.skew(now), 0);
  });

  it('one that was ahead and is late now is not taken to be ahead any more', () => {
    const clock = new StationClock();
    let now = tell(clock, HOUR_MS, 10, 0, 100);
    assert.equal(clock.skew(now), HOUR_MS);
    now = tell(clock, -HOUR_MS, 10, now + 301_000, 20);
    assert.equal(clock.skew(now), 0);
    now = tell(clock, -HOUR_MS, 10, now, 100);
    assert.equal(clock.skew(now), -HOUR_MS);
  });

  for (const meterInterval of [10, 5])
    for (const withTxProfile of [true, false])
      it(`an hour late, ${withTxProfile ? 'with' : 'without'} TxProfile, measured every ${meterInterval} s: never offers more than was said`, () => {
        const rejects = (_: number, p: { chargingProfilePurpose: string }) =>
          !withTxProfile && p.chargingProfilePurpose === 'TxProfile';
        const world = ready({ traits: { clockError: -HOUR_MS, rejects }, station: { meterInterval } });
        world.plugIn();
        world.check = () => {
          const offers = world.model.offers(world.now);
          assert.ok(offers <= Math.max(world.last.offer, 10) + 0.02, `${offers} A at ${world.now} ms`);
        };
        keep(world, 10, 900);
        assert.equal(world.model.offers(world.now), 10);
        assert.equal(world.last.offer, 10);
      });

  for (const seconds of [-4.9, -2, -1, 1, 2, 4.9])
    for (const current of [0, 16])
      for (const withTxProfile of [true, false])
        it(`${seconds} s off, ${withTxProfile ? 'with' : 'without'} TxProfile: ${current} A stay ${current} A whenever they are renewed`, () => {
          const rejects = (_: number, p: { chargingProfilePurpose: string }) =>
            !withTxProfile && p.chargingProfilePurpose === 'TxProfile';
          const world = charging(current, { traits: { clockError: seconds * 1000, rejects } });
          keep(world, current, 70);
          world.check = () => assert.equal(world.model.offers(world.now), current, `at ${world.now} ms`);
          keep(world, current, 600);
          world.check = () => {};
          world.disconnect();
          world.pass(305);
          assert.equal(world.model.offers(world.now), 6, 'without us');
        });

  for (const clockError of [4900, -4900])
    it(`${clockError} ms off: what ends is reserved before it does`, () => {
      const rejects = (_: number, p: { chargingProfilePurpose: string }) => p.chargingProfilePurpose === 'TxProfile';
      const world = charging(0, { traits: { clockError, rejects } });
      keep(world, 0, 70);
      world.check = () => {
        const offers = world.model.offers(world.now);
        assert.ok(offers <= world.last.offer, `${offers} A, reserved ${world.last.offer} A at ${world.now} ms`);
      };
      world.pass(400);
      assert.equal(world.model.offers(world.now), 6);
    });

  for (const clockError of [-HOUR_MS, -20_000, 20_000, HOUR_MS])
    for (const boots of [true, false])
      it(`a clock that stays ${clockError / 1000} s off: a pause holds over a restart, the station ${boots ? 'boots' : 'is only back'}`, () => {
        const world = charging(16, { traits: { clockError } });
        keep(world, 16, 300);
        keep(world, 0, 30);
        const writes = world.writes;
        keep(world, 0, 300);
        assert.equal(world.writes, writes, 'nothing to write while nothing changes');
        world.check = () => assert.equal(world.model.offers(world.now), 0, `at ${world.now} ms`);
        world.kill();
        world.connect(boots);
        world.pass(1);
        keep(world, 0, 600);
        assert.equal(world.last.offer, 0);
        assert.ok(!world.activeAlerts().includes('not-obeying'));
      });

  for (const before of [-HOUR_MS, HOUR_MS])
    for (const after of [before, 0])
      it(`${before / 1000} s off before a restart, ${after / 1000} s off after it: nothing above the safe current outlasts its time, or begins late`, () => {
        const world = charging(16, { traits: { clockError: before } });
        keep(world, 16, 300);
        world.kill();
        world.traits.clockError = after;
        world.connect(true);
        world.pass(2);
        keep(world, 20, 10);
        world.isRunning = false;
        world.pass(310);
        world.check = () => assert.equal(world.model.offers(world.now), 6, `at ${world.now} ms`);
        world.pass(2.2 * 3600);
      });
});
