import assert from 'node:assert/strict';
import { RPCClient } from 'ocpp-rpc';
import type { RPC_ClientOptions } from 'ocpp-rpc/lib/client';
import type { StationCall } from '../../../drivers/ocpp/station-io.ts';
import { startServer, type TestServer } from './harness.ts';

/** A station of somebody else, which validates everything that it hears. */
async function connect(world: TestServer, identity: string, options: object = {}): Promise<RPCClient> {
  const client = new RPCClient({
    endpoint: world.url('/ocpp'),
    identity,
    protocols: ['ocpp1.6'],
    strictMode: true,
    reconnect: false,
    ...options,
  } as RPC_ClientOptions);
  await client.connect();
  return client;
}

describe('OCPP server with the strict client of ocpp-rpc', () => {
  let world: TestServer;
  afterEach(() => world.stop());

  it('boots, authorizes, charges, sends its meter values, stops: nothing is refused by either side', async () => {
    world = await startServer({ connection: { tolerant: false } });
    const client = await connect(world, 'CP1');
    const problems: unknown[] = [];
    client.on('strictValidationFailure', (event: unknown) => problems.push(event));
    client.on('badMessage', (event: unknown) => problems.push(event));
    const timestamp = new Date().toISOString();
    const sampledValue = [
      { value: '16.1', measurand: 'Current.Import', phase: 'L1', unit: 'A', context: 'Sample.Periodic' },
    ];
    const calls: [string, object][] = [
      ['BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' }],
      ['StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Preparing' }],
      ['Authorize', { idTag: 'TAG' }],
      ['StartTransaction', { connectorId: 1, idTag: 'TAG', meterStart: 0, timestamp }],
      ['MeterValues', { connectorId: 1, transactionId: 1, meterValue: [{ timestamp, sampledValue }] }],
      ['StopTransaction', { transactionId: 1, meterStop: 10, timestamp, reason: 'Local' }],
      ['Heartbeat', {}],
      ['DataTransfer', { vendorId: 'v', data: 'x' }],
      ['FirmwareStatusNotification', { status: 'Idle' }],
      ['DiagnosticsStatusNotification', { status: 'Idle' }],
      ['SecurityEventNotification', { type: 'StartupOfTheDevice', timestamp }],
      ['LogStatusNotification', { status: 'Idle' }],
      ['SignedFirmwareStatusNotification', { status: 'Idle' }],
      ['SignCertificate', { csr: 'csr' }],
    ];
    for (const [action, payload] of calls) await client.call(action, payload);
    assert.deepEqual(problems, []);
    assert.deepEqual(world.faults, []);
    assert.equal(
      ((await client.call('StartTransaction', calls[3]?.[1])) as { transactionId: number }).transactionId,
      1,
    );
    await client.close({});
  });

  it('takes our calls, a limit while a Reset is slow included', async () => {
    world = await startServer();
    const client = await connect(world, 'CP1');
    const heard: string[] = [];
    let endReset: () => void = () => undefined;
    client.handle('Reset', async () => {
      heard.push('Reset');
      await new Promise<void>((resolve) => {
        endReset = resolve;
      });
      return { status: 'Accepted' };
    });
    client.handle('SetChargingProfile', async ({ params }) => {
      heard.push(`limit ${params?.csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit}`);
      return { status: 'Accepted' };
    });
    const connection = world.connections.get('CP1');
    connection?.call({ type: 'call', id: 1, action: 'Reset', payload: { type: 'Soft' }, lane: 'ordinary', timeout: 5 });
    connection?.call(limit(2, 16.1));
    await world.until(() => world.answers.length === 1);
    endReset();
    await world.until(() => world.answers.length === 2);
    assert.deepEqual(heard, ['Reset', 'limit 16.1']);
    assert.deepEqual(
      world.answers.map(([, id, answer]) => [id, answer.ok]),
      [
        [2, true],
        [1, true],
      ],
    );
    await client.close({});
  });

  it('authenticates with a binary password', async () => {
    const password = Buffer.from('00ff3a0a80c1fe7f0001020304050607', 'hex');
    world = await startServer({ securityProfile: 1 }, () => ({ password: password.toString('hex') }));
    const client = await connect(world, 'CP1', { password });
    await client.call('Heartbeat', {});
    await client.close({});
    await assert.rejects(connect(world, 'CP2', { password: Buffer.from('wrong') }), /Unauthorized/);
  });

  it('gets in, whatever others from its address have tried', async () => {
    world = await startServer({ securityProfile: 1 }, () => ({ password: 'secret-of-the-station' }));
    let late: unknown;
    for (let i = 0; i < 80; i++) {
      late = await connect(world, `BAD${i}`, { password: 'wrong' }).catch((error: unknown) => error);
      assert.ok(late instanceof Error);
    }
    assert.match(String(late), /429|Too Many/);
    const client = await connect(world, 'GOOD', { password: 'secret-of-the-station' });
    await client.call('Heartbeat', {});
    await client.close({});
  });

  it('gets a CALLERROR for what it must not send', async () => {
    world = await startServer({ connection: { tolerant: false } });
    const client = await connect(world, 'CP1', { strictMode: false });
    await assert.rejects(client.call('Authorize', {}), { rpcErrorCode: 'OccurenceConstraintViolation' });
    await assert.rejects(client.call('Reset', { type: 'Soft' }), { rpcErrorCode: 'NotSupported' });
    await assert.rejects(client.call('NotifyEvent', {}), { rpcErrorCode: 'NotImplemented' });
    await client.close({});
  });
});

function limit(id: number, amps: number): StationCall {
  const chargingSchedule = { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: amps }] };
  return {
    type: 'call',
    id,
    action: 'SetChargingProfile',
    payload: {
      connectorId: 1,
      csChargingProfiles: {
        chargingProfileId: 1,
        stackLevel: 0,
        chargingProfilePurpose: 'TxDefaultProfile',
        chargingProfileKind: 'Relative',
        chargingSchedule,
      },
    },
    lane: 'limit',
    key: '1',
    timeout: 5,
  };
}
