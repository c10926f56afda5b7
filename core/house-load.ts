/**
 * The uncontrolled load as an interval: the meter's reading less the most and the least that the chargers
 * below it can be drawing. Where a charger's report is young, meter and report are taken together: what the
 * house took around the moment of the report is known better than either end.
 */
import {
  type DrawTimes,
  drawHigh,
  drawLow,
  isSilent,
  leastSince,
  measuredAround,
  reportBefore,
  reportsOften,
} from './charger-draw.ts';
import { type ChargerTrack, phasesOf, shownPhases } from './charger-track.ts';
import type { CircuitTrack, Controller } from './controller.ts';
import { extremes, type MeterTrack, phaseAge, type Sample, silentAfter, tooSlow } from './meter-track.ts';
import { isOpen } from './open-jump.ts';
import { ratingPerPhase } from './site.ts';
import { type PerPhase, PHASE_INDICES, PHASES, type Phase, type PhaseIndex, perPhase, phaseIndex } from './units.ts';

export interface HouseLoad {
  /** A per phase. */
  low: PerPhase;
  high: PerPhase;
  /** A jump is only known to lie between the two: the lower end is the worst case of it. */
  open: boolean;
}

export type Trust = 'fresh' | 'fallback' | 'silent';

/** A meter that is silent this long pauses everything below it, s (S9). */
export const PAUSE_AFTER_S = 30;
/** How old a charger's values may be when they arrive, s. */
export const REPORT_SKEW_S = 1;
/** What the rest of the house may fall by while a vehicle rises, A. */
const RISE_NOISE_A = 1;
/** A report younger than this is taken together with the meter, s. */
const PAIRED_S = 1.5;

export function drawTimes(controller: Controller): DrawTimes {
  return { vehicleLag: controller.options.vehicleLagSeconds, reportSkew: REPORT_SKEW_S };
}

/** Whether a circuit's meter can be trusted now (S9, S13). A circuit without a meter is `fresh`: its load is declared. */
export function trustOf(controller: Controller, circuit: CircuitTrack, now: number): Trust {
  const { meter } = circuit;
  if (circuit.config.meterFoundWrong) return 'silent';
  if (!meter) return worst(childrenOf(controller, circuit).map((child) => trustOf(controller, child, now)));
  const rating = ratingPerPhase(circuit.config);
  let trust: Trust = 'fresh';
  const ages: number[] = [];
  for (const p of PHASE_INDICES) {
    if (rating[p] === 0) continue;
    const age = phaseAge(meter, p, now);
    ages.push(age);
    if (age > silentAfter(meter, p) || tooSlow(meter, p)) trust = 'fallback';
  }
  const suspect = circuit.suspectSince === undefined ? 0 : (now - circuit.suspectSince) / 1000;
  if (circuit.suspectSince !== undefined) trust = 'fallback';
  return Math.max(suspect, ...ages) > PAUSE_AFTER_S ? 'silent' : trust;
}

/** The uncontrolled load through a circuit. Where a phase is silent or was never measured it is the declared one. */
export function houseLoad(controller: Controller, circuit: CircuitTrack, now: number): HouseLoad {
  if (!circuit.meter) return declaredLoad(controller, circuit, now);
  const meter = circuit.meter;
  const rating = ratingPerPhase(circuit.config);
  const declared = circuit.config.fallbackLoad ?? 0;
  const known = (p: PhaseIndex) => meter.samples[p].length > 0 && phaseAge(meter, p, now) <= silentAfter(meter, p);
  const chargers = circuit.config.meterIncludesChargers === false ? [] : witnessesOf(controller, circuit, now);
  // Export, or what looks like it, is no room for the fuse unless the circuit says so (S11).
  const floor = circuit.config.exportIsRoom ? Number.NEGATIVE_INFINITY : 0;
  const views = PHASE_INDICES.map((p) => (known(p) ? viewOf(controller, meter, chargers, p, now) : undefined));
  const before = perPhase((p) => Math.min(...circuit.upper.map((u) => u.value[p])));
  const load: HouseLoad = { low: [0, 0, 0], high: [0, 0, 0], open: false };
  for (const p of PHASE_INDICES) {
    const view = views[p];
    if (rating[p] === 0) continue;
    const open = isOpen(circuit, p, views, before, rating[p], now);
    const low = view ? view.present - (open ? view.reported : view.most) : declared;
    load.low[p] = Math.max(floor, low, view?.paired ?? low);
    load.high[p] = Math.max(floor, view ? highest(meter, p, view.lows, view.skew) : declared);
    load.open ||= open;
  }
  return load;
}

