/** `FLOW=ocpp npm start` keeps what its stations do: sessions on the page, points in a real InfluxDB. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { freePort } from '../helpers/free-port.ts';
import { type Influx, influx } from './influxd.ts';
import { inaccessible, type Running, startBrowser, startFusewise, until } from './support.ts';

describe('history of a site of OCPP stations', function () {
  this.timeout(120_000);
  let database: Influx;
  let browser: Browser;
  let site: Running;

  before(async () => {
    browser = await startBrowser();
    database = await influx();
    await database.query('CREATE DATABASE dlm');
    const ports = { MQTT_PORT: String(await freePort()), OCPP_PORT: String(await freePort()) };
    site = await startFusewise({ FLOW: 'ocpp', INFLUX_URL: database.url, ...ports });
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
    await database?.remove();
  });

  it('shows the sessions that go on, on the way from the stations and back', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 844 }, locale: 'en-US' });
    await page.goto(`${site.url}/dashboard/site`);
    await page.getByRole('link', { name: 'All charging sessions' }).click();
    await page.waitForURL('**/dashboard/history');
    await page.locator('.fwh-active').nth(3).waitFor();
    const rows = (await page.locator('.fwh-active').allTextContents()).join('\n');
    assert.match(rows, /CP0\d\d-1/);
    assert.deepEqual(await inaccessible(page), []);
    await page.getByRole('link', { name: 'Charging now' }).click();
    await page.waitForURL('**/dashboard/site');
    await page.close();
  });

  it('is written into the database', async () => {
    const kept = async () => {
      const series = await database.query('SHOW SERIES', 'dlm');
      return series.flatMap(({ values }) => values.map(([key]) => String(key)));
    };
    const wanted = [/^circuits,.*circuit=feeder/, /^chargers,.*charger=CP001-1/, /^allocations,/, /^sessions,/];
    await until(async () => {
      const keys = await kept();
      return wanted.every((one) => keys.some((key) => one.test(key)));
    });
    assert.ok((await kept()).every((key) => /,site=Car\\? park/.test(key)));
  });
});
