import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DeviceDataError } from '../../../drivers/device-data.ts';
import { ACTIONS } from '../../../drivers/ocpp/actions.ts';
import { Station } from '../../../drivers/ocpp/station.ts';
import { charging, keep, ready } from '../../helpers/ocpp-runs.ts';
import { StationWorld, type Traits } from '../../helpers/ocpp-station-world.ts';

const connectors = [{ connector: 1, id: 'CP001-1', rotation: ['L1' as const], min: 6, max: 16, safe: 6 }];

describe('OCPP station', () => {
  it('says nothing of a station that was never heard: everything stays reserved', () => {
    const world = new StationWorld();
    world.pass(300);
    assert.deepEqual(world.readings, []);
    assert.deepEqual(world.activeAlerts(), ['unreachable']);
  });

  it('a boot is accepted with the time and the heartbeat', () => {
    const world = new StationWorld({ station: { heartbeat: 45 } });
    world.connect(false);
    const boot = { chargePointVendor: 'A', chargePointModel: 'B' };
    const response = world.request('BootNotification', boot);
    const currentTime = new Date(world.wall).toISOString();
    assert.deepEqual(response, { ok: true, payload: { status: 'Accepted', currentTime, interval: 45 } });
    assert.deepEqual(world.request('Heartbeat', {}), { ok: true, payload: { currentTime } });
  });

  it('a connector that is not in the table is told, also where the station says nothing of it by itself', () => {
    for (const [count, told] of [
      ['2', ['unknown-connector']],
      ['1', []],
      ['many', []],
    ] as const) {
      const world = new StationWorld({ traits: { configuration: { NumberOfConnectors: count } } });
      world.connect(false);
      world.pass(30);
      assert.deepEqual(world.activeAlerts(), told, count);
      assert.deepEqual(world.alerts[0]?.args, count === '2' ? { connector: 2 } : undefined);
    }
  });

  it('states are those of IEC 61851', () => {
    const world = ready();
    const states = {
      Available: 'A',
      Preparing: 'B',
      Charging: 'C',
      SuspendedEV: 'B',
      SuspendedEVSE: 'B',
      Finishing: 'B',
    };
    for (const [status, state] of Object.entries({ ...states, Faulted: 'F', Reserved: 'A', Unavailable: 'A' })) {
      world.status(status);
      world.pass(0.5);
      assert.equal(world.last.state, state, status);
    }
    assert.equal(world.last.stoppedBy, 'device');
  });

  it('a fault is told with its code, and goes', () => {
    const world = ready();
    world.status('Faulted', { errorCode: 'GroundFailure', vendorErrorCode: 'E42', info: 'RCD' });
    world.pass(0.5);
    assert.equal(world.last.fault, 'GroundFailure E42 RCD');
    world.status('Available');
    world.pass(0.5);
    assert.equal(world.last.fault, undefined);
  });

  it('a reading never comes out of a set-point', () => {
    const world = charging(16);
    for (const current of [0, 10, 32])
      assert.ok(world.logic.setpoint(1, current, 30, world.now).every((o) => o.type === 'call'));
  });

  it('refuses set-points that cannot be', () => {
    const station = new Station({ identity: 'CP001', connectors }, 0);
    for (const [connector, current, validFor] of [
      [2, 6, 30],
      [1, 5.9, 30],
      [1, -1, 30],
      [1, Number.NaN, 30],
      [1, 6, 0],
    ] as const)
      assert.throws(() => station.setpoint(connector, current, validFor, 0), DeviceDataError);
  });

  it('refuses options that cannot be', () => {
    const wrong = (change: object, text: RegExp) =>
      assert.throws(() => new Station({ identity: 'CP001', connectors, ...change }, 0), text);
    wrong({ connectors: [] }, /connectors/);
    wrong({ connectors: [{ ...connectors[0], safe: 3 }] }, /connectors\.safe: 3/);
    wrong({ connectors: [connectors[0], connectors[0]] }, /each once/);
    wrong({ renewal: 200 }, /renewal: 200/);
    wrong({ voltage: 12 }, /voltage: 12/);
  });

  it('a record that is nonsense is no record', () => {
    for (const record of [null, 5, 'x', {}, { version: 2 }, { version: 1, transactions: 'x' }])
      assert.doesNotThrow(() => new Station({ identity: 'CP001', connectors, record }, 0));
  });

  it('nothing that a station sends makes it throw', () => {
    const payload = fc.oneof(
      fc.anything(),
      fc.record({
        connectorId: fc.oneof(fc.anything(), fc.integer({ min: -1, max: 2 })),
        transactionId: fc.oneof(fc.anything(), fc.integer()),
        status: fc.oneof(fc.anything(), fc.constantFrom('Charging', 'Available', '__proto__')),
        meterValue: fc.anything(),
        timestamp: fc.anything(),
      }),
    );
    const action = fc.oneof(fc.constantFrom(...Object.keys(ACTIONS)), fc.string(), fc.constant('__proto__'));
    fc.assert(
      fc.property(fc.array(fc.tuple(action, payload), { maxLength: 20 }), (calls) => {
        const world = ready();
        for (const [i, [name, value]] of calls.entries()) {
          world.logic.request(name, value, world.now, world.wall);
          world.logic.answered(i, { ok: true, payload: value }, world.now, world.wall);
        }
        world.pass(1);
      }),
      {
        numRuns: 50,
        examples: [[Array(20).fill(['StatusNotification', { connectorId: 1, status: { toString: 0 } }])]],
      },
    );
  });

  it('several connectors have limits of their own, and what another connector does touches none', () => {
    const two = [1, 2].map((connector) => ({ ...connectors[0], connector, id: `CP001-${connector}` }));
    const station = new Station({ identity: 'CP001', connectors: two }, 0);
    const keys = new Set<string | undefined>();
    const ids = new Set<number>();
    let now = 0;
    const take = (outputs: ReturnType<Station['tick']>): void => {
      for (const output of outputs) {
        if (output.type !== 'call') continue;
        keys.add(output.key);
        const profile = (output.payload as { csChargingProfiles?: { chargingProfileId: number } }).csChargingProfiles;
        if (profile) ids.add(profile.chargingProfileId);
        const payload = output.action === 'GetConfiguration' ? { configurationKey: [] } : { status: 'Accepted' };
        take(station.answered(output.id, { ok: true, payload }, now, now));
      }
    };
    take(station.connected(now, now));
    for (const connectorId of [1, 2]) {
      take(
        station.request('StatusNotification', { connectorId, status: 'Charging', errorCode: 'NoError' }, now, now)
          .outputs,
      );
      take(station.setpoint(connectorId, 5 + connectorId, 60, now));
    }
    for (; now < 10_000; now += 250) take(station.tick(now, now));
    assert.deepEqual([...ids].sort(), [11, 12, 21, 22]);
    assert.ok(['limit-1', 'limit-2', 'default-1', 'default-2'].every((key) => keys.has(key)));
  });

  it('configuration is written once, and not at all where it is as wanted or read only', () => {
    const world = ready({ traits: { configuration: { MeterValueSampleInterval: '60' } } });
    assert.deepEqual(world.called('ChangeConfiguration'), [{ key: 'MeterValueSampleInterval', value: '10' }]);
    world.traits.configuration.MeterValueSampleInterval = '60';
    world.disconnect();
    world.connect();
    world.pass(60);
    assert.equal(world.called('ChangeConfiguration').length, 1);
    assert.deepEqual(ready().called('ChangeConfiguration'), []);
  });

  it('a lower limit goes out at once although another answer is awaited', () => {
    const world = charging(16);
    world.traits.delay = 4000;
    world.setpoint(20, 60);
    world.pass(1);
    const before = world.profiles.length;
    world.setpoint(8, 60);
    assert.equal(world.profiles.length, before + 1);
    assert.equal(world.calls.at(-1)?.call.lane, 'limit');
    world.pass(4.5);
    assert.equal(world.last.offer, 20);
    world.pass(5);
    assert.equal(world.last.offer, 8);
  });

  it('a set-point from before the reconnect is used while it is valid', () => {
    const world = charging(16);
    world.disconnect();
    world.pass(10);
    world.setpoint(9, 20);
    world.pass(5);
    world.connect(false);
    world.pass(1);
    assert.equal(world.model.offers(world.now), 9);
  });

  it('a paused vehicle keeps its transaction', () => {
    const world = charging(16);
    keep(world, 0, 60);
    assert.deepEqual(world.called('RemoteStopTransaction'), []);
    assert.equal(world.model.offers(world.now), 0);
    assert.equal(world.last.offer, 0);
  });

  it('a station that is paused by stopping is stopped once, and started again', () => {
    const world = charging(16, { station: { quirks: { pause: 'remote-stop' } } });
    const id = world.model.transaction?.id ?? 0;
    keep(world, 0, 20);
    assert.deepEqual(world.called('RemoteStopTransaction'), [{ transactionId: id }]);
    world.model.endTransaction();
    const stop = { transactionId: id, meterStop: 2000, timestamp: world.stationTime, reason: 'Remote' };
    world.request('StopTransaction', stop);
    keep(world, 16, 10);
    assert.equal(world.called('RemoteStartTransaction').length, 1);
  });

  it('who ends a transaction long after we asked for it, or where that was refused, is a person: it is not started again', () => {
    const rejected: Traits['answer'] = (action) =>
      action === 'RemoteStopTransaction' ? { ok: true, payload: { status: 'Rejected' } } : undefined;
    // s for which it is to charge again, or to pause on, before the person comes.
    for (const [answer, reason, paused, charged] of [
      [rejected, undefined, 3, 1200],
      [rejected, 'Remote', 3, 0],
      [undefined, undefined, 3, 1200],
      [undefined, undefined, 25, 0],
      [undefined, 'Remote', 3, 70],
    ] as const) {
      const world = charging(16, {
        station: { quirks: { pause: 'remote-stop' } },
        traits: { answer: answer ?? (() => undefined) },
      });
      const id = world.model.transaction?.id ?? 0;
      keep(world, 0, paused);
      if (charged) keep(world, 16, charged);
      world.model.endTransaction();
      const stop = { transactionId: id, meterStop: 2000, timestamp: world.stationTime, ...(reason && { reason }) };
      world.request('StopTransaction', stop);
      world.status('Finishing');
      keep(world, 16, 60);
      assert.deepEqual(world.called('RemoteStartTransaction'), [], `${reason} after ${paused} + ${charged} s`);
      assert.equal(world.last.stoppedBy, 'user');
    }
  });

  it('what ends by our pause at once is started again, with and without a reason', () => {
    for (const quirks of [{ pause: 'remote-stop' as const }, { zeroStops: true }])
      for (const reason of ['Other', 'Remote', undefined] as const) {
        const world = charging(16, { station: { quirks } });
        const id = world.model.transaction?.id ?? 0;
        keep(world, 0, 3);
        keep(world, 16, 1);
        world.setpoint(0, 30);
        world.pass(2);
        world.model.endTransaction();
        const stop = { transactionId: id, meterStop: 2000, timestamp: world.stationTime, ...(reason && { reason }) };
        world.request('StopTransaction', stop);
        world.status('Finishing');
        keep(world, 16, 10);
        assert.equal(world.called('RemoteStartTransaction').length, 1);
      }
  });
});
