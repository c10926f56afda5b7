/** Every form of the palette, in a browser, in both languages: defaults, validation, help, the site's tree, deploy. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { freePort } from '../helpers/free-port.ts';
import { Editor } from './editor.ts';
import { type Running, startBrowser, startFusewise } from './support.ts';

/** For each type: a field, what no field of it may be, and what of the reason tells a person what to do. */
const WRONG: Record<string, [field: string, value: string, reason: RegExp][]> = {
  'dlm-site': [
    ['voltage', '12', /230/],
    ['timeZone', 'Middle-earth', /Europe\/Berlin/],
    ['currency', '€', /EUR/],
  ],
  'dlm-circuit': [
    ['circuitId', 'main fuse', /A-Z|letters|Buchstaben/],
    ['rating', '0', /1.+2000/],
    ['derating', '1.5', /0[.,]1.+1/],
    ['fallbackLoad', '-1', /0.+2000/],
  ],
  'shelly-3em': [
    ['meterId', 'a b', /letters|Buchstaben/],
    ['host', 'not a host', /192\.168|host|Host|Adresse/],
  ],
  'fuse-guard': [
    ['reactionSeconds', '0', /1.+120/],
    ['resumeBudget', '100', /5.+95/],
    ['minPauseSeconds', '-1', /0.+3600/],
  ],
  'dlm-allocator': [
    ['increaseSeconds', '0', /1.+600/],
    ['minOffSeconds', 'soon', /0.+3600/],
    ['vehicleLagSeconds', '61', /1.+60/],
    ['turnMinutes', '0', /1.+240/],
  ],
  'go-e-charger': [
    ['chargerId', 'box 1', /letters|Buchstaben/],
    ['minCurrent', '5', /6.+32/],
    ['maxCurrent', '40', /32/],
    ['safeCurrent', '3', /0 \(/],
    ['priority', '5000', /1000/],
  ],
  'ocpp-central': [
    ['port', '0', /1.+65535/],
    ['path', 'ocpp stations', /\/ocpp/],
    ['meterSeconds', '0', /1.+300/],
    ['profileSeconds', '10', /60.+3600/],
  ],
  'dlm-commissioning': [],
  'dlm-history': [
    ['capacity', '10', /1000.+1000000/],
    ['batchSeconds', '0', /1.+300/],
    ['timeoutSeconds', 'long', /5.+600/],
  ],
  'dlm-sessions': [],
};
const CONFIG = ['dlm-site', 'dlm-circuit'];

describe('the editor', function () {
  this.timeout(120_000);
  let browser: Browser;
  let home: Running;

  before(async () => {
    browser = await startBrowser();
    home = await startFusewise({ MQTT_PORT: String(await freePort()) });
  });
  after(async () => {
    await browser?.close();
    await home?.stop();
  });

  for (const locale of ['en-US', 'de']) {
    describe(`in ${locale}`, () => {
      let editor: Editor;
      before(async () => {
        editor = await Editor.open(browser, home.url, { locale });
      });
      after(() => editor?.close());

      for (const [type, wrong] of Object.entries(WRONG)) {
        const isConfig = CONFIG.includes(type);
        it(`${type}: shows its defaults, says what is wrong with a field, and explains itself`, async () => {
          const id = isConfig ? (await editor.ids(type))[0] : await editor.drag(type);
          const { fields, defaults } = await editor.node(id);
          const form = await editor.edit(id);
          for (const [name, value] of Object.entries(isConfig ? fields : defaults)) {
            // A list has a test of its own.
            if (['', '_ADD_', undefined].includes(value as string) || Array.isArray(value)) continue;
            const field = form.field(name);
            assert.equal(await field.count(), 1, `${name} has no field`);
            const shown = typeof value === 'boolean' ? await field.isChecked() : await field.inputValue();
            assert.equal(String(shown), String(value), name);
          }
          for (const [name, value, reason] of wrong) {
            const right = await form.field(name).inputValue();
            await form.set(name, value);
            assert.ok(await form.wrong(name), `${name}: ${value} is not marked`);
            assert.match(await form.reason(name), reason, name);
            await form.set(name, right);
            assert.ok(!(await form.wrong(name)), `${name}: ${right} is marked`);
          }
          await form.cancel();
          const help = await editor.help(type);
          const examples = help.match(/<pre/g) ?? [];
          // A device's own frame may stand for the message in.
          assert.ok(examples.length >= (isConfig ? 1 : 2), `${examples.length} examples: ${help.slice(0, 200)}`);
          assert.match(help, /(&quot;|")topic(&quot;|")/);
          assert.deepEqual(editor.complaints, []);
        });
      }
    });
  }

  it('speaks the language of the browser', async () => {
    const helps: string[] = [];
    for (const locale of ['en-US', 'de']) {
      const editor = await Editor.open(browser, home.url, { locale });
      helps.push(await editor.help('fuse-guard'));
      await editor.close();
    }
    assert.notEqual(helps[0], helps[1]);
    assert.match(helps[1], /Sicherung/);
  });

  it('the allocator shows the tree, and what cannot work before it is deployed', async () => {
    const editor = await Editor.open(browser, home.url, { locale: 'en-US' });
    const tree = editor.page.locator('#dlm-allocator-site');
    const [allocator] = await editor.ids('dlm-allocator');
    const [wallbox] = await editor.ids('go-e-charger');
    const [main] = await editor.ids('dlm-circuit');
    let form = await editor.edit(allocator);
    await tree.getByText('Nothing stands in the way.').waitFor();
    assert.match((await tree.textContent()) ?? '', /Main fuse 25 A fuse gG · meter grid\s*Wallbox L1 L2 L3, 6 to 16 A/);
    await form.cancel();

    const second = await editor.drag('go-e-charger');
    form = await editor.edit(second);
    await form.set('chargerId', 'wallbox');
    await form.done();
    form = await editor.edit(allocator);
    await tree.getByText('Two chargers are called wallbox').waitFor();
    await tree.getByText('wallbox hangs on no circuit').waitFor();
    await form.cancel();

    form = await editor.edit(second);
    await form.set('circuit', main);
    await form.set('chargerId', 'second');
    await form.set('maxCurrent', '32');
    await form.set('safeCurrent', '20');
    await form.done();
    form = await editor.edit(allocator);
    await tree.getByText(/safe currents of 26 A and a fallback load of 0 A are more than 25 A/).waitFor();
    await form.cancel();

    form = await editor.edit(main);
    await form.set('phases', 'L2');
    await editor.page
      .locator('#dlm-circuit-site')
      .getByText(/wallbox is on L1,L2,L3, but main does not have all/)
      .waitFor();
    await form.cancel();
    assert.ok((await editor.node(wallbox)).valid);
    await editor.close();
  });

  it('saves each form and deploys what was typed, and the runtime has it', async () => {
    const editor = await Editor.open(browser, home.url, { locale: 'en-US' });
    const typed = new Map<string, string>();
    for (const type of Object.keys(WRONG)) {
      const [id] = await editor.ids(type);
      // It stands in another flow.
      if (id === undefined) continue;
      const form = await editor.edit(id);
      typed.set(id, `${type} of the test`);
      await form.set('name', `${type} of the test`);
      await form.done();
    }
    const [guard] = await editor.ids('fuse-guard');
    const form = await editor.edit(guard);
    await form.set('minPauseSeconds', '90');
    await form.done();
    await editor.deploy();
    const flows = (await (await fetch(`${home.url}/flows`)).json()) as Record<string, unknown>[];
    assert.equal(flows.find((node) => node.id === guard)?.minPauseSeconds, '90');
    const names = flows.filter((node) => typed.has(node.id as string)).map((node) => [node.id, node.name] as const);
    assert.deepEqual(new Map(names as [string, string][]), typed);
    // Nothing of it stands in the way: every node says how it is, none that it is configured wrongly.
    assert.deepEqual(home.log().match(/.+ — expected .+/g) ?? [], []);
    await editor.close();
  });
});
