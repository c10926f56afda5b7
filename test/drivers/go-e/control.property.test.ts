import assert from 'node:assert/strict';
import fc from 'fast-check';
import { GoEWorld } from '../../helpers/go-e-world.ts';

/**
 * Any order of set-points, people, plugging, kills, lost messages and broker outages. What must hold:
 * a stop by hand that the driver could see is never undone, a pause of ours ends when charging is wanted, nothing is
 * written before the first set-point, and the record is on the disk before what it stands for.
 */
type Act =
  | { do: 'setpoint'; current: number }
  | { do: 'press'; button: 'stop' | 'start' }
  | { do: 'plug' }
  | { do: 'kill' }
  | { do: 'broker' }
  | { do: 'lose'; share: number }
  | { do: 'raise' }
  | { do: 'wait' };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('setpoint' as const), current: fc.constantFrom(0, 0, 6, 10, 16) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('press' as const),
      button: fc.constantFrom('stop' as const, 'start' as const),
    }),
  },
  fc.constant({ do: 'plug' as const }),
  { weight: 2, arbitrary: fc.constant({ do: 'kill' as const }) },
  fc.constant({ do: 'broker' as const }),
  fc.record({ do: fc.constant('lose' as const), share: fc.constantFrom(0, 0.05, 0.3) }),
  fc.constant({ do: 'raise' as const }),
  { weight: 2, arbitrary: fc.constant({ do: 'wait' as const }) },
);

const script = fc.array(fc.tuple(act, fc.integer({ min: 1, max: 60 })), { minLength: 1, maxLength: 30 });

/** A reproducible coin per message. */
function lossOf(seed: number, share: () => number): () => boolean {
  let state = seed | 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32 < share();
  };
}

for (const api of ['v1', 'v2'] as const) {
  describe(`go-e control, any order of events, API ${api}`, () => {
    it('never undoes a stop by hand, takes its own pause back, writes nothing unasked', () => {
      fc.assert(
        fc.property(script, fc.integer(), (acts, seed) => {
          const world = new GoEWorld(api);
          const person = new Person(world);
          let share = 0;
          world.lose = lossOf(seed, () => share);
          world.pass(7);
          let asked = false;
          for (const [{ ...what }, quarters] of acts) {
            if (what.do === 'setpoint') {
              asked = true;
              world.setpoint(what.current);
            }
            if (what.do === 'press') person.press(what.button);
            if (what.do === 'plug') world.vehicle.isPlugged = !world.vehicle.isPlugged;
            if (what.do === 'kill') world.restart();
            if (what.do === 'broker') world.setBroker(!world.broker);
            if (what.do === 'lose') share = what.share;
            if (what.do === 'raise') world.device.setAmp(16);
            for (let i = 0; i < quarters; i++) {
              world.pass(0.25);
              person.check();
            }
            if (!asked) assert.deepEqual(world.writes, []);
          }
          for (const { write, record } of world.recordAtWrite) {
            if (write.key === 'alw') assert.equal(record?.pause, write.value === 0 ? 'paused' : 'releasing');
            if (write.key === 'frc') assert.equal(record?.pause, write.value === 1 ? 'paused' : 'releasing');
          }
          person.end(() => {
            share = 0;
          });
        }),
        { numRuns: Number(process.env.PROPERTY_RUNS ?? 300) },
      );
    });
  });
}

/** Knows what a person did, and what the driver could know of it. */
class Person {
  readonly #world: GoEWorld;
  /** The person's stop is in force, and was pressed while nothing of ours was. */
  #stopped = false;
  #lastPress: 'stop' | 'start' | undefined;

  constructor(world: GoEWorld) {
    this.#world = world;
  }

  press(button: 'stop' | 'start'): void {
    const ours = this.#world.record !== undefined && this.#world.record.pause !== 'none';
    this.#world.press(button);
    this.#lastPress = button;
    // Pressed during our own pause it cannot be told from it.
    this.#stopped = button === 'stop' && this.#world.vehicle.isPlugged && (this.#stopped || !ours);
  }

  check(): void {
    const world = this.#world;
    if (!world.vehicle.isPlugged) this.#stopped = false;
    if (!this.#stopped) return;
    // A pause that went out before the stop was reported makes it one with our pause.
    if (
      world.record !== undefined &&
      world.record.pause !== 'none' &&
      world.charger.reading(world.now)?.stoppedBy !== 'user'
    ) {
      this.#stopped = false;
      return;
    }
    assert.ok(world.switchedOff(), `a stop by hand was undone at ${world.now} ms`);
  }

  /** With everything working again and charging wanted: it charges, unless a person stopped it. */
  end(noLoss: () => void): void {
    const world = this.#world;
    noLoss();
    if (!world.broker) world.setBroker(true);
    world.vehicle.isPlugged = true;
    world.setpoint(10, 86_400);
    world.pass(90);
    this.check();
    // A stop whose every report was lost is not seen by the driver; it is a person's all the same.
    const unseen =
      this.#lastPress === 'stop' && world.record?.pause !== 'paused' && world.record?.pause !== 'releasing';
    const byPerson = this.#stopped || unseen || world.last().stoppedBy === 'user';
    if (world.switchedOff()) assert.ok(byPerson, 'our own pause was left in force');
    else assert.equal(world.vehicle.offered, 10);
  }
}
