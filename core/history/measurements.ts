/**
 * Messages as measurements. Names and units are a promise to whoever queries the database: docs/history.md lists them,
 * and new ones may only be added.
 */
import { PHASES } from '../units.ts';
import type { FieldValue, Sample } from './point.ts';

type Maybe = number | null | undefined;
type MaybePerPhase = readonly [Maybe, Maybe, Maybe] | null | undefined;

interface MeterPayload {
  at: number;
  current?: MaybePerPhase;
  power?: MaybePerPhase;
  totalPower?: number;
  voltage?: MaybePerPhase;
  energyImport?: number;
  energyExport?: number;
}
interface ChargerPayload {
  at: number;
  online: boolean;
  state: string;
  current: MaybePerPhase;
  power: number;
  energy: number;
  register?: number;
  offer: number;
  phases?: readonly string[];
  soc?: number;
  fault?: string;
  stoppedBy?: string;
}
interface LimitPayload {
  at: number;
  source: string;
  current?: MaybePerPhase;
  power?: number;
  budgetUsed?: number;
  paused?: boolean;
  absorbs?: { current: number; seconds: number | null };
}
interface AllocationPayload {
  at: number;
  circuits: readonly {
    id: string;
    load: MaybePerPhase;
    measured: MaybePerPhase;
    limit: MaybePerPhase;
    headroom: MaybePerPhase;
    rating?: number;
  }[];
  chargers: readonly {
    id: string;
    wish: number;
    setpoint: number;
    state: string;
    binding: string;
    reason: { code: string };
    min?: number;
    max?: number;
    request?: { mode?: string; enabled?: boolean; priority?: number; maxCurrent?: number };
    energyToday?: number;
  }[];
}
interface AlertPayload {
  at: number;
  severity: string;
  code: string;
  text: string;
  active: boolean;
}
interface SessionPayload {
  at: number;
  id: string;
  user?: string;
  start: number;
  end?: number;
  energy: number;
  averagePower: number;
  peakPower: number;
  cost?: number;
  currency?: string;
  endedBy?: string;
  active: boolean;
}

/** What is kept of the palette's messages; other kinds leave no trace. */
export type HistoryMessage =
  | { kind: 'meter'; id: string; payload: MeterPayload }
  | { kind: 'charger'; id: string; payload: ChargerPayload }
  | { kind: 'limit'; id: string; payload: LimitPayload }
  | { kind: 'allocation'; payload: AllocationPayload }
  | { kind: 'alert'; id: string; payload: AlertPayload }
  | { kind: 'session'; id: string; payload: SessionPayload };

/** Since when each charger waits, epoch ms: by the allocator's last picture. */
export type Waiting = Map<string, number>;

/** The samples of one message, without the site's tag. Fields that the message does not have are left out. */
export function samplesOf(message: HistoryMessage, waiting: Waiting): Sample[] {
  switch (message.kind) {
    case 'meter':
      return [meterSample(message.id, message.payload)];
    case 'charger':
      return [chargerSample(message.id, message.payload)];
    case 'limit':
      return [limitSample(message.id, message.payload)];
    case 'allocation':
      return allocationSamples(message.payload, waiting);
    case 'alert':
      return [alertSample(message.id, message.payload)];
    case 'session':
      return [sessionSample(message.id, message.payload)];
  }
}

function meterSample(meter: string, p: MeterPayload): Sample {
  const fields = present({
    ...phases('current', p.current, 'a'),
    ...phases('power', p.power, 'w'),
    total_power_w: p.totalPower,
    ...phases('voltage', p.voltage, 'v'),
    energy_import_wh: p.energyImport,
    energy_export_wh: p.energyExport,
  });
  return { measurement: 'meters', tags: { meter }, fields, at: p.at };
}

