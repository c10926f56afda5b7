/** A limit as a SetChargingProfile. Pure. Source: OCPP 1.6 edition 2, 3.13 and 7.8 to 7.14. */
import type { RequestOf } from '../actions.ts';
import { type Rung, slotOf } from './rung.ts';

export interface ProfileTarget {
  connector: number;
  /** A; truncated to 0.1 A or 1 W. */
  limit: number;
  /** The least that charges at all, A. */
  min: number;
  safe: number;
  /** s until it has run out. */
  duration: number;
  /** Absent: the transaction is not known. */
  transactionId?: number;
  /** Phases of the connector, and those that the vehicle uses at least, if that is known. */
  phases: number;
  phasesUsed?: number;
  /** To switch the connector to, if it can be switched. */
  numberPhases?: 1 | 3;
  /** V; the lowest that may be there. */
  voltage: number;
  /** V; what a station may reckon with. */
  nominal: number;
  /** When the schedule starts, on the station's clock, epoch ms. */
  start: number;
}

const SLOT_NUMBER = { default: 1, transaction: 2, station: 3 } as const;
const SECOND_MS = 1000;

/** The largest tenth of an ampere that is not above `amps`; what floating point adds to a product is no tenth more. */
export function truncateAmps(amps: number): number {
  return Math.floor(amps * 10 + 1e-6) / 10;
}

/** Profile ids are fixed: a profile replaces the one before it, and nothing is ever cleared (lbbrhzn/ocpp#1718). */
export function profileId(rung: Rung, connector: number): number {
  const place = rung.connector === 'station' ? 0 : connector;
  return place * 10 + SLOT_NUMBER[slotOf(rung)];
}

export function chargingProfile(rung: Rung, target: ProfileTarget): RequestOf<'SetChargingProfile'> {
  const numberPhases = target.numberPhases ?? (target.phases > 1 ? 3 : 1);
  const period = (startPeriod: number, amps: number) => ({
    startPeriod,
    limit: inUnit(rung, amps, numberPhases, target),
    numberPhases,
  });
  const { purpose, kind, ends, level } = rung;
  const periods = [period(0, target.limit)];
  if (ends === 'periods') periods.push(period(target.duration, target.safe));
  return {
    connectorId: rung.connector === 'station' ? 0 : target.connector,
    csChargingProfiles: {
      chargingProfileId: profileId(rung, target.connector),
      ...(purpose === 'TxProfile' && target.transactionId !== undefined ? { transactionId: target.transactionId } : {}),
      stackLevel: level,
      chargingProfilePurpose: purpose,
      chargingProfileKind: kind,
      chargingSchedule: {
        ...(ends === 'duration' ? { duration: target.duration } : {}),
        ...(kind === 'Absolute'
          ? { startSchedule: new Date(Math.floor(target.start / SECOND_MS) * SECOND_MS).toISOString() }
          : {}),
        chargingRateUnit: rung.unit,
        chargingSchedulePeriod: periods,
      },
    },
  };
}

/** W are what the current is at the lowest voltage, on the phases by which the station divides. */
function inUnit(rung: Rung, amps: number, numberPhases: number, target: ProfileTarget): number {
  if (rung.unit === 'A') return truncateAmps(amps);
  const phases = rung.per === 'station' ? numberPhases : Math.min(numberPhases, target.phasesUsed ?? 1);
  return Math.floor(amps * voltsFor(amps, target) * phases + 1e-6);
}

/** Below this share of the nominal voltage its W would be too many A. */
const NEAR_NOMINAL = 0.95;

/** At its minimum a station that reckons with the nominal voltage would pause by a W less: it gets them. */
export function voltsFor(amps: number, { min, voltage, nominal }: Pick<ProfileTarget, 'min' | 'voltage' | 'nominal'>) {
  const isLeast = amps > 0 && amps - min < 0.1;
  return isLeast && voltage >= nominal * NEAR_NOMINAL ? Math.max(voltage, nominal) : voltage;
}

/** A of a limit in a station's own schedule. */
export function ampsOf(limit: number, unit: 'A' | 'W', phases: number, voltage: number): number {
  return unit === 'A' ? limit : limit / (voltage * phases);
}
