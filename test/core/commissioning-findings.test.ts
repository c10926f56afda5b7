/** What follows from a commissioning check: what is not proven stays at worst case (S4, S13), as long as nothing is changed. */
import assert from 'node:assert/strict';
import { phasesOf } from '../../core/charger-track.ts';
import { findingsOf, followsFrom, NO_FINDINGS } from '../../core/commissioning/findings.ts';
import { judge } from '../../core/commissioning/verdicts.ts';
import {
  type ChargerConfig,
  type CheckSite,
  type CircuitConfig,
  checkFindings,
  createCheck,
  type Outcome,
  onRequest,
  type PerPhase,
  reconfigure,
  withFindings,
} from '../../core/index.ts';
import { CheckHome } from '../../simulator/check-home.ts';
import { clampsOn } from '../../simulator/wiring.ts';
import { goThrough, START, said } from './electrician.ts';
import { charger, HOME, type MiniSite, miniCar, miniSite, run, setpoint } from './mini-site.ts';

const OPTIONS = { vehicleLagSeconds: 6 };
const SITE: CheckSite = { circuits: [HOME], chargers: [charger()], voltage: 230, channels: { grid: 'L1,L2,L3' } };

function outcomeOf(site: CheckSite): Outcome {
  const evidence = { loads: [], silent: [], frozen: [], chargers: {} };
  const verdicts = judge(site, OPTIONS, evidence);
  return { startedAt: 0, finishedAt: 1, installer: '', verdicts, evidence, ...followsFrom(site, verdicts) };
}

describe('findings of a commissioning check', () => {
  it('are none where nothing was checked, and the site stays the very same', () => {
    assert.equal(withFindings(SITE, findingsOf(SITE, undefined, false)), SITE);
    assert.equal(checkFindings(createCheck(SITE, OPTIONS, undefined)), NO_FINDINGS);
  });

  it('where nothing was proven, the charger is at worst case, and no meter is called wrong', () => {
    const outcome = outcomeOf(SITE);
    assert.ok(outcome.verdicts.every((v) => v.result === 'not-proven' && v.remedy));
    const findings = findingsOf(SITE, outcome, false);
    assert.deepEqual(findings, {
      meters: [],
      chargers: { 'go-e': { phases: ['L1', 'L2', 'L3'], obedience: true } },
    });
    const seen = withFindings(SITE, findings);
    assert.deepEqual(seen.chargers[0].unproven, findings.chargers['go-e']);
    assert.equal(SITE.chargers[0].unproven, undefined);
  });

  const outcome = outcomeOf(SITE);
  const changes: Record<string, CheckSite> = {
    'another rotation': { ...SITE, chargers: [{ ...SITE.chargers[0], rotation: ['L2', 'L3', 'L1'] }] },
    'another device': { ...SITE, devices: { 'charger go-e': '012345' } },
    'another circuit': {
      ...SITE,
      circuits: [HOME, { ...HOME, id: 'garage', parent: 'main', meter: undefined }],
      chargers: [{ ...SITE.chargers[0], circuit: 'garage' }],
    },
  };
  for (const [name, site] of Object.entries(changes)) {
    it(`${name} of a charger makes its proof void`, () => {
      assert.deepEqual(findingsOf(site, outcome, false).chargers, {});
    });
  }

  const wrong: Outcome = { ...outcome, meters: { grid: { ...outcome.meters.grid, wrong: true } } };
  const meterChanges: Record<string, CheckSite> = {
    'another device': { ...SITE, devices: { 'meter grid': 'shellyem3-2' } },
    'another order of its channels': { ...SITE, channels: { grid: 'L2,L1,L3' } },
    'whether it measures the chargers': { ...SITE, circuits: [{ ...HOME, meterIncludesChargers: false }] },
    'another meter': { ...SITE, circuits: [{ ...HOME, meter: 'other' }] },
    'another circuit': { ...SITE, circuits: [{ ...HOME, id: 'house' }] },
  };
  for (const [name, site] of Object.entries(meterChanges)) {
    it(`${name} makes the proof of a meter void`, () => {
      assert.deepEqual(findingsOf(SITE, wrong, false).meters, ['grid']);
      assert.deepEqual(findingsOf(site, wrong, false).meters, []);
    });
  }

  it('a priority, a maximum or a rating makes nothing void', () => {
    const site = {
      ...SITE,
      circuits: [{ ...HOME, rating: 35 }],
      chargers: [{ ...SITE.chargers[0], max: 10, priority: 3 }],
    };
    assert.deepEqual(findingsOf(site, wrong, false).meters, ['grid']);
    assert.equal(findingsOf(site, wrong, false).chargers['go-e'].obedience, true);
  });

  it('meters are believed as declared while they are checked again', () => {
    assert.deepEqual(findingsOf(SITE, wrong, true).meters, []);
  });

  it('one that is not known yet, as a remote charger after a restart, stays at worst case', () => {
    assert.equal(findingsOf({ ...SITE, chargers: [] }, outcome, false).chargers['go-e'].obedience, true);
  });
});

