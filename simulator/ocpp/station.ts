/**
 * A simulated charge point of OCPP 1.6J: a state machine without I/O. Time is an argument (`now`: ms, monotonic; `wallClock`: epoch ms);
 * it is told what comes from the server and takes away what is to be sent. Written from the specification, on none of our codecs.
 */

import { followPlug, present } from './access.ts';
import type { Behaviour } from './behaviour.ts';
import { StationClock } from './clock.ts';
import { answerTo } from './commands.ts';
import { Configuration } from './configuration.ts';
import { Connector, type ConnectorOptions, type StopReason } from './connector.ts';
import { parseFrame } from './frames.ts';
import type { ServiceState, StationInside } from './inside.ts';
import { compositeOf, limitOf } from './limits.ts';
import { Link } from './link.ts';
import { ProfileStore } from './profiles.ts';
import { Registration } from './registration.ts';

export interface StationOptions {
  identity: string;
  connectors: readonly ConnectorOptions[];
  behaviour?: Behaviour;
  /** Two of three conductors can be let go. */
  switchesPhases?: boolean;
  /** How a transaction begins: when a vehicle is plugged in (default), by a card, or from the server. */
  start?: 'plug' | 'card';
  /** Of who charges without a card; default `TAG-<identity>`, cut to 20 characters. */
  idTag?: string;
  /** Asks the server before a transaction begins; default true. */
  authorizes?: boolean;
  /** In place of the defaults of configuration keys. */
  configuration?: Readonly<Record<string, string>>;
  vendor?: string;
  model?: string;
  firmware?: string;
  /** s that a reboot takes; default 5. */
  bootSeconds?: number;
  /** Told in a line what happens. */
  note?: (text: string) => void;
}

/** Given to what runs before a reboot, so that it is told, ms. */
const BEFORE_REBOOT_MS = 2000;
const DEFAULT_BOOT_SECONDS = 5;
const DAY_MS = 86_400_000;

export class OcppStation {
  readonly identity: string;
  readonly connectors: readonly Connector[];
  readonly configuration: Configuration;
  readonly profiles: ProfileStore;
  readonly behaviour: Behaviour;
  readonly #options: StationOptions;
  readonly #link: Link;
  readonly #clock: StationClock;
  readonly #inside: StationInside;
  readonly #registration: Registration;
  #connected = false;
  #everConnected = false;
  /** ms from which it can connect; Infinity: without power. */
  #upAt: number;
  #rebootAt: number | undefined;

