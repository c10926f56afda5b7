import assert from 'node:assert/strict';
import {
  decodeV1Status,
  decodeV2Status,
  decodeV2Value,
  heldBy,
  httpStatusPath,
  httpWritePath,
  iecState,
  isStopped,
  mqttWrite,
  offeredCurrent,
  phasesInUse,
  rotate,
  v2Key,
  v2WriteAnswer,
} from '../../../drivers/go-e/codec.ts';

const V1 = {
  version: 'B',
  car: '2',
  amp: '16',
  amx: '10',
  err: '0',
  ast: '0',
  alw: '1',
  stp: '0',
  cbl: '20',
  pha: '63',
  tmp: '30',
  dws: '360000',
  dwo: '0',
  uby: '2',
  rnm: 'Anna',
  eto: '1234',
  ama: '16',
  nrg: [231, 230, 229, 0, 98, 97, 0, 22, 22, 0, 0, 448, 100, 100, 0, 0],
};

describe('go-e codec v1', () => {
  it('converts the units of the status', () => {
    const status = decodeV1Status(JSON.stringify(V1));
    assert.deepEqual(status.current, [9.8, 9.7, 0]);
    assert.deepEqual(status.voltage, [231, 230, 229]);
    assert.equal(status.power, 4480);
    assert.equal(status.session, 1000);
    assert.equal(status.total, 123_400);
    assert.equal(status.limit, 10);
    assert.equal(status.flashLimit, 16);
    assert.equal(status.user, 'Anna');
    assert.equal(iecState(status.car), 'C');
    assert.equal(offeredCurrent('v1', status), 10);
  });

  it('takes amp where the firmware has no amx', () => {
    const { amx: _amx, ...older } = V1;
    assert.equal(decodeV1Status(JSON.stringify(older)).limit, 16);
  });

  it('tells an energy limit from a stop by hand', () => {
    const full = { ...V1, alw: '0', stp: '2', dwo: '10' };
    assert.equal(heldBy('v1', decodeV1Status(JSON.stringify(full))), 'energy');
    const byHand = decodeV1Status(JSON.stringify({ ...V1, alw: '0', stp: '2', dwo: '100' }));
    assert.equal(heldBy('v1', byHand), undefined);
    assert.equal(isStopped('v1', byHand), true);
    assert.equal(offeredCurrent('v1', byHand), 0);
  });

  for (const [field, change] of [
    ['car', { car: '9' }],
    ['car', { car: '' }],
    ['amp', { amp: 'NaN' }],
    ['alw', { alw: '2' }],
    ['nrg', { nrg: [1, 2] }],
    ['nrg.4', { nrg: [231, 230, 229, 0, 'x', 0, 0, 0, 0, 0, 0, 0] }],
    ['nrg current', { nrg: [231, 230, 229, 0, 99_999, 0, 0, 0, 0, 0, 0, 0] }],
  ] as const) {
    it(`names ${field} when it cannot be believed: ${JSON.stringify(change)}`, () => {
      assert.throws(() => decodeV1Status(JSON.stringify({ ...V1, ...change })), { name: 'DeviceDataError', field });
    });
  }

  it('writes plain text', () => {
    const write = { key: 'amx', value: 10 } as const;
    assert.deepEqual(mqttWrite('v1', 'go-eCharger', '201630', write), {
      topic: 'go-eCharger/201630/cmd/req',
      payload: 'amx=10',
    });
    assert.equal(httpWritePath('v1', write), '/mqtt?payload=amx=10');
    assert.equal(httpStatusPath('v1'), '/status');
  });
});

