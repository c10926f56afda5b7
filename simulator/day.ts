/** A day of the virtual home, judged: fuse trips, overloads, and how much of the oracle's charging was reached. */
import { createController, planLimit } from '../core/controller.ts';
import { protectiveDevice } from '../core/protection.ts';
import type { CircuitConfig } from '../core/site.ts';
import { PHASE_INDICES } from '../core/units.ts';
import { createHouse } from './house.ts';
import { createOracle } from './oracle.ts';
import { createPlant } from './plant.ts';
import { createRandom } from './random.ts';
import { createVehicle } from './vehicle.ts';
import { type HomeOptions, type Moment, REACTION_S, runHome, TICK_MS } from './virtual-home.ts';

export interface DayResult {
  seed: number;
  trips: { total: number; withoutVehicle: number; reference: number };
  /** Trips in which no outage or restart had a part (within the last minute). */
  tripsWhileReachable: number;
  /** Longest overload that the car contributed to while everything could be reached, s, less what lost messages cost. */
  worstOverload: number;
  /** Overloads that lasted longer than meter period + 0.1 s + vehicle reaction. */
  lateOverloads: number;
  /** Share of the time within ±10 minutes of a constraint, and Σ min(car, oracle)/Σ oracle in it. */
  constrained: number;
  reached: number;
  /** Set-point changes of the car's charger. */
  energyWh: number;
  hottest: number;
}

export const ALLOWED_OVERLOAD_S = 1 + 0.1 + REACTION_S;
/** Below 1 % of the rating, the accuracy of such a meter, nobody can see an overload. */
const OVERLOAD_SHARE = 0.01;
const WINDOW_S = 600;
const MIN_OFF_S = 60;

/** The circuit of the virtual home. */
export function homeCircuit(device: CircuitConfig['device'] = 'gG', rating = 25, jump = 16): CircuitConfig {
  return { id: 'main', rating, device, meter: 'grid', margin: 'auto', jump };
}

/** A per phase that the plan keeps to on such a circuit. */
export function homeLimit(circuit: CircuitConfig): number {
  const controller = createController({ circuits: [circuit], chargers: [], voltage: 230 }, {}, 0);
  const track = controller.circuits.get(circuit.id);
  if (!track) throw new RangeError(`circuit: "${circuit.id}" — expected a circuit`);
  return planLimit(controller, track)[0];
}

/** Runs and judges one day. */
export function judgeDay(options: HomeOptions, circuit: CircuitConfig): DayResult {
  const limit = homeLimit(circuit);
  const oracle = createOracle({ limit, max: 16, min: 6, minOffSeconds: MIN_OFF_S });
  const overloads = new Overloads(circuit.rating);
  const trips = new Trips();
  const reference = createReference(options, circuit, limit);
  const oracled: number[] = [];
  const charged: number[] = [];
  let hottest = 0;
  const plant = runHome(options, (moment) => {
    overloads.step(moment);
    trips.step(moment);
    reference.step(moment);
    hottest = Math.max(hottest, ...moment.plant.heat());
    if (moment.now % 1000 >= TICK_MS) return;
    const setpoint = oracle(moment.plant.house(), moment.phases, moment.now);
    oracled.push(Math.max(0, setpoint - (setpoint > 0 ? moment.slack : 0)));
    charged.push(Math.max(...moment.plant.vehicle.current()));
  });
  return {
    seed: options.seed,
    trips: { ...plant.trips(), reference: reference.trips() },
    tripsWhileReachable: trips.reachable,
    worstOverload: overloads.worst,
    lateOverloads: overloads.late,
    ...nearConstraints(oracled, charged),
    energyWh: plant.vehicle.totalEnergy(),
    hottest,
  };
}

/** Σ min(car, oracle)/Σ oracle in the ten minutes around every second in which the oracle gives less than its most. */
function nearConstraints(
  oracled: readonly number[],
  charged: readonly number[],
): { constrained: number; reached: number } {
  const most = Math.max(...oracled);
  const near = new Uint8Array(oracled.length);
  let until = -1;
  for (let i = 0; i < oracled.length; i++) {
    if (oracled[i] < most - 1e-9) {
      near.fill(1, Math.max(0, i - WINDOW_S), i + 1);
      until = i + WINDOW_S;
    }
    if (i <= until) near[i] = 1;
  }
  let counted = 0;
  let both = 0;
  let best = 0;
  for (let i = 0; i < oracled.length; i++) {
    if (!near[i]) continue;
    counted += 1;
    both += Math.min(charged[i], oracled[i]);
    best += oracled[i];
  }
  return { constrained: counted / oracled.length, reached: best > 0 ? both / best : 1 };
}