/** A mini site whose chargers and meter carry what a check found. */
function found(
  chargers: Partial<ChargerConfig>[],
  circuit: Partial<CircuitConfig> = {},
  cars: Parameters<typeof miniCar>[1] = {},
): MiniSite {
  return miniSite(
    chargers.map((more, i) => miniCar(charger(`c${i}`, more), { offer: 0, draw: 0, ...cars })),
    [{ ...HOME, ...circuit }],
  );
}

describe('worst case after a commissioning check', function () {
  this.timeout(120_000);

  it('a charger whose phases are not proven counts on all of its circuit', () => {
    const house = (): PerPhase => [4, 18, 4];
    const proven = found([{ rotation: ['L1', 'L2', 'L3'] }], {}, { phases: ['L1'] });
    const open = found([{ unproven: { phases: ['L1', 'L2', 'L3'], obedience: false } }], {}, { phases: ['L1'] });
    for (const site of [proven, open]) {
      run(site, 60);
      site.house = house;
      run(site, 200);
    }
    assert.equal(setpoint(proven, 'c0'), 16);
    assert.equal(setpoint(open, 'c0'), 7);
  });

  it('one whose first phase is proven counts there with a one-phase vehicle, and on all with two', () => {
    const unproven = { phases: ['L2' as const, 'L3' as const], obedience: false };
    const one = run(found([{ unproven }], {}, { phases: ['L1'] }), 60);
    const two = run(found([{ unproven }], {}, { phases: ['L1', 'L2'] }), 60);
    const phases = (site: MiniSite) => phasesOf(site.controller.chargers.get('c0') as never);
    assert.deepEqual(phases(one), ['L1']);
    assert.deepEqual(phases(two), ['L1', 'L2', 'L3']);
  });

  it('one that was not seen to obey starts only where its maximum fits, and goes when it does not', () => {
    const site = run(found([{ unproven: { phases: [], obedience: true } }]), 60);
    assert.equal(setpoint(site, 'c0'), 16);
    site.house = () => [4, 10, 4];
    run(site, 60);
    assert.equal(setpoint(site, 'c0'), 0);
    assert.equal(site.sent.at(-1)?.reason, 'not-seen-to-obey');
    site.house = () => [4, 8, 4];
    run(site, 200);
    assert.equal(setpoint(site, 'c0'), 16);
    const overloaded = site.trace.filter((t) => Math.max(...t.total) > 25.3);
    assert.ok(overloaded.length < 10 * 10, `${overloaded.length / 10} s`);
  });

  it('one that was not seen to obey goes on when its vehicle rises on one phase before it has told so', () => {
    const config = charger('go-e', { unproven: { phases: ['L1', 'L2', 'L3'], obedience: true } });
    for (const lag of [1, 1.3, 1.6, 1.9, 2.2, 2.5, 2.8]) {
      const car = miniCar(config, { phases: ['L1'], lag, offer: 0, draw: 0 });
      const site = miniSite([car]);
      site.house = () => [2, 2, 2];
      run(site, 120);
      const stops = site.sent.filter(({ at, current }) => at > 2 && current === 0);
      assert.deepEqual([stops, setpoint(site)], [[], 16], `${lag} s of lag`);
    }
  });

  it('a person may still ask for less than that maximum', () => {
    const site = run(found([{ unproven: { phases: [], obedience: true } }]), 60);
    onRequest(site.controller, 'c0', { maxCurrent: 9 });
    run(site, 30);
    assert.equal(setpoint(site, 'c0'), 9);
  });

  it('its maximum is kept from the others while it has a vehicle, whatever it is told', () => {
    const unproven = { phases: [], obedience: true };
    const site = found([{ unproven }, {}], { rating: 32 });
    run(site, 120);
    // 32 A − 4 A of house − 16 A that stay reserved.
    assert.equal(setpoint(site, 'c1'), 12);
    onRequest(site.controller, 'c0', { maxCurrent: 6 });
    run(site, 120);
    assert.deepEqual([setpoint(site, 'c0'), setpoint(site, 'c1')], [6, 12]);
    site.cars[0].plugged = false;
    run(site, 120);
    assert.equal(setpoint(site, 'c1'), 16);
  });

  it('is never raised into room that another still holds', () => {
    const unproven = { phases: [], obedience: true };
    const site = found([{}, { unproven }], { rating: 25 });
    site.cars[1].plugged = false;
    run(site, 60);
    assert.equal(setpoint(site, 'c0'), 16);
    site.cars[1].plugged = true;
    run(site, 200);
    assert.ok(
      site.trace.every((t) => Math.max(...t.total) <= 25.3),
      'above the fuse',
    );
    assert.deepEqual([setpoint(site, 'c0'), setpoint(site, 'c1')], [0, 16]);
  });

  it('a meter that was found wrong is not believed: charging below it pauses, and says why', () => {
    const site = run(found([{}]), 60);
    assert.equal(setpoint(site, 'c0'), 16);
    const circuits = [{ ...HOME, meterFoundWrong: true }];
    site.controller = reconfigure(site.controller, { ...site.controller.site, circuits }, site.seconds * 1000);
    run(site, 30);
    assert.equal(setpoint(site, 'c0'), 0);
    assert.equal(site.sent.at(-1)?.reason, 'meter-found-wrong');
    assert.deepEqual(site.alerts.at(-1)?.code, 'meter-found-wrong');
    site.controller = reconfigure(site.controller, { ...site.controller.site, circuits: [HOME] }, site.seconds * 1000);
    run(site, 120);
    assert.equal(setpoint(site, 'c0'), 16);
    assert.equal(site.alerts.at(-1)?.active, false);
  });
});

