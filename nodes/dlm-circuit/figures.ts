import { absorbableJump, absorbs, marginForJump, neverTrips, protectiveDevice } from '../../core/protection.ts';
import type { CircuitConfig } from '../../core/site.ts';

/** What a learned jump starts from, A. */
const FIRST_JUMP = 16;

/** What the form shows about a circuit's protective device. */
export interface ProtectionFigures {
  device: CircuitConfig['device'];
  /** Derated rating, A. */
  limit: number;
  /** What is kept free below it, A. */
  margin: number;
  /** What the plan may use, A. */
  usable: number;
  /** What physics asks for, A, whatever is configured. */
  physicalMargin: number;
  /** The largest current that never trips, A. */
  neverTrips: number;
  /** The rise that is reckoned with, A. */
  jump: number;
  /** Seconds for which the device absorbs that rise when everything usable flows; null = without end. */
  absorbedFor: number | null;
  /** The largest rise that is absorbed for one reaction time, A. */
  largestJump: number;
  reactionSeconds: number;
}

/** The figures of a circuit at a reaction time (s) from the rise of the load to less current through the vehicle. */
export function protectionFigures(circuit: CircuitConfig, reactionSeconds: number): ProtectionFigures {
  const device = protectiveDevice(circuit);
  const limit = circuit.rating * (circuit.derating ?? 1);
  const jump = typeof circuit.jump === 'number' ? circuit.jump : FIRST_JUMP;
  const physicalMargin = marginForJump(device, limit, jump, reactionSeconds);
  const margin = Math.min(limit, typeof circuit.margin === 'number' ? circuit.margin : physicalMargin);
  const usable = limit - margin;
  const seconds = absorbs(device, usable, jump);
  return {
    device: circuit.device,
    limit,
    margin,
    usable,
    physicalMargin,
    neverTrips: neverTrips(device),
    jump,
    absorbedFor: Number.isFinite(seconds) ? seconds : null,
    largestJump: absorbableJump(device, usable, reactionSeconds),
    reactionSeconds,
  };
}
