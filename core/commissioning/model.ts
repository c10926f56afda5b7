/** What the commissioning check works with and what it says: verdicts, evidence, records. Currents in A, times in ms. */
import type { ChargerConfig, CircuitConfig, SiteConfig, Unproven } from '../site.ts';
import type { PerPhase, Phase, PhaseIndex } from '../units.ts';

/** A sentence by its code, filled from its args. */
export interface Sentence {
  code: string;
  args: Record<string, string | number>;
}

export type Item = 'meter' | 'charger';
/**
 * Of a meter: the order and the sign of its current transformers, whether it measures the chargers as configured, and how much of
 * what they report. Of a charger: on which phases it is, and whether it obeys.
 */
export type Check = 'order' | 'sign' | 'includes' | 'amount' | 'phases' | 'obeys';
export type Result = 'proven' | 'wrong' | 'not-proven';

export interface Verdict extends Sentence {
  item: Item;
  id: string;
  check: Check;
  result: Result;
  /** What to do, and what counts until then. */
  remedy?: Sentence;
  effect?: Sentence;
}

/** A site as it is checked. */
export interface CheckSite extends SiteConfig {
  /** By meter: the setting "Channels 1, 2, 3 on", such as `L1,L2,L3`, where it is known. */
  channels?: Readonly<Record<string, string>>;
  /** By `meter <id>` and `charger <id>`: which device it is, such as a serial number, where it is known. */
  devices?: Readonly<Record<string, string>>;
}

export interface CheckOptions {
  /** Longest lag of a vehicle behind its set-point, as the allocator is told, s. */
  vehicleLagSeconds: number;
}

/** A meter and the circuits that it measures, the one nearest to the root first. */
export interface CheckedMeter {
  id: string;
  circuit: CircuitConfig;
  circuits: CircuitConfig[];
  /** Grid phases that it has. */
  phases: Phase[];
  includesChargers: boolean;
}

/** What a meter showed from one moment to another while something was known to change. */
export interface Pair {
  /** What was known to change, A: positive when it came on. */
  swing: number;
  change: PerPhase;
  /** W; absent where the meter tells none. */
  power?: PerPhase;
  /** Phases that were quiet enough before and after. */
  usable: [boolean, boolean, boolean];
}

/** What all pairs say of one phase of a meter: whether it moves with what changed, in which direction, and how much of it. */
export interface Show {
  moves: -1 | 0 | 1;
  /** Part of the change that was shown, 1 = all of it. */
  share: number;
  /** About half of the current was active power: the clamp is on another conductor than its voltage. */
  shifted: boolean;
}

/** A known load that was switched on and off on a phase, and what a meter made of it. */
export interface LoadRecord {
  meter: string;
  phase: Phase;
  /** The mean of both changes, as for switching on, A. */
  change: PerPhase;
  /** Where it was shown; absent when it was not. */
  channel?: PhaseIndex;
  sign?: -1 | 1;
  shifted?: boolean;
}

/** One level of a charger: what it was told, what it reported, and what the meters on its path showed, A. */
export interface LevelRecord {
  setpoint: number;
  current: PerPhase;
  meters: Record<string, PerPhase>;
}

/** How a charger came down: from one set-point to another (A), after at least and at most so long (s). */
export interface Reaction {
  from: number;
  to: number;
  least: number;
  most: number;
}

/** What was seen of a charger. */
export interface ChargerEvidence {
  /** By the phases that it reported, `L1` or `L1 L2 L3`: what each meter on its path showed. */
  groups: Record<string, { reported: Phase[]; pairs: Record<string, Pair[]> }>;
  levels: LevelRecord[];
  reactions: Reaction[];
  /** What it drew above its set-point at most, A; negative: below. */
  deviation?: number;
  /** It did not come down: set-point, and what it offered and drew then, A. */
  ignored?: { setpoint: number; offer: number; current: number };
  /** Why it could not be stepped to the end. */
  hindered?: Sentence;
}

/** Everything that a run has found. */
export interface Evidence {
  loads: LoadRecord[];
  /** Meters that told nothing at all, and those of which no phase moved. */
  silent: string[];
  frozen: string[];
  chargers: Record<string, ChargerEvidence>;
}

/** What a finished check says, and what follows from it; it holds for what was configured then. */
export interface Outcome {
  /** Epoch ms. */
  startedAt: number;
  finishedAt: number;
  installer: string;
  verdicts: Verdict[];
  evidence: Evidence;
  /** By meter and charger: what it was configured as, and what of it did not pass. */
  meters: Record<string, { configured: string; wrong: boolean }>;
  chargers: Record<string, { configured: string; unproven?: Unproven }>;
}

/** Differences from what is declared that follow from a check. */
export interface Findings {
  /** Meters that are not believed. */
  meters: readonly string[];
  chargers: Readonly<Record<string, Unproven>>;
}

/** The least change that must show (S13); a known load may be 10 % less, as a low mains voltage makes it, A. */
export const LOAD_A = 4;
export const LOAD_SEEN_A = 3.5;
/** A step of a charger smaller than this proves nothing, A. */
export const SWING_A = 3.5;

/** Meters of a site, those furthest from the root first: a load behind them shows on those above them, too. */
export function metersOf(site: SiteConfig): CheckedMeter[] {
  const depth = (circuit: CircuitConfig): number => {
    const parent = site.circuits.find((c) => c.id === circuit.parent);
    return parent && parent !== circuit ? 1 + depth(parent) : 0;
  };
  const ids = [...new Set(site.circuits.flatMap((c) => c.meter ?? []))];
  const meters = ids.map((id): CheckedMeter => {
    const circuits = site.circuits.filter((c) => c.meter === id).toSorted((a, b) => depth(a) - depth(b));
    const [circuit] = circuits;
    const includesChargers = circuit.meterIncludesChargers !== false;
    return { id, circuit, circuits, phases: circuit.phases ?? ['L1', 'L2', 'L3'], includesChargers };
  });
  return meters.toSorted((a, b) => depth(b.circuit) - depth(a.circuit));
}

/** Ids of the circuits from a charger's or circuit's own one up to the root; as far as they are known. */
export function pathOf(site: SiteConfig, circuit: string): string[] {
  const path: string[] = [];
  for (let next: string | undefined = circuit; next !== undefined && !path.includes(next); ) {
    const found = site.circuits.find((c) => c.id === next);
    if (!found) break;
    path.push(found.id);
    next = found.parent;
  }
  return path;
}

/** Meters on the path from a circuit to the root. */
export function metersAbove(site: SiteConfig, circuit: string): CheckedMeter[] {
  const path = pathOf(site, circuit);
  return metersOf(site).filter((m) => m.circuits.some((c) => path.includes(c.id)));
}

/** What a proof of a charger holds for: where it is and how it is wired. */
export function configuredCharger(site: CheckSite, { id, circuit, rotation }: ChargerConfig): string {
  return JSON.stringify([pathOf(site, circuit), rotation, site.devices?.[`charger ${id}`] ?? '']);
}

/** What a proof of a meter holds for: which circuits it measures and how it is set. */
export function configuredMeter(site: CheckSite, { id, circuits, phases, includesChargers }: CheckedMeter): string {
  const measured = circuits.map((c) => [c.id, c.parent ?? '', c.generation === true]);
  const { channels, devices } = site;
  return JSON.stringify([measured, phases, includesChargers, channels?.[id] ?? '', devices?.[`meter ${id}`] ?? '']);
}
