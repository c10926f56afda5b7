/** The plainest logic of a station: accepts what it hears and passes each set-point on as a profile. */
import type { CallAnswer, StationLogic, StationOutput, StationResponse } from '../../drivers/ocpp/station-io.ts';

class PlainLogic implements StationLogic {
  #id = 0;

  connected(): StationOutput[] {
    return [];
  }

  disconnected(): StationOutput[] {
    return [];
  }

  request(action: string, _payload: unknown, _now: number, wallClock: number) {
    const answers: Record<string, object> = {
      BootNotification: { status: 'Accepted', currentTime: new Date(wallClock).toISOString(), interval: 300 },
      StartTransaction: { transactionId: 1, idTagInfo: { status: 'Accepted' } },
    };
    const response: StationResponse = { ok: true, payload: answers[action] ?? {} };
    return { response, outputs: [] };
  }

  answered(_id: number, _answer: CallAnswer): StationOutput[] {
    return [];
  }

  setpoint(connector: number, current: number, validFor: number): StationOutput[] {
    this.#id += 1;
    const payload = {
      connectorId: connector,
      csChargingProfiles: {
        chargingProfileId: connector,
        stackLevel: 1,
        chargingProfilePurpose: 'TxDefaultProfile',
        chargingProfileKind: 'Relative',
        chargingSchedule: {
          duration: validFor,
          chargingRateUnit: 'A',
          chargingSchedulePeriod: [{ startPeriod: 0, limit: current }],
        },
      },
    };
    const key = `limit ${connector}`;
    return [{ type: 'call', id: this.#id, action: 'SetChargingProfile', payload, lane: 'limit', key, timeout: 30 }];
  }

  tick(): StationOutput[] {
    return [];
  }
}

/** What a module for `--logic` exports. */
export function create(_identity: string, _record: unknown): StationLogic {
  return new PlainLogic();
}
