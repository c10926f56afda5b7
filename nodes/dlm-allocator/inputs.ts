/** Of messages, what the controller takes: it remembers all of it, and a recording that is given away names no user. */
import type { ChargerInput, RequestInput } from '../../core/index.ts';
import type { ChargerMessage, RequestMessage } from '../../messages/index.ts';

const CHARGER = [
  'online',
  'state',
  'current',
  'offer',
  'phases',
  'phasesConfigured',
  'stoppedBy',
  'age',
  'energy',
  'soc',
] as const satisfies (keyof ChargerInput)[];

const REQUEST = [
  'enabled',
  'priority',
  'maxCurrent',
  'energy',
  'departure',
  'soc',
] as const satisfies (keyof RequestInput)[];

export function chargerInput(message: ChargerMessage): ChargerInput {
  return pick(message, CHARGER);
}

export function requestInput(message: RequestMessage): RequestInput {
  return pick(message, REQUEST);
}

/** The fields that are there. */
function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(from, key) ? [[key, from[key]]] : []))) as Pick<T, K>;
}
