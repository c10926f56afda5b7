/**
 * One charger is taken from nothing to some amperes above its minimum, down to the minimum, and to nothing: once up, as it starts
 * on every day, and down both ways that safety depends on, less current and none. (More steps up show no more; a meter that does
 * not show two of them is not believed by S13, and the rest could not be seen.) Each phase of each meter on its path is compared
 * with what the charger itself reports, from one level to the next: what the house does meanwhile spoils one comparison, not all.
 */
import type { MeterTrack, Sample } from '../meter-track.ts';
import type { ChargerConfig } from '../site.ts';
import { type PerPhase, PHASE_INDICES, PHASES, type Phase, perPhase, phaseIndex } from '../units.ts';
import { disobedience } from '../watch.ts';
import { noEvidence, pairOf, showsOf } from './evidence.ts';
import { drawOf, type HeardCharger, holdOf, isOffline, type Told, type Window, windowOf } from './heard.ts';
import { type ChargerEvidence, metersAbove, type Reaction, type Sentence, SWING_A } from './model.ts';
import { type ChargerStage, type CheckState, chargerConfig, type Level, mostOf, type Run } from './state.ts';

/** How far above its minimum a charger is taken, A: what must show (S13). */
const STEP_A = 4;
/** Rounds at most, where the house is restless. */
const ROUNDS = 4;
/** From here on a vehicle draws, A. */
const DRAWS_A = 1;
/** A draw that has fallen by this has followed a lower set-point, A. */
const LESS_A = 1;
/** A draw that stays within this has come to rest, A. */
const REST_A = 0.5;
/** As near to its set-point a vehicle has arrived, A; any other is waited for as long as it may lag, and this on top, ms. */
const ARRIVED_A = 1;
const AFTER_LAG_MS = 2000;
const SKEW_MS = 1000;
const REST_MS = 4000;
/** A vehicle that has not come to rest, or a house, after this long does not, ms. */
const UNSTEADY_MS = 60_000;
const RESTLESS_MS = 15_000;
/** Whoever has not come down after this long does not obey, ms: five times what IEC 61851-1 gives it. */
const GIVE_UP_MS = 30_000;
/** How long the allocator may take: for a start it wants proof of room, up to two minutes, ms. */
const START_MS = 150_000;
const RAISE_MS = 30_000;
const HELD_MS = 5000;
/** A meter that was not believed before the run gets its second chance (S13) within five minutes, ms; later ones are not waited for. */
const SECOND_CHANCE_MS = 330_000;
/** A vehicle that takes nothing of an offer for this long has to be woken, ms. */
const WAKES_MS = 60_000;
const ALLOCATOR_MS = 15_000;
/** A meter of which nothing was heard for this long is left out, ms. */
const METER_MS = 15_000;
/** Reasons with which the allocator holds a charger whatever it is asked: waiting helps nobody. */
const HELD: readonly string[] = ['fallback', 'meter-silent', 'meter-found-wrong', 'backstop'];
/** A phase of a meter that shows as much of a step, but for this part of it, tells when it came. */
const TIMED_SHARE = 0.3;

export function chargerStage(id: string, onePhase: boolean, now: number): ChargerStage {
  return { kind: 'charger', id, onePhase, round: 1, index: 0, since: now, levels: [] };
}

/** The levels of a round, A. */
function goalsOf(check: CheckState, config: ChargerConfig, { least }: ChargerStage): number[] {
  const { min } = config;
  const more = Math.min(mostOf(check, config), min + STEP_A);
  return more >= min + 1 && !least ? [0, more, min, 0] : [0, min, 0];
}

/** What a charger is asked now, A; 0 while something stands in its way. */
export function goalOf(check: CheckState, stage: ChargerStage): number {
  const config = chargerConfig(check, stage.id);
  // A person may meanwhile have asked for less: then there are fewer levels.
  return (config && goalsOf(check, config, stage)[stage.index]) ?? 0;
}

