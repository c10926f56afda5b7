/** What a go-e charger says, in the terms of both of its APIs, and what it means. */
import type { PhaseCount } from '../../core/charger-track.ts';
import { type Phase, perPhase, phaseIndex } from '../../core/units.ts';
import type { ChargerReading } from '../charger.ts';
import { DeviceDataError, readNumber } from '../device-data.ts';

export type GoEApi = 'v1' | 'v2';

/** The values that are used, in A, W, Wh; the same for both APIs. Absent = not reported (yet). */
export interface GoEStatus {
  /** 1 idle, 2 charging, 3 waiting for the car, 4 complete; null = internal error. */
  car?: number | null;
  /** Current limit in force, A (v1: `amx` where the firmware has it, else `amp`). */
  limit?: number;
  /** v1 `amp`, the limit in flash. */
  flashLimit?: number;
  /** v2 `frc`: 0 neutral, 1 off, 2 on. */
  force?: number;
  /** v2 `psm`: 0 the charger chooses, 1 one phase, 2 three. */
  phaseMode?: number;
  /** Charging is allowed (v1 `alw`, read and write; v2 `alw`, read only). */
  allowed?: boolean;
  /** v2 `acu`: A that the car is allowed now; null = none. */
  allowedCurrent?: number | null;
  /** V, A, W on the conductors of the connector. */
  voltage?: [number, number, number];
  current?: [number, number, number];
  power?: number;
  /** Wh of this session, Wh since ever. */
  session?: number;
  total?: number;
  /** Configured maximum (`ama`), cable (`cbl`), temperature limit (`amt`), A. */
  maximum?: number;
  cable?: number;
  temperatureLimit?: number;
  /** v2: a 16 A adapter is used (`adi`). */
  adapter?: boolean;
  /** v1: the energy limit (`stp` = 2, `dwo`) is reached. */
  energyReached?: boolean;
  modelStatus?: number;
  error?: number;
  user?: string;
  /** v2 `mcc`: the charger's connection to the broker; false is its last will. */
  connected?: boolean;
}

export const MAX_A = 2000;
export const MAX_WH = 1e12;

/** `nrg`: at least 12 numbers. @throws DeviceDataError */
export function readNrg(value: unknown): number[] {
  if (!Array.isArray(value) || value.length < 12) throw new DeviceDataError('nrg', value, 'at least 12 numbers');
  return value.slice(0, 16).map((item, i) => readNumber(`nrg.${i}`, item, -1e6, 1e6));
}

/** A measured current in A. @throws DeviceDataError */
export function readAmps(value: number): number {
  return readNumber('nrg current', value, -MAX_A, MAX_A, 'A');
}

/** Name of an RFID card, or its number. */
export function cardName(name: unknown, card: number): string {
  return typeof name === 'string' && name.trim() !== '' && name !== 'n/a' ? name.trim().slice(0, 60) : `RFID ${card}`;
}

/** IEC 61851-1 state from `car`. */
export function iecState(car: number | null | undefined): ChargerReading['state'] {
  if (car === 1) return 'A';
  if (car === 2) return 'C';
  if (car === 3 || car === 4) return 'B';
  return 'F';
}

/** Whether the charger is switched off by somebody: v1 `alw` = 0, v2 `frc` = 1. Undefined until known. */
export function isStopped(api: GoEApi, status: GoEStatus): boolean | undefined {
  if (api === 'v1') return status.allowed === undefined ? undefined : !status.allowed;
  return status.force === undefined ? undefined : status.force === 1;
}

/** A that the charger can give at most, as far as it said so. */
export function hardLimit(status: GoEStatus): number {
  return Math.min(status.maximum ?? MAX_A, status.cable ?? MAX_A, status.adapter ? 16 : MAX_A);
}

/** A offered to the vehicle; 0 when charging is not allowed. */
export function offeredCurrent(api: GoEApi, status: GoEStatus): number {
  if (status.allowed === false || isStopped(api, status)) return 0;
  const plugged = status.car !== 1;
  if (api === 'v2' && plugged && status.allowedCurrent === null && status.allowed !== true) return 0;
  return Math.min(status.limit ?? 0, hardLimit(status), status.temperatureLimit ?? MAX_A);
}

/** `modelStatus` values at which the charger itself holds: over-temperature, access, scheduler, OCPP, grid monitoring. */
const HELD_BY_DEVICE: readonly number[] = [1, 2, 5, 28, 34];

/** Why the charger does not charge although nobody switched it off; undefined = it would. */
export function heldBy(api: GoEApi, status: GoEStatus): 'energy' | 'device' | undefined {
  if (status.allowed !== false || status.car === 1) return undefined;
  if (api === 'v1') return status.energyReached ? 'energy' : undefined;
  if (isStopped(api, status)) return undefined;
  if (status.modelStatus === 6) return 'energy';
  return status.modelStatus !== undefined && HELD_BY_DEVICE.includes(status.modelStatus) ? 'device' : undefined;
}

/** On how many phases the charger is switched by `psm`; undefined where it chooses itself, or does not say. */
export function phasesConfigured({ phaseMode }: GoEStatus): PhaseCount | undefined {
  return phaseMode === 1 ? 1 : phaseMode === 2 ? 3 : undefined;
}

/** Current of a phase from which it counts as used, A. */
const IN_USE_A = 1;

/** Measured currents on the grid phases. `rotation[0]` is the grid phase of conductor 1. */
export function rotate(current: readonly number[], rotation: readonly Phase[]): [number, number, number] {
  return perPhase((i) => {
    const conductor = rotation.findIndex((phase) => phaseIndex(phase) === i);
    return conductor < 0 ? 0 : current[conductor];
  });
}

/** Grid phases that carry current while charging; undefined = not known. */
export function phasesInUse(status: GoEStatus, rotation: readonly Phase[]): Phase[] | undefined {
  const current = status.current;
  if (status.car !== 2 || !current) return undefined;
  const used = rotation.filter((_, conductor) => current[conductor] > IN_USE_A);
  return used.length ? [...used].sort() : undefined;
}
