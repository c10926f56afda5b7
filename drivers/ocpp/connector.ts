/** One connector as its station tells of it: status and measurements become a reading. Pure; times in ms, monotonic. */
import { type PerPhase, PHASES, type Phase, perPhase, phaseIndex } from '../../core/units.ts';
import type { ChargerReading } from '../charger.ts';
import { LateDraws } from './late-draws.ts';
import type { MeterSample } from './meter-values.ts';
import type { Transaction } from './transactions.ts';

export interface ConnectorOptions {
  /** 1, 2 … as the station counts. */
  connector: number;
  /** The charger of the site that it is, such as `CP001-1`. */
  id: string;
  /** Grid phase of each conductor. */
  rotation: Phase[];
  /** A. */
  min: number;
  max: number;
  safe: number;
  /** It can be switched to one phase, the first of its rotation. */
  phaseSwitching?: boolean;
}

export type Status =
  | 'Available'
  | 'Preparing'
  | 'Charging'
  | 'SuspendedEVSE'
  | 'SuspendedEV'
  | 'Finishing'
  | 'Reserved'
  | 'Unavailable'
  | 'Faulted';

const STATES: Readonly<Record<Status, ChargerReading['state']>> = {
  Available: 'A',
  Preparing: 'B',
  Charging: 'C',
  SuspendedEVSE: 'B',
  SuspendedEV: 'B',
  Finishing: 'B',
  Reserved: 'A',
  Unavailable: 'A',
  Faulted: 'F',
};

/** While it says one of these, a vehicle may charge, or go on. */
export const HOLDS: readonly (Status | undefined)[] = ['Charging', 'SuspendedEV', 'SuspendedEVSE'];

export function isStatus(value: unknown): value is Status {
  return typeof value === 'string' && Object.hasOwn(STATES, value);
}

/** From here on a conductor is in use, A. */
const IN_USE_A = 1;
/** A vehicle that starts may draw on one phase first: until then its phases are not known, ms. */
const PHASES_KNOWN_MS = 6000;
/** By then a vehicle has followed its limit, ms. */
const FOLLOWS_MS = 15_000;
/** So near, a current is what a power says, as a share. */
const SAME_SHARE = 0.15;

export class Connector {
  readonly options: ConnectorOptions;
  status: Status | undefined;
  statusAt = 0;
  fault: string | undefined;
  /** A per conductor, and when each was measured. */
  #current: PerPhase = [0, 0, 0];
  #at: (number | undefined)[] = [undefined, undefined, undefined];
  #power: number | undefined;
  register: number | undefined;
  soc: number | undefined;
  #voltage: (number | undefined)[] = [];
  #usedSince: number | undefined;
  #used: (number | undefined)[] = [];
  /** On how many phases at least a vehicle must be whose total only is known. */
  #fewest = 1;
  /** The currents tell which phases are in use. */
  #tellsPhases = true;
  /** The highest limit that the vehicle may still follow, A. */
  #followed = { limit: 0, at: Number.NEGATIVE_INFINITY };
  readonly #late = new LateDraws();

  constructor(options: ConnectorOptions) {
    this.options = options;
  }

  /** The status as told. `stamp`: when it began by the station's clock, epoch ms. */
  setStatus(status: Status, now: number, stamp?: number): void {
    if (this.status !== status) {
      this.statusAt = now;
      this.#late.status(stamp);
    }
    this.status = status;
    if (status === 'Available') this.#forgetVehicle();
  }

