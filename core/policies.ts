/**
 * Policies: who comes first, with which weight and how far. They are places on the same allocator, not allocators: a policy
 * gives each charger priority, weight, order and maximum, `allocate()` shares the current and keeps every circuit.
 * Configured priorities are classes: all policies but `equal` work inside them.
 */
import type { AllocationProblem } from './allocate.ts';
import { byDeparture, mostVehicles } from './policies/departure.ts';
import type { Policy, PolicyProblem, Situation } from './policies/policy.ts';
import { byPriority, bySoc, equal, firstCome } from './policies/sharing.ts';
import { tariff } from './policies/tariff.ts';

export type { Contender, Policy, PolicyProblem, Price, Situation, Turn, Turns } from './policies/policy.ts';

export const POLICIES = {
  equal,
  priority: byPriority,
  'first-come': firstCome,
  soc: bySoc,
  departure: byDeparture,
  'most-vehicles': mostVehicles,
  tariff,
} satisfies Record<string, Policy>;

export type PolicyName = keyof typeof POLICIES;

/**
 * The allocation problem under a policy, for `allocate()`. A policy can lower a charger's maximum, never raise it, and
 * touches no circuit: what is safe does not depend on it.
 */
export function underPolicy(policy: Policy, problem: PolicyProblem, situation: Situation): AllocationProblem {
  const { admission, turns } = policy(problem, situation);
  const turnOf = new Map(turns.map((turn) => [turn.id, turn]));
  return {
    circuits: problem.circuits,
    groups: problem.groups,
    admission,
    chargers: problem.chargers.map((charger) => {
      const { priority, weight, order, max } = turnOf.get(charger.id) ?? charger;
      return { ...charger, priority, weight, order, max: Math.min(charger.max, max) };
    }),
  };
}
