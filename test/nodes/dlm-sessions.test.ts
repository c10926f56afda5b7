import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mock } from 'node:test';
import { parseMessage, type SessionMessage, type SessionsAnswer } from '../../messages/index.ts';
import dlmSessions from '../../nodes/dlm-sessions/dlm-sessions.ts';
import { type Message, next } from './devices.ts';
import { type FlowNode, helper, load, logged, SITE } from './helper.ts';

const NODE = { id: 'book', type: 'dlm-sessions', site: 'site', wires: [['sessions'], ['answers'], ['alerts']] };
const report = (energy: number, fields: object = {}, id = 'box') => ({
  topic: `dlm/home/charger/${id}`,
  payload: {
    ...{ at: 0, online: true, state: 'C', current: [16, 16, 16], power: 11_040, offer: 16 },
    ...{ energy, register: 50_000 + energy, user: 'Anna' },
    ...fields,
  },
});
const receive = (message: object) => helper.getNode('book').receive(message as never);
const told = (message: Message) => parseMessage(message)?.payload as SessionMessage;

async function ask(payload: object): Promise<SessionsAnswer> {
  const answer = next('answers');
  receive({ topic: 'sessions/query', payload });
  return parseMessage(await answer)?.payload as SessionsAnswer;
}

describe('node dlm-sessions', () => {
  let userDir: string;
  const start = async (more: FlowNode[] = [], site: object = {}) => {
    helper.settings({ userDir } as never);
    const helpers = NODE.wires.flat().map((id) => ({ id, type: 'helper' }));
    await load([{ ...SITE, language: 'de', ...site }, NODE, ...more, ...helpers], [dlmSessions]);
  };
  const file = () => path.join(userDir, 'dlm', 'sessions-site.sqlite');
  beforeEach(async () => {
    userDir = fs.mkdtempSync(path.join(tmpdir(), 'fusewise-'));
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
  });
  afterEach(async () => {
    await helper.unload();
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    fs.rmSync(userDir, { recursive: true, force: true });
  });

  it('tells a session when it begins and when it ends, and answers questions', async () => {
    await start();
    const [began] = [next('sessions')];
    receive(report(0));
    const first = told(await began);
    assert.deepEqual(
      [first.charger, first.user, first.energy, first.active, first.end],
      ['box', 'Anna', 0, true, undefined],
    );
    assert.equal((await began).topic, 'session/box');
    receive(report(1200));
    const ended = next('sessions');
    receive(report(1200, { state: 'A', power: 0 }));
    const last = told(await ended);
    assert.deepEqual([last.id, last.energy, last.active, last.endedBy], [first.id, 1200, false, 'unplugged']);
    assert.equal(last.peakPower, 11_040);

    const answer = await ask({ period: 'today', request: 'me', csv: true });
    const { sessions, total, sums, period, today, csv, language, currency } = answer;
    assert.deepEqual(sessions, [{ ...last, at: sessions[0].at }]);
    assert.deepEqual(total, { count: 1, energy: 1200, cost: 0, pricedEnergy: 0 });
    assert.deepEqual(sums, [{ period: today, ...total }]);
    assert.deepEqual([period, language, currency, answer.request], [today, 'de', 'EUR', 'me']);
    assert.deepEqual([answer.chargers, answer.users, answer.more], [['box'], ['Anna'], false]);
    assert.equal(csv?.name, `sessions-Home-${today}.csv`);
    assert.equal(csv?.text.split('\r\n').length, 3);
    assert.equal((await ask({ user: 'Bob' })).total.count, 0);
    assert.equal((await ask({ period: '2020' })).sums.length, 0);
  });

  it('goes on with the same session after a restart, and counts what flowed meanwhile', async () => {
    await start();
    const began = next('sessions');
    receive(report(100));
    const { id } = told(await began);
    await helper.unload();
    await start();
    const again = next('sessions');
    receive(report(5100));
    const session = told(await again);
    assert.deepEqual([session.id, session.energy, session.active], [id, 5100, true]);
    const { sessions, total } = await ask({});
    assert.deepEqual(
      sessions.map((s) => [s.id, s.energy]),
      [[id, 5100]],
    );
    assert.equal(total.count, 1);
  });

  it('knows prices, also after a restart', async () => {
    const at = Date.now();
    const prices = [{ start: at - 3_600_000, end: at + 7_200_000, price: 0.25 }];
    await start();
    receive({ topic: 'tariff/day-ahead', payload: { at, prices, currency: 'CHF' }, retain: true });
    await helper.unload();
    await start();
    const began = next('sessions');
    receive(report(0));
    await began;
    receive(report(4000));
    const ended = next('sessions');
    receive(report(4000, { state: 'A' }));
    const { cost, currency, pricedEnergy } = told(await ended);
    assert.deepEqual([cost, currency, pricedEnergy], [1, 'CHF', undefined]);
  });

  it('refuses rubbish and what is retained, and stays as it is', async () => {
    await start();
    const began = next('sessions');
    receive(report(1000));
    await began;
    receive(report(1100, { energy: 'much' }));
    receive(report(-5));
    receive({ ...report(0, { state: 'A' }), retain: true });
    receive({ topic: 'meter/grid', payload: { at: 0 } });
    receive({ topic: 'sessions/query', payload: { period: "2026' OR 1=1" } });
    const { sessions } = await ask({});
    assert.deepEqual(
      sessions.map((s) => [s.energy, s.active]),
      [[1000, true]],
    );
    assert.match(
      logged('book', 'error').join('\n'),
      /charger\.energy: "much"[\s\S]*charger box\.energy: -5[\s\S]*period/,
    );
    assert.match(logged('book', 'warn').join('\n'), /retained[\s\S]*expected charger\/…, tariff\/… or sessions\/query/);
  });

  it('sets a damaged file aside, says so, and begins a new one', async () => {
    fs.mkdirSync(path.dirname(file()));
    fs.writeFileSync(file(), 'x'.repeat(5000));
    await start();
    assert.match(
      logged('book', 'error').join(),
      /Die Datei der Ladevorgänge war beschädigt .*sessions-site\.sqlite\.damaged/,
    );
    assert.equal((await ask({})).total.count, 0);
    assert.equal(fs.readdirSync(path.dirname(file())).filter((name) => name.includes('damaged')).length, 1);
  });

  it('a disk that takes nothing is told once, and what ended meanwhile is written when it does again', async () => {
    await start();
    const began = next('sessions');
    receive(report(0));
    await began;
    const { openDatabase } = await import('../../drivers/session-store/sqlite.ts');
    const other = openDatabase(file());
    other.exec('BEGIN EXCLUSIVE');
    const alert = next('alerts');
    receive(report(2000, { state: 'A' }));
    receive(report(0, { state: 'B', power: 0 }));
    assert.deepEqual([(await alert).payload.code, (await alert).payload.active], ['sessions-not-saved', true]);
    const over = next('alerts');
    other.exec('ROLLBACK');
    other.close();
    assert.equal((await over).payload.active, false);
    assert.deepEqual(
      (await ask({})).sessions.map((s) => [s.energy, s.active]),
      [
        [0, true],
        [2000, false],
      ],
    );
    assert.equal(logged('book', 'error').length, 1);
  }).timeout(20_000);

  it('a store that cannot be opened is told once, tried again each minute, and gets what was heard meanwhile', async () => {
    fs.mkdirSync(path.dirname(file()));
    fs.mkdirSync(file());
    await start();
    const error = () => logged('book', 'error');
    assert.equal(error().length, 1);
    assert.match(error()[0], /^Ladevorgänge werden nicht aufgezeichnet: .*EISDIR/);
    receive(report(0));
    receive(report(2000));
    receive(report(2000, { state: 'A' }));
    receive(report(300, {}, 'box2'));
    receive({ topic: 'sessions/query', payload: {} });
    const over = next('alerts', ({ payload }) => payload.active === false);
    const told = next('sessions', ({ topic }) => topic === 'session/box2');
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
    try {
      fs.rmdirSync(file());
      assert.equal((await over).payload.code, 'sessions-unusable');
    } finally {
      mock.timers.reset();
    }
    assert.deepEqual([(await told).payload.energy, error().length], [300, 1]);
    assert.deepEqual(
      (await ask({})).sessions.map((s) => [s.charger, s.energy, s.active]),
      [
        ['box', 2000, false],
        // Its 300 Wh began to flow earlier.
        ['box2', 300, true],
      ],
    );
  });

  it('a second node of a site is refused: each session would be booked twice', async () => {
    await start([{ ...NODE, id: 'book2', wires: [] }]);
    assert.match(logged('book2', 'error').join(), /site: "Home" — expected a site that no other dlm-sessions node has/);
    await helper.unload();
    await start();
    assert.equal((await ask({})).total.count, 0, 'the file is free again');
  });
});
