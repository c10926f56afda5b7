/**
 * The commissioning check: a guided check that an electrician runs once. It proves order and sign of the current transformers,
 * phases of the chargers, that meters measure the chargers as configured, and that vehicles obey; what is not proven stays at worst
 * case (S4, S13). It sends no set-point: it only asks the allocator for lower maxima, so every ampere stays the allocator's.
 * Plain data and functions; times are ms on a monotonic clock that the caller passes in.
 */
import type { ChargerInput } from './charger-track.ts';
import { checkNumber, checkOptional } from './checked.ts';
import { emptyEvidence, findingsOf, followsFrom, NO_FINDINGS } from './commissioning/findings.ts';
import {
  type CheckMeterInput,
  createHeardCharger,
  createHeardMeter,
  drawOf,
  hearCharger,
  hearMeter,
  hearTold,
  type Told,
  watchAnew,
} from './commissioning/heard.ts';
import { advanceLoad, loadStage, loadSwitched } from './commissioning/load-test.ts';
import {
  type CheckOptions,
  type CheckSite,
  type Findings,
  metersOf,
  type Outcome,
  type Sentence,
} from './commissioning/model.ts';
import {
  type ChargerStage,
  type CheckState,
  chargerConfig,
  type Effect,
  mostOf,
  type Run,
  type Stage,
  type SwitchingStage,
  type Task,
} from './commissioning/state.ts';
import { advanceCharger, chargerStage, evidenceOf, goalOf } from './commissioning/stepping.ts';
import { judge } from './commissioning/verdicts.ts';
import { askFor } from './commissioning/wishes.ts';

export { NO_FINDINGS, withFindings } from './commissioning/findings.ts';
export type { CheckMeterInput, Told } from './commissioning/heard.ts';
export {
  type CheckOptions,
  type CheckSite,
  type Findings,
  metersOf,
  type Outcome,
  type Sentence,
  type Verdict,
} from './commissioning/model.ts';
export type { CheckState, Effect } from './commissioning/state.ts';

import { countStep } from './commissioning/view.ts';

export { type CheckView, checkView } from './commissioning/view.ts';

/** What must survive a restart. */
export interface KeptCheck {
  /** A run was going on. */
  running: boolean;
  wishes: Record<string, { before: number | null; asked: number }>;
  outcome?: Outcome;
}

/** What a person says. `step`: the number of the step that was shown; a command for another one is passed over. */
export type CheckCommand =
  | { command: 'start'; installer: string; epoch: number }
  | { command: 'next' | 'skip' | 'abort'; step?: number };

/** How long chargers get to come to rest before the first step, ms. */
const REST_MS = 40_000;
/** From here on something flows, A. */
const FLOWS_A = 1;
/** A run that nobody takes further ends after this long, ms: cars must not stand paused because somebody went home. */
const IDLE_MS = 1_800_000;
/** A limit in W that three phases cannot use and one can: below three times the minimum; renewed, and valid for s. */
const ONE_PHASE_SHARE = 0.95;
const RENEW_MS = 20_000;
const VALID_S = 60;
/** A charger has switched to one phase by then: 3 min of the allocator's patience, stop, switch, and pause, ms. */
const SWITCHES_MS = 480_000;
/** Phases of a meter that has not moved by more than this all the time are frozen, A. */
const FROZEN_A = 0.3;

/** A check of a site, with what the last process left. A run that was going on then is over, and its wishes are taken back. */
export function createCheck(site: CheckSite, options: CheckOptions, kept: KeptCheck | undefined): CheckState {
  const wishes = Object.entries(kept?.wishes ?? {}).map(
    ([id, wish]) => [id, { ...wish, sentAt: Number.NEGATIVE_INFINITY, seen: true, returning: false }] as const,
  );
  return {
    site,
    options,
    meters: new Map(),
    chargers: new Map(),
    wishes: new Map(wishes),
    outcome: kept?.outcome,
    aborted: kept?.running ? { code: 'aborted-restart', args: {} } : undefined,
    step: { number: 0, key: '' },
  };
}

