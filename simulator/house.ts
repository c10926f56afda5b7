/**
 * The uncontrolled load of a house: a seeded day of appliances as switching events, over a noisy base.
 * Powers are of common household appliances at 230 V; no single one takes more than 16 A per phase.
 */
import type { PerPhase } from '../core/units.ts';
import { createRandom, type Random } from './random.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From `at` (ms of the day) the appliance `name` takes `current`. */
export interface SwitchEvent {
  at: number;
  name: string;
  current: PerPhase;
}

type Emit = (at: number, name: string, current: PerPhase) => void;

const NONE: PerPhase = [0, 0, 0];

function on(phase: number, current: number): PerPhase {
  const value: PerPhase = [0, 0, 0];
  value[phase] = current;
  return value;
}

/** A thermostat: `heat` ms on at first, then cycles of on and off until `end`. */
function thermostat(
  emit: Emit,
  r: Random,
  name: string,
  load: PerPhase,
  start: number,
  heat: number,
  end: number,
  onMs: number,
  offMs: number,
): void {
  emit(start, name, load);
  let t = start + heat;
  while (t < end) {
    emit(t, name, NONE);
    t += offMs * r.between(0.8, 1.2);
    if (t >= end) break;
    emit(t, name, load);
    t += onMs * r.between(0.8, 1.2);
  }
  emit(Math.max(t, end), name, NONE);
}

function once(emit: Emit, name: string, load: PerPhase, start: number, length: number): void {
  emit(start, name, load);
  emit(start + length, name, NONE);
}

/** The switching events of one day, sorted by time. Phases of the sockets differ from house to house. */
export function houseDay(seed: number): SwitchEvent[] {
  const r = createRandom(seed);
  const events: SwitchEvent[] = [];
  const emit: Emit = (at, name, current) => {
    if (at >= 0 && at < DAY) events.push({ at: Math.round(at / 100) * 100, name, current });
  };
  kitchen(emit, r);
  laundry(emit, r);
  heating(emit, r);
  return events.sort((a, b) => a.at - b.at);
}

function kitchen(emit: Emit, r: Random): void {
  const sockets = r.integer(0, 2);
  const ovenPhase = (sockets + 1) % 3;
  for (let i = 0, n = r.integer(5, 9); i < n; i++) {
    once(
      emit,
      `kettle${i}`,
      on(sockets, r.between(8.3, 9.4)),
      r.between(6 * HOUR, 22 * HOUR),
      r.between(2, 4) * MINUTE,
    );
  }
  for (let i = 0, n = r.integer(1, 3); i < n; i++) {
    once(
      emit,
      `microwave${i}`,
      on(sockets, r.between(4.5, 6)),
      r.between(7 * HOUR, 21 * HOUR),
      r.between(1, 5) * MINUTE,
    );
  }
  const dinner = r.between(17 * HOUR, 18.5 * HOUR);
  thermostat(
    emit,
    r,
    'oven',
    on(ovenPhase, r.between(10, 12)),
    dinner,
    r.between(9, 13) * MINUTE,
    dinner + r.between(40, 70) * MINUTE,
    1.5 * MINUTE,
    3 * MINUTE,
  );
  for (const meal of [12 * HOUR + r.between(0, 40) * MINUTE, dinner + r.between(5, 20) * MINUTE]) {
    let t = meal;
    for (let i = 0, n = r.integer(2, 4); i < n; i++) {
      emit(t, 'hob', on((ovenPhase + 1) % 3, r.between(3, 12)));
      t += r.between(5, 12) * MINUTE;
    }
    emit(t, 'hob', NONE);
  }
  const dishes = r.between(19.5 * HOUR, 21 * HOUR);
  once(emit, 'dishwasher1', on(ovenPhase, 8.7), dishes + 8 * MINUTE, r.between(12, 16) * MINUTE);
  once(emit, 'dishwasher2', on(ovenPhase, 8.7), dishes + 55 * MINUTE, r.between(10, 14) * MINUTE);
  // A compressor: a short inrush, then little.
  for (let t = r.between(0, 30) * MINUTE; t < DAY; t += r.between(35, 50) * MINUTE) {
    emit(t, 'fridge', on(sockets, 4));
    emit(t + 400, 'fridge', on(sockets, 0.7));
    emit(t + r.between(12, 18) * MINUTE, 'fridge', NONE);
  }
}

