/**
 * The fuse guard: model-free. It knows a meter and a protective device and nothing of chargers; it says
 * when charging must stop because the device would trip before a stop could help, and when it may go on.
 */
import type { MeterInput } from './meter-track.ts';
import { heatAfter, type ProtectiveDevice, secondsLeft, steadyHeat } from './protection.ts';
import { type PerPhase, PHASE_INDICES, type PhaseIndex, perPhase } from './units.ts';

export interface GuardOptions {
  /**
   * `replica`: by the thermal replica. `classic`: "average above the rating for five minutes in a row, then
   * stop; keep the minimum until then" — an exception for those who move from such a system: it is stricter than
   * needed at 1.1·In and not safe above about 1.3·In.
   */
  rule: 'replica' | 'classic';
  /** From a reading to the vehicle's answer, s. */
  reactionSeconds: number;
  /** Charging may go on below this share of the trip budget. */
  resumeBudget: number;
  /** Shortest pause, s. */
  minPauseSeconds: number;
  /** A: what must be free before charging goes on. */
  minCurrent: number;
}

export const DEFAULT_GUARD: GuardOptions = {
  rule: 'replica',
  reactionSeconds: 7,
  resumeBudget: 0.5,
  minPauseSeconds: 60,
  minCurrent: 6,
};

/** What is kept over restarts (S6): plain data, JSON-safe, in wall-clock ms. */
export interface GuardRecord {
  heat: PerPhase;
  paused: boolean;
  savedAt: number;
}

export interface Guard {
  device: ProtectiveDevice;
  options: GuardOptions;
  /** Share of the trip budget used per phase. */
  heat: PerPhase;
  /** Which phases the circuit has: each of them must be heard. */
  phases: [boolean, boolean, boolean];
  current: PerPhase;
  /** When each phase was last heard, ms; undefined: never. */
  heardAt: [number?, number?, number?];
  steppedAt: number;
  startedAt: number;
  paused: boolean;
  pausedAt: number;
  /** Why it is paused, as far as known (a pause read from the disk says nothing). */
  cause?: GuardVerdict['cause'];
  /** Classic rule: one value per 5 s, and for how many in a row their mean was too high. */
  samples: number[];
  sampledAt: number;
  ticksAbove: number;
}

export interface GuardVerdict {
  paused: boolean;
  /** Since the last call: paused, resumed. */
  changed: boolean;
  /** Why it is paused. */
  cause?: 'budget' | 'average' | 'silent';
  /** Share of the trip budget used on the hottest phase. */
  budgetUsed: number;
  /** s until the device trips at the present current; Infinity if never. */
  secondsLeft: number;
  phase: PhaseIndex;
}

const SILENT_S = 30;
const CLASSIC_SAMPLE_S = 5;
const CLASSIC_AVERAGED = 6;
const CLASSIC_TICKS = 60;

/**
 * A guard from `now` (ms, monotonic) on. Without a record the device is assumed to be as warm as at its rating;
 * a record that is `recordAge` seconds old counts as if the rated current had flowed since.
 */
export function createGuard(
  device: ProtectiveDevice,
  options: Partial<GuardOptions>,
  now: number,
  record?: GuardRecord,
  recordAge = 0,
): Guard {
  const warm = steadyHeat(device, device.rating);
  return {
    device,
    options: { ...DEFAULT_GUARD, ...options },
    heat: record
      ? perPhase((p) => heatAfter(device, record.heat[p], device.rating, Math.max(0, recordAge)))
      : [warm, warm, warm],
    phases: [true, true, true],
    current: [0, 0, 0],
    heardAt: [],
    steppedAt: now,
    startedAt: now,
    paused: record?.paused ?? false,
    pausedAt: now,
    samples: [],
    sampledAt: now,
    ticksAbove: 0,
  };
}

/** Books a reading at `now` (ms). Magnitudes count: heat knows no direction. */
export function guardMeter(guard: Guard, input: MeterInput, now: number): void {
  advance(guard, now);
  for (const p of PHASE_INDICES) {
    const value = input.current[p];
    if (value === null) continue;
    guard.current[p] = Math.abs(value);
    guard.heardAt[p] = now - (input.age?.[p] ?? 0) * 1000;
  }
}

