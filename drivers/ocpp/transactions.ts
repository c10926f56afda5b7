/**
 * The transactions of a station: ids that are never given twice, repeated and late messages, and those that nobody told
 * of. Pure; what it holds is part of the record that is on the disk before a message is answered.
 */
import { z } from 'zod';

export const transaction = z.object({
  id: z.number().int(),
  connector: z.number().int(),
  idTag: z.string().max(60).optional(),
  /** Wh; undefined where nobody told. */
  meterStart: z.number().optional(),
  /** As the station sent it. */
  timestamp: z.string().max(60).optional(),
  /** Our clock, epoch ms. */
  startedAt: z.number(),
  /** Since when its vehicle is known to have charged; our clock, epoch ms. */
  chargingAt: z.number().optional(),
  /** Wh. */
  meterStop: z.number().optional(),
  stoppedAt: z.number().optional(),
  reason: z.string().max(60).optional(),
});
export type Transaction = z.infer<typeof transaction>;

export const transactionBook = z.object({
  next: z.number().int(),
  open: z.array(transaction).max(200),
  closed: z.array(transaction).max(200),
});
export type TransactionBook = z.infer<typeof transactionBook>;

const CLOSED_KEPT = 30;
/** Each connector has one at most; those of connectors that are gone are left. */
const OPEN_KEPT = 150;
/** The first id of a book that was lost is above all that were given before: one a second since then. */
const EPOCH_S = 1_700_000_000;
const LARGEST_ID = 2 ** 31 - 1;

export interface Start {
  connector: number;
  idTag: string;
  meterStart: number;
  timestamp: string;
}

export class Transactions {
  readonly #book: TransactionBook;

  constructor(book: TransactionBook | undefined) {
    this.#book = book ?? { next: 0, open: [], closed: [] };
  }

  get book(): TransactionBook {
    return this.#book;
  }

  /** Our clock has been put forward by so much (ms): what began a while ago by it did so a while ago by the new one, too. */
  clockPut(by: number): void {
    for (const open of this.#book.open) {
      open.startedAt += by;
      if (open.chargingAt !== undefined) open.chargingAt += by;
    }
  }

  /** The id for a transaction of a connector that is not known: it is answered, and not kept. */
  unknown(wallClock: number): number {
    return this.#nextId(wallClock);
  }

  /** The open transaction of a connector. */
  of(connector: number): Transaction | undefined {
    return this.#book.open.findLast((t) => t.connector === connector);
  }

  /**
   * A StartTransaction. A repeated one gets the id that it got (steve#1294); a new one on a connector that has one open
   * closes that. One that was queued and is older than the open one is noted, and changes nothing else.
   */
  start(start: Start, wallClock: number): { transaction: Transaction; isNew: boolean; isCurrent: boolean } {
    const same = [...this.#book.open, ...this.#book.closed].find(
      (t) =>
        t.connector === start.connector &&
        t.idTag === start.idTag &&
        t.meterStart === start.meterStart &&
        t.timestamp === start.timestamp,
    );
    if (same) return { transaction: same, isNew: false, isCurrent: this.of(start.connector) === same };
    const made: Transaction = { ...start, id: this.#nextId(wallClock), startedAt: wallClock };
    const open = this.of(start.connector);
    const isLate = open?.timestamp !== undefined && Date.parse(start.timestamp) < Date.parse(open.timestamp);
    if (isLate) this.#keep(made);
    else {
      if (open) this.#close(open, wallClock);
      this.#open(made, wallClock);
    }
    return { transaction: made, isNew: true, isCurrent: !isLate };
  }

  /**
   * A transaction that is running, as a MeterValues or a status shows it, and that nobody told of. `id`: as the station
   * has it; −1, 0 or undefined where it does not know (libocpp#495).
   */
  adopt(
    connector: number,
    id: number | undefined,
    meter: number | undefined,
    wallClock: number,
  ): Transaction | undefined {
    const known = isId(id) ? id : undefined;
    const open = this.of(connector);
    if (open && (known === undefined || open.id === known)) return undefined;
    const noted = this.#book.closed.find((t) => t.id === known);
    // It was stopped, or belongs to another place: what is queued changes nothing. Without a stop it still runs.
    const stopped = noted && (noted.meterStop !== undefined || noted.connector !== connector);
    if (known === undefined || stopped || this.#book.open.some((t) => t.id === known)) return undefined;
    if (open) this.#close(open, wallClock);
    this.#book.closed = this.#book.closed.filter((t) => t !== noted);
    const made: Transaction = noted ?? { id: known, connector, meterStart: meter, startedAt: wallClock };
    this.#open(made, wallClock);
    this.#book.next = Math.max(this.#book.next, Math.min(known + 1, LARGEST_ID));
    return made;
  }

  /**
   * A StopTransaction: the transaction that it closed. One with an unknown id closes nothing unless its id is −1 or 0 and
   * a single one is open that began before, where `mayHaveEnded` says that it may be over: then it can only be that.
   */
  stop(
    id: number,
    meterStop: number,
    timestamp: string,
    reason: string | undefined,
    wallClock: number,
    mayHaveEnded: (connector: number) => boolean,
  ): Transaction | undefined {
    const only = () => (isId(id) ? undefined : this.#only(timestamp, meterStop, mayHaveEnded));
    const open = this.#book.open.find((t) => t.id === id) ?? only();
    if (!open) {
      const late = this.#book.closed.find((t) => t.id === id);
      if (late) Object.assign(late, { meterStop, reason });
      return undefined;
    }
    this.#close(open, wallClock, meterStop, reason);
    return open;
  }

  #only(timestamp: string, meterStop: number, mayHaveEnded: (connector: number) => boolean): Transaction | undefined {
    const fitting = this.#book.open.filter(
      (t) =>
        mayHaveEnded(t.connector) &&
        (t.timestamp === undefined || Date.parse(t.timestamp) <= Date.parse(timestamp)) &&
        (t.meterStart === undefined || t.meterStart <= meterStop),
    );
    return fitting.length === 1 ? fitting[0] : undefined;
  }

  #open(made: Transaction, wallClock: number): void {
    this.#book.open.push(made);
    if (this.#book.open.length > OPEN_KEPT) this.#close(this.#book.open[0], wallClock);
  }

  #close(open: Transaction, wallClock: number, meterStop?: number, reason?: string): void {
    this.#book.open = this.#book.open.filter((t) => t !== open);
    this.#keep(Object.assign(open, { stoppedAt: wallClock, meterStop, reason }));
  }

  #keep(closed: Transaction): void {
    this.#book.closed.push(closed);
    if (this.#book.closed.length > CLOSED_KEPT) this.#book.closed.shift();
  }

  #nextId(wallClock: number): number {
    const bySecond = Math.max(1, Math.floor(wallClock / 1000) - EPOCH_S);
    const id = Math.max(this.#book.next, bySecond);
    // Beyond the largest, those of the clock are free again.
    const fits = id <= LARGEST_ID ? id : bySecond;
    this.#book.next = fits + 1;
    return fits;
  }
}

function isId(id: number | undefined): id is number {
  return id !== undefined && Number.isSafeInteger(id) && id > 0;
}
