import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Session, SessionReport } from '../../../core/index.ts';
import { SessionBook } from '../../../drivers/session-store/book.ts';
import { LateBook } from '../../../drivers/session-store/late.ts';
import { NewerStoreError } from '../../../drivers/session-store/schema.ts';
import { SessionStore } from '../../../drivers/session-store/store.ts';
import { SessionPlant } from '../../core/session-plant.ts';

const START = Date.UTC(2026, 10, 27, 5, 30);
const MINUTE = 60_000;
const PRICES = [
  { start: START, end: START + 60 * MINUTE, price: 0.2 },
  { start: START + 60 * MINUTE, end: START + 600 * MINUTE, price: 0.4 },
];
const SITE = { timeZone: 'Europe/Berlin', currency: 'EUR' };

describe('a book whose store comes late', () => {
  let folder: string;
  let file: string;
  let disk: Error | undefined;
  let said: unknown[];
  let tries: number;
  const books: LateBook[] = [];
  const late = () => {
    const open = () => {
      tries++;
      if (disk) throw disk;
      return new SessionStore(file);
    };
    const say = (word: string) => (error: unknown) => said.push([word, (error as Error | undefined)?.message]);
    const saved = (error: unknown) => assert.equal(error, undefined);
    const book = new LateBook({ ...SITE, open, saved, unusable: say('unusable'), refused: say('refused') });
    books.push(book);
    return book;
  };
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'fusewise-late-'));
    file = path.join(folder, 'sessions.sqlite');
    [disk, said, tries] = [undefined, [], 0];
  });
  afterEach(() => {
    for (const book of books.splice(0)) book.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A vehicle that is there, another one, and a third that stays; from 90 s before to 260 min after. */
  function play(hear: (report: SessionReport, now: number) => void, price: (now: number) => void): SessionPlant {
    const plant = new SessionPlant({ counter: true, register: 1, stale: false, clears: false });
    let now = START - 90_000;
    const pass = (minutes: number, power: number) => {
      for (let s = 0; s < minutes * 60; s += 5) {
        // As measured: never twice the same.
        plant.power = power && power + ((s * 7) % 40);
        plant.flow(5);
        now += 5000;
        hear(plant.report(), now);
      }
    };
    plant.plug(now);
    pass(31.5, 11_000);
    price(now);
    pass(30, 7000);
    plant.unplug(now);
    pass(60, 0);
    plant.plug(now);
    pass(40, 3600);
    pass(20, 0);
    plant.unplug(now);
    pass(10, 0);
    plant.plug(now);
    pass(70, 22_000);
    return plant;
  }
  const shown = (list: readonly Session[]) =>
    list.map(({ id, start, end, endedBy, peakPower, energy }) => [id, start, end, endedBy, peakPower, energy]);

  it('tries again each minute, and then has what it would have had from the start', () => {
    const prompt = new SessionStore(path.join(folder, 'prompt.sqlite'));
    const wanted = new SessionBook(prompt, { ...SITE, saved: assert.ifError });
    // Both have heard the first vehicle before.
    const before = new SessionStore(file);
    const earlier = new SessionBook(before, { ...SITE, saved: assert.ifError });
    disk = new Error('database or disk is full');
    const book = late();
    let heard = 0;
    let firstTry = 0;
    const plant = play(
      (report, now) => {
        wanted.hear('box', report, now);
        if (now < START) {
          earlier.hear('box', report, now);
          return;
        }
        if (!firstTry) {
          earlier.close();
          before.close();
          firstTry = now;
        }
        assert.deepEqual(book.tick(now), []);
        assert.deepEqual(book.hear('box', report, now), [], 'nothing is told before it is on the disk');
        assert.equal(tries, 1 + Math.floor((now - firstTry) / MINUTE));
        heard++;
      },
      (now) => {
        wanted.price(PRICES, 'CHF', now);
        book.price(PRICES, 'CHF', now);
      },
    );
    assert.equal(heard, 260 * 12 + 1);
    assert.deepEqual(new Set(said.map(String)), new Set(['unusable,database or disk is full']));
    disk = undefined;
    said = [];
    const told = book.tick(START + 500 * MINUTE);
    assert.deepEqual(said, [['unusable', undefined]]);
    const all = book.store?.list({ period: '' }, 10) ?? [];
    const expected = prompt.list({ period: '' }, 10);
    prompt.close();
    assert.deepEqual(
      shown(told.slice(0, 2)).map((s) => s.slice(0, 4)),
      shown(expected.slice(1).toReversed()).map((s) => s.slice(0, 4)),
    );
    assert.deepEqual([told.length, told[2].end, told[2].energy], [3, undefined, plant.report().energy]);
    assert.equal(all.length, 3);
    for (const [i, session] of all.slice(1).entries()) {
      const { energy, cost, pricedEnergy, chargingMs, currency, end } = expected[i + 1];
      assert.deepEqual([session.energy, session.currency, session.end], [energy, currency, end]);
      assert.ok(Math.abs(session.cost - cost) < 0.02, `${session.cost} for ${cost}`);
      assert.ok(Math.abs(session.pricedEnergy - pricedEnergy) < 100, `${session.pricedEnergy} for ${pricedEnergy}`);
      assert.ok(Math.abs(session.chargingMs - chargingMs) <= 30_000, `${session.chargingMs} for ${chargingMs}`);
      assert.ok(expected[i + 1].peakPower - session.peakPower <= 40);
    }
  });

  it('keeps few reports, of any number of chargers, and says once what could not be booked', () => {
    disk = new Error('locked');
    const book = late();
    book.tick(START);
    const report = { online: true, state: 'C', power: 3000, energy: 0, register: 0, offer: 16 } as const;
    book.hear('wrong', { ...report, energy: -1 }, START);
    book.hear('wrong', { ...report, energy: -2 }, START + 40_000);
    for (let n = 0; n < 30_000; n++) book.hear(`c${n}`, report, START + n);
    disk = undefined;
    assert.equal(book.tick(START + MINUTE).length, 10_000, 'as many chargers as there may be');
    assert.equal(said.length, 3);
    assert.match(String(said[2]), /refused,charger c\d+: one too many/);
  }).timeout(20_000);

  it('is not tried again where no time mends it, and a clock that is set back makes nobody wait', () => {
    disk = new NewerStoreError(3, 1);
    const book = late();
    for (let m = 0; m < 10; m++) book.tick(START + m * MINUTE);
    assert.equal(tries, 1);
    disk = new Error('locked');
    const other = late();
    other.tick(START);
    disk = undefined;
    other.tick(START - 60 * MINUTE);
    assert.equal(tries, 3);
    assert.ok(other.store);
  });

  it('is tried once more when the program ends', () => {
    disk = new Error('locked');
    const book = late();
    book.tick(START);
    book.hear('box', { online: true, state: 'C', power: 3000, energy: 700, offer: 16 }, START + 1);
    disk = undefined;
    book.close();
    const store = new SessionStore(file);
    assert.deepEqual(
      store.list({ period: '' }, 9).map((s) => s.energy),
      [700],
    );
    store.close();
  });
});
