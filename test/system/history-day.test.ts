/**
 * The whole home flow for a simulated day, with simulated devices over a real broker, into a real InfluxDB: then every query of every
 * panel of both dashboards is asked. See home-day.ts for what runs, stepped-clock.ts for how a day passes in minutes.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { downSample } from './down-sampling.ts';
import { checkOthers, checkPanel, checkRenamed, DASHBOARDS, type Range, readDashboard } from './grafana.ts';
import type { DayReport } from './home-day.ts';
import { type Influx, influx, type Series } from './influxd.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
/** Midnight in Berlin. */
const FROM = Date.UTC(2026, 2, 9, 23);
const TO = FROM + DAY_MS;
/** What a slow machine may need until everything has started. */
const START_MS = 5 * MINUTE_MS;
/** A field of each measurement that is always there. */
const ALWAYS: [string, string][] = [
  ['circuits', 'measured_l1_a'],
  ['meters', 'current_l1_a'],
  ['chargers', 'power_w'],
  ['allocations', 'setpoint_a'],
  ['limits', 'budget_used_percent'],
];
const DURING = `time >= ${FROM}ms AND time < ${TO}ms`;

describe('the home flow for a day, into a real InfluxDB', function () {
  this.timeout(25 * MINUTE_MS);
  let database: Influx;
  let child: ChildProcess;
  let report: DayReport;
  let log = '';
  const userDir = mkdtempSync(join(tmpdir(), 'fusewise-day-'));
  const variables = { site: 'Home', circuit: '.*', charger: '.*', timezone: 'Europe/Berlin' };
  const range: Range = { from: FROM, to: TO, interval: '5m', variables };

  before(async () => {
    database = await influx();
    await database.query('CREATE DATABASE dlm');
    const clock = new URL('./stepped-clock.ts', import.meta.url);
    child = fork(fileURLToPath(new URL('./home-day.ts', import.meta.url)), [], {
      execArgv: ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', '--import', String(clock)],
      env: {
        PATH: process.env.PATH,
        HOME: userDir,
        USER_DIR: userDir,
        INFLUX_URL: database.url,
        SHELLY_GEN: '2',
        CLOCK_BEGAN: String(FROM - START_MS),
        DAY_FROM: String(FROM),
        DAY_TO: String(TO),
      },
      silent: true,
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data) => {
        log += data;
      });
    child.once('message', (message) => {
      report = message as DayReport;
    });
    const [code] = await once(child, 'exit');
    if (code !== 0 || !report) throw new Error(`the home ended with ${code}:\n${log.slice(-5000)}`);
    await downSample(database, FROM, TO);
    const { realMs, messages, batches, points, values, steps, turns } = report;
    console.log(
      `      a day in ${(realMs / 1000).toFixed(0)} s: ${steps} steps of the clock, ${turns} turns of the loop`,
    );
    console.log(`      ${messages} MQTT messages; ${points} points with ${values} values in ${batches} batches`);
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.log(log.slice(-5000));
  });

  after(async () => {
    child?.kill('SIGKILL');
    rmSync(userDir, { recursive: true, force: true });
    await database?.remove();
  });

  const number = (series: Series[]): number => Number(series[0]?.values[0][1]);

  it('has every five minutes of the day', async () => {
    for (const [measurement, field] of ALWAYS) {
      const query = `SELECT count("${field}") FROM "${measurement}" WHERE ${DURING} GROUP BY time(5m) fill(0)`;
      const [{ values }] = await database.query(query);
      const counts = values.map(([, count]) => Number(count));
      const sum = counts.reduce((a, b) => a + b, 0);
      const [least, most] = [Math.min(...counts), Math.max(...counts)];
      console.log(`      ${measurement}: ${sum} points, ${least} to ${most} in five minutes`);
      assert.equal(counts.length, 288, measurement);
      // At least one every 10 s is promised.
      assert.ok(least >= 29, `${measurement}: ${counts}`);
    }
  });

  it('has every value that was sent', async () => {
    const all = await database.query('SELECT count(*) FROM /.*/');
    const counts = all.flatMap(({ values }) => values[0].slice(1).map(Number));
    assert.equal(
      counts.reduce((a, b) => a + b, 0),
      report.values,
    );
  });

  it('has the energy of the day that the plant delivered', async () => {
    const wh = number(await database.query(`SELECT max("energy_today_wh") FROM "allocations" WHERE ${DURING}`));
    const { dayWh, arrivals } = report;
    console.log(`      ${(wh / 1000).toFixed(2)} kWh in the history, ${(dayWh / 1000).toFixed(2)} kWh by the plant`);
    assert.ok(Math.abs(wh - dayWh) < 100, `${wh} of ${dayWh}`);
    assert.ok(arrivals >= 2);
  });

  it('has every session, with its person, and all of the energy in them', async () => {
    const query = 'SELECT "id", "user", "energy_wh", "ended_by", "active" FROM "sessions"';
    const [{ values }] = await database.query(query);
    const sessions = values.map(([, id, user, wh, endedBy, active]) => ({ id, user, wh: Number(wh), endedBy, active }));
    console.log(`      ${sessions.map((s) => `${s.user}: ${(s.wh / 1000).toFixed(1)} kWh, ${s.endedBy}`).join('; ')}`);
    assert.equal(new Set(sessions.map(({ id }) => id)).size, report.arrivals);
    assert.ok(sessions.every(({ user }, i) => user === `RFID ${1 + (i % 2)}`));
    assert.ok(sessions.slice(0, -1).every(({ active, endedBy }) => active === false && endedBy !== null));
    const sum = sessions.reduce((total, { wh }) => total + wh, 0);
    assert.ok(Math.abs(sum - report.totalWh) < 100, `${sum} of ${report.totalWh}`);
  });

  it('never above the fuse for longer than it bears', async () => {
    const used = number(await database.query(`SELECT max("budget_used_percent") FROM "limits" WHERE ${DURING}`));
    console.log(`      highest trip budget used: ${used} %`);
    assert.ok(used > 0 && used < 100, `${used}`);
    assert.equal(report.trips, 0);
  });

  it('knows of one thing that went wrong, and that it is over: nobody was silent, nothing was lost', async () => {
    const [{ values }] = await database.query('SELECT "source", "code", "active" FROM "alerts"');
    const alerts = values.map(([, ...alert]) => alert);
    assert.deepEqual(alerts, [
      ['grid', 'bad-data', true],
      ['grid', 'bad-data', false],
    ]);
    const bad = log.split('\n').filter((line) => /\[(warn|error)\]|time stands still/.test(line));
    const unexpected = bad.filter((line) => !/Projects disabled|"rubbish"/.test(line));
    assert.deepEqual(unexpected, []);
  });

  for (const name of DASHBOARDS) {
    const dashboard = readDashboard(name);
    describe(`dashboard ${dashboard.title}`, () => {
      for (const panel of dashboard.panels)
        it(`${panel.title}: rows of the right unit and range`, async () => {
          assert.ok((await checkPanel(database, panel, range)) > 0);
        });

      it('its variables and annotations find something', () => checkOthers(database, dashboard, range));

      it('a renamed field makes its panel fail, whichever it is', async () => {
        assert.ok((await checkRenamed(database, dashboard, range)) > dashboard.panels.length);
      });
    });
  }
});
