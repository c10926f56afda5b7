/** Keeps the book of a site's sessions: hears chargers and prices, writes what must not be lost, says what has changed. */
import type { Price } from '../../core/policies/policy.ts';
import {
  type ChargerTrack,
  hearCharger,
  mergePrices,
  type OpenSession,
  type Session,
  type SessionReport,
  zoneOffset,
} from '../../core/sessions.ts';
import type { SessionStore } from './store.ts';

/** Wh that may be on no disk: at 22 kW and with a write every 2 s at most, less than 0.1 kWh are at stake. */
const SAVE_WH = 75;
/** A session in which nothing moves, and an empty charger, are written this often: known after a long power cut. */
const SAVE_EVERY_MS = 300_000;
/** Of an empty charger that is heard no more, its last session is kept. */
const FORGET_IDLE_MS = 30 * 86_400_000;
/** What moves is told this often. */
const TELL_EVERY_MS = 30_000;
/** Sessions that are over and cannot be written are kept, up to so many. */
const MOST_UNSAVED = 1000;
/** Chargers that are followed: no topic that somebody invents may fill the memory. */
const MOST_CHARGERS = 10_000;
const PRICES = 'prices';
const IDLE = 'idle';

export interface BookOptions {
  /** IANA name. */
  timeZone: string;
  /** ISO 4217. */
  currency: string;
  /** The disk took no write, or takes them again. */
  saved(error: unknown): void;
}

export class SessionBook {
  readonly #store: SessionStore;
  readonly #options: BookOptions;
  readonly #tracks: Map<string, ChargerTrack>;
  readonly #saved = new Map<string, OpenSession>();
  readonly #told = new Map<string, { energy: number; at: number; user?: string }>();
  #unsaved: Session[] = [];
  #together = false;
  #idleAt = Number.NEGATIVE_INFINITY;
  #prices: Price[];
  #currency: string;

