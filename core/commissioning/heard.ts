/** What the check has heard: meters with the sign that they give, reports of chargers, and what the allocator does and was asked. */
import type { ChargerInput } from '../charger-track.ts';
import { createMeterTrack, type MeterInput, type MeterTrack, recordMeter } from '../meter-track.ts';
import { type PerPhase, PHASE_INDICES, type Phase, type PhaseIndex, perPhase, phaseIndex } from '../units.ts';

/** A meter's message; W per phase where it tells them. */
export interface CheckMeterInput extends MeterInput {
  power?: readonly [number | null, number | null, number | null];
}

export interface HeardMeter {
  current: MeterTrack;
  power: MeterTrack;
  heardAt: number;
  /** Lowest and highest since the run began, A. */
  low: PerPhase;
  high: PerPhase;
}

/** What the allocator says of a charger. */
export interface Told {
  setpoint: number;
  request: { enabled?: boolean; maxCurrent?: number };
  reason: { code: string; text: string };
}

export interface HeardCharger {
  /** Of the last minute, oldest first; `at`: when it was measured, ms. */
  reports: { at: number; input: ChargerInput }[];
  last?: ChargerInput;
  heardAt: number;
  told?: Told;
  toldAt: number;
  /** Since when the set-point has been what it is, ms. */
  setpointSince: number;
}

/** What a meter showed in a stretch of time. */
export interface Window {
  mean: PerPhase;
  /** W. */
  power?: PerPhase;
  /** Phases that did not move meanwhile. */
  quiet: [boolean, boolean, boolean];
}

/** A phase that moves less than this is quiet: more than a meter's noise and a fridge, less than what must show, A. */
const QUIET_A = 1;
const REPORTS_KEPT_MS = 60_000;
/** A charger that says nothing for this long is not there, ms: three reports of a go-e of API v1. */
const SILENT_MS = 16_000;
/** A mean is made of so many samples and of this long at least, ms; of a meter that reports rarely, of fewer. */
const HOLD_MS = 4000;
const SAMPLES = { often: 3, rare: 2 };
const RARE_MS = 2200;
/** How many of its periods hold so many samples for sure. */
const PERIODS = { often: 3.2, rare: 2.2 };

export function createHeardMeter(now: number): HeardMeter {
  return {
    current: createMeterTrack(now),
    power: createMeterTrack(now),
    heardAt: Number.NEGATIVE_INFINITY,
    ...unmoved(),
  };
}

function unmoved(): { low: PerPhase; high: PerPhase } {
  return { low: perPhase(() => Number.POSITIVE_INFINITY), high: perPhase(() => Number.NEGATIVE_INFINITY) };
}

/** Forgets how far the phases have moved. */
export function watchAnew(meter: HeardMeter): void {
  Object.assign(meter, unmoved());
}

/** Books a meter's message, signs as they are. */
export function hearMeter(meter: HeardMeter, input: CheckMeterInput, now: number): void {
  recordMeter(meter.current, input, true, now);
  if (input.power) recordMeter(meter.power, { current: input.power, age: input.age }, true, now);
  for (const p of PHASE_INDICES) {
    const value = input.current[p];
    if (value === null) continue;
    meter.heardAt = now;
    meter.low[p] = Math.min(meter.low[p], value);
    meter.high[p] = Math.max(meter.high[p], value);
  }
}

export function createHeardCharger(): HeardCharger {
  const never = Number.NEGATIVE_INFINITY;
  return { reports: [], heardAt: never, toldAt: never, setpointSince: never };
}

/** Books a charger's report; one that only repeats a measurement is no new one. */
export function hearCharger(charger: HeardCharger, input: ChargerInput, now: number): void {
  const at = now - (input.age ?? 0) * 1000;
  const last = charger.reports.at(-1);
  charger.last = input;
  if (input.online) charger.heardAt = now;
  const again = last && at < last.at + 50 && input.current.every((a, p) => a === last.input.current[p]);
  if (again || (last && at < last.at)) return;
  charger.reports.push({ at, input });
  while (charger.reports.length > 2 && charger.reports[0].at < now - REPORTS_KEPT_MS) charger.reports.shift();
}

export function hearTold(charger: HeardCharger, told: Told, now: number): void {
  if (charger.told?.setpoint !== told.setpoint) charger.setpointSince = now;
  charger.told = told;
  charger.toldAt = now;
}

export function isOffline(charger: HeardCharger | undefined, now: number): boolean {
  return !charger?.last?.online || now - charger.heardAt > SILENT_MS;
}

/** Highest phase current of a report, A. */
export function drawOf(input: ChargerInput | undefined): number {
  return Math.max(...(input?.current ?? [0]));
}

/** The mean of every phase from `from` to `to` (ms); undefined while a phase has too few samples there. */
export function windowOf(meter: HeardMeter, phases: readonly Phase[], from: number, to: number): Window | undefined {
  const used = phases.map(phaseIndex);
  const views = PHASE_INDICES.map((p) => meanOf(meter.current, p, from, to));
  if (used.some((p) => views[p] === undefined)) return undefined;
  const powers = PHASE_INDICES.map((p) => meanOf(meter.power, p, from, to));
  const told = used.every((p) => powers[p] !== undefined);
  return {
    mean: perPhase((p) => views[p]?.mean ?? 0),
    power: told ? perPhase((p) => powers[p]?.mean ?? 0) : undefined,
    quiet: [0, 1, 2].map((p) => (views[p]?.range ?? 0) <= QUIET_A) as Window['quiet'],
  };
}

/** The shortest stretch of time that makes a mean of a meter, ms. */
export function holdOf({ current }: HeardMeter): number {
  const period = Math.max(...PHASE_INDICES.map((p) => periodOf(current, p)));
  return Math.max(HOLD_MS, PERIODS[rhythmOf(period)] * period);
}

/** Between two samples on average, ms; 0 where there are none. */
function periodOf({ samples }: MeterTrack, p: PhaseIndex): number {
  const list = samples[p];
  return list.length < 2 ? 0 : ((list.at(-1)?.at ?? 0) - list[0].at) / (list.length - 1);
}

function rhythmOf(period: number): 'often' | 'rare' {
  return period > RARE_MS ? 'rare' : 'often';
}

function meanOf(track: MeterTrack, p: PhaseIndex, from: number, to: number) {
  const values = track.samples[p].filter((s) => s.at >= from && s.at <= to).map((s) => s.value);
  if (values.length < SAMPLES[rhythmOf(periodOf(track, p))]) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, range: Math.max(...values) - Math.min(...values) };
}

/** What a meter shows now, A; null where it said nothing yet. */
export function presentOf(meter: HeardMeter): [number | null, number | null, number | null] {
  return PHASE_INDICES.map((p) => meter.current.samples[p].at(-1)?.value ?? null) as [number, number, number];
}
