/**
 * What follows from a reading of a station: the allocator's controller on a tree of circuits, whose decisions become set-points, and
 * the book of sessions on the disk. As the nodes dlm-allocator and dlm-sessions run them, without the messages between the nodes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ChargerConfig,
  type CircuitConfig,
  type Controller,
  createController,
  decide,
  type PerPhase,
  perPhase,
  receive,
} from '../../core/index.ts';
import type { ChargerReading } from '../../drivers/charger.ts';
import { SessionBook } from '../../drivers/session-store/book.ts';
import { SessionStore } from '../../drivers/session-store/store.ts';
import { chargerInput } from '../../nodes/dlm-allocator/inputs.ts';
import { Rounds } from '../../nodes/dlm-allocator/rounds.ts';

const AREAS = 4;
const ROWS = 5;
const PER_ROW = 10;
/** A transformer, a distribution board, a row of ten stations of 16 A. */
const FEEDER_A = 1600;
const AREA_A = 500;
const ROW_A = 125;
const METER = 'feeder';
const TICK_MS = 250;
const METER_MS = 1000;
const SAVE_MS = 2000;
/** A that the house takes, least and most, and ms from one to the other. */
const HOUSE = { least: 100, most: 400, period: 20_000 };

export class BenchSite {
  readonly #controller: Controller;
  readonly #rounds: Rounds;
  readonly #readings = new Map<string, PerPhase>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'fusewise-bench-'));
  readonly #store: SessionStore;
  readonly #book: SessionBook;
  readonly #timers: NodeJS.Timeout[];
  rounds = 0;
  setpoints = 0;

  /** `setpoint`: charger, A, s. */
  constructor(stations: readonly string[], setpoint: (identity: string, current: number, validFor: number) => void) {
    const config = { circuits: circuits(), chargers: stations.map(chargerOf), voltage: 230 };
    this.#controller = createController(config, {}, performance.now());
    this.#rounds = new Rounds(() => {
      this.rounds += 1;
      for (const { id, current, validFor } of decide(this.#controller, performance.now()).setpoints) {
        this.setpoints += 1;
        setpoint(id.slice(0, -2), current, validFor);
      }
    }, console.error);
    this.#store = new SessionStore(join(this.#folder, 'sessions.sqlite'));
    this.#book = new SessionBook(this.#store, {
      timeZone: 'Europe/Berlin',
      currency: 'EUR',
      saved: (error) => error !== undefined && console.error(error),
    });
    this.#timers = [
      setInterval(() => this.#rounds.tick(), TICK_MS),
      setInterval(() => this.#meter(), METER_MS),
      setInterval(() => this.#book.tick(Date.now()), SAVE_MS),
    ];
  }

  reading(identity: string, reading: ChargerReading): void {
    const id = `${identity}-1`;
    this.#readings.set(id, reading.current);
    this.#book.hear(id, reading, Date.now());
    receive(this.#controller, {
      kind: 'charger',
      at: performance.now(),
      id,
      input: chargerInput({ at: Date.now(), ...reading }),
    });
    this.#rounds.soon();
  }

  #meter(): void {
    const phase = (performance.now() % HOUSE.period) / HOUSE.period;
    const house = phase < 0.5 ? HOUSE.least : HOUSE.most;
    const stations = [...this.#readings.values()];
    const current = perPhase((p) => house + stations.reduce((sum, amps) => sum + amps[p], 0));
    receive(this.#controller, { kind: 'meter', at: performance.now(), id: METER, input: { current } });
    this.#rounds.now();
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#rounds.stop();
    this.#book.close();
    this.#store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function circuits(): CircuitConfig[] {
  const areas = Array.from({ length: AREAS }, (_, a) => `area${a}`);
  const rows = areas.flatMap((parent) => Array.from({ length: ROWS }, (_, r) => ({ id: `${parent}-${r}`, parent })));
  return [
    { id: 'feeder', rating: FEEDER_A, device: 'gG', meter: METER, fallbackLoad: HOUSE.most },
    ...areas.map((id) => ({ id, parent: 'feeder', rating: AREA_A, device: 'gG' as const })),
    ...rows.map((row) => ({ ...row, rating: ROW_A, device: 'gG' as const })),
  ];
}

function chargerOf(identity: string, index: number): ChargerConfig {
  const row = Math.floor(index / PER_ROW) % (AREAS * ROWS);
  return {
    id: `${identity}-1`,
    circuit: `area${Math.floor(row / ROWS)}-${row % ROWS}`,
    rotation: ['L1', 'L2', 'L3'],
    min: 6,
    max: 16,
    safe: 6,
    priority: 0,
  };
}