/** What stands in the way of stepping a charger: a person has to do something about it. */
function obstacle(check: CheckState, config: ChargerConfig, heard: HeardCharger, now: number): Sentence | undefined {
  const { id: charger, min } = config;
  const report = heard.last;
  if (isOffline(heard, now)) return { code: 'charger-offline', args: { charger } };
  if (heard.told?.request.enabled === false) return { code: 'charger-paused', args: { charger } };
  if (report?.stoppedBy) return { code: 'charger-stopped', args: { charger } };
  if (report?.state === 'E' || report?.state === 'F') return { code: 'charger-fault', args: { charger } };
  const most = mostOf(check, config);
  if (most < min) return { code: 'charger-limited', args: { charger, limit: most, min } };
  return report?.state === 'A' ? { code: 'plug-in', args: { charger } } : undefined;
}

type Progress =
  | { is: 'level'; level: Level }
  | { is: 'waits'; for: Sentence }
  /** Nothing more can be had in this round. */
  | { is: 'end' }
  /** This round is lost. */
  | { is: 'lost'; by: Sentence }
  | { is: 'ignored' };

/** Takes the stepping of a charger further. Returns true when it is over. */
export function advanceCharger(check: CheckState, run: Run, stage: ChargerStage, now: number): boolean {
  const config = chargerConfig(check, stage.id);
  const heard = check.chargers.get(stage.id);
  if (!config) return true;
  if (!heard?.told) {
    stage.waits = { code: 'no-allocator', args: {} };
    return false;
  }
  const evidence = evidenceOf(run, stage.id);
  const blocked = obstacle(check, config, heard, now);
  if (blocked) {
    if (stage.levels.length > 1) run.note = { code: 'vehicle-left', args: { charger: stage.id } };
    evidence.hindered = blocked;
    Object.assign(stage, { waits: blocked, index: 0, since: now, levels: [], given: false });
    return false;
  }
  const progress = levelNow(check, run, stage, config, heard, now);
  stage.waits = progress.is === 'waits' ? progress.for : undefined;
  if (progress.is === 'ignored') {
    const { setpoint } = heard.told;
    evidence.ignored = { setpoint, offer: heard.last?.offer ?? 0, current: drawOf(heard.last) };
    return true;
  }
  if (progress.is === 'lost') {
    if (progress.by.code === 'no-room') stage.least = true;
    return nextRound(check, run, stage, progress.by, now);
  }
  if (progress.is === 'level') {
    book(check, evidence, heard, stage.levels.at(-1), progress.level);
    stage.levels.push(progress.level);
    Object.assign(stage, { since: now, index: stage.index + 1, given: false });
  }
  const over = progress.is === 'end' || stage.index >= goalsOf(check, config, stage).length;
  return over && finishRound(check, run, stage, config, heard, now);
}

export function evidenceOf(run: Run, id: string): ChargerEvidence {
  run.evidence.chargers[id] ??= noEvidence();
  return run.evidence.chargers[id];
}

function finishRound(
  check: CheckState,
  run: Run,
  stage: ChargerStage,
  config: ChargerConfig,
  heard: HeardCharger,
  now: number,
): boolean {
  const evidence = evidenceOf(run, stage.id);
  const charger = stage.id;
  if (isDecided(check, evidence, config, stage.onePhase)) {
    evidence.hindered = undefined;
    run.note = undefined;
    return true;
  }
  const reason = heard.told?.reason;
  if (reason && HELD.includes(reason.code)) {
    evidence.hindered = { code: 'no-room', args: { charger, reason: reason.text } };
    return true;
  }
  return nextRound(check, run, stage, { code: 'restless', args: { charger } }, now);
}

function nextRound(check: CheckState, run: Run, stage: ChargerStage, note: Sentence, now: number): boolean {
  run.note = note;
  evidenceOf(run, stage.id).hindered = note;
  if (stage.round >= ROUNDS || !chargerConfig(check, stage.id)) return true;
  Object.assign(stage, { round: stage.round + 1, index: 0, since: now, levels: [], given: false });
  return false;
}

