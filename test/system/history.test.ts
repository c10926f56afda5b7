/** History, whole: simulated days through the tab History of the home flow into a real InfluxDB, and every query of both dashboards. */
import assert from 'node:assert/strict';
import { setTimeout as passes } from 'node:timers/promises';
import { parseMessage } from '../../messages/index.ts';
import { helper, logged, MAIN } from '../nodes/helper.ts';
import { downSample, statementsOfDocs } from './down-sampling.ts';
import {
  checkOthers,
  checkPanel,
  checkRenamed,
  DASHBOARDS,
  type Dashboard,
  filled,
  type Panel,
  type Range,
  rangeOf,
  readDashboard,
} from './grafana.ts';
import { homeDay, type Said, siteDay } from './history-days.ts';
import { HistoryFlow } from './history-flow.ts';
import { type Influx, influx } from './influxd.ts';
import { VirtualTime } from './virtual-time.ts';

/** Midnight in Berlin. */
const EPOCH = Date.UTC(2026, 2, 9, 23);
const DAY_MS = 86_400_000;
const SITE_HOURS = 6;
const SITES: Record<string, string> = { home: 'Home', site: 'Depot', silent: 'Silent' };

/** A charger that charges for five minutes, is not heard for ten, and charges again. */
function silentCharger(): Said[] {
  return Array.from({ length: 121 }, (_, i) => i * 10_000).flatMap((now) => {
    const online = now < 300_000 || now >= 900_000;
    // Told once.
    if (!online && now > 300_000) return [];
    const report = { online, state: 'C', current: [16, 16, 16], power: 11_040, energy: now / 1000, offer: 16 };
    return [{ now, topic: 'charger/wallbox', payload: { at: EPOCH + now, ...report } }];
  });
}

/** Says what was said on a simulated day, message by message at its moment. */
async function replay(flow: HistoryFlow, time: VirtualTime, said: readonly Said[]): Promise<void> {
  for (let i = 0; i < said.length; ) {
    time.now = said[i].now;
    const together: Said[] = [];
    while (i < said.length && said[i].now - time.now < 500) together.push(said[i++]);
    await flow.say(together, true);
  }
  await flow.pass(61);
}

async function count(database: Influx, measurement: string, field: string, where: string): Promise<number> {
  const series = await database.query(`SELECT count("${field}") FROM "${measurement}" WHERE ${where}`);
  return Number(series[0]?.values[0][1] ?? 0);
}

