/**
 * Between which bounds a charger's draw must lie. A report is a moment of the past and a set-point one of the future;
 * between them the vehicle may be anywhere from the one to the other ("House load is an interval").
 */
import {
  ARRIVED_A,
  BURST_MS,
  type Change,
  type ChargerTrack,
  measured,
  phasesOf,
  RAMP_MS,
  silenceOf,
} from './charger-track.ts';
import { type PhaseIndex, phaseIndex } from './units.ts';

/** Times that the bounds depend on, s. */
export interface DrawTimes {
  /** Longest lag of a vehicle behind its set-point. */
  vehicleLag: number;
  /** How old a charger's values may be when they arrive. */
  reportSkew: number;
}

/** Reports at most this far apart come often; closer ones are parts of one report. */
const OFTEN_MS = 2200;

/**
 * Whether the charger reports so often that its last report describes the present. One that came alone may be old:
 * a retained message, or one of five seconds' rhythm.
 */
export function reportsOften(track: ChargerTrack): boolean {
  return track.reports.some((r) => r.at >= track.reportAt - OFTEN_MS && r.at <= track.reportAt - BURST_MS);
}

/** Highest phase current of the report before the last, A. */
export function previousDraw(track: ChargerTrack): number {
  return Math.max(...(track.reports.at(-2)?.current ?? [0]));
}

/** The least current on a phase at any time since `from` (ms) by all reports since, and the last one before, A. */
export function leastSince(track: ChargerTrack, p: PhaseIndex, from: number): number {
  // What it drew while it could not be reached, nobody knows.
  if (from < track.onlineSince) return 0;
  let least = measured(track, p);
  for (let i = track.reports.length - 1; i >= 0; i--) {
    const { at, current } = track.reports[i];
    least = Math.min(least, current[p]);
    if (at <= from) break;
  }
  return least;
}

/** When the last report before `at` (ms) was measured; the oldest known where none is. */
export function reportBefore(track: ChargerTrack, at: number): number {
  return track.reports.findLast((r) => r.at <= at)?.at ?? track.reports[0]?.at ?? track.reportAt;
}

/**
 * Lowest and highest measured current around `at` (ms): the last report before that moment and all since.
 * Between two reports the draw may have been either.
 */
export function measuredAround(track: ChargerTrack, p: PhaseIndex, at: number): { low: number; high: number } {
  let low = measured(track, p);
  let high = low;
  for (let i = track.reports.length - 1; i > 0 && track.reports[i].at > at; i--) {
    const earlier = track.reports[i - 1].current[p];
    low = Math.min(low, earlier);
    high = Math.max(high, earlier);
  }
  return { low, high };
}

/** Changes that the vehicle may not have followed yet at its last report before `at` (ms). */
function inFlight(track: ChargerTrack, times: DrawTimes, at = Number.POSITIVE_INFINITY): Change[] {
  const { changes, reports } = track;
  const newest = changes.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  const lag = (times.vehicleLag + times.reportSkew) * 1000;
  if (newest < (reports[0]?.at ?? track.reportAt) - lag) return [];
  const from = reportBefore(track, at) - lag;
  return changes.filter((c) => c.at >= from);
}

/** Between which bounds the draw on a phase has changed from around `since` (ms) until now, A. */
export function changeSince(
  track: ChargerTrack,
  p: PhaseIndex,
  since: number,
  now: number,
  times: DrawTimes,
  silent: boolean,
): { low: number; high: number } {
  const { reports } = track;
  const before = reports.findLastIndex((r) => r.at <= since);
  // What it drew before the reports that are kept, nobody knows; one that never drew anything has not changed.
  if (silent || before < 0) {
    const most = Math.max(...reports.map((r) => r.current[p]), track.setpoint ?? 0);
    return Math.max(...reports.map((r) => r.current[p]), 0) < 1 && !silent
      ? { low: 0, high: 0 }
      : { low: -most, high: most };
  }
  const first = reports[before].current[p];
  // Between two reports it may have changed before or after.
  const exact = reports[before].at >= since - BURST_MS || before === reports.length - 1;
  const next = exact ? first : reports[before + 1].current[p];
  return {
    low: drawLow(track, p, times, now, false) - Math.max(first, next),
    high: drawHigh(track, p, times, now, 0, now) - Math.min(first, next),
  };
}

