/** Set-points as they come over a wire, for the nodes that tell them to devices. */
import type { Node } from 'node-red';
import { DeviceDataError } from '../drivers/device-data.ts';
import { MessageError, parseMessage, type SetpointMessage } from '../messages/index.ts';

interface Input {
  topic?: unknown;
  payload?: unknown;
  retain?: unknown;
}

/** After this long without a set-point an allocator has begun anew, whatever its clock says, ms. */
const ANEW_MS = 10_000;

/**
 * The input handler of a node that takes `setpoint/<id>`: only the newest of each charger counts, an old sequence number is
 * refused (S12); so is a retained one. Never sends anything itself: what a device does is told when it reports it.
 * `charger`: what takes the set-points of a charger, undefined for one of another node; those come by on the same wire. A set-point
 * at which it throws has not been there. `expected`: the topic, for who sends something else.
 */
export function setpointInput(
  node: Node,
  expected: string,
  charger: (id: string) => ((setpoint: SetpointMessage) => void) | undefined,
  clock = () => performance.now(),
): (msg: Input, send: unknown, done: (error?: Error) => void) => void {
  const warned = new Set<string>();
  const last = new Map<string, { sequence: number; at: number; heardAt: number }>();
  const accept = (id: string, setpoint: SetpointMessage) => {
    const take = charger(id);
    if (!take) return;
    const { sequence, at } = setpoint;
    const before = last.get(id);
    const now = clock();
    // An allocator that starts anew counts from 0, but its clock goes on; where it was put back, the silence tells.
    const isOld = before && sequence < before.sequence && at <= before.at && now - before.heardAt < ANEW_MS;
    if (isOld) return;
    take(setpoint);
    last.set(id, { sequence, at, heardAt: now });
  };
  return (msg, _send, done) => {
    try {
      const message = parseMessage(msg);
      if (message?.kind !== 'setpoint') {
        const kind = message?.kind ?? 'unknown';
        if (!warned.has(kind)) node.warn(`topic: ${JSON.stringify(msg.topic)?.slice(0, 80)} — expected ${expected}`);
        warned.add(kind);
      } else if (msg.retain !== true) accept(message.id, message.payload);
      done();
    } catch (error) {
      if (!(error instanceof MessageError || error instanceof DeviceDataError)) throw error;
      done(error);
    }
  };
}
