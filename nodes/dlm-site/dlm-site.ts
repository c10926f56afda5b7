/** The site: what its circuits, chargers and allocators share. Holds their registry while it runs. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
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
}
