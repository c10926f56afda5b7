/** What somebody does who has only read the README: start, look at the car, change the flow, start again, and start afresh. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { freePort } from '../helpers/free-port.ts';
import { Editor } from './editor.ts';
import { RunningHome } from './node-red.ts';
import { startBrowser, until } from './support.ts';

describe('a new user', function () {
  this.timeout(90_000);
  let browser: Browser;
  let home: RunningHome;

  before(async () => {
    browser = await startBrowser();
    home = new RunningHome({ MQTT_PORT: String(await freePort()) });
    await home.start();
  });
  after(async () => {
    await browser?.close();
    await home?.remove();
  });

  const nodes = async () => (await (await fetch(`${home.url}/flows`)).json()) as Record<string, unknown>[];
  const guard = async () => (await nodes()).find((node) => node.type === 'fuse-guard') as Record<string, unknown>;

  it('sees a car that charges, and finds the other pages', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 844 }, locale: 'en-US' });
    await page.goto(`${home.url}/dashboard`);
    const current = page.locator('.fw-current');
    await current.waitFor();
    await until(async () => Number.parseFloat((await current.textContent()) ?? '') >= 6);
    await page.locator('.v-app-bar-nav-icon').click();
    await page.getByRole('link', { name: 'Commissioning' }).click();
    await page.getByText('Nothing was checked here yet').waitFor();
    await page.close();
  });

  it('changes the flow in the editor, and finds the change after the next start', async () => {
    const editor = await Editor.open(browser, home.url, { locale: 'en-US' });
    const [id] = await editor.ids('fuse-guard');
    const form = await editor.edit(id);
    await form.set('minPauseSeconds', '90');
    await form.done();
    await editor.deploy();
    await editor.close();
    await home.stop();
    await home.start();
    assert.equal((await guard()).minPauseSeconds, '90');
  });

  it('has the original again after --reset, and keeps the own flow beside it', async () => {
    await home.stop();
    await home.start('--reset');
    assert.notEqual((await guard()).minPauseSeconds, '90');
    assert.match(home.log, /flows\.json was reset to flows\/home\.json; the old one is flows-.+\.backup\.json/);
    assert.equal(readdirSync(home.userDir).filter((file) => /^flows-.+\.backup\.json$/.test(file)).length, 1);
  });
});
