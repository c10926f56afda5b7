/** What both generations of a simulated go-e charger have in common: their own logic, once a second. */
import { type Phase, phaseIndex } from '../core/units.ts';
import type { VehiclePort } from './ports.ts';

export interface GoEBoxOptions {
  serial: string;
  topicPrefix?: string;
  /** Grid phase of each conductor; default L1, L2, L3. */
  rotation?: Phase[];
  /** Configured maximum and cable, A. */
  maximum?: number;
  cable?: number;
  /** A after switching on. */
  amp?: number;
}

/** A from which the vehicle counts as charging. */
const DRAWING_A = 0.5;

export abstract class GoEBox {
  /** Says nothing and hears nothing, as without power or network. */
  silent = false;
  /** The API is switched off in the app: writes are refused. */
  writesRefused = false;
  readonly serial: string;
  readonly base: string;
  protected readonly vehicle: VehiclePort;
  protected readonly rotation: readonly Phase[];
  protected readonly maximum: number;
  protected readonly cable: number;
  /** 1 idle, 2 charging, 3 waiting for the car, 4 complete. */
  protected car = 1;
  #charged = false;

  constructor(vehicle: VehiclePort, options: GoEBoxOptions) {
    this.vehicle = vehicle;
    this.serial = options.serial;
    this.base = `${options.topicPrefix ?? 'go-eCharger'}/${options.serial}`;
    this.rotation = options.rotation ?? ['L1', 'L2', 'L3'];
    this.maximum = options.maximum ?? 16;
    this.cable = options.cable ?? 0;
  }

  /** Whether charging is allowed, and A in force. */
  protected abstract allowed(): boolean;
  protected abstract limit(): number;
  /** The vehicle was unplugged. */
  protected abstract unplugged(): void;

  protected logic(): void {
    const plugged = this.vehicle.plugged();
    if (!plugged && this.car !== 1) {
      this.#charged = false;
      this.unplugged();
    }
    const allowed = this.allowed();
    const drawing = Math.max(...this.vehicle.current()) > DRAWING_A;
    if (drawing) this.#charged = true;
    this.car = !plugged ? 1 : drawing ? 2 : this.#charged || !allowed ? 4 : 3;
    this.vehicle.offer(plugged && allowed ? this.inForce() : 0);
  }

  protected inForce(): number {
    return Math.min(this.limit(), this.maximum, this.cable || this.maximum);
  }

  /** A and V on the conductors; 0 where there is none. */
  protected conductors(values: readonly number[]): [number, number, number] {
    const at = (i: number) => (this.rotation[i] ? values[phaseIndex(this.rotation[i])] : 0);
    return [at(0), at(1), at(2)];
  }
}
