/** What a station measures of the site around it, as meters. Pure. */
import type { MeterReading } from '../meter.ts';
import type { MeterSample, SiteValues } from './meter-values.ts';

/** Id of a meter of a station; what no id may have is replaced. */
export function meterId(identity: string, suffix: string): string {
  return `${identity.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 35 - suffix.length)}-${suffix}`;
}

/** The inlet of a station: what it, or the site behind it, takes. Phases that were not sent are null. */
export function inletReading(sample: MeterSample): MeterReading {
  const three = (values: readonly (number | undefined)[]): MeterReading['current'] => [
    values[0] ?? null,
    values[1] ?? null,
    values[2] ?? null,
  ];
  // A value without a phase is that of a single-phase connection.
  const single = (values: readonly (number | undefined)[], total: number | undefined) =>
    three(values.some((v) => v !== undefined) ? values : [total]);
  return {
    current: single(sample.current, sample.totalCurrent),
    power: single(sample.power, sample.totalPower),
    voltage: three(sample.voltage),
    age: [0, 0, 0],
    energyImport: sample.energyImport,
    energyExport: sample.energyExport,
  };
}

/** Site values of existing servers: powers in W, shared out over the phases of the connection; `pv` as they count it. */
export function siteReadings(
  identity: string,
  site: SiteValues,
  phases: number,
  voltage: number,
): [string, MeterReading][] {
  return Object.entries(site).map(([name, watts]) => {
    const power = [0, 1, 2].map((i) => (i < phases ? watts / phases : null)) as MeterReading['power'];
    const current = power.map((p) => (p === null ? null : Math.round((p / voltage) * 100) / 100));
    const reading: MeterReading = {
      current: current as MeterReading['current'],
      power,
      voltage: [null, null, null],
      age: [0, 0, 0],
    };
    return [meterId(identity, name), reading];
  });
}
