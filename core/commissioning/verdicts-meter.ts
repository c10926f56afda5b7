/** Verdicts on a meter: order and sign of its current transformers, whether it measures the chargers, and how much of them. */
import { PHASE_INDICES, PHASES, type PhaseIndex, phaseIndex } from '../units.ts';
import type { CheckedMeter, Sentence, Verdict } from './model.ts';
import { type Case, type Mapping, named, type Sighting, sameSet } from './verdicts.ts';

/** A meter and a charger agree within this: 1 % of a Shelly, a few percent of a charger's own, 0.1 A steps, and what the house moved. */
const AMOUNT_SHARE = 0.2;

type Found = Omit<Verdict, 'item' | 'id' | 'check'>;

export function judgeMeter(all: Case, meter: CheckedMeter): Verdict[] {
  const sightings = all.sightings.filter((s) => s.meter.id === meter.id);
  const amount = amountOf(meter, sightings);
  const checks: [Verdict['check'], Found][] = [
    ['order', orderOf(all, meter, sightings)],
    ['sign', signOf(all, meter, sightings)],
    ['includes', includesOf(all, meter, sightings)],
    ...(amount ? [['amount', amount] as [Verdict['check'], Found]] : []),
  ];
  return checks.map(([check, found]) => ({
    item: 'meter',
    id: meter.id,
    check,
    ...found,
    ...(found.result === 'wrong'
      ? { effect: { code: 'effect-meter', args: { meter: meter.id, circuit: meter.circuit.id } } }
      : {}),
  }));
}

function proven(sentence: Sentence): Found {
  return { result: 'proven', ...sentence };
}

function wrong(sentence: Sentence, remedy: Sentence): Found {
  return { result: 'wrong', ...sentence, remedy };
}

function open(sentence: Sentence, remedy: Sentence): Found {
  return { result: 'not-proven', ...sentence, remedy };
}

const REPEAT_LOAD: Sentence = { code: 'do-load-test', args: {} };
const REPEAT_CHARGER: Sentence = { code: 'do-step-charger', args: {} };

function orderOf(all: Case, meter: CheckedMeter, sightings: readonly Sighting[]): Found {
  const { evidence, mappings, site } = all;
  const { id, phases } = meter;
  const mapping = mappings.get(id) ?? new Map<PhaseIndex, Mapping>();
  const args = { meter: id };
  if (evidence.silent.includes(id))
    return open({ code: 'meter-silent', args }, { code: 'do-wake-meter', args: { meter: id } });
  const moved = [...mapping].filter(([p, { channel }]) => channel !== p);
  const clamps = clampsElsewhere(mapping, sightings);
  if (moved.length > 0) {
    const shown = moved.map(([p, { channel }]) => `${PHASES[p]} → ${PHASES[channel]}`).join(', ');
    const remedy = remedyOf(meter, mapping, clamps.length > 0, site.channels?.[id]);
    if (moved.length === 2 && mapping.get(moved[0][1].channel)?.channel === moved[0][0]) {
      const [a, b] = moved.map(([p]) => PHASES[p]);
      return wrong({ code: 'order-swapped', args: { ...args, a, b } }, remedy);
    }
    return wrong({ code: 'order-wrong', args: { ...args, shown } }, remedy);
  }
  if (clamps.length > 0) {
    const remedy: Sentence = { code: 'do-move-clamps', args: { phases: named(clamps) } };
    return wrong({ code: 'order-clamps', args: { ...args, phases: named(clamps) } }, remedy);
  }
  const missing = phases.filter((p) => !mapping.has(phaseIndex(p)));
  if (missing.length === 0) return proven({ code: 'order-proven', args: { phases: phases.join(', ') } });
  const odd = sightings.find((s) => s.moved && s.reported.length < 3 && !isAsReported(s) && s.moved.length > 0);
  if (odd) {
    const { charger, reported } = odd;
    const shown = named(odd.moved ?? []);
    const seen = { charger: charger.id, reported: reported.join(', '), shown };
    return open({ code: 'order-or-charger', args: seen }, REPEAT_LOAD);
  }
  const unseen = phases.filter((p) =>
    evidence.loads.some((l) => l.meter === id && l.phase === p && l.channel === undefined),
  );
  if (unseen.length > 0) return open({ code: 'order-unseen', args: { phases: unseen.join(', ') } }, REPEAT_LOAD);
  if (missing.length < phases.length) {
    const shown = phases.filter((p) => !missing.includes(p)).join(', ');
    return open({ code: 'order-partly', args: { shown, missing: missing.join(', ') } }, REPEAT_LOAD);
  }
  return open({ code: 'order-not-checked', args: {} }, REPEAT_LOAD);
}

function isAsReported({ reported, moved = [] }: Sighting): boolean {
  return sameSet(reported.map(phaseIndex), moved);
}

/** Phases of a meter whose clamp is on another conductor than their voltage, by the power factor of what they show. */
function clampsElsewhere(mapping: ReadonlyMap<PhaseIndex, Mapping>, sightings: readonly Sighting[]): PhaseIndex[] {
  return PHASE_INDICES.filter(
    (p) =>
      [...mapping.values()].some((m) => m.channel === p && m.shifted) ||
      sightings.some(({ shows }) => shows[p]?.moves && shows[p]?.shifted),
  );
}

