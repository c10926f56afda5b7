/**
 * From evidence to verdicts. Two kinds of it tell a swapped transformer from a rotated charger: a known load shows which grid
 * phase a phase of a meter really is; a charger that is stepped shows where what it reports really flows. Where only the second
 * is there, what does not agree is named as either of the two.
 */
import type { ChargerConfig } from '../site.ts';
import { PHASE_INDICES, PHASES, type Phase, type PhaseIndex, phaseIndex } from '../units.ts';
import { showsOf } from './evidence.ts';
import {
  type CheckedMeter,
  type CheckOptions,
  type CheckSite,
  type Evidence,
  metersAbove,
  metersOf,
  type Show,
  type Verdict,
} from './model.ts';
import { judgeCharger } from './verdicts-charger.ts';
import { judgeMeter } from './verdicts-meter.ts';

/** What is known of a phase of a meter from a known load on a grid phase, or from a charger whose phase another meter proved. */
export interface Mapping {
  channel: PhaseIndex;
  shifted: boolean;
}

/** What a meter showed of a charger that reported certain phases. */
export interface Sighting {
  charger: ChargerConfig;
  meter: CheckedMeter;
  reported: Phase[];
  shows: [Show?, Show?, Show?];
  /** Phases of the meter that moved; undefined while any of its phases is unclear. */
  moved?: PhaseIndex[];
}

/** All that verdicts are made from. */
export interface Case {
  site: CheckSite;
  options: CheckOptions;
  evidence: Evidence;
  sightings: Sighting[];
  /** By meter: grid phase → where it shows. */
  mappings: Map<string, Map<PhaseIndex, Mapping>>;
}

/** Every verdict on a site: of each meter its order, sign, inclusion and amount, of each charger its phases and its obedience. */
export function judge(site: CheckSite, options: CheckOptions, evidence: Evidence): Verdict[] {
  const all = caseOf(site, options, evidence);
  return [
    ...metersOf(site).flatMap((meter) => judgeMeter(all, meter)),
    ...site.chargers.flatMap((charger) => judgeCharger(all, charger)),
  ];
}

function caseOf(site: CheckSite, options: CheckOptions, evidence: Evidence): Case {
  const sightings = site.chargers.flatMap((charger) => sightingsOf(site, evidence, charger));
  const mappings: Case['mappings'] = new Map(metersOf(site).map(({ id }) => [id, new Map()]));
  for (const { meter, phase, channel, shifted } of evidence.loads)
    if (channel !== undefined) mappings.get(meter)?.set(phaseIndex(phase), { channel, shifted: shifted === true });
  const all = { site, options, evidence, sightings, mappings };
  deriveMappings(all);
  return all;
}

function sightingsOf(site: CheckSite, evidence: Evidence, charger: ChargerConfig): Sighting[] {
  const groups = Object.values(evidence.chargers[charger.id]?.groups ?? {});
  return groups.flatMap(({ reported, pairs }) =>
    metersAbove(site, charger.circuit)
      .filter(({ id }) => pairs[id])
      .map((meter) => {
        const shows = showsOf(pairs[meter.id], site.voltage);
        const clear = meter.phases.every((p) => shows[phaseIndex(p)] !== undefined);
        const moved = clear ? PHASE_INDICES.filter((p) => (shows[p]?.moves ?? 0) !== 0) : undefined;
        return { charger, meter, reported, shows, moved };
      }),
  );
}

/** A charger on one phase that a meter has placed is a known load for the other meters on its path. */
function deriveMappings({ sightings, mappings }: Case): void {
  for (const { charger, reported, meter, moved, shows } of sightings) {
    if (reported.length !== 1 || moved?.length !== 1) continue;
    const own = mappings.get(meter.id) as Map<PhaseIndex, Mapping>;
    const placed = sightings.find(
      (s) =>
        s.charger === charger && s.meter !== meter && s.reported.join() === reported.join() && s.moved?.length === 1,
    );
    const where = placed && gridPhases(mappings.get(placed.meter.id), placed.moved ?? []);
    if (!where || own.has(where[0])) continue;
    own.set(where[0], { channel: moved[0], shifted: shows[moved[0]]?.shifted === true });
  }
}

/** The grid phases that phases of a meter really are; undefined where one of them is not known. */
export function gridPhases(
  mapping: ReadonlyMap<PhaseIndex, Mapping> | undefined,
  channels: readonly PhaseIndex[],
): PhaseIndex[] | undefined {
  const found = channels.map((channel) => [...(mapping ?? [])].find(([, m]) => m.channel === channel)?.[0]);
  return found.every((p) => p !== undefined) ? (found as PhaseIndex[]) : undefined;
}

/** `L1, L2` of indices, in their order. */
export function named(phases: readonly PhaseIndex[]): string {
  return phases.map((p) => PHASES[p]).join(', ');
}

export function sameSet(a: readonly PhaseIndex[], b: readonly PhaseIndex[]): boolean {
  return a.length === b.length && a.every((p) => b.includes(p));
}
