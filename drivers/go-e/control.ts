/**
 * What is written to a go-e charger, and when. Pure: the state is plain data, time is an argument (ms, monotonic), and
 * the effects are carried out by the client in their order.
 *
 * The rules (go-e API documents; "stopped by hand"):
 * - A pause is v1 `alw`=0, v2 `frc`=1. It is ours from the moment the record of it is on the disk, which is before it is
 *   written. A stop that is not ours is a person's: it is never undone, and ends when somebody else lifts it or the
 *   vehicle is unplugged. A person's stop during our own pause cannot be seen.
 * - A pause of ours is taken back as soon as a set-point allows charging, also by the next process after a `kill -9`.
 * - The current goes before the release: charging never begins at an old, higher limit.
 * - The latest set-point wins; what was not seen to be taken is written again, never queued.
 * - While a set-point limits or pauses, whoever raises the limit or forces the charger on is overruled: the fuse wins.
 * - Phases (v2 `psm`) are switched only during a pause, when no current flows.
 * - v2 reverts `frc` to 0 when the vehicle is unplugged: nobody's act; a pause that still holds is written again.
 *
 * No watchdog of the charger is documented: when this software dies, the last limit stays in force.
 * Some vehicles fall asleep after a pause and wake only from a simulated unplugging (`su`, `sua`): not done here.
 */
import type { PhaseCount } from '../../core/charger-track.ts';
import type { GoEApi, GoEWrite } from './codec.ts';

/** What is on the disk: whether a pause on the charger is this software's. */
export interface PauseRecord {
  version: 1;
  /** `releasing`: taken back, but not yet seen to be. */
  pause: 'none' | 'paused' | 'releasing';
}

export const NO_PAUSE: PauseRecord = { version: 1, pause: 'none' };

export interface ControlOptions {
  api: GoEApi;
  /** A. */
  min: number;
  max: number;
  /** A to fall to when the set-point has expired; 0 = pause. */
  safe: number;
}

/** What the charger reports, as far as control needs it. */
export interface Observation {
  /** Switched off by us or by somebody (v1 `alw`=0, v2 `frc`=1); undefined until known. */
  stopped: boolean | undefined;
  /** v2 `modelStatus` 4: forced off, however that came about. */
  forcedOff: boolean;
  plugged: boolean;
  /** The charger itself holds (energy limit, access …): nothing to pause. */
  held: boolean;
  /** A in force; undefined until known. */
  limit: number | undefined;
  /** v1 `amp`, the limit in flash. */
  flashLimit?: number;
  /** A that the charger can give at most. */
  hardLimit: number;
  /** Whether it is on one phase or on three; undefined where it chooses itself. */
  phases?: PhaseCount;
  /** The vehicle takes current. */
  flowing: boolean;
}

/** Which parts of an observation are news from the device itself, not a retained or remembered value. */
export interface Fresh {
  stop: boolean;
  limit: boolean;
  /** The charger answered a write: what it says holds from now on. */
  acknowledged?: boolean;
}

interface Pending {
  value: number;
  at: number;
  firstAt: number;
  tries: number;
}

export interface ControlState {
  record: PauseRecord;
  userStop: boolean;
  setpoint?: { current: number; until: number; phases?: PhaseCount };
  seen?: Observation;
  /** Pause (0) or release (1) that was not yet seen to be taken. */
  stopWrite?: Pending;
  limitWrite?: Pending;
  phaseWrite?: Pending;
  /** Highest limit that may be in force: everything written since the last confirmation. */
  limitAtMost: number;
  lastLimitWrite: number;
  /** When `modelStatus` began to say "forced off" although the switch does not. */
  forcedOffSince?: number;
  startedAt: number;
  /** v1: `amx` was taken at least once; writes of it that were not. */
  volatileWorks: boolean;
  volatileTries: number;
}

export type ControlEffect = { type: 'persist'; record: PauseRecord } | { type: 'write'; write: GoEWrite };

/** The charger's own logic runs once a second: what it says within this time may still be the old value, ms. */
const SETTLE_MS = 1500;
/** A write that was neither seen to be taken nor to fail for this long is settled by what is seen. */
const LAPSE_MS = 10_000;
const FORCED_OFF_MS = 5000;
/** Recommended time between two increases, ms (go-e; also IEC 61851-1). */
const INCREASE_MS = 5000;
const SLOW_REPEAT_MS = 60_000;
const VOLATILE_TRIES = 4;

export function initialControl(record: PauseRecord, now: number): ControlState {
  return {
    record,
    userStop: false,
    limitAtMost: 0,
    lastLimitWrite: Number.NEGATIVE_INFINITY,
    startedAt: now,
    volatileWorks: false,
    volatileTries: 0,
  };
}

/** A new set-point: A (0 = pause), valid for `validFor` s; `phases` while it is to switch. */
export function acceptSetpoint(
  state: ControlState,
  current: number,
  validFor: number,
  now: number,
  phases?: PhaseCount,
): void {
  state.setpoint = { current, until: now + validFor * 1000, phases };
}

