/** MeterValues of every common shape, in A, W, V, Wh per conductor. Pure. Source: OCPP 1.6 edition 2, 7.31 to 7.43. */

/** Values of one place of measurement; `[conductor 1, 2, 3]`, undefined where nothing was sent. */
export interface MeterSample {
  /** The station's clock, epoch ms. */
  at?: number;
  current: (number | undefined)[];
  /** Without a phase: of a single-phase station, or the sum, or each; only its power can tell. */
  totalCurrent?: number;
  power: (number | undefined)[];
  totalPower?: number;
  voltage: (number | undefined)[];
  /** Wh. */
  energyImport?: number;
  energyExport?: number;
  /** A, W that it says it offers. */
  offered?: number;
  offeredPower?: number;
  /** %. */
  soc?: number;
  /** Registers as they were sent. */
  registers: Partial<Record<'energyImport' | 'energyExport', { total?: number; phases: (number | undefined)[] }>>;
  /** It was sent on time, not as the end or the begin of a transaction, nor as an answer. */
  periodic: boolean;
  /** It was measured when it was asked for. */
  triggered?: true;
}

export interface MeterValues {
  /** At the outlet: what the charger gives to the vehicle. */
  outlet?: MeterSample;
  /** At the inlet: what the station, or the site, takes. */
  inlet?: MeterSample;
  /** Values of a site under names that some servers use, W; and of when, the station's clock, epoch ms. */
  site: SiteValues;
  siteAt?: number;
  /** What could not be used. */
  refused: string[];
}

export type SiteValues = Partial<Record<'grid' | 'pv' | 'home', number>>;

const PHASE_INDEX: Readonly<Record<string, number>> = { L1: 0, L2: 1, L3: 2 };
/** Names of OCPP-like servers for the power at the grid connection, of the sun, and of the house, W. */
const SITE_NAMES: Readonly<Record<string, keyof SiteValues>> = {
  gridpower: 'grid',
  pvpower: 'pv',
  homeload: 'home',
  poweractiveimportgrid: 'grid',
  poweractiveimportpv: 'pv',
  poweractiveimporthome: 'home',
};
/** The same as places of a power. */
const SITE_PLACES: Readonly<Record<string, keyof SiteValues>> = { Grid: 'grid', Solar: 'pv', Home: 'home' };
/** What flows at the outlet flows through the cable into the vehicle. */
const PLACES: Readonly<Record<string, 'outlet' | 'inlet'>> = {
  Outlet: 'outlet',
  Cable: 'outlet',
  EV: 'outlet',
  Inlet: 'inlet',
};
const SCALES: Readonly<Record<string, number>> = {
  mA: 0.001,
  kW: 1000,
  kWh: 1000,
  kV: 1000,
  mV: 0.001,
  MW: 1e6,
  MWh: 1e6,
};
/** Largest values that are believed, by quantity. */
const LARGEST = { current: 2000, power: 2e6, voltage: 1000, energy: 1e12, soc: 100 } as const;
type Quantity = keyof typeof LARGEST;

const QUANTITIES: Readonly<Record<string, Quantity>> = {
  'Current.Import': 'current',
  'Current.Export': 'current',
  'Current.Offered': 'current',
  'Power.Active.Import': 'power',
  'Power.Active.Export': 'power',
  'Power.Offered': 'power',
  Voltage: 'voltage',
  'Energy.Active.Import.Register': 'energy',
  'Energy.Active.Export.Register': 'energy',
  SoC: 'soc',
};
const UNITS: Readonly<Record<Quantity, readonly string[]>> = {
  current: ['A', 'mA'],
  power: ['W', 'kW', 'MW'],
  voltage: ['V', 'kV', 'mV'],
  energy: ['Wh', 'kWh', 'MWh'],
  soc: ['Percent', '%'],
};
const MOST_VALUES = 500;

/** Reads `meterValue` of a MeterValues or the `transactionData` of a StopTransaction. Later samples win. Never throws. */
export function readMeterValues(meterValue: unknown): MeterValues {
  const values: MeterValues = { site: {}, refused: [] };
  const samples = listOf(meterValue).map((v) => ({ at: timeOf(fieldOf(v, 'timestamp')), value: v }));
  samples.sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
  let left = MOST_VALUES;
  for (const { at, value } of samples) {
    // At the outlet itself counts before what is measured behind it.
    const sampled = listOf(fieldOf(value, 'sampledValue'))
      .slice(0, left)
      .sort((a, b) => rankOf(a) - rankOf(b));
    left -= sampled.length;
    const phases = phasesByOrder(sampled);
    for (const one of sampled) readSampled(one, at, values, phases?.get(one));
  }
  for (const sample of [values.outlet, values.inlet]) if (sample) sumUp(sample);
  return values;
}

