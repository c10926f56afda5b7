/** Days of the virtual home as tests: which seeds, and what must hold on each. */
import assert from 'node:assert/strict';
import type { PerPhase } from '../../core/units.ts';
import { fusewise } from '../../simulator/brain.ts';
import { type DayResult, homeCircuit, judgeDay } from '../../simulator/day.ts';
import { createHouse } from '../../simulator/house.ts';
import type { HomeOptions } from '../../simulator/virtual-home.ts';

/** Every fourth day runs on MCBs, every third on a go-e with API v1, every fifth on a Shelly of generation 2; half of the MCB days with an everyday car. */
export function dayOptions(seed: number): { options: HomeOptions; circuit: ReturnType<typeof homeCircuit> } {
  const device = seed % 4 === 0 ? 'B' : 'gG';
  // Near an MCB the margin is for the jump that is configured: an installer who knows the house names its largest.
  const circuit = homeCircuit(device, 25, device === 'B' ? Math.max(16, largestRise(seed)) : 16);
  const options: HomeOptions = {
    seed,
    device,
    brain: fusewise({ circuit, guard: true }),
    api: seed % 3 === 0 ? 'v1' : 'v2',
    generation: seed % 5 === 0 ? 2 : 1,
    car: seed % 7 === 0 ? 'everyday' : 'endless',
  };
  return { options, circuit };
}

export function runDay(seed: number): DayResult {
  const { options, circuit } = dayOptions(seed);
  return judgeDay(options, circuit);
}

/** The largest rise of the house load within one reaction, A. */
function largestRise(seed: number): number {
  const house = createHouse(seed);
  const recent: PerPhase[] = [];
  let largest = 0;
  for (let second = 0; second < 86_400; second++) {
    const now: PerPhase = [...house.current(second * 1000)];
    for (const past of recent) largest = Math.max(largest, ...now.map((current, p) => current - past[p]));
    recent.push(now);
    if (recent.length > 9) recent.shift();
  }
  return Math.ceil(largest);
}

/** What no day may show. */
export function assertSafe(result: DayResult): void {
  const { seed, trips } = result;
  assert.equal(result.tripsWhileReachable, 0, `seed ${seed}: a trip through the car while everything could be reached`);
  assert.ok(trips.total - trips.withoutVehicle <= trips.reference, `seed ${seed}: ${JSON.stringify(trips)}`);
  assert.equal(result.lateOverloads, 0, `seed ${seed}: an overload lasted ${result.worstOverload} s`);
}
