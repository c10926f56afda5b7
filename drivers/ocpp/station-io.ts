/**
 * What a station's logic and the wire say to each other. The logic (`station.ts`) is a plain state machine: it is told what was
 * heard and what time it is (ms, monotonic), and answers with outputs; who runs it does the I/O.
 */
import type { DriverAlert } from '../alert.ts';
import type { ChargerReading } from '../charger.ts';
import type { MeterReading } from '../meter.ts';

/**
 * `limit`: goes out at once, whatever else waits for its answer; of two with the same `key` only the newest still waits.
 * `ordinary`: one after another (OCPP-J 1.6, 4.1.1).
 */
export type Lane = 'limit' | 'ordinary';

export interface StationCall {
  type: 'call';
  /** Comes back with the answer; unique within the station. */
  id: number;
  /** An action of OCPP 1.6 that a central system may call. */
  action: string;
  payload: object;
  lane: Lane;
  /** Of the calls of one lane with this key that have not been sent yet, only the newest is sent; the others end as `replaced`. */
  key?: string;
  /** s from the moment it is sent. */
  timeout: number;
}

export type CallAnswer =
  | { ok: true; payload: unknown }
  | { ok: false; error: 'refused'; code: string; description: string }
  | { ok: false; error: 'timeout' | 'disconnected' | 'replaced' | 'invalid'; description: string };

export type StationOutput =
  | StationCall
  | { type: 'reading'; connector: number; reading: ChargerReading }
  /** Site measurands of existing servers. */
  | { type: 'meter'; meter: string; reading: MeterReading }
  | { type: 'alert'; connector?: number; alert: DriverAlert }
  /** To be on the disk before anything else of the same list is done. */
  | { type: 'persist'; record: unknown };

/** The answer to a call of a station: its payload, or why there is none (an error code of OCPP-J). */
export type StationResponse =
  | { ok: true; payload: object }
  | {
      ok: false;
      code: 'NotImplemented' | 'NotSupported' | 'InternalError' | 'PropertyConstraintViolation';
      description: string;
    };

/** What runs a station tells its logic. Nothing here throws for what a station may send. */
export interface StationLogic {
  /** The station has connected (and was authenticated); also when it did so again. */
  connected(now: number, wallClock: number): StationOutput[];
  disconnected(now: number): StationOutput[];
  /** A call that has passed the validation. `wallClock`: epoch ms. Outputs are done before the answer goes out if they persist. */
  request(
    action: string,
    payload: unknown,
    now: number,
    wallClock: number,
  ): { response: StationResponse; outputs: StationOutput[] };
  answered(id: number, answer: CallAnswer, now: number, wallClock: number): StationOutput[];
  /**
   * Set-point of a connector, A (0 = pause), valid for `validFor` s; `phases` to switch it to, if it can be switched.
   * Never produces a reading. @throws DeviceDataError for a connector that it does not have, or a value it cannot take.
   */
  setpoint(connector: number, current: number, validFor: number, now: number, phases?: 1 | 3): StationOutput[];
  /** Called about four times a second. */
  tick(now: number, wallClock: number): StationOutput[];
}
