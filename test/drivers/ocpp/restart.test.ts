/** What holds of another process, or of before a boot, until the station has been told anew (S6). */
import assert from 'node:assert/strict';
import type { RequestOf } from '../../../drivers/ocpp/actions.ts';
import { charging, keep } from '../../helpers/ocpp-runs.ts';
import type { StationWorld, WorldOptions } from '../../helpers/ocpp-station-world.ts';

/** From now on it never offers more than is reserved for it. */
function neverAboveItsReading(world: StationWorld): void {
  world.check = () => {
    const { last } = world;
    const offers = world.model.offers(world.now);
    const reserved = Math.max(last.offer, last.online ? 0 : 6);
    assert.ok(offers <= reserved + 0.02, `${offers} A at ${world.now} ms, reserved ${reserved} A`);
  };
}

describe('OCPP station, limits over a restart', () => {
  for (const left of [2, 6, 10, 15, 19])
    it(`a profile of another process that ends ${left} s after it was read back is not trusted for longer`, () => {
      const world = charging(0);
      const { startSchedule = '' } = world.profiles.at(-1)?.csChargingProfiles.chargingSchedule ?? {};
      world.disconnect();
      world.pass((Date.parse(startSchedule) - world.wall) / 1000 + 310 - left);
      world.kill();
      world.connect(false);
      world.pass(1);
      assert.equal(world.called('GetCompositeSchedule').length > 0, true);
      neverAboveItsReading(world);
      world.pass(60);
      assert.equal(world.model.offers(world.now), 6);
    });

  const withoutTxProfile: WorldOptions = {
    traits: { rejects: (_, p) => p.chargingProfilePurpose === 'TxProfile' },
  };
  const begins: [string, (world: StationWorld) => void][] = [
    ['a restart of the process', (world) => [world.kill(), world.connect(false)]],
    ['a reboot of the station', (world) => [world.disconnect(), world.connect(true)]],
    ['a connection that was lost', (world) => [world.disconnect(), world.connect(false)]],
  ];
  for (const [name, begin] of begins) {
    it(`without TxProfile a vehicle that is paused stays so over ${name}`, () => {
      const world = charging(0, withoutTxProfile);
      keep(world, 0, 60);
      world.check = () => assert.equal(world.model.offers(world.now), 0, `at ${world.now} ms`);
      begin(world);
      // The first set-point comes a moment later.
      world.pass(3);
      keep(world, 0, 600);
      assert.equal(world.last.offer, 0);
      world.check = () => {};
      world.unplug();
      world.pass(2);
      assert.equal(world.model.offers(world.now), 6, 'the default is back');
    });

    it(`without TxProfile it is at the safe current, if nobody wants anything after ${name}`, () => {
      const world = charging(0, withoutTxProfile);
      keep(world, 0, 60);
      begin(world);
      neverAboveItsReading(world);
      world.pass(600);
      assert.equal(world.model.offers(world.now), 6);
    });

    it(`without TxProfile it goes on as wanted after ${name}, and what it may offer is reserved`, () => {
      const world = charging(16, withoutTxProfile);
      keep(world, 16, 60);
      begin(world);
      world.pass(3);
      for (const current of [0, 10, 0, 16, 0, 10]) {
        world.setpoint(current, 60);
        world.pass(1);
        neverAboveItsReading(world);
        world.pass(19);
        world.check = () => {};
      }
      assert.equal(world.model.offers(world.now), 10);
    });
  }

  it('without TxProfile it is read what holds, and no more reserved, also where somebody wants something at once', () => {
    const world = charging(0, withoutTxProfile);
    keep(world, 0, 60);
    world.kill();
    world.connect(false);
    world.setpoint(0, 60);
    world.pass(30);
    neverAboveItsReading(world);
    keep(world, 0, 600);
    assert.ok(world.readings.slice(-100).every((r) => r.offer === 0));
  });

  it('what was told for an hour is reserved for so long, although limits are told for less since a restart', () => {
    const world = charging(16, { station: { duration: 3600, renewal: 1200 }, traits: { composite: false } });
    Object.assign(world.options, { duration: 300, renewal: 120 });
    const isLimit = (payload: unknown) =>
      (payload as RequestOf<'SetChargingProfile'>).csChargingProfiles.chargingProfilePurpose === 'TxProfile';
    world.traits.answer = (action, payload) =>
      action === 'SetChargingProfile' && isLimit(payload) ? 'none' : undefined;
    world.kill();
    world.readings.length = 0;
    world.connect(false);
    world.pass(25);
    neverAboveItsReading(world);
    keep(world, 6, 3000);
    assert.equal(world.model.offers(world.now), 16);
    keep(world, 6, 900);
    assert.equal(world.last.offer, 6);
  });

  for (const [name, begin] of begins)
    it(`a clock an hour late: that it was paused before ${name} is no proof that it is so by what was told after`, () => {
      const world = charging(0, { traits: { clockError: -3_600_000 } });
      begin(world);
      world.pass(1);
      neverAboveItsReading(world);
      keep(world, 0, 200);
      assert.equal(world.model.offers(world.now), 0);
      assert.equal(world.last.offer, 0);
    });
});
