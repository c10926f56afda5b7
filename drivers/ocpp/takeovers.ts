/**
 * Two boxes with one identity throw each other out for ever (ocpp-go#358): seen by how often a connection is replaced whose peer
 * is alive, and slowed down by letting the one that is there stay for a while. A station that comes back while its old connection
 * is dead fights nobody. Times in ms.
 */
import type { DriverAlert } from '../alert.ts';

const WINDOW_MS = 120_000;
/** What it was told may have reached it so much later, ms. */
const LATE_MS = 60_000;
const FREE = 4;
const FIRST_HOLD_MS = 5000;
const LONGEST_HOLD_MS = 60_000;

interface Fight {
  /** Takeovers of connections that were alive, within the window. */
  times: number[];
  /** Any takeover. */
  last: number;
  fighting: boolean;
  /** What was told of the first one. */
  args: DriverAlert['args'];
}

export class Takeovers {
  readonly #fights = new Map<string, Fight>();
  readonly #quiet: number;

  /** `limit`: ms for which the one that was thrown out may go on as it was told; by then it is at its safe current, or out. */
  constructor(limit: number) {
    this.#quiet = Math.max(WINDOW_MS, limit + LATE_MS);
  }

  /** ms for which the open connection of this identity may not be replaced; 0 = it may. */
  hold(identity: string, now: number): number {
    const fight = this.#fights.get(identity);
    const last = fight?.times.at(-1);
    if (!fight || last === undefined || fight.times.length < FREE) return 0;
    const hold = Math.min(LONGEST_HOLD_MS, FIRST_HOLD_MS * 2 ** (fight.times.length - FREE));
    return Math.max(0, last + hold - now);
  }

  /**
   * An open connection was replaced; `alive`: its peer was still there. Whether that is the first time for a while, and whether it
   * has become a fight.
   */
  replaced(
    identity: string,
    alive: boolean,
    now: number,
    args: DriverAlert['args'] = {},
  ): { first: boolean; fight: boolean } {
    const known = this.#fights.get(identity);
    const fight = known ?? { times: [], last: now, fighting: false, args };
    fight.last = now;
    if (alive) fight.times = [...fight.times.filter((at) => now - at < WINDOW_MS), now].slice(-FREE - 4);
    this.#fights.set(identity, fight);
    const becomes = !fight.fighting && fight.times.length >= FREE;
    if (becomes) fight.fighting = true;
    return { first: known === undefined, fight: becomes };
  }

  /** Where nothing was replaced for so long that the one that was thrown out is under no limit of ours; `fight`: it had become one. */
  ended(now: number): { identity: string; fight: boolean; args: DriverAlert['args'] }[] {
    const over: { identity: string; fight: boolean; args: DriverAlert['args'] }[] = [];
    for (const [identity, { last, fighting, args }] of this.#fights) {
      if (now - last < this.#quiet) continue;
      this.#fights.delete(identity);
      over.push({ identity, fight: fighting, args });
    }
    return over;
  }
}
