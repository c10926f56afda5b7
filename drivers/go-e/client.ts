/** I/O of a go-e charger: MQTT, or HTTP. What is heard and written is decided in `charger.ts` and `control.ts`. */
import type { PhaseCount } from '../../core/charger-track.ts';
import type { DriverAlert } from '../alert.ts';
import type { ChargerReading } from '../charger.ts';
import { type HttpOptions, httpGet } from '../http.ts';
import type { MqttLink } from '../mqtt-link.ts';
import type { StateFile } from '../state-file.ts';
import { GoECharger, type GoEOptions, type GoEOutput } from './charger.ts';
import { type GoEWrite, httpStatusPath, httpWritePath, mqttWrite } from './codec.ts';
import type { PauseRecord } from './control.ts';

export interface GoEEvents {
  reading(reading: ChargerReading): void;
  alert(alert: DriverAlert): void;
  /** The record of a pause cannot be saved: after a kill the pause would look like a person's. */
  notSaved(error: unknown): void;
  saved(): void;
  tick?(reading: ChargerReading | undefined): void;
}

export interface GoEClient {
  /** Set-point in A (0 = pause), valid for `validFor` s; `phases` while it is to switch. Emits nothing. @throws DeviceDataError */
  setpoint(current: number, validFor: number, phases?: PhaseCount): void;
  stop(): void;
}

export type GoETransport = { kind: 'mqtt'; link: MqttLink } | { kind: 'http'; http: HttpOptions; pollSeconds: number };

const TICK_MS = 250;

/** Runs a charger. `file` holds the record of a pause of ours. */
export function runGoE(
  options: GoEOptions,
  transport: GoETransport,
  file: StateFile,
  events: GoEEvents,
  now = monotonic,
): GoEClient {
  const charger = new GoECharger(options, readRecord(file), now());
  const handle = (outputs: GoEOutput[]) => {
    for (const output of outputs) {
      if (output.type === 'reading') events.reading(output.reading);
      else if (output.type === 'alert') events.alert(output.alert);
      else if (output.type === 'persist') save(file, output.record, events);
      else wire.write(output.write);
    }
  };
  const wire =
    transport.kind === 'mqtt'
      ? mqttWire(charger, options, transport.link, handle, now)
      : httpWire(charger, options, transport, handle, now);
  wire.start();
  const timer = setInterval(() => {
    handle(charger.tick(now()));
    events.tick?.(charger.reading(now()));
  }, TICK_MS);
  return {
    setpoint: (current, validFor, phases) => handle(charger.setpoint(current, validFor, now(), phases)),
    stop: () => {
      clearInterval(timer);
      wire.stop();
    },
  };
}

interface Wire {
  start(): void;
  write(write: GoEWrite): void;
  stop(): void;
}

type Handle = (outputs: GoEOutput[]) => void;

function mqttWire(charger: GoECharger, options: GoEOptions, link: MqttLink, handle: Handle, now: () => number): Wire {
  const ends: (() => void)[] = [];
  return {
    start() {
      ends.push(link.onConnection((connected) => handle(charger.linked(connected, now()))));
      for (const topic of charger.subscriptions()) {
        const hear = (name: string, payload: Uint8Array, packet: { retain?: boolean }) =>
          handle(charger.message(name, payload, packet.retain === true, now()));
        ends.push(link.subscribe(topic, 1, hear));
      }
      handle(charger.linked(link.connected(), now()));
    },
    write(write) {
      const { topic, payload } = mqttWrite(options.api, options.topicPrefix, options.serial, write);
      // QoS 0: an unanswered write is written again with the newest value; a client's store would deliver the old one.
      if (link.connected()) link.publish(topic, payload, { qos: 0, retain: false });
    },
    stop() {
      for (const end of ends) end();
    },
  };
}

function httpWire(
  charger: GoECharger,
  options: GoEOptions,
  transport: { http: HttpOptions; pollSeconds: number },
  handle: Handle,
  now: () => number,
): Wire {
  const abort = new AbortController();
  const http = { ...transport.http, signal: abort.signal };
  let timer: NodeJS.Timeout | undefined;
  let busy = false;
  let writes = 0;
  const poll = async () => {
    if (busy) return;
    busy = true;
    const before = writes;
    try {
      const answer = await httpGet(httpStatusPath(options.api), http);
      // What was asked before a write says nothing about the time after it.
      if (!abort.signal.aborted && before === writes && answer.status === 200) {
        handle(charger.httpStatus(answer.body, now()));
      }
    } catch {
      // A charger that does not answer is silent, which is told in time.
    } finally {
      busy = false;
    }
  };
  return {
    start() {
      handle(charger.linked(true, now()));
      timer = setInterval(poll, transport.pollSeconds * 1000);
      void poll();
    },
    write(write) {
      writes += 1;
      httpGet(httpWritePath(options.api, write), http).then(
        (answer) => {
          if (!abort.signal.aborted) handle(charger.httpWritten(write, answer.body, now()));
        },
        () => undefined, // Not answered: it is written again.
      );
    },
    stop() {
      clearInterval(timer);
      abort.abort();
    },
  };
}

function readRecord(file: StateFile): PauseRecord | undefined {
  const value = file.read();
  if (value === null || typeof value !== 'object' || !('pause' in value)) return undefined;
  const { pause } = value;
  return pause === 'none' || pause === 'paused' || pause === 'releasing' ? { version: 1, pause } : undefined;
}

/** A pause protects the fuse: it goes out even when it cannot be saved. */
function save(file: StateFile, record: PauseRecord, events: GoEEvents): void {
  try {
    file.write(record);
    events.saved();
  } catch (error) {
    events.notSaved(error);
  }
}

function monotonic(): number {
  return performance.now();
}
