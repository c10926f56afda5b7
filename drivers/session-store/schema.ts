/** The tables of the session store, version by version. A step that was ever released is never changed. */
import type { DatabaseSync } from './sqlite.ts';

/** What brings a file of version `i` to version `i + 1`; a new file has version 0. */
export const STEPS: readonly string[] = [
  `CREATE TABLE session (
     id TEXT PRIMARY KEY,
     charger TEXT NOT NULL,
     user TEXT,
     start INTEGER NOT NULL,
     start_offset INTEGER NOT NULL,
     day TEXT NOT NULL,
     end INTEGER,
     end_offset INTEGER,
     energy REAL NOT NULL,
     charging_ms INTEGER NOT NULL,
     peak_power REAL NOT NULL,
     cost REAL NOT NULL,
     priced_energy REAL NOT NULL,
     currency TEXT,
     ended_by TEXT,
     counter REAL NOT NULL,
     register REAL,
     progress TEXT
   ) STRICT;
   CREATE UNIQUE INDEX one_open ON session (charger) WHERE end IS NULL;
   CREATE INDEX by_start ON session (start);
   CREATE INDEX by_day ON session (day);
   CREATE INDEX by_charger ON session (charger, start);
   CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;`,
  'CREATE INDEX by_user ON session (user, start)',
];

/** A newer palette wrote this file. */
export class NewerStoreError extends Error {
  override name = 'NewerStoreError';

  constructor(version: number, known: number) {
    super(`the session store has version ${version}, this palette knows ${known}: update the palette`);
  }
}

/** Brings a file up to date, each step as a whole or not at all. @throws NewerStoreError */
export function migrate(database: DatabaseSync, steps: readonly string[] = STEPS): void {
  const { user_version: found } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (found > steps.length) throw new NewerStoreError(found, steps.length);
  for (let version = found; version < steps.length; version++)
    transaction(database, () => database.exec(`${steps[version]}; PRAGMA user_version = ${version + 1}`));
}

/** Runs `work` as a whole or not at all. */
export function transaction(database: DatabaseSync, work: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    work();
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
