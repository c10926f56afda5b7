/**
 * What is remembered of a charger, and between which bounds its draw must lie now.
 * A report is a moment of the past and a set-point one of the future; between them the vehicle may be
 * anywhere from the one to the other ("House load is an interval").
 */
import type { ChargerConfig } from './site.ts';
import { type PerPhase, PHASE_INDICES, PHASES, type Phase, type PhaseIndex, phaseIndex } from './units.ts';

/** What a `charger/<id>` message says, as the controller needs it. */
export interface ChargerInput {
  online: boolean;
  state: 'A' | 'B' | 'C' | 'D' | 'E' | 'F';
  current: PerPhase;
  offer: number;
  phases?: Phase[];
  stoppedBy?: 'user' | 'energy' | 'device';
  /** s since the currents were measured; absent = new. */
  age?: number;
  /** Wh of this session. */
  energy?: number;
  /** State of charge, %. */
  soc?: number;
}

/** What a person or a schedule asked of a charger. */
export interface ChargerRequest {
  enabled?: boolean;
  maxCurrent?: number;
  priority?: number;
  /** Wh that the vehicle is to get in this session. */
  energy?: number;
  /** When it leaves, ms on the controller's clock. */
  departure?: number;
  /** State of charge as a person told it, %. */
  soc?: number;
}

interface Change {
  at: number;
  from: number;
  to: number;
}

export interface ChargerTrack {
  config: ChargerConfig;
  request: ChargerRequest;
  report?: ChargerInput;
  /** When the currents of the last report were measured, ms. */
  reportAt: number;
  /** Since when it has been reachable without a break, ms. */
  onlineSince: number;
  /** What the vehicle takes at most, A, as seen in this session: it drew less than offered for long. */
  vehicleMax?: number;
  /** When it was last heard and reachable, ms; at first since when it has been part of the site. */
  heardAt: number;
  /** Since when the charger has been part of the site, ms. */
  knownSince: number;
  /** How often measurements come, s: a slow mean. */
  reportPeriod: number;
  /** Recent reports, oldest first: a meter's sample must be taken together with the reports around it. */
  reports: { at: number; current: PerPhase }[];
  /** Current set-point, A; undefined until it was read back or sent. */
  setpoint?: number;
  changes: Change[];
  increasedAt: number;
  /** When a change last went the other way than the one before, ms. */
  reversedAt: number;
  /** When it was last set to 0. */
  stoppedAt: number;
  chargingSince?: number;
  /** When the vehicle was plugged in, ms; undefined where nobody saw it. */
  pluggedSince?: number;
  /** Phases in use as proven in this session; undefined = all of the rotation. */
  provenPhases?: Phase[];
  phasesSuspect: boolean;
  /** Changes of its draw that the meter showed on its phases and on no other (S13): from two on its rotation is proven. */
  shown: number;
  disobeys: boolean;
}

/** Times that the bounds depend on, s. */
export interface DrawTimes {
  /** Longest lag of a vehicle behind its set-point. */
  vehicleLag: number;
  /** How old a charger's values may be when they arrive. */
  reportSkew: number;
}

const PROVE_PHASES_AFTER_MS = 15_000;
/** As near to its set-point a vehicle counts as having reached it, A. */
const ARRIVED_A = 0.5;
/** After this long without a change a vehicle takes what it wants, ms. */
const SETTLED_MS = 15_000;
const RAMP_MS = 30_000;
const CHANGES_KEPT_MS = 60_000;
const REPORTS_KEPT_MS = 15_000;
/** Reports at most this far apart come often; closer ones are parts of one report. */
const OFTEN_MS = 2200;
const BURST_MS = 400;
const SAME_MEASUREMENT_MS = 50;
const SILENT_PERIODS = 2.5;
const LONGEST_SILENCE_S = 30;
/** Currents measured this long before those that are known are outdated, ms. */
const OUTDATED_MS = 1000;
/** A longer gap between two reports is a break. */
const REPORT_GAP_MS = 15_000;

export function createChargerTrack(config: ChargerConfig, now: number): ChargerTrack {
  return {
    config,
    request: {},
    reportAt: Number.NEGATIVE_INFINITY,
    onlineSince: now,
    heardAt: now,
    knownSince: now,
    reportPeriod: 1,
    reports: [],
    changes: [],
    increasedAt: Number.NEGATIVE_INFINITY,
    reversedAt: Number.NEGATIVE_INFINITY,
    stoppedAt: Number.NEGATIVE_INFINITY,
    phasesSuspect: false,
    shown: 0,
    disobeys: false,
  };
}

/**
 * Books a report that arrived at `now` (ms, monotonic). The first one is also the set-point in force (S6).
 * Returns whether it brought a new measurement, not only other news with an old one.
 */
