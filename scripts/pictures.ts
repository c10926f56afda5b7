/** The pictures of the documentation, and what each is made of: a picture is fresh while that has not changed since. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Picture {
  /** File in docs/pictures, without the ending. */
  name: string;
  /** What is seen on it; for those who do not see it. */
  alt: string;
  /** Text that decides what it looks like. */
  source: string;
}

interface FlowNode {
  id: string;
  type: string;
  group?: string;
  page?: string;
  x?: number;
  y?: number;
  wires?: unknown;
}

const HOME = 'flows/home.json';
const OCPP = 'flows/ocpp.json';
const OCPP_PAGE = 'ocpp-ui-page';
const OCPP_FUNCTION = 'ocpp-page';
const HOME_PAGE = 'home-ui-page';
const HISTORY_PAGE = 'home-history-page';
/** The function that makes what the page shows. */
const HOME_FUNCTION = 'home-page';
const LANGUAGE = 'en-US';

/** All pictures of the checkout in `root`. */
export function pictures(root: string): Picture[] {
  const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');
  const flow = JSON.parse(read(HOME)) as FlowNode[];
  const ocpp = JSON.parse(read(OCPP)) as FlowNode[];
  const [page, history, site] = [
    seenOn(flow, HOME_PAGE, HOME_FUNCTION),
    seenOn(flow, HISTORY_PAGE),
    seenOn(ocpp, OCPP_PAGE, OCPP_FUNCTION),
  ].map((nodes) => JSON.stringify(nodes.map(({ x, y, wires, ...seen }) => seen)));
  const tree = read('resources/site-tree.js') + read('nodes/dlm-site/locales', LANGUAGE, 'dlm-site.json');
  const forms = nodeTypes(root).map((type) => {
    const html = read('nodes', type, `${type}.html`);
    const own = html + read('nodes', type, 'locales', LANGUAGE, `${type}.json`);
    const source = html.includes('FusewiseSite') ? own + tree : own;
    return { name: `form-${type}`, alt: `The form of ${type}`, source };
  });
  return [
    { name: 'dashboard-phone', alt: 'The dashboard on a phone', source: page },
    { name: 'dashboard-phone-dark', alt: 'The dashboard on a phone at night', source: page },
    { name: 'dashboard-desktop', alt: 'The dashboard on a desktop', source: page },
    { name: 'history-phone', alt: 'The history page on a phone', source: history },
    { name: 'history-phone-dark', alt: 'The history page on a phone at night', source: history },
    { name: 'history-desktop', alt: 'The history page on a desktop', source: history },
    { name: 'site-phone', alt: 'A site of OCPP stations on a phone', source: site },
    { name: 'site-phone-dark', alt: 'A site of OCPP stations on a phone at night', source: site },
    { name: 'site-desktop', alt: 'A site of OCPP stations on a desktop', source: site },
    {
      name: 'editor',
      alt: 'The home flow in the editor',
      source: JSON.stringify(flow.map(({ id, type }) => [id, type])),
    },
    ...forms,
  ];
}

/** The nodes that decide what a page of the dashboard looks like; `source` makes what it shows. */
function seenOn(flow: readonly FlowNode[], page: string, source?: string): FlowNode[] {
  const groups = new Set(flow.filter((n) => n.type === 'ui-group' && n.page === page).map(({ id }) => id));
  const everywhere = (n: FlowNode) =>
    n.type === 'ui-base' || n.type === 'ui-theme' || (n.type === 'ui-template' && !n.group);
  const here = (n: FlowNode) => n.id === page || n.page === page || groups.has(n.group ?? '') || n.id === source;
  return flow.filter((n) => everywhere(n) || here(n));
}

/** The node types of the palette that have a form. */
export function nodeTypes(root: string): string[] {
  return readdirSync(join(root, 'nodes'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** What stands in docs/pictures/sources.json for a picture. */
export function fingerprint({ source }: Picture): string {
  return createHash('sha256').update(source).digest('hex').slice(0, 16);
}