describe('go-e codec v2', () => {
  const cards = new Map<number, string>();
  const nrg = [231, 230, 229, 0, 9.81, 0, 9.7, 2266, 0, 2221, 0, 4487, 100, 0, 100, 0];
  const STATUS = { car: 2, amp: 12, frc: 0, alw: true, acu: 12, nrg, wh: 1234.5, eto: 99_000, cbl: null, ama: 16 };

  it('reads the keys', () => {
    const status = decodeV2Status(JSON.stringify({ ...STATUS, trx: 2, c1n: 'Ben' }), cards);
    assert.deepEqual(status.current, [9.81, 0, 9.7]);
    assert.equal(status.power, 4487);
    assert.equal(status.session, 1234.5);
    assert.equal(status.user, 'Ben');
    assert.equal(offeredCurrent('v2', status), 12);
    assert.deepEqual(phasesInUse(status, ['L2', 'L3', 'L1']), ['L1', 'L2']);
    assert.deepEqual(rotate([9.81, 0, 9.7], ['L2', 'L3', 'L1']), [9.7, 9.81, 0]);
    assert.deepEqual(rotate([9, 0, 0], ['L3']), [0, 0, 9]);
  });

  it('offers nothing when it is off, and not more than cable and temperature allow', () => {
    const offer = (more: object) => offeredCurrent('v2', decodeV2Status(JSON.stringify({ ...STATUS, ...more }), cards));
    assert.equal(offer({ frc: 1 }), 0);
    assert.equal(offer({ alw: false }), 0);
    assert.equal(offer({ amp: 32, ama: 32, cbl: 20 }), 20);
    assert.equal(offer({ amt: 10 }), 10);
    assert.equal(offer({ amp: 32, ama: 32, adi: true }), 16);
  });

  it('knows what holds the charger', () => {
    const held = (more: object) => heldBy('v2', decodeV2Status(JSON.stringify({ ...STATUS, ...more }), cards));
    assert.equal(held({}), undefined);
    assert.equal(held({ alw: false, modelStatus: 6 }), 'energy');
    assert.equal(held({ alw: false, modelStatus: 2 }), 'device');
    assert.equal(held({ alw: false, frc: 1, modelStatus: 4 }), undefined);
  });

  it('states follow car', () => {
    assert.deepEqual([1, 2, 3, 4, 0, 5, null].map(iecState), ['A', 'C', 'B', 'B', 'F', 'F', 'F']);
  });

  it('understands its topics and no others', () => {
    const key = (topic: string) => v2Key('go-eCharger', '201630', topic);
    assert.deepEqual(key('go-eCharger/201630/amp'), { key: 'amp', result: false });
    assert.deepEqual(key('/go-eCharger/201630/frc/result'), { key: 'frc', result: true });
    for (const other of ['amp/set', 'amp/result/x', '__proto__', 'constructor', 'xyz']) {
      assert.equal(key(`go-eCharger/201630/${other}`), undefined);
    }
    assert.equal(key('go-eCharger/999999/amp'), undefined);
  });

  it('refuses what cannot be believed', () => {
    for (const [name, value] of [
      ['car', 7],
      ['amp', '"16"'],
      ['amp', -1],
      ['frc', 3],
      ['alw', 1],
      ['nrg', {}],
      ['wh', Number.NaN],
    ] as const) {
      assert.throws(() => decodeV2Value(name, value, cards), { name: 'DeviceDataError' }, `${name} ${value}`);
    }
  });

  it('writes JSON, and understands the answers over MQTT and HTTP', () => {
    const write = { key: 'frc', value: 1 } as const;
    assert.deepEqual(mqttWrite('v2', 'go-eCharger', '201630', write), {
      topic: 'go-eCharger/201630/frc/set',
      payload: '1',
    });
    assert.equal(httpWritePath('v2', write), '/api/set?frc=1');
    assert.equal(v2WriteAnswer('frc', 'true').ok, true);
    assert.equal(v2WriteAnswer('frc', '{"frc":true}').ok, true);
    assert.deepEqual(v2WriteAnswer('frc', '"not allowed"'), { ok: false, detail: '"not allowed"' });
    assert.equal(v2WriteAnswer('frc', 'error').ok, false);
  });
});
