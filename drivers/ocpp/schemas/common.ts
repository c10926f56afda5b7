/** The data types that several actions of OCPP 1.6 share. Source: OCPP 1.6 edition 2, section 7 ("Types"), and OCPP-J 1.6. */
import { z } from 'zod';

/** CiString and string types: at most `max` characters (code points, as JSON Schema counts). */
export function text(max: number) {
  return z.string().check((context) => {
    const { value } = context;
    if (value.length <= max || (value.length <= 2 * max && [...value].length <= max)) return;
    context.issues.push({ code: 'too_big', origin: 'string', maximum: max, input: value });
  });
}

const DATE_TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(\d\d)[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,12})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/;

/** Whether a text is a date-time of RFC 3339 with its offset; such a text is always a number for `Date.parse`. */
export function isDateTime(value: string): boolean {
  const match = DATE_TIME.exec(value);
  if (!match) return false;
  const day = Number(match[1]);
  if (day >= 1 && day <= 28) return true;
  const month = Number(value.slice(5, 7));
  return day >= 1 && day <= new Date(Date.UTC(Number(value.slice(0, 4)), month, 0)).getUTCDate();
}

/** RFC 3339 date-time. */
export const dateTime = z.string().check((context) => {
  if (!isDateTime(context.value)) {
    context.issues.push({ code: 'invalid_format', format: 'datetime', input: context.value });
  }
});

const URI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;

/** Where a file is fetched from or sent to: an absolute URI. */
export const uri = z.string().check((context) => {
  if (!URI.test(context.value)) context.issues.push({ code: 'invalid_format', format: 'uri', input: context.value });
});

export const integer = z.number().check((context) => {
  if (!Number.isSafeInteger(context.value)) {
    context.issues.push({ code: 'invalid_type', expected: 'int', input: context.value });
  }
});

/** A or W with one decimal, as charging schedules have it. */
export const tenths = z.number().check((context) => {
  const scaled = context.value * 10;
  if (Math.abs(Math.round(scaled) - scaled) < 1e-6) return;
  context.issues.push({ code: 'not_multiple_of', divisor: 0.1, input: context.value });
});

export const idToken = text(20);

/** An object without fields. */
export const empty = z.strictObject({});

export const AcceptedOrRejected = z.strictObject({ status: z.enum(['Accepted', 'Rejected']) });

export const IdTagInfo = z.strictObject({
  expiryDate: dateTime.optional(),
  parentIdTag: idToken.optional(),
  status: z.enum(['Accepted', 'Blocked', 'Expired', 'Invalid', 'ConcurrentTx']),
});
export type IdTagInfo = z.infer<typeof IdTagInfo>;

export const MEASURANDS = [
  'Energy.Active.Export.Register',
  'Energy.Active.Import.Register',
  'Energy.Reactive.Export.Register',
  'Energy.Reactive.Import.Register',
  'Energy.Active.Export.Interval',
  'Energy.Active.Import.Interval',
  'Energy.Reactive.Export.Interval',
  'Energy.Reactive.Import.Interval',
  'Power.Active.Export',
  'Power.Active.Import',
  'Power.Offered',
  'Power.Reactive.Export',
  'Power.Reactive.Import',
  'Power.Factor',
  'Current.Import',
  'Current.Export',
  'Current.Offered',
  'Voltage',
  'Frequency',
  'Temperature',
  'SoC',
  'RPM',
] as const;

/** `Celcius` is in the specification's own list; both spellings are sent. */
export const UNITS = [
  'Wh',
  'kWh',
  'varh',
  'kvarh',
  'W',
  'kW',
  'VA',
  'kVA',
  'var',
  'kvar',
  'A',
  'V',
  'K',
  'Celcius',
  'Celsius',
  'Fahrenheit',
  'Percent',
] as const;

export const SampledValue = z.strictObject({
  value: z.string(),
  context: z
    .enum([
      'Interruption.Begin',
      'Interruption.End',
      'Sample.Clock',
      'Sample.Periodic',
      'Transaction.Begin',
      'Transaction.End',
      'Trigger',
      'Other',
    ])
    .optional(),
  format: z.enum(['Raw', 'SignedData']).optional(),
  measurand: z.enum(MEASURANDS).optional(),
  phase: z.enum(['L1', 'L2', 'L3', 'N', 'L1-N', 'L2-N', 'L3-N', 'L1-L2', 'L2-L3', 'L3-L1']).optional(),
  location: z.enum(['Cable', 'EV', 'Inlet', 'Outlet', 'Body']).optional(),
  unit: z.enum(UNITS).optional(),
});
export type SampledValue = z.infer<typeof SampledValue>;

export const MeterValue = z.strictObject({ timestamp: dateTime, sampledValue: z.array(SampledValue) });
export type MeterValue = z.infer<typeof MeterValue>;

export const ChargingProfilePurpose = z.enum(['ChargePointMaxProfile', 'TxDefaultProfile', 'TxProfile']);
export const ChargingRateUnit = z.enum(['A', 'W']);

export const ChargingSchedule = z.strictObject({
  /** s. */
  duration: integer.optional(),
  startSchedule: dateTime.optional(),
  chargingRateUnit: ChargingRateUnit,
  chargingSchedulePeriod: z.array(
    z.strictObject({ startPeriod: integer, limit: tenths, numberPhases: integer.optional() }),
  ),
  minChargingRate: tenths.optional(),
});
export type ChargingSchedule = z.infer<typeof ChargingSchedule>;

export const ChargingProfile = z.strictObject({
  chargingProfileId: integer,
  transactionId: integer.optional(),
  stackLevel: integer,
  chargingProfilePurpose: ChargingProfilePurpose,
  chargingProfileKind: z.enum(['Absolute', 'Recurring', 'Relative']),
  recurrencyKind: z.enum(['Daily', 'Weekly']).optional(),
  validFrom: dateTime.optional(),
  validTo: dateTime.optional(),
  chargingSchedule: ChargingSchedule,
});
export type ChargingProfile = z.infer<typeof ChargingProfile>;
