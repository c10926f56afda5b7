/** What is remembered of a charger: its reports, its set-points, and what was learned of its vehicle. */
import type { ChargerConfig } from './site.ts';
import { type PerPhase, PHASE_INDICES, PHASES, type Phase, type PhaseIndex, phaseIndex } from './units.ts';

export type PhaseCount = 1 | 3;

/** What a `charger/<id>` message says, as the controller needs it. */
export interface ChargerInput {
  online: boolean;
  state: 'A' | 'B' | 'C' | 'D' | 'E' | 'F';
  current: PerPhase;
  offer: number;
  phases?: Phase[];
  /** On how many phases a charger that can be switched says that it is; absent = it may be on all. */
  phasesConfigured?: PhaseCount;
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

export interface Change {
  at: number;
  from: number;
  to: number;
}

/** A change to one or to three phases that is under way. Times in ms. */
export interface PhaseSwitch {
  to: PhaseCount;
  /** When the charger was first told. */
  toldAt?: number;
  /** Until when it may take. */
  until: number;
}

export interface ChargerTrack {
  config: ChargerConfig;
  request: ChargerRequest;
  report?: ChargerInput;
  /** When the currents of the last report were measured, ms. */
  reportAt: number;
  /** Since when it has been reachable without a break, ms. */
  onlineSince: number;
  /** When it was first told anything since this control loop began or since it came back, ms. */
  toldAt?: number;
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
  /** Those of the last vehicle, while there is no other: what it stops drawing must show on them. */
  usedPhases?: Phase[];
  phasesSuspect: boolean;
  /** Grid phases that all circuits on its path have. */
  wired: readonly Phase[];
  phaseSwitch?: PhaseSwitch;
  /** When it was last seen to have been switched to other phases, ms. */
  switchedAt: number;
  /** What it says of its phases is not believed before the next vehicle: it did not switch, or loads others than it says. */
  phasesDoubted: boolean;
  /** Changes of its draw that the meter showed on its phases and on no other (S13): from two on its rotation is proven. */
  shown: number;
  disobeys: boolean;
}

const PROVE_PHASES_AFTER_MS = 15_000;
/** As near to its set-point a vehicle counts as having reached it, A. */
export const ARRIVED_A = 0.5;
/** After this long without a change a vehicle takes what it wants, ms. */
const SETTLED_MS = 15_000;
export const RAMP_MS = 30_000;
const CHANGES_KEPT_MS = 60_000;
const REPORTS_KEPT_MS = 15_000;
export const BURST_MS = 400;
const SAME_MEASUREMENT_MS = 50;
/** Currents measured this long before those that are known are outdated, ms. */
const OUTDATED_MS = 1000;
/** A longer gap between two reports is a break. */
const REPORT_GAP_S = 15;
/** For so long a command may be under way to a charger, and its report back, ms. */
const UNDER_WAY_MS = 5000;
const SILENT_PERIODS = 2.5;
const LONGEST_SILENCE_S = 30;
/** So long after a switch a vehicle may still draw as before, ms. */
const SWITCH_SETTLES_MS = 30_000;

export function createChargerTrack(config: ChargerConfig, wired: readonly Phase[], now: number): ChargerTrack {
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
    wired,
    switchedAt: Number.NEGATIVE_INFINITY,
    phasesDoubted: false,
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
  if (track.report && input.phasesConfigured !== track.report.phasesConfigured) forgetPhases(track, now);
  if (!track.report?.online || now - track.heardAt > silenceOf(track, REPORT_GAP_S) * 1000) {
    track.onlineSince = now;
    track.toldAt = undefined;
  }
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
  // Before it is told anything, what it says is in force (S6): its dead man's switch may have acted.
  if (input.online && !outdated && track.toldAt === undefined) {
    if (track.setpoint === undefined) track.setpoint = input.offer;
    else if (!mayBeFromBefore(track, input.offer, now)) recordSetpoint(track, input.offer, now);
  }
  if (input.state === 'A') {
    if (track.provenPhases) track.usedPhases = track.provenPhases;
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
  if (unplugged) {
    track.usedPhases = undefined;
    track.pluggedSince = now;
    track.phasesDoubted = false;
  }
  if (!showsOnePhase(track) && now - track.switchedAt > SWITCH_SETTLES_MS) track.phasesDoubted = true;
  const draw = Math.max(...track.report.current);
  const charging = draw > 1;
  if (measurement) learnVehicle(track, draw, now);
  if (!charging) track.chargingSince = undefined;
  else track.chargingSince ??= now;
  if (charging && !track.phasesDoubted && input.phases && input.phases.length > 0)
    provePhases(track, input.phases, now);
  return measurement;
}

/** Whether a report of a higher offer may have been sent before the charger had heard that it is to have less. */
function mayBeFromBefore({ setpoint, changes }: ChargerTrack, offer: number, now: number): boolean {
  return (
    setpoint !== undefined && offer > setpoint && now - (changes.at(-1)?.at ?? Number.NEGATIVE_INFINITY) < UNDER_WAY_MS
  );
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

/** Who cannot be reached may have another vehicle by now: what was shown of the last one holds no more (S4). */
export function forgetVehicle(track: ChargerTrack): void {
  track.provenPhases = undefined;
  track.usedPhases = undefined;
  track.vehicleMax = undefined;
  track.shown = 0;
}

/** On other phases, a vehicle may take another current, and nothing of them has been shown. */
export function forgetPhases(track: ChargerTrack, now: number): void {
  forgetVehicle(track);
  track.chargingSince = undefined;
  track.switchedAt = now;
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

/** How long a charger may say nothing, s: one that reports rarely is not silent when a single report was lost. */
export function silenceOf(track: ChargerTrack, leastS: number): number {
  return Math.max(leastS, Math.min(LONGEST_SILENCE_S, SILENT_PERIODS * track.reportPeriod));
}

/** Whether the meter has shown that the charger loads the phases it says, and no others. */
export function rotationProven(track: ChargerTrack): boolean {
  return track.shown >= 2;
}

/** Grid phases that the charger must be assumed to load (S4: unknown means all of its rotation, suspect means all that are there). */
export function phasesOf(track: ChargerTrack): Phase[] {
  if (track.phasesSuspect) return [...track.wired];
  const proven = track.phasesDoubted ? undefined : track.provenPhases;
  const phases = proven ?? (isOnOnePhase(track) ? track.config.rotation.slice(0, 1) : track.config.rotation);
  const unproven = track.config.unproven?.phases;
  return unproven?.some((p) => phases.includes(p)) ? [...track.wired] : phases;
}

/** Grid phases that the vehicle has shown to load; none where it has not, or where which of them it loads is in doubt. */
export function shownPhases({
  provenPhases = [],
  config,
  phasesDoubted,
  phasesSuspect,
}: ChargerTrack): readonly Phase[] {
  // A vehicle on all phases is on all of them, whichever is which.
  const doubtful = phasesSuspect || provenPhases.some((p) => config.unproven?.phases.includes(p));
  const certain = provenPhases.length === PHASES.length || !doubtful;
  return certain && !phasesDoubted ? provenPhases : [];
}

/** Whether the charger has said that it is on one phase, is believed, shows nothing else, and was told nothing else since. */
export function isOnOnePhase(track: ChargerTrack): boolean {
  if (!track.config.phaseSwitching || track.report?.phasesConfigured !== 1 || track.phasesDoubted) return false;
  return track.phaseSwitch?.toldAt === undefined && showsOnePhase(track);
}

/** Whether nothing flows on other phases of a charger that says it is on one. */
function showsOnePhase({ config, report }: ChargerTrack): boolean {
  if (!config.phaseSwitching || report?.phasesConfigured !== 1) return true;
  const first = phaseIndex(config.rotation[0]);
  return PHASE_INDICES.every((p) => p === first || report.current[p] <= 1);
}

/** Measured current on a phase in the last report, A. */
export function measured(track: ChargerTrack, p: PhaseIndex): number {
  return track.report?.current[p] ?? 0;
}
