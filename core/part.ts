/** How each charger takes part in a round: whether it can be told anything, how much it may have at most, and why no more. */
import { isSilent } from './charger-draw.ts';
import { type ChargerTrack, phasesOf } from './charger-track.ts';
import { type CircuitPlan, type CircuitPlans, limitsOf } from './circuit-plan.ts';
import type { CircuitTrack, Controller, Patience } from './controller.ts';
import { phaseIndex } from './units.ts';

export interface Reason {
  code: string;
  args: Record<string, string | number>;
}

/** How a charger takes part now. */
export interface Part {
  track: ChargerTrack;
  patience: Patience;
  path: CircuitPlan[];
  /** `fixed`: reserved, but it cannot be told anything; `out`: gets 0 and reserves only what it draws; `standby`: what others leave. */
  role: 'active' | 'standby' | 'fixed' | 'out';
  /** It has just come back, and its meter not yet: it is told nothing but to give way. */
  waits: boolean;
  /** What it was told before a restart or a silence may run out before it is told again: then it goes to its safe current (S5). */
  untold: boolean;
  /** The most it may have now, A, and why no more. */
  cap: number;
  why?: Reason;
  /** The set-point that is to be in force after this round, A. */
  wanted: number;
}

/** By then a charger has what it is told, s. */
const TOLD_WITHIN_S = 2;
/** How long a charger that can be reached again waits for its meter, s. */
const REUNION_S = 3;
/** A vehicle that takes nothing of an offer for this long leaves it to others, s: it may take long to wake up, not to stop. */
const IDLE_S = { awaking: 120, full: 20 };
/** How often the time between two asks doubles. */
const MOST_DOUBLED = 2;
/**
 * What is offered beyond what a vehicle takes at most: enough to see that it would take more, and more than a vehicle stays below
 * its offer by nature, or each lower offer would lower its draw again.
 */
const PROBE_A = 1;
const PROBE_SHARE = 0.12;

export function partOf(controller: Controller, circuits: CircuitPlans, track: ChargerTrack, now: number): Part {
  const { config, request, report } = track;
  const patience = controller.patience.get(config.id) as Patience;
  const path = (controller.paths.get(config.id) ?? []).map((id) => circuits.get(id)).filter((c) => c !== undefined);
  const waits = waitsForMeter(track, patience, path, now);
  const part = (role: Part['role'], cap: number, code?: string, args: Reason['args'] = {}): Part => {
    const why = code ? { code, args } : undefined;
    const untold = !report?.stoppedBy && now - (track.toldAt ?? now) < TOLD_WITHIN_S * 1000;
    return { track, patience, path, role, waits, untold, cap, why, wanted: track.setpoint ?? 0 };
  };
  if (!report || track.setpoint === undefined) return part('fixed', config.max, 'not-heard');
  if (isSilent(track, controller.options.chargerSilentSeconds, now)) return part('fixed', track.setpoint, 'offline');
  if (report.stoppedBy) return part('out', 0, `stopped-${report.stoppedBy}`);
  if (request.enabled === false) return part('out', 0, 'paused');
  if (track.phaseSwitch) return part('active', 0, 'phase-switch', { phases: track.phaseSwitch.to });
  const asked = request.maxCurrent ?? config.max;
  if (asked < config.min) return part('out', 0, 'limit-below-minimum', { limit: asked, min: config.min });
  if (waits) return part('active', Math.min(track.setpoint, asked), 'meter-awaited');
  const silent = path.find((c) => c.trust === 'silent');
  if (silent) {
    const { id: circuit, meterFoundWrong } = silent.track.config;
    return part('active', 0, meterFoundWrong ? 'meter-found-wrong' : 'meter-silent', { circuit });
  }
  const stopped = path.find((c) => c.track.backstop === 'stop');
  if (stopped) return part('active', 0, 'backstop', { circuit: stopped.track.config.id });
  const fallen = path.find((c) => c.trust === 'fallback' || c.track.backstop === 'safe' || notRenewed(c.track, now));
  if (fallen)
    return part('active', Math.min(track.setpoint, config.safe, asked), 'fallback', {
      circuit: fallen.track.config.id,
    });
  if (report.state === 'A') return part('standby', Math.min(config.min, asked), 'no-vehicle');
  if (report.state === 'E' || report.state === 'F') return part('standby', Math.min(config.min, asked), 'fault');
  return part('active', Math.min(config.max, asked), asked < config.max ? 'limit-set' : undefined);
}

