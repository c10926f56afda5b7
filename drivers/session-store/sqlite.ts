/** SQLite as it is built into Node: there without a flag from Node 22.13 on. */
import type { DatabaseSync } from 'node:sqlite';

/** This Node has no SQLite. */
export class NoSqliteError extends Error {
  override name = 'NoSqliteError';

  constructor() {
    super(`this needs Node 22.13 or newer and is ${process.version}`);
  }
}

/** What goes wrong with a file: https://sqlite.org/rescode.html */
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

export type { DatabaseSync };

/** @throws NoSqliteError */
export function openDatabase(path: string): DatabaseSync {
  const sqlite = process.getBuiltinModule?.('node:sqlite') as typeof import('node:sqlite') | undefined;
  if (!sqlite?.DatabaseSync) throw new NoSqliteError();
  return new sqlite.DatabaseSync(path);
}

/** Whether an error says that the file itself is damaged. */
export function isDamage(error: unknown): boolean {
  const code = (error as { errcode?: unknown } | undefined)?.errcode;
  // The low byte is the kind, the rest its detail.
  return typeof code === 'number' && [CORRUPT, NOT_A_DATABASE].includes(code & 0xff);
}
