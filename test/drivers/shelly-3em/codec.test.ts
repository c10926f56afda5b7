import assert from 'node:assert/strict';
import {
  decodeGen1,
  decodeGen1Status,
  decodeGen2,
  decodeGen2Status,
  encodeRpc,
} from '../../../drivers/shelly-3em/codec.ts';

const gen1 = (topic: string, payload: string) =>
  decodeGen1('shellyem3-ABC', `shellies/shellyem3-ABC/${topic}`, payload);
const gen2 = (topic: string, payload: object) => decodeGen2('pro', 'fusewise-grid', topic, JSON.stringify(payload));

describe('Shelly codec gen 1', () => {
  it('reads the topics that are needed and leaves the others', () => {
    assert.deepEqual(gen1('emeter/0/current', '2.06')?.channels, [{ channel: 0, current: 2.06 }]);
    assert.deepEqual(gen1('emeter/2/power', '-458.43')?.channels, [{ channel: 2, power: -458.43 }]);
    assert.deepEqual(gen1('emeter/1/total', '1234.5')?.channels, [{ channel: 1, energyImport: 1234.5 }]);
    assert.equal(gen1('online', 'false')?.online, false);
    for (const other of ['emeter/0/pf', 'emeter/3/current', 'emeter/0/energy', 'relay/0', 'emeter/__proto__/current']) {
      assert.equal(gen1(other, 'x'), undefined);
    }
    assert.equal(decodeGen1('shellyem3-ABC', 'shellies/shellyem3-ABCD/emeter/0/current', '1'), undefined);
  });

  it('names what cannot be believed', () => {
    for (const bad of ['', ' ', 'nan', 'null', '2001', '1e999', '0x1F', '1,5', '{}']) {
      assert.throws(() => gen1('emeter/0/current', bad), { name: 'DeviceDataError', field: 'emeter/0/current' }, bad);
    }
  });

  it('reads the HTTP status and leaves out an invalid channel', () => {
    const emeter = {
      power: -458.43,
      pf: -0.95,
      current: 2.06,
      voltage: 231.4,
      is_valid: true,
      total: 5,
      total_returned: 6,
    };
    const emeters = [emeter, { ...emeter, is_valid: false }, emeter];
    const { channels } = decodeGen1Status(JSON.stringify({ emeters, emeter_n: { current: 0 } }));
    assert.deepEqual(
      channels.map((c) => c.current),
      [2.06, undefined, 2.06],
    );
    assert.equal(channels[0].energyExport, 6);
    assert.throws(() => decodeGen1Status('{"emeters":[]}'), { field: 'emeters' });
  });
});

describe('Shelly codec gen 2', () => {
  it('reads a partial notification', () => {
    const params = { ts: 1, 'em:0': { id: 0, b_current: 3.2, b_act_power: 700 } };
    const update = gen2('pro/events/rpc', { src: 'shellypro3em-1', method: 'NotifyStatus', params });
    assert.deepEqual(
      update?.channels.map((c) => c.current),
      [undefined, 3.2, undefined],
    );
    assert.equal(update?.channels[1].power, 700);
  });

  it('reads replies, whole components, counters and the other profile', () => {
    const em = { id: 0, a_current: 1, a_act_power: 2, b_current: 3, c_current: null, n_current: null };
    const reply = gen2('fusewise-grid/rpc', { id: 1, src: 's', dst: 'fusewise-grid', result: em });
    assert.deepEqual(
      reply?.channels.map((c) => c.current),
      [1, 3, undefined],
    );
    assert.deepEqual(gen2('pro/status/em:0', em), reply);
    assert.equal(gen2('pro/status/emdata:0', { id: 0, total_act: 10, total_act_ret: 4 })?.energyExport, 4);
    assert.deepEqual(gen2('pro/status/em1:2', { id: 2, current: 4, act_power: 5 })?.channels[0].channel, 2);
    const error = { code: 404, message: 'No handler for EM.GetStatus' };
    assert.equal(gen2('fusewise-grid/rpc', { id: 1, src: 's', error })?.unsupported, true);
    assert.equal(decodeGen2Status(JSON.stringify(em)).channels[0].power, 2);
  });

  it('leaves out a phase whose measurement failed, and what is not about energy', () => {
    const em = { id: 0, a_current: 1, a_errors: ['power_meter_failure'], b_current: 2 };
    assert.deepEqual(
      gen2('pro/status/em:0', em)?.channels.map((c) => c.current),
      [undefined, 2, undefined],
    );
    assert.equal(gen2('pro/status/sys', { anything: 'x' }), undefined);
    assert.equal(gen2('pro/events/rpc', { method: 'NotifyEvent', params: {} }), undefined);
    assert.equal(gen2('pro/events/rpc', { method: 'NotifyStatus', params: { 'switch:0': {} } }), undefined);
  });

  it('names what cannot be believed', () => {
    for (const em of [7, null, [], { a_current: 'x' }, { a_current: -1e9 }, { a_act_power: {} }]) {
      const frame = { method: 'NotifyStatus', params: { 'em:0': em } };
      assert.throws(() => gen2('pro/events/rpc', frame), { name: 'DeviceDataError' }, JSON.stringify(em));
    }
    assert.throws(() => gen2('fusewise-grid/rpc', { id: 1, error: { code: -1 } }), { field: 'error' });
  });

  it('asks with its own address for the reply', () => {
    const frame = { id: 7, src: 'fusewise-grid', method: 'EM.GetStatus', params: { id: 0 } };
    assert.deepEqual(JSON.parse(encodeRpc(7, 'fusewise-grid', 'EM.GetStatus', 0)), frame);
  });
});
