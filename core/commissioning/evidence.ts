/** From single observations to what can be said of a phase: what agrees, rise and fall, and what does not. */
import { type PerPhase, PHASE_INDICES, type PhaseIndex, perPhase } from '../units.ts';
import type { Window } from './heard.ts';
import { type ChargerEvidence, type Pair, type Show, SWING_A } from './model.ts';

/**
 * A phase that shows less than this part of a change does not take part in it: of the smallest step, 4 A, that is 1.2 A, which a
 * house moves by easily. What it shows beyond is its own.
 */
const STILL_SHARE = 0.3;
/** Observations of one phase that belong together lie this close to their middle. */
const SPREAD_SHARE = 0.35;
/** One that disagrees is outvoted by three that agree; the house may have switched something just then. */
const AGAINST_ONE = 3;
/** Active power of a current whose clamp is 120° away from its voltage: half, with either sign. A load or a vehicle has 0.9 and more. */
const SHIFTED = { from: 0.3, to: 0.72 };

/** What a meter showed from one window to the next, while `swing` A were known to change. */
export function pairOf(before: Window, after: Window, swing: number): Pair {
  const usable = PHASE_INDICES.map((p) => before.quiet[p] && after.quiet[p]) as Pair['usable'];
  const [from, to] = [before.power, after.power];
  return {
    swing,
    change: perPhase((p) => after.mean[p] - before.mean[p]),
    ...(from && to ? { power: perPhase((p) => to[p] - from[p]) } : {}),
    usable,
  };
}

/** What a phase of a meter shows by all pairs; undefined while they are too few or do not agree. */
export function showOf(pairs: readonly Pair[], p: PhaseIndex, volts: number): Show | undefined {
  const all = pairs.filter((pair) => pair.usable[p] && Math.abs(pair.swing) >= SWING_A);
  const shares = all.map((pair) => ({ pair, share: pair.change[p] / pair.swing }));
  const groups = ([0, 1, -1] as const).map((moves) => ({
    moves,
    members: shares.filter((s) => way(s.share) === moves),
  }));
  groups.sort((a, b) => b.members.length - a.members.length);
  const [{ moves, members }] = groups;
  const middle = median(members.map((m) => m.share));
  const agreeing = members.filter((m) => moves === 0 || Math.abs(m.share - middle) <= SPREAD_SHARE * Math.abs(middle));
  const against = all.length - agreeing.length;
  const bothWays = agreeing.some((m) => m.pair.swing > 0) && agreeing.some((m) => m.pair.swing < 0);
  if (!bothWays || agreeing.length < AGAINST_ONE * against) return undefined;
  const factors = agreeing.flatMap(({ pair }) =>
    pair.power ? Math.abs(pair.power[p] / (volts * pair.change[p])) : [],
  );
  const factor = moves === 0 || factors.length === 0 ? 1 : median(factors);
  return { moves, share: middle, shifted: factor >= SHIFTED.from && factor <= SHIFTED.to };
}

/** What all three phases of a meter show. */
export function showsOf(pairs: readonly Pair[] = [], volts: number): [Show?, Show?, Show?] {
  return PHASE_INDICES.map((p) => showOf(pairs, p, volts)) as [Show?, Show?, Show?];
}

function way(share: number): -1 | 0 | 1 {
  if (Math.abs(share) < STILL_SHARE) return 0;
  return share > 0 ? 1 : -1;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.floor((sorted.length - 1) / 2)];
}

export function noEvidence(): ChargerEvidence {
  return { groups: {}, levels: [], reactions: [] };
}

/** The middle of two changes of a known load: on, and off with the other sign, A. */
export function meanChange(on: PerPhase, off: PerPhase): PerPhase {
  return perPhase((p) => (on[p] - off[p]) / 2);
}
