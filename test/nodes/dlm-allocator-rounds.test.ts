import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { Rounds } from '../../nodes/dlm-allocator/rounds.ts';

const fails = (error: unknown) => assert.fail(String(error));

describe('rounds of the allocator', () => {
  it('decides once for all reports of a turn, in the next one', async () => {
    let rounds = 0;
    const all = new Rounds(() => {
      rounds += 1;
    }, fails);
    for (let i = 0; i < 100; i++) all.soon();
    assert.equal(rounds, 0);
    await turn();
    await turn();
    assert.equal(rounds, 1);
  });

  it('lets reports wait for forty times what a decision took, 250 ms at most, and nothing else', async () => {
    let now = 0;
    let rounds = 0;
    let waited: () => void = () => undefined;
    const all = new Rounds(
      () => {
        rounds += 1;
        now += 1;
        waited();
      },
      fails,
      () => now,
    );
    all.now();
    all.soon();
    await turn();
    await turn();
    assert.equal(rounds, 1);
    all.now();
    assert.equal(rounds, 2);
    all.soon();
    await new Promise<void>((resolve) => {
      waited = resolve;
    });
    assert.equal(rounds, 3);
    now += 40;
    all.soon();
    await turn();
    await turn();
    assert.equal(rounds, 4);
  });

  it('tells what a decision on reports throws, and goes on; who calls gets it', async () => {
    const told: unknown[] = [];
    const fault = new Error('x');
    const all = new Rounds(
      () => {
        throw fault;
      },
      (error) => told.push(error),
      () => 0,
    );
    all.soon();
    await turn();
    await turn();
    assert.deepEqual(told, [fault]);
    assert.throws(() => all.now(), fault);
    all.soon();
    all.stop();
    await turn();
    assert.equal(told.length, 1);
  });
});
