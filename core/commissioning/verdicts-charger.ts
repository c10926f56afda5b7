/** Verdicts on a charger: on which phases it is, and whether it obeys. */
import type { ChargerConfig } from '../site.ts';
import { type Phase, type PhaseIndex, phaseIndex } from '../units.ts';
import { type ChargerEvidence, metersAbove, type Sentence, type Verdict } from './model.ts';
import { type Case, gridPhases, named, type Sighting, sameSet } from './verdicts.ts';

/** A report may be a second older than it is; so late a charger is not slower than it may be. */
const REPORT_SKEW_S = 1;
/** A lower current must have been less by as much to be one, A. */
const LESS_A = 1;

type Found = Omit<Verdict, 'item' | 'id' | 'check'>;

export function judgeCharger(all: Case, charger: ChargerConfig): Verdict[] {
  const { id } = charger;
  const evidence = all.evidence.chargers[id];
  const phases = phasesOf(all, charger, evidence);
  const obeys = obedienceOf(all, charger, evidence);
  const effects: Record<string, Sentence> = {
    phases: { code: 'effect-phases', args: { charger: id } },
    obeys: { code: 'effect-obeys', args: { charger: id, max: charger.max } },
  };
  return Object.entries({ phases, obeys }).map(([check, found]) => ({
    item: 'charger',
    id,
    check: check as 'phases' | 'obeys',
    ...found,
    ...(found.result === 'proven' ? {} : { effect: effects[check] }),
  }));
}

/** The grid phases of its rotation that a verdict leaves open: those that a vehicle may in truth draw from any other. */
export function unprovenPhases({ rotation }: ChargerConfig, { result, code }: Verdict): Phase[] {
  if (result !== 'proven') return [...rotation];
  return code === 'phases-first' ? rotation.slice(1) : [];
}

const REPEAT: Sentence = { code: 'do-step-charger', args: {} };

/** What one sighting says: that it is where it says, that it is elsewhere, or that meter and charger disagree. */
type Place = { is: 'right' } | { is: 'wrong'; really: PhaseIndex[] } | { is: 'either' };

function placeOf({ mappings, sightings }: Case, sighting: Sighting): Place {
  const { charger, reported, moved = [] } = sighting;
  const expected = reported.map(phaseIndex);
  // A known load has shown on some meter of its path which grid phases these are.
  const witness = [
    sighting,
    ...sightings.filter((s) => s.charger === charger && s.reported.join() === reported.join()),
  ];
  for (const s of witness) {
    const really = s.moved?.length && gridPhases(mappings.get(s.meter.id), s.moved);
    if (!really) continue;
    // What a meter does not show at all is the meter's affair.
    if (really.length < expected.length && really.every((p) => expected.includes(p))) return { is: 'either' };
    return sameSet(really, expected) ? { is: 'right' } : { is: 'wrong', really };
  }
  // A meter without any such proof names its phases as the charger does, or not.
  return sameSet(moved, expected) ? { is: 'right' } : { is: 'either' };
}

function phasesOf(all: Case, charger: ChargerConfig, evidence: ChargerEvidence | undefined): Found {
  const { rotation, id } = charger;
  const mine = all.sightings.filter((s) => s.charger.id === id);
  if (mine.length === 0) {
    if (metersAbove(all.site, charger.circuit).length > 0)
      return { result: 'not-proven', code: 'phases-not-checked', args: {}, remedy: hindrance(evidence) };
    return { result: 'not-proven', code: 'phases-no-meter', args: {}, remedy: { code: 'do-add-meter', args: {} } };
  }
  const seen = mine.filter((s) => s.moved?.length);
  if (mine.some((s) => s.moved === undefined) && seen.length === 0) {
    return { result: 'not-proven', code: 'phases-restless', args: {}, remedy: { code: 'do-quiet-time', args: {} } };
  }
  if (seen.length === 0) {
    const meant = mine.some((s) => s.meter.includesChargers);
    const remedy: Sentence = { code: 'do-add-meter', args: {} };
    return { result: 'not-proven', code: meant ? 'phases-unseen' : 'phases-no-meter', args: {}, remedy };
  }
  const more = seen.find((s) => (s.moved?.length ?? 0) > s.reported.length);
  if (more) {
    const args = { reported: more.reported.join(', '), shown: named(more.moved ?? []) };
    return { result: 'wrong', code: 'phases-more', args, remedy: { code: 'do-check-wiring', args: {} } };
  }
  const places = seen.map((s) => ({ s, place: placeOf(all, s) }));
  for (const { s, place } of places) {
    if (place.is !== 'wrong') continue;
    const args = { reported: s.reported.join(', '), shown: named(place.really) };
    return { result: 'wrong', code: 'phases-wrong', args, remedy: turned(charger, s, place.really) };
  }
  const either = places.find(({ place }) => place.is === 'either');
  if (either) {
    const { reported, moved = [], meter } = either.s;
    const args = { meter: meter.id, reported: reported.join(', '), shown: named(moved) };
    return { result: 'not-proven', code: 'phases-or-meter', args, remedy: { code: 'do-load-test', args: {} } };
  }
  if (rotation.length === 1) return { result: 'proven', code: 'phases-proven', args: { phases: rotation.join() } };
  if (seen.some((s) => s.reported.length === 1 && s.reported[0] === rotation[0])) {
    const args = { first: rotation[0], others: rotation.slice(1).join(', ') };
    return { result: 'proven', code: 'phases-first', args };
  }
  const args = { phases: seen[0].reported.join(', ') };
  return { result: 'not-proven', code: 'phases-alike', args, remedy: { code: 'do-one-phase', args: {} } };
}

