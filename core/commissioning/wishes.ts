/**
 * What the check asks of the allocator: lower maxima, and none other than that. `enabled` is never touched, so that a person's
 * stop stays one (S7); what people had asked for comes back at the end, also after a restart.
 */
import type { CheckState, Effect, Wish } from './state.ts';

/** What was not seen to be taken is asked again after this long, ms. */
const AGAIN_MS = 3000;

/**
 * The requests that have to go out at `now` (ms). `desired`: the maximum of each charger while a run goes on, A; without it, what
 * was asked before comes back.
 */
export function askFor(check: CheckState, desired: ReadonlyMap<string, number> | undefined, now: number): Effect[] {
  const effects: Effect[] = [];
  for (const id of new Set([...(desired?.keys() ?? []), ...check.wishes.keys()])) {
    const heard = check.chargers.get(id);
    if (!heard?.told) continue;
    const shown = heard.told.request.maxCurrent ?? null;
    const value = desired?.get(id);
    effects.push(...(value === undefined ? giveBack(check, id, shown, now) : ask(check, id, value, shown, now)));
  }
  return effects;
}

function ask(check: CheckState, id: string, value: number, shown: number | null, now: number): Effect[] {
  const wish = check.wishes.get(id) ?? {
    before: shown,
    sentAt: Number.NEGATIVE_INFINITY,
    seen: false,
    returning: false,
  };
  check.wishes.set(id, wish);
  if (wish.returning) Object.assign(wish, { returning: false, asked: undefined });
  // Whoever asks for something else meanwhile has it in the end.
  if (isSomebodyElses(wish, shown)) Object.assign(wish, { before: shown, asked: undefined });
  if (shown === wish.asked) wish.seen = true;
  const least = Math.min(value, wish.before ?? value);
  const repeated = wish.asked === least;
  if (repeated && (wish.seen || now - wish.sentAt < AGAIN_MS)) return [];
  Object.assign(wish, { asked: least, from: shown, sentAt: now, seen: false });
  return [...(repeated ? [] : [{ type: 'persist' as const }]), { type: 'request', id, maxCurrent: least }];
}

function isSomebodyElses({ asked, seen, from }: Wish, shown: number | null): boolean {
  return asked !== undefined && shown !== asked && (seen || (from !== undefined && shown !== from));
}

/** What was asked before, until the allocator shows it; what somebody else asked meanwhile stays. */
function giveBack(check: CheckState, id: string, shown: number | null, now: number): Effect[] {
  const wish = check.wishes.get(id) as Wish;
  const { before, asked, seen, from, returning, sentAt } = wish;
  const ours = asked !== undefined && (shown === asked || (shown === from && !seen));
  if ((returning && shown === before) || !ours) {
    check.wishes.delete(id);
    return [{ type: 'persist' }];
  }
  if (returning && now - sentAt < AGAIN_MS) return [];
  Object.assign(wish, { returning: true, sentAt: now });
  return [{ type: 'request', id, maxCurrent: before }];
}