export function recordReport(track: ChargerTrack, input: ChargerInput, now: number): boolean {
  const at = now - (input.age ?? 0) * 1000;
  // The same measurement again, carried along by other news: its age is exact only to some milliseconds.
  const again =
    at < track.reportAt + SAME_MEASUREMENT_MS && PHASE_INDICES.every((p) => measured(track, p) === input.current[p]);
  const measurement = at > track.reportAt && !again;
  const wasPlugged = track.report !== undefined && track.report.state !== 'A';
  const unplugged = track.report?.state === 'A';
  if (!track.report?.online || now - track.heardAt > REPORT_GAP_MS) track.onlineSince = now;
  // Old currents that come late say nothing of the present (S12).
  const outdated = track.report !== undefined && at < track.reportAt - OUTDATED_MS;
  track.report = outdated ? { ...input, current: (track.report as ChargerInput).current } : input;
  if (input.online) track.heardAt = now;
  if (measurement) {
    const seconds = Math.min((at - track.reportAt) / 1000, 30);
    if (track.reports.length > 0 && seconds > BURST_MS / 1000)
      track.reportPeriod += 0.2 * (seconds - track.reportPeriod);
    track.reportAt = at;
    track.reports.push({ at, current: input.current });
    while (track.reports.length > 2 && track.reports[1].at < now - REPORTS_KEPT_MS) track.reports.shift();
  }
  if (track.setpoint === undefined && input.online) track.setpoint = input.offer;
  if (input.state === 'A') {
    track.provenPhases = undefined;
    track.phasesSuspect = false;
    track.shown = 0;
    track.vehicleMax = undefined;
    track.chargingSince = undefined;
    track.pluggedSince = undefined;
    // A person's pause lasts until the vehicle is unplugged (S7).
    if (wasPlugged && track.request.enabled === false) delete track.request.enabled;
    // What was told of a vehicle goes with it.
    if (wasPlugged) for (const key of ['energy', 'departure', 'soc'] as const) delete track.request[key];
    return measurement;
  }
  if (unplugged) track.pluggedSince = now;
  const draw = Math.max(...track.report.current);
  const charging = draw > 1;
  if (measurement) learnVehicle(track, draw, now);
  if (!charging) track.chargingSince = undefined;
  else track.chargingSince ??= now;
  if (charging && input.phases && input.phases.length > 0) provePhases(track, input.phases, now);
  return measurement;
}

/**
 * A vehicle that has drawn less than its offer for long enough has a maximum of its own. It follows the draw with some
 * hysteresis, and is forgotten when the vehicle takes all that it is offered.
 */
function learnVehicle(track: ChargerTrack, draw: number, now: number): void {
  const { setpoint, vehicleMax } = track;
  if (setpoint === undefined || draw <= 1) return;
  if (vehicleMax !== undefined && draw > vehicleMax) track.vehicleMax = draw > setpoint - ARRIVED_A ? undefined : draw;
  const settled =
    now - (track.changes.at(-1)?.at ?? track.knownSince) > SETTLED_MS && now - (track.chargingSince ?? now) > RAMP_MS;
  if (!settled || draw >= setpoint - ARRIVED_A) return;
  if (vehicleMax === undefined ? draw < setpoint - 1 : draw < vehicleMax - 1) track.vehicleMax = draw;
}

/** Phases in use count as proven when they were seen for a while; more are believed at once, fewer only in the next session. */
function provePhases(track: ChargerTrack, phases: readonly Phase[], now: number): void {
  const proven = track.provenPhases;
  if (proven) track.provenPhases = PHASES.filter((p) => proven.includes(p) || phases.includes(p));
  else if (now - (track.chargingSince ?? now) >= PROVE_PHASES_AFTER_MS) track.provenPhases = [...phases];
}

/** Books a set-point that is sent at `now` (ms). */
export function recordSetpoint(track: ChargerTrack, current: number, now: number): void {
  const from = track.setpoint ?? track.config.max;
  if (current === from) {
    track.setpoint = current;
    return;
  }
  const last = track.changes.at(-1);
  if (last && last.to > last.from !== current > from) track.reversedAt = now;
  track.changes.push({ at: now, from, to: current });
  while (track.changes.length > 0 && track.changes[0].at < now - CHANGES_KEPT_MS) track.changes.shift();
  if (current > from) track.increasedAt = now;
  if (current === 0) track.stoppedAt = now;
  track.setpoint = current;
}

/** Whether the meter has shown that the charger loads the phases it says, and no others. */
export function rotationProven(track: ChargerTrack): boolean {
  return track.shown >= 2;
}

/** Grid phases that the charger must be assumed to load (S4: unknown means all of its rotation, suspect means all three). */
export function phasesOf(track: ChargerTrack): Phase[] {
  if (track.phasesSuspect) return ['L1', 'L2', 'L3'];
  return track.provenPhases ?? track.config.rotation;
}

/** Measured current on a phase in the last report, A. */
export function measured(track: ChargerTrack, p: PhaseIndex): number {
  return track.report?.current[p] ?? 0;
}

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

/** The least measured current on a phase in all reports since `from` (ms), A. */
export function leastSince(track: ChargerTrack, p: PhaseIndex, from: number): number {
  let least = measured(track, p);
  for (const report of track.reports) if (report.at >= from) least = Math.min(least, report.current[p]);
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
  const from = reportBefore(track, at) - (times.vehicleLag + times.reportSkew) * 1000;
  return track.changes.filter((c) => c.at >= from);
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
  // One that reports rarely is not silent when a single report was lost.
  const patience = Math.max(silentAfterS, Math.min(LONGEST_SILENCE_S, SILENT_PERIODS * track.reportPeriod));
  return !track.report?.online || now - track.heardAt > patience * 1000;
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
  const lowered = inFlight(track, times, sampleAt)
    .filter((c) => c.to < c.from)
    .map((c) => c.to);
  // The sample was taken some time before it came: a rise that was reported meanwhile is not in it.
  return Math.min(measuredAround(track, p, sampleAt - times.reportSkew * 1000).low, ...lowered);
}