/** Whether it says what flows. */
export function tellsDraw(sample: MeterSample | undefined): boolean {
  if (!sample) return false;
  const { current, totalCurrent, totalPower } = sample;
  return totalCurrent !== undefined || totalPower !== undefined || current.some((a) => a !== undefined);
}

/** What a connector gives to its vehicle, where it measures that at its inlet only; what else it says at its outlet counts. */
export function inletAsOutlet({ outlet, inlet }: MeterValues): MeterSample | undefined {
  if (!inlet || !outlet) return inlet ?? outlet;
  const { energyImport, energyExport, offered, offeredPower, soc } = outlet;
  const own = Object.entries({ energyImport, energyExport, offered, offeredPower, soc });
  return { ...inlet, ...Object.fromEntries(own.filter(([, value]) => value !== undefined)) };
}

/** Values of a site in a JSON text, at the top or one level below: `{gridPower, pvPower, homeLoad}`, W. */
export function readSiteValues(text: unknown): SiteValues {
  const site: SiteValues = {};
  let data: unknown = text;
  try {
    if (typeof text === 'string' && text.length <= 10_000) data = JSON.parse(text);
  } catch {
    return site;
  }
  const objects = [data, ...(data && typeof data === 'object' ? Object.values(data) : [])];
  for (const object of objects) {
    if (!object || typeof object !== 'object' || Array.isArray(object)) continue;
    for (const [name, value] of Object.entries(object)) {
      const id = siteName(name);
      const number = numberOf(value);
      if (id && number !== undefined && Math.abs(number) <= LARGEST.power) site[id] ??= number;
    }
  }
  return site;
}

/** Epoch ms; undefined for what is no time. */
export function timeOf(text: unknown): number | undefined {
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isFinite(time) ? time : undefined;
}

export function fieldOf(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[name] : undefined;
}

export function textOf(value: unknown, longest: number): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, longest) : undefined;
}

/** A finite number, or its decimal text. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || !/^\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*$/.test(value)) return undefined;
  return Number(value.replace(',', '.'));
}

/** Some send a value of each phase without saying of which: then it is their order. Undefined where nobody does. */
function phasesByOrder(sampled: readonly unknown[]): Map<unknown, string> | undefined {
  const nameless = new Map<string, unknown[]>();
  for (const one of sampled) {
    const measurand = fieldOf(one, 'measurand');
    if (fieldOf(one, 'phase') !== undefined || typeof measurand !== 'string') continue;
    if (!measurand.startsWith('Current.') && !measurand.startsWith('Power.Active.')) continue;
    if (measurand === 'Current.Offered') continue;
    const key = `${measurand} ${fieldOf(one, 'location')} ${fieldOf(one, 'context')}`;
    nameless.set(key, [...(nameless.get(key) ?? []), one]);
  }
  const phases = new Map<unknown, string>();
  // A fourth is the one of all.
  for (const same of nameless.values())
    if (same.length > 1) for (const [i, one] of same.slice(0, 3).entries()) phases.set(one, `L${i + 1}`);
  return phases.size > 0 ? phases : undefined;
}

function readSampled(sampled: unknown, at: number | undefined, values: MeterValues, byOrder?: string): void {
  if (fieldOf(sampled, 'format') === 'SignedData') return;
  const measurand = textOf(fieldOf(sampled, 'measurand'), 60) ?? 'Energy.Active.Import.Register';
  const raw = fieldOf(sampled, 'value');
  const known = Object.hasOwn(QUANTITIES, measurand) ? QUANTITIES[measurand] : undefined;
  const siteId = known ? sitePlace(measurand, fieldOf(sampled, 'location')) : siteName(measurand);
  const quantity = siteId ? 'power' : known;
  if (!quantity) return;
  const unit = textOf(fieldOf(sampled, 'unit'), 20) ?? UNITS[quantity][0];
  const number = numberOf(raw);
  const value = number === undefined ? undefined : round(number * (SCALES[unit] ?? 1));
  const least = quantity === 'power' || quantity === 'current' ? -LARGEST[quantity] : 0;
  if (value === undefined || !UNITS[quantity].includes(unit) || value < least || value > LARGEST[quantity]) {
    if (values.refused.length < 5) values.refused.push(`${measurand} ${JSON.stringify(raw)?.slice(0, 30)} ${unit}`);
    return;
  }
  if (siteId) {
    values.site[siteId] = value;
    values.siteAt = at ?? values.siteAt;
    return;
  }
  // What is known of the vehicle's battery is that of the vehicle at this outlet, wherever it is measured.
  const location = quantity === 'soc' ? 'Outlet' : (fieldOf(sampled, 'location') ?? 'Outlet');
  if (typeof location !== 'string' || !Object.hasOwn(PLACES, location)) return;
  const place = PLACES[location];
  values[place] ??= { current: [], power: [], voltage: [], registers: {}, periodic: true };
  const sample = values[place];
  sample.at = at ?? sample.at;
  const context = fieldOf(sampled, 'context') ?? 'Sample.Periodic';
  if (context !== 'Sample.Periodic' && context !== 'Sample.Clock' && context !== 'Trigger') sample.periodic = false;
  if (context === 'Trigger') sample.triggered = true;
  note(sample, measurand, value, fieldOf(sampled, 'phase') ?? byOrder);
}

