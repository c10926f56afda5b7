import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import {
  type Controller,
  decide,
  type Input,
  onMeter,
  type PerPhase,
  type Replayed,
  receive,
  replay,
  snapshot,
  thaw,
} from '../../core/index.ts';
import { decode, divergence, encode } from '../../core/recording/exact.ts';
import { stateLines } from '../../core/recording/state.ts';
import { charger, miniCar, miniSite, run } from './mini-site.ts';
import { recordDay, Tape } from './recorded-day.ts';

const frozen = (controller: Controller) => [...stateLines(snapshot(controller))];
/** On its way through a file. */
const stored = (controller: Controller) => thaw(JSON.parse(JSON.stringify(frozen(controller))));
const differences = (steps: Iterable<Replayed>) =>
  [...steps].map((s) => ('difference' in s ? s.difference : undefined)).filter((d) => d !== undefined);

describe('exact JSON', function () {
  this.timeout(60_000);
  const plain = fc.anything({
    withMap: true,
    withSet: true,
    withNullPrototype: false,
    values: [fc.double(), fc.constantFrom(-0, 0, Number.NaN, '#', '##map', '#undefined', undefined), fc.string()],
    key: fc.oneof(fc.constantFrom('#map', '#set', '##', '__proto__', '7'), fc.string()),
  });

  it('gives back what it was given, bit for bit and in order', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const json = encode(value);
        assert.deepStrictEqual(decode(JSON.parse(JSON.stringify(json))), value);
        assert.equal(JSON.stringify(encode(decode(json))), JSON.stringify(json));
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses what it cannot give back', () => {
    for (const value of [() => 1, Symbol('x'), 1n, new Date(0), new WeakMap(), [{ a: new URL('http://a') }]])
      assert.throws(() => encode(value), /expected plain data/);
    assert.throws(() => decode(['#infinite']), /#infinite — expected one of #undefined/);
  });

  it('finds where two values differ first, in order, too', () => {
    const value = { a: [1, { b: 2, c: 3 }] };
    assert.equal(divergence(encode(value), encode(structuredClone(value))), undefined);
    const found = (other: unknown) => divergence(encode(value), encode(other));
    assert.deepEqual(found({ a: [1, { b: 2, c: 4 }] }), { path: 'a.1.c', recorded: '3', replayed: '4' });
    assert.deepEqual(found({ a: [1] }), { path: 'a.1', recorded: '{"b":2,"c":3}', replayed: 'nothing' });
    assert.deepEqual(found({ a: [1, { c: 3, b: 2 }] }), { path: 'a.1 (order)', recorded: 'b,c', replayed: 'c,b' });
    assert.deepEqual(found({ a: {} })?.path, 'a');
    assert.equal(divergence(encode(0), encode(-0))?.replayed, '"#-0"');
  });
});

describe('the state of a controller', function () {
  this.timeout(120_000);

  it('thaws as it was frozen, and goes on as the one that it was taken of', () => {
    const cars = ['a', 'b'].map((id) => miniCar(charger(id, { safe: 0, phaseSwitching: true }), { offer: 0, draw: 0 }));
    const site = run(miniSite(cars, undefined, { policy: 'departure' }), 90);
    const thawed = stored(site.controller);
    assert.ok(isDeepStrictEqual(thawed, site.controller));
    const at = site.seconds * 1000;
    for (let t = at; t < at + 40_000; t += 250) {
      for (const controller of [site.controller, thawed])
        if (t % 1000 === 0) onMeter(controller, 'grid', { current: [24, t % 3000 === 0 ? 31 : 12, 9] }, t);
      const [one, other] = [site.controller, thawed].map((controller) => decide(controller, t));
      assert.deepStrictEqual(other.setpoints, one.setpoints);
      assert.deepStrictEqual(other.allocation(), one.allocation());
    }
  });

  it('is a moment: what comes after it does not change it', () => {
    const site = run(miniSite([miniCar()]), 60);
    const moment = snapshot(site.controller);
    const lines = JSON.stringify([...stateLines(moment)]);
    run(site, 60);
    assert.notEqual(JSON.stringify(frozen(site.controller)), lines);
    assert.equal(JSON.stringify([...stateLines(moment)]), lines);
  });

  it('shares with the controller only what is never changed', () => {
    for (let seed = 1; seed <= 5; seed++) recordDay({ seed, minutes: 15, chunk: 150, begins: freezeListed });
  });

  it('is refused where it is not whole', () => {
    const lines = frozen(run(miniSite([miniCar()]), 5).controller);
    assert.throws(
      () => thaw(lines.filter((l) => !('state' in l && l.state[0].join() === 'site'))),
      /path site — expected what is above it first/,
    );
    assert.throws(
      () => thaw(lines.filter((l) => !('state' in l && l.state[0].join() === 'startedAt'))),
      /without startedAt/,
    );
    assert.throws(() => thaw(lines.filter((l) => 'entry' in l)), /circuits — expected what is above it first/);
    assert.throws(() => thaw([...lines, { entry: [['sequence'], 0, 1] }]), /expected a Map or a list before/);
    for (const path of [
      ['__proto__', 'polluted'],
      ['constructor', 'prototype', 'polluted'],
    ])
      assert.throws(() => thaw([...lines, { state: [path, true] }]), /expected what is above it first/);
    assert.equal((stored as unknown as { polluted?: boolean }).polluted, undefined);
  });
});

