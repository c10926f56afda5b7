import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { POLICIES } from '../../core/index.ts';
import { parseMessage } from '../../messages/index.ts';
import dlmAllocator from '../../nodes/dlm-allocator/dlm-allocator.ts';
import { type Message, next } from './devices.ts';
import { type FlowNode, helper, load, logged, MAIN, SITE } from './helper.ts';

/** As flows had it before there were policies. */
const OLD = {
  id: 'allocator',
  type: 'dlm-allocator',
  site: 'site',
  increaseSeconds: 5,
  minOffSeconds: 60,
  vehicleLagSeconds: 6,
  wires: [['setpoints'], ['picture'], ['alerts']],
};
const HOUR = 3_600_000;

interface Picture {
  id: string;
  setpoint: number;
  state: string;
  reason: { code: string; text: string };
  request: Record<string, unknown>;
  energyToday?: number;
}

function send(topic: string, payload: unknown): void {
  helper.getNode('allocator').receive({ topic, payload } as never);
}

const picture = (message: Message, id: string) =>
  (message.payload.chargers as Picture[]).find((c) => c.id === id) as Picture;

/** The next whole picture for which the test holds of the charger. */
async function seen(id: string, test: (charger: Picture) => boolean): Promise<Picture> {
  const holds = (m: Message) => (m.payload.chargers as Picture[]).some((c) => c.id === id && test(c));
  const message = await next('picture', holds);
  assert.equal(parseMessage(message)?.kind, 'allocation');
  return picture(message, id);
}

