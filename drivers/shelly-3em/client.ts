/** I/O of a Shelly meter: MQTT, or HTTP polling. What it hears is judged in `meter.ts`. */
import type { DriverAlert } from '../alert.ts';
import { type HttpOptions, httpGet } from '../http.ts';
import type { MeterReading } from '../meter.ts';
import type { MqttLink } from '../mqtt-link.ts';
import { type MeterOutput, ShellyMeter, type ShellyOptions } from './meter.ts';

export interface ShellyEvents {
  reading(reading: MeterReading): void;
  alert(alert: DriverAlert): void;
  /** Once per tick, for the status display. */
  tick?(meter: ShellyMeter, now: number): void;
}

const TICK_MS = 250;

/** Runs a meter over MQTT. Returns a function that ends it. */
export function runShellyMqtt(
  options: ShellyOptions,
  link: MqttLink,
  events: ShellyEvents,
  now = monotonic,
): () => void {
  const meter = new ShellyMeter(options, now());
  const handle = (outputs: MeterOutput[]) => {
    for (const output of outputs) {
      if (output.type === 'reading') events.reading(output.reading);
      else if (output.type === 'alert') events.alert(output.alert);
      else if (link.connected()) link.publish(output.topic, output.payload, { qos: 0, retain: false });
    }
  };
  const ends = meter.subscriptions().map((topic) =>
    link.subscribe(topic, 0, (name, payload, packet) => {
      handle(meter.message(name, payload, packet.retain === true, now()));
    }),
  );
  const tick = () => {
    handle(meter.tick(now(), link.connected()));
    events.tick?.(meter, now());
  };
  const timer = setInterval(tick, TICK_MS);
  return () => {
    clearInterval(timer);
    for (const end of ends) end();
  };
}

/** Runs a meter over HTTP. Returns a function that ends it, with what is under way. */
export function runShellyHttp(
  options: ShellyOptions,
  http: HttpOptions,
  events: ShellyEvents,
  now = monotonic,
): () => void {
  const meter = new ShellyMeter(options, now());
  const abort = new AbortController();
  const handle = (outputs: MeterOutput[]) => {
    for (const output of outputs) {
      if (output.type === 'reading') events.reading(output.reading);
      else if (output.type === 'alert') events.alert(output.alert);
    }
  };
  let busy = false;
  const poll = async () => {
    if (busy) return;
    busy = true;
    try {
      for (const path of meter.httpPaths()) {
        const answer = await httpGet(path, { ...http, signal: abort.signal });
        if (abort.signal.aborted) return;
        if (answer.status === 404) return meter.httpNotFound();
        if (answer.status === 200) handle(meter.httpAnswer(path, answer.body, now()));
      }
    } catch {
      // A device that does not answer is silent; the monitor tells.
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => {
    handle(meter.tick(now(), false));
    events.tick?.(meter, now());
  }, TICK_MS);
  const polls = setInterval(poll, options.pollSeconds * 1000);
  void poll();
  return () => {
    clearInterval(timer);
    clearInterval(polls);
    abort.abort();
  };
}

function monotonic(): number {
  return performance.now();
}
