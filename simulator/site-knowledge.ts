/** What anybody who hears the meters and chargers of a site can know at best of its uncontrolled load. */
import { type PerPhase, PHASE_INDICES, type PhaseIndex } from '../core/units.ts';
import type { SiteDay } from './site-day.ts';
import type { PlantCircuit } from './site-world.ts';

/**
 * What vehicles have stopped drawing of their own accord, or by a person, since their last reports, A: as much of a rise of the
 * house nobody can tell from them before they report again.
 */
export function hidden(day: SiteDay, { below }: PlantCircuit, p: PhaseIndex): number {
  return below.reduce((sum, { config, car, stoppedBy }) => {
    const reported = day.reported.get(config.id)?.current[p] ?? 0;
    const expected = car.plugged && !stoppedBy ? Math.min(reported, car.followed) : reported;
    return sum + Math.max(0, expected - (car.phases.includes(p) ? car.drawn : 0));
  }, 0);
}

/** The uncontrolled load of a circuit when its meter, or those below it, were last heard. */
export function lastHeard(day: SiteDay, circuit: PlantCircuit): PerPhase | undefined {
  const { meter, id } = circuit.config;
  if (meter) return day.heard.get(meter)?.house;
  const sum: PerPhase = [0, 0, 0];
  for (const child of day.world.circuits) {
    if (child.config.parent !== id) continue;
    const house = lastHeard(day, child);
    for (const p of PHASE_INDICES) sum[p] += house?.[p] ?? 0;
  }
  return sum;
}
