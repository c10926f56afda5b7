/** SetChargingProfile, ClearChargingProfile and GetCompositeSchedule of a simulated station (OCPP 1.6 edition 2, 5.4, 5.7, 5.16). */
import type { Refusal } from './behaviour.ts';
import { MAX_PERIODS } from './configuration.ts';
import type { Connector } from './connector.ts';
import { CallFault, field, type JsonObject } from './frames.ts';
import type { StationInside } from './inside.ts';
import { defined } from './measurands.ts';
import type { ChargingProfile, ChargingSchedule, RateUnit, SchedulePeriod } from './profiles.ts';
import { NOMINAL_VOLTS } from './profiles.ts';

const PURPOSES = ['ChargePointMaxProfile', 'TxDefaultProfile', 'TxProfile'] as const;
const KINDS = ['Absolute', 'Recurring', 'Relative'] as const;
const UNITS = ['A', 'W'] as const;

export function setChargingProfile(inside: StationInside, payload: JsonObject, now: number): JsonObject {
  const connector = field.integer(payload, 'connectorId');
  const given = field.optionalObject(payload, 'csChargingProfiles');
  if (!given) throw new CallFault('OccurenceConstraintViolation', 'csChargingProfiles is missing');
  return { status: install(inside, connector, readProfile(given), now) };
}

/** Takes a profile, where nothing speaks against it. */
export function install(
  inside: StationInside,
  connector: number,
  profile: ChargingProfile,
  now: number,
): 'Accepted' | 'Rejected' | 'NotSupported' {
  const refusal = inside.behaviour.refuses?.find((r) => matches(r, connector, profile));
  if (refusal) return refusal.answer ?? 'Rejected';
  const wrong = problem(inside, connector, profile);
  if (wrong) {
    inside.note(`profile ${profile.chargingProfileId} rejected: ${wrong}`);
    return 'Rejected';
  }
  const on = inside.connectors[connector - 1] as Connector | undefined;
  const suspended = on?.status().startsWith('Suspended');
  const dropped =
    profile.chargingProfilePurpose === 'TxProfile' && suspended && inside.behaviour.dropsTxProfileWhileSuspended;
  if (!dropped) inside.profiles.set(connector, profile, inside.clock(now));
  return 'Accepted';
}

export function clearChargingProfile(inside: StationInside, payload: JsonObject): JsonObject {
  const removed = inside.profiles.clear({
    id: field.optionalInteger(payload, 'id'),
    connector: field.optionalInteger(payload, 'connectorId'),
    purpose: field.optionalOneOf(payload, 'chargingProfilePurpose', PURPOSES),
    stackLevel: field.optionalInteger(payload, 'stackLevel'),
  });
  return { status: removed > 0 ? 'Accepted' : 'Unknown' };
}

export function getCompositeSchedule(inside: StationInside, payload: JsonObject, now: number): JsonObject {
  const connectorId = field.integer(payload, 'connectorId');
  const duration = field.integer(payload, 'duration');
  const unit = field.optionalOneOf(payload, 'chargingRateUnit', UNITS) ?? 'A';
  const rejected = { status: 'Rejected' };
  if (connectorId < 0 || connectorId > inside.connectors.length || duration <= 0 || !unitAllowed(inside, unit))
    return rejected;
  const from = inside.clock(now);
  const chargingSchedulePeriod = compositePeriods(inside, connectorId, from, duration, unit);
  const chargingSchedule = { duration, chargingRateUnit: unit, chargingSchedulePeriod };
  return {
    status: 'Accepted',
    connectorId,
    scheduleStart: new Date(from).toISOString(),
    chargingSchedule,
  } as JsonObject;
}

/** What will be offered from `from` (epoch ms of the station's clock) for `duration` s, in periods of equal limit. */
export function compositePeriods(
  inside: StationInside,
  connectorId: number,
  from: number,
  duration: number,
  unit: RateUnit,
): JsonObject[] {
  const to = from + duration * 1000;
  const starts = inside.connectors.map((c) => c.transaction?.startedAt);
  const moments = new Set([0]);
  for (const charging of starts)
    for (const at of inside.profiles.changes(from, to, charging)) moments.add(Math.ceil((at - from) / 1000));
  const periods: JsonObject[] = [];
  for (const startPeriod of [...moments].sort((a, b) => a - b)) {
    if (startPeriod >= duration) break;
    const { amps, conductors } = inside.composite(connectorId, from + startPeriod * 1000);
    const value = unit === 'A' ? amps : amps * NOMINAL_VOLTS * conductors;
    const period = { startPeriod, limit: Math.round(value * 10) / 10, numberPhases: conductors };
    const before = periods.at(-1);
    if (before?.limit !== period.limit || before.numberPhases !== conductors) periods.push(period);
  }
  return periods;
}

/** @throws CallFault for what is no profile. */
export function readProfile(given: JsonObject): ChargingProfile {
  const schedule = field.optionalObject(given, 'chargingSchedule');
  if (!schedule) throw new CallFault('OccurenceConstraintViolation', 'chargingSchedule is missing');
  return defined({
    chargingProfileId: field.integer(given, 'chargingProfileId'),
    transactionId: field.optionalInteger(given, 'transactionId'),
    stackLevel: field.integer(given, 'stackLevel'),
    chargingProfilePurpose: field.oneOf(given, 'chargingProfilePurpose', PURPOSES),
    chargingProfileKind: field.oneOf(given, 'chargingProfileKind', KINDS),
    recurrencyKind: field.optionalOneOf(given, 'recurrencyKind', ['Daily', 'Weekly']),
    validFrom: field.optionalTime(given, 'validFrom'),
    validTo: field.optionalTime(given, 'validTo'),
    chargingSchedule: readSchedule(schedule) as unknown as JsonObject,
  }) as unknown as ChargingProfile;
}

