/**
 * Watches whether the world does what the plan says: the backstop for a phase that stays above its limit
 * (S10), chargers that do not obey (S4), meters that do not show what chargers do (S13), and how large the
 * jumps of the house load are. Each only ever makes the plan more careful.
 */
import { changeSince, isSilent, lastingOffer, previousDraw } from './charger-draw.ts';
import { type ChargerTrack, forgetVehicle, measured, phasesOf, rotationProven } from './charger-track.ts';
import { type CircuitTrack, type Controller, planLimit, reactionSeconds } from './controller.ts';
import { drawTimes, type HouseLoad, houseLoad, REPORT_SKEW_S, tracksBelow, trustOf } from './house-load.ts';
import { extremes, HISTORY_S, type MeterTrack } from './meter-track.ts';
import { type OwnChange, showsRotation } from './rotation-proof.ts';
import { PHASE_INDICES, PHASES, type PhaseIndex, phaseIndex } from './units.ts';

/** Measurement noise that is no overload, A. */
const TOLERANCE_A = 0.3;
/** A backstop is released after this long without overload, s. */
const CALM_S = 60;
/** Over-current tolerance of a charger: 10 % and at least 1.5 A (IEC 61851-1 allows about 10 % + 0.5 A for seconds). */
export const disobedience = (setpoint: number) => Math.max(1.5, 0.1 * setpoint);
/** A change of at least this much must show on the meter (S13), A; and this share of it is enough. */
const CONFIRMED_A = 4;
const SHOWN_SHARE = 0.5;
const BEFORE_MS = 3000;
/** Between two samples of a meter that measured all the time are at most as many of its periods, and this is always allowed, ms. */
const GAP_PERIODS = 2.2;
const GAP_MS = 4500;
const MISMATCHES_UNTIL_SUSPECT = 2;
const SECOND_CHANCE_MS = 300_000;
/** Sooner no vehicle makes room for the next, ms. */
const VEHICLE_CHANGE_MS = 60_000;

/** One round of watching at `now` (ms), before planning. Returns the house load of every circuit. */
export function watch(controller: Controller, now: number): Map<string, HouseLoad> {
  for (const circuit of controller.circuits.values()) {
    if (!circuit.meter) continue;
    backstop(controller, circuit, now);
    forgive(circuit, now);
  }
  for (const track of controller.chargers.values()) {
    if (now - track.heardAt > VEHICLE_CHANGE_MS) forgetVehicle(track);
    obedience(controller, track, now);
  }
  const loads = new Map<string, HouseLoad>();
  for (const circuit of controller.circuits.values()) {
    const load = houseLoad(controller, circuit, now);
    loads.set(circuit.config.id, load);
    if (circuit.meter) learnJump(controller, circuit, load, now);
  }
  controller.lastDecision = now;
  return loads;
}

/** How long a phase must have been above its limit before the backstop acts (S10), s. */
export function backstopSeconds(controller: Controller, circuit: CircuitTrack): number {
  return reactionSeconds(controller, circuit) + 3 * REPORT_SKEW_S;
}

/** S10: above the limit for longer than one reaction: everything below to safe; for two: to 0. */
function backstop(controller: Controller, circuit: CircuitTrack, now: number): void {
  const limit = planLimit(controller, circuit);
  // Whoever does not obey loads it with a set-point of 0, too, and who cannot be reached with its safe current.
  const loads = (t: ChargerTrack) =>
    (t.setpoint ?? t.config.max) > 0 ||
    Math.max(...(t.report?.current ?? [0])) > 1 ||
    (t.config.safe > 0 && isSilent(t, controller.options.chargerSilentSeconds, now));
  const tracks = tracksBelow(controller, circuit).filter(loads);
  // A phase that no charger loads, proven by the meter, is the house's own affair.
  const concerned = (p: PhaseIndex) => tracks.some((t) => !rotationProven(t) || phasesOf(t).includes(PHASES[p]));
  const over = PHASE_INDICES.some(
    (p) => limit[p] > 0 && concerned(p) && (circuit.meter?.samples[p].at(-1)?.value ?? 0) > limit[p] + TOLERANCE_A,
  );
  if (!over) {
    circuit.overSince = undefined;
    circuit.calmSince ??= now;
    if (circuit.backstop !== 'none' && now - circuit.calmSince >= CALM_S * 1000) circuit.backstop = 'none';
    return;
  }
  circuit.calmSince = undefined;
  circuit.overSince ??= now;
  const patience = backstopSeconds(controller, circuit) * 1000;
  if (circuit.backstop === 'none' && now - circuit.overSince >= patience) {
    circuit.backstop = 'safe';
    circuit.backstopAt = now;
  } else if (circuit.backstop === 'safe' && now - Math.max(circuit.backstopAt, circuit.overSince) >= patience) {
    circuit.backstop = 'stop';
    circuit.backstopAt = now;
    // A wrong phase rotation would raise the overloaded phase: from now on every phase counts.
    for (const track of tracksBelow(controller, circuit))
      if (Math.max(...(track.report?.current ?? [0])) > 1) track.phasesSuspect = true;
  }
}

