/**
 * Sessions from what a charger reports. Its own counter tells the energy, as it counts on while nobody listens; its register
 * shows whether that counter has begun anew meanwhile. Pure: the clock is an argument (epoch ms).
 */
import { checkNumber, checkOptional } from '../checked.ts';
import { book, NOISE_WH } from './count.ts';
import type { ChargerTrack, EndCause, Heard, OpenSession, Session, SessionReport, SessionWorld } from './model.ts';
import { priced } from './prices.ts';
import { coarse, type Empty, HOUR_MS, MOST_W, missed, missedSession, tolerance } from './register.ts';

/** A charger that was not heard for longer was out of reach. */
const SILENCE_MS = 60_000;
/** A counter that reads less is believed when it still does after this time: values of one moment may come one by one. */
const CONFIRM_MS = 10_000;
const MOST_WH = 1e7;
/** A session that was found going on began at most so long ago. */
const LONGEST_GUESS_MS = 86_400_000;

/** Books a report. @throws RangeError for a value that cannot be; then nothing has changed. */
export function hearCharger(
  track: ChargerTrack,
  charger: string,
  report: SessionReport,
  now: number,
  world: SessionWorld,
): Heard {
  check(charger, report);
  const unchanged = { track, ended: [], began: false };
  // What a charger said before it was lost tells nothing of now.
  if (!report.online) return unchanged;
  const { open } = track;
  if (!open) return hearEmpty(track, charger, report, now, world);
  const { progress } = open;
  if (otherTransaction(open, report)) return replace(open, report, now, now, world);
  const fell = report.energy < open.counter - NOISE_WH;
  if (fell && !fellForSure(open, report, now)) return { ...unchanged, track: { ...track, open: noticed(open, now) } };
  const unheard = open.resumed === true || now - progress.heardAt > SILENCE_MS;
  const anew = fell || (unheard && beganAnew(open, report));
  // A counter of which nothing is this session's only lets go of the vehicle before.
  if (anew && tookSomething(open, report, unheard, now))
    return replace(open, report, open.back?.since ?? now, now, world);
  checkGrowth(open, report, now);
  const { back: _, resumed: __, ...before } = open;
  const { settled: booked, earlier } = settle(book(before, report, anew, now, world), report, now, world);
  if (report.state !== 'A') return { track: { open: booked }, ended: earlier, began: false };
  const gone = now - progress.heardAt > SILENCE_MS;
  const ended = gone
    ? finish(booked, leftAt(open, booked.energy - open.energy, now), 'unheard', world)
    : finish(booked, now, progress.cause ?? 'unplugged', world);
  return { track: { idle: idleOf(report, now) }, ended: [...earlier, leaving(ended, report)], began: false };
}

function check(charger: string, report: SessionReport): void {
  checkNumber(`charger ${charger}.energy`, report.energy, 0, MOST_WH);
  checkNumber(`charger ${charger}.power`, report.power, -MOST_W * 10, MOST_W * 10);
  checkNumber(`charger ${charger}.offer`, report.offer, 0);
  checkOptional(`charger ${charger}.register`, report.register, 0);
}

/** A jump that no vehicle can have taken since the last report is refused, until enough time has passed for it. */
function checkGrowth({ charger, counter, progress }: OpenSession, report: SessionReport, now: number): void {
  if (!progress.moved) return;
  const most = counter + (MOST_W * (Math.max(0, now - progress.heardAt) + SILENCE_MS)) / HOUR_MS;
  checkNumber(`charger ${charger}.energy`, report.energy, 0, most);
}

function hearEmpty(
  track: ChargerTrack,
  charger: string,
  report: SessionReport,
  now: number,
  world: SessionWorld,
): Heard {
  if (report.state === 'A') return stillEmpty(track, charger, report, now, world);
  // A fault alone is no vehicle.
  if (report.state === 'E' || report.state === 'F') return { track, ended: [], began: false };
  const { idle } = track;
  const counted = claim(report, idle);
  // Not at the moment at which one that was missed may have begun.
  const open = begin(charger, report, counted, idle ? idle.at + 2 : 0, now, world);
  const empty = unwatched(idle, now);
  if (empty) open.progress.empty = empty;
  return { track: { open }, ended: [], began: true };
}

/** When the charger was last known to be empty, where somebody may have come and gone since, and its register tells. */
function unwatched(idle: ChargerTrack['idle'], now: number): Empty | undefined {
  if (idle?.register === undefined || now - idle.at <= SILENCE_MS) return undefined;
  return { at: idle.at, register: idle.register };
}

