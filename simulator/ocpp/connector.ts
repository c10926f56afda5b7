/** A connector of a simulated station: its vehicle, its transaction, its status and its meter (OCPP 1.6, 4.9, 7.6, 7.7). */
import { type Phase, phaseIndex } from '../../core/units.ts';
import type { VehiclePort } from '../ports.ts';
import type { Behaviour } from './behaviour.ts';
import type { Configuration } from './configuration.ts';
import type { JsonObject } from './frames.ts';
import type { Link } from './link.ts';
import { defined, type Measured } from './measurands.ts';
import { Metering } from './metering.ts';
import { LEAST_A, Pilot } from './pilot.ts';
import type { Limit, ProfileStore, Wiring } from './profiles.ts';

export type Status =
  | 'Available'
  | 'Preparing'
  | 'Charging'
  | 'SuspendedEV'
  | 'SuspendedEVSE'
  | 'Finishing'
  | 'Reserved'
  | 'Unavailable'
  | 'Faulted';

export type StopReason =
  | 'DeAuthorized'
  | 'EVDisconnected'
  | 'HardReset'
  | 'Local'
  | 'Other'
  | 'PowerLoss'
  | 'Remote'
  | 'SoftReset'
  | 'UnlockCommand';

export interface ConnectorOptions {
  vehicle: VehiclePort;
  /** Grid phase of each conductor of the station's terminals L1, L2, L3, as the electrician has wired them; default L1, L2, L3. */
  conductors?: readonly Phase[];
  /** A that the connector can offer; default 16. */
  maximum?: number;
  /** State of charge that the vehicle tells, 0..1. */
  soc?: () => number | undefined;
  /** W of the site, where the station meters it. */
  site?: () => { grid: number; pv: number; home: number };
}

export interface Transaction {
  idTag: string;
  /** Of the station's own clock, epoch ms. */
  startedAt: number;
  meterStart: number;
  /** As the server has named it. */
  id?: number;
  /** It began while the server could not be reached. */
  offline: boolean;
}

/** What a connector needs of its station. */
export interface Inside {
  readonly behaviour: Behaviour;
  readonly configuration: Configuration;
  readonly profiles: ProfileStore;
  readonly link: Link;
  readonly wiring: { switchesPhases: boolean };
  /** Epoch ms of the station's own clock. */
  clock(now: number): number;
  accepted(): boolean;
  /** Limit of a connector, its part of what the whole station may take included. */
  limit(connector: Connector, at: number): Limit;
  note(text: string): void;
}

const FLOWING_A = 0.5;

export class Connector {
  readonly number: number;
  readonly vehicle: VehiclePort;
  readonly conductors: readonly Phase[];
  readonly maximum: number;
  transaction: Transaction | undefined;
  reservation: { id: number; idTag: string; until: number } | undefined;
  inoperative = false;
  /** Becomes inoperative when its transaction has ended. */
  scheduledInoperative = false;
  fault: string | undefined;
  /** Somebody was authorised and has to plug in until then, ms. */
  waiting: { idTag: string; until: number } | undefined;
  /** The server is asked about a tag now; it has declined the one of this vehicle. */
  asking = false;
  declined = false;
  /** What is done when the next transaction has begun. */
  atBegin: ((now: number) => void) | undefined;
  /** A transaction has ended and the vehicle is still there. */
  finished = false;
  offered = 0;
  readonly #inside: Inside;
  readonly #options: ConnectorOptions;
  readonly #pilot: Pilot;
  readonly #metering: Metering;
  #connected: number;
  #said: Status | undefined;

  constructor(number: number, options: ConnectorOptions, inside: Inside) {
    this.number = number;
    this.vehicle = options.vehicle;
    this.conductors = options.conductors ?? ['L1', 'L2', 'L3'];
    this.maximum = options.maximum ?? 16;
    this.#options = options;
    this.#inside = inside;
    this.#pilot = new Pilot(inside.behaviour, this.maximum);
    this.#metering = new Metering(inside, this);
    this.#connected = this.conductors.length;
    this.vehicle.connect(this.conductors);
  }