function note(sample: MeterSample, measurand: string, value: number, phase: unknown): void {
  const name = typeof phase === 'string' ? phase : '';
  // The neutral carries what the others leave over; what is between two conductors is the outer voltage.
  if (name === 'N') return;
  const between = /^L(\d)-L\d$/.test(name);
  const index = PHASE_INDEX[name.slice(0, 2)];
  switch (measurand) {
    case 'Current.Import':
    case 'Current.Export': {
      const amps = measurand === 'Current.Export' ? -value : value;
      if (measurand === 'Current.Export' && value === 0) return;
      if (index === undefined) sample.totalCurrent = amps;
      else if (!between) sample.current[index] = amps;
      return;
    }
    case 'Power.Active.Import':
    case 'Power.Active.Export': {
      if (measurand === 'Power.Active.Export' && value === 0) return;
      const watts = measurand === 'Power.Active.Export' ? -value : value;
      if (index === undefined) sample.totalPower = watts;
      else if (!between) sample.power[index] = watts;
      return;
    }
    case 'Voltage': {
      const volts = between ? value / Math.sqrt(3) : value;
      if (index === undefined) for (const i of [0, 1, 2]) sample.voltage[i] ??= volts;
      else sample.voltage[index] = volts;
      return;
    }
    case 'Current.Offered':
      sample.offered = Math.max(value, index === undefined || index === 0 ? 0 : (sample.offered ?? 0));
      return;
    case 'Power.Offered':
      sample.offeredPower = value;
      return;
    case 'SoC':
      sample.soc = value;
      return;
    default:
      noteEnergy(sample, measurand, value, index);
  }
}

/** Registers per phase are added up when the message has all of them; one without a phase counts. */
function noteEnergy(sample: MeterSample, measurand: string, value: number, index: number | undefined): void {
  const key = measurand.includes('Export') ? 'energyExport' : 'energyImport';
  sample.registers[key] ??= { phases: [] };
  const parts = sample.registers[key];
  if (index === undefined) parts.total = value;
  else parts.phases[index] = value;
  sample[key] = parts.total ?? parts.phases.reduce<number>((sum, part) => sum + (part ?? 0), 0);
}

function sumUp(sample: MeterSample): void {
  if (sample.totalPower === undefined && sample.power.some((p) => p !== undefined)) {
    sample.totalPower = sample.power.reduce<number>((sum, p) => sum + (p ?? 0), 0);
  }
  for (const i of [0, 1, 2]) {
    const power = sample.power[i];
    const volts = sample.voltage[i];
    if (sample.current[i] === undefined && power !== undefined) sample.current[i] = round(power / (volts || 230));
  }
}

/** In which order the places of a message are read; later ones win. */
function rankOf(sampled: unknown): number {
  const location = fieldOf(sampled, 'location');
  return location === 'EV' ? 0 : location === 'Cable' ? 1 : 2;
}

function siteName(name: string): keyof SiteValues | undefined {
  const plain = name.toLowerCase().replace(/[^a-z]/g, '');
  return Object.hasOwn(SITE_NAMES, plain) ? SITE_NAMES[plain] : undefined;
}

function sitePlace(measurand: string, location: unknown): keyof SiteValues | undefined {
  if (measurand !== 'Power.Active.Import' || typeof location !== 'string') return undefined;
  return Object.hasOwn(SITE_PLACES, location) ? SITE_PLACES[location] : undefined;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