/** S4: a charger that draws more than its set-point after every lag has passed is reserved at its maximum. */
function obedience(controller: Controller, track: ChargerTrack, now: number): void {
  const patience = controller.patience.get(track.config.id);
  if (!patience || !track.report || track.setpoint === undefined) return;
  if (isSilent(track, controller.options.chargerSilentSeconds, now)) return;
  const allowed = track.setpoint + disobedience(track.setpoint);
  const draw = Math.max(...track.report.current);
  // What is offered during a pause while nobody takes any stays reserved: it may be what the charger falls to by itself.
  const isIdle = track.setpoint === 0 && draw <= 1;
  const offers = !isIdle && lastingOffer(track, drawTimes(controller)) > allowed;
  if (!offers && draw <= allowed) {
    patience.disobeysSince = undefined;
    track.disobeys = false;
    return;
  }
  const lowered = track.changes.at(-1)?.at ?? controller.startedAt;
  patience.disobeysSince ??= now;
  // While it was lost it could not obey.
  const from = Math.max(lowered, patience.disobeysSince, track.onlineSince);
  const lag = controller.options.vehicleLagSeconds * 1000;
  // One that reports rarely is not accused of what it drew before its vehicle had to follow.
  if (now - from >= 2 * lag && (offers || track.reportAt >= from + lag)) track.disobeys = true;
}

/**
 * S13, at every report of a charger: when its draw has settled at least 4 A away from where it was, the
 * meters of its circuits must have moved with it on its phases. Twice not: the meter is frozen or not where it is said to be.
 */
export function checkMeters(controller: Controller, track: ChargerTrack, now: number): void {
  const patience = controller.patience.get(track.config.id);
  const report = track.report;
  if (!patience || !report?.online) return;
  const draw = Math.max(...report.current);
  if (Math.abs(draw - previousDraw(track)) > 1) return;
  const reference = patience.reference;
  patience.reference =
    reference && Math.abs(draw - reference.draw) <= 1 ? { draw: reference.draw, at: now } : { draw, at: now };
  if (!reference || Math.abs(draw - reference.draw) < CONFIRMED_A) return;
  const change = { since: reference.at, own: draw - reference.draw };
  let meters = 0;
  let exact = 0;
  for (const id of controller.paths.get(track.config.id) ?? []) {
    const circuit = controller.circuits.get(id);
    if (!circuit?.meter || circuit.config.meterIncludesChargers === false) continue;
    meters += 1;
    if (compare(controller, circuit, circuit.meter, track, change, now)) exact += 1;
  }
  // One change is one proof, and each meter above has to show it: a feeder may be on another phase than its charger.
  if (exact === 0 || exact < meters) return;
  track.shown += 1;
  if (rotationProven(track)) track.phasesSuspect = false;
}

/** Whether a circuit's meter has shown a charger's change on its phases and on no other; one that has not moved with it at all is noted. */
function compare(
  controller: Controller,
  circuit: CircuitTrack,
  meter: MeterTrack,
  track: ChargerTrack,
  change: OwnChange,
  now: number,
): boolean {
  const { since } = change;
  if (now - since > 25_000) return false;
  const phases = (track.provenPhases ?? track.report?.phases ?? track.usedPhases ?? []).map(phaseIndex);
  if (phases.length === 0) return false;
  // What the meter did not measure since, it cannot have shown.
  if (phases.some((p) => !hasMeasured(meter, p, since - BEFORE_MS, now))) return false;
  // What several chargers did together may cancel out: then there is nothing to see.
  const expected = new Map(phases.map((p) => [p, changeBelow(controller, circuit, meter, track, p, since, now)]));
  const certain = [...expected].filter(([, change]) => change !== 0);
  if (certain.length === 0) return false;
  if (certain.some(([p, change]) => moved(meter, p, change, since))) {
    circuit.mismatches = 0;
    circuit.suspectSince = undefined;
    return showsRotation(controller, circuit, track, phases, change, now);
  }
  track.shown = 0;
  circuit.mismatches += 1;
  if (circuit.mismatches >= MISMATCHES_UNTIL_SUSPECT) circuit.suspectSince ??= now;
  return false;
}

