/**
 * Smart charging of a simulated station, after OCPP 1.6 edition 2, 3.13 and 5.16: which profiles it holds, and which of them counts at a
 * moment. Times are epoch ms of the station's own clock.
 */

export type Purpose = 'ChargePointMaxProfile' | 'TxDefaultProfile' | 'TxProfile';
export type RateUnit = 'A' | 'W';

export interface SchedulePeriod {
  /** s from the start of the schedule. */
  startPeriod: number;
  limit: number;
  numberPhases?: number;
}

export interface ChargingSchedule {
  /** s. */
  duration?: number;
  startSchedule?: string;
  chargingRateUnit: RateUnit;
  chargingSchedulePeriod: SchedulePeriod[];
  minChargingRate?: number;
}

export interface ChargingProfile {
  chargingProfileId: number;
  transactionId?: number;
  stackLevel: number;
  chargingProfilePurpose: Purpose;
  chargingProfileKind: 'Absolute' | 'Recurring' | 'Relative';
  recurrencyKind?: 'Daily' | 'Weekly';
  validFrom?: string;
  validTo?: string;
  chargingSchedule: ChargingSchedule;
}

export interface InstalledProfile {
  connector: number;
  profile: ChargingProfile;
  /** When the station took it. */
  receivedAt: number;
}

/** How a station reads what the specification leaves open, and what it gets wrong. */
export interface ProfileReading {
  /** A Relative schedule, and an Absolute one without a start, begins when the transaction did (7.13), or when it was received. */
  relativeFrom: 'transaction' | 'receipt';
  /** `duration` and `validTo` are ignored. */
  neverExpires?: boolean;
  /** numberPhases 0 is taken at its word. */
  zeroPhasesIsZero?: boolean;
}

/** What limits a connector at a moment: `amps` per conductor; Infinity: nothing. `conductors`: how many may be used. */
export interface Limit {
  amps: number;
  conductors: number;
}

/** What of a station decides how a limit is read. */
export interface Wiring {
  conductors: number;
  /** It can let go of two of three conductors. */
  switchesPhases: boolean;
}

export const NOMINAL_VOLTS = 230;
const DAY_MS = 86_400_000;
const DEFAULT_PHASES = 3;

export class ProfileStore {
  readonly installed: InstalledProfile[];
  /** Writes to its memory so far: flash wears out. */
  writes = 0;
  readonly #reading: ProfileReading;

  constructor(reading: ProfileReading, installed: InstalledProfile[] = []) {
    this.#reading = reading;
    this.installed = installed;
  }

  /** Adds a profile, or puts it in the place of the one with its id, or with its connector, purpose and stack level. */
  set(connector: number, profile: ChargingProfile, receivedAt: number): void {
    this.#removeWhere((p) => replaces(connector, profile, p));
    this.installed.push({ connector, profile, receivedAt });
    this.writes += 1;
  }

  /** How many there would be with this one. */
  countWith(connector: number, profile: ChargingProfile): number {
    return this.installed.filter((p) => !replaces(connector, profile, p)).length + 1;
  }

