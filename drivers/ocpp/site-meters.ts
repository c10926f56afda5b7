/** What a station measures of the site around it, as meters. Pure. */
import type { MeterReading } from '../meter.ts';
import type { MeterSample, SiteValues } from './meter-values.ts';

type Maybe = number | undefined;

/** Id of a meter of a station; what no id may have is replaced. */
export function meterId(identity: string, suffix: string): string {
  return `${identity.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 35 - suffix.length)}-${suffix}`;
}

/**
 * The inlet of a station: what it, or the site behind it, takes. Phases that were not sent are null. A value without a phase
 * is that of the only phase of a station on one; of three nobody knows which carries it.
 */
export function inletReading(sample: MeterSample, phases: number): MeterReading {
  const known = (values: readonly Maybe[], total: Maybe) => {
    const isTold = values.some((v) => v !== undefined);
    return three(isTold || phases > 1 ? values : [total]);
  };
  const power = known(sample.power, sample.totalPower);
  return {
    current: known(sample.current, sample.totalCurrent),
    power,
    totalPower: power.every((p) => p === null) ? sample.totalPower : undefined,
    voltage: three(sample.voltage),
    age: [0, 0, 0],
    energyImport: sample.energyImport,
    energyExport: sample.energyExport,
  };
}

/**
 * Site values of existing servers, powers in W; `pv` as they count it. They come without a phase: an even share would hide that
 * one of three carries it all. `phases` of the station: of one on a single phase its site is taken to have no more.
 */
export function siteReadings(
  identity: string,
  site: SiteValues,
  phases: number,
  voltage: number,
): [string, MeterReading][] {
  return Object.entries(site).map(([name, watts]) => {
    const single = phases > 1 ? [] : [watts];
    const reading: MeterReading = {
      current: three(single.map((p) => Math.round((p / voltage) * 100) / 100)),
      power: three(single),
      totalPower: phases > 1 ? watts : undefined,
      voltage: [null, null, null],
      age: [0, 0, 0],
    };
    return [meterId(identity, name), reading];
  });
}

function three(values: readonly Maybe[]): MeterReading['current'] {
  return [values[0] ?? null, values[1] ?? null, values[2] ?? null];
}