describe('a home after its commissioning check', function () {
  this.timeout(120_000);

  it('with a wrong meter pauses; put right and checked again, it charges', () => {
    const wired = { vehicle: { phases: ['L1' as const] } };
    const home = new CheckHome({ clamps: clampsOn('L2', 'L1', 'L3'), ...wired });
    home.run(5);
    home.command(START);
    assert.equal(said(goThrough(home), 'grid').order, 'wrong order-swapped');
    home.run(60);
    assert.equal(home.controller.chargers.get('wallbox')?.setpoint, 0);
    // Somebody swaps the clamps: nothing is configured otherwise, so only another check can tell.
    const mended = new CheckHome(wired);
    mended.kept = structuredClone(home.kept);
    mended.restart();
    mended.run(60);
    assert.equal(mended.controller.chargers.get('wallbox')?.setpoint, 0);
    mended.command(START);
    const view = goThrough(mended);
    assert.ok(view.verdicts.every((v) => v.result === 'proven'));
    mended.run(90);
    assert.equal(mended.controller.chargers.get('wallbox')?.setpoint, 16);
  });

  it('an aborted check leaves what was proven before, and its findings', () => {
    const home = new CheckHome({ vehicle: { phases: ['L1'] } });
    home.run(12);
    home.command(START);
    goThrough(home);
    const before = checkFindings(home.check);
    assert.deepEqual(before, { meters: [], chargers: { wallbox: { phases: ['L2', 'L3'], obedience: false } } });
    home.command(START);
    home.run(5);
    home.command({ command: 'abort' });
    assert.equal(home.view().state, 'checked');
    assert.deepEqual(checkFindings(home.check), before);
  });

  it('never checked, or configured anew since, says so', () => {
    const home = new CheckHome({ vehicle: { phases: ['L1'] } });
    assert.equal(home.view().state, 'never');
    assert.deepEqual(home.view().unchecked, ['grid', 'wallbox']);
    home.run(12);
    home.command(START);
    goThrough(home);
    assert.deepEqual(home.view().unchecked, []);
    home.configure({ ...home.site, chargers: [{ ...home.site.chargers[0], rotation: ['L2', 'L3', 'L1'] }] });
    assert.deepEqual(home.view().unchecked, ['wallbox']);
    assert.deepEqual(
      home.view().verdicts.map((v) => v.void),
      home.view().verdicts.map((v) => v.item === 'charger'),
    );
  });
});