  get wiring(): Wiring {
    return { conductors: this.conductors.length, switchesPhases: this.#inside.wiring.switchesPhases };
  }

  /** It wants a part of what the station may take. */
  get charging(): boolean {
    return this.transaction !== undefined && this.vehicle.wants();
  }

  status(): Status {
    if (this.fault) return 'Faulted';
    if (this.transaction) {
      if (this.offered < LEAST_A) return 'SuspendedEVSE';
      return this.#flowing() ? 'Charging' : 'SuspendedEV';
    }
    if (this.inoperative) return 'Unavailable';
    if (this.reservation) return 'Reserved';
    if (!this.vehicle.plugged()) return this.waiting ? 'Preparing' : 'Available';
    return this.finished ? 'Finishing' : 'Preparing';
  }

  /** Without power: nothing is offered, and all that is not in its memory is forgotten. */
  dark(): void {
    this.offered = this.#pilot.off();
    this.vehicle.offer(0);
    this.#said = undefined;
    this.waiting = undefined;
  }

  /** A new connection: the server is told again. */
  tellAgain(): void {
    this.#said = undefined;
  }

  step(now: number): void {
    this.#offer(now);
    if (this.reservation && this.#inside.clock(now) >= this.reservation.until) this.reservation = undefined;
    if (this.waiting && now >= this.waiting.until) this.waiting = this.atBegin = undefined;
    if (!this.vehicle.plugged()) this.finished = false;
    this.#tellStatus(now);
    this.#metering.step(now);
  }

  begin(idTag: string, now: number, reservationId?: number): void {
    const { link, clock, accepted, behaviour } = this.#inside;
    const transaction: Transaction = {
      idTag,
      startedAt: clock(now),
      meterStart: this.#register(),
      offline: !accepted(),
    };
    this.transaction = transaction;
    this.waiting = undefined;
    this.finished = false;
    if (this.reservation?.id === reservationId) this.reservation = undefined;
    if (behaviour.minusOneAfterOffline && transaction.offline) transaction.id = -1;
    this.#metering.begin(now);
    const payload = defined({
      connectorId: this.number,
      idTag,
      meterStart: transaction.meterStart,
      timestamp: this.#timestamp(now),
      reservationId,
    });
    for (let i = 0; i <= (behaviour.repeatsStart ?? 0); i++)
      link.queue({
        action: 'StartTransaction',
        kept: true,
        payload: () => payload,
        answered: (answer, at) => this.#started(transaction, answer, at),
      });
    this.atBegin?.(now);
    this.atBegin = undefined;
  }

  end(reason: StopReason, now: number, idTag?: string): void {
    const transaction = this.transaction;
    if (!transaction) return;
    const { link, profiles, configuration } = this.#inside;
    const ended = { meterStop: this.#register(), timestamp: this.#timestamp(now), reason, idTag };
    const measurands = configuration.list('StopTxnSampledData');
    const transactionData =
      measurands.length > 0 ? [this.#metering.value(measurands, 'Transaction.End', now)] : undefined;
    link.queue({
      action: 'StopTransaction',
      kept: true,
      payload: () =>
        transaction.id === undefined
          ? undefined
          : defined({ transactionId: transaction.id, ...ended, transactionData }),
    });
    this.transaction = undefined;
    this.finished = this.vehicle.plugged();
    this.#metering.end();
    this.offered = this.#pilot.off();
    this.vehicle.offer(0);
    profiles.dropTxProfiles(this.number);
    if (!this.scheduledInoperative) return;
    this.scheduledInoperative = false;
    this.inoperative = true;
  }

  /** TriggerMessage. */
  meterNow(now: number): void {
    this.#metering.tell(this.#inside.configuration.list('MeterValuesSampledData'), 'Trigger', now);
  }

  /** The interval was configured anew. */
  intervalChanged(now: number): void {
    if (this.transaction) this.#metering.begin(now);
  }

  statusPayload(now: number): JsonObject {
    const status = this.status();
    return { connectorId: this.number, errorCode: this.fault ?? 'NoError', status, timestamp: this.#timestamp(now) };
  }

  measured(now: number, since: number): Measured {
    const current = this.vehicle.current();
    const voltage = this.vehicle.voltage();
    const limit = this.#inside.limit(this, this.#inside.clock(now));
    const { offeredLies } = this.#inside.behaviour;
    return {
      current: this.conductors.map((phase) => current[phaseIndex(phase)]),
      voltage: this.conductors.map((phase) => voltage[phaseIndex(phase)]),
      offered: offeredLies && this.transaction ? Math.min(limit.amps, this.maximum) : this.offered,
      register: this.#register(),
      interval: this.#register() - since,
      soc: this.#options.soc?.(),
      site: this.#options.site?.(),
    };
  }

  #offer(now: number): void {
    const { profiles, clock, limit, behaviour } = this.#inside;
    const transaction = this.transaction;
    if (!transaction || this.fault) {
      if (this.offered !== 0) this.offered = this.#pilot.off();
      this.vehicle.offer(0);
      return;
    }
    const { amps, conductors } = limit(this, clock(now));
    if (amps === 0 && behaviour.zeroStops) {
      this.end('Other', now);
      return;
    }
    this.offered = this.#pilot.next(amps, profiles.writes, now);
    this.vehicle.offer(this.#switching(conductors) ? 0 : this.offered);
  }

  /** Contactors move without current only. */
  #switching(conductors: number): boolean {
    if (conductors === this.#connected) return false;
    if (this.#flowing()) return true;
    this.#connected = conductors;
    this.vehicle.connect(this.conductors.slice(0, conductors));
    return false;
  }

  #flowing(): boolean {
    return Math.max(...this.vehicle.current()) > FLOWING_A;
  }

  #started(transaction: Transaction, answer: JsonObject, now: number): void {
    const { behaviour, configuration, note } = this.#inside;
    const id = answer.transactionId;
    const info = answer.idTagInfo as JsonObject | undefined;
    if (typeof id === 'number' && !(behaviour.minusOneAfterOffline && transaction.offline)) transaction.id = id;
    note(`connector ${this.number}: transaction ${id}, ${info?.status}`);
    if (info?.status === 'Accepted' || this.transaction !== transaction) return;
    if (configuration.flag('StopTransactionOnInvalidId')) this.end('DeAuthorized', now);
  }

  #tellStatus(now: number): void {
    const status = this.status();
    if (status === this.#said || !this.#inside.accepted()) return;
    this.#said = status;
    const payload = this.statusPayload(now);
    this.#inside.link.queue({ action: 'StatusNotification', payload: () => payload });
  }

  #register(): number {
    return Math.round(this.vehicle.totalEnergy());
  }

  #timestamp(now: number): string {
    return new Date(this.#inside.clock(now)).toISOString();
  }
}
