/** Ports for the servers of tests. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range from which the system takes ports for outgoing connections: none of those takes one that is to be listened to. */
const FIRST = 20_000;
const COUNT = 12_000;
let next = Math.floor(Math.random() * COUNT);

/** A port of the loopback interface on which nobody listens; never the same twice. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + (next++ % COUNT);
    const server = createServer();
    server.listen(port, '127.0.0.1');
    const isFree = await Promise.race([
      once(server, 'listening').then(() => true),
      new Promise<boolean>((resolve) => server.once('error', () => resolve(false))),
    ]).catch(() => false);
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