describe('node dlm-allocator', function () {
  this.timeout(20_000);
  let userDir: string;
  let timer: NodeJS.Timeout | undefined;
  /** A of the house on every phase, as the meter says it. */
  let house: number;

  beforeEach(async () => {
    userDir = mkdtempSync(path.join(tmpdir(), 'fusewise-'));
    house = 4;
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
    helper.settings({ userDir } as never);
  });
  afterEach(async () => {
    clearInterval(timer);
    await helper.unload();
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    rmSync(userDir, { recursive: true, force: true });
  });

  /** A site with chargers `a` and `b`, of which `b` has the higher priority; a car waits at both. */
  async function start(fields: object = {}): Promise<void> {
    clearInterval(timer);
    const helpers = OLD.wires.flat().map((id) => ({ id, type: 'helper' }));
    const site = { ...SITE, language: 'de' };
    await load([site, { ...MAIN, meter: 'grid' }, { ...OLD, ...fields } as FlowNode, ...helpers], [dlmAllocator]);
    for (const [id, priority] of [
      ['a', 0],
      ['b', 5],
    ] as const)
      send(`charger/${id}/announce`, {
        circuit: 'main',
        rotation: ['L1', 'L2', 'L3'],
        min: 6,
        max: 16,
        safe: 0,
        priority,
      });
    const offers: Record<string, number> = { a: 0, b: 0 };
    helper.getNode('setpoints').on('input', (message) => {
      const { topic, payload } = message as Message;
      offers[(topic as string).split('/')[1]] = payload.current as number;
    });
    const report = () => {
      const at = Date.now();
      for (const [id, offer] of Object.entries(offers)) {
        const current = [offer, offer, offer];
        send(`charger/${id}`, {
          at,
          online: true,
          state: offer > 0 ? 'C' : 'B',
          current,
          power: 690 * offer,
          energy: 0,
          offer,
        });
      }
      const total = house + offers.a + offers.b;
      send('meter/grid', { at, current: [total, total, total] });
    };
    timer = setInterval(report, 250);
  }

  const stored = () => JSON.parse(readFileSync(path.join(userDir, 'dlm', 'allocator-allocator.json'), 'utf8'));

  it('divides by the policy of the form', async () => {
    house = 16;
    await start({ policy: 'equal', turnMinutes: '2,5', criticalSoc: '' });
    // 9 A are the minimum of one: nobody comes first, so the first one takes its turn.
    await seen('a', (c) => c.setpoint > 0);
    const b = await seen('b', (c) => c.setpoint === 0);
    assert.equal(b.reason.text, 'wartet, bis es an der Reihe ist: höchstens 3 min');
  });

  it('works in an old flow, which knows no policy: by priority', async () => {
    house = 16;
    await start();
    await seen('b', (c) => c.setpoint > 0);
    const a = await seen('a', (c) => c.setpoint === 0);
    assert.equal(a.reason.code, 'waits-priority');
    assert.deepEqual(logged('allocator', 'error'), []);
  });

  it('counts the energy of the day once, also of a charger that tells its values one by one when it is found again', async () => {
    await start();
    await seen('b', (c) => c.setpoint > 0);
    clearInterval(timer);
    const say = (online: boolean, energy: number, register?: number) => {
      const state = { online, state: 'C', current: [0, 0, 0], power: 0, offer: 6 };
      send('charger/a', { at: Date.now(), ...state, energy, ...(register && { register }) });
    };
    say(true, 5000, 100_000);
    say(false, 0);
    say(false, 5000);
    say(true, 5100, 100_100);
    assert.equal((await seen('a', (c) => c.energyToday !== undefined && c.energyToday >= 5100)).energyToday, 5100);
  });

  it('tells what is wrong with its settings', async () => {
    const wrong = [
      [{ policy: 'fastest' }, /policy: "fastest" — expected one of priority, equal, /],
      [{ turnMinutes: 0 }, /turnMinutes: 0 — expected 1 to 240 min/],
      [{ policy: 'soc', criticalSoc: 'low' }, /criticalSoc: "low" — expected 0 to 100 %/],
    ] as const;
    for (const [fields, expected] of wrong) {
      await load([SITE, MAIN, { ...OLD, ...fields } as FlowNode], [dlmAllocator]);
      assert.match(logged('allocator', 'error').join(), expected);
      await helper.unload();
    }
    // What the form does not show cannot be wrong.
    await load([SITE, MAIN, { ...OLD, policy: 'equal', criticalSoc: 'low' } as FlowNode], [dlmAllocator]);
    assert.deepEqual(logged('allocator', 'error'), []);
  });

  it('does not take the 0 of a charger that was not heard yet for a new session', async () => {
    await start();
    await seen('a', () => true);
    clearInterval(timer);
    const report = { at: 0, online: true, state: 'C', current: [6, 6, 6], power: 4140, energy: 5000, offer: 6 };
    send('charger/a', { ...report, energy: 0 });
    send('charger/a', report);
    send('charger/a', { ...report, online: false, energy: 0 });
    send('charger/a', { ...report, energy: 5004 });
    const today = (m: Message) => (picture(m, 'a') as unknown as { energyToday: number }).energyToday;
    assert.equal(today(await next('picture', (m) => today(m) > 5000)), 5004);
  });

  it('keeps departure, energy and state of charge over a restart', async () => {
    await start();
    const wish = { departure: Date.now() + 4 * HOUR, energy: 20_000, soc: 35 };
    await seen('a', () => true);
    send('request/a', wish);
    const before = await seen('a', (c) => c.request.energy === 20_000);
    assert.deepEqual(before.request, wish);
    assert.deepEqual(stored().requests.a, wish);
    await helper.unload();
    await start();
    const after = await seen('a', (c) => c.request.energy === 20_000);
    assert.deepEqual(after.request, wish);
  });

  it('forgets on the disk, too, what was told of a car that has gone', async () => {
    await start();
    await seen('a', (c) => c.state === 'B');
    send('request/a', { energy: 20_000 });
    assert.equal(stored().requests.a.energy, 20_000);
    clearInterval(timer);
    const nothing = { at: Date.now(), online: true, state: 'A', current: [0, 0, 0], power: 0, energy: 0, offer: 6 };
    send('charger/a', nothing);
    assert.deepEqual(stored().requests.a, {});
  });

  it('waits for a cheaper hour, also after a restart', async () => {
    await start({ policy: 'tariff' });
    await seen('a', (c) => c.setpoint > 0);
    const now = Date.now();
    send('request/a', { departure: now + 6 * HOUR, energy: 5000 });
    send('tariff/epex', {
      at: now,
      currency: 'EUR',
      prices: [
        { start: now - HOUR, end: now + HOUR, price: 0.4 },
        { start: now + HOUR, end: now + 5 * HOUR, price: -0.02 },
      ],
    });
    const a = await seen('a', (c) => c.setpoint === 0);
    assert.equal(a.reason.text, 'wartet auf eine günstigere Stunde');
    // Nobody said when b leaves: it is not held back.
    await seen('b', (c) => c.setpoint === 16);
    assert.equal(stored().prices[1].end, now + 5 * HOUR);
    await helper.unload();
    await start({ policy: 'tariff' });
    await seen('b', (c) => c.setpoint > 0);
    await seen('a', (c) => c.setpoint === 0 && c.reason.code === 'held-by-policy');
    // Prices that are not known any more hold nobody back.
    send('tariff/epex', { at: now, prices: [] });
    await seen('a', (c) => c.reason.code !== 'held-by-policy');
  });

  it('a wish can be taken back with null, also on the disk', async () => {
    await start();
    await seen('a', () => true);
    send('request/a', { energy: 20_000, departure: Date.now() + HOUR, priority: 2, maxCurrent: 10, soc: 30 });
    await seen('a', (c) => c.request.energy === 20_000);
    send('request/a', { energy: null, departure: null, maxCurrent: null, soc: null });
    const { request } = await seen('a', (c) => c.request.energy === undefined);
    assert.deepEqual(request, { priority: 2 });
    assert.deepEqual(stored().requests.a, { priority: 2 });
    assert.deepEqual(logged('allocator', 'error'), []);
  });

  it('refuses a wrong field with its value and what was expected, and changes nothing', async () => {
    await start();
    const wish = { departure: Date.now() + HOUR, energy: 1000 };
    await seen('a', () => true);
    send('request/a', wish);
    await seen('a', (c) => c.request.energy === 1000);
    const at = Date.now();
    const price = { start: at, end: at + HOUR, price: 0.3 };
    const wrong = [
      ['request/a', { energy: -1 }, /request\.energy: -1 — /],
      ['request/a', { energy: '20' }, /request\.energy: "20" — .*number/],
      ['request/a', { departure: Math.round(at / 1000), energy: 7 }, /request\.departure: \d+ — expected epoch ms/],
      ['request/a', { enabled: null, energy: 7 }, /request\.enabled: null — .*boolean/],
      ['request/a', { soc: 101, energy: 7 }, /request\.soc: 101 — /],
      [
        'tariff/x',
        { at, prices: [price, { ...price, end: at }] },
        /tariff\.prices\.1\.end: \d+ — expected a moment after/,
      ],
      ['tariff/x', { at, prices: [{ ...price, price: null }] }, /tariff\.prices\.0\.price: null — /],
      ['tariff/x', { at, prices: Array(1001).fill(price) }, /tariff\.prices: .* — .*1000/],
      ['tariff/x', { at, currency: '€', prices: [price] }, /tariff\.currency: "€" — expected three capital letters/],
    ] as const;
    for (const [topic, payload, expected] of wrong) {
      const before = logged('allocator', 'error').length;
      send(topic, payload);
      const said = logged('allocator', 'error').slice(before);
      assert.equal(said.length, 1, JSON.stringify(payload).slice(0, 100));
      assert.match(said[0], expected);
    }
    assert.deepEqual((await seen('a', () => true)).request, wish);
    assert.deepEqual(stored().requests.a, wish);
    assert.deepEqual(stored().prices, []);
  });

  it('its form offers and explains every policy, in both languages', () => {
    const folder = new URL('../../nodes/dlm-allocator/', import.meta.url);
    const names = Object.keys(POLICIES).sort();
    const form = readFileSync(new URL('dlm-allocator.html', folder), 'utf8');
    const select = /<select id="node-input-policy">([\s\S]*?)<\/select>/.exec(form)?.[1] ?? '';
    assert.deepEqual([...select.matchAll(/value="([^"]+)"/g)].map(([, value]) => value).sort(), names);
    for (const language of ['en-US', 'de']) {
      const file = new URL(`locales/${language}/dlm-allocator.json`, folder);
      const { policy, about } = JSON.parse(readFileSync(file, 'utf8'))['dlm-allocator'];
      assert.deepEqual(Object.keys(policy).sort(), names);
      assert.deepEqual(Object.keys(about).sort(), names);
    }
  });

  it('its help fits one screen in both languages and names every policy, a message in and one out', () => {
    for (const language of ['en-US', 'de']) {
      const folder = new URL(`../../nodes/dlm-allocator/locales/${language}/`, import.meta.url);
      const help = readFileSync(new URL('dlm-allocator.html', folder), 'utf8');
      const { policy } = JSON.parse(readFileSync(new URL('dlm-allocator.json', folder), 'utf8'))['dlm-allocator'];
      for (const name of Object.values<string>(policy)) {
        const label = name.split(':')[0];
        assert.ok(help.includes(`- **${label}**: `), `${language}: ${label}`);
      }
      const examples = [...help.matchAll(/```json\n(.*)\n```/g)].map(([, json]) => JSON.parse(json).topic);
      assert.deepEqual(examples, ['request/wallbox', 'setpoint/wallbox']);
      // A column of 380 px takes 50 characters a line, examples scroll, addresses do not show: that is less than 1000 px high.
      const shown = help.replace(/\(https:[^)]*\)/g, '');
      assert.ok(shown.length < 2300, `${language}: ${shown.length} characters`);
    }
  });
});
