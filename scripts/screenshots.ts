/**
 * `npm run screenshots`: takes every picture of the documentation from the running system. Names choose some:
 * `npm run screenshots -- form-fuse-guard`. Needs chromium.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { freePort } from '../test/helpers/free-port.ts';
import { Editor } from '../test/system/editor.ts';
import { keepPastSessions, pastSessions } from '../test/system/past-sessions.ts';
import { type Running, startBrowser, startFusewise } from '../test/system/support.ts';
import { fingerprint, nodeTypes, pictures } from './pictures.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDER = join(ROOT, 'docs/pictures');
const SOURCES = join(FOLDER, 'sources.json');
const PHONE = { width: 390, height: 1120 };
const DESKTOP = { width: 1280, height: 820 };
const SITE_PHONE = { width: 390, height: 1500 };
const SITE_DESKTOP = { width: 1280, height: 1180 };
/** Its clocks run so many times as fast. */
const SITE_FACTOR = 10;
/** The curve of the last minutes wants something to show. */
const HISTORY_S = 150;

const wanted = process.argv.slice(2);
const all = pictures(ROOT).filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const sources: Record<string, string> = known();
const home = await startFusewise(
  { MQTT_PORT: String(await freePort()) },
  { prepare: (userDir) => keepPastSessions(userDir, pastSessions(Date.now())) },
);
/** The other flow, when a picture needs it. */
let ocppSite: Promise<Running> | undefined;
const site = () => {
  ocppSite ??= freePorts().then(([mqtt, ocpp]) =>
    startFusewise({ FLOW: 'ocpp', MQTT_PORT: mqtt, OCPP_PORT: ocpp }, { clockFactor: SITE_FACTOR }),
  );
  return ocppSite;
};
const browser = await startBrowser();
try {
  const take = new Map<string, (path: string) => Promise<void>>([
    ['editor', (path) => canvas(browser, path)],
    ...nodeTypes(ROOT).map((type) => [`form-${type}`, (path: string) => form(browser, type, path)] as const),
    ['history-phone', (path) => history(browser, path, { viewport: PHONE })],
    ['history-phone-dark', (path) => history(browser, path, { viewport: PHONE, colorScheme: 'dark' })],
    ['history-desktop', (path) => history(browser, path, { viewport: DESKTOP })],
    ['site-phone', (path) => stations(browser, path, { viewport: SITE_PHONE })],
    ['site-phone-dark', (path) => stations(browser, path, { viewport: SITE_PHONE, colorScheme: 'dark' })],
    ['site-desktop', (path) => stations(browser, path, { viewport: SITE_DESKTOP })],
    ['dashboard-phone', (path) => dashboard(browser, path, { viewport: PHONE })],
    ['dashboard-phone-dark', (path) => dashboard(browser, path, { viewport: PHONE, colorScheme: 'dark' })],
    ['dashboard-desktop', (path) => dashboard(browser, path, { viewport: DESKTOP })],
  ]);
  // The dashboard comes last: by then there is something on its curve.
  const order = [...take.keys()];
  all.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  for (const picture of all) {
    await take.get(picture.name)?.(join(FOLDER, `${picture.name}.png`));
    sources[picture.name] = fingerprint(picture);
    console.log(picture.name);
  }
  const sorted = Object.fromEntries(Object.entries(sources).sort());
  writeFileSync(SOURCES, `${JSON.stringify(sorted, null, 2)}\n`);
} finally {
  await browser.close();
  await home.stop();
  await (await ocppSite)?.stop();
}

async function freePorts(): Promise<[string, string]> {
  return [String(await freePort()), String(await freePort())];
}

function known(): Record<string, string> {
  try {
    return JSON.parse(readFileSync(SOURCES, 'utf8'));
  } catch {
    return {};
  }
}

async function canvas(browser: Browser, path: string): Promise<void> {
  const editor = await Editor.open(browser, home.url, { viewport: { width: 1680, height: 760 } });
  await editor.page.waitForTimeout(2000);
  await editor.page.screenshot({ path });
  await editor.close();
}

async function form(browser: Browser, type: string, path: string): Promise<void> {
  const { url } = type === 'ocpp-central' ? await site() : home;
  const editor = await Editor.open(browser, url, { viewport: { width: 1400, height: 1400 } });
  const present = await editor.ids(type);
  await editor.edit(present[0] ?? (await editor.drag(type)));
  // Figures and tree are asked of the runtime.
  await editor.page.waitForTimeout(1500);
  await editor.page.locator('.red-ui-tray').last().screenshot({ path });
  await editor.close();
}

async function history(browser: Browser, path: string, options: BrowserContextOptions): Promise<void> {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const page = await context.newPage();
  await page.goto(`${home.url}/dashboard/history`);
  // The month before is full on every day of a month.
  await page.getByRole('button', { name: 'Earlier' }).click();
  await page.waitForTimeout(2000);
  await page.screenshot({ path });
  await context.close();
}

/** Ten minutes of the site, so that everybody has his share. */
async function stations(browser: Browser, path: string, options: BrowserContextOptions): Promise<void> {
  const { url } = await site();
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const page = await context.newPage();
  await page.goto(`${url}/dashboard/site`);
  await page.waitForFunction(`document.querySelectorAll('.fw-stations .fw-C').length >= 6`, undefined, {
    timeout: 120_000,
  });
  await page.waitForTimeout(15_000);
  await page.screenshot({ path });
  await context.close();
}

async function dashboard(browser: Browser, path: string, options: BrowserContextOptions): Promise<void> {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const page = await context.newPage();
  await page.goto(`${home.url}/dashboard`);
  await page.waitForSelector('.fw-budget');
  const least = HISTORY_S / 5;
  const points = `(document.querySelector('.fw-history-l1')?.getAttribute('points') ?? '').split(' ').length`;
  await page.waitForFunction(`${points} >= ${least}`, undefined, { timeout: 2 * HISTORY_S * 1000 });
  await page.waitForTimeout(1500);
  await page.screenshot({ path });
  await context.close();
}
