/** Every behaviour of a simulated station, shown: what a central system meets in the field. */
import assert from 'node:assert/strict';
import { BEHAVIOURS, type BehaviourName, behaviour } from '../../../simulator/ocpp/behaviours.ts';
import type { JsonObject } from '../../../simulator/ocpp/frames.ts';
import { Desk, type DeskOptions, profileOf, START, setProfile } from './desk.ts';

const TX = { chargingProfileId: 2, chargingProfilePurpose: 'TxProfile' };
const MAX = { chargingProfileId: 3, chargingProfilePurpose: 'ChargePointMaxProfile' };
const RELATIVE = { chargingProfileKind: 'Relative' };
const WATT = { chargingRateUnit: 'W' };

function charging(names: BehaviourName[], options: DeskOptions = {}): Desk {
  const desk = new Desk({ ...options, behaviour: behaviour(...names) });
  desk.connect();
  desk.run(10);
  return desk;
}

const accepts = (desk: Desk, profile: object, connector = 1) =>
  setProfile(desk, profile, connector)?.status === 'Accepted';

function reconnect(desk: Desk, seconds = 5): void {
  desk.disconnect();
  desk.run(seconds);
  desk.connect();
  desk.run(5);
}

function sampled(desk: Desk): JsonObject[] {
  desk.call('TriggerMessage', { requestedMessage: 'MeterValues' });
  desk.run(1);
  const values = desk.of('MeterValues').at(-1)?.meterValue as { sampledValue: JsonObject[] }[];
  return values[0].sampledValue;
}

function offeredTold(desk: Desk): number {
  return Number(sampled(desk).find((v) => v.measurand === 'Current.Offered')?.value);
}

