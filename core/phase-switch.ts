/**
 * One phase or three: a charger that can be switched charges on one where three leave less than the minimum. It is switched
 * at rest only: stop, see it stopped, tell it, see it switched, pause, start. From the moment it is told until it says that it
 * is on one phase, all of its phases are reserved (S4; full power meanwhile trips breakers: EVerest#1038).
 */
import { booked } from './booked.ts';
import { isSilent } from './charger-draw.ts';
import { type ChargerTrack, forgetPhases, isOnOnePhase, type PhaseCount, phasesOf } from './charger-track.ts';
import type { Controller } from './controller.ts';
import { REPORT_SKEW_S } from './house-load.ts';
import type { Part } from './part.ts';
import { type Round, type Solution, seen, solved } from './plan.ts';
import { EPSILON_A, type Phase, perPhase, phaseIndex } from './units.ts';

/** Between the switch and the start, s: the vehicle must see the pilot signal at rest. */
export const SWITCH_PAUSE_S = 30;
/** How long three phases must have had no room, and one phase some, before it goes to one, s. */
const TO_ONE_S = 180;
/** How long three phases must have had room before it goes back, s, and how much beyond the minimum, A. */
const TO_THREE_S = 300;
const TO_THREE_A = 1;
/** The least time between two switches with a vehicle, s. */
const BETWEEN_S = 600;
/** A vehicle that has not stopped, or a charger that was told and has not switched, after this long will not, s. */
const STOPS_WITHIN_S = 120;
const SWITCHES_WITHIN_S = 60;
/** Below this nothing flows, A. */
const REST_A = 1;

/** Takes a switch that is under way further, at `now` (ms). */
export function advanceSwitch(controller: Controller, track: ChargerTrack, now: number): void {
  const { phaseSwitch, report } = track;
  if (!phaseSwitch) return;
  const { to, toldAt, until } = phaseSwitch;
  const told = toldAt !== undefined;
  if (isSilent(track, controller.options.chargerSilentSeconds, now) || report?.stoppedBy) {
    // It is told nothing now: a switch that it may have heard of stays open, another one is off.
    if (told) phaseSwitch.until = now + SWITCHES_WITHIN_S * 1000;
    else track.phaseSwitch = undefined;
  } else if (countOf(track) === to) {
    track.phaseSwitch = undefined;
    track.switchedAt = now;
  } else if (now > until) {
    track.phaseSwitch = undefined;
    track.phasesDoubted = told;
  } else if (!told && isAtRest(controller, track)) {
    track.phaseSwitch = { to, toldAt: now, until: now + SWITCHES_WITHIN_S * 1000 };
    forgetPhases(track, now);
  }
}

/** Whether a report from after every lag shows that the vehicle has stopped. */
function isAtRest({ options }: Controller, track: ChargerTrack): boolean {
  const settled = track.stoppedAt + (options.vehicleLagSeconds + REPORT_SKEW_S) * 1000;
  const draw = Math.max(...(track.report?.current ?? [0]));
  return track.setpoint === 0 && track.report?.offer === 0 && draw < REST_A && track.reportAt > settled;
}

/** Begins to switch whoever has wanted it for long enough, after set-points were chosen. */
export function choosePhases(round: Round, proven: Solution): void {
  const parts = round.parts.filter((p) => p.track.config.phaseSwitching && p.track.config.rotation.length === 3);
  for (const part of parts) {
    const { track, patience } = part;
    const to = track.phaseSwitch || !maySwitch(round, part) ? undefined : wantedCount(round, part, proven);
    if (to === undefined || to === countOf(track)) patience.otherPhasesSince = undefined;
    else {
      patience.otherPhasesSince ??= round.now;
      const proof = to === 3 && track.report?.state !== 'A' ? TO_THREE_S : TO_ONE_S;
      if (round.now - patience.otherPhasesSince >= proof * 1000)
        track.phaseSwitch = { to, until: round.now + STOPS_WITHIN_S * 1000 };
    }
  }
}

/** On how many phases the charger is, or may be. */
function countOf(track: ChargerTrack): PhaseCount {
  return track.report?.phasesConfigured ?? 3;
}

function maySwitch({ controller, circuits, now }: Round, { track, path, role }: Part): boolean {
  if (role === 'fixed' || role === 'out' || track.disobeys || track.phasesDoubted || track.phasesSuspect) return false;
  if (isSilent(track, controller.options.chargerSilentSeconds, now)) return false;
  const withVehicle = track.switchedAt >= (track.pluggedSince ?? Number.NEGATIVE_INFINITY);
  if (withVehicle && now - track.switchedAt < BETWEEN_S * 1000) return false;
  return path.every((c) => c.trust === 'fresh' && c.track.backstop === 'none' && seen(circuits, c));
}

/** On how many phases it gets most; undefined where that makes no difference now. */
function wantedCount(round: Round, part: Part, proven: Solution): PhaseCount | undefined {
  const { track, role, cap } = part;
  const { config, provenPhases } = track;
  const one = () => roomOn(round, part, config.rotation.slice(0, 1));
  // Whoever comes next may use all.
  if (track.report?.state === 'A') return 3;
  if (role !== 'active' || cap < config.min || isHeld(round, part)) return undefined;
  if (!isOnOnePhase(track)) {
    const charges = (track.setpoint ?? 0) > 0 || solved(proven, config.id).current >= config.min - EPSILON_A;
    return charges || provenPhases?.length === 1 || one() < config.min ? undefined : 1;
  }
  if (othersWait(round, part)) return undefined;
  const all = roomOn(round, part, config.rotation);
  return all >= config.min + TO_THREE_A && all * config.rotation.length > one() ? 3 : undefined;
}

/** Whether the policy gives it nothing now, however much there is. */
function isHeld({ places }: Round, { track }: Part): boolean {
  const { id, min } = track.config;
  return (places.get(id)?.max ?? min) < min;
}

/** What is free for a charger on some phases beside what the others hold, but for one that would give way, A. */
function roomOn({ controller, parts }: Round, part: Part, phases: readonly Phase[], without?: Part): number {
  const { path, cap } = part;
  const others = booked(
    controller,
    parts.filter((p) => p !== part && p !== without),
  );
  let most = cap;
  for (const { track, limit, limits, load } of path) {
    const held = others.get(track.config.id) ?? [0, 0, 0];
    const sum = held[0] + held[1] + held[2];
    most = Math.min(most, (limits.power / controller.site.voltage - sum) / phases.length);
    for (const p of phases.map(phaseIndex))
      most = Math.min(most, Math.min(limit[p] - load.high[p], limits.current[p]) - held[p]);
    const { maxUnbalance } = track.config;
    if (maxUnbalance === undefined || phases.length > 1) continue;
    const total = perPhase((p) => load.high[p] + held[p]);
    most = Math.min(most, Math.min(...total) + maxUnbalance - total[phaseIndex(phases[0])]);
  }
  return most;
}

/** Whether somebody waits who could have its minimum if this one gave way: then what is free is not for a second phase. */
function othersWait(round: Round, part: Part): boolean {
  return round.parts.some((other) => {
    if (other === part || other.role !== 'active' || other.wanted > 0 || isHeld(round, other)) return false;
    if (!other.path.some((c) => part.path.includes(c))) return false;
    return roomOn(round, other, phasesOf(other.track), part) >= other.track.config.min;
  });
}
