/** Two years of charging at a home, as if they had been: for pictures and tests of the history page. */
import { join } from 'node:path';
import { type Session, zoneOffset } from '../../core/index.ts';
import { SessionStore } from '../../drivers/session-store/store.ts';
import { createRandom } from '../../simulator/random.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const TIME_ZONE = 'Europe/Berlin';
const CAUSES = ['vehicle', 'vehicle', 'unplugged', 'vehicle', 'user', 'vehicle', 'energy', 'unheard'] as const;

/** About one on two of three days before `now`, epoch ms; the latest ended yesterday. */
export function pastSessions(now: number, days = 730): Session[] {
  const random = createRandom(5);
  const midnight = Math.floor(now / DAY_MS) * DAY_MS;
  return Array.from({ length: days }, (_, i) => days - i)
    .filter((ago) => ago === 1 || random.between(0, 3) > 1)
    .map((ago, i) => {
      const start = Math.round(midnight - ago * DAY_MS + random.between(15, 19) * HOUR_MS);
      const energy = Math.round(random.between(2000, 26_000));
      const peakPower = i % 5 === 0 ? 3680 : 11_040;
      const chargingMs = Math.round((energy / (peakPower * random.between(0.5, 0.95))) * HOUR_MS);
      const end = Math.min(start + chargingMs + Math.round(random.between(0, 10) * HOUR_MS), midnight);
      const user = i % 3 === 0 ? 'Bob' : 'Anna';
      return {
        id: `wallbox-${start}`,
        charger: 'wallbox',
        user,
        start,
        startOffset: zoneOffset(start, TIME_ZONE),
        end,
        endOffset: zoneOffset(end, TIME_ZONE),
        energy,
        chargingMs: Math.min(chargingMs, end - start),
        peakPower,
        cost: (energy / 1000) * random.between(0.22, 0.34),
        pricedEnergy: energy,
        currency: 'EUR',
        endedBy: CAUSES[i % CAUSES.length],
        counter: energy,
        register: 1_000_000 + i,
      };
    });
}

/** Writes them where the node of flows/home.json keeps its sessions. */
export function keepPastSessions(userDir: string, sessions: readonly Session[]): void {
  const store = new SessionStore(join(userDir, 'dlm', 'sessions-home-site.sqlite'));
  store.save(sessions);
  store.close();
}
