/**
 * The control loop of a site as plain data and functions: what came in is booked with `record…`, and
 * `decide` says what goes out. Times are ms on a monotonic clock that the caller passes in.
 */
import { type ChargerTrack, createChargerTrack } from './charger-track.ts';
import { chargersBelow, pathToRoot } from './circuits.ts';
import { createMeterTrack, type MeterTrack } from './meter-track.ts';
import type { PolicyName, Price, Turn } from './policies.ts';
import { marginForJump, type ProtectiveDevice, protectiveDevice } from './protection.ts';
import { type ChargerConfig, type CircuitConfig, ratingPerPhase, type SiteConfig } from './site.ts';
import { type PerPhase, PHASES, type Phase, perPhase } from './units.ts';

export interface ControllerOptions {
  /** Least time between two increases of one charger, s. */
  increaseSeconds: number;
  /** A charger that was paused stays paused for at least this long, s. */
  minOffSeconds: number;
  /** Longest lag of a vehicle behind its set-point, s. */
  vehicleLagSeconds: number;
  /** A charger without a report for this long is silent, s. */
  chargerSilentSeconds: number;
  /** How long a set-point holds, and how often it is renewed, s. */
  validForSeconds: number;
  renewSeconds: number;
  /** Who comes first where there is not enough. */
  policy: PolicyName;
  /** How long a charger keeps its turn while others wait for their minimum, s. */
  turnSeconds: number;
  /** A battery below this comes first under the policy `soc`, %. */
  criticalSoc: number;
}

export const DEFAULT_OPTIONS: ControllerOptions = {
  increaseSeconds: 5,
  minOffSeconds: 60,
  vehicleLagSeconds: 6,
  chargerSilentSeconds: 15,
  validForSeconds: 30,
  renewSeconds: 10,
  policy: 'priority',
  turnSeconds: 900,
  criticalSoc: 20,
};

/** What a guard, a grid operator or a schedule allows the chargers below a circuit to use together. */
export interface LimitInput {
  /** A per phase. */
  current?: PerPhase;
  /** W. */
  power?: number;
  /** s. */
  validFor: number;
  onExpiry: 'release' | 'fallback';
  /** Chargers that are charging keep their minimum although the plan has no room (the classic rule). */
  keepMinimum?: boolean;
}

export interface LimitTrack extends LimitInput {
  source: string;
  expiresAt: number;
}

/** The largest rise of the house load that was seen, and for how long it was looked for. */
export interface LearnedJump {
  /** A. */
  largest: number;
  /** s of observation. */
  observed: number;
}

export interface CircuitTrack {
  config: CircuitConfig;
  device: ProtectiveDevice;
  meter?: MeterTrack;
  limits: Map<string, LimitTrack>;
  jump: LearnedJump;
  /** Recent upper bounds of the house load, for the rise that is learned. */
  upper: { at: number; value: PerPhase }[];
  /** Per phase, when the overload began (ms) in which a sample last showed that the vehicles had risen. */
  risen: PerPhase;
  /** Mean of the upper bounds of the house load, for plans of hours, and when it was last brought up to date (ms). */
  mean?: { at: number; value: PerPhase };
  /** Since when a phase has been above its limit (ms), undefined when it is not; and what S10 did about it. */
  overSince?: number;
  calmSince?: number;
  backstop: 'none' | 'safe' | 'stop';
  backstopAt: number;
  /** Confirmed changes in a row that the meter did not show (S13). */
  mismatches: number;
  /** Since when the meter is not believed, ms. */
  suspectSince?: number;
}

/** Per charger: how long the plan has wanted something, so that noise does not move it. */
export interface Patience {
  /** Since when the plan with the upper end has been below the set-point, ms. */
  belowSince?: number;
  /** Since when both ends have given a part of its current to others, ms. */
  othersSince?: number;
  /** Since when it has been exactly one step above, ms. */
  aboveSince?: number;
  /** How long one step more must have been possible, s; grows when such a step had to be taken back. */
  proof: number;
  /** The same before a start from 0. */
  startProof: number;
  /** When a single step up was last taken, ms; undefined when nothing holds of it any more. */
  steppedAt?: number;
  sentAt: number;
  /** When it came back in a silence of its meter, ms. */
  reunitedAt?: number;
  /** For S13: draw and time at the last settled report. */
  reference?: { draw: number; at: number };
  /** Since when the charger has drawn more than its set-point, ms. */
  disobeysSince?: number;
  /** Since when the vehicle has been offered current and taken none, ms. */
  idleSince?: number;
  /** Whether the vehicle has taken current since it was last offered any. */
  drew?: boolean;
  /** Whether it has been found idle and has taken nothing since. */
  slept?: boolean;
  /** Since when another number of phases would be better, ms. */
  otherPhasesSince?: number;
  /** How often it has been asked again in vain. */
  asks: number;
  /** Since when it has had its turn, ms; undefined while it waits. */
  turnSince?: number;
  /** Since when it has waited, ms. */
  waitsSince: number;
}

export interface Controller {
  site: SiteConfig;
  options: ControllerOptions;
  circuits: Map<string, CircuitTrack>;
  chargers: Map<string, ChargerTrack>;
  patience: Map<string, Patience>;
  below: Map<string, ChargerConfig[]>;
  paths: Map<string, string[]>;
  startedAt: number;
  sequence: number;
  alerts: Map<string, AlertEvent>;
  /** When the cause of each was last there, ms. */
  alertedAt: Map<string, number>;
  lastDecision: number;
  /** Price of energy now and ahead, as far as it is known. */
  prices: Price[];
  /** The places that the policy gave, kept for a while so that it does not change its mind every second. */
  places?: PolicyPlaces;
}

