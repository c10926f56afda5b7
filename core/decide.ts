/** One round of the control loop: watch, plan, and say what has to go out. */
import { isSilent } from './charger-draw.ts';
import type { ChargerRequest, PhaseCount } from './charger-track.ts';
import type { AlertEvent, Controller } from './controller.ts';
import { type ChargerPlan, isLeft, measuredPerPhase, type Plan, plan, type Reason } from './plan.ts';
import { type PerPhase, perPhase } from './units.ts';
import { watch } from './watch.ts';

export interface SetpointOut {
  id: string;
  sequence: number;
  /** A. */
  current: number;
  /** While the charger is to switch: to how many phases. */
  phases?: PhaseCount;
  /** s. */
  validFor: number;
  reason: Reason;
  binding: string;
}

export interface AllocationOut {
  circuits: {
    id: string;
    load: PerPhase;
    measured: PerPhase | null;
    limit: PerPhase;
    headroom: PerPhase;
    rating: number;
  }[];
  chargers: {
    id: string;
    wish: number;
    setpoint: number;
    measured: PerPhase;
    state: 'A' | 'B' | 'C' | 'D' | 'E' | 'F';
    binding: string;
    reason: Reason;
    min: number;
    max: number;
    request: ChargerRequest;
  }[];
}

export interface Decision {
  /** Set-points to send now: changed ones, and those due to be renewed. */
  setpoints: SetpointOut[];
  /** The whole picture, worked out when asked for: only until the next input or decision. */
  allocation(): AllocationOut;
  /** Alerts raised or cleared by this round. */
  alerts: AlertEvent[];
}

/** Alerts whose cause may come and go with every message, and how long it must have been away, ms. */
const LINGERING: ReadonlySet<string> = new Set(['meter-late', 'meter-negative', 'charger-reserved']);
const LINGER_MS = 60_000;
/** A charger that is lost for longer than this is told, s. */
const UNREACHABLE_S = 10;

/** Decides at `now` (ms, monotonic). Call it after every input, and at least twice a second for what only time brings. */
export function decide(controller: Controller, now: number): Decision {
  const loads = watch(controller, now);
  const before = Array.from(controller.chargers.values(), (track) => track.setpoint);
  const result = plan(controller, loads, now);
  const setpoints: SetpointOut[] = [];
  for (const [i, part] of result.parts.entries()) {
    const { track, wanted } = part;
    const id = track.config.id;
    const patience = controller.patience.get(id);
    if (!patience || track.setpoint === undefined || track.report?.stoppedBy || isLeft(part)) continue;
    const running = now - patience.sentAt < controller.options.renewSeconds * 1000 && track.toldAt !== undefined;
    const due = !running && !part.waits;
    const { to, toldAt } = track.phaseSwitch ?? {};
    if (wanted === before[i] && toldAt !== now && !due) continue;
    patience.sentAt = now;
    track.toldAt ??= now;
    controller.sequence += 1;
    const { validForSeconds: validFor } = controller.options;
    const { reason, binding } = result.describe(part);
    setpoints.push({
      id,
      sequence: controller.sequence,
      current: wanted,
      phases: toldAt === undefined ? undefined : to,
      validFor,
      reason,
      binding,
    });
  }
  return { setpoints, allocation: () => summarise(result), alerts: alertsNow(controller, result, now) };
}

function summarise(result: Plan): AllocationOut {
  const circuits = [...result.circuits.values()].map(({ track, limit, load }) => {
    const meter = track.meter;
    const measured = meter && perPhase((p) => meter.samples[p].at(-1)?.value ?? 0);
    const headroom = perPhase((p) => limit[p] - (measured ? measured[p] : load.high[p]));
    return {
      id: track.config.id,
      load: load.high,
      measured: measured ?? null,
      limit,
      headroom,
      rating: track.config.rating,
    };
  });
  return { circuits, chargers: result.parts.map((part) => chargerOut(result.describe(part))) };
}

function chargerOut({ track, wish, setpoint, binding, reason }: ChargerPlan): AllocationOut['chargers'][number] {
  return {
    id: track.config.id,
    wish,
    setpoint,
    measured: measuredPerPhase(track),
    state: track.report?.state ?? 'A',
    binding,
    reason,
    min: track.config.min,
    max: track.config.max,
    request: { ...track.request },
  };
}

/** Compares what is wrong now with what was wrong before: each alert is raised once and cleared once. */
function alertsNow(controller: Controller, result: Plan, now: number): AlertEvent[] {
  const wrong = new Map<string, AlertEvent>();
  const add = (source: string, code: string, severity: AlertEvent['severity'], args: AlertEvent['args']) =>
    wrong.set(`${source} ${code}`, { source, code, severity, args, active: true });
  for (const { track, trust } of result.circuits.values()) {
    const { id, meter } = track.config;
    const name = meter ?? '';
    if (track.config.meterFoundWrong) add(id, 'meter-found-wrong', 'error', { circuit: id, meter: name });
    else if (track.suspectSince !== undefined) add(id, 'meter-implausible', 'error', { circuit: id, meter: name });
    else if (trust === 'silent') add(id, 'meter-silent', 'error', { circuit: id, meter: name });
    else if (trust === 'fallback') add(id, 'meter-late', 'warning', { circuit: id, meter: name });
    if (track.meter?.reversed) add(id, 'meter-negative', 'warning', { circuit: id, meter: name });
    if (track.backstop !== 'none') add(id, 'overload', 'error', { circuit: id });
  }
  for (const track of controller.chargers.values()) {
    const { id } = track.config;
    if (track.disobeys) add(id, 'disobeys', 'error', { charger: id, setpoint: track.setpoint ?? 0 });
    if (track.phasesDoubted) add(id, 'phases-not-switched', 'warning', { charger: id });
    const silent = isSilent(track, controller.options.chargerSilentSeconds, now);
    if (silent && now - track.heardAt > UNREACHABLE_S * 1000) add(id, 'charger-reserved', 'warning', { charger: id });
  }
  const events: AlertEvent[] = [];
  for (const [key, event] of wrong) if (!controller.alerts.has(key)) events.push(event);
  for (const key of wrong.keys()) controller.alertedAt.set(key, now);
  for (const [key, event] of controller.alerts) {
    if (wrong.has(key)) continue;
    // What comes and goes is told once, and its end when it has stayed away.
    if (LINGERING.has(event.code) && now - (controller.alertedAt.get(key) ?? now) < LINGER_MS) {
      wrong.set(key, event);
      continue;
    }
    controller.alertedAt.delete(key);
    events.push({ ...event, active: false });
  }
  controller.alerts = wrong;
  return events;
}
