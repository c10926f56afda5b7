/** The simulated station as one that does what OCPP 1.6 says, in virtual time. */
import assert from 'node:assert/strict';
import type { JsonObject } from '../../../simulator/ocpp/frames.ts';
import { Desk, type DeskOptions, profileOf, START, setProfile } from './desk.ts';

/** A desk whose station has booted and, if its vehicle is there, charges. */
function started(options: DeskOptions = {}, seconds = 10): Desk {
  const desk = new Desk(options);
  desk.connect();
  desk.run(seconds);
  return desk;
}

describe('simulated OCPP station', () => {
  it('boots, authorises, charges and stops, with one call open at a time', () => {
    const desk = started();
    assert.deepEqual(
      desk.heard.map((h) => h.action),
      [
        'BootNotification',
        'Authorize',
        'StatusNotification',
        'StatusNotification',
        'StartTransaction',
        'StatusNotification',
        'StatusNotification',
      ],
    );
    assert.deepEqual(desk.statuses(), ['Preparing', 'SuspendedEV', 'Charging']);
    desk.run(600);
    desk.vehicles[0].unplug();
    desk.run(2);
    const [stop] = desk.of('StopTransaction');
    assert.equal(stop.transactionId, 101);
    assert.equal(stop.reason, 'EVDisconnected');
    assert.ok(Math.abs((stop.meterStop as number) - (608 / 3600) * 16 * 690) < 20, `${stop.meterStop} Wh`);
    assert.equal(desk.statuses().at(-1), 'Available');
    assert.equal(desk.mostOpen, 1);
  });

  it('says nothing but its boot until it is accepted, and asks again after the interval', () => {
    let status = 'Rejected';
    const answers = {
      BootNotification: () => ({ status, currentTime: new Date(START).toISOString(), interval: 20 }),
    };
    const desk = started({ answers }, 50);
    assert.deepEqual(
      desk.heard.map((h) => [h.action, h.at]),
      [
        ['BootNotification', 0],
        ['BootNotification', 20],
        ['BootNotification', 40],
      ],
    );
    // Rejected, it answers nothing; Pending, it does.
    assert.equal(desk.call('GetConfiguration'), undefined);
    status = 'Pending';
    desk.run(15);
    assert.ok(desk.call('GetConfiguration')?.configurationKey);
    status = 'Accepted';
    desk.run(30);
    assert.equal(desk.statuses().at(-1), 'Charging');
    assert.equal(desk.station.configuration.text('HeartbeatInterval'), '20');
  });

  it('asks again when its boot is not answered', () => {
    const desk = new Desk();
    desk.mute = true;
    desk.connect();
    desk.run(100);
    assert.ok(desk.of('BootNotification').length >= 3);
    assert.equal(desk.heard.length, desk.of('BootNotification').length);
  });

  it("sends heartbeats at the interval of the boot and takes the server's time", () => {
    const ahead = 90_000;
    let clock = START + ahead;
    const currentTime = () => new Date(clock).toISOString();
    const desk = new Desk({
      answers: {
        BootNotification: () => ({ status: 'Accepted', interval: 30, currentTime: currentTime() }),
        Heartbeat: () => ({ currentTime: currentTime() }),
      },
    });
    desk.connect();
    for (let s = 0; s < 125; s++) {
      desk.run(1);
      clock = desk.wallClock + 1000 + ahead;
    }
    assert.equal(desk.of('Heartbeat').length, 4);
    assert.ok(Math.abs(desk.station.clock(desk.now) - desk.wallClock - ahead) <= 1000);
  });

  it('shows every status of OCPP', () => {
    const desk = started({ vehicle: { capacity: 20_000, soc: 0.9 } });
    setProfile(desk, profileOf(0));
    desk.run(5);
    assert.equal(desk.statuses().at(-1), 'SuspendedEVSE');
    desk.call('ClearChargingProfile');
    desk.run(3600);
    assert.equal(desk.statuses().at(-1), 'SuspendedEV');
    desk.station.stop(1, desk.now);
    desk.run(2);
    assert.equal(desk.statuses().at(-1), 'Finishing');
    desk.vehicles[0].unplug();
    desk.run(2);
    assert.equal(desk.statuses().at(-1), 'Available');
    desk.station.fault(1, 'GroundFailure', desk.now);
    desk.run(2);
    assert.deepEqual(
      [desk.statuses().at(-1), desk.of('StatusNotification').at(-1)?.errorCode],
      ['Faulted', 'GroundFailure'],
    );
    desk.station.fault(1, undefined, desk.now);
    assert.deepEqual(desk.call('ChangeAvailability', { connectorId: 1, type: 'Inoperative' }), { status: 'Accepted' });
    desk.run(2);
    assert.equal(desk.statuses().at(-1), 'Unavailable');
    desk.call('ChangeAvailability', { connectorId: 1, type: 'Operative' });
    const expiryDate = new Date(desk.wallClock + 60_000).toISOString();
    assert.deepEqual(desk.call('ReserveNow', { connectorId: 1, expiryDate, idTag: 'A', reservationId: 5 }), {
      status: 'Accepted',
    });
    desk.run(2);
    assert.equal(desk.statuses().at(-1), 'Reserved');
    desk.run(70);
    assert.equal(desk.statuses().at(-1), 'Available');
    assert.deepEqual(new Set(desk.statuses()).size, 9);
  });

  it('what happens offline is told later, in order, with the times at which it happened', () => {
    const desk = started({ configuration: { MeterValueSampleInterval: '10' } });
    desk.disconnect();
    desk.run(35);
    desk.vehicles[0].unplug();
    desk.run(5);
    desk.vehicles[0].plugIn();
    desk.run(30);
    const from = desk.heard.length;
    desk.connect();
    desk.run(1);
    const four = Array.from({ length: 4 }, () => 'MeterValues');
    const told = desk.heard
      .slice(from)
      .filter((h) => ['StartTransaction', 'StopTransaction', 'MeterValues'].includes(h.action));
    assert.deepEqual(
      told.map((h) => h.action),
      [...four, 'StopTransaction', 'StartTransaction', ...four.slice(1)],
    );
    assert.deepEqual(
      told.map((h) => h.payload.transactionId),
      [101, 101, 101, 101, 101, undefined, 102, 102, 102],
    );
    const times = told.map((h) =>
      Date.parse((h.payload.timestamp ?? (h.payload.meterValue as JsonObject[])[0].timestamp) as string),
    );
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert.ok(times[0] < desk.wallClock - 50_000);
    assert.equal(desk.mostOpen, 1);
  });

  it('a message of a transaction that was not answered goes out again, unchanged', () => {
    const desk = started();
    desk.mute = true;
    desk.station.stop(1, desk.now);
    desk.run(1);
    desk.disconnect();
    desk.mute = false;
    desk.run(5);
    desk.connect();
    desk.run(2);
    const stops = desk.of('StopTransaction');
    assert.equal(stops.length, 2);
    assert.deepEqual(stops[0], stops[1]);
  });

  it('a connection that ends before its card was answered: it asks again, and charges', () => {
    const desk = started();
    desk.vehicles[0].unplug();
    desk.run(3);
    desk.mute = true;
    desk.vehicles[0].plugIn();
    desk.run(2);
    assert.equal(desk.station.connectors[0].asking, true);
    desk.disconnect();
    desk.mute = false;
    desk.connect();
    desk.run(10);
    assert.equal(desk.of('StartTransaction').length, 2);
  });

  it('tries a message of a transaction as often as it is configured, and then gives it up', () => {
    const desk = started({ answers: { StartTransaction: () => undefined } }, 1);
    assert.equal(desk.of('StartTransaction').length, 1);
    desk.run(140);
    assert.equal(desk.of('StartTransaction').length, 3);
    assert.equal(desk.station.waiting, 0);
  });

  it('a power cut ends the transaction with PowerLoss, once there is power again', () => {
    const desk = started();
    const before = desk.amps();
    desk.station.powerCut();
    desk.run(20);
    assert.deepEqual([before, desk.amps(), desk.connected], [16, 0, false]);
    desk.station.powerOn(desk.now);
    desk.run(20);
    assert.equal(desk.of('StopTransaction')[0].reason, 'PowerLoss');
    assert.equal(desk.of('BootNotification').length, 2);
    assert.equal(desk.of('StartTransaction').length, 2);
  });

  it('asks for authorisation, and does not charge for whom it is refused', () => {
    const refused = started({ answers: { Authorize: () => ({ idTagInfo: { status: 'Blocked' } }) } });
    assert.deepEqual([refused.of('StartTransaction').length, refused.statuses().at(-1)], [0, 'Preparing']);
    assert.equal(refused.of('Authorize').length, 1);
    const late = started({
      answers: { StartTransaction: () => ({ idTagInfo: { status: 'Invalid' }, transactionId: 5 }) },
    });
    assert.deepEqual(
      late.of('StopTransaction').map((p) => [p.transactionId, p.reason]),
      [[5, 'DeAuthorized']],
    );
  });

  it('starts and stops from afar and by card', () => {
    const desk = started({ start: 'card' });
    assert.equal(desk.of('StartTransaction').length, 0);
    assert.deepEqual(desk.call('RemoteStartTransaction', { connectorId: 1, idTag: 'APP' }), { status: 'Accepted' });
    desk.run(3);
    assert.equal(desk.of('StartTransaction')[0].idTag, 'APP');
    assert.deepEqual(desk.call('RemoteStartTransaction', { connectorId: 1, idTag: 'APP' }), { status: 'Rejected' });
    assert.deepEqual(desk.call('RemoteStopTransaction', { transactionId: 7 }), { status: 'Rejected' });
    assert.deepEqual(desk.call('RemoteStopTransaction', { transactionId: 101 }), { status: 'Accepted' });
    desk.run(2);
    assert.equal(desk.of('StopTransaction')[0].reason, 'Remote');
    desk.station.card(1, 'CARD', desk.now);
    desk.run(3);
    assert.equal(desk.of('StartTransaction')[1].idTag, 'CARD');
    desk.station.card(1, 'CARD', desk.now);
    desk.run(1);
    assert.deepEqual([desk.of('StopTransaction')[1].reason, desk.of('StopTransaction')[1].idTag], ['Local', 'CARD']);
  });

  it('a remote start without a vehicle waits for one, with its profile; after ConnectionTimeOut no longer', () => {
    const desk = new Desk({ start: 'card' });
    desk.vehicles[0].unplug();
    desk.connect();
    desk.run(2);
    const chargingProfile = profileOf(9, { chargingProfilePurpose: 'TxProfile' });
    desk.call('RemoteStartTransaction', { connectorId: 1, idTag: 'APP', chargingProfile });
    desk.run(20);
    assert.equal(desk.statuses().at(-1), 'Preparing');
    desk.vehicles[0].plugIn();
    desk.run(5);
    assert.equal(desk.amps(), 9);
    desk.vehicles[0].unplug();
    desk.run(2);
    desk.call('RemoteStartTransaction', { connectorId: 1, idTag: 'APP' });
    desk.run(70);
    desk.vehicles[0].plugIn();
    desk.run(5);
    assert.equal(desk.of('StartTransaction').length, 1);
  });

  it('tells, takes and refuses configuration', () => {
    const desk = started();
    const read = desk.call('GetConfiguration', { key: ['ChargeProfileMaxStackLevel', 'Nonsense'] });
    assert.deepEqual(read, {
      configurationKey: [{ key: 'ChargeProfileMaxStackLevel', readonly: true, value: '8' }],
      unknownKey: ['Nonsense'],
    });
    const change = (key: string, value: string) => desk.call('ChangeConfiguration', { key, value })?.status;
    assert.equal(change('MeterValueSampleInterval', '1'), 'Accepted');
    assert.equal(change('MeterValueSampleInterval', '-1'), 'Rejected');
    assert.equal(change('NumberOfConnectors', '2'), 'Rejected');
    assert.equal(change('WebSocketPingInterval', '20'), 'RebootRequired');
    assert.equal(change('Nonsense', '1'), 'NotSupported');
    assert.equal(change('MeterValuesSampledData', 'Current.Import,Nonsense'), 'Rejected');
    assert.equal(change('MeterValuesSampledData', 'Current.Import'), 'Accepted');
    assert.equal(change('AuthorizationKey', '00112233445566778899aabbccddeeff'), 'Accepted');
    assert.deepEqual(desk.call('GetConfiguration', { key: ['AuthorizationKey'] })?.configurationKey, [
      { key: 'AuthorizationKey', readonly: false },
    ]);
    const from = desk.of('MeterValues').length;
    desk.run(10);
    const values = desk.of('MeterValues').slice(from);
    assert.equal(values.length, 10);
    const sampled = (values[0].meterValue as { sampledValue: JsonObject[] }[])[0].sampledValue;
    assert.deepEqual(
      sampled.map((v) => `${v.measurand} ${v.phase} ${v.value} ${v.unit}`),
      ['Current.Import L1 16.00 A', 'Current.Import L2 16.00 A', 'Current.Import L3 16.00 A'],
    );
  });

  it('meters by the clock where it is told to, also without a transaction', () => {
    const desk = new Desk({ configuration: { ClockAlignedDataInterval: '60', MeterValuesAlignedData: 'Voltage' } });
    desk.vehicles[0].unplug();
    desk.connect();
    desk.run(250);
    const times = desk.of('MeterValues').map((p) => Date.parse((p.meterValue as JsonObject[])[0].timestamp as string));
    assert.deepEqual(
      times.map((t) => t - START),
      [60_000, 120_000, 180_000, 240_000],
    );
  });

  it('maps its own conductors to grid phases', () => {
    const desk = started({ conductors: ['L3', 'L1'], configuration: { MeterValueSampleInterval: '5' } });
    assert.deepEqual(desk.vehicles[0].current(), [16, 0, 16]);
    const values = desk.of('MeterValues')[0].meterValue as { sampledValue: JsonObject[] }[];
    const amps = values[0].sampledValue.filter((v) => v.measurand === 'Current.Import').map((v) => v.phase);
    assert.deepEqual(amps, ['L1', 'L2']);
  });

  it('answers all actions of a central system, and refuses what it does not know', () => {
    const desk = started();
    const hash = { hashAlgorithm: 'SHA256', issuerNameHash: 'aa', issuerKeyHash: 'bb', serialNumber: '1' };
    const location = 'https://example.org/file';
    const firmware = {
      location,
      retrieveDateTime: new Date(START).toISOString(),
      signingCertificate: 'x',
      signature: 'y',
    };
    const calls: [string, object, string | undefined][] = [
      ['ClearCache', {}, 'Accepted'],
      ['DataTransfer', { vendorId: 'x' }, 'UnknownVendorId'],
      ['GetLocalListVersion', {}, undefined],
      [
        'SendLocalList',
        {
          listVersion: 2,
          updateType: 'Full',
          localAuthorizationList: [{ idTag: 'A', idTagInfo: { status: 'Accepted' } }],
        },
        'Accepted',
      ],
      ['SendLocalList', { listVersion: 1, updateType: 'Differential' }, 'VersionMismatch'],
      ['CancelReservation', { reservationId: 4 }, 'Rejected'],
      ['UpdateFirmware', { location, retrieveDate: new Date(START).toISOString() }, undefined],
      ['GetDiagnostics', { location }, undefined],
      ['GetLog', { logType: 'SecurityLog', requestId: 1, log: { remoteLocation: location } }, 'Accepted'],
      ['SignedUpdateFirmware', { requestId: 2, firmware }, 'Accepted'],
      [
        'InstallCertificate',
        { certificateType: 'CentralSystemRootCertificate', certificate: '-----BEGIN CERTIFICATE-----' },
        'Accepted',
      ],
      ['GetInstalledCertificateIds', { certificateType: 'CentralSystemRootCertificate' }, 'Accepted'],
      ['DeleteCertificate', { certificateHashData: hash }, 'Accepted'],
      ['CertificateSigned', { certificateChain: 'nothing' }, 'Rejected'],
      ['ExtendedTriggerMessage', { requestedMessage: 'Heartbeat' }, 'Accepted'],
      ['TriggerMessage', { requestedMessage: 'Nonsense' }, 'NotImplemented'],
      ['UnlockConnector', { connectorId: 1 }, 'Unlocked'],
    ];
    for (const [action, payload, status] of calls) {
      const answer = desk.call(action, payload);
      assert.equal(answer?.code, undefined, `${action}: ${answer?.description}`);
      assert.equal(answer?.status, status, action);
    }
    desk.run(40);
    assert.deepEqual(
      desk.of('FirmwareStatusNotification').map((p) => p.status),
      ['Downloading', 'Downloaded', 'Installing', 'Installed'],
    );
    assert.equal(desk.call('BootNotification')?.code, 'NotSupported');
    assert.equal(desk.call('Nonsense')?.code, 'NotImplemented');
    assert.equal(desk.call('Reset', { type: 'Gently' })?.code, 'FormationViolation');
    assert.equal(desk.call('Reset')?.code, 'OccurenceConstraintViolation');
  });

  it('sends what is triggered', () => {
    const desk = started();
    for (const requestedMessage of [
      'BootNotification',
      'Heartbeat',
      'MeterValues',
      'StatusNotification',
      'FirmwareStatusNotification',
      'DiagnosticsStatusNotification',
    ]) {
      const from = desk.heard.length;
      assert.deepEqual(desk.call('TriggerMessage', { requestedMessage, connectorId: 1 }), { status: 'Accepted' });
      desk.run(1);
      assert.equal(desk.heard[from]?.action, requestedMessage);
    }
  });

  it('is not disturbed by what is no frame', () => {
    const desk = started();
    for (const text of [
      '',
      'x',
      '{}',
      '[]',
      '[2]',
      '[2,1]',
      '[2,"a","Reset"]',
      '[3,"nobody",{}]',
      '[4]',
      '[9,"a",{}]',
      'null',
      '[2,"a",7,{}]',
    ])
      desk.station.receive(text, desk.now, desk.wallClock);
    desk.run(5);
    assert.equal(desk.statuses().at(-1), 'Charging');
  });
});