/** What has to be on the disk. */
export function keptOf({ run, wishes, outcome }: CheckState): KeptCheck {
  const asked = [...wishes].flatMap(([id, w]) =>
    w.asked === undefined ? [] : [[id, { before: w.before, asked: w.asked }] as const],
  );
  return { running: run !== undefined, wishes: Object.fromEntries(asked), outcome };
}

/** A changed site ends a run: what was measured may belong to another wiring. */
export function setCheckSite(check: CheckState, site: CheckSite): Effect[] {
  const changed = JSON.stringify(bare(check.site)) !== JSON.stringify(bare(site));
  check.site = site;
  return changed && check.run ? abort(check, { code: 'aborted-changed', args: {} }) : [];
}

function bare({ circuits, chargers, channels, devices }: CheckSite) {
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
  return [circuits.toSorted(byId), chargers.toSorted(byId), channels, devices];
}

/** Books a meter's message at `now`. Throws a RangeError on a number that is none. */
export function onCheckMeter(check: CheckState, id: string, input: CheckMeterInput, now: number): boolean {
  for (const [p, value] of input.current.entries()) {
    if (value !== null) checkNumber(`meter ${id}.current.${p}`, value);
    checkOptional(`meter ${id}.age.${p}`, input.age?.[p], 0);
  }
  if (!check.site.circuits.some((c) => c.meter === id)) return false;
  const meter = check.meters.get(id) ?? createHeardMeter(now);
  check.meters.set(id, meter);
  hearMeter(meter, input, now);
  return true;
}

/** Books a charger's report at `now`. Throws a RangeError on a number that is none. */
export function onCheckCharger(check: CheckState, id: string, input: ChargerInput, now: number): boolean {
  for (const [p, value] of input.current.entries()) checkNumber(`charger ${id}.current.${p}`, value);
  checkNumber(`charger ${id}.offer`, input.offer, 0);
  checkOptional(`charger ${id}.age`, input.age, 0);
  if (!chargerConfig(check, id)) return false;
  hearCharger(heardOf(check, id), input, now);
  return true;
}

/** Books at `now` what the allocator says of a charger. */
export function onCheckTold(check: CheckState, id: string, told: Told, now: number): void {
  checkNumber(`allocation ${id}.setpoint`, told.setpoint, 0);
  if (chargerConfig(check, id)) hearTold(heardOf(check, id), told, now);
}

function heardOf(check: CheckState, id: string) {
  const heard = check.chargers.get(id) ?? createHeardCharger();
  check.chargers.set(id, heard);
  return heard;
}

/** Does what a person says. Throws a RangeError where that makes no sense now; nothing is changed then. */
export function onCheckCommand(check: CheckState, command: CheckCommand, now: number): Effect[] {
  if (command.command === 'start') return start(check, command.installer, command.epoch, now);
  const { run } = check;
  if (!run) throw new RangeError(`command: "${command.command}" — expected "start": no check is going on`);
  // Pressed twice, or on a page that was behind.
  if (command.step !== undefined && command.step !== check.step.number) return [];
  run.touchedAt = now;
  if (command.command === 'abort') return abort(check, { code: 'aborted-by-hand', args: {} });
  if (command.command === 'skip') skip(check, run, now);
  else if (run.stage.kind === 'load') loadSwitched(run, run.stage, now);
  else if (run.stage.kind === 'offer') run.stage = { kind: 'switching', id: run.stage.id, since: now };
  return advanceCheck(check, now);
}

