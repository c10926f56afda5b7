import assert from 'node:assert/strict';
import { committed } from '../../core/charger-draw.ts';
import type { ChargerTrack } from '../../core/charger-track.ts';
import {
  type CircuitConfig,
  createController,
  decide,
  onCharger,
  onLimit,
  onMeter,
  onRequest,
  type PerPhase,
  reconfigure,
  siteProblems,
} from '../../core/index.ts';
import { charger, HOME, miniCar, miniSite, run, sentSince, setpoint } from './mini-site.ts';

const flat = (a: number): PerPhase => [a, a, a];
const highest = (site: ReturnType<typeof miniSite>, from: number) =>
  Math.max(...site.trace.filter((t) => t.at > from).flatMap((t) => t.total));

describe('the control loop of a home', () => {
  it('reaches the maximum with 4 A of house load', () => {
    const site = run(miniSite([miniCar()]), 30);
    assert.equal(setpoint(site), 16);
  });

  it('brings the car to 11 A at 14 A on one phase, and stays there', () => {
    const site = miniSite([miniCar()]);
    run(site, 60);
    site.house = () => [4, 14, 4];
    run(site, 20);
    assert.equal(setpoint(site), 11);
    run(site, 300);
    assert.deepEqual(sentSince(site, 80), []);
  });

  it('brings it to 0 at 20 A, and back without crossing the rating when the load is gone', () => {
    const site = run(miniSite([miniCar()]), 60);
    site.house = () => [20, 4, 4];
    run(site, 90);
    assert.equal(setpoint(site), 0);
    site.house = () => flat(4);
    run(site, 90);
    assert.equal(setpoint(site), 16);
    assert.ok(highest(site, 160) <= 25);
  });

  for (const reportEvery of [1, 5]) {
    it(`answers a jump on the first phase that shows it (charger reports every ${reportEvery} s)`, () => {
      const site = run(miniSite([miniCar(charger(), { reportEvery })]), 60);
      site.house = () => [4, 4, 14];
      run(site, 1.2);
      assert.equal(setpoint(site), 11);
      assert.ok(site.sent.at(-1)?.at === 60.2 || site.sent.at(-1)?.at === 61.2);
    });

    it(`the skew between meter and charger moves nothing at constant load (reports every ${reportEvery} s)`, () => {
      for (const level of [3, 9.4, 12.2, 14, 18.9]) {
        const site = miniSite([miniCar(charger(), { reportEvery, lag: 5 })]);
        site.house = (t) => (t < 100 ? flat(1) : [level, 2, 2]);
        run(site, 180);
        const settled = site.sent.length;
        run(site, 300);
        assert.equal(site.sent.length, settled, `at ${level} A`);
      }
    });
  }

  it('gives way no further than the load asks, whichever phase is heard first when load and vehicle fall together', () => {
    const site = miniSite([miniCar(charger(), { lag: 3.3, reportEvery: 5 })]);
    // Heard on L3 at 60.2 s; the car falls at 63.5 s, and the load with it: at 64.0 s only L1 has told so.
    site.house = (seconds) => (seconds > 60.15 && seconds < 63.5 ? [4, 4, 14] : [4, 4, 4]);
    run(site, 64.5);
    assert.deepEqual(sentSince(site, 60), [11]);
  });

  it('a vehicle that rose and fell between two slow reports is no rise of the house', () => {
    const site = miniSite([miniCar(charger(), { lag: 3.1, reportEvery: 5 })]);
    const jump = (seconds: number) => seconds > 31 && (seconds - 1) % 10 > 0.15 && (seconds - 1) % 10 < 3.6;
    site.house = (seconds) => [4, 4, jump(seconds) ? 14 : 4];
    run(site, 150);
    assert.equal(Math.min(...sentSince(site, 30)), 11);
  });

  it('a house that jumps while a raise is on its way is answered as if the vehicle had not followed yet (day 159)', () => {
    const site = miniSite([miniCar(charger(), { lag: 5, reportEvery: 5 })]);
    site.house = (seconds) => (seconds < 60 ? flat(17) : flat(9));
    run(site, 60);
    const before = setpoint(site);
    while (setpoint(site) === before) run(site, 0.25);
    site.house = () => flat(21);
    run(site, 1.5);
    assert.equal(setpoint(site), 0);
  });

  it('a jump heard on one phase alone, right after the vehicle rose, is answered with what the next phases show', () => {
    const car = miniCar(charger(), { reportEvery: 5 });
    const site = miniSite([car]);
    site.house = (seconds) => (seconds < 60 ? flat(17) : flat(4));
    run(site, 60);
    while (setpoint(site) !== 16) run(site, 0.1);
    run(site, 0.1);
    // The vehicle rises between the samples of L2 and of L3, which shows 30 A: the house may have taken 14 A or more of them.
    const rise = Math.ceil(car.pending[0].at / 1000) * 1000 + 200;
    car.pending[0].at = rise;
    site.house = (seconds) => [4, 4, seconds < rise / 1000 ? 4 : 14];
    const raised = site.seconds;
    run(site, 20);
    assert.deepEqual(sentSince(site, raised), [11]);
  });

  it('a vehicle that rose and fell between two reports is not taken for one that never rose', () => {
    const car = miniCar(charger(), { reportEvery: 5, lag: 3 });
    const site = miniSite([car]);
    site.house = (seconds) => (seconds < 60 ? flat(17) : flat(4));
    run(site, 60);
    while (setpoint(site) !== 16) run(site, 0.1);
    run(site, 0.1);
    // It rises with L3's sample, 1.8 s after a report; the next report comes right after its fall, before any sample of that.
    const rise = 5000 * Math.ceil((car.pending[0].at + 3000) / 5000) - 2800;
    car.pending[0].at = rise;
    site.house = (seconds) => [4, 4, seconds < rise / 1000 ? 4 : 14];
    const raised = site.seconds;
    while (setpoint(site) === 16) run(site, 0.1);
    car.pending[0].at = rise + 3200;
    run(site, 20);
    assert.deepEqual(sentSince(site, raised), [11]);
  });

  it('the same measurement once more, with other news, is no second report', () => {
    const site = run(miniSite([miniCar()]), 30);
    const track = site.controller.chargers.get('go-e');
    const report = track?.report;
    assert.ok(track && report);
    const { reportAt } = track;
    onCharger(site.controller, 'go-e', { ...report, age: 2.999 }, reportAt + 3002);
    assert.equal(track.reportAt, reportAt);
  });

  it('at most one reversal a minute with a noisy constant load', () => {
    const site = miniSite([miniCar()]);
    let seed = 1;
    const noise = () => {
      seed = (seed * 48271) % 2147483647;
      return (seed / 2147483647 - 0.5) * 0.6;
    };
    site.house = () => [11 + noise(), 11 + noise(), 11 + noise()];
    run(site, 1260);
    const sent = site.sent.filter((s) => s.at > 60);
    const reversals = sent.filter(
      (s, i) => i > 1 && (s.current - sent[i - 1].current) * (sent[i - 1].current - sent[i - 2].current) < 0,
    );
    assert.ok(reversals.length <= 20, `${reversals.length} in 20 minutes`);
    assert.ok(highest(site, 70) < 25.7);
  });

  it('raises at most every five seconds', () => {
    const site = run(miniSite([miniCar()]), 5);
    site.house = (t) => flat(Math.max(1, 18 - (t - 5)));
    run(site, 60);
    const raises = site.sent.filter((s, i) => i > 0 && s.current > site.sent[i - 1].current);
    for (let i = 1; i < raises.length; i++) assert.ok(raises[i].at - raises[i - 1].at >= 5 - 1e-9);
    assert.ok(raises.length > 1);
  });

  it('two jumps within one lag are both answered at once', () => {
    const site = run(miniSite([miniCar(charger(), { lag: 6 })]), 60);
    site.house = (t) => [t < 62 ? 12 : 16, 4, 4];
    run(site, 4);
    assert.equal(setpoint(site), 9);
    run(site, 60);
    assert.equal(setpoint(site), 9);
  });
});

