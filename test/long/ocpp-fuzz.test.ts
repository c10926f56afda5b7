/** `npm run test:long`: 100,000 frames; `FRAMES` and `SEED` choose others. */
import { assertUnharmed, fuzz } from '../drivers/ocpp/fuzz.ts';

const FRAMES = Number(process.env.FRAMES ?? 100_000);
const SEED = Number(process.env.SEED ?? 1);

describe(`${FRAMES} broken OCPP frames from seed ${SEED}`, function () {
  this.timeout(0);

  it('leave the process alive, its memory flat, and the answers to other stations as they were', async () => {
    const result = await fuzz(FRAMES, SEED, 9);
    const { connections, before, after, quiet, fuzzed, codes } = result;
    const ms = (list: number[]) => list.map((value) => value.toFixed(1)).join(' ');
    console.log(`      ${connections} connections, heap ${before} → ${after} bytes, ${JSON.stringify(codes)}`);
    console.log(`      90 % of a good station's answers, ms: ${ms(quiet)}; with the fuzz: ${ms(fuzzed)}`);
    assertUnharmed(result, FRAMES);
  });
});
