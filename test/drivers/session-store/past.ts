/** Sessions as if they had been: an hour each, one after the other. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type OpenSession, type Session, zoneOffset } from '../../../core/index.ts';
import { SessionStore } from '../../../drivers/session-store/store.ts';

/** Shortly before midnight at the site, on the day before its clocks change. */
export const START = Date.UTC(2026, 9, 24, 21, 30);
export const HOUR = 3_600_000;

/** One that is over. */
export function session(n: number, fields: Partial<Session> = {}): Session {
  const start = START + n * HOUR;
  const offset = zoneOffset(start, 'Europe/Berlin');
  return {
    ...{ id: `box-${start}`, charger: 'box', start, startOffset: offset, end: start + HOUR, endOffset: offset },
    ...{ energy: 1000, chargingMs: HOUR, peakPower: 1100, cost: 0.3, pricedEnergy: 1000, currency: 'EUR' },
    ...{ endedBy: 'unplugged', counter: 1000, register: 50_000 + n },
    ...fields,
  } as Session;
}

/** One that goes on. */
export function going(n: number, fields: Partial<OpenSession> = {}): OpenSession {
  const { end: _, endOffset: __, endedBy: ___, ...rest } = session(n);
  const progress = {
    heardAt: rest.start + 5000,
    power: 900,
    counted: 1000,
    moved: true,
    integrated: 3,
  };
  return { ...rest, progress, ...fields };
}

/** A folder for each test of a suite, and the stores that it opens in it. To be called in its `describe`. */
export class StoreFolder {
  folder = '';
  file = '';
  readonly opened: SessionStore[] = [];

  constructor() {
    beforeEach(() => {
      this.folder = fs.mkdtempSync(path.join(tmpdir(), 'fusewise-sessions-'));
      this.file = path.join(this.folder, 'dlm', 'sessions-site.sqlite');
    });
    afterEach(() => {
      for (const store of this.opened.splice(0)) store.close();
      fs.rmSync(this.folder, { recursive: true, force: true });
    });
  }

  open(setAside?: (file: string, reason: string) => void): SessionStore {
    const store = new SessionStore(this.file, setAside);
    this.opened.push(store);
    return store;
  }
}
