/** Policies that need no departure: equal shares, classes, first come, emptier first. */
import { asConfigured, classOf, oneAfterAnother, type Policy, positions, priorities, since } from './policy.ts';

const CRITICAL_SOC = 20;
/** Where no vehicle tells its state of charge, %. */
const USUAL_SOC = 50;
/** A full battery's share of an empty one's weight: nobody is left with nothing. */
const LEAST_WEIGHT = 0.05;

/**
 * `equal`: everybody alike: one priority, the configured weights. Needs no knowledge. Where not everybody can have the
 * minimum, the given `order` (the controller's rotation) decides.
 */
export const equal: Policy = ({ chargers }) => ({
  admission: 'minimum-first',
  turns: chargers.map((c) => ({ ...asConfigured(c), priority: 0 })),
});

/**
 * `priority`: the configured classes. Minima go by class, what is left lifts the higher class first; inside a class
 * as `equal`. A charger without a class has class 0.
 */
export const byPriority: Policy = ({ chargers }) => ({ admission: 'minimum-first', turns: chargers.map(asConfigured) });

/**
 * `first-come`: who was plugged in earlier is served fully first (ACN's FCFS), inside the configured classes. An unknown
 * plug-in time lies before anybody looked, so it comes first.
 */
export const firstCome: Policy = ({ chargers }) => oneAfterAnother(chargers, (c) => [classOf(c), -since(c)]);

/**
 * `soc`: emptier first. Below the critical threshold a vehicle comes before everybody else, whatever its class; the
 * others of a class share by what their batteries lack (weight 1 − soc) and are admitted emptier first. An unknown
 * state of charge counts as the mean of the known ones, 50 % where none is, so it is never critical.
 */
export const bySoc: Policy = ({ chargers }, { criticalSoc = CRITICAL_SOC }) => {
  const known = chargers.flatMap((c) => c.soc ?? []);
  const mean = known.length > 0 ? known.reduce((sum, soc) => sum + soc, 0) / known.length : USUAL_SOC;
  const socOf = (c: (typeof chargers)[number]) => c.soc ?? mean;
  const priority = priorities(chargers, (c) => ((c.soc ?? 100) < criticalSoc ? [1, 0] : [0, classOf(c)]));
  const order = positions(chargers, (c) => [-socOf(c)]);
  return {
    admission: 'strict',
    turns: chargers.map((c) => ({
      ...asConfigured(c),
      priority: priority.get(c) ?? 0,
      weight: (c.weight ?? 1) * Math.max(LEAST_WEIGHT, 1 - socOf(c) / 100),
      order: order.get(c) ?? 0,
    })),
  };
};
