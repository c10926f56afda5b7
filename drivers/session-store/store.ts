/**
 * Sessions on the disk: one SQLite file. A write has reached the disk when it returns (write-ahead log, synchronous=FULL),
 * so that neither `kill -9` nor a power cut takes it back. A damaged file is set aside, and a new one begun.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { ChargerTrack, OpenSession, Session } from '../../core/sessions.ts';
import { openSessionOf, type Row, rowOf, sessionOf } from './rows.ts';
import { migrate, transaction } from './schema.ts';
import { type DatabaseSync, isDamage, openDatabase } from './sqlite.ts';

/** Which sessions: all that fit what is given. Days are on site, `2026-11-27`. */
export interface Filter {
  /** A day, a month or a year; '' = all. */
  period: string;
  charger?: string;
  user?: string;
}

export interface Sum {
  /** The day, month or year that it is of. */
  period: string;
  count: number;
  /** Wh. */
  energy: number;
  /** In the currency that was asked for, of `pricedEnergy` Wh. */
  cost: number;
  pricedEnergy: number;
}

const LENGTH = { day: 10, month: 7, year: 4 } as const;
export type Unit = keyof typeof LENGTH;

/** More is never answered at once. */
export const MOST_SUMS = 1000;
const MOST_NAMES = 500;

const COLUMNS = [
  ...['id', 'charger', 'user', 'start', 'start_offset', 'day', 'end', 'end_offset', 'energy', 'charging_ms'],
  ...['peak_power', 'cost', 'priced_energy', 'currency', 'ended_by', 'counter', 'register', 'progress'],
];
/** A session that is over never changes again. */
const SAVE = `INSERT INTO session (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map((c) => `:${c}`).join(', ')})
  ON CONFLICT (id) DO UPDATE SET ${COLUMNS.map((c) => `${c} = excluded.${c}`).join(', ')}
  WHERE session.end IS NULL`;

/** What changes while a session goes on, if its user does not. None of it is in an index, so that a write is one page. */
const MOVING = [
  'energy',
  'charging_ms',
  'peak_power',
  'cost',
  'priced_energy',
  'currency',
  'counter',
  'register',
  'progress',
] as const satisfies (keyof Row)[];
const MOVE = `UPDATE session SET ${MOVING.map((c) => `${c} = :${c}`).join(', ')}
  WHERE id = :id AND end IS NULL AND user IS :user`;

/** All there are in an indexed column, each found by a jump in the index: of many rows few are read. */
const distinct = (column: 'charger' | 'user') => `WITH RECURSIVE names (name) AS (
  SELECT min(${column}) FROM session
  UNION ALL SELECT (SELECT min(${column}) FROM session WHERE ${column} > name) FROM names WHERE name IS NOT NULL)`;

const LAST_OF_EACH = `${distinct('charger')}
  SELECT session.* FROM names JOIN session ON session.rowid = (SELECT rowid FROM session
    WHERE charger = name AND end IS NOT NULL ORDER BY start DESC LIMIT 1)`;

export class SessionStore {
  readonly #path: string;
  readonly #setAside: (file: string, reason: string) => void;
  #database: DatabaseSync;

  /**
   * Opens or makes the file. `setAside` is told where a damaged one was put and what was wrong with it.
   * @throws NoSqliteError, NewerStoreError, or what the disk says.
   */
  constructor(file: string, setAside: (file: string, reason: string) => void = () => undefined) {
    this.#path = file;
    this.#setAside = setAside;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    this.#database = this.#open();
  }

