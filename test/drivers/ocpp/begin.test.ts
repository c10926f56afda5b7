/** Stations whose Relative profiles count from when the vehicle began to charge, over a restart of the process. */
import assert from 'node:assert/strict';
import { readRecord } from '../../../drivers/ocpp/record.ts';
import { BEHAVIOURS } from '../../../simulator/ocpp/behaviours.ts';
import { StationPair } from '../../helpers/ocpp-pair.ts';
import { charging, keep } from '../../helpers/ocpp-runs.ts';
import type { StationWorld, WorldOptions } from '../../helpers/ocpp-station-world.ts';

const COUNTS_FROM_BEGIN: WorldOptions = {
  traits: { relativeTo: 'transaction', rejects: (_, p) => p.chargingProfileKind !== 'Relative' },
};

function restart(world: StationWorld): void {
  world.kill();
  world.connect(false);
  world.pass(3);
}

/** Nobody renews it any more. */
function endsWithoutUs(world: StationWorld): void {
  world.isRunning = false;
  world.pass(310);
  assert.equal(world.model.offers(world.now), 6, 'without us');
}

/** It is known of the station from when it counts. */
function learned(): StationWorld {
  const world = charging(16, COUNTS_FROM_BEGIN);
  keep(world, 16, 600);
  assert.equal(readRecord(world.record)?.learned.fromStart, true);
  return world;
}

/** The next vehicle has a transaction, and waits. */
function waiting(): StationWorld {
  const world = learned();
  world.unplug();
  world.model.wants = false;
  world.plugIn();
  keep(world, 16, 600);
  return world;
}

describe('OCPP station that counts from when the vehicle began to charge', () => {
  for (const quirks of [{}, { relativeOnly: true }])
    it(`does what it is told after a restart while it charges, quirks ${JSON.stringify(quirks)}`, () => {
      const pair = new StationPair(BEHAVIOURS['relative-only'].behaviour, { quirks });
      pair.run(30, 16);
      pair.vehicle.plugIn();
      pair.run(600, 16);
      pair.kill();
      for (const current of [20, 0, 20]) {
        pair.run(20, current);
        for (let i = 0; i < 60; i++) {
          pair.run(10, current);
          assert.ok(Math.abs(pair.amps - current) < 0.15, `${pair.amps} A, set-point ${current} A`);
        }
      }
      pair.hasNetwork = false;
      pair.run(310);
      assert.ok(Math.abs(pair.amps - 6) < 0.15, `without us ${pair.amps} A`);
    });

  it('a vehicle that began long after its transaction is not let charge for longer by a restart', () => {
    const world = waiting();
    world.model.wants = true;
    Object.assign(world.model.transaction ?? {}, { startedAt: world.now });
    world.status();
    keep(world, 16, 200);
    restart(world);
    keep(world, 16, 30);
    assert.equal(world.model.offers(world.now), 16);
    endsWithoutUs(world);
  });

  it('a begin that nobody saw: a pause holds, and nothing above the safe current outlasts its time', () => {
    const world = waiting();
    world.kill();
    world.model.wants = true;
    world.pass(60);
    const seen = world.now;
    world.connect(false);
    world.pass(3);
    keep(world, 0, 30);
    world.check = () => assert.equal(world.model.offers(world.now), 0, `at ${world.now} ms`);
    keep(world, 0, 600);
    world.check = () => {};
    keep(world, 16, 30);
    // It may as well have begun as late as this.
    Object.assign(world.model.transaction ?? {}, { startedAt: seen });
    endsWithoutUs(world);
  });

  for (const seconds of [3600, -3600])
    it(`a clock of the host that was put by ${seconds} s before a restart makes nothing last longer`, () => {
      const world = learned();
      world.clockPut = seconds * 1000;
      keep(world, 16, 30);
      restart(world);
      keep(world, 16, 30);
      assert.equal(world.model.offers(world.now), 16);
      endsWithoutUs(world);
    });

  it('a begin noted by a clock that was years late is no begin', () => {
    const world = learned();
    world.kill();
    world.clockPut = 3 * 365 * 86_400_000;
    world.connect(false);
    world.pass(3);
    keep(world, 16, 30);
    endsWithoutUs(world);
  });
});
