/** A day of a random site with everything that a controller can be told, and what a recorder writes down of it. */
import {
  type ChunkBegin,
  type Controller,
  type ControllerOptions,
  chunkLine,
  type Decision,
  decisionLine,
  headerLine,
  type Input,
  inputLine,
  type PolicyName,
  receive,
  snapshot,
  snapshotLines,
} from '../../core/index.ts';
import { createRandom, type Random } from '../../simulator/random.ts';
import { SiteDay } from '../../simulator/site-day.ts';

export const HEADER = {
  software: 'test',
  node: 'test',
  cpu: 'test',
  causes: [{ at: 1.7e12, code: 'manual', source: 'test' }],
  from: 1.7e12,
  to: 1.7e12,
  shortened: false,
};

/** What a recorder writes, in memory, without bounds. */
export class Tape {
  readonly lines = [headerLine(HEADER)];
  /** Numbers of decisions and inputs on it. */
  decisions = 0;
  inputs = 0;
  /** Whose decisions are on it. */
  controller: Controller | undefined;

  hear(controller: Controller, input: Input): void {
    if (controller !== this.controller) return;
    this.inputs += 1;
    this.lines.push(inputLine(input));
  }

  decided(controller: Controller, at: number, decision: Decision | Error): void {
    if (controller !== this.controller) {
      this.begin(controller, at, this.controller ? 'site' : 'start');
      return;
    }
    this.decisions += 1;
    this.lines.push(decisionLine(at, decision));
  }

  begin(controller: Controller, at: number, because: ChunkBegin): void {
    this.controller = controller;
    const state = snapshot(controller);
    this.lines.push(chunkLine({ at, epoch: 1.7e12 + at, because }), ...snapshotLines(state));
  }
}

const POLICIES: PolicyName[] = ['priority', 'equal', 'first-come', 'soc', 'departure', 'most-vehicles', 'tariff'];

export interface RecordedDay {
  seed: number;
  minutes: number;
  /** About so many decisions lie between two chunks. */
  chunk: number;
  /** Called where a chunk begins. */
  begins?(controller: Controller): void;
}

/** Lets a day pass and records it. */
export function recordDay({ seed, minutes, chunk, begins }: RecordedDay): Tape {
  const random = createRandom(seed * 31 + 7);
  const tape = new Tape();
  const options: Partial<ControllerOptions> = {
    policy: POLICIES[random.integer(0, POLICIES.length - 1)],
    turnSeconds: random.integer(60, 300),
  };
  const tell = (controller: Controller, input: Input) => {
    const known = receive(controller, input);
    if (known) tape.hear(controller, input);
    return known;
  };
  const day = new SiteDay(
    {
      seed,
      hours: minutes / 60,
      options,
      broken: {
        onMeter: (controller, id, input, at) => tell(controller, { kind: 'meter', at, id, input }),
        onCharger: (controller, id, input, at) => tell(controller, { kind: 'charger', at, id, input }),
        before(controller, at) {
          while (random.chance(0.01)) tell(controller, wish(controller, random, at));
        },
        after(decision, controller, at) {
          tape.decided(controller, at, decision);
          if (random.chance(1 / chunk)) {
            begins?.(controller);
            tape.begin(controller, at, random.chance(0.5) ? 'time' : 'size');
          }
          return decision;
        },
      },
    },
    { disturbed() {}, passes() {}, decided() {}, rubbish() {} },
  );
  day.run();
  return tape;
}

/** Something that people, schedules and tariffs say. */
function wish(controller: Controller, r: Random, at: number): Input {
  const pick = (ids: Iterable<string>) => {
    const all = [...ids];
    return all[r.integer(0, all.length - 1)];
  };
  const or = <T>(value: T) => (r.chance(0.2) ? null : value);
  switch (r.integer(0, 3)) {
    case 0:
      return {
        kind: 'prices',
        at,
        prices: [0, 1, 2].map((i) => ({ start: at + i * 3e5, end: at + (i + 1) * 3e5, price: r.between(-0.1, 0.5) })),
      };
    case 1: {
      const rating = r.between(0, 50);
      const current = r.chance(0.7) ? ([rating, 0.3 * rating, rating] as [number, number, number]) : undefined;
      const power = current ? undefined : 690 * rating;
      const onExpiry = r.chance(0.8) ? 'release' : 'fallback';
      const input = { current, power, validFor: r.between(1, 200), onExpiry, keepMinimum: r.chance(0.2) } as const;
      return { kind: 'limit', at, id: pick(controller.circuits.keys()), source: pick(['guard', 'grid']), input };
    }
    default: {
      const id = r.chance(0.1) ? 'all' : pick(controller.chargers.keys());
      const input = {
        enabled: r.chance(0.8),
        priority: or(r.integer(0, 3)),
        maxCurrent: or(r.between(0, 32)),
        energy: or(r.between(0, 30_000)),
        departure: or(at + r.between(0, 1e7)),
        soc: or(r.between(0, 100)),
      };
      return { kind: 'request', at, id, input };
    }
  }
}