  /** Of ClearChargingProfile.req: an id alone decides; otherwise everything that matches all that is given. @returns how many went. */
  clear(filter: { id?: number; connector?: number; purpose?: Purpose; stackLevel?: number }): number {
    const { id, connector, purpose, stackLevel } = filter;
    return this.#removeWhere((p) => {
      if (id !== undefined) return p.profile.chargingProfileId === id;
      if (connector !== undefined && p.connector !== connector) return false;
      if (purpose !== undefined && p.profile.chargingProfilePurpose !== purpose) return false;
      return stackLevel === undefined || p.profile.stackLevel === stackLevel;
    });
  }

  /** At the end of its transaction a TxProfile is gone. */
  dropTxProfiles(connector: number): void {
    this.#removeWhere((p) => p.connector === connector && p.profile.chargingProfilePurpose === 'TxProfile');
  }

  forgetAll(): void {
    this.installed.length = 0;
  }

  /**
   * Limit of a connector by TxProfile, else TxDefaultProfile; without ChargePointMaxProfile.
   * @param charging since when its transaction runs, if one does
   */
  transactionLimit(connector: number, at: number, charging: number | undefined, wiring: Wiring): Limit {
    const own = (p: InstalledProfile) => p.connector === connector;
    const shared = (p: InstalledProfile) => p.connector === connector || p.connector === 0;
    const running = charging !== undefined ? this.#top('TxProfile', own, at, charging) : undefined;
    return this.#limit(running ?? this.#top('TxDefaultProfile', shared, at, charging), wiring);
  }

  /** Limit of the whole station. */
  stationLimit(at: number, wiring: Wiring): Limit {
    return this.#limit(
      this.#top('ChargePointMaxProfile', (p) => p.connector === 0, at, undefined),
      wiring,
    );
  }

  /** Moments in (from, to) at which anything may change. */
  changes(from: number, to: number, charging: number | undefined): number[] {
    const found = new Set<number>();
    const add = (t: number) => t > from && t < to && found.add(t);
    for (const { profile, receivedAt } of this.installed) {
      const schedule = profile.chargingSchedule;
      if (profile.validFrom) add(Date.parse(profile.validFrom));
      if (profile.validTo) add(Date.parse(profile.validTo));
      for (const start of startsWithin(profile, receivedAt, charging, this.#reading, from, to)) {
        add(start);
        if (schedule.duration !== undefined) add(start + schedule.duration * 1000);
        for (const { startPeriod } of schedule.chargingSchedulePeriod) add(start + startPeriod * 1000);
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  /** The period in force with the highest stack level of a purpose; of two, the one for the connector itself. */
  #top(
    purpose: Purpose,
    applies: (p: InstalledProfile) => boolean,
    at: number,
    charging: number | undefined,
  ): { unit: RateUnit; period: SchedulePeriod } | undefined {
    let best: { unit: RateUnit; period: SchedulePeriod; level: number; connector: number } | undefined;
    for (const installed of this.installed) {
      const { profile, connector } = installed;
      if (profile.chargingProfilePurpose !== purpose || !applies(installed)) continue;
      const level = profile.stackLevel;
      if (best && (best.level > level || (best.level === level && best.connector >= connector))) continue;
      const period = periodAt(installed, at, charging, this.#reading);
      if (period) best = { unit: profile.chargingSchedule.chargingRateUnit, period, level, connector };
    }
    return best;
  }

  #limit(found: { unit: RateUnit; period: SchedulePeriod } | undefined, wiring: Wiring): Limit {
    if (!found) return { amps: Number.POSITIVE_INFINITY, conductors: wiring.conductors };
    const { unit, period } = found;
    if (period.numberPhases === 0 && this.#reading.zeroPhasesIsZero) return { amps: 0, conductors: wiring.conductors };
    const wanted = Math.min(period.numberPhases || DEFAULT_PHASES, wiring.conductors);
    const conductors = wiring.switchesPhases ? wanted : wiring.conductors;
    return { amps: unit === 'A' ? period.limit : period.limit / (NOMINAL_VOLTS * conductors), conductors };
  }

  #removeWhere(match: (p: InstalledProfile) => boolean): number {
    let removed = 0;
    for (let i = this.installed.length - 1; i >= 0; i--) {
      if (!match(this.installed[i])) continue;
      this.installed.splice(i, 1);
      removed += 1;
    }
    if (removed > 0) this.writes += 1;
    return removed;
  }
}

function replaces(connector: number, profile: ChargingProfile, old: InstalledProfile): boolean {
  if (old.profile.chargingProfileId === profile.chargingProfileId) return true;
  return (
    old.connector === connector &&
    old.profile.chargingProfilePurpose === profile.chargingProfilePurpose &&
    old.profile.stackLevel === profile.stackLevel
  );
}

function periodAt(
  { profile, receivedAt }: InstalledProfile,
  at: number,
  charging: number | undefined,
  reading: ProfileReading,
): SchedulePeriod | undefined {
  const { duration, chargingSchedulePeriod } = profile.chargingSchedule;
  if (profile.validFrom && at < Date.parse(profile.validFrom)) return undefined;
  if (profile.validTo && at >= Date.parse(profile.validTo) && !reading.neverExpires) return undefined;
  const start = startBefore(profile, receivedAt, at, charging, reading);
  if (start === undefined || at < start) return undefined;
  const elapsed = (at - start) / 1000;
  if (duration !== undefined && elapsed >= duration && !reading.neverExpires) return undefined;
  return chargingSchedulePeriod.findLast((period) => period.startPeriod <= elapsed);
}

/** When the schedule began that is the newest at `at`. */
function startBefore(
  profile: ChargingProfile,
  receivedAt: number,
  at: number,
  charging: number | undefined,
  reading: ProfileReading,
): number | undefined {
  const anchor = anchorOf(profile, receivedAt, charging, reading);
  if (profile.chargingProfileKind !== 'Recurring' || anchor === undefined || at < anchor) return anchor;
  const every = recurrenceMs(profile);
  return anchor + Math.floor((at - anchor) / every) * every;
}

function anchorOf(
  profile: ChargingProfile,
  receivedAt: number,
  charging: number | undefined,
  reading: ProfileReading,
): number | undefined {
  const { startSchedule } = profile.chargingSchedule;
  if (profile.chargingProfileKind !== 'Relative' && startSchedule) return Date.parse(startSchedule);
  if (profile.chargingProfilePurpose === 'ChargePointMaxProfile') return receivedAt;
  // Where nothing charges yet, it would begin now.
  return reading.relativeFrom === 'receipt' ? receivedAt : charging;
}

function startsWithin(
  profile: ChargingProfile,
  receivedAt: number,
  charging: number | undefined,
  reading: ProfileReading,
  from: number,
  to: number,
): number[] {
  const first = startBefore(profile, receivedAt, from, charging, reading);
  if (first === undefined) return [];
  if (profile.chargingProfileKind !== 'Recurring') return [first];
  const starts: number[] = [];
  for (let start = first; start < to; start += recurrenceMs(profile)) starts.push(start);
  return starts;
}

function recurrenceMs(profile: ChargingProfile): number {
  return profile.recurrencyKind === 'Weekly' ? 7 * DAY_MS : DAY_MS;
}
