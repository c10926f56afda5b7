/** How a simulated station makes itself known to the server, and stays so: BootNotification, Heartbeat, status of the whole (OCPP 1.6, 4.2, 4.6). */
import type { Behaviour } from './behaviour.ts';
import type { StationClock } from './clock.ts';
import type { Configuration } from './configuration.ts';
import type { JsonObject } from './frames.ts';
import type { Link } from './link.ts';

export interface RegistrationParts {
  behaviour: Behaviour;
  configuration: Configuration;
  link: Link;
  clock: StationClock;
  /** Payload of BootNotification.req. */
  boot: JsonObject;
  note(text: string): void;
  /** The server has accepted the station. */
  accepted(): void;
  reboot(now: number): void;
  inoperative(): boolean;
}

type State = 'none' | 'asked' | 'pending' | 'rejected' | 'accepted';

const ASK_AGAIN_MS = 30_000;

export class Registration {
  state: State = 'none';
  /** Since it was switched on. */
  everAccepted = false;
  readonly #parts: RegistrationParts;
  #askAt = 0;
  #heartbeatAt = 0;
  #said: string | undefined;
  #planned: { at: number; action: string; payload: JsonObject }[] = [];

  constructor(parts: RegistrationParts) {
    this.#parts = parts;
  }

  connected(now: number): void {
    if (this.#parts.behaviour.bootsOnReconnect !== false || !this.everAccepted) this.boot(now, false);
    else this.#accepted(now);
  }

  disconnected(): void {
    this.state = 'none';
  }

  /** Switched on again. */
  cold(): void {
    this.state = 'none';
    this.everAccepted = false;
    this.#planned = [];
  }

  plan(at: number, action: string, payload: JsonObject): void {
    this.#planned.push({ at, action, payload });
  }

  boot(now: number, triggered: boolean): void {
    const { behaviour, boot, link } = this.#parts;
    if (!triggered) this.state = 'asked';
    const { chargePointModel: model, chargePointVendor: vendorName } = boot;
    const payload = behaviour.boot201 ? { reason: 'PowerUp', chargingStation: { model, vendorName } } : boot;
    this.#askAt = now + ASK_AGAIN_MS;
    link.queue({
      action: 'BootNotification',
      payload: () => payload,
      answered: (answer, at) => this.#answered(answer, triggered, at),
    });
  }

  heartbeat(): void {
    const { link, clock } = this.#parts;
    link.queue({ action: 'Heartbeat', payload: () => ({}), answered: ({ currentTime }) => clock.set(currentTime) });
  }

  /** Queues what is due while there is a connection. */
  tick(now: number): void {
    if (this.state !== 'accepted') {
      if (now >= this.#askAt) this.boot(now, false);
      return;
    }
    this.#tellStation(now);
    const every = this.#parts.configuration.number('HeartbeatInterval') * 1000;
    if (every > 0 && now >= this.#heartbeatAt) {
      this.#heartbeatAt = now + every;
      this.heartbeat();
    }
    if (this.#planned.length === 0) return;
    for (const { action, payload } of this.#planned.filter(({ at }) => at <= now))
      this.#parts.link.queue({ action, payload: () => payload });
    this.#planned = this.#planned.filter(({ at }) => at > now);
  }

  #answered(answer: JsonObject, triggered: boolean, now: number): void {
    const { behaviour, clock, configuration, note, reboot } = this.#parts;
    const { status, interval, currentTime } = answer;
    const seconds = typeof interval === 'number' && interval > 0 ? interval : 0;
    note(`boot ${status}, interval ${seconds} s`);
    clock.set(currentTime);
    if (status !== 'Accepted') {
      this.state = status === 'Pending' ? 'pending' : 'rejected';
      this.#askAt = now + (seconds * 1000 || ASK_AGAIN_MS);
      return;
    }
    if (seconds) configuration.set('HeartbeatInterval', String(seconds));
    if (triggered && behaviour.rebootsAfterTriggeredBoot) reboot(now);
    if (this.state !== 'accepted') this.#accepted(now);
  }

  #accepted(now: number): void {
    this.state = 'accepted';
    this.everAccepted = true;
    this.#said = undefined;
    this.#heartbeatAt = now + this.#parts.configuration.number('HeartbeatInterval') * 1000;
    this.#parts.accepted();
  }

  /** Connector 0: Available or Unavailable (7.7). */
  #tellStation(now: number): void {
    const status = this.#parts.inoperative() ? 'Unavailable' : 'Available';
    if (status === this.#said) return;
    this.#said = status;
    const payload = { connectorId: 0, errorCode: 'NoError', status, timestamp: this.#parts.clock.text(now) };
    this.#parts.link.queue({ action: 'StatusNotification', payload: () => payload });
  }
}
