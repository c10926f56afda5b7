import type { ChargerConfig, CircuitConfig, SiteConfig, SiteProblem } from './site.ts';
import { ratingPerPhase } from './site.ts';
import { PHASE_INDICES, PHASES, phaseIndex } from './units.ts';

/** Ids from a circuit up to its root, the circuit first. Throws a RangeError on an unknown parent or a loop. */
export function pathToRoot(circuits: ReadonlyMap<string, { id: string; parent?: string }>, id: string): string[] {
  const path: string[] = [];
  for (let next: string | undefined = id; next !== undefined; ) {
    const circuit = circuits.get(next);
    if (!circuit) throw new RangeError(`circuit: "${next}" — expected the id of a known circuit`);
    if (path.includes(next))
      throw new RangeError(`parent: "${next}" — expected a tree, this circuit is its own ancestor`);
    path.push(next);
    next = circuit.parent;
  }
  return path;
}

/** Chargers at or below every circuit, by circuit id; chargers without a valid path are left out. */
export function chargersBelow(
  circuits: readonly CircuitConfig[],
  chargers: readonly ChargerConfig[],
): Map<string, ChargerConfig[]> {
  const byId = new Map(circuits.map((c) => [c.id, c]));
  const below = new Map<string, ChargerConfig[]>(circuits.map((c) => [c.id, []]));
  for (const charger of chargers) {
    let path: string[];
    try {
      path = pathToRoot(byId, charger.circuit);
    } catch {
      continue;
    }
    for (const id of path) below.get(id)?.push(charger);
  }
  return below;
}

/** What cannot work on a site: told in the editor before it is deployed (S5), and by the allocator at start. */
export function siteProblems(site: SiteConfig): SiteProblem[] {
  const problems: SiteProblem[] = [];
  const byId = new Map(site.circuits.map((c) => [c.id, c]));
  const seen = new Set<string>();
  for (const charger of site.chargers) {
    if (seen.has(charger.id))
      problems.push({ field: 'chargerId', value: charger.id, expected: 'an id that no other charger has' });
    seen.add(charger.id);
    try {
      pathToRoot(byId, charger.circuit);
    } catch {
      problems.push({
        field: `${charger.id}.circuit`,
        value: charger.circuit,
        expected: 'a circuit with a path to the root',
      });
      continue;
    }
    const missing = charger.rotation.filter(
      (p) => ratingPerPhase(byId.get(charger.circuit) as CircuitConfig)[phaseIndex(p)] === 0,
    );
    if (missing.length > 0)
      problems.push({
        field: `${charger.id}.rotation`,
        value: charger.rotation.join(','),
        expected: 'phases that its circuit has',
      });
    if (charger.phaseSwitching && charger.rotation.length !== 3)
      problems.push({
        field: `${charger.id}.phaseSwitching`,
        value: charger.rotation.join(','),
        expected: 'three phases to switch between',
      });
  }
  for (const [id, chargers] of chargersBelow(site.circuits, site.chargers)) {
    const circuit = byId.get(id) as CircuitConfig;
    const rating = ratingPerPhase(circuit);
    for (const p of PHASE_INDICES) {
      const safe = chargers.filter((c) => c.rotation.includes(PHASES[p])).reduce((sum, c) => sum + c.safe, 0);
      const total = safe + (circuit.fallbackLoad ?? 0);
      if (rating[p] > 0 && total > rating[p]) {
        problems.push({
          field: `${id}.rating`,
          value: rating[p],
          expected: `at least ${total} A on ${PHASES[p]}: safe currents ${safe} A + fallback load ${circuit.fallbackLoad ?? 0} A`,
        });
        break;
      }
    }
  }
  return problems;
}
