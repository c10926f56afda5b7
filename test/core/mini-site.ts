/**
 * A site in virtual time for tests of the core: a house load as a function, vehicles with a lag, a meter
 * that reports every second (phases one after another) and chargers that report every few seconds.
 */
import {
  type ChargerConfig,
  type CircuitConfig,
  type Controller,
  type ControllerOptions,
  createController,
  type Decision,
  decide,
  onCharger,
  onMeter,
  type PerPhase,
  type Phase,
  type PhaseCount,
} from '../../core/index.ts';
import { phaseIndex } from '../../core/units.ts';

export interface MiniCar {
  config: ChargerConfig;
  /** Grid phases it really uses. */
  phases: Phase[];
  /** Where its conductors really go, unlike what it was told. */
  wiredTo?: Phase[];
  lag: number;
  max: number;
  plugged: boolean;
  obeys: boolean;
  /** Charger reports: every so many seconds; silent when false. */
  reports: boolean;
  reportEvery: number;
  offer: number;
  draw: number;
  /** A that it says it offers at least, whatever it was told. */
  offersAtLeast: number;
  /** Of a charger that can be switched: on how many phases it is, and which switches were made with how much current. */
  phaseCount?: PhaseCount;
  switches: { at: number; to: PhaseCount; draw: number }[];
  obeysPhases: boolean;
  /** It says what it is told, and goes on with all phases. */
  liesOfPhases: boolean;
  /** Wh of this session. */
  energy: number;
  /** State of charge that it tells, %, by the energy of this session. */
  soc?: (energy: number) => number;
  pending: { at: number; offer: number }[];
}

export interface Trace {
  at: number;
  total: PerPhase;
  house: PerPhase;
  cars: Map<string, { draw: number; setpoint: number | undefined }>;
}

export interface MiniSite {
  controller: Controller;
  cars: MiniCar[];
  trace: Trace[];
  sent: { at: number; id: string; current: number; reason: string }[];
  alerts: { at: number; code: string; active: boolean }[];
  house: (seconds: number) => PerPhase;
  /** What the meter says; null = silent. */
  meter: (total: PerPhase, seconds: number) => [number | null, number | null, number | null] | null;
  /** A broken variant of the control loop, for tests that must be able to fail. */
  distort: (decision: Decision, seconds: number) => Decision;
  seconds: number;
}

export const HOME: CircuitConfig = { id: 'main', rating: 25, device: 'gG', meter: 'grid', margin: 'auto', jump: 16 };

export function charger(id = 'go-e', more: Partial<ChargerConfig> = {}): ChargerConfig {
  return { id, circuit: 'main', rotation: ['L1', 'L2', 'L3'], min: 6, max: 16, safe: 6, ...more };
}

export function miniCar(config: ChargerConfig = charger(), more: Partial<MiniCar> = {}): MiniCar {
  const { rotation: phases } = config;
  return {
    config,
    phases,
    lag: 4,
    max: 32,
    plugged: true,
    obeys: true,
    reports: true,
    reportEvery: 1,
    offer: 6,
    draw: 6,
    offersAtLeast: 0,
    switches: [],
    obeysPhases: true,
    liesOfPhases: false,
    energy: 0,
    pending: [],
    ...more,
  };
}

export function miniSite(
  cars: MiniCar[],
  circuits: CircuitConfig[] = [HOME],
  options: Partial<ControllerOptions> = {},
): MiniSite {
  const site = { circuits, chargers: cars.map((c) => c.config), voltage: 230 };
  return {
    controller: createController(site, options, 0),
    cars,
    trace: [],
    sent: [],
    alerts: [],
    house: () => [4, 4, 4],
    meter: (total) => total,
    distort: (decision) => decision,
    seconds: 0,
  };
}

/** Lets `seconds` pass. */
export function run(site: MiniSite, seconds: number): MiniSite {
  const end = site.seconds + seconds;
  for (let t = Math.round(site.seconds * 10) + 1; t <= Math.round(end * 10); t++) tick(site, t);
  site.seconds = end;
  return site;
}

