import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ACTIONS, type Action } from '../../../drivers/ocpp/actions.ts';
import { validate } from '../../../drivers/ocpp/validate.ts';
import { type JsonSchema, ORACLE, payloads } from './oracle.ts';

const WALL_CLOCK = Date.UTC(2026, 4, 3, 12);
const NOW = '2026-05-03T12:00:00.000Z';

const check = (action: Action, payload: unknown, tolerant = true) =>
  validate(ACTIONS[action].request, payload, { tolerant, wallClock: WALL_CLOCK });

function repaired(action: Action, payload: unknown): { payload: unknown; repairs: string[] } {
  assert.ok(!check(action, structuredClone(payload), false).ok, 'strict refuses it');
  const result = check(action, payload);
  assert.ok(result.ok, JSON.stringify(result));
  assert.ok(result.repairs.length > 0);
  return result;
}

function refused(action: Action, payload: unknown, code: string, description: RegExp, tolerant = true): void {
  const result = check(action, payload, tolerant);
  assert.ok(!result.ok);
  assert.equal(result.code, code);
  assert.match(result.description, description);
}

const start = { connectorId: 1, idTag: 'A', meterStart: 0, timestamp: NOW };
const sample = (value: object) => ({ connectorId: 1, meterValue: [{ timestamp: NOW, sampledValue: [value] }] });

describe('OCPP payloads: strict', () => {
  it('takes what is as specified, as it is', () => {
    const payload = { ...start };
    assert.deepEqual(check('StartTransaction', payload, false), { ok: true, payload: start, repairs: [] });
  });

  it('refuses with the error code of OCPP-J, naming field, value and what was expected', () => {
    const strict = (payload: unknown, code: string, description: RegExp) =>
      refused('StartTransaction', payload, code, description, false);
    strict({ ...start, connectorId: 'x' }, 'TypeConstraintViolation', /^connectorId: "x" — expected a number$/);
    strict({ ...start, connectorId: 1.5 }, 'TypeConstraintViolation', /^connectorId: 1\.5 — expected an integer$/);
    strict({ ...start, idTag: undefined }, 'OccurenceConstraintViolation', /^idTag: nothing — expected a string$/);
    strict({ ...start, idTag: 'x'.repeat(21) }, 'PropertyConstraintViolation', /^idTag: .* at most 20 characters$/);
    strict({ ...start, timestamp: 'now' }, 'PropertyConstraintViolation', /^timestamp: "now" — .* date-time/);
    strict({ ...start, extra: 1 }, 'FormationViolation', /^payload: unknown field extra/);
    strict(undefined, 'FormationViolation', /^payload: nothing — expected an object$/);
    strict([], 'TypeConstraintViolation', /^payload: an array — expected an object$/);
    const phase = sample({ value: '1', phase: 'L4' });
    refused(
      'MeterValues',
      phase,
      'PropertyConstraintViolation',
      /^meterValue\[0\]\.sampledValue\[0\]\.phase: "L4"/,
      false,
    );
  });
});

