import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { OpenSession } from '../../../core/index.ts';
import { migrate, NewerStoreError, STEPS } from '../../../drivers/session-store/schema.ts';
import { openDatabase } from '../../../drivers/session-store/sqlite.ts';
import { going, StoreFolder, session } from './past.ts';

describe('tables of the session store', () => {
  const at = new StoreFolder();
  const open = (setAside?: (file: string, reason: string) => void) => at.open(setAside);

  it('brings an older file up to date step by step, and refuses a newer one', () => {
    open().save([session(0)]);
    at.opened[0].close();
    const database = openDatabase(at.file);
    const next = [
      ...STEPS,
      'ALTER TABLE session ADD COLUMN vehicle TEXT',
      'UPDATE session SET vehicle = upper(charger)',
    ];
    migrate(database, next);
    assert.equal(database.prepare('SELECT vehicle FROM session').get()?.vehicle, 'BOX');
    assert.equal(database.prepare('PRAGMA user_version').get()?.user_version, STEPS.length + 2);
    assert.throws(() => migrate(database, [...next, 'ALTER TABLE session DROP COLUMN vehicle; rubbish']));
    assert.equal(
      database.prepare('PRAGMA user_version').get()?.user_version,
      STEPS.length + 2,
      'a step that fails changes nothing',
    );
    assert.equal(database.prepare('SELECT vehicle FROM session').get()?.vehicle, 'BOX');
    database.close();
    assert.throws(() => open(() => assert.fail('it is not damaged')), NewerStoreError);
  });

  it('brings a file of the first version up to date with all that is in it', () => {
    fs.mkdirSync(path.dirname(at.file));
    const old = openDatabase(at.file);
    migrate(old, STEPS.slice(0, 1));
    old.exec(`INSERT INTO session VALUES ('a-1', 'a', 'anna', 1, 60, '1970-01-01', 2, 60, 5, 1, 9, 0, 0, NULL, 'user', 5, NULL, NULL);
      INSERT INTO session VALUES ('a-3', 'a', 'bob', 3, 60, '1970-01-01', NULL, NULL, 7, 1, 9, 0, 0, NULL, NULL, 7, 70, '{}')`);
    old.close();
    const store = open(() => assert.fail('it is not damaged'));
    assert.deepEqual(
      store.list({ period: '' }, 9).map((s) => [s.id, s.user, s.energy, s.endedBy]),
      [
        ['a-3', 'bob', 7, undefined],
        ['a-1', 'anna', 5, 'user'],
      ],
    );
    assert.equal(store.list({ period: '', user: 'anna' }, 9).length, 1);
    assert.equal(store.tracks().get('a')?.open?.id, 'a-3');
    store.close();
    const now = openDatabase(at.file);
    assert.equal(now.prepare('PRAGMA user_version').get()?.user_version, STEPS.length);
    assert.ok(now.prepare("SELECT 1 FROM sqlite_master WHERE name = 'by_user'").get());
    now.close();
  });

  it('what moves is written as one page, and another user all the same', () => {
    const store = open();
    store.save([going(0, { user: 'anna' })]);
    const written = (fields: Partial<OpenSession>) => {
      const before = fs.statSync(`${at.file}-wal`).size;
      store.save([going(0, fields)]);
      return (fs.statSync(`${at.file}-wal`).size - before) / (4096 + 24);
    };
    assert.equal(written({ user: 'anna', energy: 2000 }), 1);
    assert.ok(written({ user: 'bob', energy: 2100 }) > 1);
    assert.deepEqual([store.list({ period: '', user: 'bob' }, 9).length, store.names('user')], [1, ['bob']]);
    assert.equal(written({ energy: 2200 }) > 1, true, 'nobody');
    assert.equal(written({ energy: 2300 }), 1);
    assert.deepEqual(store.names('user'), []);
  });

  it('names and what chargers counted last are found without going through all sessions', () => {
    const store = open();
    const many = Array.from({ length: 20_000 }, (_, n) =>
      session(n, { id: `s-${n}`, charger: `c${n % 7}`, user: `u${n % 5}` }),
    );
    store.save(many);
    const took = (work: () => unknown) => {
      const times = Array.from({ length: 9 }, () => {
        const at = performance.now();
        work();
        return performance.now() - at;
      });
      return times.sort((a, b) => a - b)[4];
    };
    const all = took(() => store.total({ period: '' }, 'EUR'));
    const some = took(() => [store.names('charger'), store.names('user'), store.tracks()]);
    assert.ok(some < all / 2, `${some} of ${all} ms`);
    assert.deepEqual([store.names('charger').length, store.names('user').length], [7, 5]);
    for (const [charger, { idle }] of store.tracks())
      assert.equal(idle?.register, many.findLast((s) => s.charger === charger)?.register);
  });
});