function laundry(emit: Emit, r: Random): void {
  const phase = r.integer(0, 2);
  for (let i = 0, n = r.integer(0, 2); i < n; i++) {
    const start = r.between(8 * HOUR, 18 * HOUR);
    once(emit, `washer-heat${i}`, on(phase, r.between(8, 9)), start, r.between(10, 18) * MINUTE);
    for (let t = start; t < start + 70 * MINUTE; t += r.between(40, 120) * 1000)
      emit(t, `washer-motor${i}`, on(phase, r.between(0.2, 1.8)));
    emit(start + 71 * MINUTE, `washer-motor${i}`, NONE);
    if (r.chance(0.6))
      thermostat(
        emit,
        r,
        `dryer${i}`,
        on((phase + 1) % 3, r.between(9, 10.5)),
        start + 80 * MINUTE,
        25 * MINUTE,
        start + 150 * MINUTE,
        4 * MINUTE,
        2 * MINUTE,
      );
  }
  if (r.chance(0.6))
    once(emit, 'vacuum', on(phase, r.between(3, 5)), r.between(9 * HOUR, 17 * HOUR), r.between(10, 25) * MINUTE);
  if (r.chance(0.7))
    once(
      emit,
      'hairdryer',
      on((phase + 2) % 3, r.between(6, 8.5)),
      r.between(6.5 * HOUR, 8 * HOUR),
      r.between(3, 7) * MINUTE,
    );
}

function heating(emit: Emit, r: Random): void {
  const heatPump = r.between(3, 5);
  for (let t = r.between(0, 40) * MINUTE; t < DAY; t += r.between(70, 110) * MINUTE) {
    const a = heatPump * r.between(0.8, 1.2);
    once(emit, 'heat-pump', [a, a, a], t, r.between(25, 45) * MINUTE);
  }
  const sauna = r.between(9, 13);
  const start = r.between(18.5 * HOUR, 20 * HOUR);
  thermostat(
    emit,
    r,
    'sauna',
    [sauna, sauna, sauna],
    start,
    r.between(35, 50) * MINUTE,
    start + r.between(2, 2.8) * HOUR,
    5 * MINUTE,
    4 * MINUTE,
  );
  const boiler = r.between(7, 9);
  const night = r.between(1 * HOUR, 4 * HOUR);
  once(emit, 'boiler', [boiler, boiler, boiler], night, r.between(50, 110) * MINUTE);
}

/** A day to look at: within every six minutes the kettle, the oven and the sauna come on and go off again. */
export function showcaseDay(seed: number): SwitchEvent[] {
  const r = createRandom(seed);
  const events: SwitchEvent[] = [];
  const emit: Emit = (at, name, current) => events.push({ at: Math.round(at), name, current });
  const second = 1000;
  for (let t = 0; t + 6 * MINUTE < DAY; t += 6 * MINUTE) {
    once(emit, 'kettle', on(0, r.between(8.5, 9.2)), t + r.between(28, 34) * second, 45 * second);
    once(emit, 'oven', on(1, r.between(10.5, 12)), t + r.between(105, 115) * second, 50 * second);
    once(emit, 'sauna', [12, 12, 12], t + r.between(190, 200) * second, 80 * second);
    // While the sauna is on, the kettle leaves less than the minimum: the car has to pause.
    once(emit, 'kettle', on(0, 9), t + r.between(225, 232) * second, 30 * second);
  }
  return events.sort((a, b) => a.at - b.at);
}

/** A running house; days repeat with new appliances, day n from seed + n. */
export interface House {
  /** Moves to `now` (ms since the start of the plant; never backwards) and returns the current per phase, A. */
  current(now: number): PerPhase;
}

/**
 * A house with the appliances of `day`.
 * @param day the switching events of one day from its seed; default an ordinary day
 */
export function createHouse(seed: number, day: (seed: number) => SwitchEvent[] = houseDay): House {
  const r = createRandom(seed ^ 0x5eed);
  const base: PerPhase = [r.between(0.4, 1.4), r.between(0.4, 1.4), r.between(0.4, 1.4)];
  const noise: PerPhase = [0, 0, 0];
  const running = new Map<string, PerPhase>();
  let today = 0;
  let events = day(seed);
  let next = 0;
  let appliances: PerPhase = [0, 0, 0];
  let noiseAt = 0;
  const value: PerPhase = [0, 0, 0];

  const runEvents = (now: number) => {
    let changed = false;
    for (;;) {
      if (next >= events.length) {
        if (now < (today + 1) * DAY) break;
        today += 1;
        events = day(seed + today);
        next = 0;
        running.clear();
        changed = true;
        continue;
      }
      if (today * DAY + events[next].at > now) break;
      running.set(events[next].name, events[next].current);
      next += 1;
      changed = true;
    }
    if (!changed) return;
    appliances = [0, 0, 0];
    for (const c of running.values()) for (let p = 0; p < 3; p++) appliances[p] += c[p];
  };

  return {
    current(now) {
      runEvents(now);
      for (; noiseAt <= now; noiseAt += 1000) {
        for (let p = 0; p < 3; p++) noise[p] = 0.9 * noise[p] + 0.05 * r.normal();
      }
      for (let p = 0; p < 3; p++) value[p] = Math.max(0, base[p] + appliances[p] + noise[p]);
      return value;
    },
  };
}