/** The charger is empty, and was when it was last heard. */
function stillEmpty(
  track: ChargerTrack,
  charger: string,
  report: SessionReport,
  now: number,
  world: SessionWorld,
): Heard {
  const { idle } = track;
  const empty = unwatched(idle, now);
  const [quiet, next] = [{ ended: [], began: false }, idleOf(report, now)];
  if (!idle || !empty) return { ...quiet, track: { idle: next } };
  const { register } = report;
  // What has just started may know the state first.
  if (register === undefined) return { ...quiet, track };
  const energy = missed(empty, register, 0, now);
  if (energy === 0) return { ...quiet, track: { idle: next } };
  const since = idle.more?.since ?? now;
  if (now - since < CONFIRM_MS) return { ...quiet, track: { idle: { ...idle, more: { since } } } };
  // The counter is finer where the register has large steps.
  const agree = Math.abs(report.energy - energy) <= tolerance(empty.register, register, energy, 0);
  const left = { counter: report.energy, register };
  const session = missedSession(charger, empty, since, agree ? report.energy : energy, left, world);
  return { track: { idle: next }, ended: [session], began: false };
}

/** Looks once, when all values are there, whether a session before this one was missed. */
function settle(
  open: OpenSession,
  { register, state }: SessionReport,
  now: number,
  world: SessionWorld,
): { settled: OpenSession; earlier: Session[] } {
  const { empty, ...progress } = open.progress;
  if (!empty || register === undefined) return { settled: open, earlier: [] };
  const seenAt = empty.seenAt ?? now;
  if (state !== 'A' && now - seenAt < CONFIRM_MS)
    return { settled: { ...open, progress: { ...progress, empty: { ...empty, seenAt } } }, earlier: [] };
  const energy = missed(empty, register, open.energy, now);
  const left = { counter: open.counter, register };
  const earlier = energy > 0 ? [missedSession(open.charger, empty, open.start, energy, left, world)] : [];
  return { settled: { ...open, progress }, earlier };
}

function idleOf({ energy, register }: SessionReport, at: number): ChargerTrack['idle'] {
  return { at, counter: energy, ...(register === undefined ? {} : { register }) };
}

/** With what the empty charger counts after it, which is all that is on the disk of the time until the next one. */
function leaving({ register: _, ...session }: Session, { energy, register }: SessionReport): Session {
  return { ...session, counter: energy, ...(register === undefined ? {} : { register }) };
}

/** `counted` Wh have flowed already; `notBefore`: the charger was empty then. */
function begin(
  charger: string,
  report: SessionReport,
  counted: number,
  notBefore: number,
  now: number,
  world: SessionWorld,
): OpenSession {
  const { energy: counter, register, user, session: transaction } = report;
  const power = Math.max(0, report.power);
  // What has flowed took its time.
  const took = power > 0 ? (counted / power) * HOUR_MS : 0;
  const since = Math.max(now - Math.min(took, LONGEST_GUESS_MS), notBefore);
  const start = Math.round(Math.min(now, since));
  const { cost, energy: pricedEnergy } = priced(counted, start, now, world.prices);
  return {
    id: `${charger}-${start}`,
    charger,
    ...(user ? { user } : {}),
    start,
    startOffset: world.offset(start),
    energy: counted,
    chargingMs: Math.round(now - start),
    peakPower: power,
    cost,
    pricedEnergy,
    ...(world.currency ? { currency: world.currency } : {}),
    counter,
    ...(register === undefined ? {} : { register }),
    progress: {
      heardAt: now,
      power,
      counted,
      moved: false,
      ...(register === undefined ? {} : { registerStart: register }),
      integrated: 0,
      ...(transaction ? { transaction } : {}),
    },
  };
}

/** Wh of the counter that are this vehicle's: a counter that goes on from the vehicle before counts from there. */
function claim({ energy, register }: SessionReport, idle: ChargerTrack['idle']): number {
  if (!idle || energy < idle.counter - NOISE_WH) return energy;
  const since = Math.max(0, energy - idle.counter);
  const goesOn =
    register !== undefined && idle.register !== undefined
      ? Math.abs(register - idle.register - since) <= tolerance(idle.register, register, since, 0)
      : since <= NOISE_WH;
  return goesOn ? since : energy;
}

function otherTransaction({ progress }: OpenSession, { session }: SessionReport): boolean {
  return progress.transaction !== undefined && session !== undefined && session !== progress.transaction;
}

