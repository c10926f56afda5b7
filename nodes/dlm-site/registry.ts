/**
 * What a site knows about itself while it runs: its circuits and its chargers, as their nodes registered them.
 * One registry per dlm-site node; it lives as long as that node.
 */
import { EventEmitter } from 'node:events';
import { type Findings, NO_FINDINGS, sameFindings } from '../../core/commissioning.ts';
import type { ChargerConfig, CircuitConfig } from '../../core/site.ts';
import { isId, PHASES } from '../../core/units.ts';
import { ConfigError } from '../fields.ts';

export { ConfigError };

export type Language = 'en-US' | 'de';

/** Emits `change` after every circuit or charger that came or went, and when a check has found something else. */
export class SiteRegistry extends EventEmitter {
  /** Language of the sentences that nodes of this site write (reasons, alerts). */
  readonly language: Language;
  /** Nominal phase voltage, V. */
  readonly voltage: number;
  /** IANA name. */
  readonly timeZone: string;
  readonly #circuits = new Map<string, CircuitConfig>();
  readonly #chargers = new Map<string, ChargerConfig>();
  #findings: Findings = NO_FINDINGS;

  constructor(options: { language?: Language; voltage?: number; timeZone?: string } = {}) {
    super();
    // Every allocator and guard of a large site may listen.
    this.setMaxListeners(0);
    this.language = options.language ?? 'en-US';
    this.voltage = options.voltage ?? 230;
    this.timeZone = options.timeZone ?? 'UTC';
  }

  /** @throws ConfigError when the id is taken or invalid, or when the circuit would be its own ancestor. */
  addCircuit(circuit: CircuitConfig): void {
    refuseId('circuitId', circuit.id, this.#circuits, 'circuit');
    if (!(circuit.rating > 0)) throw new ConfigError('rating', circuit.rating, 'a current above 0 A');
    this.#refuseLoop(circuit);
    this.#circuits.set(circuit.id, circuit);
    this.emit('change');
  }

  removeCircuit(id: string): void {
    if (this.#circuits.delete(id)) this.emit('change');
  }

  /** @throws ConfigError when the id is taken or invalid, or when no set-point could ever be given. */
  addCharger(charger: ChargerConfig): void {
    refuseId('chargerId', charger.id, this.#chargers, 'charger');
    refuseCharger(charger);
    this.#chargers.set(charger.id, charger);
    this.emit('change');
  }

  removeCharger(id: string): void {
    if (this.#chargers.delete(id)) this.emit('change');
  }

  /** What the commissioning check of this site has found; nothing where there is none. */
  get findings(): Findings {
    return this.#findings;
  }

  set findings(findings: Findings) {
    if (sameFindings(findings, this.#findings)) return;
    this.#findings = findings;
    this.emit('change');
  }

  circuits(): CircuitConfig[] {
    return [...this.#circuits.values()];
  }

  chargers(): ChargerConfig[] {
    return [...this.#chargers.values()];
  }

  // A parent may register after its child: only a chain that is known to end in the circuit itself is refused.
  #refuseLoop(circuit: CircuitConfig): void {
    let parent = circuit.parent;
    for (let hops = 0; parent !== undefined && hops <= this.#circuits.size; hops++) {
      if (parent === circuit.id)
        throw new ConfigError('parent', circuit.parent, 'a circuit that is not fed by this one');
      parent = this.#circuits.get(parent)?.parent;
    }
  }
}

function refuseId(field: string, id: unknown, taken: ReadonlyMap<string, unknown>, what: string): void {
  if (!isId(id)) throw new ConfigError(field, id, '1 to 36 letters, digits, "_" or "-"');
  if (taken.has(id)) throw new ConfigError(field, id, `an id that no other ${what} of this site has`);
}

function refuseCharger(charger: ChargerConfig): void {
  const { rotation, min, max, safe } = charger;
  const known = rotation.every((phase) => PHASES.includes(phase));
  if (rotation.length < 1 || !known || new Set(rotation).size !== rotation.length) {
    throw new ConfigError('rotation', rotation.join(','), 'one to three different phases of L1, L2, L3');
  }
  if (!(min > 0)) throw new ConfigError('minCurrent', min, 'a current above 0 A');
  if (!(max >= min)) throw new ConfigError('maxCurrent', max, `at least the minimum, ${min} A`);
  if (!(safe >= 0 && safe <= max)) throw new ConfigError('safeCurrent', safe, `0 to ${max} A`);
}