  /** @throws what the store says. */
  constructor(store: SessionStore, options: BookOptions) {
    this.#store = store;
    this.#options = options;
    this.#tracks = store.tracks();
    for (const { open } of this.#tracks.values()) if (open) this.#saved.set(open.id, open);
    for (const [charger, idle] of readIdle(store.note(IDLE))) {
      const track = this.#tracks.get(charger);
      // What ended later is known better.
      if (!track || (track.idle && track.idle.at < idle.at)) this.#tracks.set(charger, { idle });
    }
    const { prices, currency } = readPrices(store.note(PRICES));
    this.#prices = prices;
    this.#currency = currency ?? options.currency;
  }

  /** Sessions that go on, as last heard. */
  open(): OpenSession[] {
    return [...this.#tracks.values()].flatMap(({ open }) => open ?? []);
  }

  /**
   * Books a report at `now`, epoch ms. Returns the sessions that are to be told: what began or ended is on the disk by then,
   * unless `saved` was told otherwise.
   * @throws RangeError for a value that cannot be; nothing has changed then.
   */
  hear(charger: string, report: SessionReport, now: number): Session[] {
    const before = this.#tracks.get(charger);
    if (!before && this.#tracks.size >= MOST_CHARGERS)
      throw new RangeError(`charger ${charger}: one too many — expected at most ${MOST_CHARGERS} chargers`);
    const offset = (at: number) => zoneOffset(at, this.#options.timeZone);
    const world = { offset, prices: this.#prices, currency: this.#currency };
    const { track, ended, began } = hearCharger(before ?? {}, charger, report, now, world);
    this.#tracks.set(charger, track);
    for (const { id } of ended) {
      this.#saved.delete(id);
      this.#told.delete(id);
    }
    this.#unsaved.push(...ended);
    this.#unsaved.splice(0, this.#unsaved.length - MOST_UNSAVED);
    const later = this.#together && this.#unsaved.length < MOST_UNSAVED / 2;
    if ((ended.length > 0 || began) && !later) this.#save(track.open ? [track.open] : []);
    return [...ended, ...(track.open && this.#worthTelling(track.open, began, now) ? [track.open] : [])];
  }

  /** All prices that are known of now and later; they replace the ones from before. */
  price(prices: readonly Price[], currency: string | undefined, now: number): void {
    const merged = mergePrices(this.#prices, prices, now);
    const next = currency ?? this.#options.currency;
    // A source that repeats itself is not worth a write.
    if (next === this.#currency && JSON.stringify(merged) === JSON.stringify(this.#prices)) return;
    this.#prices = merged;
    this.#currency = next;
    this.#attempt(() => this.#store.setNote(PRICES, { prices: merged, currency: next }));
  }

  /** Runs `work`, and writes what it books in one go. */
  together(work: () => void): void {
    this.#together = true;
    try {
      work();
    } finally {
      this.#together = false;
      this.#saveDue();
    }
  }

  /** Writes what has moved far enough; to be called every 2 s. */
  tick(now: number): void {
    this.#saveDue();
    if (Math.abs(now - this.#idleAt) >= SAVE_EVERY_MS && this.#saveIdle()) this.#idleAt = now;
  }

  /** Writes everything; to be called before the store is closed. */
  close(): void {
    this.#save(this.open().filter((open) => !open.resumed));
    this.#saveIdle();
  }

  #saveDue(): void {
    const due = this.open().filter((open) => {
      const saved = this.#saved.get(open.id);
      return !saved || (saved !== open && worthSaving(saved, open));
    });
    if (due.length > 0 || this.#unsaved.length > 0) this.#save(due);
  }

  /** What empty chargers count: shows later who came and went while nobody listened. */
  #saveIdle(): boolean {
    const all = [...this.#tracks].flatMap(([charger, track]) => (track.idle ? [[charger, track.idle] as const] : []));
    const latest = all.reduce((at, [, idle]) => Math.max(at, idle.at), 0);
    const idle = all.filter(([, { at }]) => latest - at < FORGET_IDLE_MS);
    if (idle.length > 0) this.#attempt(() => this.#store.setNote(IDLE, Object.fromEntries(idle)));
    return idle.length > 0;
  }

  #save(open: readonly OpenSession[]): void {
    const ended = this.#unsaved;
    this.#attempt(() => {
      this.#store.save([...ended, ...open]);
      this.#unsaved = [];
      for (const session of open) this.#saved.set(session.id, session);
    });
  }

  #attempt(write: () => void): void {
    try {
      write();
      this.#options.saved(undefined);
    } catch (error) {
      this.#options.saved(error ?? new Error('unknown'));
    }
  }

  #worthTelling(open: OpenSession, began: boolean, now: number): boolean {
    const told = this.#told.get(open.id);
    const { energy, user } = open;
    const moved = !told || told.energy !== energy || told.user !== user;
    const due = !told || Math.abs(now - told.at) >= TELL_EVERY_MS || told.user !== user;
    if (!began && !(moved && due)) return false;
    this.#told.set(open.id, { energy, at: now, ...(user ? { user } : {}) });
    return true;
  }
}

function worthSaving(saved: OpenSession, open: OpenSession): boolean {
  const old = Math.abs(open.progress.heardAt - saved.progress.heardAt) >= SAVE_EVERY_MS;
  const said = open.progress.cause !== saved.progress.cause || open.user !== saved.user;
  return old || said || Math.abs(open.energy - saved.energy) >= SAVE_WH;
}

/** What the disk holds of empty chargers, read with care. */
function readIdle(note: unknown): [string, { at: number; counter: number; register?: number }][] {
  const known = Object.entries((note ?? {}) as Record<string, { [key: string]: unknown } | null>);
  return known.flatMap(([charger, idle]) => {
    const { at, counter, register } = idle ?? {};
    if (typeof at !== 'number' || typeof counter !== 'number') return [];
    return [[charger, { at, counter, ...(typeof register === 'number' ? { register } : {}) }]];
  });
}

/** What the disk holds of prices, read with care. */
function readPrices(note: unknown): { prices: Price[]; currency?: string } {
  const { prices, currency } = (note ?? {}) as { prices?: unknown; currency?: unknown };
  const list = Array.isArray(prices) ? (prices as Partial<Price>[]) : [];
  const good = list.filter(
    (p): p is Price => Number.isFinite(p?.start) && Number.isFinite(p?.end) && Number.isFinite(p?.price),
  );
  return { prices: good, ...(typeof currency === 'string' ? { currency } : {}) };
}
