import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Judge } from '../simulator/ocpp/judge.ts';

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), '../../scripts/simulator.ts');

function simulator(...args: string[]) {
  const child = spawn(process.execPath, ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', SCRIPT, ...args]);
  let output = '';
  const waiting: { text: RegExp; resolve: () => void }[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output += data.toString();
      for (const w of waiting) if (w.text.test(output)) w.resolve();
    });
  return {
    output: () => output,
    say: (line: string) => child.stdin.write(`${line}\n`),
    /** Resolves when it has shown this. */
    shows: (text: RegExp) =>
      new Promise<void>((resolve) => (text.test(output) ? resolve() : waiting.push({ text, resolve }))),
    end: async () => {
      const [code] = (await once(child, 'close')) as [number];
      return code;
    },
  };
}

describe('npm run simulator', () => {
  it('runs a station by hand: it tells what happens and takes commands', async () => {
    const judge = await Judge.start({ passwords: { 'BOX-7': 'secret' } });
    const behaviours = 'stack-zero,kilo';
    const station = simulator(
      'ocpp',
      'BOX-7',
      '--url',
      judge.url,
      '--password',
      'secret',
      '--phases',
      'L2',
      '--behaviour',
      behaviours,
      '--vendor',
      'ABB',
    );
    await judge.hears('StatusNotification', ({ params }) => params.status === 'Charging');
    station.say('status');
    await station.shows(
      /1: Charging, 16\.0 A offered, 0\.0 15\.8 0\.0 A drawn on L1 L2 L3, transaction 1 of TAG-BOX-7/,
    );
    station.say('unplug');
    const { params } = await judge.hears('StopTransaction');
    assert.equal(params.reason, 'EVDisconnected');
    station.say('fault GroundFailure');
    await judge.hears('StatusNotification', (c) => c.params.errorCode === 'GroundFailure');
    station.say('fault');
    station.say('plug 2');
    await station.shows(/connector 2: expected 1 to 1/);
    station.say('rubbish');
    await station.shows(/rubbish is no command/);
    station.say('cut');
    await station.shows(/network is cut/);
    const from = judge.heard.length;
    station.say('cut');
    await judge.hears('BootNotification', () => true, from);
    station.say('quit');
    assert.equal(await station.end(), 0);
    assert.match(station.output(), /→ BootNotification .*"chargePointVendor":"ABB"/);
    assert.deepEqual(judge.violations, []);
    await judge.stop();
  }).timeout(30_000);

  it('says what it expected where it cannot run', async () => {
    const wrong: [string[], RegExp][] = [
      [[], /usage: npm run simulator/],
      [['ocpp', 'a/b'], /IDENTITY a\/b/],
      [['ocpp', 'CP1', '--phases', 'L4'], /--phases L4: expected up to three of L1, L2, L3/],
      [['ocpp', 'CP1', '--behaviour', 'nonsense'], /--behaviour nonsense: expected some of obeying, lagging/],
      [['ocpp', 'CP1', '--url', 'http://x'], /--url http:\/\/x/],
      [
        ['ocpp', 'CP1', '--vendor', 'a vendor with a long name'],
        /--vendor a vendor with a long name: expected 1 to 20/,
      ],
      [['ocpp', 'CP1', '--nonsense'], /usage/],
    ];
    for (const [args, text] of wrong) {
      const run = simulator(...args);
      assert.equal(await run.end(), 2);
      assert.match(run.output(), text);
    }
    const help = simulator('--help');
    assert.equal(await help.end(), 0);
    assert.match(help.output(), /behaviours:\n {2}obeying/);
  }).timeout(30_000);
});