describe('S4 and S5: what is not known is the worst case', () => {
  it('counts all three phases until the phases in use are proven, then only those', () => {
    const site = miniSite([miniCar(charger(), { phases: ['L1'] })]);
    site.house = () => [4, 17, 4];
    run(site, 5);
    assert.ok((setpoint(site) ?? 99) <= 8);
    run(site, 40);
    assert.equal(setpoint(site), 16);
  });

  it('keeps the last offer of a silent charger reserved', () => {
    const cars = [miniCar(charger('a')), miniCar(charger('b'))];
    const site = run(miniSite(cars), 60);
    const offer = setpoint(site, 'a') ?? 0;
    cars[0].reports = false;
    cars[0].obeys = false;
    run(site, 20);
    site.house = () => flat(8);
    run(site, 60);
    assert.equal(setpoint(site, 'a'), offer);
    assert.ok((setpoint(site, 'b') ?? 99) + offer + 8 <= 25);
    assert.ok(site.alerts.some((a) => a.code === 'charger-reserved' && a.active));
  });

  it('tells once of a charger that comes and goes, and of its end when it has stayed', () => {
    const site = run(miniSite([miniCar()]), 60);
    const reserved = () => site.alerts.filter((a) => a.code === 'charger-reserved').map((a) => a.active);
    for (let k = 0; k < 5; k++) {
      site.cars[0].reports = false;
      run(site, 40);
      site.cars[0].reports = true;
      run(site, 30);
    }
    assert.deepEqual(reserved(), [true]);
    run(site, 40);
    assert.deepEqual(reserved(), [true, false]);
  });

  it('reserves the maximum of a charger that does not obey', () => {
    const cars = [miniCar(charger('a')), miniCar(charger('b'))];
    const site = run(miniSite(cars), 60);
    cars[0].obeys = false;
    site.house = () => flat(12);
    run(site, 90);
    assert.ok(site.alerts.some((a) => a.code === 'disobeys' && a.active));
    assert.equal(setpoint(site, 'b'), 0);
  });

  it('does not accuse a charger that reports rarely of what it said before it had to follow', () => {
    for (const reportEvery of [5, 7, 10, 12, 15, 20, 30])
      for (const offset of [0, 3, 6, 9, 12]) {
        const site = run(miniSite([miniCar(charger('a'), { reportEvery }), miniCar(charger('b'))]), 100 + offset);
        const loads = [12, 4, 16, 8, 4];
        site.house = (seconds) => flat(loads[Math.floor(seconds / 90) % loads.length]);
        run(site, 900);
        const accused = site.alerts.filter((a) => a.code === 'disobeys');
        assert.deepEqual(accused, [], `every ${reportEvery} s, from ${offset} s`);
      }
  });

  it('may raise one again that says at 0 what it falls to by itself, while nothing flows (Delta)', () => {
    const site = run(miniSite([miniCar(charger('a'), { offersAtLeast: 6 })]), 60);
    site.house = () => flat(22);
    run(site, 120);
    assert.equal(setpoint(site, 'a'), 0);
    assert.ok(committed(site.controller.chargers.get('a') as ChargerTrack, { vehicleLag: 6, reportSkew: 1 }) >= 6);
    site.house = () => flat(4);
    run(site, 120);
    assert.equal(setpoint(site, 'a'), 16);
    assert.deepEqual(
      site.alerts.filter((a) => a.code === 'disobeys'),
      [],
    );
  });

  it('reserves the maximum of a charger that does not obey, however rarely it reports', () => {
    for (const reportEvery of [1, 5, 10, 15, 20]) {
      const cars = [miniCar(charger('a'), { reportEvery }), miniCar(charger('b'))];
      const site = run(miniSite(cars), 120);
      cars[0].obeys = false;
      site.house = () => flat(12);
      run(site, 90);
      assert.ok(
        site.alerts.some((a) => a.code === 'disobeys' && a.active),
        `every ${reportEvery} s`,
      );
    }
  });

  it('tells when safe currents and the assumed load do not fit under a rating', () => {
    const site = { circuits: [{ ...HOME, fallbackLoad: 22 }], chargers: [charger()], voltage: 230 };
    assert.match(siteProblems(site)[0].expected, /at least 28 A/);
    assert.deepEqual(siteProblems({ ...site, circuits: [HOME] }), []);
  });

  it('a limit whose source falls silent means the safe current, or nothing, as its source says', () => {
    for (const [onExpiry, expected] of [
      ['fallback', 6],
      ['release', 16],
    ] as const) {
      const site = run(miniSite([miniCar()]), 30);
      onLimit(site.controller, 'main', 'test', { current: flat(10), validFor: 20, onExpiry }, 30_000);
      run(site, 10);
      assert.equal(setpoint(site), 10);
      run(site, 40);
      assert.equal(setpoint(site), expected, onExpiry);
    }
  });
});

