/** A limit on its way to a station. Pure. */
import type { StationCall } from '../station-io.ts';
import { chargingProfile, voltsFor } from './profile.ts';
import type { Rung } from './rung.ts';

export interface LimiterOptions {
  connector: number;
  min: number;
  max: number;
  safe: number;
  /** Safe current of all connectors of the station, A: what connector 0 is told. */
  safeOfAll: number;
  phases: number;
  /** s. */
  duration: number;
  renewal: number;
  /** s for which what another process told may still be in force. */
  unknownFor: number;
}

/** What the limiter has to know of its station at a moment. */
export interface Situation {
  /** It can be told something. */
  ready: boolean;
  /** There is, or may be, a transaction. */
  active: boolean;
  transactionId?: number;
  /** V; the lowest that is measured, and the nominal one. */
  voltage: number;
  nominal: number;
  phasesUsed?: number;
  /** It can be switched to one phase. */
  switches: boolean;
  /** The station's clock at least, epoch ms, and by how much later it may be, s; it has told enough to say what it is. */
  stationTime: number;
  clockSpan: number;
  clockKnown: boolean;
  /** s since the transaction began. */
  runningFor: number;
  /** s for which the vehicle has charged at least, where Relative profiles count from its begin. */
  chargedFor?: number;
  /** s; shorter than usual where the station showed that it may be. */
  duration?: number;
  /** What another process told is about to be read back: nothing in the place of the default before that. */
  readsBack: boolean;
  /** A pause is told by stopping the transaction: no profile of 0 A. */
  stopsForPause: boolean;
}

export interface Told {
  call: number;
  rung: Rung;
  limit: number;
  phases?: 1 | 3;
  at: number;
  state: 'sent' | 'accepted' | 'failed';
  /** When it was accepted, ms. */
  takenAt?: number;
  /** It may begin in the station's future. */
  later?: boolean;
  /** Until when it surely lasts once it is taken, ms; absent: until it is replaced. */
  lastsUntil?: number;
}

const TIMEOUT_S = 15;
/** A clock that is a little late is not known as such, and a profile that begins in its future is none at all, s. */
const BEGUN_S = 10;
/** Of whose begin nothing is known has charged for no longer, s. */
export const LONGEST_RUN_S = 7 * 86_400;

/** s until what is told now has run out. */
export function durationOf(options: LimiterOptions, situation: Situation): number {
  return Math.min(options.duration, situation.duration ?? options.duration);
}

/** s after which it is renewed. */
export function renewalOf(options: LimiterOptions, situation: Situation): number {
  return (options.renewal / options.duration) * durationOf(options, situation);
}

/**
 * What ends so long after the begin ends as long from now on. Nobody knows better than between two moments when that was: above the
 * safe current the later one counts, and it may end sooner (S5); what is no more than that must not end sooner (S6), and may later. s.
 */
function chargedBefore({ kind, ends }: Rung, limit: number, safe: number, situation: Situation): number {
  const { chargedFor, runningFor } = situation;
  if (kind !== 'Relative' || ends === 'none' || chargedFor === undefined) return 0;
  if (limit > safe) return Math.floor(chargedFor);
  return Math.ceil(Math.min(LONGEST_RUN_S, Math.max(chargedFor, runningFor)));
}

/** By how much earlier than now it is told to begin, s: it is told to last as much longer. */
function startedBefore({ kind }: Rung): number {
  return kind === 'Absolute' ? BEGUN_S : 0;
}

/**
 * By how much longer it is told to last, s, so that it has begun and not ended by any clock that the station may have. Above the safe
 * current it must have ended by all of them (S5).
 */
function longerBy({ kind, ends }: Rung, limit: number, safe: number, { clockSpan }: Situation): number {
  return kind === 'Absolute' && ends !== 'none' && limit <= safe ? clockSpan : 0;
}

/** s from its begin to its end, if it begins when it is told to. */
export function lastsFor(rung: Rung, options: LimiterOptions, situation: Situation): number {
  return durationOf(options, situation) + startedBefore(rung);
}

/** By how much earlier than now it may begin, s. */
export function begunBefore(rung: Rung, limit: number, { safe }: LimiterOptions, situation: Situation): number {
  if (rung.ends === 'none') return 0;
  if (rung.kind === 'Absolute') return startedBefore(rung);
  return Math.max(0, situation.runningFor - chargedBefore(rung, limit, safe, situation));
}

/** A that the station offers at most by a limit of so many A. */
export function offeredBy({ unit }: Rung, amps: number, { min }: LimiterOptions, situation: Situation): number {
  const { voltage } = situation;
  if (unit === 'A') return amps;
  return Math.ceil(((amps * voltsFor(amps, { min, ...situation })) / voltage) * 100 - 1e-6) / 100;
}

export function limitCall(told: Told, options: LimiterOptions, situation: Situation, key: string): StationCall {
  const { connector, min, safe, phases } = options;
  const { transactionId, phasesUsed, voltage, nominal, stationTime } = situation;
  const longer =
    chargedBefore(told.rung, told.limit, safe, situation) + longerBy(told.rung, told.limit, safe, situation);
  const payload = chargingProfile(told.rung, {
    connector,
    limit: told.limit,
    min,
    safe,
    duration: Math.ceil(lastsFor(told.rung, options, situation) + longer),
    transactionId,
    phases,
    phasesUsed,
    numberPhases: told.phases,
    voltage,
    nominal,
    start: stationTime - startedBefore(told.rung) * 1000,
  });
  return { type: 'call', id: told.call, action: 'SetChargingProfile', payload, lane: 'limit', key, timeout: TIMEOUT_S };
}