/** A that hold now: the set-point, after its validity no more than the safe current; undefined before the first one. */
export function targetCurrent(state: ControlState, options: ControlOptions, now: number): number | undefined {
  const setpoint = state.setpoint;
  if (!setpoint) return undefined;
  return now < setpoint.until ? setpoint.current : Math.min(setpoint.current, options.safe);
}

/** True when the limit or the pause that should hold was not seen to be taken for `ms`. */
export function disobeyedFor(state: ControlState, ms: number, now: number): boolean {
  const lowering = state.limitWrite && state.limitWrite.value < (state.seen?.limit ?? 0) ? state.limitWrite : undefined;
  const pausing = state.stopWrite?.value === 0 && state.seen?.stopped === false ? state.stopWrite : undefined;
  return [lowering, pausing].some((pending) => pending !== undefined && now - pending.firstAt > ms);
}

// ---- observing

/** Takes in a report. The effects (a cleared record) come before those of `decide`. */
export function observe(
  state: ControlState,
  options: ControlOptions,
  observation: Observation,
  fresh: Fresh,
  now: number,
): ControlEffect[] {
  const before = state.seen;
  state.seen = { ...observation, limit: limitOf(state, options, observation) };
  observeLimit(state, options, before, fresh, now);
  if (observation.stopped === undefined) return [];
  const effects: ControlEffect[] = observation.stopped ? [] : observeRunning(state, before, fresh, now);
  const stopped = observation.stopped || forcedOff(state, observation, now);
  // The vehicle of a stop by hand has left. v2 lifts the switch itself; v1 keeps it, so that lifting it is ours now.
  if (state.userStop && !observation.plugged && observation.stopped && options.api === 'v1')
    effects.push(...setRecord(state, 'releasing'));
  if (!stopped || !observation.plugged) state.userStop = false;
  else if (state.record.pause === 'none') state.userStop = true;
  if (
    observation.stopped &&
    state.stopWrite?.value === 0 &&
    settled(state.stopWrite, before?.stopped === false, fresh.stop, fresh, now)
  ) {
    state.stopWrite = undefined;
  }
  return effects;
}

function limitOf(state: ControlState, options: ControlOptions, observation: Observation): number | undefined {
  if (options.api === 'v1' && !usesVolatile(state)) return observation.flashLimit ?? observation.limit;
  return observation.limit;
}

/** v1: `amx` is used unless it was written several times and never taken. */
function usesVolatile(state: ControlState): boolean {
  return state.volatileWorks || state.volatileTries < VOLATILE_TRIES;
}

function settled(pending: Pending, changed: boolean, reported: boolean, fresh: Fresh, now: number): boolean {
  if (fresh.acknowledged) return reported;
  if (reported && (changed || now - pending.at >= SETTLE_MS)) return true;
  return now - pending.at >= LAPSE_MS;
}

function observeLimit(
  state: ControlState,
  options: ControlOptions,
  before: Observation | undefined,
  fresh: Fresh,
  now: number,
): void {
  const limit = state.seen?.limit;
  const pending = state.limitWrite;
  if (limit === undefined) return;
  if (!pending) {
    // An earlier, higher write may still be on its way.
    const since = now - state.lastLimitWrite;
    const certain = (fresh.limit && since >= SETTLE_MS) || since >= LAPSE_MS;
    state.limitAtMost = certain ? limit : Math.max(limit, state.limitAtMost);
  } else if (limit === pending.value && settled(pending, before?.limit !== limit, fresh.limit, fresh, now)) {
    state.limitWrite = undefined;
    state.limitAtMost = limit;
    if (options.api === 'v1' && usesVolatile(state)) state.volatileWorks = true;
  }
}

/** The charger is not switched off: an old claim may end here. */
function observeRunning(
  state: ControlState,
  before: Observation | undefined,
  fresh: Fresh,
  now: number,
): ControlEffect[] {
  const { record, stopWrite } = state;
  if (record.pause === 'none') return [];
  const lifted = before?.stopped === true && fresh.stop;
  const releasing = record.pause === 'releasing' && stopWrite !== undefined;
  const over = releasing
    ? settled(stopWrite, lifted, fresh.stop, fresh, now)
    : stopWrite === undefined && (lifted || neverPaused(state, fresh, now));
  if (!over) return [];
  state.stopWrite = undefined;
  return setRecord(state, 'none');
}

/** A claim from before the start of this process whose write never reached the charger. */
function neverPaused(state: ControlState, fresh: Fresh, now: number): boolean {
  const age = now - state.startedAt;
  return age >= LAPSE_MS || (fresh.stop && age >= SETTLE_MS);
}

/** `modelStatus` tells of a forced stop although the switch was not seen: its report was lost. */
function forcedOff(state: ControlState, observation: Observation, now: number): boolean {
  if (!observation.forcedOff || observation.stopped) {
    state.forcedOffSince = undefined;
    return false;
  }
  state.forcedOffSince ??= now;
  const quietSince = Math.max(state.forcedOffSince, state.stopWrite?.at ?? 0);
  return now - quietSince >= FORCED_OFF_MS;
}

function setRecord(state: ControlState, pause: PauseRecord['pause']): ControlEffect[] {
  if (state.record.pause === pause) return [];
  state.record = { version: 1, pause };
  return [{ type: 'persist', record: state.record }];
}