export function tracksBelow(controller: Controller, circuit: CircuitTrack): ChargerTrack[] {
  const configs = controller.below.get(circuit.config.id) ?? [];
  return configs.map((c) => controller.chargers.get(c.id)).filter((t) => t !== undefined);
}

/** A charger below a meter, and what its reports are worth now. */
interface Witness {
  track: ChargerTrack;
  phases: readonly Phase[];
  silent: boolean;
  often: boolean;
}

function witnessesOf(controller: Controller, circuit: CircuitTrack, now: number): Witness[] {
  return tracksBelow(controller, circuit).map((track) => ({
    track,
    phases: phasesOf(track),
    silent: isSilent(track, controller.options.chargerSilentSeconds, now),
    often: reportsOften(track),
  }));
}

/** The least that a charger drew by its last report, A. */
interface Low {
  track: ChargerTrack;
  draw: number;
  reportAt: number;
}

/** What meter and reports say of a phase. Times in ms, currents in A. */
export interface PhaseView {
  samples: readonly Sample[];
  present: number;
  /** What the chargers drew by their reports around the newest sample, and what they may have drawn at most when it was taken. */
  reported: number;
  most: number;
  /** What they drew at least. */
  lows: Low[];
  /** Chargers that may have risen since their reports. */
  rising: ChargerTrack[];
  /** When the oldest of the reports was measured. */
  oldest: number;
  /** Between two samples, and with what a report can be older than it is, ms. */
  period: number;
  skew: number;
  /** The least that the house can take where the reports are young: taken together with the meter. */
  paired: number;
}

function viewOf(
  controller: Controller,
  meter: MeterTrack,
  chargers: readonly Witness[],
  p: PhaseIndex,
  now: number,
): PhaseView {
  const times = drawTimes(controller);
  const period = meter.period[p] * 1000;
  const skew = period + REPORT_SKEW_S * 1000;
  const samples = meter.samples[p];
  const { value: present, at } = samples[samples.length - 1];
  const lows: Low[] = [];
  const rising: ChargerTrack[] = [];
  let most = 0;
  let reported = 0;
  let oldest = now;
  let often = chargers.length > 0;
  for (const { track, phases, silent, often: reports } of chargers) {
    // On other phases than those that are booked for it, what it draws is the house's.
    if (!phases.includes(PHASES[p])) continue;
    const around = measuredAround(track, p, at).high;
    // The report may be older than it is: a fall just before it counts, too.
    const lowered = track.changes.length > 0 && !silent;
    const drop = lowered ? (extremes(meter, p, track.reportAt - skew)?.high ?? present) - present : 0;
    let high = silent ? silentDraw(track) : drawHigh(track, p, times, at, drop, now);
    if (!silent && high > around + RISE_NOISE_A) high = Math.min(high, around + riseOf(track, meter, p, at, skew));
    most += high;
    const low = drawLow(track, p, times, at, silent);
    if (low > 0) lows.push({ track, draw: low, reportAt: track.reportAt });
    reported += silent ? high : around;
    if (!silent && high > around) rising.push(track);
    if (!silent) oldest = Math.min(oldest, track.reportAt);
    if (!silent && !reports) often = false;
  }
  const around = extremes(meter, p, oldest - skew) ?? { low: present, high: present };
  const paired = often && now - oldest <= PAIRED_S * 1000 ? around.low - reported : Number.NEGATIVE_INFINITY;
  return { samples, present, reported, most, lows, rising, oldest, period, skew, paired };
}

