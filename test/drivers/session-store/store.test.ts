import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { dayOf } from '../../../core/index.ts';
import { SessionBook } from '../../../drivers/session-store/book.ts';
import { openDatabase } from '../../../drivers/session-store/sqlite.ts';
import { SessionStore } from '../../../drivers/session-store/store.ts';
import { going, HOUR, START, StoreFolder, session } from './past.ts';

describe('session store', () => {
  const at = new StoreFolder();
  const open = (setAside?: (file: string, reason: string) => void) => at.open(setAside);

  it('gives back what was written, after it was closed and opened again', () => {
    const sessions = [session(0), session(2, { user: "O'Hara; DROP TABLE session", charger: '-x', id: '-x-1' })];
    open().save(sessions);
    at.opened[0].close();
    assert.deepEqual(open().list({ period: '' }, 10), sessions.toReversed());
    assert.equal(fs.statSync(at.file).mode & 0o077, 0, 'nobody else may read it');
  });

  it('writes for the disk, not for its cache', () => {
    open();
    const database = openDatabase(at.file);
    assert.deepEqual({ ...database.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' });
    database.close();
    const source = fs.readFileSync(
      fileURLToPath(import.meta.resolve('../../../drivers/session-store/store.ts')),
      'utf8',
    );
    assert.match(source, /synchronous = FULL/);
  });

  it('a session that is over never changes again, and a charger has one that goes on', () => {
    const store = open();
    store.save([going(0)]);
    store.save([session(0), going(3)]);
    store.save([going(0, { energy: 5 })]);
    assert.deepEqual(
      store.list({ period: '' }, 10).map((s) => [s.id, s.end !== undefined, s.energy]),
      [
        [going(3).id, false, 1000],
        [session(0).id, true, 1000],
      ],
    );
    assert.throws(() => store.save([session(5), going(6)]), /UNIQUE/);
    assert.equal(store.list({ period: '' }, 10).length, 2, 'all or none');
  });

  it('knows after a restart what goes on, and what empty chargers counted last', () => {
    open().save([session(0), session(1, { counter: 70 }), going(0, { id: 'b-1', charger: 'b' })]);
    at.opened[0].close();
    const tracks = open().tracks();
    assert.deepEqual(tracks.get('box'), { idle: { at: START + 2 * HOUR, counter: 70, register: 50_001 } });
    const found = tracks.get('b')?.open;
    assert.deepEqual([found?.resumed, found?.progress.counted, found?.progress.moved], [true, 1000, true]);
  });

  it('knows after a restart when a charger was last heard to be empty, and that a session is yet to be settled', () => {
    const saved = assert.ifError;
    const options = { timeZone: 'Europe/Berlin', currency: 'EUR', saved };
    const report = { online: true, power: 0, offer: 16 };
    const empty = { ...report, state: 'A', energy: 0, register: 90_000 } as const;
    let store = open();
    let book = new SessionBook(store, options);
    book.hear('gone', empty, START - 31 * 24 * HOUR);
    book.hear('box', empty, START);
    book.tick(START);
    book.hear('box', { ...empty, register: 90_010 }, START + HOUR);
    store.close();
    store = open();
    book = new SessionBook(store, options);
    // Killed again at once.
    book.hear('box', { ...report, state: 'B', energy: 1000, register: 95_000 }, START + 2 * HOUR);
    store.close();
    store = open();
    book = new SessionBook(store, options);
    const told = [0, 10].flatMap((s) =>
      book.hear('box', { ...report, state: 'B', energy: 1000, register: 95_000 }, START + 3 * HOUR + s * 1000),
    );
    assert.deepEqual(
      told.filter(({ end }) => end).map((s) => [s.start, s.end, s.energy]),
      [[START + 1, START + 2 * HOUR, 4000]],
    );
    book.hear('box', { ...empty, energy: 1000, register: 95_010 }, START + 4 * HOUR);
    for (const h of [5, 6]) book.hear('box', { ...empty, energy: 1000, register: 95_020 }, START + h * HOUR);
    book.close();
    store.close();
    assert.deepEqual(open().note('idle'), { box: { at: START + 6 * HOUR, counter: 1000, register: 95_020 } });
    at.opened.at(-1)?.setNote('idle', { box: { at: 'x' }, a: null, b: 7 });
    assert.equal(new SessionBook(at.opened.at(-1) as SessionStore, options).open().length, 0);
  });

  it('a session whose progress cannot be read goes on from its other columns', () => {
    open().save([going(0)]);
    at.opened[0].close();
    const database = openDatabase(at.file);
    for (const progress of ['{', 'null', '[]', '{"heardAt":"x"}']) {
      database.prepare('UPDATE session SET progress = ?').run(progress);
      const store = open();
      assert.equal(store.tracks().get('box')?.open?.progress.counted, 1000);
      store.close();
    }
    database.close();
  });

  it('answers by day, month and year of the site, over the change of its clocks', () => {
    const store = open();
    // 23:30 on the 24th, 00:30, 01:30, 02:30 summer, 02:30 winter time on the 25th …
    store.save(Array.from({ length: 60 }, (_, n) => session(n)));
    assert.equal(store.list({ period: '2026-10-24' }, 100).length, 1);
    assert.equal(store.list({ period: '2026-10-25' }, 100).length, 25);
    assert.equal(store.list({ period: '2026-10-26' }, 100).length, 24);
    assert.equal(store.total({ period: '2026-10' }, 'EUR').count, 60);
    assert.deepEqual(
      store.sums({ period: '2026' }, 'day', 'EUR').map((s) => [s.period, s.count, s.energy]),
      [
        ['2026-10-24', 1, 1000],
        ['2026-10-25', 25, 25_000],
        ['2026-10-26', 24, 24_000],
        ['2026-10-27', 10, 10_000],
      ],
    );
    assert.deepEqual(
      store.sums({ period: '' }, 'year', 'EUR').map((s) => s.period),
      ['2026'],
    );
  });

  it('sums are those of the list, whatever is asked for', () => {
    const store = open();
    const some = fc.array(
      fc.record({
        charger: fc.constantFrom('a', 'b'),
        user: fc.constantFrom('anna', 'bob', undefined),
        energy: fc.integer({ min: 0, max: 50_000 }),
        currency: fc.constantFrom('EUR', 'CHF'),
        hours: fc.integer({ min: 0, max: 20_000 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    let n = 0;
    fc.assert(
      fc.property(some, (list) => {
        const sessions = list.map(({ hours, ...fields }) => session(hours, { ...fields, id: `s-${n++}` }));
        store.save(sessions);
        const all = store.list({ period: '' }, 1e6);
        for (const unit of ['day', 'month', 'year'] as const)
          for (const charger of ['a', undefined])
            for (const user of ['bob', undefined]) {
              const fits = all.filter((s) => (charger ?? s.charger) === s.charger && (!user || s.user === user));
              const sums = store.sums({ period: '', charger, user }, unit, 'EUR');
              const total = store.total({ period: '', charger, user }, 'EUR');
              assert.equal(total.count, fits.length);
              assert.equal(
                total.energy,
                sums.reduce((sum, s) => sum + s.energy, 0),
              );
              assert.equal(
                total.energy,
                fits.reduce((sum, s) => sum + s.energy, 0),
              );
              const euros = fits.filter((s) => s.currency === 'EUR');
              assert.ok(Math.abs(total.cost - euros.reduce((sum, s) => sum + s.cost, 0)) < 1e-6);
              const [last] = sums.slice(-1);
              if (last) assert.equal(store.list({ period: last.period, charger, user }, 1e6).length, last.count);
            }
      }),
      { numRuns: 15 },
    );
    assert.deepEqual(store.names('charger'), ['a', 'b']);
    assert.deepEqual(store.names('user'), ['anna', 'bob']);
  });

  it('pages through a long list without losing or repeating one', () => {
    const store = open();
    // Two that begin at the same moment.
    store.save(Array.from({ length: 23 }, (_, n) => session(Math.floor(n / 2), { id: `s-${n}` })));
    const seen: string[] = [];
    for (let after: string | undefined; ; after = seen.at(-1)) {
      const page = store.list({ period: '' }, 5, after);
      seen.push(...page.map((s) => s.id));
      if (page.length === 0) break;
    }
    assert.equal(new Set(seen).size, 23);
    assert.equal(seen.length, 23);
  });

  it('sets a damaged file aside and begins a new one: no database at all, or one with a broken page', () => {
    const told: [string, string][] = [];
    fs.mkdirSync(path.dirname(at.file));
    fs.writeFileSync(at.file, 'not a database, but long enough to be looked at as one '.repeat(50));
    open((aside, reason) => told.push([aside, reason])).save(Array.from({ length: 300 }, (_, n) => session(n)));
    at.opened[0].close();
    const bytes = fs.readFileSync(at.file);
    bytes.fill(0xa5, 8192, 16_384);
    fs.writeFileSync(at.file, bytes);
    const store = open((aside, reason) => told.push([aside, reason]));
    assert.deepEqual(store.list({ period: '' }, 10), []);
    assert.equal(told.length, 2);
    for (const [aside, reason] of told) {
      assert.ok(fs.existsSync(aside) && reason.length > 0, aside);
      assert.match(path.basename(aside), /^sessions-site\.sqlite\.damaged-\d{4}-/);
    }
    store.save([session(0)]);
  });

  it('a file that is damaged while it is open is set aside, too, and nothing that is written then is lost', () => {
    const told: string[] = [];
    const store = open((aside) => told.push(aside));
    store.save(Array.from({ length: 300 }, (_, n) => session(n)));
    const database = openDatabase(at.file);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    const bytes = fs.readFileSync(at.file);
    bytes.fill(0xa5, 4096);
    fs.writeFileSync(at.file, bytes);
    store.save([session(1000)]);
    assert.equal(told.length, 1);
    assert.deepEqual(
      store.list({ period: '' }, 10).map((s) => s.id),
      [session(1000).id],
    );
  });

  it('a new file that cannot be begun at once is begun later', () => {
    const store = open(() => fs.mkdirSync(at.file));
    const database = openDatabase(at.file);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    fs.writeFileSync(at.file, Buffer.alloc(fs.statSync(at.file).size, 0xa5));
    assert.throws(() => store.save([session(0)]), /unable to open/);
    assert.throws(() => store.save([session(0)]), /EISDIR/);
    fs.rmdirSync(at.file);
    store.save([session(0)]);
    assert.equal(store.list({ period: '' }, 10).length, 1);
  });

  it('a power cut in the middle of a write leaves what was there before it', () => {
    const store = open();
    store.save([session(0)]);
    store.save([session(1)]);
    // The last pages of the log did not get to the disk.
    const log = fs.readFileSync(`${at.file}-wal`);
    const copy = path.join(at.folder, 'copy.sqlite');
    fs.copyFileSync(at.file, copy);
    fs.writeFileSync(`${copy}-wal`, log.subarray(0, log.length - 3000));
    const after = new SessionStore(copy, () => assert.fail('it is not damaged'));
    at.opened.push(after);
    assert.deepEqual(
      after.list({ period: '' }, 10).map((s) => s.id),
      [session(0).id],
    );
  });

  it('a disk that takes nothing is told, and the file stays', () => {
    const store = open(() => assert.fail('it is not damaged'));
    const database = openDatabase(at.file);
    database.exec('PRAGMA query_only = 0; BEGIN EXCLUSIVE');
    assert.throws(() => store.save([session(0)]), /locked/);
    database.exec('ROLLBACK');
    database.close();
    store.save([session(0)]);
  }).timeout(10_000);

  it('a Node without SQLite is told which one it takes', () => {
    const module = JSON.stringify(fileURLToPath(import.meta.resolve('../../../drivers/session-store/store.ts')));
    const program = `import(${module}).then(({ SessionStore }) => new SessionStore(${JSON.stringify(at.file)}))
      .catch((error) => console.log(error.name, error.message))`;
    const args = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', '--no-experimental-sqlite', '-e', program];
    const said = execFileSync(process.execPath, args, { encoding: 'utf8' });
    assert.match(said, /^NoSqliteError this needs Node 22\.13 or newer and is v\d+/);
  });
});

describe('days of sessions', () => {
  it('are those of the site at its time', () => assert.equal(dayOf(START, 120), '2026-10-24'));
});
