import assert from 'node:assert/strict';
import type { Node } from 'node-red';
import type { SetpointMessage } from '../../messages/index.ts';
import { setpointInput } from '../../nodes/setpoints.ts';

describe('the input of set-points', () => {
  const at = 1_790_000_000_000;
  const message = (sequence: number, current: number, told = at) => ({
    topic: 'setpoint/a',
    payload: {
      at: told,
      sequence,
      current,
      validFor: 30,
      binding: 'max',
      reason: { code: 'circuit', args: {}, text: '' },
    },
  });
  let now = 0;
  let taken: number[] = [];
  const input = () => {
    now = 0;
    taken = [];
    const node = { warn: () => undefined } as unknown as Node;
    const take = ({ current }: SetpointMessage) => taken.push(current);
    const handler = setpointInput(
      node,
      'setpoint/a',
      (id) => (id === 'a' ? take : undefined),
      () => now,
    );
    return (msg: object) => handler(msg, undefined, (error) => assert.equal(error, undefined));
  };

  it('takes the newest, not what was overtaken', () => {
    const hear = input();
    hear(message(7, 10));
    hear(message(6, 16));
    hear(message(8, 6));
    assert.deepEqual(taken, [10, 6]);
  });

  it('takes those of an allocator that begins anew, at once or, where its clock was put back, after ten seconds', () => {
    const hear = input();
    hear(message(700, 16));
    hear(message(1, 10, at + 1000));
    now += 5000;
    hear(message(700, 16, at + 2000));
    hear(message(1, 0, at - 3600_000));
    assert.deepEqual(taken, [16, 10, 16]);
    // Each is refused by the last that was taken, not by one that was refused.
    now += 9000;
    hear(message(2, 0, at - 3590_000));
    assert.deepEqual(taken, [16, 10, 16]);
    now += 1000;
    hear(message(3, 0, at - 3580_000));
    hear(message(4, 6, at - 3579_000));
    assert.deepEqual(taken, [16, 10, 16, 0, 6]);
  });

  it('leaves those of others and retained ones alone', () => {
    const hear = input();
    hear({ ...message(1, 16), topic: 'setpoint/b' });
    hear({ ...message(1, 16), retain: true });
    assert.deepEqual(taken, []);
  });
});
