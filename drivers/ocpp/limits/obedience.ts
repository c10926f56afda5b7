/**
 * Accepted is not believed: whether a connector keeps to what it was told, from what it says it offers
 * (Current.Offered), from its composite schedule, and from what the vehicle takes. Pure; ms, monotonic.
 */

/** A vehicle follows its pilot signal within this time (IEC 61851-1), and some more for the way of a message. */
const LAG_MS = 7000;
/** Who measures more often is given no less time than who measures as often as usual, s. */
const USUAL_INTERVAL_S = 10;
/** A vehicle may take this much more than it is offered. */
const TOLERANCE_A = 1;
const TOLERANCE_SHARE = 0.1;
/** An offer is told in tenths or whole amperes. */
const OFFER_TOLERANCE_A = 0.6;
/** So often in a row it must be above the limit: a sample may be from before. */
const CLEARLY = 2;
/** So often in a row it must have offered no more than without its limit. */
const STAYS = 3;
const DRAWS_A = 1;
/** A vehicle this near to its limit is held by it, if it shows so at two limits this far apart. */
const HELD_SHARE = 0.8;
const APART_A = 2;
/** A draw so long ago that fell to its limit since shows that the limit holds it, ms. */
const FOLLOWS_MS = 60_000;
const COMPOSITE_EVERY_MS = 20_000;
const MOST_RARELY_MS = 600_000;

/** `unaffected`: it stays at what it would offer anyway, although it may offer more. */
export type Verdict = 'obeys' | 'disobeys' | 'unaffected' | undefined;
export type Evidence = 'offered' | 'schedule' | 'measured';

