/**
 * Guests: stations that were let in although nobody has described them. They may charge while they are not connected, so they count
 * until they have been away for a day, over a restart as well (S4). A day in which they could have come: while this program does not
 * run, nobody is away. Pure; times are ms, monotonic.
 */
import { z } from 'zod';

const AWAY_MS = 24 * 3600_000;
/** How long somebody has been away is noted this often, so that a kill loses no more. */
const NOTED_EVERY_MS = 3600_000;
const MOST = 1000;

/** By identity: for how long it has been away, ms. */
const guestsRecord = z.object({ version: z.literal(1), away: z.record(z.string().max(40), z.number().min(0)) });
export type GuestsRecord = z.infer<typeof guestsRecord>;

export class Guests {
  readonly #away: Map<string, number>;
  readonly #here = new Set<string>();
  #now: number;
  #notedAt: number;

  /** `record`: what was written last; one that cannot be read is none. */
  constructor(record: unknown, now: number) {
    const read = guestsRecord.safeParse(record);
    this.#away = new Map(read.success ? Object.entries(read.data.away).slice(0, MOST) : []);
    this.#now = now;
    this.#notedAt = now;
  }

  /** Who is here or may come back. */
  identities(): string[] {
    return [...this.#away.keys()];
  }

  /** Returns what is to be on the disk before it gets a limit: undefined for one that is there already. */
  connected(identity: string, now: number): GuestsRecord | undefined {
    const isNew = !this.#away.has(identity);
    this.#here.add(identity);
    this.#away.set(identity, 0);
    return isNew ? this.#note(now) : undefined;
  }

  disconnected(identity: string): void {
    this.#here.delete(identity);
  }

  forget(identity: string): void {
    this.#here.delete(identity);
    this.#away.delete(identity);
  }

  /** Who has been away for a day, and is no guest any more; and what is to be on the disk, if anything. */
  tick(now: number): { gone: string[]; record?: GuestsRecord } {
    for (const [identity, away] of this.#away)
      if (!this.#here.has(identity)) this.#away.set(identity, away + now - this.#now);
    this.#now = now;
    const gone = this.identities().filter((identity) => (this.#away.get(identity) ?? 0) > AWAY_MS);
    for (const identity of gone) this.forget(identity);
    const isDue = gone.length > 0 || (this.#away.size > 0 && now - this.#notedAt >= NOTED_EVERY_MS);
    return isDue ? { gone, record: this.#note(now) } : { gone };
  }

  #note(now: number): GuestsRecord {
    this.#notedAt = now;
    return { version: 1, away: Object.fromEntries(this.#away) };
  }
}