// ---- deciding

/**
 * What has to be written now. To be called after every set-point, report and tick while the charger can be reached.
 * `stopKnown`: the charger told since it was last out of reach whether it is stopped. Until then a pause could hide a
 * stop by hand, so the least current stands in for it.
 */
export function decide(state: ControlState, options: ControlOptions, now: number, stopKnown = true): ControlEffect[] {
  const target = targetCurrent(state, options, now);
  const seen = state.seen;
  if (target === undefined || seen?.stopped === undefined || seen.limit === undefined) return [];
  const want = Math.floor(Math.min(target, options.max, seen.hardLimit) + 1e-6);
  if (want >= options.min) {
    const released = stopKnown ? release : () => [];
    return [...limit(state, options, seen, want, now), ...released(state, options, want, now)];
  }
  if (stopKnown) return [...pause(state, options, seen, now), ...switchPhases(state, options, seen, now)];
  return seen.stopped || seen.limit <= options.min ? [] : limit(state, options, seen, options.min, now);
}

function pause(state: ControlState, options: ControlOptions, seen: Observation, now: number): ControlEffect[] {
  state.limitWrite = undefined;
  if (state.userStop) return [];
  const pending = state.stopWrite;
  const releasePending = pending?.value === 1;
  if (!releasePending) {
    if (seen.stopped && !pending) return [];
    if (seen.held && !pending) return [];
    if (pending && now - pending.at < repeatAfter(pending.tries)) return [];
  }
  state.stopWrite = again(releasePending ? undefined : pending, 0, now);
  const write: GoEWrite = options.api === 'v1' ? { key: 'alw', value: 0 } : { key: 'frc', value: 1 };
  return [...setRecord(state, 'paused'), { type: 'write', write }];
}

/** Phases are switched while no current flows, and only while a set-point says so. */
function switchPhases(state: ControlState, options: ControlOptions, seen: Observation, now: number): ControlEffect[] {
  if (options.api === 'v1') return [];
  const { setpoint, phaseWrite } = state;
  const phases = setpoint && now < setpoint.until ? setpoint.phases : undefined;
  if (phases === undefined || phases === seen.phases || seen.flowing) {
    state.phaseWrite = undefined;
    return [];
  }
  if (phaseWrite?.value === phases && now - phaseWrite.at < repeatAfter(phaseWrite.tries)) return [];
  state.phaseWrite = again(phaseWrite?.value === phases ? phaseWrite : undefined, phases, now);
  return [{ type: 'write', write: { key: 'psm', value: phases === 1 ? 1 : 2 } }];
}

function release(state: ControlState, options: ControlOptions, want: number, now: number): ControlEffect[] {
  if (state.userStop || state.record.pause === 'none') return [];
  if (Math.max(state.limitAtMost, state.seen?.limit ?? 0) > want) return [];
  const pending = state.stopWrite?.value === 1 ? state.stopWrite : undefined;
  if (pending && now - pending.at < repeatAfter(pending.tries)) return [];
  state.stopWrite = again(pending, 1, now);
  const write: GoEWrite = options.api === 'v1' ? { key: 'alw', value: 1 } : { key: 'frc', value: 0 };
  return [...setRecord(state, 'releasing'), { type: 'write', write }];
}

function limit(
  state: ControlState,
  options: ControlOptions,
  seen: Observation,
  want: number,
  now: number,
): ControlEffect[] {
  const pending = state.limitWrite?.value === want ? state.limitWrite : undefined;
  const inForce = seen.limit ?? 0;
  if (!pending && !state.limitWrite && inForce === want) return [];
  const atMost = Math.max(state.limitAtMost, inForce);
  const lowers = want < atMost;
  const key = options.api === 'v1' && usesVolatile(state) ? 'amx' : 'amp';
  const flash = options.api === 'v1' && key === 'amp';
  if (pending) {
    if (now - pending.at < (lowers ? repeatAfter(pending.tries, flash) : increaseAfter(pending.tries))) return [];
  } else if (!lowers && !seen.stopped && now - state.lastLimitWrite < INCREASE_MS) {
    return [];
  }
  state.limitWrite = again(pending, want, now);
  state.limitAtMost = Math.max(atMost, want);
  state.lastLimitWrite = now;
  if (key === 'amx' && !state.volatileWorks) state.volatileTries += 1;
  return [{ type: 'write', write: { key, value: want } }];
}

function again(pending: Pending | undefined, value: number, now: number): Pending {
  return { value, at: now, firstAt: pending?.firstAt ?? now, tries: (pending?.tries ?? 0) + 1 };
}

/** Repeats of what protects the fuse: after 1 s, then every 2 s, then every 5 s. What is written to flash becomes rare. */
function repeatAfter(tries: number, flash = false): number {
  if (tries <= 1) return 1000;
  if (tries <= 4) return 2000;
  return flash && tries > 10 ? SLOW_REPEAT_MS : 5000;
}

/** Repeats of an increase. */
function increaseAfter(tries: number): number {
  return tries <= 5 ? INCREASE_MS : SLOW_REPEAT_MS;
}
