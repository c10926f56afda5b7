/** The commissioning check in a browser: somebody goes through it on a phone, at simulated homes whose kettle the test switches. */
import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type Broker, startBroker } from '../../scripts/start/broker.ts';
import { CheckPlant, type CheckPlantOptions, METER_ID, SERIAL } from '../../simulator/check-plant.ts';
import { runDevices } from '../../simulator/real-time.ts';
import { clampsOn } from '../../simulator/wiring.ts';
import { inaccessible, type Running, startBrowser, startFusewise, until } from './support.ts';

/** A of the kettle. */
const KETTLE_A = 8.7;
/** Clocks of Node-RED and of the devices run so many times as fast: a check takes minutes. */
const CLOCK_FACTOR = 4;
/** It follows soon, so that a busy machine does not make it late. */
const PROMPT = { lag: [1, 2] as [number, number] };
const ONE_PHASE = { phases: ['L1' as const], ...PROMPT };

interface Plant {
  name: string;
  options: CheckPlantOptions;
  /** The vehicle hears nothing of what it is offered when the check begins. */
  ignores?: boolean;
  sum: string;
  /** What the protocol says of which check. */
  says: [check: string, said: RegExp][];
}

const METER_RIGHT: Plant['says'] = [
  ['Order of the transformers', /: ✔ proven: A known load on each of L1, L2, L3 shows there and nowhere else\./],
  ['Direction of the transformers', /: ✔ proven: /],
  ['Chargers measured', /: ✔ proven: It measures wallbox\./],
];
const CHARGER_RIGHT: Plant['says'] = [
  ['Phases', /: ✔ proven: Its first phase is L1, as configured\./],
  ['Obeys', /: ✔ proven: It follows less current and a stop within [\d.]+ s;/],
];

/** One after another at the same home: somebody puts right what was wrong, and checks again. */
const PLANTS: Plant[] = [
  {
    name: 'a right one',
    options: { vehicle: ONE_PHASE },
    sum: 'everything proven',
    says: [...METER_RIGHT, ...CHARGER_RIGHT],
  },
  {
    name: 'a vehicle that ignores what it is offered',
    options: { vehicle: ONE_PHASE },
    ignores: true,
    sum: '1 wrong, 2 not proven',
    says: [METER_RIGHT[0], ['Obeys', /: ✖ wrong: Offered \d+ A, the vehicle still drew \d+\.\d A\./]],
  },
  {
    name: 'a reversed transformer',
    options: { clamps: [{ phase: 'L1' }, { phase: 'L2', reversed: true }, { phase: 'L3' }], vehicle: ONE_PHASE },
    sum: '1 wrong',
    says: [
      METER_RIGHT[0],
      [
        'Direction of the transformers',
        /: ✖ wrong: The current transformer of L2 at meter grid is the wrong way round\./,
      ],
      ...CHARGER_RIGHT,
    ],
  },
  {
    name: 'a rotated charger',
    options: { wired: ['L2', 'L3', 'L1'], vehicle: { phases: ['L2'], ...PROMPT } },
    sum: '1 wrong',
    says: [
      ...METER_RIGHT,
      ['Phases', /: ✖ wrong: What it reports on L1 flows on L2\..*L2, ?L3, ?L1/],
      CHARGER_RIGHT[1],
    ],
  },
  {
    name: 'a meter without the charger',
    options: { measures: 'house', vehicle: ONE_PHASE },
    sum: '1 wrong, 1 not proven',
    says: [
      METER_RIGHT[0],
      ['Chargers measured', /: ✖ wrong: Meter grid does not measure wallbox, although it should\./],
      ['Phases', /not proven: /],
      CHARGER_RIGHT[1],
    ],
  },
];

describe('commissioning page', function () {
  this.timeout(240_000);
  let broker: Broker;
  let home: Running;
  let browser: Browser;
  let plant: CheckPlant;
  let stopDevices: (() => Promise<void>) | undefined;
  const complaints: string[] = [];

  before(async () => {
    browser = await startBrowser();
    broker = await startBroker({ host: '127.0.0.1', port: 0, user: '', password: '' });
    // The transformers of L2 and L3 are swapped.
    await wire({ clamps: clampsOn('L1', 'L3', 'L2'), vehicle: ONE_PHASE });
    const env = { SIMULATE: '0', MQTT_URL: broker.url, SHELLY_ID: METER_ID, GO_E_SERIAL: SERIAL };
    home = await startFusewise(env, { clockFactor: CLOCK_FACTOR });
  });
  after(async () => {
    await browser?.close();
    await home?.stop();
    await stopDevices?.();
    await broker?.stop();
  });

  /** The home is as somebody has wired it now. */
  async function wire(options: CheckPlantOptions): Promise<void> {
    await stopDevices?.();
    const wired = new CheckPlant(options);
    plant = wired;
    const start = performance.now();
    stopDevices = await runDevices({
      devices: [wired.shelly, wired.goE],
      mqttUrl: broker.url,
      tickMs: 100 / CLOCK_FACTOR,
      now: () => (performance.now() - start) * CLOCK_FACTOR,
      step: (now) => wired.plant.step(now),
    });
  }

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

  /** Goes through the steps of the meter: the kettle on and off on each phase. */
  async function boilWater(page: Page): Promise<void> {
    for (const phase of ['L1', 'L2', 'L3'] as const) {
      await until(async () => (await step(page)).includes(`on ${phase} behind Main fuse`));
      await fits(page);
      plant.switch(phase, KETTLE_A);
      // What the meter makes of it is shown at once.
      await until(async () =>
        (await page.locator('.fwc-change').allTextContents()).some((text) => /^[+−][78]/.test(text)),
      );
      await page.getByRole('button', { name: 'Next' }).click();
      await until(async () => (await step(page)).includes('off again'));
      plant.switch(phase, 0);
      await until(async () =>
        (await page.locator('.fwc-change').allTextContents()).every((text) => !/^[+−][78]/.test(text)),
      );
      await page.getByRole('button', { name: 'Next' }).click();
    }
  }

  it('leads through the check with one button at a time, and shows the verdicts', async () => {
    const page = await open();
    await page.getByText('Nothing was checked here yet').waitFor();
    assert.equal(await page.locator('.fwc-protocol').count(), 0);
    await page.getByLabel('Checked by').fill('A. Volta');
    await page.getByRole('button', { name: 'Start the check' }).click();

    await boilWater(page);

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
        // The colours of the page arrive with the page's templates and fade in.
        await until(async () => (await inaccessible(page)).length === 0);
        await fits(page);
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

  for (const { name, options, ignores, sum, says } of PLANTS)
    it(`names ${name}, when it is checked again`, async () => {
      await wire(options);
      const page = await open();
      if (ignores) {
        // It comes to its full current, and hears nothing from then on.
        await until(() => Math.max(...plant.vehicle.current()) > 10);
        plant.vehicle.offer = () => {};
      }
      await page.getByRole('button', { name: 'Check again' }).click();
      await boilWater(page);
      await page.waitForSelector('.fwc-protocol', { timeout: 120_000 });
      for (const [check, said] of says) assert.match(`${check}: ${await found(page, check)}`, said);
      assert.equal(await page.locator('.fwc-sum').textContent(), sum);
      await fits(page);
      await page.context().close();
      // What passed charges again.
      if (sum === 'everything proven') await until(() => Math.max(...plant.vehicle.current()) > 10);
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