/** Whether a charger cannot be reached or was never heard: its last offer stays reserved (S4). */
export function isSilent(track: ChargerTrack, silentAfterS: number, now: number): boolean {
  return !track.report?.online || now - track.heardAt > silenceOf(track, silentAfterS) * 1000;
}

/** What must be reserved for a charger, A per used phase (S1): offer in force, offer on its way, measured. */
export function committed(track: ChargerTrack, times: DrawTimes): number {
  // A lowered offer counts as still taken until a report from after it shows less.
  const draw = track.report ? Math.max(...track.report.current) : 0;
  const shown = (c: Change) =>
    c.to < c.from &&
    track.report !== undefined &&
    // A vehicle that takes nothing shows nothing: it may wake up before it has followed.
    track.reportAt > c.at + (draw < 1 ? times.vehicleLag : times.reportSkew) * 1000 &&
    Math.max(draw, track.report.offer) <= c.to + ARRIVED_A;
  const raised = inFlight(track, times).map((c) => (shown(c) ? c.to : Math.max(c.from, c.to)));
  const known = track.setpoint ?? track.report?.offer ?? track.config.max;
  if (track.disobeys) return Math.max(track.config.max, draw);
  return Math.max(known, draw, lastingOffer(track, times), ...raised);
}

/** What the charger still says it offers when every lag since the last change has passed, A: it may not have taken the change. */
export function lastingOffer(track: ChargerTrack, times: DrawTimes): number {
  const changed = track.changes.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  return track.heardAt > changed + times.vehicleLag * 1000 ? (track.report?.offer ?? 0) : 0;
}

/**
 * The highest plausible draw on a phase when the meter took its sample at `sampleAt` (ms), A.
 * `drop`: how far the meter of that phase fell since the report, A.
 */
export function drawHigh(
  track: ChargerTrack,
  p: PhaseIndex,
  times: DrawTimes,
  sampleAt: number,
  drop: number,
  now: number,
): number {
  const draw = measuredAround(track, p, sampleAt).high;
  if (!phasesOf(track).some((x) => phaseIndex(x) === p)) return draw;
  if (!track.report) return track.setpoint ?? track.config.max;
  const setpoint = track.setpoint ?? track.report.offer;
  // A report from after the last change that shows the set-point: the vehicle has arrived, whatever was on its way before.
  const arrived = Math.abs(measured(track, p) - setpoint) <= ARRIVED_A;
  if (arrived && track.reportAt > (track.changes.at(-1)?.at ?? 0) && sampleAt >= track.reportAt) return draw;
  const flying = inFlight(track, times, sampleAt);
  const raised = flying.some((c) => c.to > c.from);
  const ramping =
    track.chargingSince === undefined ||
    now - track.chargingSince < RAMP_MS ||
    measured(track, p) > previousDraw(track) + 1;
  if (raised || (ramping && setpoint > draw)) {
    const most = Math.max(draw, setpoint, ...flying.map((c) => Math.max(c.from, c.to)));
    return Math.max(draw, Math.min(most, (track.vehicleMax ?? most) + ARRIVED_A));
  }
  const lowered = flying.filter((c) => c.to < c.from);
  if (lowered.length === 0) return draw;
  const settledBy = lowered[lowered.length - 1].at + times.vehicleLag * 1000 + 500;
  return Math.min(draw, Math.max(setpoint, now > settledBy ? setpoint : draw - drop));
}

/** The lowest plausible draw on a phase when the meter took its sample at `sampleAt` (ms), A. */
export function drawLow(
  track: ChargerTrack,
  p: PhaseIndex,
  times: DrawTimes,
  sampleAt: number,
  silent: boolean,
): number {
  if (silent || !track.report) return 0;
  // The sample was taken some time before it came: a rise that was reported meanwhile is not in it.
  let low = measuredAround(track, p, sampleAt - times.reportSkew * 1000).low;
  for (const change of inFlight(track, times, sampleAt)) if (change.to < change.from) low = Math.min(low, change.to);
  return low;
}
