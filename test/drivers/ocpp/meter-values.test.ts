import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readMeterValues, readSiteValues } from '../../../drivers/ocpp/meter-values.ts';
import { parseMessage } from '../../../messages/index.ts';
import { charging, keep, ready } from '../../helpers/ocpp-runs.ts';

const timestamp = '2026-01-01T12:00:00Z';
const outlet = (...sampledValue: object[]) => readMeterValues([{ timestamp, sampledValue }]).outlet;
const amps = (value: string, phase?: string, unit = 'A') => ({ value, phase, unit, measurand: 'Current.Import' });
const watts = (value: string, phase?: string, unit = 'W') => ({ value, phase, unit, measurand: 'Power.Active.Import' });

/** The grid currents and the power that a charging three-phase connector reports after these values. */
function reported(values: object[], rotation: ('L1' | 'L2' | 'L3')[] = ['L1', 'L2', 'L3'], limit = 16) {
  const world = charging(limit, { rotation });
  world.samples = () => values;
  keep(world, limit, 15);
  return world.last;
}

describe('OCPP station, MeterValues', () => {
  it('reads A and mA, W and kW, Wh and kWh, numbers with a comma', () => {
    assert.deepEqual(
      outlet(amps('16', 'L1'), amps('15900', 'L2', 'mA'), amps('15,8', 'L3'))?.current,
      [16, 15.9, 15.8],
    );
    assert.equal(outlet(watts('11.04', undefined, 'kW'))?.totalPower, 11040);
    assert.equal(outlet({ value: '12.345', unit: 'kWh' })?.energyImport, 12345);
    assert.equal(outlet({ value: '12345' })?.energyImport, 12345);
  });

  it('takes L1, L1-N for a phase; the neutral for none; voltages between phases as they are', () => {
    const sample = outlet(
      amps('1', 'L1-N'),
      amps('2', 'L2-N'),
      amps('9', 'N'),
      { value: '400', measurand: 'Voltage', phase: 'L1-L2', unit: 'V' },
      { value: '229', measurand: 'Voltage', phase: 'L2-N', unit: 'V' },
    );
    assert.deepEqual([...(sample?.current ?? [])], [1, 2]);
    assert.equal(Math.round(sample?.voltage[0] ?? 0), 231);
    assert.equal(sample?.voltage[1], 229);
  });

  it('adds up registers and powers per phase, and prefers a total', () => {
    const register = (value: string, phase?: string) => ({ value, phase, unit: 'Wh' });
    assert.equal(outlet(register('10', 'L1'), register('20', 'L2'), register('30', 'L3'))?.energyImport, 60);
    assert.equal(outlet(register('10', 'L1'), register('70'))?.energyImport, 70);
    assert.equal(outlet(watts('100', 'L1'), watts('200', 'L2'))?.totalPower, 300);
  });

  it('ignores signed data, and what is not at the outlet', () => {
    const sample = outlet(
      { value: 'AP;0;3;ALCV…', format: 'SignedData', measurand: 'Energy.Active.Import.Register' },
      { ...amps('5', 'L1'), location: 'Inlet' },
      { ...amps('6', 'L1'), location: 'EV' },
      { ...amps('7', 'L1'), location: 'Body' },
      { ...amps('8', 'L1'), location: 'Cable' },
      { ...amps('4', 'L1'), location: 'Outlet' },
    );
    assert.deepEqual(sample?.current, [4]);
  });

  it('the newest of several samples counts, in whatever order they come', () => {
    const at = (second: number, value: string) => ({
      timestamp: `2026-01-01T12:00:0${second}Z`,
      sampledValue: [amps(value, 'L1')],
    });
    assert.deepEqual(readMeterValues([at(5, '9'), at(1, '3'), at(2, '4')]).outlet?.current, [9]);
  });

  it('refuses what cannot be, names it, and keeps the rest', () => {
    const { outlet: sample, refused } = readMeterValues([
      { timestamp, sampledValue: [amps('nonsense', 'L1'), amps('1e9', 'L2'), amps('7', 'L3'), amps('3', 'L1', 'kWh')] },
    ]);
    assert.deepEqual(sample?.current.filter(Boolean), [7]);
    assert.equal(refused.length, 3);
  });

  it('never throws, whatever comes', () => {
    const value = fc.oneof(fc.anything(), fc.record({ sampledValue: fc.array(fc.anything()) }));
    fc.assert(fc.property(fc.oneof(fc.anything(), fc.array(value)), (v) => void readMeterValues(v)));
    fc.assert(fc.property(fc.oneof(fc.anything(), fc.json()), (v) => void readSiteValues(v)));
  });

  it('applies the rotation', () => {
    const reading = reported([amps('16', 'L1'), amps('15', 'L2'), amps('0', 'L3')], ['L2', 'L3', 'L1']);
    assert.deepEqual(reading.current, [0, 16, 15]);
    assert.deepEqual(reading.phases, ['L2', 'L3']);
  });

  it('a total power only: on all phases when the limit does not explain it, else on one', () => {
    assert.deepEqual(reported([watts('11040')]).current, [16, 16, 16]);
    assert.deepEqual(reported([watts('3680')]).current, [16, 0, 0]);
  });

  it('a total tells of no phase that it is not used, and never less than one of them may carry', () => {
    // A three-phase vehicle of 8 A, a two-phase and a single-phase one of 16 A.
    for (const [phases, most] of [
      [3, 8],
      [2, 16],
      [1, 16],
    ]) {
      const world = charging(32);
      const used = () => Math.min(world.model.offers(world.now), most);
      world.samples = () => [watts(String(used() * 230 * phases))];
      for (const offer of [32, 20, 10, 6, 16, 32]) {
        keep(world, offer, 40);
        assert.ok(world.last.phases === undefined || phases === 3, `${phases} phases: ${world.last.phases}`);
        assert.notEqual(world.last.phases?.length, 1);
        assert.ok(Math.max(...world.last.current) >= used(), `${phases} phases: ${world.last.current} A`);
      }
    }
  });

  it('a vehicle that shows by its total that it needs all phases is on all of them', () => {
    const world = charging(16);
    world.samples = () => [watts(String(world.model.draws(world.now) * 230 * 3))];
    keep(world, 16, 40);
    assert.deepEqual(world.last.phases, ['L1', 'L2', 'L3']);
    keep(world, 0, 40);
    keep(world, 8, 40);
    assert.deepEqual(world.last.current, [8, 8, 8]);
  });

  it('a current without a phase: a sum when the power says so, else of each phase', () => {
    assert.deepEqual(reported([amps('48'), watts('11040')]).current, [16, 16, 16]);
    assert.deepEqual(reported([amps('16'), watts('11040')]).current, [16, 16, 16]);
    assert.deepEqual(reported([amps('16')]).current, [16, 16, 16]);
    assert.deepEqual(reported([amps('16')], ['L3']).current, [0, 0, 16]);
  });

  it('powers per phase are divided by their voltage', () => {
    const volts = { value: '220', measurand: 'Voltage', phase: 'L1', unit: 'V' };
    const { current, power } = reported([watts('2200', 'L1'), watts('0', 'L2'), watts('0', 'L3'), volts]);
    assert.deepEqual(current, [10, 0, 0]);
    assert.equal(power, 2200);
  });

  it('a phase that is not sent any more ages, the others do not hide it', () => {
    const world = charging(16);
    world.samples = () => [amps('16', 'L1'), amps('16', 'L2')];
    keep(world, 16, 40);
    assert.ok(world.last.age > 30, String(world.last.age));
  });

  it('currents that a connector cannot have are refused, the last good ones age, one alert', () => {
    const world = charging(16);
    const good = world.samples;
    world.samples = () => [amps('900', 'L1'), amps('900', 'L2'), amps('900', 'L3')];
    keep(world, 16, 60);
    assert.deepEqual(world.last.current, [16, 16, 16]);
    assert.ok(world.last.age > 45);
    assert.equal(world.alerts.filter((a) => a.code === 'bad-data' && a.active).length, 1);
    world.samples = good;
    keep(world, 16, 15);
    assert.deepEqual(world.activeAlerts(), []);
    assert.ok(world.last.age < 11);
  });

  it('energy is that of the session, and the register its own', () => {
    const world = charging(16);
    keep(world, 16, 600);
    assert.ok(Math.abs(world.last.energy - (16 * 690 * 630) / 3600) < 60, String(world.last.energy));
    assert.ok((world.last.register ?? 0) >= 1000 + world.last.energy);
  });

  it('state of charge goes with its vehicle', () => {
    const world = charging(16);
    const samples = world.samples.bind(world);
    world.samples = () => [...samples(), { value: '57', measurand: 'SoC', unit: 'Percent', location: 'EV' }];
    keep(world, 16, 15);
    assert.equal(world.last.soc, 57);
    world.unplug();
    world.pass(1);
    assert.equal(world.last.soc, undefined);
  });

  it('what the station, or the site, takes becomes a meter', () => {
    const world = ready();
    world.meterValues([{ ...amps('20', 'L1'), location: 'Inlet' }]);
    world.meterValues([watts('1500', 'L2')], { connectorId: 0 });
    assert.deepEqual(
      world.meters.map((m) => m.meter),
      ['CP001-inlet', 'CP001-inlet'],
    );
    assert.deepEqual(world.meters[0].reading.current, [20, null, null]);
    assert.deepEqual(world.meters[1].reading.power, [null, 1500, null]);
  });

  it('powers of the site by name or place become meters', () => {
    const world = ready({ rotation: ['L1'] });
    const named = { value: '2', unit: 'kW', measurand: 'Power.Active.Import.Grid' };
    world.requestAnything('MeterValues', {
      connectorId: 1,
      meterValue: [{ timestamp, sampledValue: [named, { ...watts('700'), location: 'Home' }] }],
    });
    const powers = world.meters.map((m) => [m.meter, m.reading.power]);
    assert.deepEqual(powers, [
      ['CP001-grid', [2000, null, null]],
      ['CP001-home', [700, null, null]],
    ]);
  });

  it('site values of existing servers become meters', () => {
    const world = ready({ rotation: ['L1'] });
    const data = JSON.stringify({ state: { gridPower: -1200, pvPower: '8000', homeLoad: 3000 }, other: 1 });
    const response = world.request('DataTransfer', { vendorId: 'x', messageId: 'dlb', data });
    assert.deepEqual(response, { ok: true, payload: { status: 'Accepted' } });
    const powers = world.meters.map((m) => [m.meter, m.reading.power]);
    assert.deepEqual(powers, [
      ['CP001-grid', [-1200, null, null]],
      ['CP001-pv', [8000, null, null]],
      ['CP001-home', [3000, null, null]],
    ]);
    assert.deepEqual(world.request('DataTransfer', { vendorId: 'x', data: '{' }), {
      ok: true,
      payload: { status: 'UnknownVendorId' },
    });
  });

  it('no-phase: values of each phase without its name are taken in their order', () => {
    const of = (measurand: string, unit: string, ...values: number[]) =>
      values.map((value) => ({ value: String(value), measurand, unit }));
    const read = (...sampledValue: object[]) =>
      readMeterValues([{ timestamp: '2026-06-01T12:00:00Z', sampledValue }]).outlet;
    const each = read(...of('Current.Import', 'A', 11.8, 11.7, 0), ...of('Power.Active.Import', 'W', 2702, 2679, 0));
    assert.deepEqual(each?.current, [11.8, 11.7, 0]);
    assert.equal(each?.totalCurrent, undefined);
    assert.equal(each?.totalPower, 5381);
    const withSum = read(...of('Power.Active.Import', 'W', 2000, 2000, 2000, 6000));
    assert.deepEqual([withSum?.power, withSum?.totalPower], [[2000, 2000, 2000], 6000]);
    assert.equal(read(...of('Current.Import', 'A', 11.8))?.totalCurrent, 11.8);
  });
});

