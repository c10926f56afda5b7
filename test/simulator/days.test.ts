import assert from 'node:assert/strict';
import { fusewise } from '../../simulator/brain.ts';
import { homeCircuit, judgeDay } from '../../simulator/day.ts';
import { existingRule } from '../../simulator/rivals.ts';
import type { Brain } from '../../simulator/virtual-home.ts';
import { assertSafe, dayOptions, runDay } from './days.ts';

describe('ten days of a home', function () {
  this.timeout(120_000);

  for (let seed = 1; seed <= 10; seed++) {
    it(`day ${seed}: no trip through the car, no overload beyond the reaction chain`, () => {
      const result = runDay(seed);
      assertSafe(result);
      if (dayOptions(seed).options.device === 'gG' && dayOptions(seed).options.car === 'endless')
        assert.ok(result.reached >= 0.94, `${result.reached}`);
    });
  }

  it('a charger that is switched to one phase breaks none of it, and charges as much', () => {
    const { options, circuit } = dayOptions(1);
    const result = judgeDay({ ...options, brain: fusewise({ circuit, guard: true, phaseSwitching: true }) }, circuit);
    assertSafe(result);
    assert.ok(result.energyWh >= 0.99 * runDay(1).energyWh, `${result.energyWh}`);
  });

  it('the same seed gives the same day', () => {
    const day = () => judgeDay({ ...dayOptions(1).options, hours: 3 }, dayOptions(1).circuit);
    assert.deepEqual(day(), day());
  });
});

/** Control loops that are wrong on purpose: the judgement must catch each. */
const BROKEN: Record<string, (brain: Brain) => Brain> = {
  'never lowers': (brain) => {
    let highest = 0;
    return { ...brain, decide: (now) => raise(brain.decide(now), (current) => (highest = Math.max(highest, current))) };
  },
  'adds three amperes': (brain) => ({
    ...brain,
    decide: (now) => raise(brain.decide(now), (current) => (current > 0 ? current + 3 : 0)),
  }),
  'is deaf on one phase': (brain) => ({
    ...brain,
    meter: (input, now) => brain.meter({ ...input, current: [input.current[0], input.current[1], 5] }, now),
  }),
  'never pauses': (brain) => ({
    ...brain,
    decide: (now) => raise(brain.decide(now), (current) => Math.max(6, current)),
  }),
  'acts ten seconds late': (brain) => {
    const queue: { at: number; decision: { current: number; validFor: number } }[] = [];
    return {
      ...brain,
      decide(now) {
        const decision = brain.decide(now);
        if (decision) queue.push({ at: now + 10_000, decision });
        return queue[0] && queue[0].at <= now ? queue.shift()?.decision : undefined;
      },
    };
  },
};

function raise(
  decision: ReturnType<Brain['decide']>,
  change: (current: number) => number,
): ReturnType<Brain['decide']> {
  return decision && { ...decision, current: change(decision.current) };
}

describe('the judgement can fail', function () {
  this.timeout(120_000);

  for (const [name, distort] of Object.entries(BROKEN)) {
    it(`catches a control loop that ${name}`, () => {
      const { options, circuit } = dayOptions(11);
      const broken = { ...options, brain: (now: number) => distort(options.brain(now)) };
      assert.throws(() => assertSafe(judgeDay(broken, circuit)));
    });
  }

  it("catches the existing system's rule", () => {
    const rule = existingRule({ rating: 25, max: 16, min: 6, step: 1 });
    assert.throws(() => assertSafe(judgeDay({ ...dayOptions(11).options, brain: rule }, homeCircuit())));
  });
});