/** What a policy said, of whom, and when (ms). */
export interface PolicyPlaces {
  at: number;
  /** What it depended on. */
  key: string;
  admission: 'minimum-first' | 'strict';
  turns: Map<string, Turn>;
}

export interface AlertEvent {
  source: string;
  code: string;
  severity: 'info' | 'warning' | 'error';
  args: Record<string, string | number>;
  active: boolean;
}

const MIN_JUMP_A = 4;
const UNKNOWN_JUMP_A = 16;
const LEARN_FOR_S = 7 * 86_400;

/**
 * A controller for a site, from `now` on. Throws a RangeError when a circuit has no path to the root or an unusable curve;
 * chargers without a valid circuit are left out (siteProblems tells them).
 */
export function createController(site: SiteConfig, options: Partial<ControllerOptions>, now: number): Controller {
  const byId = new Map(site.circuits.map((c) => [c.id, c]));
  for (const circuit of site.circuits) pathToRoot(byId, circuit.id);
  const chargers = site.chargers.filter((c) => byId.has(c.circuit));
  return {
    site,
    options: { ...DEFAULT_OPTIONS, ...options },
    circuits: new Map(site.circuits.map((config) => [config.id, createCircuitTrack(config, now)])),
    chargers: new Map(
      chargers.map((config) => [config.id, createChargerTrack(config, wiredPhases(byId, config), now)]),
    ),
    patience: new Map(
      chargers.map((c) => [
        c.id,
        {
          proof: FIRST_PROOF_S,
          startProof: FIRST_PROOF_S,
          sentAt: Number.NEGATIVE_INFINITY,
          waitsSince: now,
          asks: 0,
        },
      ]),
    ),
    below: chargersBelow(site.circuits, chargers),
    paths: new Map(chargers.map((c) => [c.id, pathToRoot(byId, c.circuit)])),
    startedAt: now,
    sequence: 0,
    alerts: new Map(),
    alertedAt: new Map(),
    lastDecision: now,
    prices: [],
  };
}

/** The phases that all circuits of a charger have; where that is none, the site is described wrongly and nothing is known. */
function wiredPhases(circuits: ReadonlyMap<string, CircuitConfig>, charger: ChargerConfig): readonly Phase[] {
  const path = pathToRoot(circuits, charger.circuit).map((id) => circuits.get(id)?.phases ?? PHASES);
  const common = PHASES.filter((p) => path.every((phases) => phases.includes(p)));
  return common.length > 0 ? common : PHASES;
}

/** How long a single step up must have been possible at first, s. */
export const FIRST_PROOF_S = 8;

function createCircuitTrack(config: CircuitConfig, now: number): CircuitTrack {
  return {
    config,
    device: protectiveDevice(config),
    meter: config.meter ? createMeterTrack(now) : undefined,
    limits: new Map(),
    jump: { largest: 0, observed: 0 },
    upper: [],
    risen: [0, 0, 0],
    backstop: 'none',
    backstopAt: 0,
    mismatches: 0,
  };
}

/** The largest rise to be ready for, A: configured, or learned (16 A until it was looked for for a week). */
export function jumpOf(circuit: CircuitTrack): number {
  const { jump } = circuit.config;
  if (typeof jump === 'number') return jump;
  const { largest, observed } = circuit.jump;
  return observed < LEARN_FOR_S ? Math.max(UNKNOWN_JUMP_A, largest) : Math.max(MIN_JUMP_A, 1.1 * largest);
}

/** From a rise to the vehicle's answer, s: a meter period and one lost report, transport, the vehicle. */
export function reactionSeconds(controller: Controller, circuit: CircuitTrack): number {
  return 2 * Math.max(1, ...(circuit.meter?.period ?? [1])) + 0.1 + controller.options.vehicleLagSeconds;
}

/** What may flow through a circuit by plan, A per phase: rating · derating − margin. */
export function planLimit(controller: Controller, circuit: CircuitTrack): PerPhase {
  const { config, device } = circuit;
  const derated = config.rating * (config.derating ?? 1);
  const margin =
    typeof config.margin === 'number'
      ? config.margin
      : marginForJump(device, derated, jumpOf(circuit), reactionSeconds(controller, circuit));
  const rating = ratingPerPhase(config);
  return perPhase((p) => (rating[p] > 0 ? Math.max(0, derated - margin) : 0));
}

/** A controller for a changed site that remembers what the old one knew of the circuits and chargers that stayed. */
export function reconfigure(old: Controller, site: SiteConfig, now: number): Controller {
  const fresh = createController(site, old.options, now);
  for (const [id, circuit] of fresh.circuits) {
    const known = old.circuits.get(id);
    if (!known) continue;
    circuit.limits = known.limits;
    circuit.jump = known.jump;
    if (known.config.meter !== circuit.config.meter) continue;
    const { config, device } = circuit;
    fresh.circuits.set(id, { ...known, config, device });
  }
  for (const [id, track] of fresh.chargers) {
    const known = old.chargers.get(id);
    if (!known) continue;
    const moved = known.config.rotation.join() !== track.config.rotation.join();
    fresh.chargers.set(id, {
      ...known,
      config: track.config,
      wired: track.wired,
      ...(moved ? { provenPhases: undefined, shown: 0, reports: [] } : {}),
    });
    fresh.patience.set(id, old.patience.get(id) ?? (fresh.patience.get(id) as Patience));
  }
  return {
    ...fresh,
    startedAt: old.startedAt,
    sequence: old.sequence,
    alerts: old.alerts,
    alertedAt: old.alertedAt,
    lastDecision: old.lastDecision,
    prices: old.prices,
  };
}
