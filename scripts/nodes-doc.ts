/**
 * `npm run docs:nodes`: writes a page per node from what the editor itself shows: help, form, labels, validators. The pictures
 * come from `npm run screenshots`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { nodeTypes } from './pictures.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const NODES_FOLDER = 'docs/nodes';
const LANGUAGE = 'en-US';
/** No field takes this: a validator answers with what it expects. */
const RUBBISH = '\u0000';

interface Field {
  value: unknown;
  required?: boolean;
  /** Type of the configuration node that it names. */
  type?: string;
  validate?: (value: unknown, options: object) => boolean | string;
}
interface Definition {
  category: string;
  defaults: Record<string, Field>;
  inputs?: number;
  outputs?: number;
  inputLabels?: () => string;
  outputLabels?: (index: number) => string;
}

/** Page by file name. */
export function nodePages(root = ROOT): Map<string, string> {
  return new Map(nodeTypes(root).map((type) => [`${type}.md`, page(root, type)]));
}

function page(root: string, type: string): string {
  const read = (...path: string[]) => readFileSync(join(root, 'nodes', type, ...path), 'utf8');
  const html = read(`${type}.html`);
  const label = labels(JSON.parse(read('locales', LANGUAGE, `${type}.json`)));
  const definition = definitionOf(html, label);
  const help = read('locales', LANGUAGE, `${type}.html`).replace(/<\/?script[^>]*>/g, '');
  const [intro, ...sections] = help.trim().split(/\n(?=### )/);
  return [
    `# ${type}`,
    '',
    '<!-- Written by scripts/nodes-doc.ts from the form, its labels and its help: change those. -->',
    '',
    intro.trim(),
    '',
    `![The form of ${type}](../pictures/form-${type}.png)`,
    '',
    ports(definition),
    '## Settings',
    '',
    '| Field | Default | What it takes |',
    '|---|---|---|',
    ...Object.entries(definition.defaults).map(([name, field]) => row(type, html, name, field, label)),
    '',
    ...sections.map((section) => `${section.replace(/^### /, '## ').trim()}\n`),
  ].join('\n');
}

/** Looks up `<type>.error.number` as the editor's `RED._` does, and fills in `__name__`. */
function labels(catalogue: object): (key: string, args?: Record<string, unknown>) => string {
  return (key, args = {}) => {
    const path = key.replace(/^.*:/, '').split('.');
    const text = path.reduce((at: unknown, part) => (at as Record<string, unknown> | undefined)?.[part], catalogue);
    return String(text ?? key).replace(/__(\w+?)__/g, (_, name) => String(args[name] ?? ''));
  };
}

/** Runs the script of a form, as the editor does, and keeps what it registers. */
function definitionOf(html: string, label: ReturnType<typeof labels>): Definition {
  const script = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
  let definition: Definition | undefined;
  const nodes = {
    registerType: (_type: string, found: Definition) => {
      definition = found;
    },
    eachNode: () => undefined,
    eachConfig: () => undefined,
    node: () => null,
  };
  // The browser's own time zone is the default of a site: here it is none in particular.
  const DateTimeFormat = () => ({ resolvedOptions: () => ({ timeZone: "the browser's" }) });
  runInNewContext(script, { RED: { nodes, _: label }, Intl: { DateTimeFormat } });
  if (!definition) throw new Error('the form registers no node');
  return definition;
}

function ports({ inputs = 0, outputs = 0, inputLabels, outputLabels }: Definition): string {
  const rows: string[] = [];
  if (inputs > 0) rows.push(`| input | \`${inputLabels?.()}\` |`);
  for (let i = 0; i < outputs; i++) rows.push(`| output ${i + 1} | \`${outputLabels?.(i)}\` |`);
  return rows.length === 0 ? '' : ['| Port | Messages |', '|---|---|', ...rows, '', ''].join('\n');
}

function row(type: string, html: string, name: string, field: Field, label: ReturnType<typeof labels>): string {
  const title = (of: string) => label(`${type}.label.${of}`);
  // "margin" has a list beside its number: "marginMode", under the same label.
  const shown = name.endsWith('Mode') ? `${title(name.replace(/Mode$/, ''))}: how` : title(name);
  return `| ${cell(shown)} | ${defaultOf(field)} | ${cell(takes(type, html, name, field, label))} |`;
}

function defaultOf({ value }: Field): string {
  if (value === '' || value === undefined) return '';
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : `\`${value}\``;
}

/** The choices of a list, the node it names, or what its validator asks for. */
function takes(type: string, html: string, name: string, field: Field, label: ReturnType<typeof labels>): string {
  if (field.type) return `a \`${field.type}\` node${field.required ? '' : ', or none'}`;
  const select = new RegExp(`<select id="node-(?:config-)?input-${name}">([\\s\\S]*?)</select>`).exec(html)?.[1];
  if (select) {
    const options = [...select.matchAll(/<option(?: value="([^"]*)")?(?: data-i18n="([^"]*)")?>([^<]*)/g)];
    return options.map(([, value, key, text]) => (key ? label(key) : text || value)).join('; ');
  }
  if (typeof field.value === 'boolean') return 'on or off';
  const needed = Object.fromEntries(Object.entries(NEEDED[name] ?? {}));
  const answer = field.validate?.call({ ...needed, type }, RUBBISH, {});
  if (typeof answer !== 'string') return 'text';
  const unit =
    new RegExp(`-input-${name}"[^>]*> *(?:<span[^>]*>)?([A-Za-z%]{1,3})(?:</span>)?\\n`).exec(html)?.[1] ?? '';
  const range = answer.replace(/^[^:]*: /, '');
  return range.endsWith(` ${unit}`) || unit === '' ? range : `${range} ${unit}`;
}

/** Fields that count only where another has a certain value. */
const NEEDED: Record<string, Record<string, string>> = {
  margin: { marginMode: 'fixed' },
  jump: { jumpMode: 'configured' },
  curve: { device: 'table' },
  criticalSoc: { policy: 'soc' },
};

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(join(ROOT, NODES_FOLDER), { recursive: true });
  for (const [file, text] of nodePages()) writeFileSync(join(ROOT, NODES_FOLDER, file), text);
}
