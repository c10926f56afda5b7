/**
 * What a station says of its configuration, and the little that is written to it. A failed read is never guessed; nothing
 * is written twice, and nothing to find out whether it works (lbbrhzn/ocpp#1275). Pure; times in ms, monotonic.
 */
import type { Capabilities } from './limits/rung.ts';
import { fieldOf, numberOf, textOf } from './meter-values.ts';
import type { Quirks } from './quirks.ts';
import type { CallAnswer, StationCall } from './station-io.ts';

const KEYS = [
  'ChargeProfileMaxStackLevel',
  'ChargingScheduleAllowedChargingRateUnit',
  'ChargingScheduleMaxPeriods',
  'MaxChargingProfilesInstalled',
  'ConnectorSwitch3to1PhaseSupported',
  'NumberOfConnectors',
  'SupportedFeatureProfiles',
  'MeterValuesSampledData',
  'MeterValueSampleInterval',
] as const;

/** What control needs, and what shows that a limit is kept. */
const MEASURANDS = [
  'Energy.Active.Import.Register',
  'Power.Active.Import',
  'Current.Import',
  'Current.Offered',
  'Voltage',
] as const;

const READ_TIMEOUT_S = 20;
const WRITE_TIMEOUT_S = 30;
const AGAIN_MS = [10_000, 30_000, 60_000, 300_000] as const;

export type WriteResult = { key: string; value: string; status: string };

export class Configuration {
  readonly #interval: number;
  readonly #values = new Map<string, { value: string; readonly: boolean }>();
  #read = false;
  #attempts = 0;
  #readAt = 0;
  #pending: { call: number; kind: 'read' } | { call: number; kind: 'write'; key: string; value: string } | undefined;
  #queue: { key: string; value: string }[] = [];

  /** `interval`: s between two samples that are wanted. */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** The station has restarted, or was replaced: nothing of what it said before holds. */
  forget(now: number): void {
    this.#values.clear();
    this.#read = false;
    this.#attempts = 0;
    this.#readAt = now;
    this.#queue = [];
  }

  /** It was asked at least once, whether it answered or not. */
  get tried(): boolean {
    return this.#attempts > 0 && this.#pending?.kind !== 'read';
  }

  get isRead(): boolean {
    return this.#read;
  }

  get failures(): number {
    return this.#read ? 0 : this.#attempts;
  }

  value(key: string): string | undefined {
    return this.#values.get(key)?.value;
  }

  /** How many it has, as far as it says so. */
  get connectors(): number | undefined {
    return this.#whole('NumberOfConnectors', 100);
  }

