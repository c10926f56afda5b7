/** Our control loop as a brain for the virtual home: the core's controller and, beside it, the fuse guard. */
import {
  type CircuitConfig,
  createController,
  createGuard,
  decide,
  type GuardRecord,
  guardMeter,
  guardRecord,
  guardVerdict,
  onCharger,
  onLimit,
  onMeter,
  protectiveDevice,
} from '../core/index.ts';
import type { Brain } from './virtual-home.ts';

export interface FusewiseOptions {
  circuit: CircuitConfig;
  guard: boolean;
  /** The charger may be switched to one phase. */
  phaseSwitching?: boolean;
}

/** Makes brains one after another (a restart makes the next); what the guard wrote to the disk survives. */
export function fusewise({ circuit, guard: guarded, phaseSwitching }: FusewiseOptions): (now: number) => Brain {
  let disk: { record: GuardRecord; at: number } | undefined;
  return (start) => {
    const site = {
      circuits: [circuit],
      chargers: [
        {
          id: 'go-e',
          circuit: circuit.id,
          rotation: ['L1' as const, 'L2' as const, 'L3' as const],
          min: 6,
          max: 16,
          safe: 6,
          phaseSwitching,
        },
      ],
      voltage: 230,
    };
    const controller = createController(site, {}, start);
    const device = protectiveDevice(circuit);
    const guard = createGuard(device, { reactionSeconds: 8 }, start, disk?.record, disk ? (start - disk.at) / 1000 : 0);
    let limited = Number.NEGATIVE_INFINITY;

    function guardRound(now: number): void {
      const verdict = guardVerdict(guard, now);
      if (verdict.changed) disk = { record: structuredClone(guardRecord(guard, now)), at: now };
      if (!verdict.changed && now - limited < 10_000) return;
      limited = now;
      const { rating } = circuit;
      onLimit(
        controller,
        circuit.id,
        'guard',
        { current: verdict.paused ? [0, 0, 0] : [rating, rating, rating], validFor: 30, onExpiry: 'fallback' },
        now,
      );
    }

    return {
      meter(input, now) {
        onMeter(controller, 'grid', input, now);
        if (!guarded) return;
        guardMeter(guard, input, now);
        guardRound(now);
      },
      charger: (reading, now) => void onCharger(controller, 'go-e', reading, now),
      decide(now) {
        if (guarded && now - limited >= 1000) guardRound(now);
        return decide(controller, now).setpoints.at(-1);
      },
    };
  };
}
