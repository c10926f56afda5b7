/** The check as plain data: what it knows, where it stands, and what it asks of others. Times in ms, monotonic. */
import type { ChargerConfig } from '../site.ts';
import type { PerPhase, Phase, PhaseIndex } from '../units.ts';
import type { HeardCharger, HeardMeter, Window } from './heard.ts';
import type { CheckOptions, CheckSite, Evidence, Outcome, Sentence } from './model.ts';

/** What a charger was asked before, and what it is asked now. */
export interface Wish {
  /** The maximum that people had asked for, A; null: none. It comes back at the end. */
  before: number | null;
  /** What it was last asked by the check, A. */
  asked?: number;
  /** What was shown when that was sent. */
  from?: number | null;
  sentAt: number;
  /** The allocator has shown that it took it. */
  seen: boolean;
  /** What people had asked for was sent again. */
  returning: boolean;
}

export type Task = { kind: 'load'; meter: string; phase: Phase } | { kind: 'charger'; id: string };

/** Waits until nothing flows through the chargers. */
export interface PausingStage {
  kind: 'pausing';
  since: number;
  /** Somebody did not want to wait. */
  passed: boolean;
}

/** A known load is switched on and off by hand. */
export interface LoadStage {
  kind: 'load';
  meter: string;
  phase: Phase;
  part: 'reset' | 'settle' | 'on' | 'on-measure' | 'off' | 'off-measure';
  since: number;
  tries: number;
  /** By meter: what it showed before the next change. */
  base: Map<string, Window>;
  /** By meter: what it showed of switching on, where that was clear. */
  on: Map<string, Clear>;
}

/** One phase of a meter has changed, and no other. */
export interface Clear {
  channel: PhaseIndex;
  change: PerPhase;
  power?: PerPhase;
}

/** A level that a charger was seen at. */
export interface Level {
  setpoint: number;
  current: PerPhase;
  reported: Phase[];
  windows: Map<string, Window>;
}

/** A charger is taken up and down. */
export interface ChargerStage {
  kind: 'charger';
  id: string;
  /** It was switched to one phase for this. */
  onePhase: boolean;
  round: number;
  index: number;
  /** When the present level was asked for. */
  since: number;
  levels: Level[];
  /** The present level was given, but not yet seen. */
  given?: boolean;
  /** There is no room for more than the minimum. */
  least?: boolean;
  /** What stands in its way, or what it waits for. */
  waits?: Sentence;
}

/** Whether to switch a charger to one phase is asked, and then done. */
export interface OfferStage {
  kind: 'offer';
  id: string;
}
export interface SwitchingStage {
  kind: 'switching';
  id: string;
  since: number;
}

export type Stage = PausingStage | LoadStage | ChargerStage | OfferStage | SwitchingStage;

export interface Run {
  tasks: Task[];
  /** Of the task that is worked on; -1 before the first. */
  index: number;
  stage: Stage;
  evidence: Evidence;
  installer: string;
  startedAt: number;
  /** Epoch ms. */
  startedAtEpoch: number;
  /** When somebody or something last took it further. */
  touchedAt: number;
  /** A known load may still be on: it has to go off before the next comes on. */
  loadOn: boolean;
  /** What went wrong with the step before. */
  note?: Sentence;
}

export interface CheckState {
  site: CheckSite;
  options: CheckOptions;
  meters: Map<string, HeardMeter>;
  chargers: Map<string, HeardCharger>;
  wishes: Map<string, Wish>;
  /** The limit that makes a charger switch to one phase, while it is in force. */
  limit?: { circuit: string; sentAt: number };
  run?: Run;
  outcome?: Outcome;
  /** Why the last run ended before its end. */
  aborted?: Sentence;
  /** Counts the steps that people are shown, so that a command for one before is known. */
  step: { number: number; key: string };
}

/** What has to be done by whoever runs the check, in this order. */
export type Effect =
  /** Write what is kept on the disk, before what follows is sent. */
  | { type: 'persist' }
  /** `request/<id>` with this maximum; null takes it back. */
  | { type: 'request'; id: string; maxCurrent: number | null }
  /** `limit/<circuit>`: W that its chargers may use together, for so long (s); without power: no limit any more. */
  | { type: 'limit'; circuit: string; power?: number; validFor: number };

export function chargerConfig(check: CheckState, id: string): ChargerConfig | undefined {
  return check.site.chargers.find((c) => c.id === id);
}

/** The most that people let a charger have, A. */
export function mostOf(check: CheckState, { id, max }: ChargerConfig): number {
  return Math.min(max, check.wishes.get(id)?.before ?? max);
}
