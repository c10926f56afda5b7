/** What must never pass for room: each case once led to more than a circuit carries. */
import assert from 'node:assert/strict';
import { committed } from '../../core/charger-draw.ts';
import { houseLoad } from '../../core/house-load.ts';
import {
  type Controller,
  createController,
  decide,
  onCharger,
  onMeter,
  onRequest,
  type PerPhase,
} from '../../core/index.ts';
import { charger, HOME, miniCar, miniSite, run } from './mini-site.ts';

const flat = (a: number): PerPhase => [a, a, a];
const TIMES = { vehicleLag: 6, reportSkew: 1 };

/** A house of 8 A with vehicles `a` and `b`, and what was heard of it. */
class Heard {
  readonly controller: Controller;

  constructor() {
    const chargers = ['a', 'b'].map((id) => charger(id, { safe: 0 }));
    this.controller = createController({ circuits: [{ ...HOME, rating: 60 }], chargers, voltage: 230 }, {}, 0);
  }

  meter(seconds: number, total: number): void {
    onMeter(this.controller, 'grid', { current: flat(total) }, seconds * 1000);
    decide(this.controller, seconds * 1000);
  }

  vehicle(seconds: number, id: string, draw: number, age = 0): void {
    const state = draw > 0 ? 'C' : 'B';
    onCharger(this.controller, id, { online: true, state, current: flat(draw), offer: 16, age }, seconds * 1000);
    decide(this.controller, seconds * 1000);
  }

  /** Upper end of the house load, A. */
  upper(seconds: number): number {
    const circuit = this.controller.circuits.get('main');
    assert.ok(circuit);
    return houseLoad(this.controller, circuit, seconds * 1000).high[0];
  }
}

describe('what is no room', () => {
  it('a rise that was reported before the reading that lacks it', () => {
    const heard = new Heard();
    for (let second = 1; second <= 10; second++) {
      heard.meter(second, 24);
      heard.vehicle(second + 0.3, 'b', 16);
      heard.vehicle(second + 0.4, 'a', second < 10 ? 0 : 16);
    }
    // Taken at 10.2 s, before the vehicle rose.
    heard.meter(10.6, 24);
    assert.ok(heard.upper(10.7) >= 8, `${heard.upper(10.7)}`);
  });

  it('the draws of two vehicles of which one stopped before the other started', () => {
    const heard = new Heard();
    for (let second = 1; second <= 10; second++) {
      heard.meter(second, 24);
      if (second % 5 === 0) heard.vehicle(second + 0.1, 'b', 16);
      heard.vehicle(second + 0.6, 'a', 0);
    }
    heard.meter(11, 8);
    heard.vehicle(11.6, 'a', 16);
    heard.meter(12, 24);
    heard.vehicle(12.6, 'a', 16);
    assert.ok(heard.upper(12.7) >= 8, `${heard.upper(12.7)}`);
  });

  it('the draw of a vehicle before its first report of it, where another stopped meanwhile (site day 13)', () => {
    const heard = new Heard();
    for (let second = 1; second <= 10; second++) {
      heard.meter(second, 24);
      if (second === 5) heard.vehicle(second + 0.1, 'b', 0);
      if (second < 10) heard.vehicle(second + 0.6, 'a', 16);
    }
    // Vehicle a has stopped and b started, and only b has told so.
    heard.meter(11, 24);
    heard.vehicle(11.1, 'b', 16);
    heard.meter(12, 24);
    heard.meter(13, 24);
    assert.ok(heard.upper(13.1) >= 8, `${heard.upper(13.1)}`);
  });

  it('the draw of a vehicle that stopped right after its report, where the reading around it was lost (site day 638)', () => {
    const heard = new Heard();
    for (let second = 1; second <= 10; second++) {
      heard.meter(second, 24);
      if (second % 5 === 0) heard.vehicle(second + 0.1, 'a', 16);
    }
    heard.meter(11, 24);
    heard.meter(12, 24);
    heard.meter(13, 24);
    // The reading of 14 s is lost.
    heard.vehicle(15.9, 'a', 16);
    heard.meter(16, 8);
    assert.ok(heard.upper(16.1) >= 8, `${heard.upper(16.1)}`);
  });

  it('a draw that was measured before the oldest reading that is kept', () => {
    const heard = new Heard();
    heard.meter(1, 24);
    heard.vehicle(1.5, 'b', 16);
    for (let second = 2; second <= 45; second++) {
      heard.meter(second, second < 5 ? 24 : 8);
      if (second % 5 === 0) heard.vehicle(second + 0.2, 'b', 16, second - 1.3);
    }
    assert.ok(heard.upper(45.3) >= 8, `${heard.upper(45.3)}`);
  });

  it('what a charger holds that gets no more this round', () => {
    const car = (id: string, priority: number, lag: number, plugged = true) =>
      miniCar(charger(id, { safe: 0, priority }), { lag, plugged, offer: 0, draw: 0 });
    for (const offset of [0, 0.3, 0.5, 1]) {
      const cars = [car('a', 1, 1), car('b', 2, 1, false), car('c', 0, 6)];
      const site = miniSite(cars, [{ ...HOME, rating: 32, margin: 0 }], { policy: 'first-come' });
      site.house = () => flat(0);
      onRequest(site.controller, 'a', { maxCurrent: 8 });
      run(site, 80);
      cars[1].plugged = true;
      run(site, offset);
      onRequest(site.controller, 'a', { maxCurrent: 16 });
      for (let tenth = 0; tenth < 300; tenth++) {
        run(site, 0.1);
        const tracks = [...site.controller.chargers.values()];
        const sum = tracks.reduce((total, track) => total + committed(track, TIMES), 0);
        assert.ok(sum <= 32 + 1e-6, `${sum} A are committed at ${site.seconds.toFixed(1)} s`);
      }
    }
  });

  it('an offer that is taken back, before the vehicle has had its time to follow', () => {
    const site = miniSite([miniCar(charger(), { max: 0, offer: 16, draw: 0 })]);
    run(site, 60);
    onRequest(site.controller, 'go-e', { enabled: false });
    run(site, 3);
    const [track] = site.controller.chargers.values();
    assert.equal(track.setpoint, 0);
    assert.equal(committed(track, TIMES), 16);
  });
});