  /** @param now ms at which it is switched on */
  constructor(options: StationOptions, now = 0) {
    const behaviour = options.behaviour ?? {};
    this.#options = options;
    this.identity = options.identity;
    this.behaviour = behaviour;
    this.#clock = new StationClock(behaviour.clock);
    this.#upAt = now + (behaviour.connectDelaySeconds ?? 0) * 1000;
    const switchesPhases = options.switchesPhases ?? false;
    const connectors = options.connectors.length;
    this.configuration = new Configuration({ connectors, switchesPhases, behaviour, values: options.configuration });
    const { relativeFrom = 'transaction', neverExpires, zeroPhasesIsZero } = behaviour;
    this.profiles = new ProfileStore({ relativeFrom, neverExpires, zeroPhasesIsZero });
    if (behaviour.staleProfile) this.profiles.set(0, staleProfile(behaviour.staleProfile), 0);
    this.#link = new Link(behaviour, () => ({
      attempts: this.configuration.number('TransactionMessageAttempts'),
      intervalMs: this.configuration.number('TransactionMessageRetryInterval') * 1000,
    }));
    this.#inside = this.#insideOf(switchesPhases);
    this.#registration = this.#registrationOf();
    this.connectors = options.connectors.map((c, i) => new Connector(i + 1, c, this.#inside));
    if (behaviour.stopsYesterdays) this.#stopYesterdays(behaviour.stopsYesterdays);
  }

  /** Whether it would have a connection: it has power and is not restarting. */
  wantsConnection(now: number): boolean {
    return now >= this.#upAt;
  }

  get accepted(): boolean {
    return this.#connected && this.#registration.state === 'accepted';
  }

  /** Messages of transactions that wait for being taken. */
  get waiting(): number {
    return this.#link.waiting;
  }

  /** Epoch ms of its own clock. */
  clock(now: number): number {
    return this.#clock.at(now);
  }

  connected(now: number, wallClock: number): void {
    this.#clock.wallClock = wallClock;
    this.#connected = true;
    if (this.#everConnected && this.behaviour.forgetsOnReconnect) this.profiles.forgetAll();
    this.#everConnected = true;
    this.#registration.connected(now);
    this.#link.pump(now, this.accepted);
  }

  disconnected(): void {
    this.#connected = false;
    this.#registration.disconnected();
    this.#link.disconnected();
    // Whether the card may charge is asked again: nobody will answer that any more.
    for (const connector of this.connectors) connector.asking = false;
  }

  /** A text frame from the server. */
  receive(text: string, now: number, wallClock: number): void {
    this.#clock.wallClock = wallClock;
    const frame = parseFrame(text);
    if (!frame) return;
    if (frame.type !== 'call') {
      this.#link.answer(frame.id, frame.type === 'result' ? frame : { code: frame.code }, now);
    } else if (this.#registration.state !== 'rejected') {
      // Rejected, it answers nothing (4.2).
      this.#link.reply(frame.action, frame.id, answerTo(this.#inside, frame.action, frame.payload, now), now);
    }
    this.#link.pump(now, this.accepted);
  }

  /** At least once a second. */
  tick(now: number, wallClock: number): void {
    this.#clock.wallClock = wallClock;
    if (now < this.#upAt) return;
    if (this.#rebootAt !== undefined && now >= this.#rebootAt) {
      this.#restart(now);
      return;
    }
    for (const connector of this.connectors) {
      followPlug(this.#inside, this.#options, connector, this.#registration.everAccepted, now);
      connector.step(now);
    }
    if (!this.#connected) return;
    this.#registration.tick(now);
    this.#link.pump(now, this.accepted);
  }

  /** What is to be sent, in order; it is handed over once. */
  take(): string[] {
    return this.#link.out.length === 0 ? NOTHING : this.#link.out.splice(0);
  }

  /** A card is held to it: starts, or ends what this card began. */
  card(connector: number, idTag: string, now: number): void {
    const at = this.connectors[connector - 1];
    if (at?.transaction?.idTag === idTag) at.end('Local', now, idTag);
    else if (at && !at.transaction) this.#inside.present(at, idTag, false, now);
  }

  /** Somebody ends the transaction at the station. */
  stop(connector: number, now: number): void {
    this.connectors[connector - 1]?.end('Local', now);
  }

  /** An error code of StatusNotification, or none any more. */
  fault(connector: number, errorCode: string | undefined, now: number): void {
    const at = this.connectors[connector - 1];
    if (!at) return;
    at.fault = errorCode;
    if (errorCode) at.end('Other', now);
  }

  /** Without power from now on; what it says is not heard. */
  powerCut(): void {
    this.#upAt = Number.POSITIVE_INFINITY;
    this.#rebootAt = undefined;
    for (const connector of this.connectors) connector.dark();
  }

  powerOn(now: number): void {
    this.#switchOn(now, this.behaviour.connectDelaySeconds ?? this.#options.bootSeconds ?? DEFAULT_BOOT_SECONDS);
    this.#cold(now, 'PowerLoss');
  }

  /** As after Reset. */
  reboot(now: number): void {
    this.#inside.reboot('SoftReset', now);
  }

  #insideOf(switchesPhases: boolean): StationInside {
    const station = this;
    return {
      behaviour: this.behaviour,
      configuration: this.configuration,
      profiles: this.profiles,
      link: this.#link,
      wiring: { switchesPhases },
      services: newServices(),
      inoperative: false,
      get connectors() {
        return station.connectors;
      },
      clock: (now) => station.#clock.at(now),
      accepted: () => station.accepted,
      limit: (connector, at) => limitOf(station.#inside, connector, at),
      composite: (id, at) => compositeOf(station.#inside, id, at),
      note: (text) => station.#options.note?.(text),
      reboot: (reason, now) => station.#prepareReboot(reason, now),
      bootNotification: (now, triggered) => station.#registration.boot(now, triggered),
      heartbeat: () => station.#registration.heartbeat(),
      present: (connector, idTag, remote, now) =>
        present(station.#inside, station.#options, connector, idTag, remote, now),
      later: (now, ms, action, payload) => station.#registration.plan(now + ms, action, payload),
    };
  }

  #registrationOf(): Registration {
    const { vendor = 'Fusewise', model = 'Simulator', firmware = '1.0.0' } = this.#options;
    return new Registration({
      behaviour: this.behaviour,
      configuration: this.configuration,
      link: this.#link,
      clock: this.#clock,
      boot: {
        chargePointVendor: vendor,
        chargePointModel: model,
        chargePointSerialNumber: this.identity.slice(0, 25),
        firmwareVersion: firmware,
      },
      note: (text) => this.#options.note?.(text),
      accepted: () => {
        for (const connector of this.connectors) connector.tellAgain();
      },
      reboot: (now) => this.#prepareReboot('SoftReset', now),
      inoperative: () => this.#inside.inoperative,
    });
  }

  #prepareReboot(reason: StopReason, now: number): void {
    for (const connector of this.connectors) connector.end(reason, now);
    this.#rebootAt = now + BEFORE_REBOOT_MS;
  }

  #restart(now: number): void {
    this.#inside.note('restarts');
    this.#rebootAt = undefined;
    this.#switchOn(now, this.#options.bootSeconds ?? DEFAULT_BOOT_SECONDS);
    this.#cold(now, 'SoftReset');
  }

  #switchOn(now: number, seconds: number): void {
    this.#upAt = now + seconds * 1000;
  }

  #cold(now: number, reason: StopReason): void {
    this.#registration.cold();
    if (this.behaviour.forgetsOnReboot) this.profiles.forgetAll();
    for (const connector of this.connectors) {
      if (!this.behaviour.resumesAfterPowerLoss) connector.end(reason, now);
      connector.dark();
      connector.finished = false;
      connector.declined = connector.asking = false;
    }
  }

  #stopYesterdays(transactionId: number): void {
    const stop = { transactionId, meterStop: 12_345, reason: 'PowerLoss' };
    const timestamp = () => new Date(this.#clock.wallClock - DAY_MS).toISOString();
    this.#link.queue({ action: 'StopTransaction', kept: true, payload: () => ({ ...stop, timestamp: timestamp() }) });
  }
}

const NOTHING: string[] = [];

function newServices(): ServiceState {
  return {
    listVersion: 0,
    list: new Map(),
    failedReads: 0,
    certificates: [],
    firmwareStatus: 'Idle',
    diagnosticsStatus: 'Idle',
  };
}

function staleProfile({ stackLevel, amps }: NonNullable<Behaviour['staleProfile']>) {
  const chargingSchedule = {
    chargingRateUnit: 'A' as const,
    chargingSchedulePeriod: [{ startPeriod: 0, limit: amps }],
  };
  return {
    chargingProfileId: 9_999,
    stackLevel,
    chargingProfilePurpose: 'ChargePointMaxProfile' as const,
    chargingProfileKind: 'Absolute' as const,
    chargingSchedule,
  };
}