/**
 * The upper end: what the meter showed around the chargers' reports, less what they drew at least in all that time. A draw that
 * was told long ago may be over, so it counts with the highest reading since; where that costs more than it brings, or the
 * readings of that time are gone, it is left out.
 */
function highest(meter: MeterTrack, p: PhaseIndex, lows: Low[], skew: number): number {
  const list = meter.samples[p];
  let next = list.length - 2;
  let reading = list.at(-1)?.value ?? 0;
  let least = reading;
  lows.sort((a, b) => b.reportAt - a.reportAt);
  for (let k = 0; k < lows.length; k++) {
    const from = lows[k].reportAt - skew;
    if (from < list[0].at) break;
    while (next >= 0 && list[next].at >= from) reading = Math.max(reading, list[next--].value);
    let drawn = 0;
    for (let i = 0; i <= k; i++) drawn += Math.min(lows[i].draw, leastSince(lows[i].track, p, from));
    // Where a meter's message was lost, the last one before is the only one of a vehicle that stopped since.
    const bound = Math.max(reading, list[next]?.value ?? reading);
    least = Math.min(least, bound - drawn);
  }
  return least;
}

/**
 * By how much a charger's draw can have risen from the last report before the sample of `p` (taken at `at`) to that sample, A:
 * a vehicle that has shown to be on several phases rises on all of them, so a phase that shows no rise (in a sample not older) bounds
 * the others. One that has not may rise on this phase alone.
 */
function riseOf(track: ChargerTrack, meter: MeterTrack, p: PhaseIndex, at: number, skew: number): number {
  const since = reportBefore(track, at);
  let least = Number.POSITIVE_INFINITY;
  for (const phase of shownPhases(track)) {
    const q = phaseIndex(phase);
    const sample = meter.samples[q].at(-1);
    if (q === p || !sample || sample.at < at) continue;
    // What happened before the meter was heard shows in none of its samples.
    if (meter.samples[q][0].at > since - skew / 2) continue;
    // What that phase showed around the moment of `p`'s sample: phases arrive one by one, and the vehicle may have fallen in between.
    const range = extremes(meter, q, since - skew);
    if (range) least = Math.min(least, valueAround(meter, q, at) - range.low);
  }
  return least + RISE_NOISE_A;
}

/** The highest of a phase's samples from the last one before `at` (ms) on, A. */
function valueAround(meter: MeterTrack, p: PhaseIndex, at: number): number {
  const list = meter.samples[p];
  let i = list.length - 1;
  let high = list[i].value;
  while (i > 0 && list[i].at > at) {
    i -= 1;
    high = Math.max(high, list[i].value);
  }
  return high;
}

/** What a charger that cannot be reached may be drawing on its phases, A. One that was never heard is not known to draw anything. */
function silentDraw(track: ChargerTrack): number {
  return track.report ? Math.max(track.config.safe, track.setpoint ?? track.config.max) : 0;
}

function childrenOf(controller: Controller, circuit: CircuitTrack): CircuitTrack[] {
  return [...controller.circuits.values()].filter((child) => child.config.parent === circuit.config.id);
}

function worst(all: readonly Trust[]): Trust {
  return all.includes('silent') ? 'silent' : all.includes('fallback') ? 'fallback' : 'fresh';
}

/** Without a meter: what is declared, and what the meters further down measure. */
function declaredLoad(controller: Controller, circuit: CircuitTrack, now: number): HouseLoad {
  const declared = circuit.config.fallbackLoad ?? 0;
  const total: HouseLoad = { low: [declared, declared, declared], high: [declared, declared, declared], open: false };
  for (const child of childrenOf(controller, circuit)) {
    const load = houseLoad(controller, child, now);
    const unseen = trustOf(controller, child, now) === 'fresh' ? undefined : child;
    total.open ||= load.open;
    for (const p of PHASE_INDICES) {
      total.low[p] += load.low[p];
      // What a silent meter hides may be all that its circuit can carry.
      total.high[p] += unseen ? ratingPerPhase(unseen.config)[p] : load.high[p];
    }
  }
  return total;
}
