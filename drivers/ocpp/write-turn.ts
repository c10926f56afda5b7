/** Answers go out together, when all that has come in at once has been read: each write by itself would wake up its receiver. */
import type { Duplex } from 'node:stream';

export class WriteTurn {
  readonly #held = new Set<Duplex>();

  /** What is written to the socket from now on goes out at the end of this turn of the event loop. */
  hold(socket: Duplex): void {
    if (this.#held.has(socket)) return;
    if (this.#held.size === 0) setImmediate(() => this.#release());
    this.#held.add(socket);
    socket.cork();
  }

  #release(): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const socket of held) socket.uncork();
  }
}
