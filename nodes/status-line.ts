import type { Node, NodeStatusFill, NodeStatusShape } from 'node-red';

/** Shows a node's status, and only tells the editor when it changes: at most once a second while it goes well. */
export class StatusLine {
  readonly #node: Node;
  #shown = '';
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(node: Node) {
    this.#node = node;
  }

  show(fill: NodeStatusFill, shape: NodeStatusShape, text: string): void {
    const key = `${fill}${shape}${text}`;
    const now = performance.now();
    if (key === this.#shown || (fill === 'green' && this.#shown.startsWith('green') && now - this.#shownAt < 1000))
      return;
    this.#shown = key;
    this.#shownAt = now;
    this.#node.status({ fill, shape, text });
  }
}
