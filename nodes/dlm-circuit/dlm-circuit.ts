/** A circuit of the site: a fuse-protected node of the tree. Registers with its site; serves the form its figures. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { CircuitConfig } from '../../core/site.ts';
import type { DlmSiteNode } from '../dlm-site/dlm-site.ts';
import { ConfigError, numberField } from '../fields.ts';
import { type CircuitFields, readCircuit } from './circuit.ts';
import { protectionFigures } from './figures.ts';

export interface DlmCircuitDef extends NodeDef, Omit<CircuitFields, 'name'> {
  site?: string;
  parent?: string;
}

export interface DlmCircuitNode extends Node {
  /** Absent when the configuration cannot be used: the node has said why, and the site does not know the circuit. */
  config?: CircuitConfig;
  siteNode?: DlmSiteNode;
  /** The form as deployed, environment variables filled in. */
  fields: CircuitFields;
}

export default function (RED: NodeAPI): void {
  function DlmCircuit(this: DlmCircuitNode, def: DlmCircuitDef): void {
    RED.nodes.createNode(this, def);
    const site = RED.nodes.getNode(def.site ?? '') as DlmSiteNode | null;
    this.siteNode = site ?? undefined;
    this.fields = def;
    try {
      if (!site?.registry) throw new ConfigError('site', def.site, 'a site node');
      const config = readCircuit(def, parentId(RED, def, site));
      site.registry.addCircuit(config);
      this.config = config;
    } catch (error) {
      this.error(error instanceof Error ? error.message : String(error));
    }
    this.on('close', (done: () => void) => {
      if (this.config) site?.registry.removeCircuit(this.config.id);
      done();
    });
  }
  RED.nodes.registerType('dlm-circuit', DlmCircuit);

  RED.httpAdmin.get('/fusewise/protection', RED.auth.needsPermission('flows.read'), (request, response) => {
    try {
      const { id, reactionSeconds, ...typed } = request.query;
      const deployed = RED.nodes.getNode(String(id)) as DlmCircuitNode | null;
      const fields = withDeployed(typed, deployed?.fields);
      const reaction = numberField('reactionSeconds', reactionSeconds, { min: 0.1, max: 600, fallback: 8, unit: 's' });
      response.json(protectionFigures(readCircuit({ ...fields, circuitId: 'form' }), reaction));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      response.status(400).json({ field: error.field, message: error.message });
    }
  });
}

/** The form as typed; where it names an environment variable, the value that this circuit was deployed with. */
function withDeployed(typed: CircuitFields, deployed: CircuitFields = {}): CircuitFields {
  const known = deployed as Record<string, unknown>;
  const named = (value: unknown) => typeof value === 'string' && /^\$\{[^}]+\}$/.test(value);
  return Object.fromEntries(Object.entries(typed).map(([key, value]) => [key, named(value) ? known[key] : value]));
}

function parentId(RED: NodeAPI, def: DlmCircuitDef, site: DlmSiteNode): string | undefined {
  if (!def.parent) return undefined;
  const parent = RED.nodes.getNode(def.parent) as DlmCircuitNode | null;
  if (!parent?.config) throw new ConfigError('parent', def.parent, 'a circuit whose configuration is valid');
  if (parent.siteNode !== site) throw new ConfigError('parent', parent.config.id, 'a circuit of the same site');
  return parent.config.id;
}
