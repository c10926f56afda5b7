/** A policy does not change its mind while prices, vehicles and wishes stay: noise and appliances are no reason. */
import assert from 'node:assert/strict';
import { type Controller, onPrices, onRequest, type PolicyName } from '../../core/index.ts';
import { createRandom } from '../../simulator/random.ts';
import { charger, HOME, type MiniSite, miniCar, miniSite, run } from './mini-site.ts';

const HOUR = 3_600_000;
const TURN_S = 900;

/** Cars a, b, c … that want so many kWh until so many hours from now, in a house with ± `noise` A and an appliance every 4 min. */
function site(
  policy: PolicyName,
  rating: number,
  house: { base: number; noise: number; appliance: number },
  cars: { kwh?: number; hours?: number; soc?: number }[],
): MiniSite {
  const random = createRandom(5);
  const noise = Array.from({ length: 2 * 3600 }, () => random.between(-house.noise, house.noise));
  const chargers = cars.map(({ soc }, i) =>
    miniCar(charger(String.fromCharCode(97 + i), { safe: 0 }), {
      offer: 0,
      draw: 0,
      soc: soc === undefined ? undefined : (energy) => soc + energy / 300,
    }),
  );
  const world = miniSite(chargers, [{ ...HOME, rating, margin: 0 }], { policy, turnSeconds: TURN_S });
  world.house = (seconds) => {
    const on = seconds % 240 > 150 ? house.appliance : 0;
    const load = house.base + on + noise[Math.floor(seconds)];
    return [load, load, load];
  };
  for (const [i, { kwh, hours }] of cars.entries()) {
    if (kwh === undefined || hours === undefined) continue;
    onRequest(world.controller, chargers[i].config.id, { energy: kwh * 1000, departure: hours * HOUR });
  }
  return world;
}

/** Times (s) at which a charger was set from 0 to more, or to 0 from more. */
function switches({ sent }: MiniSite, id: string, to: 'on' | 'off'): number[] {
  const own = sent.filter((s) => s.id === id);
  const on = (k: number) => (own[k]?.current ?? 0) > 0;
  return own.flatMap(({ at }, k) => (on(k) !== on(k - 1) && on(k) === (to === 'on') ? at : []));
}

/** Times (s) from which on a set-point went the other way than before, after the first two minutes. */
function turnBacks({ sent }: MiniSite, id: string): number[] {
  const own = sent.filter((s) => s.id === id);
  const up = (k: number) => own[k].current > own[k - 1].current;
  return own.flatMap(({ at }, k) => (k >= 2 && at > 120 && up(k) !== up(k - 1) ? at : []));
}

function assertApart(world: MiniSite, timesOf: (id: string) => number[], least: number): void {
  for (const { config } of world.cars) {
    const times = timesOf(config.id);
    for (let k = 1; k < times.length; k++) assert.ok(times[k] - times[k - 1] >= least, `${config.id} at ${times}`);
  }
}

/** At most one start and one stop of each charger in any window. */
function assertSteady(world: MiniSite): void {
  for (const to of ['on', 'off'] as const) assertApart(world, (id) => switches(world, id, to), TURN_S);
}

/** Prices of the hours from now on. */
const hourly = (controller: Controller, prices: number[]) =>
  onPrices(
    controller,
    prices.map((price, h) => ({ start: h * HOUR, end: (h + 1) * HOUR, price })),
    0,
  );

describe('policies in a house that is not still', function () {
  this.timeout(60_000);
  // Room for one vehicle at a time, 7 A with the appliance and 11 A without: nobody has to stop for the house.
  const narrow = { base: 8.5, noise: 0.4, appliance: 4 };

  it('tariff: who can wait for cheaper hours waits', () => {
    const cars = [
      { kwh: 9, hours: 2.6 },
      { kwh: 12, hours: 3.4 },
      { kwh: 14, hours: 4.2 },
      { kwh: 20, hours: 5 },
      { kwh: 30, hours: 6 },
    ];
    const world = site('tariff', 35, { base: 9, noise: 1, appliance: 0 }, cars);
    hourly(world.controller, [0.3, 0.25, 0.2, 0.1, 0.3, 0.25, 0.2, 0.1]);
    assertSteady(run(world, 4000));
    assertApart(world, (id) => turnBacks(world, id), 60);
  });

  it('tariff: nor does an appliance make it doubt', () => {
    const world = site('tariff', 20, narrow, [
      { kwh: 4, hours: 3 },
      { kwh: 9.5, hours: 3.2 },
    ]);
    hourly(world.controller, [0.3, 0.25, 0.2, 0.1]);
    assertSteady(run(world, 3500));
  });

  it('most-vehicles: a promise does not come and go with the appliance', () => {
    const cars = [
      { kwh: 8, hours: 2 },
      { kwh: 5, hours: 2.5 },
    ];
    assertSteady(run(site('most-vehicles', 20, narrow, cars), 3600));
  });

  it('departure: nor does the urgency of who can just be ready', () => {
    const cars = [
      { kwh: 4, hours: 1.5 },
      { kwh: 13.8, hours: 3 },
    ];
    assertSteady(run(site('departure', 20, narrow, cars), 3600));
  });

  it('soc: two alike do not take turns by the percent', () => {
    assertSteady(run(site('soc', 20, narrow, [{ soc: 40.4 }, { soc: 40.6 }]), 3600));
  });

  it('a source of prices that repeats itself every minute changes nothing', () => {
    const world = site('tariff', 20, narrow, [
      { kwh: 4, hours: 3 },
      { kwh: 9.5, hours: 3.2 },
    ]);
    for (let minute = 0; minute < 30; minute++) {
      hourly(world.controller, [0.3, 0.25, 0.2, 0.1]);
      run(world, 60);
    }
    assertSteady(world);
  });
});