describe('OCPP station, where it measures', () => {
  const at = (values: object[], location: string) => values.map((value) => ({ ...value, location }));
  const ago = (world: ReturnType<typeof ready>, seconds: number) => new Date(world.wall - seconds * 1000).toISOString();
  const EMPTY = [null, null, null];

  it('what was queued becomes no meter', () => {
    const world = ready();
    const told = (sampledValue: object[], connectorId: number, seconds: number) =>
      world.requestAnything('MeterValues', {
        connectorId,
        meterValue: [{ timestamp: ago(world, seconds), sampledValue }],
      });
    for (const seconds of [3600, 100]) {
      told(at([amps('3', 'L1')], 'Inlet'), 0, seconds);
      told([amps('3', 'L1')], 0, seconds);
      told(at([watts('11000')], 'Grid'), 1, seconds);
    }
    assert.deepEqual(world.meters, []);
    told(at([amps('3', 'L1')], 'Inlet'), 0, 60);
    told(at([watts('11000')], 'Grid'), 1, 60);
    assert.equal(world.meters.length, 2);
  });

  it('a power without a phase is of no phase where there are three', () => {
    const world = ready();
    world.meterValues(at([watts('11000')], 'Inlet'));
    world.requestAnything('MeterValues', {
      connectorId: 1,
      meterValue: [{ timestamp: world.stationTime, sampledValue: at([watts('9000')], 'Grid') }],
    });
    world.request('DataTransfer', { vendorId: 'x', data: '{"gridPower": -1200}' });
    const seen = world.meters.map(({ meter, reading }) => [meter, reading.current, reading.power, reading.totalPower]);
    assert.deepEqual(seen, [
      ['CP001-inlet', EMPTY, EMPTY, 11000],
      ['CP001-grid', EMPTY, EMPTY, 9000],
      ['CP001-grid', EMPTY, EMPTY, -1200],
    ]);
    assert.doesNotThrow(() =>
      parseMessage({ topic: 'meter/CP001-grid', payload: { at: 1, ...world.meters[1].reading } }),
    );
  });

  for (const location of ['Cable', 'EV', 'Inlet'])
    it(`${location}: is what the vehicle takes, where nothing is said of the outlet`, () => {
      const world = ready();
      world.samples = () => at([amps('9', 'L1'), amps('9', 'L2'), amps('9', 'L3'), watts('6200')], location);
      world.plugIn();
      keep(world, 9, 30);
      const { current, power, age } = world.last;
      assert.deepEqual([current, power], [[9, 9, 9], 6200]);
      assert.ok((age ?? 0) <= 10);
    });

  it('of the same message the outlet counts before the cable, that before the vehicle; an inlet beside it is none of it', () => {
    const each = (value: string) => ['L1', 'L2', 'L3'].map((phase) => amps(value, phase));
    const all = [...each('9'), ...at(each('8'), 'Cable'), ...at(each('7'), 'EV'), ...at(each('30'), 'Inlet')];
    assert.deepEqual(reported(all).current, [9, 9, 9]);
    assert.deepEqual(reported(all.slice(3, 9)).current, [8, 8, 8]);
    const world = charging(16);
    keep(world, 16, 10);
    world.meterValues(at(each('30'), 'Inlet'));
    world.pass(6);
    assert.deepEqual(world.last.current, [16, 16, 16]);
  });

  it('on one conductor the only phase counts, whatever it is called', () => {
    for (const phase of ['L1', 'L2', 'L3', 'L2-N']) {
      const { current, phases } = reported([amps('10', phase)], ['L2']);
      assert.deepEqual([current, phases], [[0, 10, 0], ['L2']], phase);
    }
    assert.deepEqual(reported([amps('0', 'L1'), amps('10', 'L2'), amps('0', 'L3')], ['L2']).current, [0, 10, 0]);
    assert.deepEqual(reported([watts('2300', 'L3')], ['L2']).current, [0, 10, 0]);
  });

  it('each of several connectors has an inlet of its own', () => {
    const charger = { rotation: ['L1' as const], min: 6, max: 16, safe: 6 };
    const connectors = [1, 2].map((connector) => ({ connector, id: `CP001-${connector}`, ...charger }));
    const world = ready({ station: { connectors } });
    for (const connectorId of [0, 1, 2]) world.meterValues(at([amps('3', 'L1')], 'Inlet'), { connectorId });
    assert.deepEqual(
      world.meters.map(({ meter }) => meter),
      ['CP001-inlet', 'CP001-1-inlet', 'CP001-2-inlet'],
    );
  });
});
