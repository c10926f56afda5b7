/** The form of ocpp-central, and the site around it, in a browser: a table of stations that says what is wrong, and what is saved of it. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { freePort } from '../helpers/free-port.ts';
import { Editor } from './editor.ts';
import { type Running, startBrowser, startFusewise } from './support.ts';

describe('the editor of a site of OCPP stations', function () {
  this.timeout(120_000);
  let browser: Browser;
  let site: Running;
  let editor: Editor;
  const rows = () => editor.page.locator('#node-input-stations-list .ocpp-central-station');
  const cell = (row: number, field: string) => rows().nth(row).locator(`[data-field="${field}"]`);

  before(async () => {
    browser = await startBrowser();
    const ports = { MQTT_PORT: String(await freePort()), OCPP_PORT: String(await freePort()) };
    site = await startFusewise({ FLOW: 'ocpp', ...ports });
    editor = await Editor.open(browser, site.url, { locale: 'en-US' });
  });
  after(async () => {
    await editor?.close();
    await browser?.close();
    await site?.stop();
  });

  it('finds nothing in the way: all safe currents and the house fit on the feeder', async () => {
    const [allocator] = await editor.ids('dlm-allocator');
    const form = await editor.edit(allocator);
    const tree = editor.page.locator('#dlm-allocator-site');
    await tree.getByText('Nothing stands in the way.').waitFor();
    const text = (await tree.textContent()) ?? '';
    for (let i = 1; i <= 12; i++) assert.ok(text.includes(`CP${String(i).padStart(3, '0')}-1`), `${i}: ${text}`);
    await form.cancel();
  });

  it('says before it is deployed what more safe current would be too much', async () => {
    const [central] = await editor.ids('ocpp-central');
    const [allocator] = await editor.ids('dlm-allocator');
    let form = await editor.edit(central);
    assert.equal(await rows().count(), 12);
    await cell(9, 'safeCurrent').fill('12');
    await form.done();
    form = await editor.edit(allocator);
    const tree = editor.page.locator('#dlm-allocator-site');
    await tree.getByText(/safe currents of 54 A and a fallback load of 10 A are more than 63 A/).waitFor();
    await form.cancel();
    form = await editor.edit(central);
    await cell(9, 'safeCurrent').fill('6');
    await form.done();
  });

  it('says at the row what is wrong with it', async () => {
    const [central] = await editor.ids('ocpp-central');
    const form = await editor.edit(central);
    const problem = rows().nth(0).locator('.ocpp-central-problem');
    for (const [field, wrong, reason] of [
      ['identity', 'CP 1', /identity has 1 to 33 letters/],
      ['maxCurrent', '5', /Max A: a number from 6/],
      ['safeCurrent', '3', /safe current is 0 \(pause\), or 6/],
      ['quirks', '{', /JSON object/],
    ] as const) {
      const right = await cell(0, field).inputValue();
      await cell(0, field).fill(wrong);
      assert.match((await problem.textContent()) ?? '', reason, field);
      await cell(0, field).fill(right);
      assert.equal(await problem.textContent(), '', field);
    }
    await form.cancel();
  });

  it('saves a station more and its password, which is in no flow', async () => {
    const [central] = await editor.ids('ocpp-central');
    let form = await editor.edit(central);
    await form.set('security', '1');
    await editor.page.locator('.ocpp-central-stations .red-ui-editableList-addButton').click();
    assert.equal(await rows().count(), 13);
    await cell(12, 'identity').fill('CP013');
    await cell(12, 'safeCurrent').fill('0');
    for (let i = 0; i < 13; i++) await cell(i, 'password').fill(`secret-of-station-${i + 1}`);
    await form.done();
    await editor.deploy();
    const text = await (await fetch(`${site.url}/flows`)).text();
    const saved = (JSON.parse(text) as { type: string; stations: { identity: string }[] }[]).find(
      ({ type }) => type === 'ocpp-central',
    );
    assert.equal(saved?.stations.length, 13);
    assert.equal(saved?.stations[12].identity, 'CP013');
    assert.ok(!text.includes('secret-of-station'));
    form = await editor.edit(central);
    assert.equal(await cell(12, 'password').inputValue(), 'secret-of-station-13');
    await form.cancel();
    assert.deepEqual(site.log().match(/.+ — expected .+/g) ?? [], []);
    assert.deepEqual(editor.complaints, []);
  });
});
