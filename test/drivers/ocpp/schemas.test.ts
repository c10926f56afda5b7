import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ACTIONS, type Action, actionSpec } from '../../../drivers/ocpp/actions.ts';
import { type JsonSchema, ORACLE, oracleAccepts, type Place, payloads, places } from './oracle.ts';

const MESSAGES = Object.keys(ACTIONS).flatMap((action) => [`${action}.req`, `${action}.conf`]);

function oursAccepts(message: string, payload: unknown): boolean {
  const [action, kind] = message.split('.') as [Action, 'req' | 'conf'];
  return ACTIONS[action][kind === 'req' ? 'request' : 'response'].safeParse(payload).success;
}

/** Field names of all messages: what one message has, another must not have. */
const FIELDS = [...new Set([...ORACLE.values()].flatMap(fieldsOf))];

function fieldsOf(schema: JsonSchema): string[] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => [key, ...fieldsOf(value)]);
  return schema.items ? [...below, ...fieldsOf(schema.items)] : below;
}

const OTHER_VALUES: unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  16.17,
  1e-7,
  0.30000000000000004,
  '',
  'x',
  'accepted',
  '1',
  '16.0',
  [],
  [null],
  {},
  'x'.repeat(20_000),
  '2026-02-29T00:00:00Z',
  '2024-02-29T00:00:00Z',
  '2024-04-31T00:00:00Z',
  '2024-13-01T00:00:00Z',
  '2024-01-01T24:00:00Z',
  '2024-01-01',
  'not a uri',
  'http://host/a b',
];

/** One change of one place: another value, one character too many, a field missing, a field of another message. */
function mutations(place: Place): [string, () => void][] {
  const { schema, value, put } = place;
  const result: [string, () => void][] = OTHER_VALUES.map((other) => [
    `${JSON.stringify(other)?.slice(0, 30)}`,
    () => put(other),
  ]);
  result.push(['missing', () => put(undefined)]);
  if (schema.maxLength !== undefined) {
    for (const unit of ['x', 'ä', '😀']) {
      result.push([`exactly ${unit}`, () => put(unit.repeat(schema.maxLength as number))]);
      result.push([`too long ${unit}`, () => put(unit.repeat((schema.maxLength as number) + 1))]);
    }
  }
  for (const word of schema.enum ?? []) {
    result.push([`enum ${word}`, () => put(word)], [`enum lower ${word}`, () => put(word.toLowerCase())]);
  }
  if (schema.type === 'object' && value !== null && typeof value === 'object') {
    const object = value as Record<string, unknown>;
    for (const field of ['unknownField', '__proto__', 'constructor', ...FIELDS]) {
      if (Object.hasOwn(schema.properties ?? {}, field)) continue;
      const own = { value: 'x', enumerable: true, configurable: true, writable: true };
      result.push([`extra ${field}`, () => Object.defineProperty(object, field, own)]);
    }
  }
  return result;
}

describe('OCPP 1.6 schemas against the schemas of ocpp-rpc', () => {
  it('has all 39 actions, and nothing else', () => {
    assert.deepEqual(MESSAGES.toSorted(), [...ORACLE.keys()].toSorted());
    assert.equal(MESSAGES.length, 78);
    assert.equal(actionSpec('toString'), undefined);
    assert.equal(actionSpec('__proto__'), undefined);
  });

  it('knows who may call what', () => {
    const called = (from: string) => Object.keys(ACTIONS).filter((a) => ACTIONS[a as Action].from === from);
    assert.equal(called('station').length, 13);
    assert.equal(called('central').length, 25);
    assert.deepEqual(called('both'), ['DataTransfer']);
  });

  for (const message of MESSAGES) {
    it(`${message}: takes what the oracle takes, refuses what it refuses`, () => {
      const schema = ORACLE.get(message) as JsonSchema;
      fc.assert(
        fc.property(payloads(schema), (payload) => {
          assert.ok(oracleAccepts(message, payload), 'the payload is a valid one');
          assert.ok(oursAccepts(message, payload), JSON.stringify(payload));
        }),
        { numRuns: 30, seed: 16 },
      );
      for (const payload of fc.sample(full(schema), { numRuns: 2, seed: 6 }))
        compareMutations(message, schema, payload);
    });
  }

  // Where ours is meant to differ.
  for (const [what, value] of [
    ['a leap second, which Date cannot represent', '2016-12-31T23:59:60Z'],
    ['a time without its offset, of which nobody knows when it is', '2024-01-01T00:00:00'],
    ['an offset of hours only, which Date.parse does not read', '2024-01-01T00:00:00+01'],
    ['a space for the T, which RFC 3339 leaves to agreement', '2024-01-01 00:00:00Z'],
    ['more than 12 digits of a second, which nobody sends', `2024-01-01T00:00:00.${'1'.repeat(13)}Z`],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.ok(oracleAccepts('Heartbeat.conf', { currentTime: value }));
      assert.ok(!oursAccepts('Heartbeat.conf', { currentTime: value }));
    });
  }

  it('refuses an integer beyond 2^53, which would be another one after reading', () => {
    assert.ok(oracleAccepts('CancelReservation.req', { reservationId: 2 ** 60 }));
    assert.ok(!oursAccepts('CancelReservation.req', { reservationId: 2 ** 60 }));
  });

  it('every date-time it takes is one for Date.parse', () => {
    const text = fc.tuple(
      fc.integer({ min: 0, max: 99 }),
      fc.integer({ min: 0, max: 33 }),
      fc.integer({ min: 0, max: 25 }),
    );
    fc.assert(
      fc.property(text, ([month, day, hour]) => {
        const two = (n: number) => String(n).padStart(2, '0');
        const currentTime = `2023-${two(month % 14)}-${two(day)}T${two(hour)}:00:00Z`;
        const ours = oursAccepts('Heartbeat.conf', { currentTime });
        assert.equal(ours, oracleAccepts('Heartbeat.conf', { currentTime }), currentTime);
        if (ours) assert.equal(new Date(currentTime).toISOString().slice(0, 10), currentTime.slice(0, 10));
      }),
      { numRuns: 2000, seed: 4 },
    );
  });
});

/** Payloads with every field present and no array empty. */
function full(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.type === 'array') return full(schema.items as JsonSchema).map((item) => [item]);
  if (schema.type !== 'object') return payloads(schema);
  const entries = Object.entries(schema.properties ?? {}).map(([key, value]) => [key, full(value)]);
  return fc.record(Object.fromEntries(entries), { noNullPrototype: true });
}

function compareMutations(message: string, schema: JsonSchema, valid: unknown): void {
  const count = places(schema, valid, () => undefined).length;
  for (let p = 0; p < count; p++) {
    const at = () => {
      const root = { payload: structuredClone(valid) };
      const put = (value: unknown) => {
        root.payload = value;
      };
      return { root, place: places(schema, root.payload, put)[p] as Place };
    };
    const names = mutations(at().place).map(([name]) => name);
    for (const [m, name] of names.entries()) {
      const { root, place } = at();
      mutations(place)[m]?.[1]();
      const theirs = oracleAccepts(message, root.payload);
      const text = `${message}, place ${p}, ${name}: ${JSON.stringify(root.payload)?.slice(0, 300)}`;
      assert.equal(oursAccepts(message, root.payload), theirs, text);
    }
  }
}
