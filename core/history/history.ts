/**
 * Which samples become points. A series is written at once when a state or a set-point changes, after a second when a
 * figure has moved, and every ten seconds while nothing happens: what a person would look for is there to the
 * moment, and a quiet night costs little.
 */
import { type HistoryMessage, samplesOf, type Waiting } from './measurements.ts';
import { type FieldValue, type Point, type Sample, tagValue } from './point.ts';

export interface HistoryOptions {
  /** Value of the tag `site`. */
  site: string;
  /** So many series at most: ids come from messages, and each new one costs the database memory for good. */
  maxSeries: number;
}

interface Series {
  tags: Readonly<Record<string, string>>;
  /** When it was last heard of and last written, epoch ms of our clock. */
  heardAt: number;
  writtenAt: number;
  /** Timestamp and fields of the last point. */
  timestamp: number;
  fields: Record<string, FieldValue>;
  /** What was held back, and how long after the last point it is due, ms. */
  held?: Sample;
  spacing: number;
}

export interface History {
  options: HistoryOptions;
  series: Map<string, Series>;
  waiting: Waiting;
  /** Series that were held back when last looked, so that a tick costs nothing while none is. */
  held: Set<Series>;
  /** Samples that were refused because there are too many series. */
  refused: number;
  sweptAt: number;
}

/** Least time between two points of a series: after a change of state, of a figure, of nothing, ms. */
export const SPACING_MS = { state: 100, figure: 1000, nothing: 10_000 };
/** A sender whose clock is further off than this gets ours, ms. */
export const CLOCK_TOLERANCE_MS = 120_000;
/** A clock that was set back by more than this was set, ms: the new time counts. */
const SET_BACK_MS = 60_000;
const FORGET_MS = 24 * 3_600_000;
const SWEEP_MS = 3_600_000;

/** By how much a figure of a unit has to move. */
const MOVES: Readonly<Record<string, number>> = { a: 0.5, w: 100, v: 2, wh: 100, s: 10, percent: 2 };
/** Numbers that are set, not measured: each change counts. */
const SET: ReadonlySet<string> = new Set(['offer_a', 'setpoint_a', 'max_current_a', 'phases', 'priority']);

export function createHistory(options: Partial<HistoryOptions> = {}): History {
  const { site = 'site', maxSeries = 5000 } = options;
  return {
    options: { site: tagValue(site, 'site').slice(0, 60), maxSeries },
    series: new Map(),
    waiting: new Map(),
    held: new Set(),
    refused: 0,
    sweptAt: Number.NEGATIVE_INFINITY,
  };
}

/** The points that a message makes at `now` (epoch ms, our clock). */
export function recordHistory(history: History, message: HistoryMessage, now: number): Point[] {
  return samplesOf(message, history.waiting).flatMap((sample) => {
    if (Object.keys(sample.fields).length === 0) return [];
    const series = seriesOf(history, sample, now);
    if (!series) {
      history.refused += 1;
      return [];
    }
    series.heardAt = now;
    const spacing = spacingOf(series.fields, sample.fields);
    // What was held back is replaced by what is newer, and stays as urgent as it was.
    series.spacing = series.held ? Math.min(series.spacing, spacing) : spacing;
    series.held = sample;
    history.held.add(series);
    return release(history, series, now);
  });
}

/** What was held back and is due now. Call it about once a second: the last change before a silence must be seen too. */
export function dueHistory(history: History, now: number): Point[] {
  return [...history.held].flatMap((series) => release(history, series, now));
}

function release(history: History, series: Series, now: number): Point[] {
  const { held } = series;
  const since = now - series.writtenAt;
  if (!held || (since >= 0 && since < series.spacing)) return [];
  const timestamp = timestampOf(series, held, now);
  series.held = undefined;
  history.held.delete(series);
  series.writtenAt = now;
  if (!held.replaces) series.timestamp = timestamp;
  series.fields = held.fields;
  return [{ measurement: held.measurement, tags: series.tags, fields: held.fields, timestamp }];
}

/** Two points of a series at the same moment would be one: the later of them comes a millisecond later. */
function timestampOf({ timestamp }: Series, { at, replaces }: Sample, now: number): number {
  if (replaces) return Math.round(at);
  const own = Math.round(Math.abs(at - now) <= CLOCK_TOLERANCE_MS ? at : now);
  return own > timestamp || own < timestamp - SET_BACK_MS ? own : timestamp + 1;
}

function seriesOf(history: History, { measurement, tags: said }: Sample, now: number): Series | undefined {
  const { options, series } = history;
  const tags = Object.fromEntries(Object.entries(said).map(([name, value]) => [name, tagValue(value)]));
  const key = [measurement, ...Object.values(tags)].join('\n');
  const known = series.get(key);
  if (known) return known;
  if (series.size >= options.maxSeries) sweep(history, now);
  if (series.size >= options.maxSeries) return undefined;
  const made: Series = {
    tags: { site: options.site, ...tags },
    heardAt: now,
    writtenAt: Number.NEGATIVE_INFINITY,
    timestamp: Number.NEGATIVE_INFINITY,
    fields: {},
    spacing: 0,
  };
  series.set(key, made);
  return made;
}

/** Series of which nothing was heard for a day make room. */
function sweep(history: History, now: number): void {
  if (Math.abs(now - history.sweptAt) < SWEEP_MS) return;
  history.sweptAt = now;
  for (const [key, series] of history.series)
    if (Math.abs(now - series.heardAt) > FORGET_MS) {
      history.series.delete(key);
      history.held.delete(series);
    }
}

function spacingOf(before: Record<string, FieldValue>, after: Record<string, FieldValue>): number {
  let spacing = SPACING_MS.nothing;
  for (const [name, value] of Object.entries(after)) {
    const old = before[name];
    if (old === value) continue;
    if (typeof value !== 'number' || typeof old !== 'number' || SET.has(name)) return SPACING_MS.state;
    const unit = name.slice(name.lastIndexOf('_') + 1);
    if (Math.abs(value - old) >= (MOVES[unit] ?? 0)) spacing = SPACING_MS.figure;
  }
  return spacing;
}