/** What each does; a name without an entry fails. */
const SHOWN: Record<BehaviourName, () => void> = {
  obeying() {
    const desk = charging(['obeying']);
    assert.ok(accepts(desk, profileOf(8)));
    desk.run(3);
    assert.deepEqual([desk.amps(), offeredTold(desk)], [8, 8]);
  },
  lagging() {
    const desk = charging(['lagging']);
    desk.run(30);
    setProfile(desk, profileOf(8));
    desk.run(19);
    assert.equal(desk.amps(), 16);
    desk.run(5);
    assert.equal(desk.amps(), 8);
  },
  ignoring() {
    const desk = charging(['ignoring']);
    assert.ok(accepts(desk, profileOf(8)));
    desk.run(10);
    assert.deepEqual([desk.amps(), offeredTold(desk)], [16, 16]);
  },
  lying() {
    const desk = charging(['lying']);
    assert.ok(accepts(desk, profileOf(8)));
    desk.run(10);
    assert.deepEqual([desk.amps(), offeredTold(desk)], [16, 8]);
    const { chargingSchedule } = desk.call('GetCompositeSchedule', { connectorId: 1, duration: 60 }) ?? {};
    assert.equal((chargingSchedule as { chargingSchedulePeriod: JsonObject[] }).chargingSchedulePeriod[0].limit, 8);
  },
  'stack-zero'() {
    const desk = charging(['stack-zero']);
    assert.deepEqual([accepts(desk, profileOf(8, { stackLevel: 1 })), accepts(desk, profileOf(8))], [false, true]);
    const read = desk.call('GetConfiguration', { key: ['ChargeProfileMaxStackLevel'] })?.configurationKey;
    assert.equal((read as JsonObject[])[0].value, '0');
  },
  'stack-overstated'() {
    const desk = charging(['stack-overstated']);
    assert.deepEqual(
      [accepts(desk, profileOf(8, { stackLevel: 3 })), accepts(desk, profileOf(8, { stackLevel: 2 }))],
      [false, true],
    );
  },
  'stale-profile'() {
    const desk = charging(['stale-profile']);
    assert.equal(desk.call('GetConfiguration')?.code, 'InternalError');
    assert.ok(desk.call('GetConfiguration')?.configurationKey);
    setProfile(desk, profileOf(16, MAX), 0);
    desk.run(3);
    assert.equal(desk.amps(), 8);
    setProfile(desk, profileOf(16, { ...MAX, stackLevel: 10 }), 0);
    desk.run(3);
    assert.equal(desk.amps(), 16);
  },
  'failed-read'() {
    const desk = charging(['failed-read']);
    assert.equal(desk.call('GetConfiguration')?.code, 'InternalError');
    assert.ok(desk.call('GetConfiguration')?.configurationKey);
  },
  'no-station-maximum'() {
    const desk = charging(['no-station-maximum']);
    assert.equal(setProfile(desk, profileOf(8, MAX), 0)?.status, 'NotSupported');
  },
  'station-maximum-blocked'() {
    const desk = charging(['station-maximum-blocked']);
    assert.deepEqual(
      [accepts(desk, profileOf(8, MAX), 0), accepts(desk, profileOf(8), 0), accepts(desk, profileOf(8), 1)],
      [false, false, true],
    );
  },
  'default-only'() {
    const desk = charging(['default-only']);
    assert.deepEqual(
      [accepts(desk, profileOf(8, TX)), accepts(desk, profileOf(8, MAX), 0), accepts(desk, profileOf(8))],
      [false, false, true],
    );
  },
  'transaction-only'() {
    const desk = charging(['transaction-only']);
    assert.deepEqual(
      [accepts(desk, profileOf(8, TX)), accepts(desk, profileOf(8, MAX), 0), accepts(desk, profileOf(8))],
      [true, false, false],
    );
  },
  'no-connector-zero'() {
    const desk = charging(['no-connector-zero']);
    assert.deepEqual([accepts(desk, profileOf(8), 0), accepts(desk, profileOf(8), 1)], [false, true]);
  },
  'connector-zero-only'() {
    const desk = charging(['connector-zero-only']);
    assert.deepEqual([accepts(desk, profileOf(8), 0), accepts(desk, profileOf(8), 1)], [true, false]);
  },
  'whole-limits'() {
    const desk = charging(['whole-limits']);
    assert.deepEqual([accepts(desk, profileOf(8.5)), accepts(desk, profileOf(8))], [false, true]);
  },
  'no-duration'() {
    const desk = charging(['no-duration']);
    assert.deepEqual([accepts(desk, profileOf(8, {}, { duration: 300 })), accepts(desk, profileOf(8))], [false, true]);
  },
  'one-profile'() {
    const desk = charging(['one-profile']);
    assert.deepEqual(
      [accepts(desk, profileOf(8)), accepts(desk, profileOf(8, TX)), accepts(desk, profileOf(9))],
      [true, false, true],
    );
  },
  'silent-profiles'() {
    const desk = charging(['silent-profiles']);
    const id = desk.send('SetChargingProfile', { connectorId: 1, csChargingProfiles: profileOf(8) });
    desk.run(60);
    assert.deepEqual([desk.answerTo(id), desk.amps()], [undefined, 8]);
    assert.deepEqual(desk.call('ClearCache'), { status: 'Accepted' });
  },
  'no-smart-charging'() {
    const desk = charging(['no-smart-charging']);
    assert.equal(setProfile(desk, profileOf(8))?.code, 'NotSupported');
    const { configurationKey, unknownKey } =
      desk.call('GetConfiguration', { key: ['ChargeProfileMaxStackLevel', 'SupportedFeatureProfiles'] }) ?? {};
    assert.deepEqual(unknownKey, ['ChargeProfileMaxStackLevel']);
    assert.doesNotMatch(String((configurationKey as JsonObject[])[0].value), /SmartCharging/);
  },
  'relative-only'() {
    const desk = charging(['relative-only']);
    assert.deepEqual([accepts(desk, profileOf(8)), accepts(desk, profileOf(8, RELATIVE))], [false, true]);
  },
  'absolute-only'() {
    const desk = charging(['absolute-only']);
    assert.deepEqual([accepts(desk, profileOf(8)), accepts(desk, profileOf(8, RELATIVE))], [true, false]);
  },
  'power-only'() {
    const desk = charging(['power-only']);
    assert.equal(accepts(desk, profileOf(8)), false);
    assert.ok(accepts(desk, profileOf(0, {}, { ...WATT, chargingSchedulePeriod: [{ startPeriod: 0, limit: 5520 }] })));
    desk.run(3);
    assert.equal(desk.amps(), 8);
  },
  'amps-only'() {
    const desk = charging(['amps-only']);
    const withPhases = { chargingSchedulePeriod: [{ startPeriod: 0, limit: 8, numberPhases: 3 }] };
    assert.deepEqual(
      [accepts(desk, profileOf(8)), accepts(desk, profileOf(8, {}, WATT)), accepts(desk, profileOf(8, {}, withPhases))],
      [false, false, true],
    );
  },
  'zero-phases'() {
    const desk = charging(['zero-phases']);
    assert.ok(
      accepts(desk, profileOf(16, {}, { chargingSchedulePeriod: [{ startPeriod: 0, limit: 16, numberPhases: 0 }] })),
    );
    desk.run(3);
    assert.equal(desk.amps(), 0);
  },
  'zero-resumes-unlimited'() {
    const desk = charging(['zero-resumes-unlimited']);
    setProfile(desk, profileOf(0));
    desk.run(5);
    assert.equal(desk.amps(), 0);
    setProfile(desk, profileOf(7));
    desk.run(5);
    assert.equal(desk.amps(), 16);
    setProfile(desk, profileOf(7));
    desk.run(5);
    assert.equal(desk.amps(), 7);
  },
  'drops-while-suspended'() {
    const desk = charging(['drops-while-suspended']);
    setProfile(desk, profileOf(0, TX));
    desk.run(5);
    assert.ok(accepts(desk, profileOf(9, TX)));
    desk.run(5);
    assert.equal(desk.amps(), 0);
  },
  'zero-stops'() {
    const desk = charging(['zero-stops']);
    setProfile(desk, profileOf(0));
    desk.run(5);
    assert.equal(desk.of('StopTransaction').length, 1);
    assert.equal(desk.statuses().at(-1), 'Finishing');
  },
  'replug-after-stop'() {
    const desk = charging(['replug-after-stop']);
    desk.call('RemoteStopTransaction', { transactionId: 101 });
    desk.run(5);
    assert.deepEqual(desk.call('RemoteStartTransaction', { connectorId: 1, idTag: 'A' }), { status: 'Rejected' });
    desk.vehicles[0].unplug();
    desk.run(2);
    desk.vehicles[0].plugIn();
    desk.run(5);
    assert.equal(desk.of('StartTransaction').length, 2);
  },
  'forgets-on-reconnect'() {
    const desk = charging(['forgets-on-reconnect']);
    setProfile(desk, profileOf(8));
    desk.run(5);
    assert.equal(desk.amps(), 8);
    reconnect(desk);
    assert.equal(desk.amps(), 16);
  },
  'forgets-on-reboot'() {
    const desk = charging(['forgets-on-reboot']);
    setProfile(desk, profileOf(8));
    reconnect(desk);
    assert.equal(desk.amps(), 8);
    desk.call('Reset', { type: 'Soft' });
    desk.run(20);
    assert.equal(desk.amps(), 16);
  },
  'never-expires'() {
    const desk = charging(['never-expires']);
    setProfile(desk, profileOf(8, {}, { duration: 20 }));
    desk.run(600);
    assert.equal(desk.amps(), 8);
  },
  'relative-from-receipt'() {
    const desk = charging(['relative-from-receipt']);
    desk.run(60);
    const schedule = { startSchedule: undefined, duration: 20 };
    setProfile(desk, profileOf(8, RELATIVE, schedule));
    desk.run(15);
    assert.equal(desk.amps(), 8);
    // One that counts from the start of the transaction has expired already.
    const other = charging(['obeying']);
    other.run(60);
    setProfile(other, profileOf(8, RELATIVE, schedule));
    other.run(15);
    assert.equal(other.amps(), 16);
  },
  'no-redial'() {
    // Shown on the wire, in wire.test.ts.
    assert.equal(behaviour('no-redial').redialsAfterGracefulClose, false);
  },
  'duplicate-connections'() {
    // Shown on the wire, in wire.test.ts.
    assert.equal(behaviour('duplicate-connections').redialsWhileOpenSeconds, 10);
  },
  'no-boot-on-reconnect'() {
    const desk = charging(['no-boot-on-reconnect']);
    reconnect(desk);
    assert.equal(desk.of('BootNotification').length, 1);
    assert.equal(desk.statuses().at(-1), 'Charging');
    desk.call('Reset', { type: 'Hard' });
    desk.run(20);
    assert.equal(desk.of('BootNotification').length, 2);
  },
  'boot-loop'() {
    const desk = charging(['boot-loop']);
    desk.call('TriggerMessage', { requestedMessage: 'BootNotification' });
    desk.run(20);
    assert.equal(desk.of('BootNotification').length, 3);
  },
  'reboots-on-measurands'() {
    const desk = charging(['reboots-on-measurands']);
    const change = { key: 'MeterValuesSampledData', value: 'Current.Import' };
    assert.deepEqual(desk.call('ChangeConfiguration', change), { status: 'Accepted' });
    desk.run(20);
    assert.equal(desk.of('BootNotification').length, 2);
  },
  'slow-connect'() {
    const desk = new Desk({ behaviour: behaviour('slow-connect') });
    desk.run(890);
    assert.equal(desk.station.wantsConnection(desk.now), false);
    desk.run(10);
    assert.equal(desk.station.wantsConnection(desk.now), true);
  },
  'boots-as-201'() {
    const desk = charging(['boots-as-201']);
    assert.ok(desk.of('BootNotification')[0].chargingStation);
  },
  'repeats-start'() {
    const desk = charging(['repeats-start']);
    const starts = desk.of('StartTransaction');
    assert.equal(starts.length, 3);
    assert.deepEqual(starts[0], starts[2]);
  },
  'minus-one'() {
    const desk = charging(['minus-one']);
    desk.station.stop(1, desk.now);
    desk.vehicles[0].unplug();
    desk.run(2);
    desk.disconnect();
    desk.vehicles[0].plugIn();
    desk.run(20);
    desk.connect();
    desk.run(100);
    desk.station.stop(1, desk.now);
    desk.run(2);
    assert.equal(desk.of('StopTransaction').at(-1)?.transactionId, -1);
    assert.equal(desk.of('MeterValues').at(-1)?.transactionId, -1);
  },
  'stops-yesterdays'() {
    const desk = charging(['stops-yesterdays']);
    const [stop] = desk.of('StopTransaction');
    assert.equal(stop.transactionId, 471_100);
    assert.ok(Date.parse(stop.timestamp as string) <= START - 86_000_000);
  },
  'remote-start-needed'() {
    const desk = charging(['remote-start-needed']);
    assert.deepEqual([desk.of('StartTransaction').length, desk.statuses().at(-1)], [0, 'Preparing']);
    desk.call('RemoteStartTransaction', { connectorId: 1, idTag: 'A' });
    desk.run(3);
    assert.equal(desk.of('StartTransaction').length, 1);
  },
  'resumes-after-power-loss'() {
    const desk = charging(['resumes-after-power-loss']);
    desk.station.powerCut();
    desk.run(20);
    desk.station.powerOn(desk.now);
    desk.run(20);
    assert.deepEqual([desk.of('StopTransaction').length, desk.of('StartTransaction').length, desk.amps()], [0, 1, 16]);
  },
  'no-availability'() {
    const desk = charging(['no-availability']);
    assert.deepEqual(desk.call('ChangeAvailability', { connectorId: 1, type: 'Inoperative' }), { status: 'Rejected' });
  },
  'excluded-measurands'() {
    const desk = charging(['excluded-measurands']);
    const change = (value: string) =>
      desk.call('ChangeConfiguration', { key: 'MeterValuesSampledData', value })?.status;
    assert.deepEqual([change('Current.Import,Current.Offered'), change('Current.Import')], ['Rejected', 'Accepted']);
  },
  'no-offered'() {
    const desk = charging(['no-offered']);
    assert.ok(!sampled(desk).some((v) => String(v.measurand).endsWith('Offered')));
    assert.equal(desk.call('GetCompositeSchedule', { connectorId: 1, duration: 60 })?.code, 'NotSupported');
  },
  'no-meter'() {
    const desk = charging(['no-meter']);
    desk.run(200);
    assert.deepEqual([desk.of('MeterValues').length, desk.amps()], [0, 16]);
  },
  'plug-and-charge-key'() {
    assert.equal(charging(['plug-and-charge-key']).of('StartTransaction')[0].idTag, 'plugncharge');
  },
  'phase-switching-key'() {
    const key = ['ACPhaseSwitchingSupported'];
    const read = charging(['phase-switching-key']).call('GetConfiguration', { key })?.configurationKey;
    assert.deepEqual(read, [{ key: key[0], readonly: true, value: 'true' }]);
  },
  'measurands-key'() {
    const read = charging(['measurands-key']).call('GetConfiguration', {
      key: ['evb_SupportedMeasurands'],
    })?.configurationKey;
    assert.match(String((read as JsonObject[])[0].value), /Current\.Offered/);
  },
  'slow-reset'() {
    const desk = charging(['slow-reset']);
    const id = desk.send('Reset', { type: 'Soft' });
    assert.ok(accepts(desk, profileOf(8)));
    desk.run(1);
    assert.equal(desk.answerTo(id), undefined);
  },
  'slow-answers'() {
    const desk = charging(['slow-answers']);
    const id = desk.send('ClearCache');
    desk.run(4);
    assert.equal(desk.answerTo(id), undefined);
    desk.run(2);
    assert.deepEqual(desk.answerTo(id), { status: 'Accepted' });
  },
  'numeric-ids'() {
    assert.deepEqual(
      charging(['numeric-ids'])
        .heard.slice(0, 3)
        .map((h) => h.id),
      [1, 2, 3],
    );
  },
  'extra-fields'() {
    const desk = charging(['extra-fields']);
    assert.ok(desk.heard.every((h) => h.payload.vendorExtra));
    assert.deepEqual(desk.call('ClearCache'), { status: 'Accepted', vendorExtra: 1 });
  },
  'whole-amps'() {
    const desk = charging(['whole-amps']);
    setProfile(desk, profileOf(9.9));
    desk.run(3);
    assert.equal(desk.amps(), 9);
  },
  'clock-behind'() {
    const desk = charging(['clock-behind']);
    assert.equal(desk.station.clock(desk.now) - desk.wallClock, -3_600_000);
    // A schedule that begins now begins in an hour.
    setProfile(desk, profileOf(8, {}, { startSchedule: new Date(desk.wallClock).toISOString() }));
    desk.run(5);
    assert.equal(desk.amps(), 16);
  },
  'clock-ahead'() {
    const desk = charging(['clock-ahead']);
    assert.equal(desk.station.clock(desk.now) - desk.wallClock, 7_200_000);
    setProfile(desk, profileOf(8, {}, { startSchedule: new Date(desk.wallClock).toISOString(), duration: 300 }));
    desk.run(5);
    assert.equal(desk.amps(), 16);
  },
  'clock-drifts'() {
    const desk = charging(['clock-drifts']);
    desk.run(3590);
    assert.equal(desk.station.clock(desk.now) - desk.wallClock, 30_000);
  },
  kilo() {
    const units = sampled(charging(['kilo'])).map((v) => `${v.measurand} ${v.value} ${v.unit}`);
    assert.ok(
      units.some((u) => /^Power\.Active\.Import 3\.\d{3} kW$/.test(u)),
      units.join(),
    );
    assert.ok(
      units.some((u) => /^Energy\.Active\.Import\.Register 0\.\d{3} kWh$/.test(u)),
      units.join(),
    );
  },
  'total-values'() {
    const values = sampled(charging(['total-values']));
    assert.equal(values.filter((v) => v.measurand === 'Power.Active.Import').length, 1);
    assert.ok(values.every((v) => v.phase === undefined));
    assert.ok(Number(values.find((v) => v.measurand === 'Power.Active.Import')?.value) > 11_000);
  },
  'both-values'() {
    const phases = sampled(charging(['both-values']))
      .filter((v) => v.measurand === 'Power.Active.Import')
      .map((v) => v.phase);
    assert.deepEqual(phases, ['L1', 'L2', 'L3', undefined]);
  },
  'no-phase'() {
    const values = sampled(charging(['no-phase'])).filter((v) => v.measurand === 'Current.Import');
    assert.deepEqual(
      values.map((v) => v.phase),
      [undefined, undefined, undefined],
    );
  },
  terse() {
    const [energy] = sampled(charging(['terse']));
    assert.deepEqual(Object.keys(energy), ['value', 'context']);
  },
  'with-location'() {
    assert.ok(sampled(charging(['with-location'])).every((v) => v.location === 'Outlet'));
  },
  'site-measurands'() {
    const names = sampled(siteDesk('site-measurands'))
      .slice(-3)
      .map((v) => v.measurand);
    assert.deepEqual(names, ['Power.Active.Import.Grid', 'Power.Active.Import.PV', 'Power.Active.Import.Home']);
  },
  'site-locations'() {
    const names = sampled(siteDesk('site-locations'))
      .slice(-3)
      .map((v) => `${v.measurand} ${v.location} ${v.value}`);
    assert.deepEqual(names, [
      'Power.Active.Import Grid 2500.0',
      'Power.Active.Export Solar 4000.0',
      'Power.Active.Import Home 1500.0',
    ]);
  },
  'odd-intervals'() {
    const desk = charging(['odd-intervals']);
    desk.run(200);
    const times = desk.heard.filter((h) => h.action === 'MeterValues').map((h) => h.at);
    assert.deepEqual(
      times.slice(1, 5).map((t, i) => Math.round(t - times[i])),
      [47, 3, 121, 7],
    );
  },
};

function siteDesk(name: BehaviourName): Desk {
  return charging([name], { site: () => ({ grid: 2500, pv: 4000, home: 1500 }) });
}

describe('behaviours of simulated OCPP stations', () => {
  for (const [name, { text, seen }] of Object.entries(BEHAVIOURS)) {
    it(`${name}: ${text}${seen.length > 0 ? ` (${seen.join(', ')})` : ''}`, () => SHOWN[name as BehaviourName]());
  }

  it('can be combined', () => {
    const desk = charging(['stack-zero', 'power-only', 'kilo', 'no-phase']);
    assert.equal(accepts(desk, profileOf(8, { stackLevel: 1 }, WATT)), false);
    assert.equal(accepts(desk, profileOf(8)), false);
    assert.ok(accepts(desk, profileOf(8000, {}, WATT)));
    assert.ok(sampled(desk).every((v) => v.phase === undefined && v.unit !== 'W'));
  });
});