/** Whether every phase of every meter on the path says something of the phases that are in use. */
function isDecided(check: CheckState, evidence: ChargerEvidence, config: ChargerConfig, onePhase: boolean): boolean {
  const groups = Object.values(evidence.groups).filter((g) => !onePhase || g.reported.length === 1);
  return (
    groups.length > 0 &&
    groups.every(({ pairs }) =>
      metersAbove(check.site, config.circuit).every(({ id, phases }) => {
        if (!pairs[id]) return true;
        const shows = showsOf(pairs[id], check.site.voltage);
        return phases.every((p) => shows[phaseIndex(p)] !== undefined);
      }),
    )
  );
}

/** Where the present level stands. */
function levelNow(
  check: CheckState,
  run: Run,
  stage: ChargerStage,
  config: ChargerConfig,
  heard: HeardCharger,
  now: number,
): Progress {
  const charger = stage.id;
  const goal = goalOf(check, stage);
  const { setpoint, reason } = heard.told as Told;
  const waited = now - stage.since;
  const drew = stage.levels.some((level) => level.reported.length > 0);
  const asked = Math.max(stage.since, heard.setpointSince);
  const seconds = Math.round(waited / 1000);
  const watching: Progress = { is: 'waits', for: { code: 'stepping', args: { charger, current: goal, seconds } } };
  if (setpoint > goal) {
    return waited > ALLOCATOR_MS ? { is: 'waits', for: { code: 'no-allocator', args: {} } } : watching;
  }
  if (setpoint < goal) {
    const held = HELD.includes(reason.code);
    const patience = held ? HELD_MS : setpoint > 0 ? RAISE_MS : START_MS;
    const roomless = { is: 'waits' as const, for: { code: 'no-room', args: { charger, reason: reason.text } } };
    // It was given, and taken back before it could be seen: less may last.
    if (setpoint === 0 && stage.given) return { is: 'lost', by: roomless.for };
    if (waited < patience) return setpoint === 0 && waited > ALLOCATOR_MS ? roomless : watching;
    const hopeless = held && now - run.startedAt > SECOND_CHANCE_MS;
    if (setpoint === 0) return drew || hopeless ? { is: 'end' } : roomless;
  }
  stage.given = setpoint > 0;
  const draw = drawOf(heard.last);
  if (draw > setpoint + (setpoint > 0 ? disobedience(setpoint) : DRAWS_A)) {
    return now - asked > GIVE_UP_MS ? { is: 'ignored' } : watching;
  }
  if (setpoint > 0 && draw < DRAWS_A) {
    if (now - asked < WAKES_MS) return watching;
    const sleeps: Sentence = { code: 'no-draw', args: { charger, current: setpoint } };
    return drew ? { is: 'lost', by: sleeps } : { is: 'waits', for: sleeps };
  }
  const level = steadyLevel(check, config, heard, setpoint, asked, now);
  if (level) return { is: 'level', level };
  return now - asked > UNSTEADY_MS ? { is: 'lost', by: { code: 'vehicle-restless', args: { charger } } } : watching;
}

/** The level at which a charger and all that its meters show have come to rest since `asked`; undefined until then. */
function steadyLevel(
  check: CheckState,
  config: ChargerConfig,
  heard: HeardCharger,
  setpoint: number,
  asked: number,
  now: number,
): Level | undefined {
  const arrived = Math.abs(drawOf(heard.last) - setpoint) <= ARRIVED_A;
  const settled = asked + (arrived ? SKEW_MS : check.options.vehicleLagSeconds * 1000 + AFTER_LAG_MS);
  const reports = heard.reports.filter((r) => r.at >= settled);
  const last = reports.at(-1);
  if (!last) return undefined;
  const near = (current: PerPhase) => current.every((a, p) => Math.abs(a - last.input.current[p]) <= REST_A);
  const rest = reports.slice(reports.findLastIndex((r) => !near(r.input.current)) + 1);
  const [first] = rest;
  if (last.at - first.at < REST_MS) return undefined;
  const windows = new Map<string, Window>();
  for (const { id, phases } of metersAbove(check.site, config.circuit)) {
    const meter = check.meters.get(id);
    if (!meter || now - meter.heardAt > METER_MS) continue;
    // What a meter tells when the report comes may have been measured a moment before.
    const to = last.at + SKEW_MS;
    const view = windowOf(meter, phases, Math.max(first.at + SKEW_MS, to - holdOf(meter)), to);
    const quiet = view && phases.every((p) => view.quiet[phaseIndex(p)]);
    if (!view || (!quiet && last.at - first.at < RESTLESS_MS)) return undefined;
    windows.set(id, view);
  }
  const current = perPhase((p) => rest.reduce((sum, r) => sum + r.input.current[p], 0) / rest.length);
  return { setpoint, current, reported: phasesOver(current), windows };
}

