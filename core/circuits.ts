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
  const byId = new Map(site.circuits.map((c) => [c.id, c]));
  return [
    ...repeated(site.circuits).map((id) => problem('duplicate-circuit', { circuit: id }, 'circuitId', id)),
    ...site.circuits.filter((c) => !hasRoot(byId, c.id)).map(({ id, parent = '' }) => rootless(id, parent)),
    ...repeated(site.chargers).map((id) => problem('duplicate-charger', { charger: id }, 'chargerId', id)),
    ...site.chargers.flatMap((charger) => chargerProblems(byId, charger)),
    ...safeSumProblems(site, byId),
  ];
}

/** What was expected, by code; for logs. */
const EXPECTED: Record<SiteProblem['code'], (args: SiteProblem['args']) => string> = {
  'duplicate-circuit': () => 'an id that no other circuit has',
  'duplicate-charger': () => 'an id that no other charger has',
  'no-root': () => 'a circuit with a path to the root',
  'missing-phase': () => 'phases that its circuit has',
  'no-switching': () => 'three phases to switch between',
  'safe-sum': ({ total, phase, safe, load }) =>
    `at least ${total} A on ${phase}: safe currents ${safe} A + fallback load ${load} A`,
};

function problem(code: SiteProblem['code'], args: SiteProblem['args'], field: string, value: unknown): SiteProblem {
  return { code, args, field, value, expected: EXPECTED[code](args) };
}

const rootless = (id: string, parent: string) => problem('no-root', { subject: id }, `${id}.parent`, parent);

/** Ids that occur more than once. */
function repeated(all: readonly { id: string }[]): string[] {
  return [...new Set(all.map((x) => x.id).filter((id, i, ids) => ids.indexOf(id) !== i))];
}

function hasRoot(byId: ReadonlyMap<string, CircuitConfig>, id: string): boolean {
  try {
    return pathToRoot(byId, id).length > 0;
  } catch {
    return false;
  }
}

function chargerProblems(byId: ReadonlyMap<string, CircuitConfig>, charger: ChargerConfig): SiteProblem[] {
  const { id, circuit, rotation } = charger;
  const phases = rotation.join(',');
  const found: SiteProblem[] = [];
  if (!hasRoot(byId, circuit)) return [problem('no-root', { subject: id }, `${id}.circuit`, circuit)];
  const rating = ratingPerPhase(byId.get(circuit) as CircuitConfig);
  if (rotation.some((p) => rating[phaseIndex(p)] === 0))
    found.push(problem('missing-phase', { charger: id, phases, circuit }, `${id}.rotation`, phases));
  if (charger.phaseSwitching && rotation.length !== 3)
    found.push(problem('no-switching', { charger: id }, `${id}.phaseSwitching`, phases));
  return found;
}

/** S5: with everything silent, the safe currents below a circuit and its fallback load must fit. */
function safeSumProblems(site: SiteConfig, byId: ReadonlyMap<string, CircuitConfig>): SiteProblem[] {
  const found: SiteProblem[] = [];
  for (const [id, chargers] of chargersBelow(site.circuits, site.chargers)) {
    const circuit = byId.get(id) as CircuitConfig;
    const rating = ratingPerPhase(circuit);
    const load = circuit.fallbackLoad ?? 0;
    for (const p of PHASE_INDICES) {
      const phase = PHASES[p];
      const safe = chargers.filter((c) => c.rotation.includes(phase)).reduce((sum, c) => sum + c.safe, 0);
      const total = safe + load;
      if (rating[p] === 0 || total <= rating[p]) continue;
      const args = { circuit: id, phase, safe, load, total, rating: rating[p] };
      found.push(problem('safe-sum', args, `${id}.rating`, rating[p]));
      break;
    }
  }
  return found;
}
