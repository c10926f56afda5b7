/** A book of sessions whose store may come late: until then it remembers what it hears, and books it when there is one. */
import type { Price } from '../../core/policies/policy.ts';
import type { OpenSession, Session, SessionReport } from '../../core/sessions.ts';
import { type BookOptions, SessionBook } from './book.ts';
import { HeardMeanwhile } from './heard.ts';
import { NewerStoreError } from './schema.ts';
import { NoSqliteError } from './sqlite.ts';
import type { SessionStore } from './store.ts';

const RETRY_MS = 60_000;

export interface LateOptions extends BookOptions {
  /** @throws what the disk says. */
  open(): SessionStore;
  /** Why there is no store now; undefined: there is one again. */
  unusable(error: unknown): void;
  /** Something of what was heard meanwhile cannot be booked: the first of it. */
  refused(error: unknown): void;
}

export class LateBook {
  readonly #options: LateOptions;
  readonly #meanwhile = new HeardMeanwhile();
  #opened: { store: SessionStore; book: SessionBook } | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #broken: unknown;

  constructor(options: LateOptions) {
    this.#options = options;
  }

  /** Why there is no store; undefined while there is one. */
  get broken(): unknown {
    return this.#broken;
  }

  /** Undefined: there is none yet. */
  get store(): SessionStore | undefined {
    return this.#opened?.store;
  }

  /** Sessions that go on, as last heard. */
  open(): OpenSession[] {
    return this.#opened?.book.open() ?? [];
  }

  /** As {@link SessionBook.hear}; nothing is told while there is no store. @throws RangeError */
  hear(charger: string, report: SessionReport, now: number): Session[] {
    if (this.#opened) return this.#opened.book.hear(charger, report, now);
    if (!this.#hopeless) this.#meanwhile.report(charger, report, now);
    return [];
  }

  /** As {@link SessionBook.price}. */
  price(prices: readonly Price[], currency: string | undefined, now: number): void {
    if (this.#opened) this.#opened.book.price(prices, currency, now);
    else if (!this.#hopeless) this.#meanwhile.price(prices, currency, now);
  }

  /** To be called at first and every 2 s. Returns the sessions of the time without a store that are to be told. */
  tick(now: number): Session[] {
    if (this.#opened) {
      this.#opened.book.tick(now);
      return [];
    }
    // A clock that is set back makes nobody wait.
    if (this.#hopeless || Math.abs(now - this.#triedAt) < RETRY_MS) return [];
    this.#triedAt = now;
    return this.#tryOpen();
  }

  /** Writes everything, and closes the store. */
  close(): void {
    if (!this.#opened && !this.#hopeless) this.#tryOpen();
    this.#opened?.book.close();
    this.#opened?.store.close();
  }

  #tryOpen(): Session[] {
    let store: SessionStore | undefined;
    try {
      store = this.#options.open();
      this.#opened = { store, book: new SessionBook(store, this.#options) };
    } catch (error) {
      store?.close();
      this.#broken = error ?? new Error('unknown');
      this.#options.unusable(this.#broken);
      return [];
    }
    this.#broken = undefined;
    this.#options.unusable(undefined);
    return this.#bookMeanwhile(this.#opened.book);
  }

  #bookMeanwhile(book: SessionBook): Session[] {
    const told = new Map<string, Session>();
    let refused: unknown;
    book.together(() => {
      for (const heard of this.#meanwhile.take())
        try {
          if ('prices' in heard) book.price(heard.prices, heard.currency, heard.at);
          else for (const session of book.hear(heard.charger, heard.report, heard.at)) told.set(session.id, session);
        } catch (error) {
          refused ??= error;
        }
    });
    if (refused !== undefined) this.#options.refused(refused);
    // Each as it is last known.
    for (const session of book.open()) if (told.has(session.id)) told.set(session.id, session);
    return [...told.values()];
  }

  /** Time mends it not: nothing needs to be remembered. */
  get #hopeless(): boolean {
    return this.#broken instanceof NoSqliteError || this.#broken instanceof NewerStoreError;
  }
}
