/** The history page in a browser: two years of sessions, and one that goes on while the page is open. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { dayOf, type Session, zoneOffset } from '../../core/index.ts';
import { freePort } from '../helpers/free-port.ts';
import { keepPastSessions, pastSessions } from './past-sessions.ts';
import { type Running, startBrowser, startFusewise, until } from './support.ts';

describe('history page', function () {
  this.timeout(120_000);
  let home: Running;
  let browser: Browser;
  // Two chargers, prices that are known of a part only, and a user who tries something: what makes a table wide.
  const past: Session[] = pastSessions(Date.now()).map((s, i) => ({
    ...s,
    ...(i % 50 === 7 && { user: '=1+1' }),
    ...(i % 6 === 1 && { charger: 'carport-on-the-left' }),
    ...(i % 4 === 2 && { pricedEnergy: s.energy / 2 }),
  }));
  const complaints: string[] = [];
  const today = () => dayOf(Date.now(), zoneOffset(Date.now(), 'Europe/Berlin'));

  before(async () => {
    browser = await startBrowser();
    home = await startFusewise(
      { MQTT_PORT: String(await freePort()) },
      {
        prepare: (userDir) => keepPastSessions(userDir, past),
        clockFactor: 5,
      },
    );
  });
  after(async () => {
    await browser?.close();
    await home?.stop();
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'en-US', ...options });
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${home.url}/dashboard/history`);
    await page.waitForSelector('.fwh-sum');
    return page;
  }

  const sum = async (page: Page) => {
    const [energy, count] = await page.locator('.fwh-sum > *').allTextContents();
    return { energy: Number(energy.replace(/[^\d.]/g, '')), count: Number.parseInt(count, 10) };
  };
  /** What the page should say of the past, kWh. */
  const expected = (period: string, user?: string) => {
    const fits = past.filter((s) => dayOf(s.start, s.startOffset).startsWith(period) && (!user || s.user === user));
    return { energy: fits.reduce((total, s) => total + s.energy, 0) / 1000, count: fits.length };
  };
  const choose = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
  const says = async (page: Page, wanted: { energy: number; count: number }) => {
    await until(async () => (await sum(page)).count === wanted.count);
    assert.ok(Math.abs((await sum(page)).energy - wanted.energy) < 0.06, JSON.stringify([await sum(page), wanted]));
  };
  const lastYear = () => String(Number(today().slice(0, 4)) - 1);

  it('shows the session that goes on, and its energy grows', async () => {
    const page = await open();
    const active = page.locator('.fwh-active');
    await active.waitFor();
    assert.match((await active.textContent()) ?? '', /goes on/);
    const energy = async () => Number(await active.locator('.fwh-number:not(.fwh-wide)').first().textContent());
    const first = await energy();
    await until(async () => (await energy()) > first);
    await page.context().close();
  });

  it('goes through days, months and years, by button and by bar', async () => {
    const page = await open();
    await choose(page, 'All');
    await until(async () => (await page.locator('h1').textContent()) === 'All');
    await until(async () => (await sum(page)).count === past.length + 1);
    await page.getByRole('button', { name: new RegExp(`^${lastYear()}:`) }).click();
    await says(page, expected(lastYear()));
    assert.equal(await page.locator('.fwh-bar').count(), 12);
    await page.getByRole('button', { name: new RegExp(`^March ${lastYear()}:`) }).click();
    await says(page, expected(`${lastYear()}-03`));
    assert.equal(await page.locator('.fwh-bar').count(), 31);
    assert.equal(await page.locator('.fwh-table tbody tr').count(), expected(`${lastYear()}-03`).count);
    await choose(page, 'Earlier');
    await says(page, expected(`${lastYear()}-02`));
    assert.equal(await page.locator('.fwh-bar').count(), new Date(Date.UTC(Number(lastYear()), 2, 0)).getUTCDate());
    const bar = page.locator('button.fwh-bar').first();
    const label = (await bar.getAttribute('aria-label')) ?? '';
    await bar.click();
    await until(async () => label.startsWith(`${await page.locator('h1').textContent()}:`));
    await until(async () => label.endsWith(` ${(await sum(page)).energy.toFixed(1)} kWh`));
    await choose(page, 'Day');
    await choose(page, 'Later');
    await choose(page, 'Year');
    await says(page, expected(lastYear()));
    await page.context().close();
  });

  it('shows one person’s sessions, older ones when asked, and keeps two pages apart', async () => {
    const [one, two] = [await open(), await open()];
    await choose(one, 'Year');
    await choose(one, 'Earlier');
    await choose(two, 'All');
    await one.getByLabel('User').selectOption('Bob');
    await says(one, expected(lastYear(), 'Bob'));
    assert.equal(await two.locator('h1').textContent(), 'All');
    const rows = one.locator('.fwh-table tbody tr');
    assert.equal(await rows.count(), 50);
    await one.getByRole('button', { name: 'Show older ones' }).click();
    const all = expected(lastYear(), 'Bob').count;
    await until(async () => (await rows.count()) === Math.min(all, 100));
    assert.equal(new Set(await rows.allTextContents()).size, await rows.count());
    for (const page of [one, two]) await page.context().close();
  });

  it('saves what is shown as a CSV file that no spreadsheet runs', async () => {
    const page = await open();
    await choose(page, 'Year');
    await choose(page, 'Earlier');
    await says(page, expected(lastYear()));
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.fwh-csv').click()]);
    assert.equal(download.suggestedFilename(), `sessions-Home-${lastYear()}.csv`);
    const text = readFileSync(await download.path(), 'utf8');
    assert.ok(text.startsWith('\uFEFF"id","charger"'));
    const lines = text.trimEnd().split('\r\n').slice(1);
    assert.equal(lines.length, expected(lastYear()).count);
    const energy = lines.reduce((total, line) => total + Number(line.split(',')[5]), 0);
    assert.ok(Math.abs(energy - expected(lastYear()).energy) < 0.01);
    assert.ok(text.includes(`"'=1+1"`) && !text.includes('"=1+1"'));
    await page.context().close();
  });

  it('saves the file all the same when it comes late, while a session goes on', async () => {
    const page = await open();
    await page.locator('.fwh-active').waitFor();
    let questions = 0;
    const late: (() => void)[] = [];
    await page.routeWebSocket(/socket\.io/, (toPage) => {
      const toServer = toPage.connectToServer();
      toPage.onMessage((message) => {
        if (String(message).includes('sessions/query')) questions += 1;
        toServer.send(message);
      });
      toServer.onMessage((message) => {
        if (String(message).includes('"csv"')) late.push(() => toPage.send(message));
        else toPage.send(message);
      });
    });
    await page.reload();
    await page.locator('.fwh-active').waitFor();
    const download = page.waitForEvent('download');
    const before = questions;
    await page.locator('.fwh-csv').click();
    // The page asks again: for the file, and not for what goes on meanwhile.
    await until(() => questions >= before + 2 && late.length >= 2);
    for (const send of late.splice(0)) send();
    await download;
    await page.context().close();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [390, 1280]) {
      it(`fits ${width} px and can be read in ${colorScheme}`, async () => {
        const page = await open({ viewport: { width, height: 844 }, colorScheme });
        await page.waitForSelector('.fwh-table');
        // The colours of the page arrive with its templates and fade in.
        await until(async () => (await inaccessible(page)).length === 0).catch(() => undefined);
        assert.deepEqual(await inaccessible(page), []);
        const { overflow, cut } = await page.evaluate(fits);
        assert.ok(overflow <= 0, `${overflow} px wider than the window`);
        assert.deepEqual(cut, []);
        await page.context().close();
      });
    }
  }

  it('is one click away from the first page and leads back', async () => {
    const page = await open();
    await page.getByRole('link', { name: 'Charging now' }).click();
    await page.waitForSelector('.fw-current');
    await page.getByRole('link', { name: 'All charging sessions' }).click();
    await page.waitForSelector('.fwh-sum');
    await page.context().close();
  });

  it('has nothing to complain about in the browser', () => assert.deepEqual(complaints, []));
});

declare const axe: {
  run(
    context: { include: string[] },
    options: { runOnly: string[] },
  ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
};

/** What an automated check (axe-core, WCAG 2 A and AA, contrast included) finds wrong in our widgets. */
async function inaccessible(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: fileURLToPath(import.meta.resolve('axe-core')) });
  return page.evaluate(async () => {
    const options = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] };
    const { violations } = await axe.run({ include: ['.nrdb-ui-widget'] }, options);
    return violations.flatMap(({ id, nodes }) => nodes.map((n) => `${id}: ${n.html} ${n.failureSummary}`));
  });
}

/** Runs in the page: what is wider than the window, and what is cut. */
function fits(): { overflow: number; cut: string[] } {
  const cut = Array.from(document.querySelectorAll<HTMLElement>('.fwh *'))
    .filter((element) => element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)
    .filter((element) => getComputedStyle(element).overflowX !== 'visible')
    .map((element) => element.className);
  const page = document.querySelector<HTMLElement>('.fwh') as HTMLElement;
  // The card around it hides what is too wide.
  const wider = Math.max(document.documentElement.scrollWidth - window.innerWidth, page.scrollWidth - page.clientWidth);
  return { overflow: wider, cut };
}
