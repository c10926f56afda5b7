/** `kill -9` a hundred times at random moments: the go-e driver, the sessions of the core and their store in a process of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SessionStore } from '../../drivers/session-store/store.ts';
import { killSessions } from '../helpers/killed-sessions.ts';
import { assertSame } from '../helpers/same-sessions.ts';

describe('sessions of a program that is killed a hundred times', function () {
  this.timeout(300_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'fusewise-killed-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const [api, kills] of [
    ['v2', 100],
    ['v1', 50],
  ] as const)
    it(`go-e ${api}, ${kills} times: none lost, none doubled, energy within 0.1 kWh of the plant's`, async () => {
      const file = path.join(folder, 'sessions.sqlite');
      const seed = Math.floor(Math.random() * 1e9);
      const truth = await killSessions({ file, api, kills, seed });
      const store = new SessionStore(file);
      try {
        const largest = assertSame(store.list({ period: '' }, 1000).toReversed(), truth);
        console.log(`      seed ${seed}: ${truth.length} sessions, at most ${largest.toFixed(1)} Wh from the plant's`);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      } finally {
        store.close();
      }
    });
});