  #whole(key: string, most: number): number | undefined {
    const number = numberOf(this.value(key));
    return number !== undefined && Number.isInteger(number) && number >= 0 ? Math.min(number, most) : undefined;
  }

  get capabilities(): Capabilities {
    if (!this.#read) return {};
    const rates = (this.value('ChargingScheduleAllowedChargingRateUnit') ?? '').toLowerCase();
    const units = [
      ...(/current|\ba\b/.test(rates) ? ['A' as const] : []),
      ...(/power|\bw\b/.test(rates) ? ['W' as const] : []),
    ];
    return {
      maxStackLevel: this.#whole('ChargeProfileMaxStackLevel', 1000),
      units: units.length ? units : undefined,
      maxPeriods: this.#whole('ChargingScheduleMaxPeriods', 1000),
    };
  }

  /** It says that it has no smart charging at all; undefined while it has said nothing. */
  get smartCharging(): boolean | undefined {
    return this.value('SupportedFeatureProfiles')?.toLowerCase().includes('smartcharging');
  }

  /** It says whether it can be asked to tell something; undefined while it has said nothing. */
  get remoteTrigger(): boolean | undefined {
    return this.value('SupportedFeatureProfiles')?.toLowerCase().includes('remotetrigger');
  }

  switchesPhases(quirks: Quirks): boolean {
    const keys = ['ConnectorSwitch3to1PhaseSupported', quirks.phaseSwitchKey ?? ''];
    return keys.some((key) => /^(true|1)$/i.test(this.value(key) ?? ''));
  }

  /** s between two samples, as far as it says so. */
  get sampleInterval(): number {
    const seconds = numberOf(this.value('MeterValueSampleInterval'));
    return seconds !== undefined && seconds > 0 ? Math.min(seconds, 3600) : this.#interval;
  }

  step(quirks: Quirks, call: () => number, now: number): StationCall[] {
    if (this.#pending) return [];
    if (!this.#read) {
      if (now < this.#readAt) return [];
      const id = call();
      this.#pending = { call: id, kind: 'read' };
      // One that cannot cope with a list of keys may tell them all.
      const extra = [quirks.measurandsKey, quirks.idTagKey, quirks.phaseSwitchKey].filter((key) => key !== undefined);
      const payload = this.#attempts % 2 === 0 ? { key: [...KEYS, ...extra] } : {};
      return [ordinary(id, 'GetConfiguration', payload, READ_TIMEOUT_S)];
    }
    const next = this.#queue.shift();
    if (!next) return [];
    const id = call();
    this.#pending = { call: id, kind: 'write', ...next };
    return [ordinary(id, 'ChangeConfiguration', next, WRITE_TIMEOUT_S)];
  }

  /** The answer to one of its calls. `written`: what was ever written to this firmware. */
  answered(
    id: number,
    answer: CallAnswer,
    quirks: Quirks,
    written: Readonly<Record<string, string>>,
    now: number,
  ): WriteResult | 'read' | 'unread' | undefined {
    const pending = this.#pending;
    if (pending?.call !== id) return undefined;
    this.#pending = undefined;
    if (pending.kind === 'write') {
      const result = writeResult(pending, answer);
      if (result.status === 'Accepted') this.#values.set(pending.key, { value: pending.value, readonly: false });
      return result;
    }
    const keys = answer.ok ? fieldOf(answer.payload, 'configurationKey') : undefined;
    this.#attempts += 1;
    if (!Array.isArray(keys)) {
      this.#readAt = now + AGAIN_MS[Math.min(this.#attempts - 1, AGAIN_MS.length - 1)];
      return 'unread';
    }
    for (const item of keys.slice(0, 500)) {
      const key = textOf(fieldOf(item, 'key'), 50);
      const value = textOf(fieldOf(item, 'value'), 500);
      if (key && value !== undefined) this.#values.set(key, { value, readonly: fieldOf(item, 'readonly') === true });
    }
    this.#read = true;
    this.#queue = this.#wishes(quirks).filter(({ key, value }) => written[key] !== value);
    return 'read';
  }

  /** What differs from what is wanted, and may be written. */
  #wishes(quirks: Quirks): { key: string; value: string }[] {
    const wishes = [
      { key: 'MeterValuesSampledData', value: this.#measurands(quirks) },
      { key: 'MeterValueSampleInterval', value: String(this.#interval) },
    ];
    return wishes.flatMap(({ key, value }) => {
      const now = this.#values.get(key);
      if (value === undefined || !now || now.readonly || now.value === value) return [];
      return [{ key, value }];
    });
  }

  /** The list with what is missing added; undefined when nothing is. */
  #measurands(quirks: Quirks): string | undefined {
    const now = listOf(this.value('MeterValuesSampledData') ?? '');
    const supported = quirks.measurandsKey ? listOf(this.value(quirks.measurandsKey) ?? '') : [];
    const wanted = MEASURANDS.filter(
      (m) => !quirks.excludedMeasurands?.includes(m) && (supported.length === 0 || supported.includes(m)),
    );
    if (wanted.every((m) => now.includes(m))) return undefined;
    const kept = now.filter((m) => !quirks.excludedMeasurands?.includes(m) && !wanted.some((w) => w === m));
    return [...wanted, ...kept].join(',').slice(0, 500);
  }
}

function writeResult({ key, value }: { key: string; value: string }, answer: CallAnswer): WriteResult {
  if (answer.ok) return { key, value, status: textOf(fieldOf(answer.payload, 'status'), 40) ?? 'unknown' };
  return { key, value, status: answer.error === 'refused' ? answer.code.slice(0, 40) : answer.error };
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function ordinary(id: number, action: string, payload: object, timeout: number): StationCall {
  return { type: 'call', id, action, payload, lane: 'ordinary', timeout };
}
