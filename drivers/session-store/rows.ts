/** Rows of the store and the sessions that they are. */
import {
  dayOf,
  END_CAUSES,
  type EndCause,
  type OpenSession,
  type Progress,
  type Session,
} from '../../core/sessions.ts';

export interface Row {
  id: string;
  charger: string;
  user: string | null;
  start: number;
  start_offset: number;
  day: string;
  end: number | null;
  end_offset: number | null;
  energy: number;
  charging_ms: number;
  peak_power: number;
  cost: number;
  priced_energy: number;
  currency: string | null;
  ended_by: string | null;
  counter: number;
  register: number | null;
  progress: string | null;
}

/** The day of a session is that of its start on site. */
export function rowOf(session: Session | OpenSession): Row {
  return {
    id: session.id,
    charger: session.charger,
    user: session.user ?? null,
    start: session.start,
    start_offset: session.startOffset,
    day: dayOf(session.start, session.startOffset),
    end: session.end ?? null,
    end_offset: session.endOffset ?? null,
    energy: session.energy,
    charging_ms: Math.round(session.chargingMs),
    peak_power: session.peakPower,
    cost: session.cost,
    priced_energy: session.pricedEnergy,
    currency: session.currency ?? null,
    ended_by: session.endedBy ?? null,
    counter: session.counter,
    register: session.register ?? null,
    progress: 'progress' in session ? JSON.stringify(session.progress) : null,
  };
}

export function sessionOf(row: Row): Session {
  return {
    id: row.id,
    charger: row.charger,
    ...(row.user === null ? {} : { user: row.user }),
    start: row.start,
    startOffset: row.start_offset,
    ...(row.end === null ? {} : { end: row.end, endOffset: row.end_offset ?? 0 }),
    energy: row.energy,
    chargingMs: row.charging_ms,
    peakPower: row.peak_power,
    cost: row.cost,
    pricedEnergy: row.priced_energy,
    ...(row.currency === null ? {} : { currency: row.currency }),
    ...(isCause(row.ended_by) ? { endedBy: row.ended_by } : {}),
    counter: row.counter,
    ...(row.register === null ? {} : { register: row.register }),
  };
}

/** A session that goes on; where its progress cannot be read, as much of it as the other columns tell. */
export function openSessionOf(row: Row): OpenSession {
  const session = sessionOf(row);
  const known: Progress = {
    heardAt: row.start + row.charging_ms,
    power: 0,
    counted: row.energy,
    moved: row.energy > 0,
    integrated: row.energy,
  };
  return { ...session, progress: readProgress(row.progress) ?? known, resumed: true };
}

const NUMBERS = ['heardAt', 'power', 'counted', 'integrated'] as const;

function readProgress(text: string | null): Progress | undefined {
  let value: Partial<Record<keyof Progress, unknown>> | null;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
  if (value === null || typeof value !== 'object') return undefined;
  if (!NUMBERS.every((key) => Number.isFinite(value[key])) || typeof value.moved !== 'boolean') return undefined;
  const { registerStart, transaction, cause, empty } = value;
  return {
    ...(value as Progress),
    registerStart: typeof registerStart === 'number' ? registerStart : undefined,
    transaction: typeof transaction === 'string' ? transaction : undefined,
    cause: isCause(cause) ? cause : undefined,
    empty: readEmpty(empty),
  };
}

function readEmpty(value: unknown): Progress['empty'] {
  const { at, register } = (value ?? {}) as { at?: unknown; register?: unknown };
  return typeof at === 'number' && typeof register === 'number' ? { at, register } : undefined;
}

function isCause(value: unknown): value is EndCause {
  return END_CAUSES.some((cause) => cause === value);
}