describe('S6: restart and deploy', () => {
  it('reads back what is in force and changes nothing while the meter comes', () => {
    const site = run(miniSite([miniCar()]), 60);
    const again = createController(site.controller.site, {}, 0);
    onCharger(
      again,
      'go-e',
      { online: true, state: 'C', current: flat(16), offer: 16, phases: ['L1', 'L2', 'L3'] },
      100,
    );
    assert.deepEqual(
      decide(again, 200).setpoints.map((s) => s.current),
      [16],
    );
    for (let t = 300; t < 2000; t += 100) assert.deepEqual(decide(again, t).setpoints, []);
    for (const p of [0, 1, 2]) onMeter(again, 'grid', { current: flat(20) }, 2000 + p);
    assert.deepEqual(decide(again, 2100).setpoints, []);
  });

  it('starts nothing before every phase was measured', () => {
    const controller = createController({ circuits: [HOME], chargers: [charger()], voltage: 230 }, {}, 0);
    for (let t = 100; t < 4000; t += 100) {
      onCharger(controller, 'go-e', { online: true, state: 'B', current: flat(0), offer: 0 }, t);
      onMeter(controller, 'grid', { current: [4, 4, null] }, t);
      for (const s of decide(controller, t).setpoints) assert.equal(s.current, 0);
    }
  });

  it('a changed configuration keeps what is known of the rest', () => {
    const site = run(miniSite([miniCar()]), 60);
    const { controller } = site;
    site.controller = reconfigure(controller, { ...controller.site, chargers: [charger(), charger('new')] }, 60_000);
    run(site, 10);
    assert.deepEqual(sentSince(site, 60), []);
  });
});

