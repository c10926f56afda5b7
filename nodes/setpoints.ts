/** Set-points as they come over a wire: only the newest of each charger counts. */
import type { SetpointMessage } from '../messages/index.ts';

/** Calls `take` if the set-point is newer than those before it; an old sequence number is refused (S12). One that `take` throws at has not been. */
export function newestSetpoints(): (id: string, setpoint: SetpointMessage, take: () => void) => void {
  const last = new Map<string, { sequence: number; at: number }>();
  return (id, { sequence, at }, take) => {
    const before = last.get(id);
    // An allocator that starts anew counts from 0, but its clock goes on.
    if (before && sequence < before.sequence && at <= before.at) return;
    take();
    last.set(id, { sequence, at });
  };
}
