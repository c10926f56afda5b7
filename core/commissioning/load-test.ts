/**
 * A known load, switched on and off by hand on one phase: what a meter shows of it proves order and sign of its current
 * transformers without any charger. Meters nearer to the root see it, too.
 */
import { type PerPhase, PHASE_INDICES, type PhaseIndex, phaseIndex } from '../units.ts';
import { meanChange, pairOf, showOf } from './evidence.ts';
import { holdOf, type Window, windowOf } from './heard.ts';
import { type CheckedMeter, LOAD_A, LOAD_SEEN_A, metersAbove, metersOf, type Sentence } from './model.ts';
import type { CheckState, Clear, LoadStage, Run } from './state.ts';

/** Beside the load the house may move by so much of it. */
const OTHERS_SHARE = 0.4;
/** On and off agree within this part of the larger. */
const AGREE_SHARE = 0.3;
/** The house before the load is followed as long as no phase has moved by this, A. */
const FOLLOWED_A = 2;
/** What does not come to rest is taken as it is after this, ms. */
const RESTLESS_MS = 15_000;
const TRIES = 3;
/** A meter that is not heard for this long at its turn is silent, ms. */
const AWAITED_MS = 15_000;

export function loadStage(run: Run, meter: string, phase: LoadStage['phase'], now: number): LoadStage {
  const part = run.loadOn ? 'reset' : 'settle';
  return { kind: 'load', meter, phase, part, since: now, tries: 0, base: new Map(), on: new Map() };
}

/** The next press of a person: the load is on, or off. */
export function loadSwitched(run: Run, stage: LoadStage, now: number): void {
  const next = ({ reset: 'settle', on: 'on-measure', off: 'off-measure' } as const)[stage.part as string];
  if (!next) return;
  run.loadOn = next === 'on-measure';
  Object.assign(stage, { part: next, since: now });
}

/** Takes a load test further. Returns true when it is over. */
export function advanceLoad(check: CheckState, run: Run, stage: LoadStage, now: number): boolean {
  if (stage.part === 'reset') return false;
  const meters = watched(check, stage);
  if (stage.part === 'settle' && isSilentNow(check, stage.meter, now)) {
    if (now - stage.since < AWAITED_MS) return false;
    if (!run.evidence.silent.includes(stage.meter)) run.evidence.silent.push(stage.meter);
    return true;
  }
  const views = viewsOf(check, meters, stage.part.endsWith('measure') ? stage.since : 0, now);
  const own = views.get(stage.meter);
  if (!own) return false;
  const rest = quiet(own, meters[0]) || now - stage.since > RESTLESS_MS;
  if (stage.part === 'settle') {
    if (rest) Object.assign(stage, { part: 'on', since: now, base: views });
  } else if (stage.part === 'on' || stage.part === 'off') {
    follow(stage, views, meters);
  } else if (rest) {
    return stage.part === 'on-measure' ? measureOn(run, stage, views, now) : measureOff(check, run, stage, views, now);
  }
  return false;
}

/** The tested meter first, then those above it. */
function watched(check: CheckState, { meter }: LoadStage): CheckedMeter[] {
  const own = metersOf(check.site).find((m) => m.id === meter) as CheckedMeter;
  return [own, ...metersAbove(check.site, own.circuit.id).filter((m) => m.id !== meter)];
}

function isSilentNow(check: CheckState, meter: string, now: number): boolean {
  return now - (check.meters.get(meter)?.heardAt ?? Number.NEGATIVE_INFINITY) > AWAITED_MS;
}

function viewsOf(check: CheckState, meters: readonly CheckedMeter[], since: number, now: number): Map<string, Window> {
  const views = new Map<string, Window>();
  for (const { id, phases } of meters) {
    const heard = check.meters.get(id);
    const from = heard && now - holdOf(heard);
    const view = heard && from !== undefined && from >= since && windowOf(heard, phases, from, now);
    if (view) views.set(id, view);
  }
  return views;
}

function quiet(view: Window, { phases }: CheckedMeter): boolean {
  return phases.every((p) => view.quiet[phaseIndex(p)]);
}

