/**
 * What is remembered of a meter: recent samples per phase, how often they come, and whether they can
 * still be trusted. Times are ms on a monotonic clock (S12); each phase ages on its own (S9).
 */
import { type PerPhase, PHASE_INDICES, type PhaseIndex } from './units.ts';

export interface Sample {
  at: number;
  /** A. */
  value: number;
}

export interface MeterTrack {
  samples: [Sample[], Sample[], Sample[]];
  /** Measured report period per phase, s. */
  period: PerPhase;
  /** A negative power was seen where no generation is declared (S11). */
  reversed: boolean;
  /** Since when the meter is looked at, ms. */
  since: number;
}

/** What a meter message says, as the controller needs it. */
export interface MeterInput {
  /** A, import positive; null = no value. */
  current: readonly [number | null, number | null, number | null];
  /** s per phase; absent = new. */
  age?: PerPhase;
}

/** How long samples are kept, s: report period + vehicle lag, twice. */
export const HISTORY_S = 30;
const DEFAULT_PERIOD_S = 1;
const PERIODS_UNTIL_SILENT = 3.5;
const LONGEST_SILENCE_S = 5;

export function createMeterTrack(now: number): MeterTrack {
  return {
    samples: [[], [], []],
    period: [DEFAULT_PERIOD_S, DEFAULT_PERIOD_S, DEFAULT_PERIOD_S],
    reversed: false,
    since: now,
  };
}

/**
 * Books a reading that arrived at `now`. Values already older than 0.5 s are repeats of what an earlier
 * message brought and count only when nothing newer is known. Without generation the magnitude counts (S11).
 */
export function recordMeter(track: MeterTrack, input: MeterInput, generation: boolean, now: number): void {
  for (const p of PHASE_INDICES) {
    const value = input.current[p];
    if (value === null) continue;
    const at = now - (input.age?.[p] ?? 0) * 1000;
    const list = track.samples[p];
    const last = list.at(-1);
    const seen = generation ? value : Math.abs(value);
    // The same measurement again: a message of another phase carried it along.
    if (last && at < last.at + 50 && seen === last.value) continue;
    if (last) track.period[p] = nextPeriod(track.period[p], (at - last.at) / 1000);
    if (!generation && value < -0.2) track.reversed = true;
    list.push({ at, value: seen });
    while (list.length > 2 && list[0].at < now - HISTORY_S * 1000) list.shift();
  }
  if (!generation && PHASE_INDICES.every((p) => (input.current[p] ?? 0) >= 0)) track.reversed = false;
}

/** A slow mean that a lost message or a burst of two does not move much. */
function nextPeriod(period: number, seconds: number): number {
  return period + 0.1 * (Math.min(seconds, 3 * period) - period);
}

/** Age of a phase's newest sample, s; where there is none, since the meter is looked at. */
export function phaseAge(track: MeterTrack, p: PhaseIndex, now: number): number {
  return (now - (track.samples[p].at(-1)?.at ?? track.since)) / 1000;
}

/** After how many seconds without a value a phase counts as silent (S9): three periods, at most 5 s. */
export function silentAfter(track: MeterTrack, p: PhaseIndex): number {
  return Math.min(LONGEST_SILENCE_S, Math.max(1, track.period[p]) * PERIODS_UNTIL_SILENT);
}

/** Whether a phase reports so rarely that between two reports a fuse could burn. */
export function tooSlow(track: MeterTrack, p: PhaseIndex): boolean {
  return track.period[p] > LONGEST_SILENCE_S;
}

/** Lowest and highest of the samples since `from` (ms), the last one before `from` included when none is younger. */
export function extremes(track: MeterTrack, p: PhaseIndex, from: number): { low: number; high: number } | undefined {
  const list = track.samples[p];
  const last = list.at(-1);
  if (!last) return undefined;
  let low = last.value;
  let high = last.value;
  for (let i = list.length - 2; i >= 0 && list[i].at >= from; i--) {
    low = Math.min(low, list[i].value);
    high = Math.max(high, list[i].value);
  }
  return { low, high };
}