describe('OCPP payloads: tolerant', () => {
  it('numbers as text', () => {
    const { payload, repairs } = repaired('StartTransaction', { ...start, connectorId: '1.0', meterStart: ' 16.0' });
    assert.deepEqual(payload, { ...start, meterStart: 16 });
    assert.deepEqual(repairs, ['connectorId: "1.0" read as number', 'meterStart: " 16.0" read as number']);
    refused('StartTransaction', { ...start, connectorId: 'one' }, 'TypeConstraintViolation', /connectorId/);
    refused('StartTransaction', { ...start, connectorId: '1e999' }, 'TypeConstraintViolation', /connectorId/);
    refused('StartTransaction', { ...start, connectorId: 1.5 }, 'TypeConstraintViolation', /connectorId/);
  });

  it('a meter register with decimals', () => {
    assert.deepEqual(repaired('StartTransaction', { ...start, meterStart: '1234.6' }).payload, {
      ...start,
      meterStart: 1235,
    });
  });

  it('text as numbers', () => {
    assert.deepEqual(repaired('MeterValues', sample({ value: 230.1 })).payload, sample({ value: '230.1' }));
  });

  it('case of enums; a value of a kind that OCPP does not have costs only itself', () => {
    assert.deepEqual(
      repaired('MeterValues', sample({ value: '1', measurand: 'current.import', unit: 'a ' })).payload,
      sample({ value: '1', measurand: 'Current.Import', unit: 'A' }),
    );
    const meterValue = [
      {
        timestamp: NOW,
        sampledValue: [{ value: '1', measurand: 'Vendor.X' }, { value: '2' }, { value: '3', unit: 'furlong' }],
      },
    ];
    assert.deepEqual(repaired('MeterValues', { connectorId: 1, meterValue }).payload, sample({ value: '2' }));
    const status = { connectorId: 1, errorCode: 'E-17', status: 'charging' };
    assert.deepEqual(repaired('StatusNotification', status).payload, {
      connectorId: 1,
      errorCode: 'OtherError',
      status: 'Charging',
    });
    const unknown = { connectorId: 1, errorCode: 'NoError', status: 'Dreaming' };
    refused('StatusNotification', unknown, 'PropertyConstraintViolation', /^status: "Dreaming" — expected a value/);
    // `kvar` and `kVAr`: only one of the list is meant.
    assert.deepEqual(
      repaired('MeterValues', sample({ value: '1', unit: 'KVAR' })).payload,
      sample({ value: '1', unit: 'kvar' }),
    );
  });

  it('unknown fields pass and are kept, where they are', () => {
    const payload = { ...sample({ value: '1', vendor: { a: [1] } }), more: 'x' };
    const result = repaired('MeterValues', structuredClone(payload));
    assert.deepEqual(result.payload, payload);
    assert.equal(result.repairs.length, 2);
  });

  it('a field of a vendor in every value of a long transaction', () => {
    const transactionData = [
      { timestamp: NOW, sampledValue: Array.from({ length: 600 }, () => ({ value: '1', vendor: 1 })) },
    ];
    const payload = { transactionId: 1, meterStop: 1, timestamp: NOW, transactionData };
    assert.deepEqual(repaired('StopTransaction', structuredClone(payload)).payload, payload);
  });

  it('nothing and null for what is optional', () => {
    const payload = { ...start, reservationId: null };
    assert.deepEqual(repaired('StartTransaction', payload).payload, start);
    const status = { connectorId: 1, errorCode: 'NoError', status: 'Available', timestamp: '' };
    assert.deepEqual(repaired('StatusNotification', status).payload, {
      connectorId: 1,
      errorCode: 'NoError',
      status: 'Available',
    });
    refused(
      'StartTransaction',
      { ...start, connectorId: null },
      'OccurenceConstraintViolation',
      /^connectorId: nothing/,
    );
    refused('StartTransaction', { ...start, idTag: null }, 'OccurenceConstraintViolation', /^idTag: nothing/);
    assert.deepEqual(repaired('Heartbeat', null).payload, {});
    refused('Heartbeat', undefined, 'FormationViolation', /^payload: nothing/);
  });

  it('times: without an offset, with a space, hours only, missing, or none at all', () => {
    const time = (timestamp: unknown) =>
      (repaired('StartTransaction', { ...start, timestamp }).payload as typeof start).timestamp;
    assert.equal(time('2026-05-03T10:00:00'), '2026-05-03T10:00:00Z');
    assert.equal(time('2026-05-03 10:00:00.5'), '2026-05-03T10:00:00.5Z');
    assert.equal(time('2026-05-03T10:00:00+02'), '2026-05-03T10:00:00+02:00');
    assert.equal(time('2016-12-31T23:59:60Z'), '2016-12-31T23:59:59Z');
    assert.equal(time(undefined), NOW);
    assert.equal(time(null), NOW);
    assert.equal(time('0000-00-00T00:00:00Z'), NOW);
  });

  it('texts too long pass up to a bound', () => {
    const idTag = 'x'.repeat(40);
    assert.deepEqual(repaired('Authorize', { idTag }).payload, { idTag });
    refused(
      'Authorize',
      { idTag: 'x'.repeat(256) },
      'PropertyConstraintViolation',
      /^idTag: .* at most 20 characters$/,
    );
  });

  it('one where an array belongs', () => {
    const one = { connectorId: 1, meterValue: { timestamp: NOW, sampledValue: { value: '1' } } };
    assert.deepEqual(repaired('MeterValues', one).payload, sample({ value: '1' }));
  });

  it('limits of a composite schedule with two decimals', () => {
    const period = { startPeriod: 0, limit: 16.17 };
    const payload = {
      status: 'Accepted',
      chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [period] },
    };
    const tolerant = { tolerant: true, wallClock: WALL_CLOCK };
    const result = validate(ACTIONS.GetCompositeSchedule.response, structuredClone(payload), tolerant);
    assert.ok(result.ok);
    assert.deepEqual(result.payload, payload);
    const strict = { tolerant: false, wallClock: WALL_CLOCK };
    assert.ok(!validate(ACTIONS.GetCompositeSchedule.response, payload, strict).ok);
  });

  it('never touches a prototype, and refuses what nests too deep', () => {
    const evil = JSON.parse('{"idTag":"a","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    const result = check('Authorize', evil);
    assert.ok(result.ok);
    assert.equal(Object.getPrototypeOf(result.payload), Object.prototype);
    assert.deepEqual(Object.keys(result.payload), ['idTag']);
    assert.equal(({} as { polluted?: number }).polluted, undefined);
    const inner = JSON.parse('{"idTag":"a","x":{"__proto__":{"polluted":1}}}');
    refused('Authorize', inner, 'FormationViolation', /unknown field/);
    const deep = JSON.parse(`{"idTag":"a","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`);
    refused('Authorize', deep, 'FormationViolation', /unknown field/);
  });

  it('is bounded: neither thousands of findings nor of fields are worked through', () => {
    const meterValue = [{ timestamp: NOW, sampledValue: Array.from({ length: 6000 }, () => ({ value: 1 })) }];
    refused('MeterValues', { connectorId: 1, meterValue }, 'TypeConstraintViolation', /sampledValue\[0\]\.value/);
    const extra = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`x${i}`, 1]));
    refused('Heartbeat', extra, 'FormationViolation', /unknown field/);
  });

  it('a payload as specified is not changed, for every message', () => {
    for (const action of Object.keys(ACTIONS) as Action[]) {
      fc.assert(
        fc.property(payloads(ORACLE.get(`${action}.req`) as JsonSchema), (payload) => {
          const before = structuredClone(payload);
          const result = check(action, payload);
          assert.ok(result.ok);
          assert.deepEqual(result.payload, before);
          assert.deepEqual(result.repairs, []);
        }),
        { numRuns: 5, seed: 9 },
      );
    }
  });

  it('whatever comes in: a verdict, no exception', () => {
    fc.assert(
      fc.property(fc.constantFrom(...(Object.keys(ACTIONS) as Action[])), fc.jsonValue(), (action, payload) => {
        const result = check(action, payload);
        assert.equal(typeof result.ok, 'boolean');
      }),
      { numRuns: 2000, seed: 3 },
    );
  });
});