describe('history in a real InfluxDB', function () {
  this.timeout(300_000);
  let database: Influx;
  let time: VirtualTime;
  let flow: HistoryFlow | undefined;
  let home: { said: Said[]; energyWh: number };

  const range = (name: string): Range => ({
    from: EPOCH,
    to: EPOCH + (name === 'site' ? SITE_HOURS * 3_600_000 : DAY_MS),
    interval: '5m',
    variables: { site: SITES[name], circuit: '.*', charger: '.*', timezone: 'Europe/Berlin' },
  });
  before(async () => {
    database = await influx();
    await database.query('CREATE DATABASE dlm');
    home = homeDay(3, EPOCH);
    const days = { home: home.said, site: siteDay(1, EPOCH, SITE_HOURS).said, silent: silentCharger() };
    for (const [name, said] of Object.entries(days)) {
      // In the shape in which the nodes send it.
      for (const message of said) assert.ok(parseMessage(message), message.topic);
      time = new VirtualTime(EPOCH);
      flow = new HistoryFlow(time);
      await flow.start(database, SITES[name], { batchSeconds: 60 });
      await replay(flow, time, said);
      await flow.stop();
      time.restore();
      console.log(`      ${name}: ${said.length} messages, ${flow.points} points in ${flow.sent} batches`);
      assert.deepEqual([flow.failures, flow.alerts], [0, []]);
      flow = undefined;
    }
    await downSample(database, EPOCH, EPOCH + DAY_MS);
  });

  after(async () => {
    await flow?.stop();
    time?.restore();
    await database?.remove();
  });

  for (const name of DASHBOARDS) {
    const dashboard: Dashboard = readDashboard(name);
    describe(`dashboard ${dashboard.title}`, () => {
      for (const panel of dashboard.panels)
        it(`${panel.title}: rows of the right unit and range`, async () => {
          assert.ok((await checkPanel(database, panel, range(name))) > 0);
        });

      it('its variables and annotations find something', () => checkOthers(database, dashboard, range(name)));

      it('a renamed field makes its panel fail, whichever it is', async () => {
        const renamed = await checkRenamed(database, dashboard, range(name));
        console.log(`      ${renamed} fields renamed, one at a time`);
        assert.ok(renamed > dashboard.panels.length);
      });
    });
  }

  it('shows no power of a charger that is not heard, and says that it is not heard', async () => {
    const panels = DASHBOARDS.flatMap((name) => readDashboard(name).panels).filter(({ queries }) =>
      queries.some((query) => query.includes('FROM "chargers"')),
    );
    assert.equal(panels.length, 6);
    const shown = async (panel: Panel, to: number): Promise<unknown[][]> => {
      const here = { ...range('silent'), to: EPOCH + to, interval: '10s' };
      const query = panel.queries.find((q) => q.includes('FROM "chargers"')) ?? '';
      const [series] = await database.query(filled(query, rangeOf(panel, here)));
      return series?.values.filter(([, value]) => value !== null) ?? [];
    };
    for (const panel of panels) {
      const [told] = (await shown(panel, 290_000)).slice(-1);
      const rows = await shown(panel, 870_000);
      if (panel.title === 'State') {
        assert.equal(told[1], 'C');
        assert.deepEqual(rows.at(-1), [EPOCH + 300_000, 'offline']);
      } else if (panel.type === 'stat') {
        assert.equal(told[1], 11_040);
        assert.deepEqual(rows, []);
      } else assert.equal(rows.at(-1)?.[0], EPOCH + 290_000, panel.title);
    }
  });

  it('has the energy of the day that the plant delivered', async () => {
    const [{ values }] = await database.query(`SELECT max("energy_today_wh") FROM "allocations" WHERE "site" = 'Home'`);
    const wh = Number(values[0][1]);
    console.log(
      `      ${(wh / 1000).toFixed(2)} kWh in the history, ${(home.energyWh / 1000).toFixed(2)} kWh by the plant`,
    );
    assert.ok(Math.abs(wh - home.energyWh) < 100, `${wh} of ${home.energyWh}`);
  });

  it('down-samples the energy of the day to one point, at midnight on site', async () => {
    const [highest] = await database.query(`SELECT max("energy_today_wh") FROM "allocations" WHERE "site" = 'Home'`);
    const [days] = await database.query(`SELECT "energy_wh" FROM "long"."allocations_1d" WHERE "site" = 'Home'`);
    assert.deepEqual(days.values, [[EPOCH, highest.values[0][1]]]);
  });

  it('has every highest current, to the half ampere', async () => {
    const meters = home.said.filter((m) => m.topic === 'meter/grid').map((m) => m.payload.current as (number | null)[]);
    const highest = Math.max(...meters.map(([l1]) => l1 ?? 0));
    const [{ values }] = await database.query(`SELECT max("current_l1_a") FROM "meters" WHERE "site" = 'Home'`);
    assert.ok(highest - Number(values[0][1]) <= 0.5, `${values[0][1]} of ${highest}`);
  });

  it('takes the statements of docs/history.md', async () => {
    const statements = statementsOfDocs();
    assert.ok(statements.length > 0);
    for (const statement of statements) await database.query(statement);
    const queries = await database.query('SHOW CONTINUOUS QUERIES');
    assert.ok(queries.some((s) => s.name === 'dlm' && s.values.length > 0));
    // Others read what it would delete.
    await database.query('ALTER RETENTION POLICY "autogen" ON "dlm" DURATION INF');
  });
});

