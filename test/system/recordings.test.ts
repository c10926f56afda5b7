/** The flight recorder in the editor, behind a password: a recording of the simulated home is made, listed, downloaded, replayed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { type Replayed, replay } from '../../core/index.ts';
import { recordingLines } from '../../drivers/flight-recorder/lines.ts';
import { freePort } from '../helpers/free-port.ts';
import { type Running, startBrowser, startFusewise } from './support.ts';

const PASSWORD = 'correct horse';
const ALLOCATOR = 'home-allocator';
const FORM = '.dlm-allocator-form';

describe('recordings in the editor', function () {
  this.timeout(120_000);
  let home: Running;
  let browser: Browser;
  const complaints: string[] = [];

  before(async () => {
    browser = await startBrowser();
    home = await startFusewise({ MQTT_PORT: String(await freePort()), EDITOR_PASSWORD: PASSWORD });
  });
  after(async () => {
    await browser?.close();
    await home?.stop();
  });

  /** The editor with the allocator's form open. */
  async function open(locale: string): Promise<Page> {
    const context = await browser.newContext({ locale, acceptDownloads: true });
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(home.url);
    await page.fill('#node-dialog-login-username', 'admin');
    await page.fill('#node-dialog-login-password', PASSWORD);
    await page.click('#node-dialog-login-submit');
    await page.waitForFunction((id) => {
      const { RED } = globalThis as unknown as { RED?: { nodes?: { node(id: string): unknown } } };
      return RED?.nodes?.node(id) !== undefined && RED.nodes.node(id) !== null;
    }, ALLOCATOR);
    await page.evaluate((id) => {
      const { RED } = globalThis as unknown as {
        RED: { nodes: { node(id: string): unknown }; editor: { edit(node: unknown): void } };
      };
      RED.editor.edit(RED.nodes.node(id));
    }, ALLOCATOR);
    await page.waitForSelector(`${FORM} #dlm-allocator-record`);
    return page;
  }

  it('are made, listed and downloaded, and replay to the same set-points', async () => {
    const page = await open('en-US');
    await page.getByText('None yet: one is made of the last ten minutes').waitFor();
    await page.getByRole('button', { name: 'Record now' }).click();
    const row = page.locator('#dlm-allocator-recordings tr');
    await row.getByText('On demand').waitFor();
    assert.equal(await row.count(), 1);
    assert.match((await row.textContent()) ?? '', /\d{4}.*On demand\d+ kB/);
    const [download] = await Promise.all([page.waitForEvent('download'), row.getByRole('button').click()]);
    assert.match(download.suggestedFilename(), /\.manual\.editor\.home-allocator\.jsonl\.gz$/);
    const steps: Replayed[] = [...replay(recordingLines(readFileSync(await download.path())))];
    assert.deepEqual(
      steps.flatMap((step) => ('difference' in step && step.difference ? [step.difference] : [])),
      [],
    );
    assert.ok(steps.filter((step) => step.step === 'decision').length > 3);
    await page.context().close();
  });

  it('are in German, too', async () => {
    const page = await open('de-DE');
    await page.locator('#dlm-allocator-recordings tr').getByText('Auf Wunsch').waitFor();
    await page.getByRole('button', { name: 'Jetzt aufzeichnen' }).click();
    await page.locator('#dlm-allocator-recordings tr').nth(1).waitFor();
    await page.context().close();
    assert.deepEqual(complaints, []);
  });

  it('are not for everybody', async () => {
    const url = `${home.url}/fusewise/allocator/${ALLOCATOR}/recordings`;
    for (const [path, method] of [
      ['', 'GET'],
      ['', 'POST'],
      ['/x', 'GET'],
    ])
      assert.equal((await fetch(url + path, { method })).status, 401, `${method} ${path}`);
  });
});
