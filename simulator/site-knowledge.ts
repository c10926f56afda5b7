/** What anybody who hears the meters and chargers of a site can know at best of its uncontrolled load. */
import { type PerPhase, PHASE_INDICES, type PhaseIndex } from '../core/units.ts';
import type { SiteDay } from './site-day.ts';
import type { PlantCircuit } from './site-world.ts';

/** What a control loop that has told a charger nothing yet must take for in force, A: a dead man's switch may act unheard. */
export function inForce(day: SiteDay, id: string): number {
  return day.reported.get(id)?.offer ?? day.offered.get(id) ?? 0;
}

/** A report that is older than this hides nothing: the charger is lost, s. */
const HIDES_S = 30;
/** How much older than it is a meter's reading may be, ms. */
const SKEW_MS = 1500;

/**
 * By how much the house has risen while vehicles stopped by themselves, or by a person, since their last reports, A: what the one
 * hides of the other nobody can tell before they report again.
 */
export function hidden(day: SiteDay, circuit: PlantCircuit, p: PhaseIndex): number {
  const { now } = day.agenda;
  let stopped = 0;
  let oldest = now;
  for (const { config, car, stoppedBy } of circuit.below) {
    const { current, at = 0 } = day.reported.get(config.id) ?? {};
    if (!current || now - at > HIDES_S * 1000) continue;
    const expected = car.plugged && !stoppedBy ? Math.min(current[p], car.followed) : current[p];
    const gone = expected - (car.phases.includes(p) ? car.drawn : 0);
    if (gone <= 0) continue;
    stopped += gone;
    oldest = Math.min(oldest, at);
  }
  return stopped > 0 ? Math.min(stopped, risen(day, circuit, p, oldest - SKEW_MS)) : 0;
}

/** How far the uncontrolled load is above its least since `from` (ms), as far as it was measured, A. */
function risen(day: SiteDay, { config }: PlantCircuit, p: PhaseIndex, from: number): number {
  const below = config.meter ? [] : day.world.circuits.filter((c) => c.config.parent === config.id);
  const list = day.houses.get(config.meter ?? '') ?? [];
  const since = list
    .slice(
      Math.max(
        0,
        list.findLastIndex((h) => h.at <= from),
      ),
    )
    .map((h) => h.house[p]);
  const own = since.length > 0 ? since[since.length - 1] - Math.min(...since) : 0;
  return below.reduce((sum, child) => sum + risen(day, child, p, from), own);
}

/** Whether a meter is frozen, or was when it was last heard: what it hides nobody knows before it is found out (S13). */
export function isFrozen(day: SiteDay): boolean {
  return day.frozen.size > 0 || [...day.heard.values()].some((h) => h.frozen);
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
