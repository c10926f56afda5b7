import assert from 'node:assert/strict';
import { truncateAmps } from '../../../drivers/ocpp/limits/profile.ts';
import { readRecord } from '../../../drivers/ocpp/record.ts';
import { BEHAVIOURS } from '../../../simulator/ocpp/behaviours.ts';
import { MAX_A, StationPair } from '../../helpers/ocpp-pair.ts';
import { KINDS } from '../../helpers/ocpp-promise.ts';
import { charging, keep, ready } from '../../helpers/ocpp-runs.ts';
import { StationWorld, type Traits } from '../../helpers/ocpp-station-world.ts';

const silent = { composite: false, tellsOffered: false } satisfies Partial<Traits>;

describe('OCPP station, accepted is not believed', () => {
  for (const [name, traits] of Object.entries({
    'by its schedule': { tellsOffered: false },
    'by Current.Offered': { composite: false },
    'by what the vehicle takes': silent,
  })) {
    it(`a station that accepts and ignores is found ${name}, told, and reserved at its maximum`, () => {
      const world = ready({ traits: { ...traits, ignores: true } });
      world.plugIn();
      keep(world, 10, 90);
      assert.ok(world.activeAlerts().includes('not-obeying'), world.activeAlerts().join());
      assert.equal(world.last.offer, 32);
      keep(world, 6, 600);
      assert.equal(world.last.offer, 32);
      assert.equal(world.alerts.filter((a) => a.code === 'not-obeying' && a.active).length, 1);
    });
  }

  it('a station that ignores one purpose is brought to another, which is remembered for its firmware', () => {
    const obeysOnly = (world: StationWorld, purpose: string) => {
      const set = world.model.set.bind(world.model);
      world.model.set = (request, now) =>
        request.csChargingProfiles.chargingProfilePurpose === purpose ? set(request, now) : 'Accepted';
    };
    const world = new StationWorld();
    obeysOnly(world, 'TxDefaultProfile');
    world.connect();
    world.pass(6);
    world.plugIn();
    keep(world, 16, 20);
    keep(world, 0, 300);
    assert.equal(world.model.offers(world.now), 0);
    assert.deepEqual(world.activeAlerts(), []);
    keep(world, 12, 30);
    assert.equal(world.model.offers(world.now), 12);
    assert.equal(world.last.offer, 12);

    world.kill();
    const before = world.profiles.length;
    world.connect(false);
    keep(world, 10, 100);
    const purposes = world.profiles.slice(before).map((p) => p.csChargingProfiles.chargingProfilePurpose);
    assert.ok(
      purposes.every((p) => p === 'TxDefaultProfile'),
      purposes.join(),
    );

    const other = new StationWorld({ station: { record: world.record }, traits: { firmware: '2.0' } });
    other.connect();
    other.pass(6);
    other.plugIn();
    keep(other, 10, 5);
    assert.equal(other.profiles.at(-1)?.csChargingProfiles.chargingProfilePurpose, 'TxProfile');
  });

  it('a station that stays at its safe current is brought to another purpose, too', () => {
    const world = new StationWorld({ traits: { composite: false } });
    const set = world.model.set.bind(world.model);
    world.model.set = (request, now) =>
      request.csChargingProfiles.chargingProfilePurpose === 'TxDefaultProfile' ? set(request, now) : 'Accepted';
    world.connect();
    world.pass(6);
    world.plugIn();
    keep(world, 16, 600);
    assert.equal(world.model.offers(world.now), 16);
    assert.deepEqual(world.activeAlerts(), []);
  });

  it('a Relative profile that counts from the begin of the transaction is told as long as that is, once seen', () => {
    const world = charging(16, {
      traits: { relativeTo: 'transaction', rejects: (_, p) => p.chargingProfileKind !== 'Relative' },
    });
    assert.equal(world.profiles.at(-1)?.csChargingProfiles.chargingSchedule.duration, 300);
    keep(world, 16, 1800);
    assert.equal(world.model.offers(world.now), 16);
    assert.deepEqual(world.activeAlerts(), []);
    assert.equal(readRecord(world.record)?.learned.fromStart, true);
    world.isRunning = false;
    world.pass(305);
    assert.equal(world.model.offers(world.now), 6);
  });

  it('a station that cannot be lifted above its safe current is told, once', () => {
    const world = ready({ traits: { composite: false } });
    world.model.offers = () => 6;
    world.plugIn();
    keep(world, 16, 1800);
    assert.deepEqual(world.activeAlerts(), ['limit-without-effect']);
    assert.equal(world.alerts.filter((a) => a.code === 'limit-without-effect' && a.active).length, 1);
  });

  it('a station that never answers is told, asked ever more rarely, and reserved at its maximum', () => {
    const world = charging(16, { traits: { answer: (a) => (a === 'SetChargingProfile' ? 'none' : undefined) } });
    keep(world, 16, 600);
    assert.deepEqual(world.activeAlerts(), ['limit-unanswered']);
    assert.equal(world.last.offer, 32);
    assert.ok(world.profiles.length < 80, String(world.profiles.length));
  });

  it('keeps what was offered before reserved until there is evidence, and believes at once who has shown it', () => {
    const world = ready({ traits: silent });
    world.plugIn();
    world.model.wants = false;
    keep(world, 20, 20);
    keep(world, 8, 60);
    assert.equal(world.model.offers(world.now), 8);
    assert.equal(world.last.offer, 20);
    world.model.wants = true;
    keep(world, 8, 40);
    keep(world, 12, 60);
    assert.equal(world.last.offer, 12);
    keep(world, 16, 40);
    world.setpoint(7, 30);
    world.pass(0.25);
    assert.equal(world.last.offer, 7);
  });

  it('a vehicle that takes less than its limit proves nothing', () => {
    const world = ready({ traits: silent });
    world.model.vehicleMax = 7;
    world.plugIn();
    keep(world, 20, 60);
    keep(world, 12, 60);
    assert.equal(world.last.offer, 20);
  });

  it('a vehicle that only exceeds within its tolerance is no disobedience', () => {
    const world = charging(16, { traits: silent });
    const draws = world.model.draws.bind(world.model);
    world.model.draws = (now) => draws(now) * 1.09;
    keep(world, 10, 120);
    assert.deepEqual(world.activeAlerts(), []);
  });

  it('Current.Offered that never changes is no disobedience when the vehicle follows its limit', () => {
    const world = ready({ traits: { composite: false } });
    world.plugIn();
    const samples = world.samples.bind(world);
    world.traits.tellsOffered = false;
    keep(world, 16, 60);
    keep(world, 10, 60);
    world.samples = () => [...samples(), { value: '32', measurand: 'Current.Offered', unit: 'A' }];
    keep(world, 8, 120);
    assert.deepEqual(world.activeAlerts(), []);
    assert.equal(world.last.offer, 8);
  });

  it('a station without smart charging is told to people, and reserved at its maximum', () => {
    const world = charging(10, KINDS['no smart charging']);
    assert.deepEqual(world.activeAlerts(), ['limit-not-supported', 'no-safe-default']);
    assert.equal(world.last.offer, 32);
    const tried = world.profiles.length;
    keep(world, 10, 300);
    assert.equal(world.profiles.length, tried);
  });

  it('a station that does not know the message is not asked in other ways', () => {
    const refused = { ok: false, error: 'refused', code: 'NotImplemented', description: 'x' } as const;
    const world = charging(10, { traits: { answer: (a) => (a === 'SetChargingProfile' ? refused : undefined) } });
    assert.ok(world.profiles.length <= 2, String(world.profiles.length));
    assert.deepEqual(world.activeAlerts(), ['limit-not-supported', 'no-safe-default']);
  });

  for (const [name, kind] of Object.entries(KINDS)) {
    const reaches: Record<string, number> = { 'Relative only, no TxProfile': 6, 'no smart charging': 32 };
    it(`${name}: charges at its set-point`, () => {
      const world = charging(16, kind);
      keep(world, 16, 120);
      const expected = reaches[name] ?? 16;
      assert.ok(Math.abs(world.model.offers(world.now) - expected) < 0.02, `${world.model.offers(world.now)} A`);
      keep(world, 0, 60);
      assert.equal(world.model.offers(world.now), name === 'no smart charging' ? 32 : 0);
    });
  }

  it('truncates to tenths that every strict validation takes', () => {
    for (let tenths = 0; tenths <= 640; tenths++) {
      const amps = truncateAmps(tenths * 0.1);
      assert.equal(String(amps), String(tenths / 10));
      assert.equal(truncateAmps(tenths / 10 + 0.0999), tenths / 10);
    }
    assert.equal(truncateAmps(16.17), 16.1);
    assert.equal(truncateAmps(0.1 + 0.2), 0.3);
  });

  it('learns that profiles end, and makes them shorter only where that wears nothing out', () => {
    const durations = (quirks: object) => {
      const world = charging(16, { station: { quirks }, traits: { tellsOffered: false } });
      keep(world, 16, 60);
      keep(world, 12, 5);
      return world.profiles.at(-1)?.csChargingProfiles.chargingSchedule.duration;
    };
    assert.equal(durations({ duration: 60 }), 310, 'from 10 s ago');
    assert.equal(durations({ duration: 60, sparesMemory: true }), 70);
  });

  it('lying: who draws more than it says is found within a minute, and its words prove nothing any more', () => {
    const pair = new StationPair(BEHAVIOURS.lying.behaviour);
    pair.run(30, 10);
    pair.vehicle.plugIn();
    pair.run(60, 12);
    for (const setpoint of [12, 10, 6, 0, 12]) {
      for (let i = 0; i < 12; i++) {
        pair.run(10, setpoint);
        assert.equal(pair.reading?.offer, MAX_A, `${setpoint} A`);
        assert.ok(pair.alerts.has('not-obeying'));
      }
    }
  });

  it('no-meter: who charges and measures nothing is told', () => {
    const pair = new StationPair(BEHAVIOURS['no-meter'].behaviour);
    pair.run(30, 10);
    pair.vehicle.plugIn();
    pair.run(240, 10);
    assert.deepEqual([...pair.alerts], []);
    pair.run(90, 10);
    assert.deepEqual([...pair.alerts], ['not-metered']);
  });

  it('power-only: charges at its minimum, and what that is by its lower voltage is reserved', () => {
    const pair = new StationPair(BEHAVIOURS['power-only'].behaviour);
    pair.run(30, 10);
    pair.vehicle.plugIn();
    pair.run(120, 10);
    pair.run(60, 6);
    assert.ok(pair.amps > 5.99, `${pair.amps} A`);
    const { offer = 0 } = pair.reading ?? {};
    assert.ok(offer > 6 && offer <= 6.05, `${offer} A`);
  });
});
