/**
 * What comes in: each function books one message at `now` (ms, monotonic). A number that is none, or not finite, throws a
 * RangeError before anything is changed (S8).
 */

import { type ChargerInput, type ChargerRequest, recordReport } from './charger-track.ts';
import { checkNumber, checkOptional } from './checked.ts';
import type { Controller, LimitInput } from './controller.ts';
import { type MeterInput, recordMeter } from './meter-track.ts';
import type { Price } from './policies.ts';
import { checkMeters } from './watch.ts';

/** Books a meter's message for every circuit that it measures. Returns whether any circuit has this meter. */
export function onMeter(controller: Controller, id: string, input: MeterInput, now: number): boolean {
  for (const [p, value] of input.current.entries()) {
    if (value !== null) checkNumber(`meter ${id}.current.${p}`, value);
    checkOptional(`meter ${id}.age.${p}`, input.age?.[p], 0);
  }
  let known = false;
  for (const circuit of controller.circuits.values()) {
    if (!circuit.meter || circuit.config.meter !== id) continue;
    recordMeter(circuit.meter, input, circuit.config.generation === true, now);
    known = true;
  }
  return known;
}

/** Books a charger's report. Returns whether the charger is known. */
export function onCharger(controller: Controller, id: string, input: ChargerInput, now: number): boolean {
  for (const [p, value] of input.current.entries()) checkNumber(`charger ${id}.current.${p}`, value);
  checkNumber(`charger ${id}.offer`, input.offer, 0);
  checkOptional(`charger ${id}.age`, input.age, 0);
  checkOptional(`charger ${id}.energy`, input.energy);
  checkOptional(`charger ${id}.soc`, input.soc, 0, 100);
  const track = controller.chargers.get(id);
  if (track) {
    if (recordReport(track, input, now)) checkMeters(controller, track, now);
  }
  return track !== undefined;
}

/** Wishes that can be taken back. */
const WISHES = ['priority', 'maxCurrent', 'energy', 'departure', 'soc'] as const;
/** What is asked of a charger; null takes a wish back. */
export type RequestInput = Pick<ChargerRequest, 'enabled'> & Partial<Record<(typeof WISHES)[number], number | null>>;

/** Books a request for one charger or for `all`, clamped to what is configured. Returns whether anybody was meant. */
export function onRequest(controller: Controller, id: string, request: RequestInput): boolean {
  for (const key of ['maxCurrent', 'energy'] as const)
    checkOptional(`request ${id}.${key}`, request[key] ?? undefined, 0);
  for (const key of ['priority', 'departure'] as const)
    checkOptional(`request ${id}.${key}`, request[key] ?? undefined);
  checkOptional(`request ${id}.soc`, request.soc ?? undefined, 0, 100);
  const tracks =
    id === 'all' ? [...controller.chargers.values()] : [controller.chargers.get(id)].filter((t) => t !== undefined);
  for (const track of tracks) {
    if (request.enabled !== undefined) track.request.enabled = request.enabled;
    for (const key of WISHES) {
      const value = request[key];
      if (value === null) delete track.request[key];
      else if (value !== undefined)
        track.request[key] = key === 'maxCurrent' ? Math.min(value, track.config.max) : value;
    }
  }
  return tracks.length > 0;
}

/** Books a limit of one source on a circuit. Returns whether the circuit is known. */
export function onLimit(controller: Controller, id: string, source: string, input: LimitInput, now: number): boolean {
  for (const [p, value] of (input.current ?? []).entries()) checkNumber(`limit ${id}.current.${p}`, value, 0);
  checkOptional(`limit ${id}.power`, input.power, 0);
  checkNumber(`limit ${id}.validFor`, input.validFor, 0);
  const circuit = controller.circuits.get(id);
  circuit?.limits.set(source, { ...input, source, expiresAt: now + input.validFor * 1000 });
  return circuit !== undefined;
}

/** Books the prices of energy, all that are known (ms on the controller's clock): they replace the ones from before. */
export function onPrices(controller: Controller, prices: readonly Price[], now: number): void {
  for (const [i, price] of prices.entries())
    for (const key of ['start', 'end', 'price'] as const) checkNumber(`prices.${i}.${key}`, price[key]);
  const ahead = (list: readonly Price[]) => list.filter((p) => p.end > now).toSorted((a, b) => a.start - b.start);
  const before = ahead(controller.prices);
  controller.prices = ahead(prices);
  // The policy is asked again at once, but for a source that repeats itself.
  if (JSON.stringify(before) !== JSON.stringify(controller.prices)) controller.places = undefined;
}