/** Whether a phase is now that far from where it was at any moment since `since` (ms), or enough of it. */
function moved(meter: MeterTrack, p: PhaseIndex, change: number, since: number): boolean {
  const range = extremes(meter, p, since - BEFORE_MS);
  const present = meter.samples[p].at(-1)?.value;
  if (!range || present === undefined) return true;
  return (change > 0 ? present - range.low : range.high - present) >= SHOWN_SHARE * Math.abs(change);
}

/** Whether a phase was measured from `from` until `now` (ms) without a gap. */
function hasMeasured(meter: MeterTrack, p: PhaseIndex, from: number, now: number): boolean {
  const list = meter.samples[p];
  const gap = Math.max(GAP_MS, GAP_PERIODS * meter.period[p] * 1000);
  let until = now;
  for (let i = list.length - 1; i >= 0 && until > from; i--) {
    if (until - list[i].at > gap) return false;
    until = list[i].at;
  }
  return until <= from + gap;
}

/** By how much the chargers below a circuit have changed their draw on a phase for sure, A; 0 where it is less than what must show. */
function changeBelow(
  controller: Controller,
  circuit: CircuitTrack,
  meter: MeterTrack,
  reporter: ChargerTrack,
  p: PhaseIndex,
  since: number,
  now: number,
): number {
  // Of whoever has just reported the same twice it is known exactly, as soon as the meter has measured since the first time.
  const settledAt = (reporter.reports.at(-2)?.at ?? now) + (meter.period[p] + REPORT_SKEW_S) * 1000;
  const settled = (meter.samples[p].at(-1)?.at ?? 0) >= settledAt;
  let low = 0;
  let high = 0;
  for (const track of tracksBelow(controller, circuit)) {
    const silent = isSilent(track, controller.options.chargerSilentSeconds, now);
    const before = track === reporter && settled ? track.reports.findLast((r) => r.at <= since) : undefined;
    const change = before
      ? { low: measured(track, p) - before.current[p], high: measured(track, p) - before.current[p] }
      : changeSince(track, p, since, now, drawTimes(controller), silent);
    low += change.low;
    high += change.high;
  }
  if (low >= CONFIRMED_A) return low;
  return high <= -CONFIRMED_A ? high : 0;
}

/** A suspect meter that lives gets another chance: the next change that it does not show is one too many. */
function forgive(circuit: CircuitTrack, now: number): void {
  if (circuit.suspectSince === undefined || now - circuit.suspectSince < SECOND_CHANCE_MS || !circuit.meter) return;
  const alive = PHASE_INDICES.some((p) => {
    const range = circuit.meter && extremes(circuit.meter, p, now - HISTORY_S * 1000);
    return range !== undefined && range.high - range.low > TOLERANCE_A;
  });
  if (!alive) return;
  circuit.suspectSince = undefined;
  circuit.mismatches = MISMATCHES_UNTIL_SUSPECT - 1;
}

/** The largest certain rise of the house load within one reaction time. */
function learnJump(controller: Controller, circuit: CircuitTrack, load: HouseLoad, now: number): void {
  // What a charger may be doing unseen is not the house's.
  const unseen = tracksBelow(controller, circuit).some((t) =>
    isSilent(t, controller.options.chargerSilentSeconds, now),
  );
  if (load.open) return;
  if (unseen || trustOf(controller, circuit, now) !== 'fresh') {
    circuit.upper = [];
    return;
  }
  const window = reactionSeconds(controller, circuit) * 1000;
  const last = circuit.upper.at(-1);
  if (last && now - last.at < 200) return;
  if (last) circuit.jump.observed += Math.min(5, (now - last.at) / 1000);
  while (circuit.upper.length > 0 && circuit.upper[0].at < now - window) circuit.upper.shift();
  for (const { value } of circuit.upper) {
    for (const p of PHASE_INDICES) circuit.jump.largest = Math.max(circuit.jump.largest, load.low[p] - value[p]);
  }
  circuit.upper.push({ at: now, value: load.high });
}