describe('S7: a person', () => {
  it('pauses until the person resumes; the resume is not held by the minimum pause', () => {
    const site = run(miniSite([miniCar()]), 60);
    onRequest(site.controller, 'go-e', { enabled: false });
    run(site, 600);
    assert.equal(setpoint(site), 0);
    onRequest(site.controller, 'go-e', { enabled: true });
    run(site, 20);
    assert.equal(setpoint(site), 16);
  });

  it('pauses until the vehicle is unplugged', () => {
    const car = miniCar();
    const site = run(miniSite([car]), 60);
    onRequest(site.controller, 'all', { enabled: false });
    run(site, 60);
    car.plugged = false;
    run(site, 10);
    car.plugged = true;
    run(site, 60);
    assert.equal(setpoint(site), 16);
  });

  it('sets a limit, clamped to the charger, and below the minimum nothing charges', () => {
    const site = run(miniSite([miniCar()]), 60);
    onRequest(site.controller, 'go-e', { maxCurrent: 9 });
    run(site, 20);
    assert.equal(setpoint(site), 9);
    onRequest(site.controller, 'go-e', { maxCurrent: 5 });
    run(site, 20);
    assert.equal(setpoint(site), 0);
    onRequest(site.controller, 'go-e', { maxCurrent: 99 });
    run(site, 20);
    assert.equal(setpoint(site), 16);
  });
});

describe('S9: age', () => {
  it('a silent meter brings the safe current within 5 s and a pause within 30 s, and an alert each', () => {
    const site = run(miniSite([miniCar()]), 60);
    site.meter = () => null;
    run(site, 5);
    assert.equal(setpoint(site), 6);
    run(site, 27);
    assert.equal(setpoint(site), 0);
    assert.deepEqual(
      site.alerts.filter((a) => a.active).map((a) => a.code),
      ['meter-late', 'meter-silent'],
    );
    site.meter = (total) => total;
    run(site, 90);
    assert.equal(setpoint(site), 16);
    assert.deepEqual(
      site.alerts
        .filter((a) => !a.active)
        .map((a) => a.code)
        .sort(),
      ['meter-late', 'meter-silent'],
    );
  });

  it('one silent phase counts as a silent meter; the others still act at once', () => {
    const site = run(miniSite([miniCar()]), 60);
    site.meter = (total) => [total[0], null, total[2]];
    run(site, 5);
    assert.equal(setpoint(site), 6);
    site.house = () => [4, 4, 20];
    run(site, 1.5);
    assert.equal(setpoint(site), 0);
  });
});

