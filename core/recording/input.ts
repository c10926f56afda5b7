/** Everything that a controller can be told, as one kind of data: what is recorded, and told again in a replay. */
import type { ChargerInput } from '../charger-track.ts';
import type { Controller, LimitInput } from '../controller.ts';
import { onCharger, onLimit, onMeter, onPrices, onRequest, type RequestInput } from '../inputs.ts';
import type { MeterInput } from '../meter-track.ts';
import type { Price } from '../policies.ts';

/** `at`: ms on the controller's monotonic clock. */
export type Input =
  | { kind: 'meter'; at: number; id: string; input: MeterInput }
  | { kind: 'charger'; at: number; id: string; input: ChargerInput }
  | { kind: 'limit'; at: number; id: string; source: string; input: LimitInput }
  | { kind: 'request'; at: number; id: string; input: RequestInput }
  | { kind: 'prices'; at: number; prices: readonly Price[] };

/**
 * Books an input. Returns whether it was meant for anything that the controller has. Throws a RangeError before anything is
 * changed where a number is none.
 */
export function receive(controller: Controller, input: Input): boolean {
  switch (input.kind) {
    case 'meter':
      return onMeter(controller, input.id, input.input, input.at);
    case 'charger':
      return onCharger(controller, input.id, input.input, input.at);
    case 'limit':
      return onLimit(controller, input.id, input.source, input.input, input.at);
    case 'request':
      return onRequest(controller, input.id, input.input);
    case 'prices':
      onPrices(controller, input.prices, input.at);
      return true;
    default:
      throw new RangeError(
        `kind: ${JSON.stringify((input as Input).kind)} — expected meter, charger, limit, request or prices`,
      );
  }
}