function phasesOver(current: PerPhase): Phase[] {
  return PHASES.filter((p) => current[phaseIndex(p)] > DRAWS_A);
}

/** Books a level, and what it says together with the one before. */
function book(
  check: CheckState,
  evidence: ChargerEvidence,
  heard: HeardCharger,
  before: Level | undefined,
  level: Level,
): void {
  const { setpoint, current, windows } = level;
  const meters = Object.fromEntries([...windows].map(([id, { mean }]) => [id, mean]));
  evidence.levels.push({ setpoint, current, meters });
  if (setpoint > 0) evidence.deviation = Math.max(evidence.deviation ?? -setpoint, Math.max(...current) - setpoint);
  if (!before) return;
  const reported = level.reported.length > 0 ? level.reported : before.reported;
  const both = level.reported.length > 0 && before.reported.length > 0;
  // On other phases than before, nothing can be compared.
  if (reported.length === 0 || (both && level.reported.join() !== before.reported.join())) return;
  const swing = reported.reduce((sum, p) => sum + change(before, level, p), 0) / reported.length;
  if (level.setpoint < before.setpoint && swing <= -LESS_A)
    evidence.reactions.push(reactionOf(check, heard, before, level, swing));
  if (Math.abs(swing) < SWING_A) return;
  const key = reported.join(' ');
  evidence.groups[key] ??= { reported, pairs: {} };
  const { pairs } = evidence.groups[key];
  for (const [id, after] of windows) {
    const from = before.windows.get(id);
    if (!from) continue;
    pairs[id] ??= [];
    pairs[id].push(pairOf(from, after, swing));
  }
}

function change(before: Level, after: Level, p: Phase): number {
  return after.current[phaseIndex(p)] - before.current[phaseIndex(p)];
}

/**
 * How long a charger took to come down: it was still up when it was last seen so, and down when it was first seen down; by its
 * own reports and by whatever phase of a meter shows the whole step.
 */
function reactionOf(check: CheckState, heard: HeardCharger, before: Level, after: Level, swing: number): Reaction {
  const from = heard.setpointSince;
  const draws = heard.reports.map((r) => ({ at: r.at, value: drawOf(r.input) }));
  const bounds = [boundsOf(draws, from, Math.max(...before.current), Math.max(...after.current))];
  for (const [id, { mean }] of after.windows) {
    const earlier = before.windows.get(id)?.mean;
    const samples = check.meters.get(id)?.current.samples;
    for (const p of earlier && samples ? PHASE_INDICES : []) {
      const step = Math.abs(mean[p] - (earlier as PerPhase)[p]);
      if (Math.abs(step + swing) > TIMED_SHARE * -swing) continue;
      bounds.push(boundsOf((samples as MeterTrack['samples'])[p], from, (earlier as PerPhase)[p], mean[p]));
    }
  }
  const most = Math.min(...bounds.map((b) => b.most));
  const least = Math.min(most, Math.max(...bounds.map((b) => b.least)));
  return { from: before.setpoint, to: after.setpoint, least, most };
}

/** When what was at `before` was last seen nearer to it than to `after`, and when it first was at `after` for good, s after `from`. */
function boundsOf(samples: readonly Sample[], from: number, before: number, after: number) {
  const since = samples.filter((s) => s.at > from);
  const up = since.findLastIndex(({ value }) => Math.abs(value - before) < Math.abs(value - after));
  const seconds = (at: number) => (at - from) / 1000;
  return {
    least: up < 0 ? 0 : seconds(since[up].at),
    most: up + 1 < since.length ? seconds(since[up + 1].at) : Number.POSITIVE_INFINITY,
  };
}
