/**
 * Guests: stations that were let in although nobody has described them. They may charge while they are not connected, so they count
 * until they have been away for a day, over a restart as well (S4). Pure; times are ms of the wall clock, as they outlive the process.
 */
import { z } from 'zod';

const AWAY_MS = 24 * 3600_000;
/** Whoever is connected is noted this often, so that a kill loses no more. */
const NOTED_EVERY_MS = 3600_000;
const MOST = 1000;

const guestsRecord = z.object({ version: z.literal(1), seen: z.record(z.string().max(40), z.number()) });
export type GuestsRecord = z.infer<typeof guestsRecord>;

export class Guests {
  readonly #seen: Map<string, number>;
  readonly #here = new Set<string>();
  #notedAt: number;

  /** `record`: what was written last; one that cannot be read is none. */
  constructor(record: unknown, now: number) {
    const read = guestsRecord.safeParse(record);
    const seen = read.success ? Object.entries(read.data.seen).slice(0, MOST) : [];
    // A clock that has been put back has seen nobody in the future.
    this.#seen = new Map(seen.map(([identity, at]) => [identity, Math.min(at, now)]));
    this.#notedAt = now;
  }

  /** Who is here or may come back. */
  identities(): string[] {
    return [...this.#seen.keys()];
  }

  /** Returns what is to be on the disk before it gets a limit: undefined for one that is there already. */
  connected(identity: string, now: number): GuestsRecord | undefined {
    const isNew = !this.#seen.has(identity);
    this.#here.add(identity);
    this.#seen.set(identity, now);
    return isNew ? this.#note(now) : undefined;
  }

  disconnected(identity: string, now: number): void {
    if (this.#here.delete(identity)) this.#seen.set(identity, now);
  }

  forget(identity: string): void {
    this.#here.delete(identity);
    this.#seen.delete(identity);
  }

  /** Who has been away for a day, and is no guest any more; and what is to be on the disk, if anything. */
  tick(now: number): { gone: string[]; record?: GuestsRecord } {
    for (const identity of this.#here) this.#seen.set(identity, now);
    const gone = this.identities().filter((identity) => now - (this.#seen.get(identity) ?? now) > AWAY_MS);
    for (const identity of gone) this.forget(identity);
    const isDue = gone.length > 0 || (this.#here.size > 0 && now - this.#notedAt >= NOTED_EVERY_MS);
    return isDue ? { gone, record: this.#note(now) } : { gone };
  }

  #note(now: number): GuestsRecord {
    this.#notedAt = now;
    return { version: 1, seen: Object.fromEntries(this.#seen) };
  }
}