/** Makes a change of any object in a list an error. */
function freezeListed(value: unknown, listed = false): void {
  if (typeof value !== 'object' || value === null) return;
  const inList = Array.isArray(value);
  if (listed && !inList) Object.freeze(value);
  const items = value instanceof Map ? value.values() : Object.values(value);
  for (const item of items) freezeListed(item, listed || inList);
}

describe('a replay', function () {
  this.timeout(120_000);

  it('gives the same set-points, alerts and states as the recorded day, bit for bit', () => {
    let switches = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 20, max: 2000 }), (seed, chunk) => {
        const tape = recordDay({ seed, minutes: 15, chunk });
        const steps = [...replay(tape.lines)];
        assert.deepEqual(differences(steps), []);
        const of = (step: Replayed['step']) => steps.filter((s) => s.step === step);
        assert.equal(of('decision').length, tape.decisions);
        assert.equal(of('input').length, tape.inputs);
        switches += steps.filter((s) => s.step === 'chunk' && s.compared).length;
        const last = steps.at(-1);
        assert.ok(last && 'controller' in last && isDeepStrictEqual(last.controller, tape.controller));
      }),
      { numRuns: 12 },
    );
    assert.ok(switches > 10, `${switches} chunks compared`);
  });

  /** A minute of a home in which the house rises at 30 s. */
  function recordHome(): string[] {
    const site = run(miniSite([miniCar()]), 40);
    const tape = new Tape();
    tape.begin(site.controller, site.seconds * 1000, 'start');
    const tell = (input: Input) => {
      assert.ok(receive(site.controller, input));
      tape.hear(site.controller, input);
    };
    for (let at = 40_250; at < 100_000; at += 250) {
      const draw = site.controller.chargers.get('go-e')?.setpoint ?? 0;
      const current: PerPhase = [draw, draw, draw];
      if (at % 1000 === 0)
        tell({ kind: 'meter', at, id: 'grid', input: { current: [20, draw + (at < 70_000 ? 4 : 15), 12] } });
      if (at % 1000 === 500)
        tell({ kind: 'charger', at, id: 'go-e', input: { online: true, state: 'C', current, offer: draw } });
      tape.decided(site.controller, at, decide(site.controller, at));
      if (at === 80_000) tape.begin(site.controller, at, 'time');
    }
    return tape.lines;
  }

  const HOME = recordHome();
  /** The recording with the first line after `from` that matches changed. */
  function changed(pattern: RegExp, change: (line: string) => string, from = 0): Iterable<Replayed> {
    const at = HOME.findIndex((line, i) => i >= from && pattern.test(line));
    assert.ok(at >= 0, `${pattern}`);
    return replay(HOME.toSpliced(at, 1, change(HOME[at])));
  }

  it('finds nothing in a recording as it is', () => {
    const steps = [...replay(HOME)];
    assert.deepEqual(differences(steps), []);
    const sent = steps.flatMap((s) =>
      s.step === 'decision' && !(s.decision instanceof Error) ? s.decision.setpoints : [],
    );
    assert.ok(new Set(sent.map((s) => s.current)).size > 1, 'set-points change in it');
  });

  it('finds a reading that was another', () => {
    const [first] = differences(changed(/"meter","at":70000/, (line) => line.replace('31', '24')));
    assert.equal(first.of, 'decision');
    assert.match(first.recorded, /^{"setpoints":\[{"id":"go-e"/);
    assert.equal(first.at, 1.7e12 + 70_000);
  });

  it('finds a reading that another left no trace of in the set-points: in the next state', () => {
    const [first] = differences(changed(/"meter","at":79000/, (line) => line.replace('12]', '12.000000000000002]')));
    assert.equal(first.of, 'state');
    assert.match(first.path, /^circuits\.main\.meter\.samples\.2\./);
    assert.deepEqual([first.recorded, first.replayed], ['12', '12.000000000000002']);
  });

  it('finds a message that is missing, and one that came a tenth of a second later', () => {
    assert.notDeepEqual(differences(changed(/"meter","at":70000/, () => '')), []);
    const [more] = differences(changed(/"meter","at":79000/, (line) => line.replace('79000', '79100'), 200));
    assert.equal(more.of, 'state');
  });

  it('finds a set-point, a reason and a number that were others', () => {
    const setpoint = /"out":\{"setpoints"/;
    const [current] = differences(changed(setpoint, (line) => line.replace(/"current":(\d+)/, '"current":5$1')));
    assert.match(current.path, /^setpoints\.0\.current$/);
    assert.match(
      differences(changed(setpoint, (line) => line.replace(/"code":"/, '"code":"x')))[0].path,
      /reason\.code$/,
    );
    const [dropped] = differences(changed(setpoint, (line) => `{"decide":${JSON.parse(line).decide}}`));
    assert.equal(dropped.recorded, 'nothing');
  });

  it('finds a state that was another', () => {
    const [first] = differences(
      changed(/\["chargers"\],"go-e"/, (line) => line.replace(/"setpoint":\d+/, '"setpoint":6')),
    );
    assert.equal(first.of, 'decision');
  });

  it('tells of an input that cannot be booked any more', () => {
    const [first] = differences(changed(/"meter","at":70000/, (line) => line.replace('"grid"', '"other"')));
    assert.deepEqual([first.of, first.recorded, first.replayed], ['input', 'true', 'false']);
    const [second] = differences(changed(/"meter","at":70000/, (line) => line.replace('[20', '["#NaN"')));
    assert.match(second.replayed, /current\.0/);
  });

  it('repeats an error of the controller, and says when it is another', () => {
    const site = run(miniSite([miniCar()]), 10);
    const tape = new Tape();
    site.controller.patience.clear();
    tape.begin(site.controller, 10_000, 'start');
    const failed = (): Error => {
      try {
        decide(site.controller, 10_250);
      } catch (error) {
        return error as Error;
      }
      assert.fail('it decided');
    };
    tape.decided(site.controller, 10_250, failed());
    assert.deepEqual(differences(replay(tape.lines)), []);
    tape.lines[tape.lines.length - 1] = '{"decide":10250,"out":{"error":"another"}}';
    assert.equal(differences(replay(tape.lines))[0].path, 'error');
  });

  it('says which line cannot be read, and why', () => {
    const refused: [string, Iterable<string>, RegExp][] = [
      ['nothing', [], /line 1: nothing/],
      ['no header', HOME.slice(1), /line 1: chunk — expected the header/],
      [
        'a newer format',
        [HOME[0].replace('"format":1', '"format":2')],
        /line 1: format 2 — expected 1; replay it with test/,
      ],
      ['no JSON', [HOME[0], '{"chunk":'], /line 2: .*JSON/],
      ['a number', [HOME[0], '12'], /line 2: 12 — expected an object/],
      ['an unknown line', [HOME[0], '{"surprise":1}'], /line 2: surprise — expected chunk/],
      ['no state', [...HOME.slice(0, 2), '{"decide":1}'], /line 3: .*expected the state of a chunk/],
      [
        'no path',
        [...HOME.slice(0, 2), '{"state":["sequence",1]}', '{"decide":1}'],
        /line 4: "sequence" — expected a path/,
      ],
      ['half a state', [...HOME.slice(0, 3), '{"decide":1}'], /line 4: state without/],
    ];
    for (const [what, lines, expected] of refused) assert.throws(() => [...replay(lines)], expected, what);
  });
});
