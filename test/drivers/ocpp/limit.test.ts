import assert from 'node:assert/strict';
import { charging, keep, ready } from '../../helpers/ocpp-runs.ts';

describe('OCPP station, limits', () => {
  it('puts the safe current underneath after the boot', () => {
    const world = ready();
    assert.equal(world.model.offers(world.now), 6);
    const [first] = world.profiles;
    assert.equal(first.csChargingProfiles.chargingProfilePurpose, 'TxDefaultProfile');
    assert.equal(first.csChargingProfiles.stackLevel, 3);
    assert.equal(first.csChargingProfiles.chargingSchedule.duration, undefined);
    assert.equal(world.last.offer, 0, 'nobody is there');
    assert.equal(world.last.online, true);
  });

  it('tells a limit once, again when it is renewed, and another one at once', () => {
    const world = charging(16);
    assert.equal(world.model.offers(world.now), 16);
    assert.equal(world.last.offer, 16);
    const before = world.profiles.length;
    keep(world, 16, 60);
    assert.equal(world.profiles.length, before);
    keep(world, 16, 60);
    assert.equal(world.profiles.length, before + 1);
    world.setpoint(10, 30);
    assert.equal(world.profiles.length, before + 2);
    world.pass(0.25);
    assert.equal(world.model.offers(world.now), 10);
    assert.equal(world.last.offer, 10);
  });

  it('evcc#25013, libocpp#781: without us it falls to its safe current within the duration of its profile', () => {
    const world = charging(16);
    world.isRunning = false;
    world.pass(300);
    assert.equal(world.model.offers(world.now), 6);
  });

  it('lbbrhzn/ocpp#492: whoever loses the connection falls to the safe current, and is told again when it is back', () => {
    const world = charging(16);
    world.disconnect();
    world.pass(1);
    assert.equal(world.last.online, false);
    world.pass(310);
    assert.equal(world.model.offers(world.now), 6);
    assert.equal(world.last.offer, 6);
    world.setpoint(12, 60);
    world.connect(false);
    world.pass(2);
    assert.equal(world.model.offers(world.now), 12);
    assert.equal(world.last.online, true);
    assert.equal(world.last.offer, 12);
  });

  it('a charger that was switched to one phase says so, also while it is told again', () => {
    const rotation = ['L1', 'L2', 'L3'] as const;
    const charger = {
      connector: 1,
      id: 'CP001-1',
      rotation: [...rotation],
      min: 6,
      max: 32,
      safe: 6,
      phaseSwitching: true,
    };
    const world = ready({
      traits: { configuration: { ConnectorSwitch3to1PhaseSupported: 'true' } },
      station: { connectors: [charger] },
    });
    const samples = world.samples.bind(world);
    world.samples = () => samples().filter((s) => !/L[23]/.test((s as { phase?: string }).phase ?? ''));
    world.plugIn();
    for (let i = 0; i < 60; i++) {
      world.setpoint(10, 30, 1);
      world.pass(5);
    }
    const first = world.readings.findIndex((r) => r.phasesConfigured === 1);
    assert.ok(first > 0);
    assert.ok(world.readings.slice(first).every((r) => r.phasesConfigured === 1));
    const [period] = world.profiles.at(-1)?.csChargingProfiles.chargingSchedule.chargingSchedulePeriod ?? [];
    assert.equal(period.numberPhases, 1);
  });

  it('on one phase is who was switched to it, no longer than it is told so: without us it is on all', () => {
    const charger = { connector: 1, id: 'CP001-1', min: 6, max: 32, safe: 6, phaseSwitching: true };
    for (const isAway of [true, false]) {
      const world = ready({
        traits: { configuration: { ConnectorSwitch3to1PhaseSupported: 'true' } },
        station: { connectors: [{ ...charger, rotation: ['L1', 'L2', 'L3'] }] },
      });
      const samples = world.samples.bind(world);
      world.samples = () => samples().filter((s) => !/L[23]/.test((s as { phase?: string }).phase ?? ''));
      world.plugIn();
      for (let i = 0; i < 10; i++) {
        world.setpoint(6, 10, 1);
        world.pass(5);
      }
      const told = world.calls.findLast(({ action }) => action === 'SetChargingProfile')?.at ?? 0;
      if (isAway) world.disconnect();
      world.pass((told - world.now) / 1000 + 285);
      assert.equal(world.last.phasesConfigured, 1);
      world.pass(10);
      world.check = () =>
        assert.equal(world.last.phasesConfigured, undefined, `at ${world.now} ms, told at ${told} ms`);
      world.pass(600);
    }
  });

  it('the number of phases is told once and holds until the vehicle leaves; one that is refused stops no limit', () => {
    const charger = { connector: 1, id: 'CP001-1', min: 6, max: 32, safe: 6, phaseSwitching: true };
    for (const isRefused of [false, true]) {
      const world = ready({
        traits: {
          configuration: { ConnectorSwitch3to1PhaseSupported: 'true' },
          rejects: (_, { chargingSchedule: { chargingSchedulePeriod } }) =>
            isRefused && chargingSchedulePeriod.some((p) => p.numberPhases === 1),
        },
        station: { connectors: [{ ...charger, rotation: ['L1', 'L2', 'L3'] }] },
      });
      const numberPhases = () =>
        world.profiles.at(-1)?.csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].numberPhases;
      world.plugIn();
      keep(world, 0, 20);
      for (let i = 0; i < 4; i++) {
        world.setpoint(0, 30, 1);
        world.pass(5);
      }
      keep(world, 10, 300);
      assert.equal(world.model.offers(world.now), 10);
      assert.equal(numberPhases(), isRefused ? 3 : 1);
      world.unplug();
      world.pass(10);
      world.plugIn();
      keep(world, 12, 20);
      assert.equal(world.model.offers(world.now), 12);
      assert.equal(numberPhases(), 3);
    }
  });

  it('a pause that was told before its limit proves nothing of it: with a wrong clock that may begin later', () => {
    const world = ready({ traits: { clockError: -3_600_000 } });
    world.setpoint(0, 600);
    world.plugIn();
    world.pass(20);
    world.disconnect();
    world.check = () => assert.ok(world.last.offer >= world.model.offers(world.now), `${world.last.offer} A`);
    world.connect(true);
    world.pass(60);
  });

  it('comes down at once when its set-point ends', () => {
    const world = charging(16);
    world.pass(31);
    assert.equal(world.model.offers(world.now), 6);
    assert.equal(world.last.offer, 6);
    const told = world.profiles.length;
    world.pass(400);
    assert.equal(world.profiles.length, told);
    assert.equal(world.model.offers(world.now), 6);
  });

  it('a profile that comes too late for its transaction is no reason to go another way for ever', () => {
    const world = ready();
    for (let i = 0; i < 30; i++) {
      world.plugIn();
      keep(world, 16, 20);
      // The station has ended it, and its message is on its way.
      world.model.endTransaction();
      keep(world, 9, 5);
      world.model.transaction = undefined;
      world.unplug();
      world.status('Available');
      world.pass(10);
    }
    world.plugIn();
    keep(world, 12, 10);
    assert.equal(world.profiles.at(-1)?.csChargingProfiles.chargingProfilePurpose, 'TxProfile');
    assert.equal(world.model.offers(world.now), 12);
    assert.deepEqual(world.activeAlerts(), []);
  });
});
