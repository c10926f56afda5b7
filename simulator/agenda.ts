/** What happens when, in virtual time: events in the order of their moments. */
export class Agenda {
  #now = 0;
  #count = 0;
  readonly #heap: { at: number; order: number; run: () => void }[] = [];

  /** ms. */
  get now(): number {
    return this.#now;
  }

  /** Runs something `seconds` from now. */
  after(seconds: number, run: () => void): void {
    const entry = { at: this.#now + Math.max(0, seconds) * 1000, order: this.#count++, run };
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (earlier(heap[parent], entry)) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }

  /** Runs something again and again, each time after as many seconds as `pause` says. */
  every(pause: () => number, run: () => void): void {
    this.after(pause(), () => {
      run();
      this.every(pause, run);
    });
  }

  /** Runs all events until `end` (ms); `passes` sees time pass before each. */
  run(end: number, passes: (from: number, to: number) => void): void {
    for (let next = this.#heap[0]; next && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      if (next.at > this.#now) passes(this.#now, next.at);
      this.#now = next.at;
      next.run();
    }
    if (end > this.#now) passes(this.#now, end);
    this.#now = end;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && earlier(heap[child + 1], heap[child])) child += 1;
      if (earlier(last, heap[child])) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
  }
}

function earlier(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
