/** What a simulated station may do in other ways than a well-behaved one: data only, to be combined. */
import type { Purpose, RateUnit } from './profiles.ts';

/** What of a profile is not taken. All that is given must match. */
export interface Refusal {
  purpose?: Purpose;
  stackAbove?: number;
  kind?: 'Absolute' | 'Recurring' | 'Relative';
  unit?: RateUnit;
  /** Only on connector 0, or only on others. */
  connector?: 'station' | 'single';
  /** Only without `numberPhases`. */
  withoutPhases?: true;
  /** Only where a limit is not a whole number; only with `duration`. */
  fractional?: true;
  withDuration?: true;
  answer?: 'Rejected' | 'NotSupported';
}

export interface MeterShape {
  /** Currents, voltages and powers: of each conductor, one value for all, or both. */
  values?: 'each' | 'total' | 'both';
  /** The attribute `phase`: as it should be, or left out. */
  phaseAttribute?: false;
  /** Power and energy in kW and kWh. */
  kilo?: true;
  /** What equals its default (measurand, context, unit, location) is left out. */
  terse?: true;
  location?: 'Cable' | 'EV' | 'Inlet' | 'Outlet' | 'Body';
  /** Values of the site beside the station's own, as existing servers get them. */
  site?: 'measurands' | 'locations';
}

export interface Behaviour {
  // What it makes of limits.
  /** s until a changed limit reaches the vehicle. */
  lagSeconds?: number;
  ignoresLimits?: true;
  /** Current.Offered and GetCompositeSchedule show the limit, not what the vehicle is offered. */
  offeredLies?: true;
  refuses?: readonly Refusal[];
  neverExpires?: true;
  relativeFrom?: 'transaction' | 'receipt';
  zeroPhasesIsZero?: true;
  /** The vehicle is offered whole multiples of this, A. */
  stepAmps?: number;
  /** After 0 A the vehicle is offered everything until the next profile comes. */
  zeroResumesUnlimited?: true;
  /** A limit of 0 ends the transaction. */
  zeroStops?: true;
  /** After a transaction nothing begins before the vehicle was unplugged. */
  replugAfterStop?: true;
  dropsTxProfileWhileSuspended?: true;
  forgetsOnReconnect?: true;
  forgetsOnReboot?: true;
  /** A profile from earlier is in its memory: ChargePointMaxProfile of this stack level and A. */
  staleProfile?: { stackLevel: number; amps: number };
  // What it offers.
  maxStackLevel?: number;
  maxProfiles?: number;
  rateUnits?: 'Current' | 'Power' | 'Current,Power';
  /** Actions that it does not know. */
  unsupported?: readonly string[];
  /** Measurands that it does not have. */
  withoutMeasurands?: readonly string[];
  /** Configuration keys of its own, and other values of common ones. */
  keys?: Readonly<Record<string, { value: string; readonly?: boolean }>>;
  /** The first so many GetConfiguration fail with InternalError. */
  failedReads?: number;
  refusesAvailability?: true;
  // Connection and boot.
  bootsOnReconnect?: false;
  rebootsAfterTriggeredBoot?: true;
  rebootsOnMeasurands?: true;
  redialsAfterGracefulClose?: false;
  /** Opens another connection every so many seconds while the first is open, and closes the older one. */
  redialsWhileOpenSeconds?: number;
  /** s from power to the first connection. */
  connectDelaySeconds?: number;
  boot201?: true;
  // Transactions.
  repeatsStart?: number;
  minusOneAfterOffline?: true;
  remoteStartNeeded?: true;
  /** At start it stops a transaction of this id, as of yesterday. */
  stopsYesterdays?: number;
  resumesAfterPowerLoss?: true;
  // The wire.
  /** s until it answers, by action; `*`: all others. */
  slow?: Readonly<Record<string, number>>;
  numericIds?: true;
  /** Fields that no schema knows. */
  extraFields?: true;
  // Its clock and meter.
  clock?: { offsetSeconds: number; driftSecondsPerHour?: number };
  meter?: MeterShape;
  /** Times between two MeterValues, s, in turn; in place of MeterValueSampleInterval. */
  oddIntervals?: readonly number[];
}

/** Both at once; lists add up, of single values the last counts. */
export function combine(a: Behaviour, b: Behaviour): Behaviour {
  const joined = <T>(x?: readonly T[], y?: readonly T[]) => (x || y ? [...(x ?? []), ...(y ?? [])] : undefined);
  const both: Behaviour = { ...a, ...b };
  const lists = {
    refuses: joined(a.refuses, b.refuses),
    unsupported: joined(a.unsupported, b.unsupported),
    withoutMeasurands: joined(a.withoutMeasurands, b.withoutMeasurands),
    keys: a.keys || b.keys ? { ...a.keys, ...b.keys } : undefined,
    meter: a.meter || b.meter ? { ...a.meter, ...b.meter } : undefined,
    slow: a.slow || b.slow ? { ...a.slow, ...b.slow } : undefined,
  };
  return { ...both, ...Object.fromEntries(Object.entries(lists).filter(([, value]) => value !== undefined)) };
}