export class Obedience {
  readonly #max: number;
  state: 'unproven' | 'proven' | 'disproven' = 'unproven';
  /** What the last verdict rests on, and what was seen, A. */
  evidence: Evidence | undefined;
  seen = 0;
  allowed = 0;
  /** Bounds that were in force, newest last. */
  #bounds: { at: number; most: number }[] = [];
  #above: Record<Evidence, number> = { offered: 0, schedule: 0, measured: 0 };
  #heldAt: number[] = [];
  #stays = 0;
  #draws: { at: number; current: number }[] = [];
  /** It has drawn more than it said that it offers: only what it draws is believed. */
  #lied = false;
  /** What it says it offers has nothing to do with what it does. */
  #offeredUseless = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #askEvery = COMPOSITE_EVERY_MS;
  /** It answers with a schedule. */
  composite = true;
  /** What it would offer, too, if it had not taken the limit that is to be proven, A. */
  otherwise: number | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  /** What it may offer at most from now on, A. */
  bound(most: number, now: number): void {
    const last = this.#bounds.at(-1);
    if (last && Math.abs(last.most - most) < 0.05) return;
    this.#bounds.push({ at: now, most });
    if (this.#bounds.length > 200) this.#bounds.shift();
  }

  /** Another way of telling it, another vehicle, or a gap: what was counted does not go on. */
  reset(): void {
    this.#above = { offered: 0, schedule: 0, measured: 0 };
    this.#heldAt = [];
    this.#stays = 0;
    this.#askEvery = COMPOSITE_EVERY_MS;
  }

  /** It said that it offers so much, A. `interval`: s between its samples. */
  offered(current: number, interval: number, now: number): Verdict {
    if (this.#offeredUseless) return undefined;
    return this.#judge('offered', current, OFFER_TOLERANCE_A, lagOf(interval), now);
  }

  /** Its composite schedule has so much now, A. */
  schedule(current: number, now: number): Verdict {
    return this.#judge('schedule', current, OFFER_TOLERANCE_A, 2000, now);
  }

  /** Highest measured current of a phase, A. */
  measured(current: number, interval: number, now: number): Verdict {
    const lag = lagOf(interval);
    const allowed = this.#allowed(lag, now);
    if (allowed === undefined) return undefined;
    this.#draws = [...this.#draws.filter((d) => now - d.at < FOLLOWS_MS), { at: now, current }];
    if (current > allowed * (1 + TOLERANCE_SHARE) + TOLERANCE_A) return this.#count('measured', current, allowed);
    this.#above.measured = 0;
    const drew = Math.max(...this.#draws.map((d) => d.current));
    const follows =
      drew > allowed * (1 + TOLERANCE_SHARE) + TOLERANCE_A && (allowed < DRAWS_A || current >= allowed * HELD_SHARE);
    if (allowed > this.#max - OFFER_TOLERANCE_A) return undefined;
    if (follows || this.#held(current, allowed)) {
      if (this.#above.offered > 0 || this.evidence === 'offered') this.#offeredUseless = true;
      return this.#prove('measured', current, allowed);
    }
    return undefined;
  }

  /** It says that it holds the vehicle itself, and was told 0. */
  suspended(now: number): Verdict {
    return this.#allowed(LAG_MS, now) === 0 ? this.#prove('offered', 0, 0) : undefined;
  }

  /** Whether its composite schedule is to be asked for; notes that it is. */
  asksForSchedule(now: number): boolean {
    if (!this.composite || this.state === 'proven' || now - this.#askedAt < this.#askEvery) return false;
    const last = this.#bounds.at(-1);
    if (!last || now - last.at < 2500 || last.most > this.#max - OFFER_TOLERANCE_A) return false;
    this.#askedAt = now;
    this.#askEvery = Math.min(MOST_RARELY_MS, this.#askEvery * 1.5);
    return true;
  }

  #judge(evidence: Evidence, current: number, tolerance: number, lag: number, now: number): Verdict {
    const allowed = this.#allowed(lag, now);
    if (allowed === undefined) return undefined;
    if (current > allowed + tolerance) return this.#count(evidence, current, allowed);
    this.#above[evidence] = 0;
    if (this.#isUnaffected(current, lag, now)) {
      this.#stays += 1;
      if (this.#stays < STAYS) return undefined;
      this.#stays = 0;
      return 'unaffected';
    }
    this.#stays = 0;
    // What lies far below, or at its maximum, shows nothing.
    const tells = allowed >= DRAWS_A || evidence === 'schedule';
    const near = current >= allowed - tolerance && allowed <= this.#max - tolerance && tells;
    return near ? this.#prove(evidence, current, allowed) : undefined;
  }

  #isUnaffected(current: number, lag: number, now: number): boolean {
    const last = this.#bounds.at(-1);
    if (this.otherwise === undefined || !last || last.at > now - lag) return false;
    return last.most >= this.otherwise + APART_A && Math.abs(current - this.otherwise) <= OFFER_TOLERANCE_A;
  }

  #count(evidence: Evidence, seen: number, allowed: number): Verdict {
    this.#above[evidence] += 1;
    if (this.#above[evidence] < CLEARLY) return undefined;
    if (evidence === 'measured') this.#lied = true;
    Object.assign(this, { state: 'disproven', evidence, seen, allowed });
    this.reset();
    return 'disobeys';
  }

  #prove(evidence: Evidence, seen: number, allowed: number): Verdict {
    const same = this.otherwise !== undefined && Math.abs(this.otherwise - allowed) <= OFFER_TOLERANCE_A;
    if (this.state === 'proven' || same) return undefined;
    // Words prove nothing against a meter that shows more.
    if (evidence !== 'measured' && (this.#lied || this.#above.measured > 0)) return undefined;
    Object.assign(this, { state: 'proven', evidence, seen, allowed });
    return 'obeys';
  }

  /** Held by its limit at two limits apart: no vehicle's own maximum is at both. */
  #held(current: number, allowed: number): boolean {
    if (current < DRAWS_A || current < allowed * HELD_SHARE) return false;
    if (this.#heldAt.some((limit) => Math.abs(limit - allowed) >= APART_A)) return true;
    if (!this.#heldAt.includes(allowed)) this.#heldAt.push(allowed);
    return false;
  }

  /** The highest bound that was in force during the last `lag` ms; undefined before there was any. */
  #allowed(lag: number, now: number): number | undefined {
    let most: number | undefined;
    for (let i = this.#bounds.length - 1; i >= 0; i--) {
      const { at, most: bound } = this.#bounds[i];
      most = Math.max(most ?? 0, bound);
      if (at <= now - lag) return most;
    }
    return undefined;
  }
}

/** ms until a limit shows in samples that come every `interval` s. */
function lagOf(interval: number): number {
  return LAG_MS + Math.max(interval, USUAL_INTERVAL_S) * 1000;
}
