/** When a meter has proven on which phases a charger is wired (S10, S13). */
import assert from 'node:assert/strict';
import { rotationProven } from '../../core/charger-track.ts';
import {
  createController,
  decide,
  onCharger,
  onMeter,
  onRequest,
  type PerPhase,
  type Phase,
} from '../../core/index.ts';
import { charger, HOME } from './mini-site.ts';

const IDS = ['a', 'b', 'c'] as const;
type Limits = [a: number, b: number, c: number];

/** Whether `a` has proven to load L1, as `a` and `b` say they do, when both and `c`, on L2, are moved between two limits (A). */
function proven(limits: { high: Limits; low: Limits }, meter: typeof onL1): boolean {
  const chargers = IDS.map((id) => charger(id, { rotation: [id === 'c' ? 'L2' : 'L1'], safe: 0 }));
  const controller = createController({ circuits: [{ ...HOME, rating: 60 }], chargers, voltage: 230 }, {}, 0);
  const drawn = { a: 0, b: 0, c: 0 };
  for (let second = 1; second <= 400; second++) {
    const now = second * 1000;
    const wished = Math.floor(second / 60) % 2 === 0 ? limits.high : limits.low;
    onMeter(controller, 'grid', { current: meter(drawn.a, drawn.b, drawn.c) }, now);
    for (const [i, id] of IDS.entries()) {
      onRequest(controller, id, { maxCurrent: wished[i] });
      const phases: Phase[] = [id === 'c' ? 'L2' : 'L1'];
      const current: PerPhase = id === 'c' ? [0, drawn.c, 0] : [drawn[id], 0, 0];
      onCharger(controller, id, { online: true, state: 'C', phases, offer: drawn[id], current }, now + 100);
    }
    for (const { id, current } of decide(controller, now + 300).setpoints) drawn[id as (typeof IDS)[number]] = current;
  }
  const track = controller.chargers.get('a');
  assert.ok(track);
  return rotationProven(track);
}
const onL1 = (a: number, b: number, c: number): PerPhase => [8 + a + b, 8 + c, 8];

describe('the proof of a rotation', () => {
  it('comes from changes that only its own phase shows', () => {
    assert.ok(proven({ high: [16, 10, 0], low: [6, 10, 0] }, onL1));
  });

  it('is none where another phase moves as much as it does, however much others moved its own (site day 233)', () => {
    // Vehicle a is wired to L2; b, on L1, changes by more at the same time.
    const onL2 = (a: number, b: number): PerPhase => [8 + b, 8 + a, 8];
    assert.ok(!proven({ high: [12, 16, 0], low: [6, 0, 0] }, onL2));
  });

  it('is none where another charger hides on the other phase what it does (site day 381)', () => {
    const onL2 = (a: number, b: number, c: number): PerPhase => [8 + b, 8 + a + c, 8];
    assert.ok(!proven({ high: [12, 16, 6], low: [6, 0, 12] }, onL2));
  });

  it('is none where swapped clamps show others on its phase whose own is not proven either', () => {
    const swapped = (a: number, b: number, c: number): PerPhase => [8 + c, 8 + a + b, 8];
    assert.ok(!proven({ high: [16, 6, 12], low: [6, 12, 6] }, swapped));
  });

  it('comes beside others that change, where they cannot have moved its phase as far', () => {
    assert.ok(proven({ high: [16, 10, 9], low: [6, 8, 8] }, onL1));
  });

  it('is none where the feeder is on another phase of the main fuse, whatever its own meter shows', () => {
    for (const halfPeriod of [2, 3, 5]) {
      const circuits = [
        { ...HOME, rating: 60 },
        { ...HOME, id: 'feeder', parent: 'main', meter: 'feeder' },
      ];
      const chargers = [charger('a', { circuit: 'feeder', rotation: ['L1'] })];
      const controller = createController({ circuits, chargers, voltage: 230 }, {}, 0);
      for (let second = 1; second <= 500; second++) {
        const draw = Math.floor(second / 60) % 2 === 0 ? 6 : 12;
        const hob = Math.floor(second / halfPeriod) % 2 === 0 ? 9 : 0;
        onMeter(controller, 'grid', { current: [3 + hob, 4 + draw, 3] }, second * 1000);
        onMeter(controller, 'feeder', { current: [draw, 0, 0] }, second * 1000);
        const report = { online: true, state: 'C' as const, phases: ['L1' as const], offer: 12 };
        onCharger(controller, 'a', { ...report, current: [draw, 0, 0] }, second * 1000 + 100);
        decide(controller, second * 1000 + 300);
      }
      assert.equal(controller.chargers.get('a')?.shown, 0, `a hob of ${halfPeriod} s`);
    }
  });

  it('is only one for each change, however many meters show it', () => {
    const circuits = [
      { ...HOME, rating: 60 },
      { ...HOME, id: 'feeder', parent: 'main', meter: 'feeder' },
    ];
    const chargers = [charger('a', { circuit: 'feeder', rotation: ['L1'] })];
    const controller = createController({ circuits, chargers, voltage: 230 }, {}, 0);
    for (let second = 1; second <= 30; second++) {
      const draw = second < 15 ? 6 : 16;
      for (const id of ['grid', 'feeder']) onMeter(controller, id, { current: [8 + draw, 8, 8] }, second * 1000);
      const report = { online: true, state: 'C' as const, phases: ['L1' as const], offer: 16 };
      onCharger(controller, 'a', { ...report, current: [draw, 0, 0] }, second * 1000 + 100);
      decide(controller, second * 1000 + 300);
    }
    assert.equal(controller.chargers.get('a')?.shown, 1);
  });
});
