/** Allocators with a named defect each: the rules must catch them. */
import { type AllocationCharger, type AllocationCircuit, allocate } from '../../core/allocate.ts';
import type { RULES, Solve } from './allocation-rules.ts';

/** The same problem with something changed in every charger or circuit: a controller that overlooks it. */
const overlooking =
  (
    charger: (c: AllocationCharger) => Partial<AllocationCharger>,
    circuit: (c: AllocationCircuit) => Partial<AllocationCircuit> = () => ({}),
  ): Solve =>
  (problem) =>
    allocate({
      ...problem,
      circuits: problem.circuits.map((c) => ({ ...c, ...circuit(c) })),
      chargers: problem.chargers.map((c) => ({ ...c, ...charger(c) })),
    });
const nothing = () => ({});
const changed =
  (change: (current: number, c: AllocationCharger, i: number) => number): Solve =>
  (problem) => ({
    setpoints: allocate(problem).setpoints.map((s, i) => ({
      ...s,
      current: change(s.current, problem.chargers[i], i),
    })),
  });
/** Serves one charger fully after the other, in the order of a list. */
const oneByOne =
  (first: (a: AllocationCharger, b: AllocationCharger) => number): Solve =>
  (problem) => {
    const rank = new Map([...problem.chargers].sort(first).map((c, i) => [c.id, -i]));
    return allocate({
      ...problem,
      admission: 'strict',
      chargers: problem.chargers.map((c) => ({ ...c, priority: rank.get(c.id) })),
    });
  };

export const BROKEN: Record<keyof typeof RULES, Record<string, Solve>> = {
  limits: {
    'overlooks the load': overlooking(nothing, () => ({ load: undefined })),
    'overlooks the circuits above': overlooking(nothing, () => ({ parent: undefined })),
    'overlooks the unbalance': overlooking(nothing, () => ({ maxUnbalance: undefined })),
    'takes every vehicle for one on L1': overlooking(() => ({ phases: ['L1'] })),
    'rounds up': changed((current, c) => (c.step && current > 0 ? current + c.step : current)),
  },
  deadBand: {
    'overlooks the minimum': overlooking(() => ({ min: 0 })),
    'overlooks the step': overlooking(() => ({ step: undefined })),
    'offers more than the maximum': overlooking((c) => ({ max: c.max + 1 })),
  },
  certificate: {
    'overlooks the weights': overlooking(() => ({ weight: 1 })),
    'overlooks the priorities': overlooking(() => ({ priority: 0 })),
    'serves one after the other': oneByOne((a, b) => (a.id < b.id ? -1 : 1)),
    'leaves a tenth unused': changed((current, c) => Math.max(Math.min(current, c.min), 0.9 * current)),
  },
  waiting: {
    'admits nobody in need of 8 A': changed((current, c) => (c.min === 8 ? 0 : current)),
    'admits one at most': changed((current, _, i) => (i === 0 ? current : 0)),
  },
  order: {
    'ties by place': oneByOne(() => 0),
    'gives the first a little more': changed((current, _, i) => (i === 0 ? current + 0.1 : current)),
  },
  monotone: {
    'keeps a reserve that grows with the ratings': (problem) => {
      const rated = problem.circuits.reduce((sum, c) => sum + c.limit[0] + c.limit[1] + c.limit[2], 0);
      return changed((current) => current / (1 + rated / 1000))(problem);
    },
    'grows with the tightest circuit only': (problem) =>
      problem.circuits.some((c) => Math.max(...c.limit) > 90)
        ? { setpoints: problem.chargers.map(({ id }) => ({ id, current: 0.001, binding: '' })) }
        : changed((current) => current + 0.002)(problem),
  },
};
