/** The first page, in a browser, on the simulated home. */
import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { freePort } from '../helpers/free-port.ts';
import { inaccessible, type Running, startBrowser, startFusewise, until } from './support.ts';

describe('dashboard of the simulated home', function () {
  this.timeout(90_000);
  let home: Running;
  let browser: Browser;
  const complaints: string[] = [];

  before(async () => {
    browser = await startBrowser();
    home = await startFusewise({ MQTT_PORT: String(await freePort()) });
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
    await page.goto(`${home.url}/dashboard`);
    await page.waitForSelector('.fw-current');
    await page.waitForSelector('.fw-phase');
    return page;
  }

  const text = async (page: Page, selector: string) => (await page.locator(selector).first().textContent()) ?? '';
  const amps = async (page: Page, selector: string) => Number.parseFloat(await text(page, selector));

  it('shows a car that charges, the reason, and phases that move', async () => {
    const page = await open();
    await until(async () => (await amps(page, '.fw-current')) >= 6);
    assert.notEqual((await text(page, '.fw-reason')).trim(), '');
    const first = await page.locator('.fw-phase .fw-amps').allTextContents();
    assert.equal(first.length, 3);
    await until(async () => (await page.locator('.fw-phase .fw-amps').allTextContents()).join() !== first.join());
    await page.context().close();
  });

  it('shows the trip budget, what the fuse can absorb, the energy of the day and the last minutes', async () => {
    const page = await open({ locale: 'de-DE' });
    await page.waitForSelector('.fw-budget');
    assert.match(await text(page, '.fw-budget .fw-amps'), /^\d+ %$/);
    assert.match(await text(page, '.fw-absorbs'), /^Verkraftet \d+ A mehr (auf Dauer|für \d+ s)\.$/);
    assert.match(await text(page, '.fw-today'), /^Heute \d+,\d kWh$/);
    const points = async () => (await page.locator('.fw-history-l1').getAttribute('points'))?.split(' ').length ?? 0;
    await until(async () => (await page.locator('.fw-history-l1').count()) === 1 && (await points()) >= 2);
    assert.match((await page.locator('.fw-plot').getAttribute('aria-label')) ?? '', /^Höchster Phasenstrom.+ 25 A$/);
    await page.context().close();
  });

  it('keeps two browsers in step: limit, pause, resume', async () => {
    const [one, two] = [await open(), await open({ locale: 'de-DE' })];
    await one.locator('[role="slider"]').focus();
    for (let step = 0; step < 4; step++) await one.keyboard.press('ArrowLeft');
    await until(async () => (await text(two, '.fw-limit strong')) === '12 A');
    await until(async () => (await amps(two, '.fw-current')) <= 12);
    // It has reached the charger: that is what the car takes, by the charger's own report (three phases of 12 A are 8.3 kW).
    await until(async () => {
      const kilowatts = Number.parseFloat(
        (await two.locator('.fw-state > span').first().textContent())?.replace(',', '.') ?? '',
      );
      return kilowatts > 0 && kilowatts <= 8.4;
    });

    await two.getByRole('button', { name: 'Pause' }).click();
    await one.getByRole('button', { name: 'Resume' }).waitFor();
    await until(async () => (await amps(one, '.fw-current')) === 0);

    await one.getByRole('button', { name: 'Resume' }).click();
    await two.getByRole('button', { name: 'Pause' }).waitFor();
    await until(async () => (await amps(two, '.fw-current')) >= 6);
    assert.ok((await amps(one, '.fw-current')) <= 12);
    // Who opens the page later sees the same.
    const late = await open();
    assert.equal(await text(late, '.fw-limit strong'), '12 A');
    for (const page of [one, two, late]) await page.context().close();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [390, 1280]) {
      it(`fits ${width} px and can be read in ${colorScheme}`, async () => {
        const page = await open({ viewport: { width, height: 844 }, colorScheme });
        // The colours of the page arrive with the page's templates and fade in.
        await until(async () => (await page.evaluate(readability)).contrast >= 4.5);
        const { overflow, cut } = await page.evaluate(readability);
        assert.ok(overflow <= 0, `${overflow} px wider than the window`);
        assert.deepEqual(cut, []);
        assert.deepEqual(await inaccessible(page), []);
        await page.context().close();
      });
    }
  }

  it('has nothing to complain about in the browser', () => assert.deepEqual(complaints, []));
});

/** Runs in the page: what does not fit, and the contrast of the reason against its card (WCAG 2). */
function readability(): { overflow: number; cut: string[]; contrast: number } {
  const cut = Array.from(document.querySelectorAll<HTMLElement>('.nrdb-ui-widget *'))
    .filter((element) => element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)
    .filter((element) => getComputedStyle(element).overflowX !== 'visible')
    .map((element) => element.className);
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string) => {
    const [red, green, blue] = channels(color).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const reason = document.querySelector<HTMLElement>('.fw-reason') as HTMLElement;
  let behind: HTMLElement = reason;
  while (channels(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement as HTMLElement;
  const pair = [luminance(getComputedStyle(reason).color), luminance(getComputedStyle(behind).backgroundColor)];
  const [dark, light] = pair.sort((a, b) => a - b);
  return {
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    cut,
    contrast: (light + 0.05) / (dark + 0.05),
  };
}
