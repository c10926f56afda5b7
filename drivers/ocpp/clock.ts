/** How far a station's clock is from ours. Only for telling people and for profiles with a start: never for freshness (S12). */

const WINDOW_MS = 300_000;
/** Claims that come closer together count as one: how many are kept must not depend on how often it measures. ms. */
const APART_MS = 10_000;
/** A clock is late only when several messages in a row say so: queued ones are old, too. */
const LATE_NEEDS = 3;
/** What was queued comes in a burst, ms. */
const LATE_SPAN_MS = 60_000;
/** Below this it is taken to be right, ms. */
const RIGHT_MS = 5000;
const LOOK_AGAIN_MS = 5000;
const ALERT_MS = 60_000;
const SUSTAINED_MS = 60_000;
/** A clock that was wrong by more is not expected to be so again: it has no battery. ms. */
export const EXPECTED_MS = 86_400_000;

interface Sample {
  /** ms. */
  at: number;
  skew: number;
  live: boolean;
}

export class StationClock {
  #samples: Sample[] = [];
  #wrongSince: number | undefined;

  #isKnown = false;
  /** What was concluded last, ms; it holds until there is enough for something else. */
  #concluded = 0;
  #last: { at: number; skew: number } | undefined;
  #before: number | undefined;

  /** `before`: by how much it was wrong when that was last known, ms; undefined: it was right. */
  constructor(before?: number) {
    this.#before = before;
  }

  /** Forgets: the station has just been told the time, or has restarted. It may be as wrong as before all the same. */
  synchronised(): void {
    this.#samples = [];
    this.#isKnown = false;
    this.#concluded = 0;
    this.#last = undefined;
  }

  /** It has told enough to say whether it is right. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** By how much it was wrong when that was last known, ms; undefined: not at all, or by more than it may be again. */
  before(now: number): number | undefined {
    if (!this.#isKnown) return this.#before;
    const skew = this.skew(now);
    this.#before = skew === 0 || Math.abs(skew) > EXPECTED_MS ? undefined : skew;
    return this.#before;
  }

  /** Its clock minus ours at least and at most, ms: until it is known, as before or as it seems. */
  between(now: number): { least: number; most: number } {
    const before = this.before(now);
    const skew = this.skew(now);
    const other = this.#isKnown ? skew : (before ?? skew);
    return { least: Math.min(skew, other), most: Math.max(skew, other) };
  }

  /** A time stamp (epoch ms) that claims to be of now; `live`: it cannot have been queued. */
  note(stamp: number, now: number, wallClock: number, live = false): void {
    if (!Number.isFinite(stamp)) return;
    this.#keep({ at: now, skew: stamp - wallClock, live });
    this.#isKnown ||= isEnough(this.#samples);
    this.#last = undefined;
  }

  #keep(sample: Sample): void {
    const last = this.#samples.at(-1);
    if (last && sample.at - last.at < APART_MS) {
      last.skew = Math.max(last.skew, sample.skew);
      last.live ||= sample.live;
      return;
    }
    this.#samples.push(sample);
    // Of one that tells rarely, the last ones, however old.
    while (this.#samples.length > LATE_NEEDS && sample.at - this.#samples[0].at > WINDOW_MS) this.#samples.shift();
  }

  /** Its clock minus ours, ms; 0 while it is right or not known. What is replayed is old, so the newest claim counts. */
  skew(now: number): number {
    if (!this.#last || now - this.#last.at > LOOK_AGAIN_MS) this.#last = { at: now, skew: this.#skew(now) };
    return this.#last.skew;
  }

  #skew(now: number): number {
    // A look at every message: without a list of the recent ones.
    let recent = Number.NEGATIVE_INFINITY;
    for (const { at, skew } of this.#samples) if (now - at <= WINDOW_MS) recent = Math.max(recent, skew);
    if (recent === Number.NEGATIVE_INFINITY) return this.#concluded;
    if (Math.abs(recent) < RIGHT_MS) this.#concluded = 0;
    else this.#concluded = recent > 0 ? recent : this.#late(now);
    return this.#concluded;
  }

  /** By the recent claims, or by all of one that tells rarely. Where neither is enough: as late as before, not ahead. */
  #late(now: number): number {
    for (const claims of [this.#samples.filter(({ at }) => now - at <= WINDOW_MS), this.#samples]) {
      if (!isEnough(claims)) continue;
      const newest = Math.max(...claims.map(({ skew }) => skew));
      return newest > -RIGHT_MS ? 0 : newest;
    }
    return Math.min(this.#concluded, 0);
  }

  /** s by which it has been wrong for a while; undefined when it is not. */
  wrongBy(now: number): number | undefined {
    const skew = this.skew(now);
    if (Math.abs(skew) <= ALERT_MS) this.#wrongSince = undefined;
    else this.#wrongSince ??= now;
    if (this.#wrongSince === undefined || now - this.#wrongSince < SUSTAINED_MS) return undefined;
    return Math.round(skew / 1000);
  }
}

/** One that cannot have been queued, or several over a while: what was queued comes in a burst. */
function isEnough(samples: readonly Sample[]): boolean {
  if (samples.some((s) => s.live)) return true;
  return samples.length >= LATE_NEEDS && samples[samples.length - 1].at - samples[0].at >= LATE_SPAN_MS;
}
