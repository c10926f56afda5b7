/** When a meter has proven on which phases a charger is wired (S10, S13). */
import assert from 'node:assert/strict';
import { rotationProven } from '../../core/charger-track.ts';
import { createController, decide, onCharger, onMeter, onRequest, type PerPhase } from '../../core/index.ts';
import { charger, HOME } from './mini-site.ts';

/** Whether `a` has proven to load L1, as `a` and `b` say they do, when both are moved between two limits (A). */
function proven(limits: { high: [a: number, b: number]; low: [a: number, b: number] }, meter: typeof onL1): boolean {
  const chargers = ['a', 'b'].map((id) => charger(id, { rotation: ['L1'], safe: 0 }));
  const controller = createController({ circuits: [{ ...HOME, rating: 60 }], chargers, voltage: 230 }, {}, 0);
  const drawn = { a: 0, b: 0 };
  for (let second = 1; second <= 400; second++) {
    const now = second * 1000;
    const wished = Math.floor(second / 60) % 2 === 0 ? limits.high : limits.low;
    onMeter(controller, 'grid', { current: meter(drawn.a, drawn.b) }, now);
    for (const [i, id] of (['a', 'b'] as const).entries()) {
      onRequest(controller, id, { maxCurrent: wished[i] });
      const report = { online: true, state: 'C' as const, phases: ['L1' as const], offer: drawn[id] };
      onCharger(controller, id, { ...report, current: [drawn[id], 0, 0] }, now + 100);
    }
    for (const { id, current } of decide(controller, now + 300).setpoints) drawn[id as 'a' | 'b'] = current;
  }
  const track = controller.chargers.get('a');
  assert.ok(track);
  return rotationProven(track);
}
const onL1 = (a: number, b: number): PerPhase => [8 + a + b, 8, 8];

describe('the proof of a rotation', () => {
  it('comes from changes that only its own phase shows', () => {
    assert.ok(proven({ high: [16, 10], low: [6, 10] }, onL1));
  });

  it('is none where another phase moves as much as it does, however much others moved its own (site day 233)', () => {
    // Vehicle a is wired to L2; b, on L1, changes by more at the same time.
    const onL2 = (a: number, b: number): PerPhase => [8 + b, 8 + a, 8];
    assert.ok(!proven({ high: [12, 16], low: [6, 0] }, onL2));
  });
});