function start(check: CheckState, installer: string, epoch: number, now: number): Effect[] {
  if (check.run) throw new RangeError('command: "start" — expected "abort" first: a check is going on');
  const { site } = check;
  const tasks: Task[] = [
    ...metersOf(site).flatMap(({ id, phases }) => phases.map((phase): Task => ({ kind: 'load', meter: id, phase }))),
    ...site.chargers.map(({ id }): Task => ({ kind: 'charger', id })),
  ];
  if (tasks.length === 0) throw new RangeError('command: "start" — expected a site with a meter or a charger');
  for (const meter of check.meters.values()) watchAnew(meter);
  check.aborted = undefined;
  check.run = {
    tasks,
    index: -1,
    stage: { kind: 'pausing', since: now, passed: false },
    evidence: emptyEvidence(),
    installer,
    startedAt: now,
    startedAtEpoch: epoch,
    touchedAt: now,
    loadOn: false,
  };
  return [{ type: 'persist' }, ...advanceCheck(check, now)];
}

function abort(check: CheckState, why: Sentence): Effect[] {
  check.run = undefined;
  check.aborted = why;
  return [{ type: 'persist' }, ...liftLimit(check)];
}

/** What a person leaves out is not proven. */
function skip(check: CheckState, run: Run, now: number): void {
  const { stage } = run;
  // What it waited for is what stood in the way.
  if (stage.kind === 'charger' && stage.waits && stage.waits.code !== 'stepping')
    evidenceOf(run, stage.id).hindered = stage.waits;
  if (stage.kind === 'switching')
    evidenceOf(run, stage.id).hindered = { code: 'not-switched', args: { charger: stage.id } };
  run.note = undefined;
  if (stage.kind === 'pausing') stage.passed = true;
  else nextTask(check, run, now);
}

/** Takes the check further at `now`: to be called after every input, and at least twice a second for what only time brings. */
export function advanceCheck(check: CheckState, now: number): Effect[] {
  const { run } = check;
  const effects: Effect[] = [];
  if (run) {
    const before = run.stage;
    if (now - run.touchedAt > IDLE_MS) effects.push(...abort(check, { code: 'aborted-idle', args: {} }));
    else if (advanceStage(check, run, now)) nextTask(check, run, now);
    if (run.stage !== before) run.touchedAt = now;
    if (check.run && run.index >= run.tasks.length) effects.push(...finish(check, run, now));
    effects.push(...oneAtOnce(check, now));
  }
  countStep(check);
  return [...effects, ...askFor(check, desiredBy(check), now)];
}

/** Returns whether the present task is over. */
function advanceStage(check: CheckState, run: Run, now: number): boolean {
  const { stage } = run;
  if (stage.kind === 'pausing')
    return isAtRest(check) || (isTold(check) && now - stage.since > REST_MS) || stage.passed;
  if (stage.kind === 'load') return advanceLoad(check, run, stage, now);
  if (stage.kind === 'offer') return false;
  if (stage.kind === 'switching') return advanceSwitching(check, run, stage, now);
  const { round, index } = stage;
  if (!advanceCharger(check, run, stage, now)) {
    if (stage.round !== round || stage.index !== index) run.touchedAt = now;
    return false;
  }
  if (!mayOffer(check, run, stage)) return true;
  run.stage = { kind: 'offer', id: stage.id };
  return false;
}

function isTold(check: CheckState): boolean {
  return check.site.chargers.every(({ id }) => check.chargers.get(id)?.told);
}

function isAtRest(check: CheckState): boolean {
  return check.site.chargers.every(({ id }) => {
    const heard = check.chargers.get(id);
    return heard?.told?.setpoint === 0 && drawOf(heard.last) < FLOWS_A;
  });
}

/** Three phases that rise alike prove no order; a charger that can be switched shows its first one alone. */
function mayOffer(check: CheckState, run: Run, { id, onePhase }: ChargerStage): boolean {
  const config = chargerConfig(check, id);
  const { groups, ignored } = evidenceOf(run, id);
  const all = Object.values(groups);
  if (onePhase || ignored || !config?.phaseSwitching || config.rotation.length !== 3) return false;
  return all.some((g) => g.reported.length === 3) && all.every((g) => g.reported.length !== 1);
}