describe('a database stopped for ten minutes', function () {
  this.timeout(120_000);
  let database: Influx;
  let time: VirtualTime;
  let flow: HistoryFlow | undefined;
  const OUTAGE = 'Outage';
  const stored = () => count(database, 'meters', 'current_l1_a', `"site" = '${OUTAGE}' AND "meter" = 'load'`);
  /** From a wish to the set-point that follows from it, ms of real time. */
  const latencies = { up: [] as number[], down: [] as number[] };
  let told: (id: string, current: number) => void = () => {};

  before(async () => {
    database = await influx();
    await database.query('CREATE DATABASE dlm');
    time = new VirtualTime(EPOCH);
    flow = new HistoryFlow(time);
    await flow.start(database, OUTAGE, {}, [
      { ...MAIN, site: 'home-site', rating: '1600', meter: 'grid' },
      { id: 'allocator', type: 'dlm-allocator', site: 'home-site', wires: [['setpoints'], ['home-influx-in'], []] },
      { id: 'setpoints', type: 'helper' },
    ]);
    helper.getNode('setpoints').on('input', (msg) => {
      const id = String(msg.topic).split('/')[1];
      const { current } = msg.payload as { current: number };
      offers.set(id, current);
      told(id, current);
    });
    const limits = { circuit: 'main', rotation: ['L1', 'L2', 'L3'], min: 6, max: 16, safe: 0 };
    for (const id of CHARGERS) allocator(`charger/${id}/announce`, limits);
    for (let s = 0; s < 60; s++) await second(`idle${s}`);
  });
  after(async () => {
    await flow?.stop();
    time?.restore();
    await database?.remove();
  });

  const CHARGERS = ['up', 'down'].flatMap((set) => Array.from({ length: 12 }, (_, i) => `${set}-${i}`));
  const offers = new Map(CHARGERS.map((id) => [id, 16]));
  const allocator = (topic: string, payload: object) => {
    helper.getNode('allocator').receive({ topic, payload: { at: time.epoch, ...payload } } as never);
  };

  /** A second of the site: a meter that never rests, whose every message is a point, and forty chargers at work. */
  async function second(name = 'load'): Promise<void> {
    time.now += 1000;
    await flow?.say([
      {
        topic: `meter/${name === 'load' ? name : 'idle'}`,
        payload: { at: time.epoch, current: [time.now % 2000 === 0 ? 14 : 4, 4, 4] },
      },
    ]);
    const house = 4 + [...offers.values()].reduce((sum, offer) => sum + offer, 0);
    allocator('meter/grid', { current: [house, house, house] });
    if (time.now % 5000 !== 0) return;
    for (const [id, offer] of offers) {
      const report = {
        online: true,
        state: 'C',
        current: [offer, offer, offer],
        power: 690 * offer,
        energy: 0,
        offer,
      };
      allocator(`charger/${id}`, report);
      await flow?.say([{ topic: `charger/${id}`, payload: { at: time.epoch, ...report } }]);
    }
  }

  /** Somebody lowers what a charger may take. */
  async function decision(id: string): Promise<number> {
    const maxCurrent = (offers.get(id) ?? 0) - 1;
    const began = process.hrtime.bigint();
    const at = await new Promise<bigint>((resolve) => {
      told = (other, current) => {
        if (other === id && current <= maxCurrent) resolve(process.hrtime.bigint());
      };
      allocator(`request/${id}`, { maxCurrent });
    });
    return Number(at - began) / 1e6;
  }

  async function load(seconds: number, set: 'up' | 'down', times: number[]): Promise<void> {
    for (let s = 0; s < seconds; s++) {
      await second();
      const id = `${set}-${s % 12}`;
      // One that is at its minimum, or was paused meanwhile, has nothing to give.
      if (s % 5 === 0 && (offers.get(id) ?? 0) > 6) times.push(await decision(id));
    }
  }

  it('loses nothing, raises one alert and clears it, fills no log, and leaves decisions as fast as they were', async () => {
    assert.ok(flow);
    const active = () => flow?.alerts.map((alert) => alert.active);
    await load(600, 'up', latencies.up);
    await flow.pass(10);
    assert.equal(await stored(), 600);
    await database.stop();
    await load(600, 'down', latencies.down);
    assert.deepEqual(active(), [true]);
    const tries = flow.failures;
    await database.start();
    // The client of the contrib node has a pause of its own, of up to 10 s of real time.
    while (active()?.length === 1) {
      await flow.pass(10);
      await passes(500);
    }
    await flow.pass(10);
    assert.deepEqual(active(), [true, false]);
    assert.deepEqual((flow.alerts[1].args as { lost: number }).lost, 0);
    assert.equal(await stored(), 1200);
    // The alert itself is part of the history.
    assert.equal(await count(database, 'alerts', 'active', `"site" = '${OUTAGE}' AND "source" = 'history'`), 2);
    assert.ok(tries <= 15, `${tries}`);
    assert.deepEqual(logged('home-influx-write', 'error'), []);
    assert.equal(logged('home-influx-history', 'warn').length, 1);
    const [up, down] = [latencies.up, latencies.down].map((all) => all.sort((a, b) => a - b));
    const at = (all: number[], share: number) => all[Math.floor(share * (all.length - 1))];
    const figures = (all: number[]) =>
      `${all.length} decisions, median ${at(all, 0.5).toFixed(2)} ms, 95 % ${at(all, 0.95).toFixed(2)} ms, highest ${at(all, 1).toFixed(1)} ms`;
    console.log(`      1200 of 1200 points there; ${tries} tries in ten minutes, 1 line in the log`);
    console.log(`      with the database: ${figures(up)}\n      without it:        ${figures(down)}`);
    assert.ok(up.length >= 60 && down.length >= 60);
    assert.ok(at(down, 0.5) <= 2 * at(up, 0.5) + 5, 'median');
    assert.ok(at(down, 0.95) <= 2 * at(up, 0.95) + 50, '95 %');
  });
});

