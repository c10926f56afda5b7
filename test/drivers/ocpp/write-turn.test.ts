import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { WriteTurn } from '../../../drivers/ocpp/write-turn.ts';

function socket() {
  const writes: number[] = [];
  const duplex = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      writes.push(1);
      done();
    },
    writev: (chunks, done) => {
      writes.push(chunks.length);
      done();
    },
  });
  return { writes, duplex };
}

describe('what is written in one turn', () => {
  it('goes out together at its end, of each socket by itself, and at once when nothing was heard', async () => {
    const writes = new WriteTurn();
    const [a, b] = [socket(), socket()];
    for (const { duplex } of [a, a, b]) {
      writes.hold(duplex);
      for (const text of ['x', 'y']) duplex.write(text);
    }
    assert.deepEqual([a.writes, b.writes], [[], []]);
    await turn();
    assert.deepEqual([a.writes, b.writes], [[4], [2]]);
    a.duplex.write('z');
    assert.deepEqual(a.writes, [4, 1]);
    writes.hold(a.duplex);
    a.duplex.write('z');
    await turn();
    assert.deepEqual(a.writes, [4, 1, 1]);
  });

  it('a socket that is gone by then harms nobody', async () => {
    const writes = new WriteTurn();
    const [a, b] = [socket(), socket()];
    writes.hold(a.duplex);
    writes.hold(b.duplex);
    a.duplex.write('x');
    b.duplex.write('x');
    a.duplex.destroy();
    await turn();
    assert.deepEqual([a.writes, b.writes], [[], [1]]);
  });
});
