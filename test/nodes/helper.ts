/** node-red-node-test-helper with the palette's configuration nodes at hand. */
import { fileURLToPath } from 'node:url';
import type { NodeInitializer } from 'node-red';
import helper from 'node-red-node-test-helper';
import dlmCircuit from '../../nodes/dlm-circuit/dlm-circuit.ts';
import dlmSite from '../../nodes/dlm-site/dlm-site.ts';

helper.init(fileURLToPath(import.meta.resolve('node-red')));

/** A node as it stands in a flow file. */
export type FlowNode = { id: string; type: string } & Record<string, unknown>;

/** Loads a flow of the palette's configuration nodes and the given node types. */
export async function load(
  flow: FlowNode[],
  types: NodeInitializer[] = [],
  credentials: Record<string, Record<string, string>> = {},
): Promise<void> {
  await helper.load([dlmSite, dlmCircuit, ...types], flow as helper.TestFlows, credentials);
}

/** A site and its main circuit as a flow has them. */
export const SITE = { id: 'site', type: 'dlm-site', name: 'Home', timeZone: 'Europe/Berlin', voltage: '230' };
export const MAIN = {
  id: 'main-node',
  type: 'dlm-circuit',
  circuitId: 'main',
  site: 'site',
  rating: '25',
  device: 'gG',
};

/** What a node said in the log since the flow was loaded: its texts at a level. */
export function logged(id: string, level: 'error' | 'warn'): string[] {
  const wanted = { error: 20, warn: 30 }[level];
  const calls = helper.log().args as [{ level: number; id: string; msg: unknown }][];
  return calls.filter(([entry]) => entry.level === wanted && entry.id === id).map(([entry]) => String(entry.msg));
}

export { helper };
