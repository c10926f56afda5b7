/** What the flow says of the devices of a site: for the protocol, and to notice when one is set otherwise. */
import type { NodeAPI } from 'node-red';
import { numberField } from '../fields.ts';

export interface Device {
  item: 'meter' | 'charger';
  id: string;
  name: string;
  /** Type of its node, and the device itself as far as it is named. */
  device: string;
}

/** Fields of a node in the flow, as far as a meter, a charger or an allocator has them. */
type Fields = Partial<Record<string, unknown>>;

const TEXT = 100;
const text = (value: unknown) => String(value ?? '').slice(0, TEXT);

/** Every node of the flow, as it was deployed. */
function nodesOf(RED: NodeAPI): Fields[] {
  const all: Fields[] = [];
  RED.nodes.eachNode((def) => {
    all.push(def as unknown as Fields);
  });
  return all;
}

/** A field's value, the environment filled in as Node-RED does it. */
function filled(value: unknown): string {
  return text(value).replace(/\$\{([^}]+)\}/g, (_, name: string) => text(process.env[name]));
}

/** The nodes of these meters and chargers, in their order. A device that is not in this flow has none. */
export function devicesOf(RED: NodeAPI, meters: readonly string[], chargers: readonly string[]): Device[] {
  const nodes = nodesOf(RED);
  const find = (item: Device['item'], key: 'meterId' | 'chargerId') => (id: string) => {
    const found = nodes.find((n) => n[key] === id);
    const device = found
      ? [text(found.type), filled(found.serial ?? found.deviceId) || filled(found.host)].filter(Boolean).join(' ')
      : '';
    return { item, id, name: text(found?.name), device };
  };
  return [...meters.map(find('meter', 'meterId')), ...chargers.map(find('charger', 'chargerId'))];
}

/** Which device each meter and charger is, by its own name: an address is none. */
export function identitiesOf(RED: NodeAPI): Record<string, string> {
  const all = nodesOf(RED).flatMap(({ meterId, chargerId, serial, deviceId }): [string, string][] => {
    const key = typeof meterId === 'string' ? `meter ${meterId}` : `charger ${chargerId}`;
    return meterId === undefined && chargerId === undefined ? [] : [[key, filled(serial ?? deviceId)]];
  });
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** By meter, its setting "Channels 1, 2, 3 on", where it has one. */
export function channelsOf(RED: NodeAPI): Record<string, string> {
  const known = nodesOf(RED).filter((n) => typeof n.meterId === 'string' && typeof n.phaseOrder === 'string');
  return Object.fromEntries(known.map((n) => [n.meterId as string, filled(n.phaseOrder)]));
}

/** How long a vehicle may lag, s, as the allocator of this site is told. */
export function vehicleLagOf(RED: NodeAPI, site: string): number {
  const allocator = nodesOf(RED).find((n) => n.type === 'dlm-allocator' && n.site === site);
  const range = { min: 1, max: 60, fallback: 6, unit: 's' };
  try {
    return numberField('vehicleLagSeconds', filled(allocator?.vehicleLagSeconds), range);
  } catch {
    // The allocator itself says what is wrong with it.
    return range.fallback;
  }
}
