/**
 * Wrong passwords cost time: per address and identity at once, per address when there are many. A station that has proved itself
 * from an address is not locked out by its neighbours behind the same address. Times in ms.
 */

/** Wrong attempts of one station that cost nothing: somebody is typing. */
const FREE = 3;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
/** Wrong attempts of one address: at once, and per s. */
const ADDRESS_BURST = 60;
const ADDRESS_PER_SECOND = 1;
const FORGET_MS = 10 * 60_000;
const MAX_ENTRIES = 5000;

interface Failures {
  count: number;
  at: number;
}

export class Attempts {
  readonly #failures = new Map<string, Failures>();
  readonly #addresses = new Map<string, { tokens: number; at: number }>();
  readonly #trusted = new Map<string, number>();

  /** ms until this station may try again; 0 = now. */
  wait(address: string, identity: string, now: number): number {
    const key = `${address} ${identity}`;
    const failures = this.#failures.get(key);
    if (failures && failures.count >= FREE && now - failures.at < FORGET_MS) {
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures.count - FREE));
      const left = failures.at + wait - now;
      if (left > 0) return left;
    }
    if (this.#trusted.has(key)) return 0;
    const bucket = this.#addresses.get(address);
    if (!bucket) return 0;
    const tokens = bucket.tokens + ((now - bucket.at) / 1000) * ADDRESS_PER_SECOND;
    return tokens >= 1 ? 0 : ((1 - tokens) / ADDRESS_PER_SECOND) * 1000;
  }

  /** Whether this station itself was wrong lately: who was not may prove itself, whatever others from its address have done. */
  wasWrong(address: string, identity: string, now: number): boolean {
    const failures = this.#failures.get(`${address} ${identity}`);
    return failures !== undefined && now - failures.at < FORGET_MS;
  }

  failed(address: string, identity: string, now: number): void {
    const key = `${address} ${identity}`;
    const before = this.#failures.get(key);
    const count = before && now - before.at < FORGET_MS ? before.count + 1 : 1;
    keep(this.#failures, key, { count, at: now });
    const bucket = this.#addresses.get(address) ?? { tokens: ADDRESS_BURST, at: now };
    const refilled = bucket.tokens + ((now - bucket.at) / 1000) * ADDRESS_PER_SECOND;
    keep(this.#addresses, address, { tokens: Math.max(0, Math.min(ADDRESS_BURST, refilled) - 1), at: now });
  }

  succeeded(address: string, identity: string, now: number): void {
    const key = `${address} ${identity}`;
    this.#failures.delete(key);
    keep(this.#trusted, key, now);
  }
}

/** Puts it last; the oldest goes when there are too many. */
function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_ENTRIES) map.delete(map.keys().next().value as string);
}
