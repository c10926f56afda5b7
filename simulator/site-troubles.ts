/** What goes wrong on a site in a day, as data: when, for how long, and where. */
import type { Random } from './random.ts';
import type { SitePlan } from './site-plan.ts';

export const TROUBLES = {
  /** The control loop dies and starts anew. */
  restart: { times: [1, 3], seconds: [2, 30] },
  /** A meter says nothing. */
  silentMeter: { times: [1, 2], seconds: [5, 180] },
  /** The same, and what it said last is sent around again, as old as it is. */
  repeatedMeter: { times: [0, 2], seconds: [5, 180] },
  /** A meter says the same again and again. */
  frozenMeter: { times: [0, 1], seconds: [120, 900] },
  /** A charger cannot be reached. */
  lostCharger: { times: [0, 2], seconds: [20, 900] },
  /** Messages whose numbers are none. */
  rubbish: { times: [1, 3], seconds: [0, 0] },
  /** Reports of a minute ago, of all chargers. */
  oldReport: { times: [1, 3], seconds: [0, 0] },
} as const satisfies Record<string, { times: readonly [number, number]; seconds: readonly [number, number] }>;

export type TroubleKind = keyof typeof TROUBLES;

export interface Trouble {
  kind: TroubleKind;
  /** s since the start. */
  at: number;
  seconds: number;
  /** Which of the meters or chargers. */
  target: number;
}

/** The troubles of a day of `hours`; with `only`, that kind alone, after each 20 minutes. */
export function planTroubles(r: Random, site: SitePlan, hours: number, only?: TroubleKind): Trouble[] {
  const end = hours * 3600;
  const kinds = Object.keys(TROUBLES) as TroubleKind[];
  return kinds.flatMap((kind) => {
    const { times, seconds } = TROUBLES[kind];
    const count = only ? Math.floor(end / 1200) - 1 : r.integer(times[0], times[1]);
    if (only && only !== kind) return [];
    const among = kind.endsWith('Meter') ? site.meters.length : site.chargers.length;
    return Array.from({ length: count }, (_, i) => ({
      kind,
      at: only ? 1200 * (i + 1) : r.between(300, end),
      seconds: r.between(seconds[0], seconds[1]),
      target: r.integer(0, among - 1),
    }));
  });
}
