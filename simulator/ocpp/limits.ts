/** What limits a connector of a simulated station at a moment, and what GetCompositeSchedule tells of it. */
import type { Connector } from './connector.ts';
import type { StationInside } from './inside.ts';
import { LEAST_A } from './pilot.ts';
import type { Limit } from './profiles.ts';

/** The lower of two limits. */
export function lower(a: Limit, b: Limit): Limit {
  return { amps: Math.min(a.amps, b.amps), conductors: Math.min(a.conductors, b.conductors) };
}

/**
 * The lower of the connector's own limit and its part of ChargePointMaxProfile, which is for all connectors together: who charges shares
 * it, as many as get their minimum.
 * @param at epoch ms of the station's clock
 */
export function limitOf({ profiles, connectors }: StationInside, connector: Connector, at: number): Limit {
  const own = profiles.transactionLimit(connector.number, at, connector.transaction?.startedAt, connector.wiring);
  const all = profiles.stationLimit(at, connector.wiring);
  if (all.amps === Number.POSITIVE_INFINITY) return own;
  const charging = connectors.filter((c) => c.charging || c === connector);
  const admitted = Math.max(1, Math.min(charging.length, Math.floor(all.amps / LEAST_A)));
  const share = charging.indexOf(connector) < admitted ? all.amps / admitted : 0;
  return lower(own, { ...all, amps: share });
}

/** Of a connector, or of the whole station (0); never above what it can offer. */
export function compositeOf(inside: StationInside, id: number, at: number): Limit {
  const { connectors, profiles, behaviour } = inside;
  const cap = (c: Connector) => lower(limitOf(inside, c, at), { amps: c.maximum, conductors: c.conductors.length });
  if (id > 0) {
    const connector = connectors[id - 1];
    const honest = behaviour.ignoresLimits && !behaviour.offeredLies;
    return honest ? { ...cap(connector), amps: connector.maximum } : cap(connector);
  }
  const each = connectors.map(cap);
  const conductors = Math.max(...each.map((limit) => limit.conductors));
  const all = profiles.stationLimit(at, { conductors, switchesPhases: false });
  return lower({ amps: each.reduce((sum, limit) => sum + limit.amps, 0), conductors }, all);
}