/** How long the car contributes to an overload, counted from the last rise of the house load on that phase. */
class Overloads {
  worst = 0;
  late = 0;
  readonly #rating: number;
  readonly #phases = PHASE_INDICES.map(() => ({
    since: -1,
    house: 0,
    lostMeter: 0,
    lostCharger: 0,
    disturbed: false,
    told: false,
  }));
  #disturbedUntil = 0;

  constructor(rating: number) {
    this.#rating = rating;
  }

  step({ now, plant, reachable, lost }: Moment): void {
    if (!reachable) this.#disturbedUntil = now + 20_000;
    const total = plant.grid.current();
    const car = plant.vehicle.current();
    const house = plant.house();
    for (const p of PHASE_INDICES) {
      const phase = this.#phases[p];
      const over = car[p] > 0.5 && total[p] > this.#rating * (1 + OVERLOAD_SHARE);
      const risen = house[p] > phase.house + 0.2;
      phase.house = house[p];
      if (!over) {
        phase.since = -1;
        continue;
      }
      if (phase.since < 0 || risen)
        Object.assign(phase, {
          since: now - TICK_MS,
          lostMeter: lost.meter[p],
          lostCharger: lost.charger,
          told: false,
        });
      if (now < this.#disturbedUntil) continue;
      this.#judge(phase, now, lost.meter[p] - phase.lostMeter, lost.charger - phase.lostCharger);
    }
  }

  /** A lost reading costs one meter period; lost commands or confirmations their repeats: after 1 s, then every 2 s. */
  #judge(phase: { since: number; told: boolean }, now: number, lostMeter: number, lostCharger: number): void {
    const repeats = lostCharger > 0 ? Math.max(2, 2 * lostCharger - 1) : 0;
    const lasted = (now - phase.since) / 1000 - lostMeter - repeats;
    this.worst = Math.max(this.worst, lasted);
    if (lasted <= ALLOWED_OVERLOAD_S || phase.told) return;
    phase.told = true;
    this.late += 1;
  }
}

/** Trips through the car that happened although everything could be reached for a minute. */
class Trips {
  readonly #byCar: number[] = [];
  readonly #alone: number[] = [];
  #counted = { total: 0, withoutVehicle: 0 };
  #disturbedAt = Number.NEGATIVE_INFINITY;

  step({ now, plant, reachable }: Moment): void {
    if (!reachable) this.#disturbedAt = now;
    const { total, withoutVehicle } = plant.trips();
    if (total > this.#counted.total && now - this.#disturbedAt > 60_000) this.#byCar.push(now);
    if (withoutVehicle > this.#counted.withoutVehicle) this.#alone.push(now);
    this.#counted = { total, withoutVehicle };
  }

  /** Those that the house alone would not have caused within two minutes. */
  get reachable(): number {
    return this.#byCar.filter((at) => !this.#alone.some((other) => Math.abs(other - at) <= 120_000)).length;
  }
}

/** The same house and delays under a controller that knows everything but, like ours, cannot act in an outage. */
function createReference(options: HomeOptions, circuit: CircuitConfig, limit: number) {
  const decide = createOracle({ limit, max: 16, min: 6, minOffSeconds: MIN_OFF_S });
  let plant: ReturnType<typeof createPlant> | undefined;
  let setpoint = 6;
  return {
    step({ now, phases, slack, reachable }: Moment): void {
      plant ??= createPlant({
        house: createHouse(options.seed),
        vehicle: createVehicle(
          { phases: [...phases], maxCurrent: 16, lag: [3, 5], capacity: Number.POSITIVE_INFINITY, soc: 0.5, slack },
          createRandom(options.seed + 2),
        ),
        fuse: protectiveDevice(circuit),
      });
      plant.step(now);
      if (now % 1000 === 0 && reachable) setpoint = decide(plant.house(), phases, now);
      if (now % 1000 === 500) plant.vehicle.offer(setpoint);
    },
    trips: () => (plant ? plant.trips().total : 0),
  };
}