describe('a database that takes a write and does not answer', function () {
  this.timeout(120_000);
  let database: Influx;
  let flow: HistoryFlow;

  before(async () => {
    database = await influx();
    await database.query('CREATE DATABASE dlm');
    flow = new HistoryFlow();
    await flow.start(database, 'Frozen', { batchSeconds: 1, timeoutSeconds: 5 });
  });
  after(async () => {
    database?.resume();
    await flow?.stop();
    await database?.remove();
  });

  it('costs nothing, and what was sent twice is there once', async () => {
    const said = 120;
    const stored = () => count(database, 'meters', 'current_l1_a', `"site" = 'Frozen'`);
    for (let i = 0; i < said; i++) {
      if (i === 10) database.pause();
      if (i === 90) database.resume();
      flow.receive({ topic: `meter/m${i}`, payload: { at: Date.now(), current: [i % 30, 1, 1] } });
      await passes(150);
    }
    while ((await stored()) < said) await passes(200);
    await passes(1500);
    assert.equal(await stored(), said);
    console.log(`      ${flow.points} points sent, ${said} of ${said} there, once each`);
    assert.ok(flow.points > said, 'something was sent again');
    assert.ok(flow.alerts.every((alert) => (alert.args as { lost: number }).lost === 0));
    assert.deepEqual(logged('home-influx-write', 'error'), []);
  });

  it('takes a text of any kind as the value of a tag', async () => {
    const limits = () => count(database, 'limits', 'power_w', `"site" = 'Frozen'`);
    const payload = { at: Date.now(), power: 1000, validFor: 60, onExpiry: 'release' };
    const sources = ['grid\noperator', 'C:\\', ' ', 'a=b, "c"', '☀'];
    const told = flow.alerts.length;
    for (const source of sources) flow.receive({ topic: 'limit/main', payload: { ...payload, source } });
    const alert = { at: Date.now(), severity: 'info', code: '', args: {}, text: 'odd \\', active: true };
    flow.receive({ topic: 'alert/main', payload: alert });
    while ((await count(database, 'alerts', 'active', `"site" = 'Frozen' AND "code" = 'none'`)) < 1) await passes(100);
    assert.equal(await limits(), sources.length);
    assert.equal(flow.alerts.length, told);
  });
});
