/** Logic that accepts everything that a station may ask, and calls nothing by itself. */
import type { StationLogic, StationOutput } from '../../../drivers/ocpp/station-io.ts';
import { acceptAll } from './harness.ts';

export class TrivialLogic implements StationLogic {
  connected(): StationOutput[] {
    return [];
  }

  disconnected(): StationOutput[] {
    return [];
  }

  request(action: string) {
    return { response: acceptAll(action).response, outputs: [] };
  }

  answered(): StationOutput[] {
    return [];
  }

  setpoint(): StationOutput[] {
    return [];
  }

  tick(): StationOutput[] {
    return [];
  }
}