/** For how long the device carries `jump` A more than now on its worst phase, s; Infinity if for good. */
export function guardAbsorbs(guard: Guard, jump: number): number {
  return Math.min(...PHASE_INDICES.map((p) => secondsLeft(guard.device, guard.heat[p], guard.current[p] + jump)));
}

/** Lets time pass: the last currents flow on, so that silence does not cool the replica more than the house does. */
function advance(guard: Guard, now: number): void {
  const seconds = (now - guard.steppedAt) / 1000;
  if (seconds <= 0) return;
  guard.steppedAt = now;
  guard.heat = perPhase((p) => Math.min(1.5, heatAfter(guard.device, guard.heat[p], guard.current[p], seconds)));
}

/** What the guard says at `now` (ms). Call it after each reading and once a second. */
export function guardVerdict(guard: Guard, now: number): GuardVerdict {
  advance(guard, now);
  const left = PHASE_INDICES.map((p) => secondsLeft(guard.device, guard.heat[p], guard.current[p]));
  const soonest = Math.min(...left);
  const hottest = guard.heat.indexOf(Math.max(...guard.heat)) as PhaseIndex;
  const phase = soonest < Number.POSITIVE_INFINITY ? (left.indexOf(soonest) as PhaseIndex) : hottest;
  const heard = PHASE_INDICES.filter((p) => guard.phases[p]).map((p) => guard.heardAt[p] ?? guard.startedAt);
  const silent = now - Math.min(...heard) > SILENT_S * 1000;
  const averageHigh = classicTick(guard, now);
  const cause = silent
    ? 'silent'
    : soonest <= guard.options.reactionSeconds && guard.options.rule === 'replica'
      ? 'budget'
      : averageHigh
        ? 'average'
        : undefined;
  const before = guard.paused;
  if (cause && (!guard.paused || cause !== 'silent')) guard.cause = cause;
  if (cause && !guard.paused) {
    guard.paused = true;
    guard.pausedAt = now;
  } else if (!cause && guard.paused && mayResume(guard, now)) {
    guard.paused = false;
  }
  return {
    paused: guard.paused,
    changed: guard.paused !== before,
    cause: guard.paused ? (guard.cause ?? 'budget') : undefined,
    budgetUsed: guard.heat[hottest],
    secondsLeft: soonest,
    phase,
  };
}

function mayResume(guard: Guard, now: number): boolean {
  const cool = Math.max(...guard.heat) <= guard.options.resumeBudget;
  // A meter that is heard again shows what there is to see: a pause for silence has no shortest time, and needs no room as long as nothing is hot.
  if (guard.cause === 'silent' && guard.current.every((c) => c <= guard.device.rating)) return true;
  if (now - guard.pausedAt < guard.options.minPauseSeconds * 1000) return false;
  if (guard.options.rule === 'classic') return guard.device.rating - mean(guard.samples) > guard.options.minCurrent;
  const free = guard.current.every((c) => c + guard.options.minCurrent <= guard.device.rating);
  return free && cool;
}

/** The classic rule's five-second tick: whether the mean has been above the rating for sixty ticks in a row. */
function classicTick(guard: Guard, now: number): boolean {
  if (guard.options.rule !== 'classic') return false;
  while (now - guard.sampledAt >= CLASSIC_SAMPLE_S * 1000) {
    guard.sampledAt += CLASSIC_SAMPLE_S * 1000;
    guard.samples.push(Math.max(...guard.current));
    if (guard.samples.length > CLASSIC_AVERAGED) guard.samples.shift();
    guard.ticksAbove = mean(guard.samples) > guard.device.rating ? guard.ticksAbove + 1 : 0;
  }
  return guard.ticksAbove >= CLASSIC_TICKS;
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
}

/** What to write to disk before a pause or its end goes out; `wallClock` in epoch ms. */
export function guardRecord(guard: Guard, wallClock: number): GuardRecord {
  return { heat: guard.heat, paused: guard.paused, savedAt: wallClock };
}
