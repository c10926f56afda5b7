import assert from 'node:assert/strict';
import { Guests } from '../../../drivers/ocpp/guests.ts';

const HOUR = 3600_000;

describe('guests of a central system', () => {
  it('are written before they get a limit, and then once an hour while they are here', () => {
    const guests = new Guests(undefined, 0);
    assert.deepEqual(guests.connected('A', 1000), { version: 1, seen: { A: 1000 } });
    assert.equal(guests.connected('A', 2000), undefined);
    const written = [];
    for (let now = 2000; now < 5 * HOUR; now += 1000) written.push(guests.tick(now).record);
    assert.equal(written.filter((record) => record).length, 4);
  });

  it('come back after a restart, and are forgotten when they have been away for a day', () => {
    const first = new Guests(undefined, 0);
    const record = first.connected('A', 0);
    const again = new Guests(JSON.parse(JSON.stringify(record)), 10 * HOUR);
    assert.deepEqual(again.identities(), ['A']);
    assert.deepEqual(again.tick(24 * HOUR), { gone: [] });
    assert.deepEqual(again.tick(24 * HOUR + 1), { gone: ['A'], record: { version: 1, seen: {} } });
    assert.deepEqual(again.identities(), []);
  });

  it('stay while they are here, and a day from when they left', () => {
    const guests = new Guests(undefined, 0);
    guests.connected('A', 0);
    assert.deepEqual(guests.tick(100 * HOUR).gone, []);
    guests.disconnected('A', 101 * HOUR);
    assert.deepEqual(guests.tick(125 * HOUR).gone, []);
    assert.deepEqual(guests.tick(126 * HOUR).gone, ['A']);
  });

  it('no record, a broken one, and one of the future', () => {
    for (const record of [undefined, null, 'x', [], { version: 2, seen: {} }, { version: 1, seen: { A: 'x' } }])
      assert.deepEqual(new Guests(record, 0).identities(), []);
    const guests = new Guests({ version: 1, seen: { A: 1e15 } }, 0);
    assert.deepEqual(guests.tick(25 * HOUR).gone, ['A']);
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`S${i}`, 0]));
    assert.equal(new Guests({ version: 1, seen: many }, 0).identities().length, 1000);
  });
});
