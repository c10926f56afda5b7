/** The circuits of a site as the allocator takes them. */
import type { AllocationCircuit, AllocationGroup, AllocationProblem } from './allocate.ts';
import type { CircuitTrack } from './controller.ts';
import type { HouseLoad, Trust } from './house-load.ts';
import { type PerPhase, perPhase } from './units.ts';

export interface CircuitPlan {
  track: CircuitTrack;
  /** A per phase by plan, without the limits of others. */
  limit: PerPhase;
  load: HouseLoad;
  trust: Trust;
  /** What others allow its chargers, and the node that these and the circuits below hang on. */
  limits: LimitsInForce;
  inner: string;
}

export type CircuitPlans = ReadonlyMap<string, CircuitPlan>;

/** What others allow the chargers below a circuit. */
export interface LimitsInForce {
  current: PerPhase;
  power: number;
  keepMinimum: boolean;
}

const UNLIMITED = Number.POSITIVE_INFINITY;
/** Prefix of the inner node of a circuit, which carries the limits of others on its chargers. */
const INNER = 'limit ';

/** What the limits in force on a circuit leave to its chargers together; the lowest of several sources counts. */
export function limitsOf(circuit: CircuitTrack, now: number): LimitsInForce {
  const all: LimitsInForce = { current: [UNLIMITED, UNLIMITED, UNLIMITED], power: UNLIMITED, keepMinimum: false };
  for (const limit of circuit.limits.values()) {
    if (limit.expiresAt <= now) {
      if (limit.onExpiry === 'release') circuit.limits.delete(limit.source);
      continue;
    }
    all.current = perPhase((p) => Math.min(all.current[p], limit.current?.[p] ?? UNLIMITED));
    all.power = Math.min(all.power, limit.power ?? UNLIMITED);
    all.keepMinimum ||= limit.keepMinimum === true;
  }
  return all;
}

/**
 * The circuit tree as the allocator takes it. Every circuit is two nodes: the outer one carries plan limit and load, the inner one
 * what others allow its chargers. `booked` is the current of chargers that are not part of the problem.
 */
export function tree(
  circuits: CircuitPlans,
  end: 'low' | 'high',
  booked: ReadonlyMap<string, PerPhase>,
  volts: number,
): AllocationProblem {
  const nodes: AllocationCircuit[] = [];
  const groups: AllocationGroup[] = [];
  for (const { track, limit, load, limits, inner } of circuits.values()) {
    const { id, parent, maxUnbalance } = track.config;
    const reserved = booked.get(id) ?? [0, 0, 0];
    nodes.push({
      id,
      parent: parent && innerOf(circuits, parent),
      limit,
      load: perPhase((p) => load[end][p] + reserved[p]),
      maxUnbalance,
    });
    if (inner !== id) nodes.push({ id: inner, parent: id, limit: limits.current, load: reserved });
    if (limits.power < UNLIMITED)
      groups.push({ id, limit: Math.max(0, limits.power - volts * (reserved[0] + reserved[1] + reserved[2])) });
  }
  return { circuits: nodes, groups, chargers: [] };
}

/** The node that chargers and circuits below a circuit hang on. */
export function innerOf(circuits: CircuitPlans, id: string): string {
  return circuits.get(id)?.inner ?? id;
}

/** The name of that node: its own where others allow only so much current. */
export function innerNode({ config, limits }: CircuitTrack, now: number): string {
  for (const limit of limits.values()) if (limit.current && limit.expiresAt > now) return INNER + config.id;
  return config.id;
}
