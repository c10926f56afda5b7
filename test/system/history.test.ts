/** History, whole: simulated days through the tab History of the home flow into a real InfluxDB, and every query of both dashboards. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseMessage } from '../../messages/index.ts';
import { checkPanel, DASHBOARDS, type Dashboard, fieldsOf, filled, type Range, readDashboard } from './grafana.ts';
import { homeDay, type Said, siteDay } from './history-days.ts';
import { HistoryFlow } from './history-flow.ts';
import { type Influx, influx } from './influxd.ts';
import { VirtualTime } from './virtual-time.ts';

/** Midnight in Berlin. */
const EPOCH = Date.UTC(2026, 2, 9, 23);
const DAY_MS = 86_400_000;
const SITES: Record<string, string> = { home: 'Home', site: 'Depot' };

/** Says what was said on a simulated day, message by message at its moment. */
async function replay(flow: HistoryFlow, time: VirtualTime, said: readonly Said[]): Promise<void> {
  for (let i = 0; i < said.length; ) {
    time.now = said[i].now;
    const together: Said[] = [];
    while (i < said.length && said[i].now - time.now < 500) together.push(said[i++]);
    await flow.say(together, true);
  }
  await flow.pass(12);
}

describe('history in a real InfluxDB', function () {
  this.timeout(300_000);
  let database: Influx;
  let time: VirtualTime;
  let flow: HistoryFlow | undefined;
  let home: { said: Said[]; energyWh: number };

  const range = (name: string): Range => ({
    from: EPOCH,
    to: EPOCH + DAY_MS,
    interval: '5m',
    variables: { site: SITES[name], circuit: '.*', charger: '.*', timezone: 'Europe/Berlin' },
  });
  const count = async (measurement: string, field: string, where = '') =>
    Number((await database.query(`SELECT count("${field}") FROM "${measurement}" ${where}`))[0]?.values[0][1] ?? 0);

  before(async () => {
    database = await influx();
    await database.query('CREATE DATABASE dlm');
    home = homeDay(3, EPOCH);
    const days = { home: home.said, site: siteDay(1, EPOCH, 6).said };
    for (const [name, said] of Object.entries(days)) {
      // In the shape in which the nodes send it.
      for (const message of said) assert.ok(parseMessage(message), message.topic);
      time = new VirtualTime(EPOCH);
      flow = new HistoryFlow(time);
      await flow.start(database, SITES[name]);
      await replay(flow, time, said);
      await flow.stop();
      time.restore();
      console.log(`      ${name}: ${said.length} messages, ${flow.points} points in ${flow.sent} batches`);
      assert.deepEqual([flow.failures, flow.alerts], [0, []]);
      flow = undefined;
    }
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

      it('its variables and annotations find something', async () => {
        for (const query of dashboard.others) {
          const series = await database.query(filled(query, range(name)));
          assert.ok(
            series.some((s) => s.values.length > 0),
            query,
          );
        }
      });

      it('a renamed field makes its panel fail, whichever it is', async () => {
        let renamed = 0;
        for (const panel of dashboard.panels) {
          for (const field of panel.queries.flatMap(fieldsOf)) {
            const queries = panel.queries.map((query) => query.replaceAll(`"${field}"`, `"other_${field}"`));
            await assert.rejects(checkPanel(database, { ...panel, queries }, range(name)), `${panel.title}: ${field}`);
            renamed += 1;
          }
        }
        console.log(`      ${renamed} fields renamed, one at a time`);
        assert.ok(renamed > dashboard.panels.length);
      });
    });
  }

  it('has the energy of the day that the plant delivered', async () => {
    const [{ values }] = await database.query(`SELECT max("energy_today_wh") FROM "allocations" WHERE "site" = 'Home'`);
    const wh = Number(values[0][1]);
    console.log(
      `      ${(wh / 1000).toFixed(2)} kWh in the history, ${(home.energyWh / 1000).toFixed(2)} kWh by the plant`,
    );
    assert.ok(Math.abs(wh - home.energyWh) < 100, `${wh} of ${home.energyWh}`);
  });

  it('has every highest current, to the half ampere', async () => {
    const meters = home.said.filter((m) => m.topic === 'meter/grid').map((m) => m.payload.current as (number | null)[]);
    const highest = Math.max(...meters.map(([l1]) => l1 ?? 0));
    const [{ values }] = await database.query(`SELECT max("current_l1_a") FROM "meters" WHERE "site" = 'Home'`);
    assert.ok(highest - Number(values[0][1]) <= 0.5, `${values[0][1]} of ${highest}`);
  });

  it('takes the statements of docs/history.md', async () => {
    const page = readFileSync(new URL('../../docs/history.md', import.meta.url), 'utf8');
    const blocks = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, text]) => text);
    assert.ok(blocks.length > 0);
    for (const statement of blocks.join('\n').split(/;\s*\n/)) if (statement.trim()) await database.query(statement);
    const queries = await database.query('SHOW CONTINUOUS QUERIES');
    assert.ok(queries.some((s) => s.name === 'dlm' && s.values.length > 0));
    // Others read what is written from now on.
    await database.query('ALTER RETENTION POLICY "autogen" ON "dlm" DEFAULT');
  });

  describe('stopped for ten minutes', () => {
    const LOST_SITE = 'Outage';
    let latencies: Record<string, number[]>;

    before(async () => {
      time = new VirtualTime(EPOCH);
      flow = new HistoryFlow(time);
      await flow.start(database, LOST_SITE);
      latencies = { up: [], down: [] };
    });
    after(async () => {
      await flow?.stop();
      flow = undefined;
      time.restore();
    });

    /** A load that changes every second: each message is a point. */
    async function load(seconds: number, times: number[]): Promise<void> {
      assert.ok(flow);
      for (let i = 0; i < seconds; i++) {
        time.now += 1000;
        const current = [4 + (i % 2) * 10, 4, 4];
        const began = process.hrtime.bigint();
        await flow.say([{ topic: 'meter/grid', payload: { at: time.epoch, current } }]);
        times.push(Number(process.hrtime.bigint() - began) / 1e6);
      }
    }

    it('loses nothing, raises one alert and clears it, and fills no log', async () => {
      assert.ok(flow);
      await load(300, latencies.up);
      await flow.pass(10);
      assert.equal(await count('meters', 'current_l1_a', `WHERE "site" = '${LOST_SITE}'`), 300);
      await database.stop();
      await load(600, latencies.down);
      assert.deepEqual(
        flow.alerts.map((alert) => alert.active),
        [true],
      );
      const tries = flow.failures;
      await database.start();
      await load(300, []);
      await flow.pass(70);
      assert.deepEqual(
        flow.alerts.map((alert) => alert.active),
        [true, false],
      );
      assert.deepEqual((flow.alerts[1].args as { lost: number }).lost, 0);
      assert.equal(await count('meters', 'current_l1_a', `WHERE "site" = '${LOST_SITE}'`), 1200);
      // The alert itself is part of the history.
      assert.equal(await count('alerts', 'active', `WHERE "site" = '${LOST_SITE}'`), 2);
      console.log(`      ${tries} tries in ten minutes, 1200 of 1200 points there`);
      assert.ok(tries <= 15, `${tries}`);
    });
  });
});
