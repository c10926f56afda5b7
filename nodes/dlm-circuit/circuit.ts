import { protectiveDevice } from '../../core/protection.ts';
import type { CircuitConfig } from '../../core/site.ts';
import {
  booleanField,
  ConfigError,
  choiceField,
  curveField,
  idField,
  numberField,
  optionalNumberField,
  phasesField,
} from '../fields.ts';

/** The fields of the dlm-circuit form, as the editor saved them. */
export interface CircuitFields {
  name?: string;
  circuitId?: unknown;
  rating?: unknown;
  phases?: unknown;
  device?: unknown;
  curve?: unknown;
  derating?: unknown;
  marginMode?: unknown;
  margin?: unknown;
  jumpMode?: unknown;
  jump?: unknown;
  maxUnbalance?: unknown;
  meter?: unknown;
  meterIncludesChargers?: unknown;
  generation?: unknown;
  exportIsRoom?: unknown;
  fallbackLoad?: unknown;
}

/** Largest rating of a circuit, A. */
const MAX_RATING = 2000;

/** Reads the form; `parent` is the id of the circuit that feeds this one. @throws ConfigError */
export function readCircuit(fields: CircuitFields, parent?: string): CircuitConfig {
  const rating = numberField('rating', fields.rating, { min: 1, max: MAX_RATING, unit: 'A' });
  const circuit: CircuitConfig = {
    id: idField('circuitId', fields.circuitId),
    ...(parent === undefined ? {} : { parent }),
    rating,
    phases: phasesField('phases', fields.phases),
    ...deviceFields(fields, rating),
    derating: numberField('derating', fields.derating, { min: 0.1, max: 1, fallback: 1 }),
    margin: marginField(fields, rating),
    jump: jumpField(fields),
    meterIncludesChargers: booleanField('meterIncludesChargers', fields.meterIncludesChargers, true),
    generation: booleanField('generation', fields.generation, false),
    exportIsRoom: booleanField('exportIsRoom', fields.exportIsRoom, false),
    fallbackLoad: numberField('fallbackLoad', fields.fallbackLoad, { min: 0, max: rating, fallback: 0, unit: 'A' }),
  };
  const maxUnbalance = optionalNumberField('maxUnbalance', fields.maxUnbalance, { min: 1, max: MAX_RATING, unit: 'A' });
  const name = String(fields.name ?? '')
    .trim()
    .slice(0, 60);
  if (name !== '') circuit.name = name;
  if (maxUnbalance !== undefined) circuit.maxUnbalance = maxUnbalance;
  if (String(fields.meter ?? '').trim() !== '') circuit.meter = idField('meter', fields.meter);
  if (circuit.exportIsRoom && !circuit.generation) {
    throw new ConfigError('exportIsRoom', true, 'off, where there is no generation behind this circuit');
  }
  return circuit;
}

function deviceFields(fields: CircuitFields, rating: number): Pick<CircuitConfig, 'device' | 'curve'> {
  const device = choiceField('device', fields.device, ['gG', 'B', 'C', 'D', 'table']);
  if (device !== 'table') return { device };
  const curve = curveField('curve', fields.curve);
  try {
    protectiveDevice({ rating, device, curve });
  } catch {
    throw new ConfigError('curve', fields.curve, 'at least one point above the rating, such as "1.45 3600"');
  }
  return { device, curve };
}

function marginField(fields: CircuitFields, rating: number): number | 'auto' {
  const mode = choiceField('marginMode', fields.marginMode, ['auto', 'fixed']);
  return mode === 'auto' ? 'auto' : numberField('margin', fields.margin, { min: 0, max: rating, unit: 'A' });
}

function jumpField(fields: CircuitFields): number | 'learned' {
  const mode = choiceField('jumpMode', fields.jumpMode, ['learned', 'configured']);
  return mode === 'learned' ? 'learned' : numberField('jump', fields.jump, { min: 0, max: MAX_RATING, unit: 'A' });
}
