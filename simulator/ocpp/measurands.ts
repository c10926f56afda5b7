/** What a simulated station meters, and how it puts it: every shape of sampled values that stations are known for. */
import type { MeterShape } from './behaviour.ts';
import type { JsonObject } from './frames.ts';

/** What a connector measures, by the station's own conductors. */
export interface Measured {
  /** A and V of each conductor. */
  current: readonly number[];
  voltage: readonly number[];
  /** A per conductor that the vehicle is offered. */
  offered: number;
  /** Wh since ever, and since the last sample. */
  register: number;
  interval: number;
  /** 0..1. */
  soc?: number;
  /** W of the site, where the station meters it: grid (import positive), solar, house. */
  site?: { grid: number; pv: number; home: number };
}

export type Context =
  | 'Sample.Periodic'
  | 'Sample.Clock'
  | 'Transaction.Begin'
  | 'Transaction.End'
  | 'Trigger'
  | 'Interruption.Begin'
  | 'Interruption.End';

interface Value {
  value: number;
  decimals: number;
  unit?: string;
  /** Of a conductor, from 0; absent: of all. */
  conductor?: number;
}

interface Measurand {
  values(m: Measured): { each?: readonly number[]; total: number };
  unit?: string;
  decimals: number;
  /** Between a conductor and neutral: L1-N. */
  toNeutral?: true;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const watts = (m: Measured) => m.current.map((a, i) => a * m.voltage[i]);
const none = () => ({ total: 0 });

const MEASURANDS: Record<string, Measurand> = {
  'Energy.Active.Import.Register': { values: (m) => ({ total: m.register }), unit: 'Wh', decimals: 0 },
  'Energy.Active.Import.Interval': { values: (m) => ({ total: m.interval }), unit: 'Wh', decimals: 0 },
  'Energy.Active.Export.Register': { values: none, unit: 'Wh', decimals: 0 },
  'Energy.Reactive.Import.Register': { values: none, unit: 'varh', decimals: 0 },
  'Power.Active.Import': { values: (m) => ({ each: watts(m), total: sum(watts(m)) }), unit: 'W', decimals: 1 },
  'Power.Active.Export': { values: none, unit: 'W', decimals: 1 },
  'Power.Reactive.Import': { values: none, unit: 'var', decimals: 1 },
  'Power.Offered': { values: (m) => ({ total: m.offered * sum(m.voltage) }), unit: 'W', decimals: 1 },
  'Power.Factor': { values: () => ({ total: 1 }), decimals: 2 },
  'Current.Import': { values: (m) => ({ each: m.current, total: Math.max(...m.current) }), unit: 'A', decimals: 2 },
  'Current.Export': { values: none, unit: 'A', decimals: 2 },
  'Current.Offered': { values: (m) => ({ total: m.offered }), unit: 'A', decimals: 1 },
  Voltage: {
    values: (m) => ({ each: m.voltage, total: sum(m.voltage) / m.voltage.length }),
    unit: 'V',
    decimals: 1,
    toNeutral: true,
  },
  Frequency: { values: () => ({ total: 50 }), decimals: 2 },
  Temperature: { values: () => ({ total: 31 }), unit: 'Celsius', decimals: 1 },
  SoC: { values: (m) => ({ total: (m.soc ?? 0) * 100 }), unit: 'Percent', decimals: 0 },
};

const DEFAULT_MEASURAND = 'Energy.Active.Import.Register';
const KILO: Record<string, string> = { Wh: 'kWh', W: 'kW', varh: 'kvarh', var: 'kvar' };

export const MEASURAND_NAMES: readonly string[] = Object.keys(MEASURANDS);

/** The sampled values of the measurands, in their order. */
export function sampledValues(
  measurands: readonly string[],
  measured: Measured,
  shape: MeterShape,
  context: Context,
): JsonObject[] {
  const found = measurands.flatMap((name) =>
    valuesOf(name, measured, shape).map((v) => sampled(name, v, shape, context)),
  );
  return shape.site && measured.site ? [...found, ...siteValues(measured.site, shape.site)] : found;
}

function valuesOf(name: string, measured: Measured, shape: MeterShape): Value[] {
  const measurand = MEASURANDS[name];
  // A value that there is not is left out.
  if (!measurand || (name === 'SoC' && measured.soc === undefined)) return [];
  const { decimals, unit } = measurand;
  const { each, total } = measurand.values(measured);
  const whole: Value = { value: total, decimals, unit };
  if (!each || shape.values === 'total') return [whole];
  const single = each.map((value, conductor): Value => ({ value, decimals, unit, conductor }));
  return shape.values === 'both' ? [...single, whole] : single;
}

function sampled(measurand: string, of: Value, shape: MeterShape, context: Context): JsonObject {
  const kilo = shape.kilo && of.unit !== undefined ? KILO[of.unit] : undefined;
  const value = kilo ? (of.value / 1000).toFixed(3) : of.value.toFixed(of.decimals);
  const unit = kilo ?? of.unit;
  const line = of.conductor === undefined ? undefined : `L${of.conductor + 1}`;
  const phase = line && MEASURANDS[measurand].toNeutral ? `${line}-N` : line;
  const said = shape.terse ? undefined : context;
  return defined({
    value,
    context: context === 'Sample.Periodic' ? said : context,
    measurand: shape.terse && measurand === DEFAULT_MEASURAND ? undefined : measurand,
    phase: shape.phaseAttribute === false ? undefined : phase,
    location: shape.location,
    unit: shape.terse && unit === 'Wh' ? undefined : unit,
  });
}

/** As the servers that this palette replaces get them; no schema of OCPP 1.6 allows either. */
function siteValues({ grid, pv, home }: NonNullable<Measured['site']>, how: 'measurands' | 'locations'): JsonObject[] {
  const watt = (value: number) => ({ value: value.toFixed(1), unit: 'W' });
  if (how === 'measurands') {
    return [
      { ...watt(grid), measurand: 'Power.Active.Import.Grid' },
      { ...watt(pv), measurand: 'Power.Active.Import.PV' },
      { ...watt(home), measurand: 'Power.Active.Import.Home' },
    ];
  }
  return [
    { ...watt(grid), measurand: 'Power.Active.Import', location: 'Grid' },
    { ...watt(pv), measurand: 'Power.Active.Export', location: 'Solar' },
    { ...watt(home), measurand: 'Power.Active.Import', location: 'Home' },
  ];
}

/** Without the fields that are not there. */
export function defined(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
