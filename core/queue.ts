/** Who charges and who waits on each phase of each circuit, for the sentence that says how long a turn still takes. */
import { phasesOf } from './charger-track.ts';
import type { Controller } from './controller.ts';
import type { Phase } from './units.ts';

/** Chargers between which only time decides. */
interface Alike {
  /** When the running turns end, ms, earliest first. */
  ends: number[];
  /** The others and since when they wait, ms, longest first. */
  waits: { id: string; since: number }[];
}

interface Queue {
  /** A that chargers use together. */
  used: number;
  /** Whether anybody has its turn. */
  busy: boolean;
  alike: Map<string, Alike>;
}

export type Queues = ReadonlyMap<string, Queue>;

export function queuesOf(controller: Controller): Queues {
  const queues = new Map<string, Queue>();
  const turn = controller.options.turnSeconds * 1000;
  for (const [id, track] of controller.chargers) {
    const { turnSince, waitsSince = 0 } = controller.patience.get(id) ?? {};
    const place = placeOf(controller, id);
    for (const circuit of controller.paths.get(id) ?? []) {
      for (const phase of phasesOf(track)) {
        const queue = queues.get(`${circuit} ${phase}`) ?? { used: 0, busy: false, alike: new Map() };
        queues.set(`${circuit} ${phase}`, queue);
        queue.used += track.setpoint ?? 0;
        queue.busy ||= turnSince !== undefined;
        if (place === undefined) continue;
        const alike = queue.alike.get(place) ?? { ends: [], waits: [] };
        queue.alike.set(place, alike);
        if (turnSince === undefined) alike.waits.push({ id, since: waitsSince });
        else alike.ends.push(turnSince + turn);
      }
    }
  }
  for (const { alike } of queues.values()) {
    for (const { ends, waits } of alike.values()) {
      ends.sort((a, b) => a - b);
      waits.sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));
    }
  }
  return queues;
}

/** A that chargers use together on a circuit's phase. */
export function usedIn(queues: Queues, circuit: string, phase: Phase): number {
  return queues.get(`${circuit} ${phase}`)?.used ?? 0;
}

/**
 * For whom the charger `id` waits on a circuit's phase: `turn` with the moment (ms) at which its own turn comes at the latest as
 * things are, `priority` when whoever charges comes first whatever the time, undefined when nobody has a turn there.
 */
export function waitsFor(
  controller: Controller,
  queues: Queues,
  id: string,
  circuit: string,
  phase: Phase,
): { kind: 'turn'; until: number } | { kind: 'priority' } | undefined {
  const queue = queues.get(`${circuit} ${phase}`);
  if (!queue?.busy) return undefined;
  const { ends = [], waits = [] } = queue.alike.get(placeOf(controller, id) ?? '') ?? {};
  if (ends.length === 0) return { kind: 'priority' };
  const before = Math.max(
    0,
    waits.findIndex((w) => w.id === id),
  );
  const rounds = Math.floor(before / ends.length);
  return { kind: 'turn', until: ends[before % ends.length] + rounds * controller.options.turnSeconds * 1000 };
}

/** What the policy says of a charger, as a key; undefined while it says nothing. */
function placeOf({ places }: Controller, id: string): string | undefined {
  const turn = places?.turns.get(id);
  return turn && `${turn.priority} ${turn.order}`;
}