/** The rotation that would be right if the order of the conductors is kept, as a rotating field is. */
function turned({ rotation }: ChargerConfig, { reported }: Sighting, really: readonly PhaseIndex[]): Sentence {
  if (rotation.length === 2 || reported.length !== 1) return { code: 'do-check-wiring', args: {} };
  const by = (really[0] - phaseIndex(reported[0]) + 3) % 3;
  const phases = named(rotation.map((p) => ((phaseIndex(p) + by) % 3) as PhaseIndex)).replaceAll(' ', '');
  return { code: 'do-turn-rotation', args: { rotation: phases } };
}

function obedienceOf(all: Case, charger: ChargerConfig, evidence: ChargerEvidence | undefined): Found {
  const { vehicleLagSeconds: lag } = all.options;
  const { ignored, reactions = [], deviation = 0 } = evidence ?? {};
  if (ignored) {
    const { setpoint, offer } = ignored;
    const args = { setpoint, offer, current: tenths(ignored.current) };
    if (offer > setpoint)
      return { result: 'wrong', code: 'ignores-setpoint', args, remedy: { code: 'do-allow-writing', args: {} } };
    return { result: 'wrong', code: 'ignores-offer', args, remedy: { code: 'do-other-vehicle', args: {} } };
  }
  const slowest = reactions.reduce((most, r) => (r.least > (most?.least ?? -1) ? r : most), reactions[0]);
  if (slowest && slowest.least > lag + REPORT_SKEW_S) {
    const seconds = Math.ceil(Math.min(slowest.most, 60));
    return {
      result: 'wrong',
      code: 'obeys-slowly',
      args: { seconds, lag },
      remedy: { code: 'do-set-lag', args: { seconds } },
    };
  }
  const stopped = reactions.some((r) => r.to === 0);
  const steps = evidence?.levels.map((l) => l.setpoint) ?? [];
  const reduced = reactions.some((r) => r.to > 0);
  // Where no more than the minimum may be asked, there is nothing between that and nothing.
  const nothingLess = charger.max - charger.min < LESS_A;
  if (!stopped && !reduced)
    return { result: 'not-proven', code: 'obeys-not-checked', args: {}, remedy: hindrance(evidence) };
  if (!stopped || (!reduced && !nothingLess)) {
    const remedy = evidence?.hindered ?? { code: 'do-other-vehicle', args: {} };
    return { result: 'not-proven', code: stopped ? 'obeys-stop-only' : 'obeys-less-only', args: {}, remedy };
  }
  const seconds = tenths(Math.max(...reactions.map((r) => r.most)));
  const args = { seconds, deviation: tenths(deviation), most: Math.max(...steps) };
  return { result: 'proven', code: 'obeys-proven', args };
}

/** Why a charger was not stepped, as far as that is known: what to do about it. */
function hindrance(evidence: ChargerEvidence | undefined): Sentence {
  return evidence?.hindered ?? REPEAT;
}

function tenths(value: number): number {
  return Math.round(10 * value) / 10;
}
