import assert from 'node:assert/strict';
import { Guests } from '../../../drivers/ocpp/guests.ts';

const HOUR = 3600_000;

/** Lets hours pass, a tick a minute; returns who has gone and what was written last. */
function pass(guests: Guests, from: number, to: number): { gone: string[]; record: unknown; written: number } {
  const all = { gone: [] as string[], record: undefined as unknown, written: 0 };
  for (let now = from * HOUR; now <= to * HOUR; now += 60_000) {
    const { gone, record } = guests.tick(now);
    all.gone.push(...gone);
    if (!record) continue;
    all.record = JSON.parse(JSON.stringify(record));
    all.written += 1;
  }
  return all;
}

describe('guests of a central system', () => {
  it('are written before they get a limit, and then once an hour', () => {
    const guests = new Guests(undefined, 0);
    assert.deepEqual(guests.connected('A', 0), { version: 1, away: { A: 0 } });
    assert.equal(guests.connected('A', 0), undefined);
    assert.equal(pass(guests, 0, 4.5).written, 4);
    assert.equal(pass(new Guests(undefined, 0), 0, 4.5).written, 0);
  });

  it('stay while they are here, and for a day from when they left', () => {
    const guests = new Guests(undefined, 0);
    guests.connected('A', 0);
    assert.deepEqual(pass(guests, 0, 100).gone, []);
    guests.disconnected('A');
    assert.deepEqual(pass(guests, 100, 123.9).gone, []);
    guests.connected('A', 123.9 * HOUR);
    guests.disconnected('A');
    assert.deepEqual(pass(guests, 123.9, 147.8).gone, []);
    assert.deepEqual(pass(guests, 147.8, 148), { gone: ['A'], record: { version: 1, away: {} }, written: 1 });
    assert.deepEqual(guests.identities(), []);
  });

  it('are away only while they could come: neither a night without the program nor a clock that is set counts', () => {
    const guests = new Guests(undefined, 0);
    guests.connected('A', 0);
    guests.disconnected('A');
    const { record } = pass(guests, 0, 20);
    // The monotonic clock of the next process begins anywhere.
    const again = new Guests(record, 5000 * HOUR);
    assert.deepEqual(again.identities(), ['A']);
    assert.deepEqual(pass(again, 5000, 5003.9).gone, []);
    assert.deepEqual(pass(again, 5003.9, 5004.1).gone, ['A']);
  });

  it('no record, and broken ones', () => {
    const broken = [
      null,
      'x',
      [],
      { version: 2, away: {} },
      { version: 1, away: { A: 'x' } },
      { version: 1, away: { A: -1 } },
    ];
    for (const record of [undefined, ...broken]) assert.deepEqual(new Guests(record, 0).identities(), []);
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`S${i}`, 0]));
    assert.equal(new Guests({ version: 1, away: many }, 0).identities().length, 1000);
  });
});
