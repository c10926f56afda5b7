import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  formatCall,
  formatError,
  formatResult,
  MAX_ELEMENTS,
  MAX_ID_LENGTH,
  parseFrame,
} from '../../../drivers/ocpp/frame.ts';

const bad = (text: string) => {
  const frame = parseFrame(text);
  assert.equal(frame.type, 'bad', text);
  return frame as Extract<typeof frame, { type: 'bad' }>;
};

describe('OCPP-J frames', () => {
  it('reads a CALL, a CALLRESULT and a CALLERROR', () => {
    assert.deepEqual(parseFrame('[2,"a1","Heartbeat",{}]'), {
      type: 'call',
      id: '"a1"',
      action: 'Heartbeat',
      payload: {},
    });
    assert.deepEqual(parseFrame(' [3, "a1", {"status":"Accepted"}]'), {
      type: 'result',
      id: '"a1"',
      payload: { status: 'Accepted' },
    });
    const error = { type: 'error', id: '"a1"', code: 'GenericError', description: 'no' };
    assert.deepEqual(parseFrame('[4,"a1","GenericError","no",{}]'), error);
    assert.deepEqual(parseFrame('[4,"a1","GenericError","no"]'), error);
    assert.deepEqual(parseFrame('[4,"a1","GenericError"]'), { ...error, description: '' });
  });

  it('numeric message ids (ocpp-rpc refuses them): the answer carries the same number, also one that no double holds', () => {
    for (const id of ['17', '0', '-1', '1.5', '1e3', '12345678901234567890', '"17"', '"\\u00e4"']) {
      const frame = parseFrame(`[2, ${id} ,"Heartbeat",{}]`);
      assert.equal(frame.type, 'call', id);
      const answered = formatResult((frame as { id: string }).id, {});
      assert.equal(JSON.parse(answered)[1], JSON.parse(id));
      if (!id.startsWith('"')) assert.equal(answered, `[3,${id},{}]`);
    }
  });

  it('refuses an id that is none, or too long', () => {
    const long = 'x'.repeat(MAX_ID_LENGTH + 1);
    for (const id of ['null', '""', '{}', '[]', 'true', `"${long}"`, `1${'0'.repeat(MAX_ID_LENGTH)}`]) {
      assert.equal(bad(`[2,${id},"Heartbeat",{}]`).id, undefined);
    }
    assert.equal(parseFrame(`[2,"${long.slice(1)}","Heartbeat",{}]`).type, 'call');
  });

  it('names what is wrong, and the id where a CALLERROR can be sent', () => {
    assert.match(bad('no json').description, /^frame: "no json" — expected JSON$/);
    assert.match(bad('{"2":1}').description, /expected a JSON array/);
    assert.match(bad('[]').description, /^message id: nothing/);
    assert.match(bad('[5,"a",{}]').description, /^message type: 5 — expected 2, 3 or 4$/);
    assert.deepEqual(bad('[2,"a",7,{}]'), {
      type: 'bad',
      id: '"a"',
      code: 'FormationViolation',
      description: 'action: 7 — expected its name',
    });
    assert.equal(bad('[2,"a","Heartbeat",{},1]').id, '"a"');
    assert.equal(bad('[3,"a",{},{}]').id, undefined);
    assert.equal(bad('[4,"a",{}]').id, undefined);
  });

  it('nesting of 60,000 levels and huge numbers are only frames that say nothing', () => {
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    assert.match(bad(deep).description, /message id/);
    assert.match(bad(`[2,"a","Heartbeat",${deep}]`).description, /elements/);
    assert.equal(bad(`[1e999,"a"]`).type, 'bad');
    assert.equal(bad(`[2,${deep},"Heartbeat",{}]`).type, 'bad');
  });

  it('a frame with more elements than any message has is refused before they are looked at', () => {
    const frame = (count: number) =>
      `[2,"a","MeterValues",{"connectorId":1,"meterValue":[${Array(count).fill('{}')}]}]`;
    assert.equal(parseFrame(frame(MAX_ELEMENTS - 4)).type, 'call');
    const { id, description } = bad(frame(MAX_ELEMENTS + 1));
    assert.equal(id, '"a"');
    assert.match(description, /^payload: more than 2000 elements/);
    const large = Array(4000).fill('{"value":"12345","unit":"Wh","x":"y"}');
    assert.equal(parseFrame(`[2,"a","MeterValues",{"x":[${large}]}]`).type, 'call', 'where larger frames are let in');
    assert.equal(bad(`[3,"a",[${Array(60_000).fill(0)}]]`).id, undefined);
    assert.equal(
      bad(`[2,"a","Heartbeat",${Array(3000).fill('[[').join('')}${Array(3000).fill(']]').join('')}]`).id,
      '"a"',
    );
  });

  it('what is written is read again', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 36 });
    fc.assert(
      fc.property(text, fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }), (id, payload) => {
        const wire = JSON.stringify(id);
        const read = JSON.parse(JSON.stringify(payload)) as object;
        assert.deepEqual(parseFrame(formatCall(id, 'Reset', payload)), {
          type: 'call',
          id: wire,
          action: 'Reset',
          payload: read,
        });
        assert.deepEqual(parseFrame(formatResult(wire, payload)), { type: 'result', id: wire, payload: read });
        assert.deepEqual(parseFrame(formatError(wire, 'InternalError', id)), {
          type: 'error',
          id: wire,
          code: 'InternalError',
          description: id,
        });
      }),
      { numRuns: 300, seed: 1 },
    );
    assert.equal(JSON.parse(formatError('"a"', 'GenericError', 'x'.repeat(300)))[3].length, 255);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        parseFrame(text);
      }),
      { numRuns: 1000, seed: 2 },
    );
  });
});