/**
 * Whoever was cut off together with its meter waits a moment for it before anything is given up, once in a silence of the meter. It
 * may have fallen to its safe current: what it was told before is not told again, as that may be a raise (S9).
 */
function waitsForMeter(track: ChargerTrack, patience: Patience, path: readonly CircuitPlan[], now: number): boolean {
  if (path.every((c) => c.trust === 'fresh')) patience.reunitedAt = undefined;
  else if (now - track.onlineSince < REUNION_S * 1000) patience.reunitedAt ??= now;
  return now - (patience.reunitedAt ?? Number.NEGATIVE_INFINITY) < REUNION_S * 1000 && (track.setpoint ?? 0) > 0;
}

/** Whether a source whose silence means danger did not renew its limit (S5). */
function notRenewed(circuit: CircuitTrack, now: number): boolean {
  for (const limit of circuit.limits.values()) if (limit.onExpiry === 'fallback' && limit.expiresAt <= now) return true;
  return false;
}

/**
 * Where several vehicles want current, none is offered much more than it takes: what it leaves is the others'. The offer stays a
 * little above its draw, so a vehicle that would take more shows it by taking all, and is then offered everything again.
 */
export function leaveToOthers(parts: readonly Part[], turnSeconds: number, now: number): void {
  for (const { track, patience } of parts) if (track.report?.state === 'A') forgetVehicle(patience);
  const active = parts.filter((p) => p.role === 'active' && p.cap >= p.track.config.min);
  const idle = new Set(active.filter((part) => isIdle(part, turnSeconds, now)));
  if (active.length < 2) return;
  for (const part of active) {
    const { config, vehicleMax } = part.track;
    if (idle.has(part) || part.patience.slept) {
      // One that is asked again shows that it is awake with its minimum.
      if (idle.has(part)) part.role = 'standby';
      part.cap = Math.min(config.min, part.cap);
      part.why = { code: 'idle', args: {} };
    } else if (vehicleMax !== undefined) {
      const step = config.step ?? 1;
      const most = Math.max(
        config.min,
        Math.ceil((vehicleMax + Math.max(PROBE_A, PROBE_SHARE * vehicleMax)) / step) * step,
      );
      if (most >= part.cap) continue;
      part.cap = most;
      part.why = { code: 'vehicle-maximum', args: { max: Math.round(vehicleMax * 10) / 10 } };
    }
  }
}

/** Whether a vehicle has been offered current for long and takes none. One that waits at 0 is asked again after a turn, later more rarely. */
function isIdle({ track, patience }: Part, turnSeconds: number, now: number): boolean {
  const offered = (track.setpoint ?? 0) >= track.config.min;
  const draws = Math.max(...(track.report?.current ?? [0])) >= 1;
  const asleep = track.report?.state === 'B' && !draws;
  patience.drew = offered && (draws || patience.drew === true);
  if (!asleep) {
    patience.idleSince = undefined;
    patience.asks = 0;
  } else if (!offered && patience.idleSince !== undefined) {
    const wait = turnSeconds * 2 ** Math.min(MOST_DOUBLED, patience.asks);
    if (now - track.stoppedAt >= wait * 1000) {
      patience.idleSince = undefined;
      patience.asks += 1;
    }
  } else if (offered) patience.idleSince ??= now;
  const enough = patience.drew ? IDLE_S.full : IDLE_S.awaking;
  const idle = patience.idleSince !== undefined && now - patience.idleSince >= enough * 1000;
  patience.slept = !draws && (idle || patience.slept === true);
  return idle;
}

/** What was learned of a vehicle's sleep goes with it. */
function forgetVehicle(patience: Patience): void {
  patience.idleSince = undefined;
  patience.drew = false;
  patience.slept = false;
  patience.asks = 0;
}

/** The classic rule: a source on the path asks to keep the minimum, and no limit says 0. */
export function keepsMinimum(part: Part, volts: number, now: number): boolean {
  if (part.role !== 'active' || part.cap < part.track.config.min) return false;
  const limits = part.path.map((c) => limitsOf(c.track, now));
  const phases = phasesOf(part.track);
  const { min } = part.track.config;
  const allowed = (l: ReturnType<typeof limitsOf>) =>
    l.power >= min * phases.length * volts && phases.every((p) => l.current[phaseIndex(p)] >= min);
  return limits.some((l) => l.keepMinimum) && limits.every(allowed);
}
