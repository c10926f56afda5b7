/** A station's logic and a simulated station of the plant, which share no code, on one wire without bytes, in virtual time. */
import type { Phase } from '../../core/units.ts';
import type { ChargerReading } from '../../drivers/charger.ts';
import { Station } from '../../drivers/ocpp/station.ts';
import type { CallAnswer, StationCall, StationOutput } from '../../drivers/ocpp/station-io.ts';
import type { StationOptions } from '../../drivers/ocpp/station-options.ts';
import type { Behaviour } from '../../simulator/ocpp/behaviour.ts';
import { OcppStation } from '../../simulator/ocpp/station.ts';
import { createRandom } from '../../simulator/random.ts';
import { createVehicle } from '../../simulator/vehicle.ts';

const START = Date.UTC(2026, 5, 1, 12);
const STEP_MS = 250;
const CONDUCTORS: Phase[] = ['L1', 'L2', 'L3'];
export const MAX_A = 32;
export const SAFE_A = 6;

type Frame = [2, unknown, string, unknown] | [3, unknown, unknown] | [4, unknown, string, string];

export class StationPair {
  readonly vehicle = createVehicle(
    { phases: CONDUCTORS, maxCurrent: MAX_A, lag: [0.5, 0.5], slack: 0, capacity: Number.POSITIVE_INFINITY, soc: 0.5 },
    createRandom(1),
  );
  readonly station: OcppStation;
  logic: Station;
  /** On the disk. */
  record: unknown;
  readonly alerts = new Set<string>();
  readonly called: { action: string; payload: object }[] = [];
  reading: ChargerReading | undefined;
  /** The way between them is there. */
  hasNetwork = true;
  readonly #options: StationOptions;
  #now = 0;
  #isConnected = false;
  #ids = 0;
  readonly #pending = new Map<string, { call: StationCall; until: number }>();

  constructor(behaviour: Behaviour, options: Partial<StationOptions> = {}) {
    this.vehicle.unplug();
    this.station = new OcppStation({
      identity: 'CP001',
      bootSeconds: 3,
      behaviour,
      connectors: [{ vehicle: this.vehicle, conductors: CONDUCTORS, maximum: MAX_A }],
    });
    const charger = { connector: 1, id: 'CP001-1', rotation: CONDUCTORS, min: 6, max: MAX_A, safe: SAFE_A };
    this.#options = { identity: 'CP001', connectors: [charger], ...options };
    this.logic = new Station(this.#options, 0);
  }

  /** The process ends at once, and another one begins with what was on the disk. */
  kill(): void {
    if (this.#isConnected) this.station.disconnected();
    this.#isConnected = false;
    this.#pending.clear();
    this.reading = undefined;
    this.logic = new Station({ ...this.#options, record: this.record }, this.#now);
  }

  get #wall(): number {
    return START + this.#now;
  }

  /** A that the vehicle takes on its highest phase. */
  get amps(): number {
    return Math.max(...this.vehicle.current());
  }

  /** Lets time pass; a set-point (A) is sent every 5 s. */
  run(seconds: number, setpoint?: number): void {
    const end = this.#now + seconds * 1000;
    while (this.#now < end) {
      this.#now += STEP_MS;
      if (setpoint !== undefined && this.#now % 5000 === 0) this.#do(this.logic.setpoint(1, setpoint, 30, this.#now));
      this.vehicle.step(this.#now, 230);
      this.#link();
      this.station.tick(this.#now, this.#wall);
      this.#exchange();
      this.#timeouts();
      this.#do(this.logic.tick(this.#now, this.#wall));
      this.#exchange();
    }
  }

  #link(): void {
    const wants = this.station.wantsConnection(this.#now) && this.hasNetwork;
    if (wants === this.#isConnected) return;
    this.#isConnected = wants;
    if (wants) {
      this.station.connected(this.#now, this.#wall);
      this.#do(this.logic.connected(this.#now, this.#wall));
      return;
    }
    this.station.disconnected();
    const calls = [...this.#pending.values()];
    this.#pending.clear();
    this.#do(this.logic.disconnected(this.#now));
    for (const { call } of calls) this.#answer(call, { ok: false, error: 'disconnected', description: 'closed' });
  }

  #exchange(): void {
    for (let frames = this.station.take(); frames.length > 0; frames = this.station.take())
      for (const text of frames) this.#heard(JSON.parse(text) as Frame);
  }

  #heard(frame: Frame): void {
    const id = frame[1];
    if (frame[0] === 2) {
      const { response, outputs } = this.logic.request(frame[2], frame[3], this.#now, this.#wall);
      const answer = response.ok ? [3, id, response.payload] : [4, id, response.code, response.description, {}];
      this.station.receive(JSON.stringify(answer), this.#now, this.#wall);
      this.#do(outputs);
      return;
    }
    const pending = this.#pending.get(String(id));
    this.#pending.delete(String(id));
    if (!pending) return;
    const answer: CallAnswer =
      frame[0] === 3
        ? { ok: true, payload: frame[2] }
        : { ok: false, error: 'refused', code: frame[2], description: frame[3] };
    this.#answer(pending.call, answer);
  }

  #timeouts(): void {
    for (const [id, { call, until }] of [...this.#pending]) {
      if (this.#now < until) continue;
      this.#pending.delete(id);
      this.#answer(call, { ok: false, error: 'timeout', description: 'no answer' });
    }
  }

  #answer(call: StationCall, answer: CallAnswer): void {
    this.#do(this.logic.answered(call.id, answer, this.#now, this.#wall));
  }

  #do(outputs: readonly StationOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'persist') this.record = JSON.parse(JSON.stringify(output.record));
      else if (output.type === 'reading') this.reading = output.reading;
      else if (output.type === 'alert' && output.alert.active) this.alerts.add(output.alert.code);
      else if (output.type === 'alert') this.alerts.delete(output.alert.code);
      else if (output.type === 'call') this.#send(output);
    }
  }

  #send(call: StationCall): void {
    const { action, payload } = call;
    this.called.push({ action, payload });
    if (!this.#isConnected) {
      this.#answer(call, { ok: false, error: 'disconnected', description: 'not connected' });
      return;
    }
    this.#ids += 1;
    const id = `c${this.#ids}`;
    this.#pending.set(id, { call, until: this.#now + call.timeout * 1000 });
    this.station.receive(JSON.stringify([2, id, action, payload]), this.#now, this.#wall);
    this.#exchange();
  }
}