function advanceSwitching(check: CheckState, run: Run, { id, since }: SwitchingStage, now: number): boolean {
  const report = check.chargers.get(id)?.last;
  if (report?.phasesConfigured === 1) {
    run.stage = chargerStage(id, true, now);
    return false;
  }
  if (now - since <= SWITCHES_MS && report?.state !== 'A') return false;
  run.note = { code: 'not-switched', args: { charger: id } };
  return true;
}

/** What is still to be done after the present task; nothing twice that was seen along with another. */
function nextTask(check: CheckState, run: Run, now: number): void {
  const { evidence, tasks } = run;
  do run.index += 1;
  while (run.index < tasks.length && isDone(tasks[run.index]));
  const task = tasks[run.index];
  if (task) run.stage = stageOf(run, task, now);

  function isDone(next: Task): boolean {
    if (next.kind === 'charger') return chargerConfig(check, next.id) === undefined;
    if (evidence.silent.includes(next.meter)) return true;
    return evidence.loads.some((l) => l.meter === next.meter && l.phase === next.phase && l.channel !== undefined);
  }
}

function stageOf(run: Run, task: Task, now: number): Stage {
  return task.kind === 'load' ? loadStage(run, task.meter, task.phase, now) : chargerStage(task.id, false, now);
}

function finish(check: CheckState, run: Run, now: number): Effect[] {
  const { site, options } = check;
  const { evidence, installer, startedAtEpoch: startedAt } = run;
  for (const [id, { low, high }] of check.meters)
    if (low.every((value, p) => high[p] - value < FROZEN_A)) evidence.frozen.push(id);
  const verdicts = judge(site, options, evidence);
  // What was compared is in the verdicts; the levels tell the rest.
  for (const charger of Object.values(evidence.chargers)) charger.groups = {};
  const finishedAt = startedAt + Math.round(now - run.startedAt);
  check.outcome = { startedAt, finishedAt, installer, verdicts, evidence, ...followsFrom(site, verdicts) };
  check.run = undefined;
  return [{ type: 'persist' }, ...liftLimit(check)];
}

/** The limit in W with which the allocator lets a charger switch to one phase; the charger then stays there for ten minutes. */
function oneAtOnce(check: CheckState, now: number): Effect[] {
  const stage = check.run?.stage;
  const config = stage?.kind === 'switching' ? chargerConfig(check, stage.id) : undefined;
  if (!config) return liftLimit(check);
  if (check.limit && now - check.limit.sentAt < RENEW_MS) return [];
  check.limit = { circuit: config.circuit, sentAt: now };
  const power = Math.floor(ONE_PHASE_SHARE * 3 * config.min * check.site.voltage);
  return [{ type: 'limit', circuit: config.circuit, power, validFor: VALID_S }];
}

function liftLimit(check: CheckState): Effect[] {
  const { limit } = check;
  if (!limit) return [];
  check.limit = undefined;
  return [{ type: 'limit', circuit: limit.circuit, validFor: 1 }];
}

/** The maximum of each charger now, A: that of the one that is watched, and 0 of all others. Undefined without a run. */
function desiredBy(check: CheckState): Map<string, number> | undefined {
  const stage = check.run?.stage;
  if (!stage) return undefined;
  const of = (id: string) => {
    if (stage.kind === 'charger' && stage.id === id) return goalOf(check, stage);
    const config = stage.kind === 'switching' && stage.id === id ? chargerConfig(check, id) : undefined;
    return config ? mostOf(check, config) : 0;
  };
  return new Map(check.site.chargers.map(({ id }) => [id, of(id)]));
}

/** What the check's last outcome makes of the site now. */
export function checkFindings(check: CheckState): Findings {
  return check.outcome ? findingsOf(check.site, check.outcome, check.run !== undefined) : NO_FINDINGS;
}

/** Whether two findings are the same. */
export function sameFindings(a: Findings, b: Findings): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
