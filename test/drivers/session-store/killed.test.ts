import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SessionStore } from '../../../drivers/session-store/store.ts';
import { killSessions } from '../../helpers/killed-sessions.ts';
import { assertSame } from '../../helpers/same-sessions.ts';

describe('sessions of a program that is killed', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'fusewise-killed-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  // A hundred times: test/system/sessions-killed.test.ts
  for (const api of ['v2', 'v1'] as const)
    it(`kill -9 five times at random moments, go-e ${api}: none lost, none doubled, energy within 0.1 kWh`, async () => {
      const file = path.join(folder, 'sessions.sqlite');
      const truth = await killSessions({ file, api, kills: 5, seed: 7 });
      const store = new SessionStore(file);
      try {
        assertSame(store.list({ period: '' }, 1000).toReversed(), truth);
      } finally {
        store.close();
      }
    });
});
