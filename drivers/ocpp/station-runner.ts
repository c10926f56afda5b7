/** Runs the logic of one station: hands it what was heard, does what it says, and keeps its failures away from all others. */
import { AlertLatch, type DriverAlert, REPEAT_MS } from '../alert.ts';
import { DeviceDataError } from '../device-data.ts';
import type { StationConnection } from './connection.ts';
import type { Clock, ConnectionEnds, FaultKind, Reply } from './connection-io.ts';
import type { CallAnswer, StationCall, StationLogic, StationOutput } from './station-io.ts';

/** Where the record of a station is kept; a `StateFile` is one. */
export interface RecordStore {
  read(): unknown;
  /** Returns when it is on the disk. Throws when it cannot be written. */
  write(record: unknown): void;
}

export interface RunnerEvents {
  output(output: Extract<StationOutput, { type: 'reading' | 'meter' }>): void;
  alert(alert: DriverAlert, connector?: number): void;
  /** The record of a station cannot be saved. */
  notSaved(error: unknown): void;
  saved(): void;
}

/** ms without a fault of a kind after which it counts as over. */
const FAULT_OVER_MS = 5 * 60_000;

/** Outputs that may follow from one another at once; more are a loop in the logic. */
const MAX_STEPS = 10_000;

const SEVERITY: Record<FaultKind, DriverAlert['severity']> = {
  repaired: 'info',
  malformed: 'warning',
  refused: 'warning',
  throttled: 'warning',
  flood: 'warning',
  'not-reading': 'warning',
  silent: 'warning',
  internal: 'error',
};

export class StationRunner implements ConnectionEnds {
  readonly #logic: StationLogic;
  readonly #store: RecordStore;
  readonly #events: RunnerEvents;
  readonly #clock: Clock;
  readonly #latch = new AlertLatch();
  readonly #faultAt = new Map<FaultKind, number>();
  #connection: StationConnection | undefined;
  /** Doing an output may lead to the next: those come after it. */
  readonly #todo: StationOutput[] = [];
  #doing = false;

  constructor(logic: StationLogic, store: RecordStore, events: RunnerEvents, clock: Clock) {
    this.#logic = logic;
    this.#store = store;
    this.#events = events;
    this.#clock = clock;
  }

  connected(connection: StationConnection): void {
    this.#connection = connection;
    this.#try(() => this.#logic.connected(this.#clock.now(), this.#clock.wallClock()));
  }

  disconnected(): void {
    this.#connection = undefined;
    this.#try(() => this.#logic.disconnected(this.#clock.now()));
  }

  request(action: string, payload: object): Reply {
    const { response, outputs } = this.#logic.request(action, payload, this.#clock.now(), this.#clock.wallClock());
    this.#persist(outputs);
    // A station must know its transaction before it is told the limit of it.
    return { response, after: () => this.#do(outputs.filter(({ type }) => type !== 'persist')) };
  }

  answered(id: number, answer: CallAnswer): void {
    this.#try(() => this.#logic.answered(id, answer, this.#clock.now(), this.#clock.wallClock()));
  }

  fault(kind: FaultKind, detail: string): void {
    const now = this.#clock.now();
    this.#faultAt.set(kind, now);
    const alert = { severity: SEVERITY[kind], code: `ocpp-${kind}`, args: { detail: detail.slice(0, 300) } };
    for (const raised of this.#latch.raise(alert, now, REPEAT_MS)) this.#alert(raised);
  }

  tick(): void {
    const now = this.#clock.now();
    this.#try(() => this.#logic.tick(now, this.#clock.wallClock()));
    for (const [kind, at] of this.#faultAt) {
      if (now - at < FAULT_OVER_MS) continue;
      this.#faultAt.delete(kind);
      for (const cleared of this.#latch.clear(`ocpp-${kind}`)) this.#alert(cleared);
    }
  }

  /** @throws DeviceDataError for a connector that the station does not have. */
  setpoint(connector: number, current: number, validFor: number, phases?: 1 | 3): void {
    let wrong: DeviceDataError | undefined;
    this.#try(() => {
      try {
        return this.#logic.setpoint(connector, current, validFor, this.#clock.now(), phases);
      } catch (error) {
        if (!(error instanceof DeviceDataError)) throw error;
        wrong = error;
        return [];
      }
    });
    if (wrong) throw wrong;
  }

  #try(step: () => StationOutput[]): void {
    try {
      this.#do(step());
    } catch (error) {
      this.fault('internal', error instanceof Error ? error.message : String(error));
    }
  }

  /** What is to be on the disk first, then the calls, then what others are to hear. */
  #do(outputs: StationOutput[]): void {
    this.#persist(outputs);
    this.#todo.push(...outputs.filter(({ type }) => type === 'call'));
    this.#todo.push(...outputs.filter(({ type }) => type !== 'call' && type !== 'persist'));
    if (this.#doing) return;
    this.#doing = true;
    try {
      let steps = 0;
      for (let output = this.#todo.shift(); output; output = this.#todo.shift()) {
        this.#doOne(output);
        steps += 1;
        if (steps < MAX_STEPS) continue;
        this.#todo.length = 0;
        this.fault('internal', `${MAX_STEPS} outputs of the station's logic follow from one another`);
      }
    } finally {
      this.#doing = false;
    }
  }

  #doOne(output: StationOutput): void {
    if (output.type === 'call') this.#call(output);
    else if (output.type === 'alert') this.tell(() => this.#events.alert(output.alert, output.connector));
    else if (output.type !== 'persist') this.tell(() => this.#events.output(output));
  }

  /** Tells somebody something; who listens may fail. */
  tell(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.fault('internal', error instanceof Error ? error.message : String(error));
    }
  }

  #call(call: StationCall): void {
    if (this.#connection?.open) this.#connection.call(call);
    else {
      this.answered(call.id, { ok: false, error: 'disconnected', description: 'the station is not connected' });
    }
  }

  /** A limit protects the fuse: it goes out even when nothing can be saved. */
  #persist(outputs: StationOutput[]): void {
    for (const output of outputs) {
      if (output.type !== 'persist') continue;
      try {
        this.#store.write(output.record);
        this.#events.saved();
      } catch (error) {
        this.#events.notSaved(error);
      }
    }
  }

  #alert(alert: DriverAlert): void {
    try {
      this.#events.alert(alert);
    } catch {
      // Who listens has failed; that must not end a connection.
    }
  }
}