  /** Currents are refused that the connector cannot have. Returns what was refused. `limit`: A in force at most. */
  note(sample: MeterSample, limit: number, voltage: number, now: number): string[] {
    if (limit >= this.#followed.limit || now - this.#followed.at > FOLLOWS_MS) this.#followed = { limit, at: now };
    const amps = this.#amps(sample, voltage);
    const most = this.options.max * 5 + 50;
    const wrong = amps.findIndex((a) => a !== undefined && Math.abs(a) > most);
    if (wrong >= 0) return [`Current.Import ${amps[wrong]} A on a connector of ${this.options.max} A`];
    this.register = sample.energyImport ?? this.register;
    this.soc = sample.soc ?? this.soc;
    if (this.#isLate(amps, sample, now)) return [];
    for (const i of [0, 1, 2]) {
      const value = amps[i];
      if (value === undefined) continue;
      this.#current[i] = Math.round(value * 100) / 100;
      this.#at[i] = now;
    }
    for (const i of [0, 1, 2]) this.#voltage[i] = sample.voltage[i] ?? this.#voltage[i];
    if (sample.totalPower !== undefined) {
      this.#power = sample.totalPower;
    }
    if (amps.some((a) => a !== undefined)) this.#noteUse(now);
    return [];
  }

  /** It shows a draw of which the status knows nothing, and which may be over. */
  #isLate(amps: readonly (number | undefined)[], sample: MeterSample, now: number): boolean {
    if (this.status === undefined || HOLDS.includes(this.status)) return false;
    if (amps.some((a) => (a ?? 0) > IN_USE_A)) return this.#late.doubts(sample, now);
    if (amps.some((a) => a !== undefined)) this.#late.settled();
    return false;
  }

  /** When it was last seen to draw although it says that nobody charges, ms; undefined when it was not. */
  get strayDrawAt(): number | undefined {
    if (this.status === undefined || HOLDS.includes(this.status)) return undefined;
    if ((this.drawSince(this.statusAt) ?? 0) <= IN_USE_A) return undefined;
    return Math.max(...this.#at.filter((at) => at !== undefined));
  }

  /** What it drew last is over. */
  forgetDraw(): void {
    this.#current = [0, 0, 0];
    this.#at = [undefined, undefined, undefined];
    this.#power = undefined;
    this.#late.settled();
    this.#noteUse(0);
  }

  /** Highest measured current, A; undefined when none was measured since `from`. */
  drawSince(from: number): number | undefined {
    const measured = [0, 1, 2].filter((i) => (this.#at[i] ?? Number.NEGATIVE_INFINITY) >= from);
    return measured.length ? Math.max(...measured.map((i) => this.#current[i])) : undefined;
  }

  /** It is not free any more, as somebody charges: since when, its last status said. */
  occupied(now: number): void {
    if (this.status === 'Available') this.setStatus('Preparing', now, this.#late.stamp);
  }

  /** It says that its transaction has ended, and nothing has flowed since. */
  get isOver(): boolean {
    const says = this.status === 'Available' || this.status === 'Finishing';
    return says && (this.drawSince(this.statusAt) ?? 0) <= IN_USE_A;
  }

  /** V; the lowest that is measured, and no more than `nominal`. */
  lowestVoltage(nominal: number): number {
    return Math.min(nominal, ...this.#voltage.filter((v) => v !== undefined && v >= nominal * 0.8).map(Number));
  }

  /** How many phases the vehicle uses; undefined while that is not known. */
  phasesUsed(now: number): number | undefined {
    return this.#usedPhases(now)?.length;
  }

  reading(
    about: {
      online: boolean;
      offer: number;
      transaction?: Transaction;
      active: boolean;
      phasesTold?: 1 | 3;
      /** Who ended its last transaction. */
      stops?: 'us' | 'person';
    },
    now: number,
  ): ChargerReading {
    const { transaction } = about;
    const state = this.#state(about.active);
    const idle = state === 'A' && !about.active;
    const start = transaction?.meterStart;
    const energy = start !== undefined && this.register !== undefined ? Math.max(0, this.register - start) : 0;
    const current = this.#currents(idle, now);
    return {
      online: about.online,
      state,
      current: this.#rotated(current.amps),
      age: current.age,
      power: idle || current.atRest ? 0 : Math.round(this.#power ?? 230 * current.amps.reduce((sum, a) => sum + a, 0)),
      energy: Math.round(energy),
      register: this.register === undefined ? undefined : Math.round(this.register),
      offer: about.offer,
      phases: idle ? undefined : this.#usedPhases(now),
      phasesConfigured: this.#phasesConfigured(about.phasesTold),
      session: transaction === undefined ? undefined : String(transaction.id),
      user: transaction?.idTag,
      soc: idle ? undefined : this.soc,
      fault: this.fault,
      stoppedBy: this.#stoppedBy(about.active, about.stops),
    };
  }

  #state(active: boolean): ChargerReading['state'] {
    if (this.status === undefined) return active ? 'C' : 'B';
    const state = STATES[this.status];
    // A transaction runs although its status has not come yet.
    return active && state === 'A' ? 'B' : state;
  }

  #stoppedBy(active: boolean, stops: 'us' | 'person' | undefined): ChargerReading['stoppedBy'] {
    if (this.status === 'Unavailable') return 'device';
    if (active || this.status === 'Available') return undefined;
    // What ended while plugged begins again with the next plugging in; what we ended, when there is room.
    return stops === 'person' || (this.status === 'Finishing' && stops !== 'us') ? 'user' : undefined;
  }

  /** A switched charger that took its number of phases, while nothing else flows. */
  #phasesConfigured(told: 1 | 3 | undefined): 1 | 3 | undefined {
    if (!this.options.phaseSwitching || told === undefined) return undefined;
    return told === 1 && this.#current.slice(1).some((a) => a > IN_USE_A) ? undefined : told;
  }

  /** Without a vehicle, or when it says that nothing flows after the last measurement, nothing does. */
  #currents(idle: boolean, now: number): { amps: PerPhase; age: number; atRest: boolean } {
    const seen = this.options.rotation.map((_, i) => this.#at[i]).filter((at) => at !== undefined);
    const oldest = seen.length ? Math.min(...seen) : undefined;
    const open = this.status === 'Preparing' || this.status === 'SuspendedEVSE' || this.status === 'Finishing';
    const atRest = open && (oldest === undefined || oldest < this.statusAt);
    if (idle) return { amps: [0, 0, 0], age: 0, atRest: true };
    if (atRest) return { amps: [0, 0, 0], age: Math.max(0, now - this.statusAt) / 1000, atRest };
    return { amps: this.#current, age: Math.max(0, now - (oldest ?? this.statusAt)) / 1000, atRest };
  }

  #rotated(current: PerPhase): PerPhase {
    return perPhase((p) => {
      const conductor = this.options.rotation.findIndex((phase) => phaseIndex(phase) === p);
      return conductor < 0 ? 0 : current[conductor];
    });
  }

  #usedPhases(now: number): Phase[] | undefined {
    if (!this.#tellsPhases) return undefined;
    if (this.#usedSince === undefined || now - this.#usedSince < PHASES_KNOWN_MS) return undefined;
    const used = this.options.rotation.filter((_, i) => this.#used[i] !== undefined);
    return used.length ? PHASES.filter((phase) => used.includes(phase)) : undefined;
  }

  #noteUse(now: number): void {
    const flowing = this.#current.some((a) => a > IN_USE_A);
    if (!flowing) {
      this.#usedSince = undefined;
      this.#used = [];
      return;
    }
    this.#usedSince ??= now;
    for (const i of [0, 1, 2]) {
      if (this.#current[i] > IN_USE_A) this.#used[i] = now;
      else if (now - (this.#used[i] ?? now) > PHASES_KNOWN_MS) this.#used[i] = undefined;
    }
  }

  #forgetVehicle(): void {
    this.forgetDraw();
    this.soc = undefined;
    this.#fewest = 1;
  }

  /** A per conductor: as sent, or from what was sent for all together. */
  #amps(sample: MeterSample, voltage: number): (number | undefined)[] {
    const { rotation } = this.options;
    const perPhase = sample.current.some((a) => a !== undefined);
    const fromPower = sample.totalPower === undefined ? undefined : sample.totalPower / this.lowestVoltage(voltage);
    const total = sample.totalCurrent;
    if (!perPhase && total === undefined && fromPower === undefined) return [];
    this.#tellsPhases = perPhase || rotation.length === 1;
    // Its only conductor, whatever it is called.
    if (perPhase && rotation.length === 1) return [Math.max(...sample.current.filter((a) => a !== undefined))];
    if (perPhase) return sample.current.slice(0, rotation.length);
    if (rotation.length === 1) return [total ?? fromPower];
    if (total === undefined) return this.#split(fromPower ?? 0);
    const isSum = fromPower !== undefined && Math.abs(total - fromPower) <= SAME_SHARE * Math.abs(fromPower);
    // Without a power nobody can tell: then each phase carries it.
    return isSum ? this.#split(total) : rotation.map(() => total);
  }

  /**
   * A sum, on the fewest phases that explain it: the most that one may carry. A lower current would look like a vehicle that
   * wants less; on more phases it would be taken out of the house's load where it may not flow. Which phases those are
   * stays unknown, and so all are reserved (S4), until it needs them all.
   */
  #split(sum: number): number[] {
    const { rotation } = this.options;
    const most = this.#followed.limit * (1 + SAME_SHARE);
    while (this.#fewest < rotation.length && sum > most * this.#fewest + IN_USE_A) this.#fewest += 1;
    this.#tellsPhases = this.#fewest === rotation.length;
    return rotation.map((_, i) => (i < this.#fewest ? sum / this.#fewest : 0));
  }
}