  /** Writes all of them or none: whatever was open at a charger and is not among them must be over in them. */
  save(sessions: readonly (Session | OpenSession)[]): void {
    this.#guarded((database) => {
      const [save, move] = [database.prepare(SAVE), database.prepare(MOVE)];
      // What is over first: a charger has one open session.
      const rows = sessions.map(rowOf).sort((a, b) => Number(a.end === null) - Number(b.end === null));
      transaction(database, () => {
        for (const row of rows) if (row.end !== null || move.run(moving(row)).changes === 0) save.run({ ...row });
      });
    });
  }

  /** What is known of every charger that was ever heard. */
  tracks(): Map<string, ChargerTrack> {
    const tracks = new Map<string, ChargerTrack>();
    for (const row of this.#rows(LAST_OF_EACH)) {
      const { end = row.start, counter, register } = sessionOf(row);
      tracks.set(row.charger, { idle: { at: end, counter, ...(register === undefined ? {} : { register }) } });
    }
    for (const row of this.#rows('SELECT * FROM session WHERE end IS NULL'))
      tracks.set(row.charger, { open: openSessionOf(row) });
    return tracks;
  }

  /** The latest first, at most `most`, from after the session with the id `after` on. */
  list(filter: Filter, most: number, after?: string): Session[] {
    const { where, values } = conditions(filter);
    const paged = after === undefined ? [] : ['(start, id) < (SELECT start, id FROM session WHERE id = :after)'];
    return this.#rows(
      `SELECT * FROM session ${clause([...where, ...paged])} ORDER BY start DESC, id DESC LIMIT :most`,
      { ...values, most, ...(after === undefined ? {} : { after }) },
    ).map(sessionOf);
  }

  /** Energy, cost in one currency and number by day, month or year, the earliest first; of too many the latest. */
  sums(filter: Filter, unit: Unit, currency: string): Sum[] {
    const { where, values } = conditions(filter);
    const sql = `SELECT * FROM (SELECT substr(day, 1, ${LENGTH[unit]}) AS period, ${SUMS} FROM session ${clause(where)}
      GROUP BY 1 ORDER BY 1 DESC LIMIT ${MOST_SUMS}) ORDER BY 1`;
    return this.#guarded((database) => database.prepare(sql).all({ ...values, currency })) as unknown as Sum[];
  }

  total(filter: Filter, currency: string): Omit<Sum, 'period'> {
    const { where, values } = conditions(filter);
    const sql = `SELECT ${SUMS} FROM session ${clause(where)}`;
    return this.#guarded((database) => ({ ...database.prepare(sql).get({ ...values, currency }) })) as unknown as Sum;
  }

  /** Every charger or user that a session names, sorted; at most 500. */
  names(of: 'charger' | 'user'): string[] {
    const sql = `${distinct(of)} SELECT name FROM names WHERE name IS NOT NULL LIMIT ${MOST_NAMES}`;
    return this.#guarded((database) => database.prepare(sql).all()).map(({ name }) => String(name));
  }

  /** A note beside the sessions; undefined when there is none. */
  note(name: string): unknown {
    const row = this.#guarded((database) => database.prepare('SELECT value FROM note WHERE name = ?').get(name));
    try {
      return row && JSON.parse(String(row.value));
    } catch {
      return undefined;
    }
  }

  setNote(name: string, value: unknown): void {
    const sql = 'INSERT INTO note VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value';
    this.#guarded((database) => database.prepare(sql).run(name, JSON.stringify(value)));
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #rows(sql: string, values: Record<string, string | number> = {}): Row[] {
    return this.#guarded((database) => database.prepare(sql).all(values)) as unknown as Row[];
  }

  /** A file that turns out to be damaged is set aside; the work is done again on a new one. */
  #guarded<T>(work: (database: DatabaseSync) => T): T {
    try {
      // One that could not be begun anew is tried again.
      if (!this.#database.isOpen) this.#database = this.#open();
      return work(this.#database);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#database = this.#begin(error);
      return work(this.#database);
    }
  }

  #open(): DatabaseSync {
    try {
      // Names of people are in it.
      fs.closeSync(fs.openSync(this.#path, 'a', 0o600));
      return ready(this.#path);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return this.#begin(error);
    }
  }

  #begin(error: unknown): DatabaseSync {
    if (this.#database?.isOpen) this.#database.close();
    const aside = `${this.#path}.damaged-${new Date().toISOString().replace(/[:.]/g, '-')}`;
    for (const end of ['', '-wal', '-shm'])
      if (fs.existsSync(this.#path + end)) fs.renameSync(this.#path + end, aside + end);
    this.#setAside(aside, error instanceof Error ? error.message : String(error));
    return ready(this.#path);
  }
}

const SUMS = `COUNT(*) AS count, COALESCE(SUM(energy), 0) AS energy,
  COALESCE(SUM(CASE WHEN currency = :currency THEN cost END), 0) AS cost,
  COALESCE(SUM(CASE WHEN currency = :currency THEN priced_energy END), 0) AS pricedEnergy`;

function ready(file: string): DatabaseSync {
  const database = openDatabase(file);
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 100');
    const { quick_check: found } = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (found !== 'ok') throw Object.assign(new Error(found), { errcode: 11 });
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function moving(row: Row): Record<string, string | number | null> {
  return Object.fromEntries(['id' as const, 'user' as const, ...MOVING].map((column) => [column, row[column]]));
}

function conditions({ period, charger, user }: Filter): { where: string[]; values: Record<string, string> } {
  const where: string[] = [];
  const values: Record<string, string> = {};
  if (period !== '') {
    // '~' comes after every digit and '-'.
    where.push('day >= :from AND day < :to');
    Object.assign(values, { from: period, to: `${period}~` });
  }
  if (charger !== undefined) {
    where.push('charger = :charger');
    values.charger = charger;
  }
  if (user !== undefined) {
    where.push('user = :user');
    values.user = user;
  }
  return { where, values };
}

function clause(where: readonly string[]): string {
  return where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
}
