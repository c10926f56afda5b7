import assert from 'node:assert/strict';
import { type Controller, decide, type Input, receive, replay } from '../../core/index.ts';
import { tellReplay } from '../../simulator/replay-account.ts';
import { charger, HOME, miniCar, miniSite, run } from '../core/mini-site.ts';
import { Tape } from '../core/recorded-day.ts';

const SENTENCES = {
  reason: (code: string, args: object) => `because ${code} ${JSON.stringify(args)}`,
  alert: (code: string, args: object) => `${code} ${JSON.stringify(args)}`,
};

/** A home in which the house rises and stays, a person asks for less, a guard limits, and the car does not obey. */
function record(): string[] {
  const site = run(miniSite([miniCar(charger())], [{ ...HOME, name: 'Main fuse' }], { vehicleLagSeconds: 1 }), 40);
  const { controller } = site;
  const tape = new Tape();
  const tell = (input: Input) => {
    assert.ok(receive(controller, input));
    tape.hear(controller, input);
  };
  tape.begin(controller, 40_000, 'start');
  const draw = (controller as Controller).chargers.get('go-e')?.setpoint ?? 0;
  for (let at = 40_250; at <= 75_000; at += 250) {
    const house = at < 50_000 ? 4 : 20;
    if (at % 1000 === 0) {
      tell({ kind: 'meter', at, id: 'grid', input: { current: [4 + draw, house + draw, 4 + draw] } });
      const input = { online: at < 70_000, state: 'C', offer: draw } as const;
      tell({ kind: 'charger', at, id: 'go-e', input: { ...input, current: [draw, draw, draw] } });
    }
    if (at === 42_000) tell({ kind: 'request', at, id: 'go-e', input: { soc: null, departure: at + 3.6e6 } });
    if (at === 44_000 || at === 46_000)
      tell({ kind: 'limit', at, id: 'main', source: 'guard', input: { power: 9e3, validFor: 9, onExpiry: 'release' } });
    if (at === 43_000) tell({ kind: 'prices', at, prices: [{ start: at, end: at + 1, price: 0.3 }] });
    tape.decided(controller, at, decide(controller, at));
    if (at === 60_000) tape.begin(controller, at, 'time');
  }
  return tape.lines;
}

function told(lines: Iterable<string>) {
  const text: string[] = [];
  const teller = tellReplay(replay(lines), SENTENCES);
  for (;;) {
    const { done, value } = teller.next();
    if (done) return { text, totals: value };
    text.push(value);
  }
}

describe('the account of a replay', () => {
  const RECORDING = record();
  const { text, totals } = told(RECORDING);
  const has = (pattern: RegExp) => text.filter((line) => pattern.test(line)).length;

  it('tells loads against their limit, once a second at most and only what moved', () => {
    assert.equal(
      text.filter((l) => /Main fuse: L1 20\.0 of 25\.0, L2 20\.0 of 25\.0/.test(l)).length,
      1,
      text.join('\n'),
    );
    assert.equal(has(/^22:14:10\.000 {2}Main fuse: L1 20\.0 of 25\.0, L2 36\.0 ABOVE 25\.0, L3 20\.0 of 25\.0 A$/), 1);
    assert.equal(has(/Main fuse: L1/), 2);
  });

  it('tells set-points that change, with the reason and the name of the circuit', () => {
    assert.ok(has(/go-e: 16 → 13 A — because limit .*"circuit":"Main fuse"/) >= 1, text.join('\n'));
    assert.ok(totals.setpoints > has(/go-e: \d+ → \d+ A —/), 'not those that are only renewed');
  });

  it('tells what people and others asked for, once', () => {
    assert.equal(has(/22:14:02\.000 {2}go-e: asked for no soc any more, departure 2023-11-14 23:14:02\.000$/), 1);
    assert.equal(has(/limit of guard on Main fuse: 9000 W \(then release\)$/), 1);
    assert.equal(has(/prices: 1 known$/), 1);
    assert.equal(has(/go-e: state C, offers 16 A$/), 1);
    assert.equal(has(/go-e: cannot be reached$/), 1);
  });

  it('tells alerts', () => {
    assert.equal(has(/ALERT: disobeys {"charger":"go-e","setpoint":0}$/), 1, text.join('\n'));
    assert.equal(has(/ALERT: overload {"circuit":"Main fuse"}$/), 1);
  });

  it('begins with why and when it was recorded, and tells where states were compared', () => {
    assert.equal(text[0], 'recorded for manual of test at 2023-11-14 22:13:20.000 UTC');
    assert.match(text[3], /^22:14:00\.000 {2}--- 1 circuit\(s\), 1 charger\(s\): the recorder had just begun$/);
    assert.equal(has(/the recording goes on, its state is the one that the replay has come to$/), 1);
    assert.deepEqual([totals.states, totals.differences, totals.first], [1, 0, undefined]);
    assert.equal(totals.decisions, 140);
    assert.equal(totals.inputs, RECORDING.filter((line) => line.startsWith('{"input"')).length);
  });

  it('tells what is different, and counts the rest', () => {
    const wrong = told(RECORDING.map((line) => line.replace('"current":0,', '"current":1,')));
    assert.match(
      wrong.text.find((l) => l.includes('DIFFERENT')) ?? '',
      /setpoints\.0\.current: recorded 1, replayed 0 \(line/,
    );
    assert.ok(wrong.totals.differences > 0);
    const all = told(RECORDING.map((line) => line.replace(/("decide":\d+)}/, '$1,"out":{}}')));
    assert.ok(all.totals.differences > 50);
    assert.equal(all.text.filter((l) => l.includes('DIFFERENT')).length, 10);
  });

  it('tells of a decision that failed', () => {
    const at = RECORDING.findIndex((line) => line.startsWith('{"entry":[["patience"]'));
    assert.ok(told(RECORDING.toSpliced(at, 1)).text.some((line) => /no decision: .*undefined/.test(line)));
  });
});