describe('S10, S11, S13: what is measured is not what is drawn', () => {
  it('a wrong rotation sends everything to safe, then to 0, and counts every phase from then on', () => {
    // Changes of less than 4 A are too small for S13: only the backstop sees it.
    const config = charger('go-e', { rotation: ['L1'], max: 9 });
    const site = miniSite([miniCar(config, { phases: ['L3'] })]);
    site.house = (t) => (t < 40 ? flat(4) : [4, 4, 20]);
    // The charger says what it was configured to say: its own conductor.
    const rotate = site.cars[0];
    Object.defineProperty(rotate, 'reports', { value: false });
    const report = () =>
      onCharger(
        site.controller,
        'go-e',
        {
          online: true,
          state: rotate.draw > 0 ? 'C' : 'B',
          current: [rotate.draw, 0, 0],
          offer: rotate.offer,
          phases: ['L1'],
        },
        site.seconds * 1000,
      );
    for (let i = 0; i < 70; i++) {
      report();
      run(site, 1);
    }
    assert.ok(site.alerts.some((a) => a.code === 'overload' && a.active));
    assert.equal(setpoint(site), 0);
    assert.ok(site.controller.chargers.get('go-e')?.phasesSuspect);
  });

  it('where only one phase is laid, a charger whose phases are in doubt charges again on that one', () => {
    const garage: CircuitConfig = {
      ...HOME,
      id: 'garage',
      parent: 'main',
      meter: undefined,
      phases: ['L2'],
      margin: 0,
    };
    const site = miniSite([miniCar(charger('go-e', { circuit: 'garage', rotation: ['L2'], max: 9 }))], [HOME, garage]);
    run(site, 60);
    assert.equal(setpoint(site), 9);
    // Nobody has proved yet that it does not load L3.
    site.house = () => [4, 4, 30];
    run(site, 60);
    assert.equal(setpoint(site), 0);
    assert.ok(site.controller.chargers.get('go-e')?.phasesSuspect);
    site.house = () => flat(4);
    run(site, 300);
    assert.equal(setpoint(site), 9);
  });

  it('a reversed transformer is no free room and raises an alert', () => {
    const site = miniSite([miniCar()]);
    site.house = () => [14, 4, 4];
    site.meter = (total) => [-total[0], total[1], total[2]];
    run(site, 60);
    assert.equal(setpoint(site), 11);
    assert.ok(site.alerts.some((a) => a.code === 'meter-negative' && a.active));
  });

  it('with generation, export is no room for the fuse unless the circuit says so', () => {
    for (const [exportIsRoom, expected] of [
      [false, 20],
      [true, 32],
    ] as const) {
      const config = charger('go-e', { max: 32 });
      const site = miniSite([miniCar(config)], [{ ...HOME, rating: 20, margin: 0, generation: true, exportIsRoom }]);
      site.house = () => flat(-12.5);
      run(site, 60);
      assert.equal(setpoint(site), expected);
    }
  });

  it('a frozen meter is found out by the changes it does not show', () => {
    const site = run(miniSite([miniCar()]), 60);
    site.meter = () => [20, 20, 20];
    for (const maxCurrent of [8, 16, 8, 16]) {
      onRequest(site.controller, 'go-e', { maxCurrent });
      run(site, 25);
    }
    assert.ok(site.alerts.some((a) => a.code === 'meter-implausible' && a.active));
    assert.ok((setpoint(site) ?? 99) <= 6);
  });

  it('vehicles that stop by themselves, or leave, find a frozen meter out as well (site days 436 and 516)', () => {
    for (const leaves of [false, true]) {
      const cars = ['a', 'b'].map((id) => miniCar(charger(id), { reportEvery: 5 }));
      const site = run(miniSite(cars, [{ ...HOME, rating: 63 }]), 120);
      const frozen = site.trace.at(-1)?.total ?? flat(0);
      site.meter = () => frozen;
      for (const car of cars) {
        Object.assign(car, leaves ? { plugged: false } : { max: 0 });
        run(site, 60);
      }
      assert.ok(
        site.alerts.some((a) => a.code === 'meter-implausible'),
        `leaves: ${leaves}`,
      );
    }
  });

  it('two chargers that change against each other show nothing, and the meter is believed', () => {
    const site = miniSite([miniCar(charger('a')), miniCar(charger('b'))]);
    run(site, 40);
    for (let turn = 0; turn < 6; turn++) {
      onRequest(site.controller, 'a', { maxCurrent: turn % 2 ? 6 : 14 });
      onRequest(site.controller, 'b', { maxCurrent: turn % 2 ? 14 : 6 });
      run(site, 30);
    }
    assert.deepEqual(site.alerts, []);
  });

  it('a meter that comes back after a silence need not show what happened meanwhile', () => {
    const site = run(miniSite([miniCar(charger('a')), miniCar(charger('b'))]), 60);
    const { meter } = site;
    site.meter = (total, seconds) => (seconds > 60 && seconds < 96 ? null : meter(total, seconds));
    // What the house gives up is what the cars give up: the meter returns with the reading of before.
    site.house = (seconds) => (seconds > 92 ? [16, 16, 16] : [4, 4, 4]);
    run(site, 120);
    assert.ok(!site.alerts.some((a) => a.code === 'meter-implausible'));
  });

  it('a meter that shows the changes is believed however busy the house is', () => {
    const site = miniSite([miniCar()]);
    site.house = (t) => [4 + 6 * (Math.floor(t / 40) % 2), 6, 5 + 8 * (Math.floor(t / 70) % 2)];
    for (let i = 0; i < 20; i++) {
      onRequest(site.controller, 'go-e', { maxCurrent: i % 2 ? 16 : 8 });
      run(site, 25);
    }
    assert.ok(!site.alerts.some((a) => a.code === 'meter-implausible'));
  });
});

