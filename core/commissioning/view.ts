/** What people are shown of a check: the step, how far it is, what is measured now, and the verdicts. */
import type { PerPhase } from '../units.ts';
import { holds } from './findings.ts';
import { presentOf } from './heard.ts';
import { LOAD_A, metersOf, type Outcome, type Sentence, type Verdict } from './model.ts';
import { type CheckState, chargerConfig, type Run } from './state.ts';

export interface CheckStep extends Sentence {
  /** Grows with every other step; a command may name it. */
  number: number;
  /** Which commands make sense. */
  next: boolean;
  skip: boolean;
}

export interface CheckView {
  /** `never`: nothing was ever proven, or nothing of it holds any more. */
  state: 'never' | 'running' | 'checked';
  step?: CheckStep;
  /** What went wrong with the step before, or why the last run ended before its end. */
  note?: Sentence;
  progress?: { done: number; total: number };
  live: {
    meters: { id: string; circuit: string; current: (number | null)[]; change?: (number | null)[] }[];
    chargers: { id: string; setpoint: number | null; offer: number; current: PerPhase }[];
  };
  outcome?: Outcome;
  /** Verdicts of the last check; `void`: what they hold for is configured otherwise now. */
  verdicts: (Verdict & { void: boolean })[];
  /** Meters and chargers that no check holds for. */
  unchecked: string[];
}

export function checkView(check: CheckState): CheckView {
  const { run, outcome, site } = check;
  const verdicts = (outcome?.verdicts ?? []).map((v) => ({
    ...v,
    void: !holds(site, outcome as Outcome, v.item, v.id),
  }));
  const items = [
    ...metersOf(site).map(({ id }) => ({ item: 'meter' as const, id })),
    ...site.chargers.map(({ id }) => ({ item: 'charger' as const, id })),
  ];
  const unchecked = items.filter(({ item, id }) => !outcome || !holds(site, outcome, item, id)).map(({ id }) => id);
  return {
    state: run ? 'running' : verdicts.some((v) => !v.void) ? 'checked' : 'never',
    step: run && stepOf(check, run),
    note: run ? run.note : check.aborted,
    progress: run && { done: Math.max(0, run.index), total: run.tasks.length },
    live: liveOf(check),
    outcome,
    verdicts,
    unchecked,
  };
}

function stepOf(check: CheckState, run: Run): CheckStep {
  const { sentence, next, skip } = sentenceOf(check, run);
  return { ...sentence, number: check.step.number, next, skip };
}

/** Counts on where people are shown another step than before. */
export function countStep(check: CheckState): void {
  const { run, step } = check;
  if (!run) return;
  const { code, args } = sentenceOf(check, run).sentence;
  const { seconds: _, ...lasting } = args;
  const key = JSON.stringify([run.index, code, lasting, run.stage.kind === 'load' && run.stage.tries]);
  if (key !== step.key) check.step = { number: step.number + 1, key };
}

/** What a person is asked to do, or what is being done. */
function sentenceOf(check: CheckState, run: Run): { sentence: Sentence; next: boolean; skip: boolean } {
  const { stage } = run;
  if (stage.kind === 'pausing') {
    const told = check.site.chargers.every(({ id }) => check.chargers.get(id)?.told);
    const sentence: Sentence = told ? { code: 'pausing', args: {} } : { code: 'no-allocator', args: {} };
    return { sentence, next: false, skip: true };
  }
  if (stage.kind === 'offer') {
    const { rotation } = chargerConfig(check, stage.id) ?? { rotation: [''] };
    const sentence: Sentence = { code: 'one-phase', args: { charger: stage.id, first: rotation[0] } };
    return { sentence, next: true, skip: true };
  }
  if (stage.kind === 'switching') {
    return { sentence: { code: 'switching', args: { charger: stage.id } }, next: false, skip: true };
  }
  if (stage.kind === 'charger') {
    const sentence = stage.waits ?? { code: 'stepping', args: { charger: stage.id, current: 0, seconds: 0 } };
    return { sentence, next: false, skip: true };
  }
  const { meter, phase, part } = stage;
  const circuit = metersOf(check.site).find((m) => m.id === meter)?.circuit.id ?? '';
  if (part === 'reset') return { sentence: { code: 'load-reset', args: {} }, next: true, skip: true };
  if (part === 'on') {
    const sentence: Sentence = { code: 'load-on', args: { phase, circuit, amps: LOAD_A } };
    return { sentence, next: true, skip: true };
  }
  if (part === 'off') return { sentence: { code: 'load-off', args: { phase } }, next: true, skip: true };
  const heard = check.meters.has(meter);
  const sentence: Sentence = heard
    ? { code: 'load-measuring', args: { meter } }
    : { code: 'meter-awaited', args: { meter } };
  return { sentence, next: false, skip: true };
}

function liveOf(check: CheckState): CheckView['live'] {
  const stage = check.run?.stage;
  const meters = metersOf(check.site).flatMap(({ id, circuit }) => {
    const heard = check.meters.get(id);
    if (!heard) return [];
    const current = presentOf(heard);
    const base = stage?.kind === 'load' && !['settle', 'reset'].includes(stage.part) ? stage.base.get(id) : undefined;
    const change = base && current.map((value, p) => (value === null ? null : value - base.mean[p]));
    return [{ id, circuit: circuit.id, current, ...(change ? { change } : {}) }];
  });
  const chargers = check.site.chargers.flatMap(({ id }) => {
    const heard = check.chargers.get(id);
    if (!heard?.last) return [];
    const { offer, current } = heard.last;
    return [{ id, setpoint: heard.told?.setpoint ?? null, offer, current }];
  });
  return { meters, chargers };
}
