/** What goes wrong on a site in a day: when, for how long, and where; and how it is done. */
import type { ChargerInput } from '../core/index.ts';
import type { Random } from './random.ts';
import { stateOf } from './site-charger.ts';
import type { SiteDay } from './site-day.ts';
import type { SitePlan } from './site-plan.ts';
import type { PlantCharger } from './site-world.ts';

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

interface Trouble {
  kind: TroubleKind;
  /** s since the start. */
  at: number;
  seconds: number;
  /** Which of the meters or chargers. */
  target: number;
}

/** The troubles of a day of `hours`; with `only`, that kind alone, after each 20 minutes. */
function planTroubles(r: Random, site: SitePlan, hours: number, only?: TroubleKind): Trouble[] {
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

export function isTrouble(kind: string): kind is TroubleKind {
  return kind in TROUBLES;
}

/** How much longer a meter that was found frozen may be distrusted, s. */
const DISTRUST_S = 300;

export class SiteTroubles {
  readonly #day: SiteDay;
  readonly #random: Random;

  constructor(day: SiteDay, random: Random) {
    this.#day = day;
    this.#random = random;
  }

  /** Puts the troubles of the day on its agenda. */
  plan(hours: number, only?: TroubleKind): void {
    for (const trouble of planTroubles(this.#random, this.#day.plan, hours, only))
      this.#day.agenda.after(trouble.at, () => this.#break(trouble));
  }

  #break({ kind, seconds, target }: Trouble): void {
    const now = this.#day.agenda.now;
    const meter = this.#day.plan.meters[target]?.id;
    const charger = this.#day.world.chargers[target];
    const until = (end: () => void) => {
      this.#day.disturb(kind === 'frozenMeter' ? seconds + DISTRUST_S : seconds);
      this.#day.agenda.after(seconds, end);
    };
    const run: Record<TroubleKind, () => void> = {
      restart: () => {
        this.#day.controller = undefined;
        until(() => this.#day.start());
      },
      silentMeter: () => this.#silence(meter, until),
      repeatedMeter: () => {
        this.#silence(meter, until);
        for (let after = 3; after < seconds; after += 7) this.#day.agenda.after(after, () => this.#repeat(meter));
      },
      frozenMeter: () => {
        this.#day.frozen.set(meter, now);
        until(() => this.#day.frozen.delete(meter));
      },
      lostCharger: () => {
        charger.reachable = false;
        until(() => {
          charger.reachable = true;
        });
      },
      rubbish: () => this.#rubbish(charger.config.id),
      oldReport: () => {
        const old = [...this.#day.reported];
        this.#day.agenda.after(60, () => {
          for (const [id, report] of old) this.#late(id, report);
        });
      },
    };
    run[kind]();
  }

  #silence(meter: string, until: (end: () => void) => void): void {
    this.#day.quiet.add(meter);
    until(() => this.#day.quiet.delete(meter));
  }

  /** A report of a minute ago; all but its currents is as it is. */
  #late(id: string, { current }: ChargerInput): void {
    const { car, offer, stoppedBy, reachable } = this.#day.world.chargers.find(
      (c) => c.config.id === id,
    ) as PlantCharger;
    if (!reachable) return;
    this.#day.outdated.push({ id, current });
    this.#day.hearCharger(id, { online: true, state: stateOf(car), current, offer, stoppedBy, age: 60 });
    this.#day.decide();
  }

  /** What is kept of a meter's last message is sent around once more. */
  #repeat(meter: string): void {
    const current = this.#day.samples.get(meter);
    const heard = this.#day.heard.get(meter);
    if (!current || !heard || !this.#day.quiet.has(meter)) return;
    const age = (this.#day.agenda.now - heard.at) / 1000;
    this.#day.repeated.set(meter, this.#day.agenda.now);
    this.#day.hearMeter(meter, { current, age: [age, age, age] });
  }

  #rubbish(id: string): void {
    const { controller } = this.#day;
    if (!controller) return;
    const { onMeter, onCharger } = this.#day.inputs;
    const now = this.#day.agenda.now;
    const report = this.#day.reported.get(id);
    const sends = [
      () => onMeter(controller, this.#day.plan.meters[0].id, { current: [Number.NaN, 1, 1] }, now),
      () => onMeter(controller, this.#day.plan.meters[0].id, { current: [1, 1, 1], age: [0, -5, 0] }, now),
      () => report && onCharger(controller, id, { ...report, current: [0, Number.POSITIVE_INFINITY, 0] }, now),
    ];
    for (const send of sends) {
      if (!report) continue;
      const before = JSON.stringify([[...controller.circuits], [...controller.chargers]]);
      let error: unknown;
      try {
        send();
      } catch (thrown) {
        error = thrown;
      }
      const after = JSON.stringify([[...controller.circuits], [...controller.chargers]]);
      this.#day.observer.rubbish(this.#day, error, before !== after);
    }
  }
}
