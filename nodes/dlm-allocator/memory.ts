/**
 * What an allocator keeps over restarts: what people asked for, the limits in force, prices, and how large the house's jumps
 * are. All times in it are by the calendar: they pass also while nobody runs.
 */
import { z } from 'zod';
import {
  type ChargerRequest,
  type Controller,
  type DayEnergy,
  onPrices,
  type Price,
  type RequestInput,
} from '../../core/index.ts';

const requestSchema = z.object({
  enabled: z.boolean().optional(),
  maxCurrent: z.number().optional(),
  priority: z.number().optional(),
  energy: z.number().optional(),
  /** Epoch ms. */
  departure: z.number().optional(),
  soc: z.number().optional(),
});
const limitSchema = z.object({
  source: z.string(),
  current: z.tuple([z.number(), z.number(), z.number()]).optional(),
  power: z.number().optional(),
  /** Epoch ms. */
  expiresAt: z.number(),
  onExpiry: z.enum(['release', 'fallback']),
  keepMinimum: z.boolean().optional(),
});
const memorySchema = z.object({
  requests: z.record(z.string(), requestSchema),
  limits: z.record(z.string(), z.array(limitSchema)).default({}),
  /** Epoch ms. */
  prices: z.array(z.object({ start: z.number(), end: z.number(), price: z.number() })).default([]),
  jumps: z.record(z.string(), z.object({ largest: z.number(), observed: z.number() })),
  energies: z
    .record(
      z.string(),
      z.object({
        day: z.string(),
        energy: z.number(),
        register: z.number().optional(),
        session: z.number().optional(),
      }),
    )
    .default({}),
});

export interface Memory {
  requests: Map<string, z.infer<typeof requestSchema>>;
  limits: Map<string, z.infer<typeof limitSchema>[]>;
  prices: Price[];
  jumps: Map<string, { largest: number; observed: number }>;
  /** By charger; always the present state, as it is no part of the controller. */
  energies: Map<string, DayEnergy>;
}

/** From the file; anything that does not fit counts as nothing remembered. */
export function readMemory(value: unknown): Memory {
  const { data } = memorySchema.safeParse(value);
  return {
    requests: new Map(Object.entries(data?.requests ?? {})),
    limits: new Map(Object.entries(data?.limits ?? {})),
    prices: data?.prices ?? [],
    jumps: new Map(Object.entries(data?.jumps ?? {})),
    energies: new Map(Object.entries(data?.energies ?? {})),
  };
}

/** `now` on the monotonic clock of the controller, `epoch` on the calendar's; both ms. */
export interface Clocks {
  now: number;
  epoch: number;
}

/** A request with its departure on the controller's clock instead of the calendar's. */
export function byController<T extends RequestInput>(request: T, { now, epoch }: Clocks): T {
  const { departure } = request;
  return typeof departure === 'number' ? { ...request, departure: now + departure - epoch } : { ...request };
}

/** A request with its departure by the calendar again, epoch ms. */
export function byCalendar(request: ChargerRequest, { now, epoch }: Clocks): ChargerRequest {
  const { departure } = request;
  return departure === undefined ? { ...request } : { ...request, departure: Math.round(epoch + departure - now) };
}

/** Prices on another clock, that many ms ahead. */
export function shifted(prices: readonly Price[], by: number): Price[] {
  return prices.map((p) => ({ ...p, start: p.start + by, end: p.end + by }));
}

/** Gives a controller what is remembered of its circuits and chargers; each entry once. */
export function recall(controller: Controller, memory: Memory, clocks: Clocks): void {
  const { now, epoch } = clocks;
  for (const [id, track] of controller.chargers) {
    const request = memory.requests.get(id);
    if (request && memory.requests.delete(id)) track.request = byController(request, clocks);
  }
  if (memory.prices.length > 0) onPrices(controller, shifted(memory.prices, now - epoch), now);
  memory.prices = [];
  for (const [id, circuit] of controller.circuits) {
    const jump = memory.jumps.get(id);
    if (jump && memory.jumps.delete(id)) circuit.jump = { ...jump };
    for (const limit of memory.limits.get(id) ?? []) {
      const expiresAt = now + limit.expiresAt - epoch;
      circuit.limits.set(limit.source, { ...limit, expiresAt, validFor: Math.max(0, (expiresAt - now) / 1000) });
    }
    memory.limits.delete(id);
  }
}

/** Takes over everything that a controller knows, so that a node that is deployed anew finds it again. */
export function retain(controller: Controller, memory: Memory, clocks: Clocks): void {
  const { now, epoch } = clocks;
  for (const [id, track] of controller.chargers) memory.requests.set(id, byCalendar(track.request, clocks));
  memory.prices = shifted(controller.prices, epoch - now).map((p) => ({
    ...p,
    start: Math.round(p.start),
    end: Math.round(p.end),
  }));
  for (const [id, circuit] of controller.circuits) {
    memory.jumps.set(id, { ...circuit.jump });
    memory.limits.set(
      id,
      [...circuit.limits.values()].map((limit) => ({ ...limit, expiresAt: epoch + limit.expiresAt - now })),
    );
  }
}

/** What to write; what was remembered of nodes that are not there now stays. */
export function writeMemory(controller: Controller, memory: Memory, clocks: Clocks): unknown {
  const all: Memory = {
    requests: new Map(memory.requests),
    limits: new Map(memory.limits),
    prices: memory.prices,
    jumps: new Map(memory.jumps),
    energies: memory.energies,
  };
  retain(controller, all, clocks);
  return {
    requests: Object.fromEntries(all.requests),
    limits: Object.fromEntries(all.limits),
    prices: all.prices,
    jumps: Object.fromEntries(all.jumps),
    energies: Object.fromEntries(all.energies),
  };
}
