/** The site: what its circuits, chargers and allocators share. Holds their registry while it runs. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { ZodError } from 'zod';
import { readDraft } from './draft.ts';
import { SiteRegistry } from './registry.ts';
import { readSite, type SiteFields, type SiteSettings } from './site.ts';

export type DlmSiteDef = NodeDef & SiteFields;

export interface DlmSiteNode extends Node {
  registry: SiteRegistry;
  settings: SiteSettings;
}

export default function (RED: NodeAPI): void {
  function DlmSite(this: DlmSiteNode, def: DlmSiteDef): void {
    RED.nodes.createNode(this, def);
    const { settings, problems } = readSite(def);
    for (const problem of problems) this.error(problem.message);
    this.settings = settings;
    this.registry = new SiteRegistry(settings);
    this.on('close', (done: () => void) => {
      this.registry.removeAllListeners();
      done();
    });
  }
  RED.nodes.registerType('dlm-site', DlmSite);

  /** A `${NAME}` as it is where the node runs. */
  const resolve = (value: unknown, id: string) =>
    typeof value === 'string' && /^\$\{[^}]+\}$/.test(value)
      ? RED.util.evaluateNodeProperty(value, 'env', RED.nodes.getNode(id), {})
      : value;
  RED.httpAdmin.post('/fusewise/site', RED.auth.needsPermission('flows.read'), (request, response) => {
    try {
      response.json(readDraft(request.body, resolve));
    } catch (error) {
      if (!(error instanceof ZodError)) throw error;
      response.status(400).json({ message: error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('\n') });
    }
  });
}
