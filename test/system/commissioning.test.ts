/** The commissioning check in a browser: somebody goes through it on a phone, at a simulated home whose kettle the test switches. */
import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { protectiveDevice } from '../../core/protection.ts';
import { perPhase } from '../../core/units.ts';
import { type Broker, startBroker } from '../../scripts/start/broker.ts';
import { SimulatedGoEV2 } from '../../simulator/go-e-v2.ts';
import { createHouse } from '../../simulator/house.ts';
import { createPlant } from '../../simulator/plant.ts';
import { createRandom } from '../../simulator/random.ts';
import { runDevices } from '../../simulator/real-time.ts';
import { SimulatedShellyGen1 } from '../../simulator/shelly-gen1.ts';
import { createVehicle } from '../../simulator/vehicle.ts';
import { clampedGrid, clampsOn } from '../../simulator/wiring.ts';
import { type Running, startBrowser, startFusewise, until } from './support.ts';

const SHELLY = 'shellyem3-CHECKED';
const SERIAL = '000007';
/** A of the kettle. */
const KETTLE_A = 8.7;

describe('commissioning page', function () {
  this.timeout(240_000);
  let broker: Broker;
  let home: Running;
  let browser: Browser;
  let stopDevices: () => Promise<void>;
  const kettle: [number, number, number] = [0, 0, 0];
  const complaints: string[] = [];

  before(async () => {
    browser = await startBrowser();
    broker = await startBroker({ host: '127.0.0.1', port: 0, user: '', password: '' });
    const vehicle = createVehicle(
      { phases: ['L1'], maxCurrent: 16, lag: [1, 3], capacity: Number.POSITIVE_INFINITY, soc: 0.3, slack: 0.2 },
      createRandom(2),
    );
    const house = createHouse(1, () => []);
    const plant = createPlant({
      house: { current: (now) => perPhase((p) => house.current(now)[p] + kettle[p]) },
      vehicle,
      fuse: protectiveDevice({ rating: 25, device: 'gG' }),
    });
    const start = performance.now();
    stopDevices = await runDevices({
      // The transformers of L2 and L3 are swapped.
      devices: [
        new SimulatedShellyGen1(clampedGrid(plant.grid, clampsOn('L1', 'L3', 'L2')), { deviceId: SHELLY }),
        new SimulatedGoEV2(vehicle, { serial: SERIAL }),
      ],
      mqttUrl: broker.url,
      now: () => performance.now() - start,
      step: (now) => plant.step(now),
    });
    home = await startFusewise({ SIMULATE: '0', MQTT_URL: broker.url, SHELLY_ID: SHELLY, GO_E_SERIAL: SERIAL });
  });
  after(async () => {
    await browser?.close();
    await home?.stop();
    await stopDevices?.();
    await broker?.stop();
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'en-US', ...options });
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${home.url}/dashboard/commissioning`);
    await page.waitForSelector('.fwc-lead, .fwc-step');
    return page;
  }

  const step = async (page: Page) =>
    (await page
      .locator('.fwc-step')
      .textContent({ timeout: 500 })
      .catch(() => '')) ?? '';

  it('leads through the check with one button at a time, and shows the verdicts', async () => {
    const page = await open();
    assert.match((await page.locator('.fwc-lead').textContent()) ?? '', /Nothing was checked here yet/);
    assert.equal(await page.locator('.fwc-protocol').count(), 0);
    await page.getByLabel('Checked by').fill('A. Volta');
    await page.getByRole('button', { name: 'Start the check' }).click();

    for (const [p, phase] of (['L1', 'L2', 'L3'] as const).entries()) {
      await until(async () => (await step(page)).includes(`on ${phase} behind Main fuse`));
      await fits(page);
      kettle[p] = KETTLE_A;
      // What the meter makes of it is shown at once.
      await until(async () =>
        (await page.locator('.fwc-change').allTextContents()).some((text) => /^\+[78]/.test(text)),
      );
      await page.getByRole('button', { name: 'Next' }).click();
      await until(async () => (await step(page)).includes('off again'));
      kettle[p] = 0;
      await page.waitForTimeout(1500);
      await page.getByRole('button', { name: 'Next' }).click();
    }

    // Whoever opens the page meanwhile sees the same step.
    await until(async () => (await step(page)).includes('wallbox at 10'));
    const late = await open({ viewport: { width: 1280, height: 844 }, colorScheme: 'dark' });
    assert.match(await step(late), /wallbox at 1?0/);
    await fits(late);
    await page.waitForSelector('.fwc-protocol', { timeout: 120_000 });
    assert.equal(await page.locator('.fwc-protocol dd').nth(2).textContent(), 'A. Volta');
    assert.equal(await page.locator('.fwc-sum').textContent(), '1 wrong');
    const order = await found(page, 'Order of the transformers');
    assert.match(order, /^✖ wrong: L2 and L3 are swapped at meter grid\./);
    assert.match(order, /Swap the clamps of L2, L3, or set "Channels 1, 2, 3 on" of the meter to L1, L3, L2;/);
    assert.match(await found(page, 'Direction of the transformers'), /^✔ proven: /);
    assert.match(await found(page, 'Phases'), /^✔ proven: Its first phase is L1, as configured\./);
    assert.match(await found(page, 'Obeys'), /^✔ proven: It follows less current and a stop within [\d.]+ s;/);
    const cells = await page
      .locator('.fwc-protocol table')
      .first()
      .locator('tr')
      .nth(2)
      .locator('td')
      .allTextContents();
    assert.match(cells.join(' '), /^grid L2 [−+]0\.\d [−+]0\.\d \+8\.\d$/);
    await late.waitForSelector('.fwc-protocol');
    for (const shown of [page, late]) {
      await fits(shown);
      await shown.context().close();
    }
  });

  it('what was found wrong pauses charging, and is told on the first page, too', async () => {
    const page = await open();
    await page.goto(`${home.url}/dashboard/home`);
    await until(async () => ((await page.locator('.fw-alerts').textContent()) ?? '').includes('L2 and L3 are swapped'));
    await until(async () =>
      ((await page.locator('.fw-reason').textContent()) ?? '').includes('found the meter of Main fuse wrong'),
    );
    await page.context().close();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [390, 1280]) {
      it(`the protocol fits ${width} px and can be read in ${colorScheme}`, async () => {
        const page = await open({ viewport: { width, height: 844 }, colorScheme });
        await page.waitForSelector('.fwc-protocol');
        await until(async () => (await page.evaluate(contrasts)).every((c) => c >= 4.5));
        await fits(page);
        const names = await page
          .getByRole('button')
          .evaluateAll((all) => all.map((b) => b.textContent?.trim() || b.ariaLabel));
        assert.ok(
          names.every((name) => name),
          names.join(),
        );
        await page.context().close();
      });
    }
  }

  it('prints the protocol alone, black on white, with a line to sign', async () => {
    const page = await open({ colorScheme: 'dark' });
    await page.waitForSelector('.fwc-protocol');
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('.fwc-guide').isVisible(), false);
    assert.equal(await page.getByText('Signature').isVisible(), true);
    const colours = await page
      .locator('.fwc-said')
      .first()
      .evaluate((element) => {
        const of = (e: Element): string => {
          const { backgroundColor } = getComputedStyle(e);
          return /, 0\)$/.test(backgroundColor) && e.parentElement ? of(e.parentElement) : backgroundColor;
        };
        return [getComputedStyle(element).color, of(element)];
      });
    assert.deepEqual(colours, ['rgb(0, 0, 0)', 'rgb(255, 255, 255)']);
    const pdf = await page.pdf({ preferCSSPageSize: true });
    // A home fits on one sheet of A4.
    assert.equal(pdf.toString('latin1').match(/\/Type\s*\/Page[^s]/g)?.length, 1);
    assert.match(pdf.toString('latin1'), /\/MediaBox\s*\[0 0 59\d\.\d+ 84\d\.\d+\]/);
    await page.context().close();
  });

  it('has nothing to complain about in the browser', () => assert.deepEqual(complaints, []));
});

/** What the protocol says of one check. */
async function found(page: Page, check: string): Promise<string> {
  const row = page
    .locator('.fwc-verdict')
    .filter({ has: page.locator('.fwc-check', { hasText: check }) })
    .first();
  const [result, said] = await Promise.all(['.fwc-result', '.fwc-said'].map((part) => row.locator(part).textContent()));
  return `${result?.trim()}: ${said?.trim()}`;
}

/** Nothing is wider than the window, and no text is cut. */
async function fits(page: Page): Promise<void> {
  const found = await page.evaluate(() => {
    const cut = Array.from(document.querySelectorAll<HTMLElement>('.fwc *'))
      .filter((element) => element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)
      .filter((element) => getComputedStyle(element).overflowX !== 'visible')
      .map((element) => element.className);
    return { overflow: document.documentElement.scrollWidth - window.innerWidth, cut };
  });
  assert.ok(found.overflow <= 0, `${found.overflow} px wider than the window`);
  assert.deepEqual(found.cut, []);
}

/** Runs in the page: contrast of sentences against what is behind them (WCAG 2). */
function contrasts(): number[] {
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string) => {
    const [red, green, blue] = channels(color).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  return ['.fwc-lead', '.fwc-said', '.fwc-result', '.fwc-protocol td', '.fwc-protocol h1'].map((selector) => {
    const element = document.querySelector<HTMLElement>(selector) as HTMLElement;
    let behind = element;
    while (channels(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement as HTMLElement;
    const [light, dark] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
      .map(luminance)
      .sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  });
}
