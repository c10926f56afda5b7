/** Random sites of 1 to 20 chargers on trees of up to two levels, and what goes wrong on them in a day. */
import { siteProblems } from '../core/circuits.ts';
import type { ChargerConfig, CircuitConfig, SiteConfig } from '../core/site.ts';
import { PHASES, type Phase, type PhaseIndex } from '../core/units.ts';
import type { Random } from './random.ts';

export interface MeterPlan {
  id: string;
  circuit: string;
  /** s between two reports, and from a sample to its arrival. */
  period: number;
  latency: number;
  loss: number;
  /** A transformer that was put on the wrong way round. */
  reversed?: PhaseIndex;
}

export interface ChargerPlan {
  config: ChargerConfig;
  /** s between two reports. */
  report: number;
  latency: number;
  loss: number;
  /** Grid phases of its conductors where they are not what its configuration says. */
  wiring?: Phase[];
  /** What becomes of a lowered set-point: followed, or (one charger on some sites) ignored from this moment on, s. */
  ignoresFrom: number;
}

export interface SitePlan {
  site: SiteConfig;
  meters: MeterPlan[];
  chargers: ChargerPlan[];
  /** Largest jump of the uncontrolled load on any phase, A. */
  jump: number;
}

const ROTATIONS: Phase[][] = [
  ['L1', 'L2', 'L3'],
  ['L2', 'L3', 'L1'],
  ['L3', 'L1', 'L2'],
];

/** What is wrong with a site from the first day. */
export type Fault = 'reversed' | 'miswired' | 'ignoring';

/** A site whose safe currents and assumed loads fit under all of its ratings. */
export function planSite(r: Random, faults: Fault | 'some' | 'none' = 'some'): SitePlan {
  const count = r.integer(1, 20);
  const rating = [25, 35, 50, 63, 80, 100][r.integer(count > 8 ? 2 : 0, count > 3 ? 5 : 3)];
  const breaker = r.chance(0.25);
  const jump = breaker ? Math.max(3, Math.round(rating / 10)) : Math.round(rating / 3);
  const root: CircuitConfig = {
    id: 'main',
    rating,
    device: breaker ? 'C' : 'gG',
    meter: 'grid',
    margin: 'auto',
    jump,
    ...(count <= 8 && r.chance(0.3) ? { maxUnbalance: r.integer(16, 25) } : {}),
  };
  const circuits = [root];
  for (let i = 0, n = count < 3 ? 0 : r.integer(0, 3); i < n; i++) {
    const below: CircuitConfig = {
      id: `feeder${i}`,
      parent: 'main',
      rating: Math.min(rating, [25, 32, 40, 63][r.integer(0, 3)]),
      device: 'gG',
      margin: 0,
      ...(r.chance(0.5) ? { meter: `feeder${i}` } : {}),
    };
    circuits.push(below);
  }
  const meters = circuits
    .filter((c) => c.meter)
    .map(
      (c): MeterPlan => ({
        id: c.meter as string,
        circuit: c.id,
        period: r.chance(0.2) ? 1 : 2,
        latency: r.between(0.05, 0.5),
        loss: 0.02,
      }),
    );
  const single = r.chance(0.3);
  const chargers = Array.from({ length: count }, (_, i): ChargerPlan => {
    const rotation = single || r.chance(0.2) ? [PHASES[i % 3]] : ROTATIONS[r.chance(0.7) ? i % 3 : 0];
    const config: ChargerConfig = {
      id: `CP${String(i).padStart(2, '0')}`,
      circuit: circuits[circuits.length > 1 ? r.integer(0, circuits.length - 1) : 0].id,
      rotation: [...rotation],
      min: 6,
      max: r.chance(0.6) ? 16 : 32,
      safe: 6,
      phaseSwitching: rotation.length === 3 && i % 5 === 2,
    };
    return { config, report: r.between(1, 8), latency: r.between(0.05, 0.5), loss: 0.03, ignoresFrom: Infinity };
  });
  const has = (fault: Fault, chance: number) => (r.chance(chance) ? faults === 'some' : faults === fault);
  if (has('ignoring', 0.1))
    chargers[r.integer(0, count - 1)].ignoresFrom = r.between(1800, 80_000) / (faults === 'some' ? 1 : 20);
  if (has('reversed', 0.08))
    meters[r.integer(0, meters.length - 1)].reversed = [0, 1, 2][r.integer(0, 2)] as PhaseIndex;
  if (has('miswired', 0.05)) {
    const charger = chargers[r.integer(0, count - 1)];
    charger.wiring = charger.config.rotation.map((p) => PHASES[(PHASES.indexOf(p) + 1) % 3]);
  }
  const site = { circuits, chargers: chargers.map((c) => c.config), voltage: 230 };
  // Where not all can keep 6 A unasked, the last ones stop instead.
  for (let i = count - 1; i >= 0 && siteProblems(site).length > 0; i--) chargers[i].config.safe = 0;
  return { site, meters, chargers, jump };
}
