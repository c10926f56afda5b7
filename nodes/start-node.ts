import type { Node } from 'node-red';

/** Starts a node; where its settings cannot work it stays, says why, and points there. */
export function startNode(node: Node, start: () => void): void {
  try {
    start();
  } catch (error) {
    node.status({ fill: 'red', shape: 'ring', text: 'check settings' });
    node.error(error instanceof Error ? error.message : String(error));
  }
}
