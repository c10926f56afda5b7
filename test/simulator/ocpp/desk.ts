/** A central system without a wire: takes a simulated station's calls, answers them, calls it; in virtual time. */
import type { Phase } from '../../../core/units.ts';
import type { JsonObject } from '../../../simulator/ocpp/frames.ts';
import { OcppStation, type StationOptions } from '../../../simulator/ocpp/station.ts';
import { createRandom } from '../../../simulator/random.ts';
import { createVehicle, type Vehicle, type VehicleOptions } from '../../../simulator/vehicle.ts';

export interface DeskOptions extends Partial<Omit<StationOptions, 'connectors'>> {
  connectors?: number;
  conductors?: Phase[];
  vehicle?: Partial<VehicleOptions>;
  /** What the central system answers in place of its usual. */
  answers?: Record<string, (payload: JsonObject) => JsonObject | undefined>;
  /** Between two ticks, ms. */
  tickMs?: number;
  maximum?: number;
  /** W of the site. */
  site?: () => { grid: number; pv: number; home: number };
}

export interface Heard {
  action: string;
  payload: JsonObject;
  /** s since the start. */
  at: number;
  id: unknown;
}

export const START = Date.UTC(2026, 5, 1, 12);

export class Desk {
  readonly station: OcppStation;
  readonly vehicles: Vehicle[];
  /** Everything that the station has called, in order. */
  readonly heard: Heard[] = [];
  now = 0;
  /** Most calls of the station that were open at once. */
  mostOpen = 0;
  /** While set, calls stay without an answer. */
  mute = false;
  readonly #answers: NonNullable<DeskOptions['answers']>;
  readonly #results = new Map<string, unknown>();
  readonly #tickMs: number;
  #open = 0;
  #ids = 0;
  #transactions = 100;
  connected = false;

  constructor(options: DeskOptions = {}) {
    const {
      connectors = 1,
      conductors = ['L1', 'L2', 'L3'],
      vehicle,
      answers = {},
      tickMs = 500,
      maximum,
      site,
      ...rest
    } = options;
    this.#answers = answers;
    this.#tickMs = tickMs;
    const car = { phases: conductors, maxCurrent: 16, lag: [0.5, 0.5] as [number, number], slack: 0 };
    this.vehicles = Array.from({ length: connectors }, (_, i) =>
      createVehicle({ ...car, capacity: Number.POSITIVE_INFINITY, soc: 0.5, ...vehicle }, createRandom(i + 1)),
    );
    this.station = new OcppStation({
      identity: 'CP001',
      bootSeconds: 3,
      ...rest,
      connectors: this.vehicles.map((v) => ({ vehicle: v, conductors, maximum, soc: v.soc, site })),
    });
  }

  get wallClock(): number {
    return START + this.now;
  }

  connect(): void {
    this.connected = true;
    this.station.connected(this.now, this.wallClock);
    this.#exchange();
  }

  disconnect(): void {
    this.connected = false;
    this.#open = 0;
    this.station.disconnected();
  }

  /** Lets time pass; a station that does not want its connection any more loses it, and gets it back when it does. */
  run(seconds: number): void {
    const end = this.now + seconds * 1000;
    while (this.now < end) {
      this.now = Math.min(end, this.now + this.#tickMs);
      for (const vehicle of this.vehicles) vehicle.step(this.now, 230);
      const wants = this.station.wantsConnection(this.now);
      if (this.connected && !wants) {
        this.disconnect();
        this.redials = true;
      } else if (this.redials && wants) {
        this.redials = false;
        this.connect();
      }
      this.station.tick(this.now, this.wallClock);
      this.#exchange();
    }
  }
  redials = false;

  /** Calls the station. @returns its payload, its error as `{code, description}`, or undefined while there is no answer. */
  call(action: string, payload: object = {}): JsonObject | undefined {
    const id = this.send(action, payload);
    return this.answerTo(id);
  }

  send(action: string, payload: object = {}): string {
    const id = `c${++this.#ids}`;
    this.station.receive(JSON.stringify([2, id, action, payload]), this.now, this.wallClock);
    this.#exchange();
    return id;
  }

  answerTo(id: string): JsonObject | undefined {
    return this.#results.get(id) as JsonObject | undefined;
  }

  of(action: string): JsonObject[] {
    return this.heard.filter((h) => h.action === action).map((h) => h.payload);
  }

  statuses(connector = 1): unknown[] {
    return this.of('StatusNotification')
      .filter((p) => p.connectorId === connector)
      .map((p) => p.status);
  }

  /** A on the first conductor. */
  amps(index = 0): number {
    return Math.max(...this.vehicles[index].current());
  }

  #exchange(): void {
    for (let frames = this.station.take(); frames.length > 0; frames = this.station.take()) {
      for (const text of frames) this.#take(JSON.parse(text));
    }
  }

  #take(frame: [number, unknown, ...unknown[]]): void {
    const [type, id] = frame;
    if (type === 3) this.#results.set(String(id), frame[2]);
    if (type === 4) this.#results.set(String(id), { code: frame[2], description: frame[3] });
    if (type !== 2) return;
    const [, , action, payload] = frame as [2, unknown, string, JsonObject];
    this.heard.push({ action, payload, at: this.now / 1000, id });
    this.#open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.#open);
    const answer = this.mute ? undefined : this.#answer(action, payload);
    if (!answer) return;
    this.#open -= 1;
    this.station.receive(JSON.stringify([3, id, answer]), this.now, this.wallClock);
  }

  #answer(action: string, payload: JsonObject): JsonObject | undefined {
    const own = this.#answers[action];
    if (own) return own(payload);
    const currentTime = new Date(this.wallClock).toISOString();
    const idTagInfo = { status: 'Accepted' };
    if (action === 'BootNotification') return { status: 'Accepted', currentTime, interval: 300 };
    if (action === 'Heartbeat') return { currentTime };
    if (action === 'Authorize') return { idTagInfo };
    if (action === 'StartTransaction') return { idTagInfo, transactionId: ++this.#transactions };
    return {};
  }
}

/** A profile as central systems send it. */
export function profileOf(amps: number, over: object = {}, schedule: object = {}): object {
  return {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind: 'Absolute',
    ...over,
    chargingSchedule: {
      startSchedule: new Date(START).toISOString(),
      chargingRateUnit: 'A',
      chargingSchedulePeriod: [{ startPeriod: 0, limit: amps }],
      ...schedule,
    },
  };
}

export function setProfile(desk: Desk, profile: object, connectorId = 1): JsonObject | undefined {
  return desk.call('SetChargingProfile', { connectorId, csChargingProfiles: profile });
}
