/** How far a station's clock is from ours. Only for telling people and for profiles with a start: never for freshness (S12). */

const WINDOW_MS = 300_000;
const KEPT = 12;
/** A clock is late only when several messages in a row say so: queued ones are old, too. */
const LATE_NEEDS = 3;
/** What was queued comes in a burst, ms. */
const LATE_SPAN_MS = 60_000;
/** Below this it is taken to be right, ms. */
const RIGHT_MS = 5000;
const LOOK_AGAIN_MS = 5000;
const ALERT_MS = 60_000;
const SUSTAINED_MS = 60_000;

export class StationClock {
  #samples: { at: number; skew: number; live: boolean }[] = [];
  #wrongSince: number | undefined;

  #isKnown = false;
  #last: { at: number; skew: number } | undefined;

  /** Forgets: the station has just been told the time, or has restarted. */
  synchronised(): void {
    this.#samples = [];
    this.#isKnown = false;
    this.#last = undefined;
  }

  /** It has told enough to say whether it is right. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** A time stamp (epoch ms) that claims to be of now; `live`: it cannot have been queued. */
  note(stamp: number, now: number, wallClock: number, live = false): void {
    if (!Number.isFinite(stamp)) return;
    this.#samples.push({ at: now, skew: stamp - wallClock, live });
    if (this.#samples.length > KEPT) this.#samples.shift();
    this.#isKnown ||= isEnough(this.#samples);
    this.#last = undefined;
  }

  /** Its clock minus ours, ms; 0 while it is right or not known. What is replayed is old, so the newest claim counts. */
  skew(now: number): number {
    if (!this.#last || now - this.#last.at > LOOK_AGAIN_MS) this.#last = { at: now, skew: this.#skew(now) };
    return this.#last.skew;
  }

  #skew(now: number): number {
    // A look at every message: without a list of the recent ones.
    let skew = Number.NEGATIVE_INFINITY;
    for (const s of this.#samples) if (now - s.at <= WINDOW_MS) skew = Math.max(skew, s.skew);
    if (skew === Number.NEGATIVE_INFINITY || Math.abs(skew) < RIGHT_MS) return 0;
    return skew < 0 && !isEnough(this.#samples.filter((s) => now - s.at <= WINDOW_MS)) ? 0 : skew;
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
function isEnough(samples: readonly { at: number; live: boolean }[]): boolean {
  if (samples.some((s) => s.live)) return true;
  return samples.length >= LATE_NEEDS && samples[samples.length - 1].at - samples[0].at >= LATE_SPAN_MS;
}