function noticed(open: OpenSession, now: number): OpenSession {
  return open.back ? open : { ...open, back: { since: now } };
}

/** Whether a counter that reads less has begun anew: what else is told agrees, or it has read so for a while. */
function fellForSure(open: OpenSession, report: SessionReport, now: number): boolean {
  const whole = !open.resumed && (report.register !== undefined || open.register === undefined);
  const cleared = report.state === 'A' && whole;
  const waited = open.back !== undefined && now - open.back.since >= CONFIRM_MS;
  return cleared || waited || grewAnew(open, report);
}

/** What the counter shows has flowed through the register since it showed more: it has begun anew, and no value is missing. */
function grewAnew({ register, progress }: OpenSession, report: SessionReport): boolean {
  if (register === undefined || report.register === undefined) return false;
  const { energy } = report;
  const differ = tolerance(register, report.register, energy, Math.max(progress.power, report.power, 0));
  return energy > differ && report.register - register >= energy - differ;
}

/** More went through the register than through the counter: that one has begun anew in between. */
function beganAnew({ counter, register, progress }: OpenSession, report: SessionReport): boolean {
  if (register === undefined || report.register === undefined) return false;
  const counted = report.energy - counter;
  const power = Math.max(progress.power, report.power, 0);
  return report.register - register - counted > tolerance(register, report.register, Math.max(0, counted), power);
}

/** The counter has begun anew: another vehicle, or another session of the same. `since`: when that was noticed. */
function replace(open: OpenSession, report: SessionReport, since: number, now: number, world: SessionWorld): Heard {
  const unheard = open.resumed === true || since - open.progress.heardAt > SILENCE_MS;
  const rest = remainder(open, report, unheard, since);
  const end = unheard ? leftAt(open, rest, since) : since;
  const { cost, energy } = priced(rest, open.progress.heardAt, end, world.prices);
  const whole: OpenSession = {
    ...open,
    energy: open.energy + rest,
    chargingMs: open.chargingMs + (rest > 0 ? Math.max(0, end - open.progress.heardAt) : 0),
    cost: open.cost + cost,
    pricedEnergy: open.pricedEnergy + energy,
  };
  const empty = report.state === 'A' && report.energy <= NOISE_WH;
  const cause = empty && !unheard ? (open.progress.cause ?? 'unplugged') : 'unheard';
  const last = finish(whole, end, cause, world);
  if (empty) return { track: { idle: idleOf(report, now) }, ended: [leaving(last, report)], began: false };
  const ended = [last];
  // What the counter holds now is all of the next session's, which may be over, too.
  const next = begin(open.charger, report, report.energy, end, now, world);
  if (report.state !== 'A') return { track: { open: next }, ended, began: true };
  return { track: { idle: idleOf(report, now) }, ended: [...ended, finish(next, now, 'unheard', world)], began: false };
}

/** Wh that the session before still got after it was last heard, by the register. */
function remainder({ register, progress }: OpenSession, report: SessionReport, unheard: boolean, at: number): number {
  if (register === undefined || report.register === undefined) return 0;
  if (!unheard && coarse(register, report.register)) return 0;
  const most = (MOST_W * Math.max(0, at - progress.heardAt)) / HOUR_MS;
  return Math.min(most, Math.max(0, report.register - register - report.energy));
}

/** Whether the vehicle of this session took anything before the counter began anew, as far as is known. */
function tookSomething(open: OpenSession, report: SessionReport, unheard: boolean, now: number): boolean {
  const { register = 0, progress } = open;
  const rest = remainder(open, report, unheard, now);
  return progress.counted > 0 || rest > tolerance(register, report.register ?? 0, report.energy, progress.power);
}

/** When a vehicle that was not seen leaving had what it got: it left then or later. */
function leftAt({ progress, peakPower }: OpenSession, energy: number, now: number): number {
  const power = progress.power || peakPower;
  if (!(energy > 0)) return Math.min(now, progress.heardAt);
  return power > 0 ? Math.min(now, progress.heardAt + (energy / power) * HOUR_MS) : now;
}

function finish(session: OpenSession, at: number, endedBy: EndCause, world: SessionWorld): Session {
  const { progress: _, back: __, resumed: ___, ...told } = session;
  const end = Math.round(Math.max(at, session.start));
  const chargingMs = Math.min(told.chargingMs, end - session.start);
  return { ...told, chargingMs, end, endOffset: world.offset(end), endedBy };
}
