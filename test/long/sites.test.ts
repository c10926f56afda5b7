/** `npm run test:long`: 1,000 seeded days of sites, shared out among the processor's cores; `SITE_DAYS` and `SITE_SEED` choose others. */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SiteVerdict } from '../../simulator/site-judge.ts';
import { assertKept, summarise, tell } from '../simulator/sites.ts';

const DAYS = Number(process.env.SITE_DAYS ?? 1000);
const FIRST = Number(process.env.SITE_SEED ?? 1);

describe(`${DAYS} days of sites from seed ${FIRST}`, function () {
  this.timeout(0);
  const verdicts = new Map<number, Promise<SiteVerdict>>();
  const workers: Worker[] = [];

  before(() => {
    let next = FIRST;
    const settle = new Map<number, (verdict: Promise<SiteVerdict> | SiteVerdict) => void>();
    for (let seed = FIRST; seed < FIRST + DAYS; seed++)
      verdicts.set(seed, new Promise((resolve) => settle.set(seed, resolve)));
    for (let i = 0; i < availableParallelism(); i++) {
      // A larger nursery: most of what a day makes is forgotten at once.
      const resourceLimits = { maxYoungGenerationSizeMb: 64 };
      const worker = new Worker(new URL('./site-worker.ts', import.meta.url), { resourceLimits });
      workers.push(worker);
      let seed = 0;
      const ask = () => {
        seed = next++;
        if (seed < FIRST + DAYS) worker.postMessage(seed);
        else worker.unref();
      };
      worker.on('message', (verdict: SiteVerdict) => {
        settle.get(seed)?.(verdict);
        ask();
      });
      worker.on('error', (error) => settle.get(seed)?.(Promise.reject(error)));
      ask();
    }
  });

  after(() => Promise.all(workers.map((worker) => worker.terminate())));

  for (let seed = FIRST; seed < FIRST + DAYS; seed++)
    it(`day ${seed}`, async () => assertKept((await verdicts.get(seed)) as SiteVerdict));

  it('equal claims get the same, and little room stays unused while somebody would take more', async () => {
    const all = await Promise.all(verdicts.values());
    const summary = summarise(all);
    tell(summary, all.length);
    assert.ok(summary.fairness >= 0.95 && summary.unused <= 0.03, JSON.stringify(summary));
  });
});
