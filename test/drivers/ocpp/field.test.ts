/** What goes wrong in the field: one test per thread. */
import assert from 'node:assert/strict';
import type { RequestOf } from '../../../drivers/ocpp/actions.ts';
import { quirksOf, readQuirks, readQuirkTable } from '../../../drivers/ocpp/quirks.ts';
import { charging, keep, ready } from '../../helpers/ocpp-runs.ts';
import { StationWorld, type Traits } from '../../helpers/ocpp-station-world.ts';

const rejecting = (rejects: Traits['rejects']): { traits: Partial<Traits> } => ({ traits: { rejects } });
type Profile = RequestOf<'SetChargingProfile'>['csChargingProfiles'];
const lastProfile = (world: StationWorld): Profile => {
  const last = world.profiles.at(-1);
  assert.ok(last);
  return last.csChargingProfiles;
};

describe('OCPP station, what goes wrong in the field', () => {
  it('lbbrhzn/ocpp#1718, #1684, #2152: replaces a profile by its id, never clears first', () => {
    const world = charging(16);
    for (const current of [10, 0, 8]) keep(world, current, 10);
    assert.deepEqual(world.called('ClearChargingProfile'), []);
    const over = world.profiles
      .map((p) => p.csChargingProfiles)
      .filter((p) => p.chargingProfilePurpose === 'TxProfile');
    assert.equal(new Set(over.map((p) => `${p.chargingProfileId} ${p.stackLevel}`)).size, 1);
    assert.deepEqual(
      over.slice(-3).map((p) => p.chargingSchedule.chargingSchedulePeriod[0].limit),
      [10, 0, 8],
    );
  });

  it('lbbrhzn/ocpp#1737, evcc#15493: ABB gets stack level 0 only, whatever it says', () => {
    const world = charging(16, { traits: { vendor: 'ABB', rejects: (_, p) => p.stackLevel > 0 } });
    assert.equal(world.model.offers(world.now), 16);
    assert.ok(world.profiles.every((p) => p.csChargingProfiles.stackLevel === 0));
  });

  it('lbbrhzn/ocpp#2148: after a failed read no stack level is guessed, nor taken from before', () => {
    let fails = false;
    const world = charging(16, {
      traits: { answer: (action) => (action === 'GetConfiguration' && fails ? 'none' : undefined) },
    });
    assert.equal(lastProfile(world).stackLevel, 3);
    fails = true;
    world.unplug();
    world.disconnect();
    world.connect();
    world.pass(25);
    world.plugIn();
    keep(world, 16, 100);
    assert.equal(lastProfile(world).stackLevel, 0);
    assert.equal(world.model.offers(world.now), 16);
    fails = false;
    keep(world, 12, 200);
    assert.ok(world.called('GetConfiguration').length <= 6);
    assert.equal(world.model.offers(world.now), 12);
  });

  it('lbbrhzn/ocpp#2148: a failed read is repeated ever more rarely', () => {
    const world = new StationWorld({ traits: { answer: (a) => (a === 'GetConfiguration' ? 'none' : undefined) } });
    world.connect();
    world.pass(3600);
    const reads = world.called('GetConfiguration').length;
    assert.ok(reads >= 10 && reads <= 16, `${reads} reads in an hour`);
    assert.deepEqual(world.activeAlerts(), ['configuration-unread']);
  });

  for (const thread of ['lbbrhzn/ocpp#221, #2158', 'lbbrhzn/ocpp#877']) {
    it(`${thread}: works where ChargePointMaxProfile is refused`, () => {
      const world = charging(
        16,
        rejecting((_, p) => p.chargingProfilePurpose === 'ChargePointMaxProfile'),
      );
      assert.equal(world.model.offers(world.now), 16);
      assert.deepEqual(world.activeAlerts(), []);
    });
  }

  it('evcc#14888: works where only a TxDefaultProfile is taken, and that ends at the safe current', () => {
    const world = charging(
      16,
      rejecting((_, p) => p.chargingProfilePurpose !== 'TxDefaultProfile'),
    );
    keep(world, 16, 60);
    assert.equal(world.model.offers(world.now), 16);
    world.isRunning = false;
    world.pass(305);
    assert.equal(world.model.offers(world.now), 6);
  });

  for (const thread of ['evcc#9838', 'lbbrhzn/ocpp#2084']) {
    it(`${thread}: a station that takes W only gets whole W for its phases`, () => {
      const world = charging(16.17, {
        traits: {
          configuration: { ChargingScheduleAllowedChargingRateUnit: 'Power' },
          rejects: (_, p) => p.chargingSchedule.chargingRateUnit !== 'W',
        },
      });
      assert.equal(lastProfile(world).chargingSchedule.chargingSchedulePeriod[0].limit, 11109);
      assert.ok(Math.abs(world.model.offers(world.now) - 16.1) < 0.01);
    });
  }

  it('evcc#30998: the number of phases is never 0', () => {
    for (const rotation of [['L1'], ['L3'], ['L1', 'L2'], ['L1', 'L2', 'L3']] as const) {
      const world = charging(10, { rotation: [...rotation] });
      for (const { csChargingProfiles } of world.profiles)
        for (const period of csChargingProfiles.chargingSchedule.chargingSchedulePeriod)
          assert.equal(period.numberPhases, rotation.length === 1 ? 1 : 3);
    }
  });

  it('go-eCharger-API-v2#190: amperes only, with the number of phases', () => {
    const world = charging(16, {
      traits: {
        vendor: 'go-e',
        rejects: (_, p) =>
          p.chargingSchedule.chargingRateUnit !== 'A' ||
          p.chargingSchedule.chargingSchedulePeriod.some((x) => x.numberPhases === undefined),
      },
    });
    assert.equal(world.model.offers(world.now), 16);
    assert.ok(world.profiles.every((p) => p.csChargingProfiles.chargingSchedule.chargingRateUnit === 'A'));
  });

  it('go-eCharger-API-v2#155: is told again when the vehicle goes on after a pause', () => {
    const world = charging(0);
    assert.equal(world.model.offers(world.now), 0);
    world.status('SuspendedEVSE');
    keep(world, 0, 10);
    world.model.installed = [];
    world.status('Charging');
    world.pass(0.25);
    assert.equal(world.model.offers(world.now), 0);
  });

  it('Delta: a TxProfile that is dropped while the vehicle is suspended is told again when it goes on', () => {
    const world = charging(16, { traits: { vendor: 'Delta', model: 'AC MAX' }, safe: 10 });
    world.model.wants = false;
    world.status('SuspendedEV');
    keep(world, 8, 5);
    world.model.installed = world.model.installed.filter((i) => i.profile.chargingProfilePurpose !== 'TxProfile');
    keep(world, 8, 5);
    assert.equal(world.model.offers(world.now), 10);
    assert.equal(world.last.offer, 10);
    world.model.wants = true;
    world.status('Charging');
    world.pass(0.5);
    assert.equal(world.model.offers(world.now), 8);
    assert.equal(world.last.offer, 8);
  });

  it('evcc#29272, evcc#29274: Huawei ends the transaction at 0 W, and gets another one when charging is wanted', () => {
    const world = charging(16, {
      traits: { vendor: 'Huawei', configuration: { ChargingScheduleAllowedChargingRateUnit: 'Power' } },
    });
    keep(world, 0, 5);
    const id = world.model.transaction?.id ?? 0;
    world.model.endTransaction();
    const stop = { transactionId: id, meterStop: 2000, timestamp: world.stationTime, reason: 'Other' };
    world.request('StopTransaction', stop);
    keep(world, 0, 30);
    assert.deepEqual(world.called('RemoteStartTransaction'), []);
    keep(world, 16, 30);
    assert.deepEqual(world.called('RemoteStartTransaction'), [{ connectorId: 1, idTag: 'FUSEWISE' }]);
  });

  it('S7: a stop by a person is not undone by a remote start', () => {
    const world = charging(16, { traits: { vendor: 'Easee' } });
    const stop = { transactionId: world.model.transaction?.id ?? 0, meterStop: 2000, reason: 'Local' };
    world.model.endTransaction();
    world.request('StopTransaction', { ...stop, timestamp: world.stationTime });
    world.status('Preparing');
    keep(world, 16, 120);
    assert.deepEqual(world.called('RemoteStartTransaction'), []);
    assert.equal(world.last.stoppedBy, 'user');
    world.unplug();
    world.model.plugged = true;
    world.status();
    keep(world, 16, 10);
    assert.equal(world.called('RemoteStartTransaction').length, 1);
  });

  for (const [vendor, firmware] of [
    ['Easee', '1'],
    ['Autel', '1'],
    ['Wallbox', '5.17.67'],
  ]) {
    it(`${vendor} ${firmware}: is started by us once it is plugged in and may charge, ever more rarely`, () => {
      const world = ready({ traits: { vendor, firmware } });
      world.model.plugged = true;
      world.status();
      keep(world, 0, 30);
      assert.deepEqual(world.called('RemoteStartTransaction'), []);
      keep(world, 10, 600);
      assert.equal(world.called('RemoteStartTransaction').length, 3);
    });
  }

  it('evcc#12861: BENY needs a replug after a stop, so its transaction is never stopped', () => {
    const world = charging(16, { traits: { vendor: 'ZJ Beny' }, station: { quirks: { pause: 'remote-stop' } } });
    keep(world, 0, 30);
    assert.deepEqual(world.called('RemoteStopTransaction'), []);
    assert.equal(world.model.offers(world.now), 0);
    keep(world, 16, 5);
    assert.equal(world.model.offers(world.now), 16);
  });

  it('go-eCharger-API-v2#217: who loses its profiles with the connection is told all of them again', () => {
    const world = charging(16, { traits: { vendor: 'go-e', losesProfilesOnReconnect: true } });
    world.disconnect();
    world.pass(5);
    const before = world.profiles.length;
    world.setpoint(16, 60);
    world.connect(false);
    world.pass(1);
    assert.deepEqual(
      world.profiles.slice(before).map((p) => p.csChargingProfiles.chargingProfilePurpose),
      ['TxDefaultProfile', 'TxProfile'],
    );
    assert.equal(world.model.offers(world.now), 16);
  });

  it('evcc#25069: goes on without a BootNotification after a reconnect', () => {
    const world = charging(16);
    world.disconnect();
    world.pass(30);
    world.setpoint(8, 60);
    world.connect(false);
    world.pass(1.5);
    assert.equal(world.model.offers(world.now), 8);
    world.pass(30);
    assert.deepEqual(world.called('TriggerMessage'), []);
  });

  it('lbbrhzn/ocpp#1096: a boot is asked for once ever, not at every connection, nor by the next process', () => {
    const world = new StationWorld();
    for (let i = 0; i < 4; i++) {
      world.connect(false);
      world.pass(60);
      world.kill();
    }
    const asked = world.called('TriggerMessage') as RequestOf<'TriggerMessage'>[];
    assert.equal(asked.filter((t) => t.requestedMessage === 'BootNotification').length, 1);
  });

  it('lbbrhzn/ocpp#1275: the measurands are set once, not tried out; a refusal is taken', () => {
    const world = new StationWorld({
      traits: {
        vendor: 'ABB',
        configuration: { MeterValuesSampledData: 'Energy.Active.Import.Register', MeterValueSampleInterval: '60' },
        answer: (action) =>
          action === 'ChangeConfiguration' ? { ok: true, payload: { status: 'Rejected' } } : undefined,
      },
    });
    for (let i = 0; i < 5; i++) {
      world.connect();
      world.pass(120);
      world.kill();
    }
    const written = world.called('ChangeConfiguration') as RequestOf<'ChangeConfiguration'>[];
    assert.deepEqual(written.map((w) => w.key).sort(), ['MeterValueSampleInterval', 'MeterValuesSampledData']);
  });

  it('steve#1294: a repeated StartTransaction gets the id that it got, also from the next process', () => {
    const world = ready();
    world.model.plugged = true;
    world.model.transaction = { id: undefined, startedAt: world.now };
    const at = world.stationTime;
    const id = world.startTransaction('TAG', at);
    world.kill();
    world.connect(false);
    assert.equal(world.startTransaction('TAG', at), id);
    world.pass(60);
    assert.notEqual(world.startTransaction('TAG'), id);
  });

  it('libocpp#495: transactionId −1 after an offline start: limited all the same, and its stop is answered', () => {
    const world = ready();
    world.disconnect();
    world.model.plugged = true;
    world.model.transaction = { id: undefined, startedAt: world.now };
    world.connect(false);
    world.setpoint(12, 60);
    world.meterValues(world.samples(), { transactionId: -1 });
    world.pass(2);
    assert.equal(world.model.offers(world.now), 12);
    const stop = { transactionId: -1, meterStop: 2000, timestamp: world.stationTime };
    const response = world.request('StopTransaction', stop);
    assert.equal(response.ok, true);
  });

  it('lbbrhzn/ocpp#1846, #1063: a list of tags is kept to, and who charges without one is limited all the same', () => {
    const world = ready({ station: { idTags: { accept: ['Alice', 'BOB'] } } });
    const info = (idTag: string) => {
      const response = world.request('Authorize', { idTag });
      return response.ok && (response.payload as { idTagInfo: { status: string } }).idTagInfo.status;
    };
    assert.deepEqual(['ALICE', 'bob', 'mallory'].map(info), ['Accepted', 'Accepted', 'Invalid']);
    world.plugIn('mallory');
    keep(world, 10, 10);
    assert.equal(world.model.offers(world.now), 10);
    assert.deepEqual(world.activeAlerts(), ['id-tag-refused']);
  });

  it('steve#1374: a tag per station for remote starts; Alfen has its own', () => {
    const started = (world: StationWorld) => {
      world.model.plugged = true;
      world.status();
      keep(world, 10, 15);
      return (world.called('RemoteStartTransaction') as RequestOf<'RemoteStartTransaction'>[]).map((r) => r.idTag);
    };
    const quirks = { remoteStart: true };
    assert.deepEqual(started(ready({ station: { quirks, idTags: { remote: 'CP001' } } })), ['CP001']);
    const alfen = { vendor: 'Alfen BV', configuration: { PlugAndChargeIdentifier: 'ALFEN-PNC' } };
    assert.deepEqual(started(ready({ station: { quirks }, traits: alfen })), ['ALFEN-PNC']);
  });

  it('lbbrhzn/ocpp#2008: a boot of OCPP 2 is refused and told', () => {
    const world = new StationWorld();
    world.connect(false);
    const boot = { reason: 'PowerUp', chargingStation: { model: 'X', vendorName: 'Y' } };
    assert.equal(world.requestAnything('BootNotification', boot).ok, false);
    assert.deepEqual(world.activeAlerts(), ['wrong-version']);
    world.boot();
    assert.deepEqual(world.activeAlerts(), []);
  });

  for (const hours of [1, -1]) {
    it(`steve#136: a clock that is ${hours} h wrong is told, and takes limits all the same`, () => {
      const world = charging(16, { traits: { clockError: hours * 3_600_000 } });
      keep(world, 14, 200);
      assert.equal(world.model.offers(world.now), 14);
      assert.deepEqual(world.activeAlerts(), ['clock-skew']);
      world.traits.clockError = 0;
      keep(world, 14, 400);
      assert.deepEqual(world.activeAlerts(), []);
    });
  }

  it('steve#136: what was queued while it was offline is no wrong clock, nor a measurement of now', () => {
    const world = charging(16);
    const old = (minutes: number) => new Date(world.wall - minutes * 60_000).toISOString();
    const before = world.readings.length;
    const amps = [{ value: '31', measurand: 'Current.Import', phase: 'L1', unit: 'A' }];
    for (let i = 120; i > 100; i--) world.meterValues(amps, {}, old(i));
    keep(world, 16, 120);
    assert.ok(world.readings.slice(before).every((r) => r.current[0] <= 16.1));
    assert.deepEqual(world.activeAlerts(), []);
  });

  it('node-red-contrib-ocpp#48: commands still work after 24 h', () => {
    const world = charging(16);
    for (let hour = 0; hour < 25; hour++) {
      world.setpoint(16, 3700);
      world.pass(3600);
    }
    world.setpoint(9, 60);
    world.pass(0.5);
    assert.equal(world.model.offers(world.now), 9);
    assert.equal(world.last.offer, 9);
  });

  it('node-red-contrib-ocpp#47: commands still work after a power cycle', () => {
    const world = charging(16);
    const id = world.model.transaction?.id ?? 0;
    world.disconnect();
    world.model.endTransaction();
    world.pass(60);
    world.connect();
    const stop = { transactionId: id, meterStop: 2000, timestamp: world.stationTime, reason: 'PowerLoss' };
    world.request('StopTransaction', stop);
    world.unplug();
    world.plugIn();
    keep(world, 11, 10);
    assert.equal(world.model.offers(world.now), 11);
  });

  it('Mennekes 4you: takes 15 min to connect, and is not called silent before', () => {
    const world = ready({ traits: { vendor: 'Mennekes', model: 'AMTRON 4You 500' } });
    world.disconnect();
    world.pass(880);
    assert.deepEqual(world.activeAlerts(), []);
    world.pass(60);
    assert.deepEqual(world.activeAlerts(), ['unreachable']);
    const other = ready();
    other.disconnect();
    other.pass(70);
    assert.deepEqual(other.activeAlerts(), ['unreachable']);
    other.connect(false);
    assert.deepEqual(other.activeAlerts(), []);
  });

  it('Elvi, EVBox: only measurands that it has are asked for', () => {
    const measurands = (traits: Partial<Traits>) => {
      const world = ready({ traits });
      const written = world.called('ChangeConfiguration') as RequestOf<'ChangeConfiguration'>[];
      return written.find((w) => w.key === 'MeterValuesSampledData')?.value;
    };
    const configuration = { MeterValuesSampledData: 'Energy.Active.Import.Register' };
    assert.equal(
      measurands({ vendor: 'EV-BOX', model: 'Elvi', configuration }),
      'Energy.Active.Import.Register,Power.Active.Import,Current.Import',
    );
    const evb_SupportedMeasurands = 'Energy.Active.Import.Register,Current.Import,SoC';
    assert.equal(
      measurands({ vendor: 'EV-BOX', model: 'B3321', configuration: { ...configuration, evb_SupportedMeasurands } }),
      'Energy.Active.Import.Register,Current.Import',
    );
  });

  it('Charge Amps: says by a key of its own that it switches phases', () => {
    const configuration = { ACPhaseSwitchingSupported: 'true' };
    for (const vendor of ['Charge Amps', 'Other']) {
      const world = ready({
        traits: { vendor, configuration },
        station: {
          connectors: [
            {
              connector: 1,
              id: 'CP001-1',
              rotation: ['L1', 'L2', 'L3'],
              min: 6,
              max: 32,
              safe: 6,
              phaseSwitching: true,
            },
          ],
        },
      });
      world.plugIn();
      world.setpoint(10, 60, 1);
      world.pass(1);
      const phases = lastProfile(world).chargingSchedule.chargingSchedulePeriod[0].numberPhases;
      assert.equal(phases, vendor === 'Other' ? 3 : 1);
    }
  });

  it('every quirk of the table says where it is known from, and is found by what a station says of itself', () => {
    const of = (vendor: string, model = '', firmware = '') => quirksOf({ vendor, model, firmware });
    assert.deepEqual(of('Wallbox', 'Pulsar', '4.1'), { relativeOnly: true });
    assert.deepEqual(of('Wall Box Chargers', 'XXX', 'v5.17'), {
      relativeOnly: true,
      stackLevelZero: true,
      remoteStart: true,
    });
    assert.deepEqual(of('Huawei'), { unit: 'W', zeroStops: true });
    assert.deepEqual(of('Acme'), {});
  });

  it('quirks of a user are checked, and win', () => {
    const identity = { vendor: 'ABB', model: '', firmware: '' };
    assert.deepEqual(quirksOf(identity, readQuirks('{"stackLevelZero": false}')), { stackLevelZero: false });
    const table = readQuirkTable('[{"vendor": "^Acme", "quirks": {"unit": "W"}, "source": "seen"}]');
    assert.deepEqual(quirksOf({ ...identity, vendor: 'ACME' }, {}, table), { unit: 'W' });
    assert.throws(() => readQuirks('{"unit": "kW"}'), /quirks\.unit/);
    assert.throws(() => readQuirks('nonsense'), /expected JSON/);
    assert.throws(() => readQuirkTable('[{"vendor": "(", "quirks": {}, "source": "x"}]'), /regular expression/);
  });
});
