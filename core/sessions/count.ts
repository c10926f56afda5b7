/** Books what flowed since the last report of a session that goes on. */
import type { EndCause, OpenSession, SessionReport, SessionWorld } from './model.ts';
import { priced } from './prices.ts';

/** A counter may seem to go back by so much, Wh: it is rounded. */
export const NOISE_WH = 2;
/** Power is taken to go on for so long without another report, ms. */
const HOLDS_MS = 60_000;
const HOUR_MS = 3_600_000;
/** A counter that has not moved by then is none, Wh. */
const NO_COUNTER_WH = 250;

/** The session with this report booked. `anew`: the counter held what the vehicle before took, and holds this one's now. */
export function book(
  open: OpenSession,
  report: SessionReport,
  anew: boolean,
  now: number,
  world: SessionWorld,
): OpenSession {
  const before = open.progress;
  const gap = Math.max(0, now - before.heardAt);
  const power = Math.max(0, report.power);
  const delta = Math.max(0, report.energy - open.counter);
  const progress = {
    ...before,
    heardAt: now,
    power,
    counted: anew ? report.energy : before.counted + delta,
    moved: before.moved || delta > 0,
    integrated: before.integrated + (before.power * Math.min(gap, HOLDS_MS)) / HOUR_MS,
    ...registerStart(open, report),
    ...(report.session ? { transaction: report.session } : {}),
    cause: causeOf(report, open),
  };
  const register = report.register ?? open.register;
  const energy = energyOf({ ...progress, register });
  const flowed = energy - open.energy;
  const booked: OpenSession = {
    ...open,
    ...(report.user ? { user: report.user } : {}),
    energy,
    chargingMs: open.chargingMs + flowing(flowed, gap, before.power, power, open.peakPower),
    peakPower: Math.max(open.peakPower, power),
    counter: anew ? report.energy : Math.max(open.counter, report.energy),
    ...(register === undefined ? {} : { register }),
    progress,
  };
  return { ...booked, ...costs(open, flowed, now, world) };
}

/** A register that goes back is another one: what went through the one before stays counted. */
function registerStart({ register, progress }: OpenSession, report: SessionReport): { registerStart?: number } {
  if (report.register === undefined) return {};
  if (register === undefined || progress.registerStart === undefined) return { registerStart: report.register };
  const gone = register - progress.registerStart;
  return report.register < register ? { registerStart: report.register - gone } : {};
}

/** By the charger's session counter; where that stands still by its register; where there is neither by power and time. */
function energyOf(p: OpenSession['progress'] & { register?: number }): number {
  if (p.counted > 0) return p.counted;
  const registered = p.register !== undefined && p.registerStart !== undefined ? p.register - p.registerStart : 0;
  if (registered > 0) return registered;
  return p.integrated >= NO_COUNTER_WH ? p.integrated : 0;
}

function flowing(flowed: number, gap: number, before: number, power: number, peak: number): number {
  if (gap <= HOLDS_MS) return flowed > 0 || before > 0 ? gap : 0;
  if (!(flowed > 0)) return 0;
  const at = Math.max(before, power) || peak;
  return at > 0 ? Math.min(gap, (flowed / at) * HOUR_MS) : gap;
}

function costs(open: OpenSession, flowed: number, now: number, world: SessionWorld): Partial<OpenSession> {
  if (flowed < 0) {
    // What the vehicle before took is not this one's to pay.
    const left = open.energy > 0 ? Math.max(0, open.energy + flowed) / open.energy : 0;
    return { cost: open.cost * left, pricedEnergy: open.pricedEnergy * left };
  }
  const { cost, energy } = priced(flowed, open.progress.heardAt, now, world.prices);
  if (energy === 0) return {};
  // A sum has one currency.
  if (open.pricedEnergy > 0 && open.currency !== world.currency) return {};
  return { cost: open.cost + cost, pricedEnergy: open.pricedEnergy + energy, currency: world.currency };
}

/** Why nothing flows; undefined while something does, or while the site leaves no room. */
function causeOf({ state, stoppedBy, fault, offer }: SessionReport, open: OpenSession): EndCause | undefined {
  if (state === 'A') return open.progress.cause;
  if (state === 'E' || state === 'F' || fault) return 'fault';
  if (stoppedBy) return stoppedBy;
  return state === 'B' && offer > 0 && open.energy > 0 ? 'vehicle' : undefined;
}
