import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseMessage } from '../../messages/index.ts';
import fuseGuard from '../../nodes/fuse-guard/fuse-guard.ts';
import { next } from './devices.ts';
import { helper, load, logged, MAIN, SITE } from './helper.ts';

const GUARD = {
  ...{ id: 'guard', type: 'fuse-guard', circuit: 'main-node', rule: 'replica' },
  ...{ reactionSeconds: 8, resumeBudget: 50, minPauseSeconds: 60, wires: [['limits'], ['alerts']] },
};
const meter = (amps: number, id = 'grid') => ({
  topic: `meter/${id}`,
  payload: { at: 0, current: [amps, 1, 1] },
});
const receive = (message: object) => helper.getNode('guard').receive(message as never);

describe('node fuse-guard', () => {
  let userDir: string;
  beforeEach(async () => {
    userDir = mkdtempSync(path.join(tmpdir(), 'fusewise-'));
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
    helper.settings({ userDir } as never);
    const helpers = GUARD.wires.flat().map((id) => ({ id, type: 'helper' }));
    await load([SITE, { ...MAIN, meter: 'grid', jumpMode: 'configured', jump: '10' }, GUARD, ...helpers], [fuseGuard]);
  });
  afterEach(async () => {
    await helper.unload();
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    rmSync(userDir, { recursive: true, force: true });
  });

  it('tells the budget, and how much more the fuse carries for how long', async () => {
    const first = await next('limits');
    receive(meter(30));
    assert.equal(parseMessage(first)?.kind, 'limit');
    const { absorbs, budgetUsed, paused } = first.payload as Record<string, never>;
    assert.deepEqual(absorbs, { current: 10, seconds: null });
    assert.ok(budgetUsed > 0.6 && budgetUsed < 0.7, 'as warm as at its rating: (1/1.25)²');
    assert.equal(paused, false);
    // 30 A of 25 A do no harm for good (1.25·In), but heat it: the moved budget is told without waiting for the renewal.
    const later = await next('limits', (m) => (m.payload.absorbs as { seconds: number | null }).seconds !== null);
    const { absorbs: warm } = later.payload as { absorbs: { current: number; seconds: number } };
    assert.ok(warm.current === 10 && warm.seconds > 8 && warm.seconds < 60, `${warm.seconds}`);
  });

  it('pauses charging at a current that burns the fuse before a stop could help, and says so', async () => {
    const alert = next('alerts');
    const limit = next('limits', (m) => m.payload.paused === true);
    receive(meter(200));
    const { payload } = await alert;
    assert.equal(payload.active, true);
    assert.equal(payload.code, 'guard-budget');
    assert.deepEqual((await limit).payload.current, [0, 0, 0]);
    assert.match(logged('guard', 'warn').join(), /main/);
  });

  it('does not listen to the meter of another circuit, and says so once', async () => {
    const limit = next('limits');
    receive(meter(200, 'garage'));
    receive(meter(200, 'garage'));
    assert.equal((await limit).payload.paused, false);
    assert.deepEqual(logged('guard', 'warn'), ['meter/garage — expected the meter of the circuit, meter/grid']);
  });

  it('refuses rubbish and stays as it is', async () => {
    receive({ topic: 'meter/grid', payload: { at: 0, current: ['a lot', 1, 1] } });
    assert.equal((await next('limits')).payload.paused, false);
    assert.match(logged('guard', 'error').join(), /current/);
  });
});