function chargerSample(charger: string, p: ChargerPayload): Sample {
  const state = {
    online: p.online,
    // What one that is not heard says is what it said before.
    state: p.online ? p.state : 'offline',
    // Told as "none" too, so that the end is seen.
    fault: p.fault || 'none',
    stopped_by: p.stoppedBy ?? 'nobody',
  };
  // So are its figures, and 0 is none: what shows them ends where there are no more.
  if (!p.online) return { measurement: 'chargers', tags: { charger }, fields: state, at: p.at };
  const fields = present({
    ...state,
    ...phases('current', p.current, 'a'),
    power_w: p.power,
    energy_wh: p.energy,
    register_wh: p.register,
    offer_a: p.offer,
    phases: p.phases?.length,
    soc_percent: p.soc,
  });
  return { measurement: 'chargers', tags: { charger }, fields, at: p.at };
}

function limitSample(circuit: string, p: LimitPayload): Sample {
  const fields = present({
    ...phases('current', p.current, 'a'),
    power_w: p.power,
    budget_used_percent: p.budgetUsed === undefined ? undefined : p.budgetUsed * 100,
    paused: p.paused,
    absorbs_a: p.absorbs?.current,
    absorbs_s: p.absorbs?.seconds,
  });
  return { measurement: 'limits', tags: { circuit, source: p.source }, fields, at: p.at };
}

function allocationSamples({ at, circuits, chargers }: AllocationPayload, waiting: Waiting): Sample[] {
  const before = new Map(waiting);
  waiting.clear();
  for (const c of chargers) if (isWaiting(c)) waiting.set(c.id, before.get(c.id) ?? at);
  const ofCircuits = circuits.map((c) => ({
    measurement: 'circuits',
    tags: { circuit: c.id },
    fields: present({
      ...phases('load', c.load, 'a'),
      ...phases('measured', c.measured, 'a'),
      ...phases('limit', c.limit, 'a'),
      ...phases('headroom', c.headroom, 'a'),
      rating_a: c.rating,
    }),
    at,
  }));
  const ofChargers = chargers.map((c) => ({
    measurement: 'allocations',
    tags: { charger: c.id },
    fields: present({
      wish_a: c.wish,
      setpoint_a: c.setpoint,
      min_a: c.min,
      max_a: c.max,
      state: c.state,
      binding: c.binding,
      reason: c.reason.code,
      waiting_s: Math.max(0, at - (waiting.get(c.id) ?? at)) / 1000,
      mode: c.request?.mode,
      enabled: c.request?.enabled,
      priority: c.request?.priority,
      max_current_a: c.request?.maxCurrent,
      energy_today_wh: c.energyToday,
    }),
    at,
  }));
  return [...ofCircuits, ...ofChargers];
}

/** A vehicle is there and would charge, and gets nothing. */
function isWaiting({ state, wish, setpoint }: AllocationPayload['chargers'][number]): boolean {
  return 'BCD'.includes(state) && wish > 0 && setpoint === 0;
}

function alertSample(source: string, p: AlertPayload): Sample {
  const { at, code, severity, text, active } = p;
  return { measurement: 'alerts', tags: { source, code }, fields: { severity, text, active }, at };
}

/** One point per session at its start: each report replaces the one before. */
function sessionSample(charger: string, p: SessionPayload): Sample {
  const end = p.end ?? p.at;
  const fields = present({
    id: p.id,
    user: p.user,
    duration_s: Math.max(0, end - p.start) / 1000,
    energy_wh: p.energy,
    average_power_w: p.averagePower,
    peak_power_w: p.peakPower,
    cost: p.cost,
    currency: p.currency,
    ended_by: p.endedBy,
    active: p.active,
  });
  return { measurement: 'sessions', tags: { charger }, fields, at: p.start, replaces: true };
}

/** `current_l1_a` … from a per-phase value. */
function phases(name: string, values: MaybePerPhase, unit: string): Record<string, Maybe> {
  return Object.fromEntries(PHASES.map((phase, i) => [`${name}_${phase.toLowerCase()}_${unit}`, values?.[i]]));
}

/** Without what is not there; a number that is none would have the whole batch refused. */
function present(fields: Record<string, FieldValue | null | undefined>): Record<string, FieldValue> {
  const known = Object.entries(fields).filter(
    (field): field is [string, FieldValue] =>
      field[1] !== undefined && field[1] !== null && (typeof field[1] !== 'number' || Number.isFinite(field[1])),
  );
  return Object.fromEntries(known);
}