function tick(site: MiniSite, tenth: number): void {
  const now = tenth * 100;
  const seconds = now / 1000;
  const house = site.house(seconds);
  const total: PerPhase = [...house];
  for (const car of site.cars) {
    while (car.pending.length > 0 && car.pending[0].at <= now) car.offer = car.pending.shift()?.offer ?? car.offer;
    car.draw = car.plugged && car.offer >= 6 ? Math.min(car.offer, car.max) : 0;
    car.energy = car.plugged ? car.energy + (car.draw * phasesInUse(car).length * 230) / 36_000 : 0;
    for (const p of car.wiredTo ?? phasesInUse(car)) total[phaseIndex(p)] += car.draw;
  }
  const cars = new Map(
    site.cars.map((c) => [
      c.config.id,
      { draw: c.draw, setpoint: site.controller.chargers.get(c.config.id)?.setpoint },
    ]),
  );
  site.trace.push({ at: seconds, total, house, cars });
  let heard = false;
  for (const p of [0, 1, 2]) {
    if (tenth % 10 !== p) continue;
    const all = site.meter(total, seconds);
    if (!all) continue;
    const current: [number | null, number | null, number | null] = [null, null, null];
    current[p] = all[p];
    heard = onMeter(site.controller, 'grid', { current }, now) || heard;
    apply(site, now);
  }
  for (const car of site.cars) {
    if (!car.reports || tenth % Math.round(car.reportEvery * 10) !== 4 % Math.round(car.reportEvery * 10)) continue;
    const current: PerPhase = [0, 0, 0];
    for (const p of phasesInUse(car)) current[phaseIndex(p)] = car.draw;
    const offer = Math.max(car.offersAtLeast, car.pending.at(-1)?.offer ?? car.offer);
    const state = car.plugged ? (car.draw > 0 ? 'C' : 'B') : 'A';
    onCharger(
      site.controller,
      car.config.id,
      {
        online: true,
        state,
        current,
        offer,
        phases: car.draw > 1 ? phasesInUse(car) : undefined,
        phasesConfigured: car.phaseCount,
        energy: car.energy,
        soc: car.soc?.(car.energy),
      },
      now,
    );
    apply(site, now);
  }
  if (tenth % 5 === 0) apply(site, now);
}

function apply(site: MiniSite, now: number): void {
  const before = new Map([...site.controller.chargers].map(([id, c]) => [id, c.setpoint]));
  const decision = site.distort(decide(site.controller, now), now / 1000);
  for (const alert of decision.alerts) site.alerts.push({ at: now / 1000, code: alert.code, active: alert.active });
  for (const { id, current, phases, reason } of decision.setpoints) {
    const car = site.cars.find((c) => c.config.id === id);
    if (!car) continue;
    if (before.get(id) !== current) site.sent.push({ at: now / 1000, id, current, reason: reason.code });
    if (phases && car.obeysPhases && phases !== car.phaseCount) {
      car.switches.push({ at: now / 1000, to: phases, draw: car.draw });
      car.phaseCount = phases;
    }
    const last = car.pending.at(-1)?.offer ?? car.offer;
    if (!car.obeys || last === current) continue;
    car.pending.push({ at: Math.max(now + car.lag * 1000, car.pending.at(-1)?.at ?? 0), offer: current });
  }
}

function phasesInUse({ config, phases, phaseCount, liesOfPhases }: MiniCar): Phase[] {
  return phaseCount === 1 && !liesOfPhases ? phases.filter((p) => p === config.rotation[0]) : phases;
}

/** The set-point of the only (or the named) charger. */
export function setpoint(site: MiniSite, id = 'go-e'): number | undefined {
  return site.controller.chargers.get(id)?.setpoint;
}

/** Set-points sent after `from` seconds that differ from the one before. */
export function sentSince(site: MiniSite, from: number): number[] {
  return site.sent.filter((s) => s.at > from).map((s) => s.current);
}