/** Until the load is switched, what the house does meanwhile does not count. */
function follow(stage: LoadStage, views: ReadonlyMap<string, Window>, meters: readonly CheckedMeter[]): void {
  const view = views.get(stage.meter);
  const base = stage.base.get(stage.meter);
  if (!view || !base || !quiet(view, meters[0])) return;
  if (PHASE_INDICES.some((p) => Math.abs(view.mean[p] - base.mean[p]) >= FOLLOWED_A)) return;
  for (const [id, present] of views) stage.base.set(id, present);
}

/** What each meter showed of the last switching, where one phase alone has moved by enough. */
function cleared(stage: LoadStage, views: ReadonlyMap<string, Window>): Map<string, Clear> {
  const all = new Map<string, Clear>();
  for (const [id, after] of views) {
    const before = stage.base.get(id);
    if (!before) continue;
    const { change, power } = pairOf(before, after, 0);
    const channel = largest(change);
    const most = Math.abs(change[channel]);
    const alone = PHASE_INDICES.every((p) => p === channel || Math.abs(change[p]) < OTHERS_SHARE * most);
    if (most >= LOAD_SEEN_A && alone) all.set(id, { channel, change, power });
  }
  return all;
}

function largest(change: PerPhase): PhaseIndex {
  return PHASE_INDICES.reduce((most, p) => (Math.abs(change[p]) > Math.abs(change[most]) ? p : most));
}

function measureOn(run: Run, stage: LoadStage, views: Map<string, Window>, now: number): boolean {
  stage.on = cleared(stage, views);
  if (stage.on.has(stage.meter)) {
    run.note = undefined;
    Object.assign(stage, { part: 'off', since: now, base: views });
    return false;
  }
  const own = views.get(stage.meter) as Window;
  const base = stage.base.get(stage.meter) as Window;
  const unseen = PHASE_INDICES.every((p) => Math.abs(own.mean[p] - base.mean[p]) < LOAD_SEEN_A);
  const { phase } = stage;
  return again(run, stage, unseen ? { code: 'load-unseen', args: { phase, amps: LOAD_A } } : unclear(stage), now);
}

function measureOff(
  check: CheckState,
  run: Run,
  stage: LoadStage,
  views: ReadonlyMap<string, Window>,
  now: number,
): boolean {
  const off = cleared(stage, views);
  const own = agreed(stage.on.get(stage.meter), off.get(stage.meter));
  if (!own) return again(run, stage, unclear(stage), now);
  run.note = undefined;
  for (const [meter, on] of stage.on) {
    const both = agreed(on, off.get(meter));
    if (both) record(check, run, stage, meter, both.on, both.off);
  }
  return true;
}

/** Both changes on one phase, with opposite signs, and of about one size. */
function agreed(on: Clear | undefined, off: Clear | undefined): { on: Clear; off: Clear } | undefined {
  if (!on || !off || on.channel !== off.channel) return undefined;
  const [up, down] = [on.change[on.channel], -off.change[off.channel]];
  const near = Math.abs(up - down) <= AGREE_SHARE * Math.max(Math.abs(up), Math.abs(down));
  return near ? { on, off } : undefined;
}

function record(check: CheckState, run: Run, stage: LoadStage, meter: string, on: Clear, off: Clear): void {
  const { channel } = on;
  const change = meanChange(on.change, off.change);
  const size = Math.abs(change[channel]);
  const usable: [boolean, boolean, boolean] = [true, true, true];
  const pairs = [
    { swing: size, usable, ...on },
    { swing: -size, usable, ...off },
  ];
  const show = showOf(pairs, channel, check.site.voltage);
  const { phase } = stage;
  const sign = change[channel] > 0 ? (1 as const) : (-1 as const);
  run.evidence.loads = run.evidence.loads.filter((l) => l.meter !== meter || l.phase !== phase);
  run.evidence.loads.push({ meter, phase, change, channel, sign, shifted: show?.shifted === true });
}

function again(run: Run, stage: LoadStage, note: Sentence, now: number): boolean {
  stage.tries += 1;
  run.note = note;
  if (stage.tries >= TRIES) {
    const { meter, phase } = stage;
    run.evidence.loads.push({ meter, phase, change: [0, 0, 0] });
    return true;
  }
  Object.assign(stage, { part: run.loadOn ? 'reset' : 'settle', since: now });
  return false;
}

function unclear({ phase }: LoadStage): Sentence {
  return { code: 'load-unclear', args: { phase } };
}