describe('several chargers', () => {
  it('S2: a newcomer gets current only when the others have given it back', () => {
    const cars = [miniCar(charger('a'), { lag: 6 }), miniCar(charger('b'), { plugged: false, lag: 1 })];
    const site = run(miniSite(cars), 60);
    // An empty connector takes nothing from one that charges.
    assert.deepEqual([setpoint(site, 'a'), setpoint(site, 'b')], [16, 0]);
    cars[1].plugged = true;
    run(site, 60);
    // 21 A for two: the odd one is handed out, too.
    assert.deepEqual([setpoint(site, 'a'), setpoint(site, 'b')], [11, 10]);
    assert.ok(highest(site, 0) <= 25 + 1e-9);
  });

  it('one that is paused for lack of room comes back after the minimum pause at the earliest', () => {
    const site = run(miniSite([miniCar()]), 60);
    site.house = (t) => (t < 65 ? flat(22) : flat(4));
    run(site, 120);
    const [stop, start] = site.sent.filter((s) => s.at > 60);
    assert.equal(stop.current, 0);
    assert.ok(start.at - stop.at >= 59.999 && start.at - stop.at < 63, `${start.at - stop.at}`);
  });
});

describe('margins', () => {
  it('near an MCB the plan keeps the margin that the jump asks for', () => {
    const site = miniSite([miniCar()], [{ ...HOME, device: 'B', jump: 9 }]);
    run(site, 60);
    assert.equal(setpoint(site), 16);
    site.house = () => flat(10);
    run(site, 30);
    assert.equal(setpoint(site), 10);
  });

  it('the classic rule keeps the minimum until its source says 0', () => {
    const site = run(miniSite([miniCar()]), 30);
    onLimit(
      site.controller,
      'main',
      'classic',
      { current: flat(25), validFor: 1000, onExpiry: 'fallback', keepMinimum: true },
      30_000,
    );
    site.house = () => flat(21);
    run(site, 6);
    assert.equal(setpoint(site), 6);
    onLimit(site.controller, 'main', 'classic', { current: flat(0), validFor: 1000, onExpiry: 'fallback' }, 36_000);
    run(site, 1);
    assert.equal(setpoint(site), 0);
  });
});

describe('the learned jump', () => {
  it('does not take a car that starts before its charger was heard for a jump of the house', () => {
    const circuit = { ...HOME, jump: 'learned' as const };
    const controller = createController({ circuits: [circuit], chargers: [charger()], voltage: 230 }, {}, 0);
    for (let t = 1000; t <= 5000; t += 1000) {
      onMeter(controller, 'grid', { current: t < 3000 ? flat(2) : [30, 20, 20] }, t);
      decide(controller, t);
    }
    assert.equal(controller.circuits.get('main')?.jump.largest, 0);
  });

  it('learns what the house really does', () => {
    const site = run(miniSite([miniCar()], [{ ...HOME, jump: 'learned' }]), 60);
    site.house = () => [13, 4, 4];
    run(site, 60);
    const largest = site.controller.circuits.get('main')?.jump.largest ?? 0;
    assert.ok(largest > 8 && largest <= 9 + 1e-9, `${largest}`);
  });
});

describe('a report that is older than the meter', () => {
  it('is no reason to pause: the car may have risen before the meter was heard', () => {
    const controller = createController({ circuits: [HOME], chargers: [charger()], voltage: 230 }, {}, 0);
    const report = { online: true, state: 'B' as const, current: flat(0), offer: 16, age: 10 };
    onCharger(controller, 'go-e', report, 100);
    for (let t = 1000; t <= 3000; t += 1000) {
      onMeter(controller, 'grid', { current: flat(20) }, t);
      assert.ok(decide(controller, t).setpoints.every((s) => s.current === 16));
    }
    onMeter(controller, 'grid', { current: [20, 30, 20] }, 4000);
    assert.deepEqual(
      decide(controller, 4000).setpoints.map((s) => s.current),
      [11],
    );
  });
});