function readSchedule(given: JsonObject): ChargingSchedule {
  const periods = field.optionalList(given, 'chargingSchedulePeriod') ?? [];
  return defined({
    duration: field.optionalInteger(given, 'duration'),
    startSchedule: field.optionalTime(given, 'startSchedule'),
    chargingRateUnit: field.oneOf(given, 'chargingRateUnit', UNITS),
    minChargingRate: optionalNumber(given, 'minChargingRate'),
    chargingSchedulePeriod: periods.map((period) => readPeriod(period as JsonObject)) as unknown as JsonObject[],
  }) as unknown as ChargingSchedule;
}

function readPeriod(given: JsonObject): SchedulePeriod {
  const limit = optionalNumber(given, 'limit');
  if (limit === undefined) throw new CallFault('OccurenceConstraintViolation', 'limit is missing');
  // At most one digit after the point (7.14).
  if (Math.abs(limit * 10 - Math.round(limit * 10)) > 1e-6)
    throw new CallFault('PropertyConstraintViolation', `limit: ${limit}, a multiple of 0.1 expected`);
  return defined({
    startPeriod: field.integer(given, 'startPeriod'),
    limit,
    numberPhases: field.optionalInteger(given, 'numberPhases'),
  }) as unknown as SchedulePeriod;
}

function optionalNumber(given: JsonObject, name: string): number | undefined {
  const value = given[name];
  if (value === undefined || typeof value === 'number') return value;
  throw new CallFault('TypeConstraintViolation', `${name}: ${JSON.stringify(value)}, a number expected`);
}

/** Why a well-formed profile is not taken. */
function problem(inside: StationInside, connector: number, profile: ChargingProfile): string | undefined {
  const { chargingProfilePurpose: purpose, chargingProfileKind: kind, stackLevel } = profile;
  const most = inside.configuration.number('ChargeProfileMaxStackLevel');
  if (connector < 0 || connector > inside.connectors.length) return `there is no connector ${connector}`;
  if (stackLevel < 0 || stackLevel > most) return `stack level ${stackLevel}, 0 to ${most} expected`;
  if (purpose === 'ChargePointMaxProfile' && connector !== 0) return 'ChargePointMaxProfile is for connector 0';
  if (purpose === 'ChargePointMaxProfile' && kind === 'Relative') return 'ChargePointMaxProfile cannot be Relative';
  if (purpose !== 'TxProfile' && profile.transactionId !== undefined)
    return `transactionId does not go with ${purpose}`;
  const room = inside.configuration.number('MaxChargingProfilesInstalled');
  if (inside.profiles.countWith(connector, profile) > room) return `at most ${room} profile(s)`;
  return transactionProblem(inside, connector, profile) ?? scheduleProblem(inside, profile);
}

function transactionProblem(inside: StationInside, connector: number, profile: ChargingProfile): string | undefined {
  if (profile.chargingProfilePurpose !== 'TxProfile') return undefined;
  const transaction = (inside.connectors[connector - 1] as Connector | undefined)?.transaction;
  if (!transaction) return 'TxProfile without a transaction';
  if (profile.transactionId === undefined || profile.transactionId === transaction.id) return undefined;
  return `transaction ${profile.transactionId}, ${transaction.id} expected`;
}

function scheduleProblem(inside: StationInside, profile: ChargingProfile): string | undefined {
  const { chargingSchedule: schedule, chargingProfileKind: kind } = profile;
  const periods = schedule.chargingSchedulePeriod;
  if (!unitAllowed(inside, schedule.chargingRateUnit)) return `unit ${schedule.chargingRateUnit}`;
  if (periods.length === 0 || periods.length > MAX_PERIODS)
    return `${periods.length} periods, 1 to ${MAX_PERIODS} expected`;
  if (periods[0].startPeriod !== 0) return `the first period starts at ${periods[0].startPeriod}, 0 expected`;
  if (periods.some((p, i) => i > 0 && p.startPeriod <= periods[i - 1].startPeriod)) return 'periods are not in order';
  if (periods.some((p) => p.limit < 0)) return 'a limit is negative';
  const phases = (p: SchedulePeriod) => p.numberPhases ?? 3;
  const least = inside.behaviour.zeroPhasesIsZero ? 0 : 1;
  if (periods.some((p) => phases(p) < least || phases(p) > 3)) return `numberPhases, ${least} to 3 expected`;
  if (kind === 'Recurring' && !(profile.recurrencyKind && schedule.startSchedule))
    return 'Recurring needs recurrencyKind and startSchedule';
  return undefined;
}

function unitAllowed(inside: StationInside, unit: RateUnit): boolean {
  return inside.configuration
    .list('ChargingScheduleAllowedChargingRateUnit')
    .includes(unit === 'A' ? 'Current' : 'Power');
}

function matches(refusal: Refusal, connector: number, profile: ChargingProfile): boolean {
  const schedule = profile.chargingSchedule;
  if (refusal.purpose !== undefined && refusal.purpose !== profile.chargingProfilePurpose) return false;
  if (refusal.kind !== undefined && refusal.kind !== profile.chargingProfileKind) return false;
  if (refusal.unit !== undefined && refusal.unit !== schedule.chargingRateUnit) return false;
  if (refusal.stackAbove !== undefined && profile.stackLevel <= refusal.stackAbove) return false;
  if (refusal.connector !== undefined && (refusal.connector === 'station') !== (connector === 0)) return false;
  const periods = schedule.chargingSchedulePeriod;
  if (refusal.fractional && periods.every((p) => Number.isInteger(p.limit))) return false;
  if (refusal.withDuration && schedule.duration === undefined) return false;
  return !refusal.withoutPhases || periods.some((p) => p.numberPhases === undefined);
}
