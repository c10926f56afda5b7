/** What comes in: each function books one message at `now` (ms, monotonic). */
import { type ChargerInput, type ChargerRequest, recordReport } from './charger-track.ts';
import type { Controller, LimitInput } from './controller.ts';
import { type MeterInput, recordMeter } from './meter-track.ts';
import type { Price } from './policies.ts';
import { checkMeters } from './watch.ts';

/** Books a meter's message for every circuit that it measures. Returns whether any circuit has this meter. */
export function onMeter(controller: Controller, id: string, input: MeterInput, now: number): boolean {
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
  const track = controller.chargers.get(id);
  if (track) {
    if (recordReport(track, input, now)) checkMeters(controller, track, now);
  }
  return track !== undefined;
}

/** Books a request for one charger or for `all`, clamped to what is configured. Returns whether anybody was meant. */
export function onRequest(controller: Controller, id: string, request: ChargerRequest): boolean {
  const tracks =
    id === 'all' ? [...controller.chargers.values()] : [controller.chargers.get(id)].filter((t) => t !== undefined);
  for (const track of tracks) {
    if (request.enabled !== undefined) track.request.enabled = request.enabled;
    if (request.priority !== undefined) track.request.priority = request.priority;
    if (request.maxCurrent !== undefined) track.request.maxCurrent = Math.min(request.maxCurrent, track.config.max);
    for (const key of ['energy', 'departure', 'soc'] as const)
      if (request[key] !== undefined) track.request[key] = request[key];
  }
  return tracks.length > 0;
}

/** Books a limit of one source on a circuit. Returns whether the circuit is known. */
export function onLimit(controller: Controller, id: string, source: string, input: LimitInput, now: number): boolean {
  const circuit = controller.circuits.get(id);
  circuit?.limits.set(source, { ...input, source, expiresAt: now + input.validFor * 1000 });
  return circuit !== undefined;
}

/** Books the prices of energy, all that are known (ms on the controller's clock): they replace the ones from before. */
export function onPrices(controller: Controller, prices: readonly Price[], now: number): void {
  controller.prices = prices.filter((p) => p.end > now).toSorted((a, b) => a.start - b.start);
  // The policy is asked again at once.
  controller.places = undefined;
}
