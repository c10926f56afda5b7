/** The schedule that a station says is in force, in A. Pure. Source: OCPP 1.6 edition 2, GetCompositeSchedule. */
import { fieldOf, numberOf } from '../meter-values.ts';
import type { CallAnswer } from '../station-io.ts';
import { ampsOf } from './profile.ts';

const SAME_A = 0.6;

export interface Composite {
  /** A now. */
  now: number;
  /** A later on. */
  later: number[];
  /** s until it is another; Infinity when none is told. */
  changesIn: number;
}

/** `cannot`: the station has no answer to this; undefined: it did not come. `phases` of the connector; `voltage` in V. */
export function readComposite(answer: CallAnswer, phases: number, voltage: number): Composite | 'cannot' | undefined {
  const schedule = answer.ok ? fieldOf(answer.payload, 'chargingSchedule') : undefined;
  const periods = fieldOf(schedule, 'chargingSchedulePeriod');
  if (!Array.isArray(periods) || periods.length === 0)
    return answer.ok || answer.error === 'refused' ? 'cannot' : undefined;
  const unit = fieldOf(schedule, 'chargingRateUnit') === 'W' ? 'W' : 'A';
  const amps = periods.slice(0, 100).map((period) => {
    const count = numberOf(fieldOf(period, 'numberPhases')) || (phases > 1 ? 3 : 1);
    const limit = numberOf(fieldOf(period, 'limit')) ?? Number.NaN;
    // Some say so that there is no limit.
    return limit < 0 ? Number.POSITIVE_INFINITY : ampsOf(limit, unit, count, voltage);
  });
  const next = amps.findIndex((limit) => limit !== amps[0]);
  const changesIn = next < 0 ? Number.POSITIVE_INFINITY : (numberOf(fieldOf(periods[next], 'startPeriod')) ?? 0);
  return Number.isFinite(amps[0]) ? { now: amps[0], later: amps.slice(1), changesIn } : 'cannot';
}

/** Whether it shows that what is in force ends at the safe current (A). */
export function showsEnd({ now, later }: Pick<Composite, 'now' | 'later'>, safe: number): boolean {
  return Math.abs(now - safe) > SAME_A && later.some((amps) => Math.abs(amps - safe) <= SAME_A);
}