/** Clamps can always be swapped; the channels can be renamed instead where each has its own voltage and all are known. */
function remedyOf(
  { phases }: CheckedMeter,
  mapping: ReadonlyMap<PhaseIndex, Mapping>,
  clamps: boolean,
  channels: string | undefined,
): Sentence {
  const moved = named(PHASE_INDICES.filter((q) => [...mapping].some(([p, { channel }]) => channel === q && p !== q)));
  const real = (name: string) => [...mapping].find(([, { channel }]) => PHASES[channel] === name)?.[0];
  const renamed = channels?.split(',').map((name) => real(name.trim()));
  if (clamps) return { code: 'do-move-clamps', args: { phases: moved } };
  if (phases.length < 3 || !renamed || renamed.some((p) => p === undefined)) {
    return { code: 'do-swap-clamps', args: { phases: moved } };
  }
  return { code: 'do-swap-or-rename', args: { phases: moved, channels: named(renamed as PhaseIndex[]) } };
}

function signOf(all: Case, { id, phases }: CheckedMeter, sightings: readonly Sighting[]): Found {
  const loads = all.evidence.loads.filter((l) => l.meter === id && l.channel !== undefined && !l.shifted);
  const signs = (p: PhaseIndex): number[] => [
    ...loads.filter((l) => l.channel === p).map((l) => l.sign ?? 0),
    ...sightings.filter(({ shows }) => !shows[p]?.shifted).map(({ shows }) => shows[p]?.moves ?? 0),
  ];
  const of = (sign: number) => phases.map(phaseIndex).filter((p) => signs(p).includes(sign));
  const reversed = of(-1);
  if (reversed.length > 0) {
    const args = { phases: named(reversed) };
    return wrong({ code: 'sign-reversed', args: { meter: id, ...args } }, { code: 'do-turn-clamps', args });
  }
  const right = of(1);
  if (right.length === phases.length) return proven({ code: 'sign-proven', args: { phases: named(right) } });
  if (right.length === 0) return open({ code: 'sign-not-checked', args: {} }, REPEAT_LOAD);
  const missing = phases.filter((p) => !right.includes(phaseIndex(p))).join(', ');
  return open({ code: 'sign-partly', args: { shown: named(right), missing } }, REPEAT_LOAD);
}

/** Whether it measures the chargers as it is configured. */
function includesOf({ evidence }: Case, meter: CheckedMeter, sightings: readonly Sighting[]): Found {
  const ids = (list: readonly Sighting[]) => [...new Set(list.map((s) => s.charger.id))].join(', ');
  // One phase that moves is enough to see a charger; that it is not seen takes all phases.
  const seen = sightings.filter(({ shows }) => shows.some((s) => s?.moves));
  const unseen = sightings.filter((s) => s.moved?.length === 0);
  if (seen.length + unseen.length === 0) return open({ code: 'includes-not-checked', args: {} }, REPEAT_CHARGER);
  const args = { meter: meter.id, circuit: meter.circuit.id };
  if (!meter.includesChargers) {
    if (seen.length === 0) return proven({ code: 'excludes-proven', args: { chargers: ids(unseen) } });
    return wrong({ code: 'excludes-wrong', args: { ...args, chargers: ids(seen) } }, { code: 'do-include', args });
  }
  if (unseen.length > 0 && evidence.frozen.includes(meter.id)) {
    return wrong({ code: 'includes-frozen', args }, { code: 'do-wake-meter', args: { meter: meter.id } });
  }
  if (unseen.length > 0) {
    const remedy: Sentence = seen.length > 0 ? { code: 'do-find-charger', args } : { code: 'do-exclude', args };
    return wrong({ code: 'includes-wrong', args: { ...args, chargers: ids(unseen) } }, remedy);
  }
  const part = seen.find(({ moved, reported }) => moved && moved.length < reported.length);
  if (part) {
    const dead = named(PHASE_INDICES.filter((p) => meter.phases.includes(PHASES[p]) && !part.moved?.includes(p)));
    const dark = { meter: meter.id, charger: part.charger.id, phases: dead };
    return wrong({ code: 'includes-dead', args: dark }, { code: 'do-check-clamps', args: { phases: dead } });
  }
  return proven({ code: 'includes-proven', args: { chargers: ids(seen) } });
}

/** How much of what chargers report it shows; undefined where it showed none. */
function amountOf({ id, includesChargers }: CheckedMeter, sightings: readonly Sighting[]): Found | undefined {
  const shares = sightings.flatMap(({ shows }) => shows.flatMap((s) => (s?.moves ? [Math.abs(s.share)] : [])));
  if (!includesChargers || shares.length === 0) return undefined;
  const worst = shares.reduce((far, share) => (Math.abs(share - 1) > Math.abs(far - 1) ? share : far));
  const percent = Math.round(100 * worst);
  if (Math.abs(worst - 1) <= AMOUNT_SHARE) return proven({ code: 'amount-proven', args: { percent } });
  return wrong({ code: 'amount-wrong', args: { meter: id, percent } }, { code: 'do-check-ratio', args: {} });
}
