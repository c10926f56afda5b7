/**
 * Protective devices as a thermal replica after IEC 60255-149: a first-order image θ of the conductor's
 * heat, θ' = ((I/(k·In))² − θ)/τ, which trips at θ = 1. From a preload Ip it trips after
 * t = τ·ln((I² − Ip²)/(I² − (k·In)²)).
 *
 * The parameters are pessimistic and derived, not standard values: each replica trips no later than the
 * earliest moment at which the standard lets a real device trip.
 */
import type { CircuitConfig, CurvePoint } from './site.ts';

export interface ProtectiveDevice {
  /** In, A. */
  rating: number;
  /** k: the largest multiple of In that never trips. */
  factor: number;
  /** τ, s. */
  tau: number;
  /** Current from which the device may trip at once (magnetic release), A; Infinity for a fuse. */
  instant: number;
}

/**
 * gG after IEC 60269-1: no melting at 1.25·In; τ through the 10 s gate (52 A for 25 A, 33 A for 16 A).
 * MCB after IEC 60898-1: 1.13·In, τ through 1 s at 2.55·In from cold; lowest magnetic release 3, 5, 10·In.
 */
const KINDS = {
  gG: { factor: 1.25, tau: 22.3, instant: Number.POSITIVE_INFINITY },
  B: { factor: 1.13, tau: 4.57, instant: 3 },
  C: { factor: 1.13, tau: 4.57, instant: 5 },
  D: { factor: 1.13, tau: 4.57, instant: 10 },
} as const;
const TAU_GG_BELOW_25_A = 21.8;
/** A point that holds for this long counts as "never trips" (conventional time of devices up to 63 A), s. */
const CONVENTIONAL_TIME = 3600;

/** The replica of a circuit's device. Throws a RangeError when a manufacturer's curve cannot be used. */
export function protectiveDevice(circuit: Pick<CircuitConfig, 'rating' | 'device' | 'curve'>): ProtectiveDevice {
  const { rating, device } = circuit;
  if (device === 'table') return fromCurve(rating, circuit.curve ?? []);
  const kind = KINDS[device];
  const tau = device === 'gG' && rating < 25 ? TAU_GG_BELOW_25_A : kind.tau;
  return { rating, factor: kind.factor, tau, instant: kind.instant * rating };
}

/** Fits the replica below a manufacturer's curve: it trips no later than any of its points. */
function fromCurve(rating: number, curve: readonly CurvePoint[]): ProtectiveDevice {
  const usable = curve.filter((p) => Number.isFinite(p.factor) && p.factor > 0 && p.seconds >= 0);
  const lasting = usable.filter((p) => p.seconds >= CONVENTIONAL_TIME).map((p) => p.factor);
  const factor = Math.max(1, ...lasting);
  const points = usable.filter((p) => p.factor > factor);
  if (points.length === 0)
    throw new RangeError(`curve: ${JSON.stringify(curve)} — expected at least one point above ${factor} × rating`);
  const instants = points.filter((p) => p.seconds < 0.2).map((p) => p.factor);
  const thermal = points.filter((p) => p.seconds >= 0.2);
  const taus = thermal.map((p) => p.seconds / Math.log(p.factor ** 2 / (p.factor ** 2 - factor ** 2)));
  return {
    rating,
    factor,
    tau: taus.length > 0 ? Math.min(...taus) : KINDS.B.tau,
    instant: instants.length > 0 ? Math.min(...instants) * rating : Number.POSITIVE_INFINITY,
  };
}

/** The largest current that never trips, A. */
export function neverTrips(device: ProtectiveDevice): number {
  return device.factor * device.rating;
}

/** Heat of the replica in the long run at a current: share of the trip budget, 1 = trip. */
export function steadyHeat(device: ProtectiveDevice, current: number): number {
  return (current / neverTrips(device)) ** 2;
}

/** The replica after `seconds` at `current` (A, magnitude). The result is the share of the trip budget used; ≥ 1 = tripped. */
export function heatAfter(device: ProtectiveDevice, heat: number, current: number, seconds: number): number {
  if (Math.abs(current) >= device.instant) return Math.max(1, heat);
  const target = steadyHeat(device, current);
  return target + (heat - target) * Math.exp(-seconds / device.tau);
}

/** Seconds until the replica trips when `current` (A) goes on; Infinity if it never does. */
export function secondsLeft(device: ProtectiveDevice, heat: number, current: number): number {
  if (heat >= 1 || Math.abs(current) >= device.instant) return 0;
  const target = steadyHeat(device, current);
  if (target <= 1) return Number.POSITIVE_INFINITY;
  return device.tau * Math.log((target - heat) / (target - 1));
}

/** Seconds for which a rise of `jump` (A) above a long-lasting `preload` (A) is absorbed. */
export function absorbs(device: ProtectiveDevice, preload: number, jump: number): number {
  return secondsLeft(device, steadyHeat(device, preload), preload + jump);
}

/** The largest rise (A) above a long-lasting `preload` (A) that is absorbed for `seconds`. */
export function absorbableJump(device: ProtectiveDevice, preload: number, seconds: number): number {
  const decay = Math.exp(-seconds / device.tau);
  const heat = steadyHeat(device, preload);
  if (heat >= 1) return 0;
  const current = neverTrips(device) * Math.sqrt((1 - heat * decay) / (1 - decay));
  return Math.max(0, Math.min(current, device.instant) - preload);
}

/**
 * The largest preload (A) from which a rise of `jump` (A) is survived for `seconds`:
 * (Ip + ΔJ)² = (r·(k·In)² − Ip²)/(r − 1), r = e^(T/τ). 0 when there is none.
 */
export function largestPreload(device: ProtectiveDevice, jump: number, seconds: number): number {
  const r = Math.exp(seconds / device.tau);
  const square = neverTrips(device) ** 2;
  const b = 2 * jump * (r - 1);
  const c = (r - 1) * jump ** 2 - r * square;
  const thermal = (-b + Math.sqrt(Math.max(0, b * b - 4 * r * c))) / (2 * r);
  return Math.max(0, Math.min(thermal, neverTrips(device), device.instant - jump));
}

/** What must stay free below `limit` (A, the derated rating) so that a rise of `jump` is survived for `seconds`. */
export function marginForJump(device: ProtectiveDevice, limit: number, jump: number, seconds: number): number {
  return Math.max(0, limit - largestPreload(device, jump, seconds));
}
