/** The layer rule: dependencies point downwards only. Read from the sources, so that no build hides anything. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

interface Layer {
  /** Folders of the repository that may be imported, its own included. */
  folders: string[];
  /** Packages that may be imported. */
  packages: string[];
  /** Packages of which only types may be imported. */
  types?: string[];
  /** Node's own modules. */
  builtins: boolean;
}

const LAYERS: Record<string, Layer> = {
  core: { folders: ['core'], packages: [], builtins: false },
  messages: { folders: ['messages', 'core'], packages: ['zod'], builtins: false },
  drivers: { folders: ['drivers', 'core'], packages: ['zod', 'ws'], builtins: true },
  simulator: { folders: ['simulator', 'drivers', 'core'], packages: ['mqtt', 'ws'], builtins: true },
  nodes: {
    folders: ['nodes', 'drivers', 'core', 'messages'],
    packages: ['zod'],
    types: ['node-red'],
    builtins: true,
  },
};

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+['"]([^'"]+)['"]|(?:^|\n)\s*import\s+['"]([^'"]+)['"]|(?:import|require)\(\s*['"]([^'"]+)['"]/g;
/** What makes the core depend on when or where it runs. */
const IMPURE =
  /\bDate\.now\(|\bnew Date\(\)|\bset(?:Timeout|Interval|Immediate)\(|\bperformance\.|\bprocess\.|\bMath\.random\(|\bfetch\(/;

/** What is wrong with a file, in words. */
function violations(file: string, source: string): string[] {
  const [folder] = file.split('/');
  const layer = LAYERS[folder];
  const found: string[] = [];
  for (const [, typeOnly, from, bare, dynamic] of source.matchAll(IMPORT)) {
    const target = from ?? bare ?? dynamic;
    if (!allowed(layer, file, target, typeOnly !== undefined)) found.push(`${file} imports ${target}`);
  }
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  const impure = folder === 'core' && IMPURE.exec(code);
  if (impure) found.push(`${file} uses ${impure[0]}`);
  return found;
}

function allowed(layer: Layer, file: string, target: string, typeOnly: boolean): boolean {
  if (target.startsWith('.')) {
    const path = posix.normalize(posix.join(posix.dirname(file), target));
    return target.endsWith('.ts') && layer.folders.includes(path.split('/')[0]);
  }
  if (target.startsWith('node:')) return layer.builtins;
  return layer.packages.includes(target) || (typeOnly && layer.types?.includes(target) === true);
}

function sources(folder: string): string[] {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

describe('layers', () => {
  for (const folder of Object.keys(LAYERS)) {
    it(`${folder} imports only what lies below it`, () => {
      const files = sources(folder);
      assert.notEqual(files.length, 0);
      assert.deepEqual(
        files.flatMap((file) => violations(file, readFileSync(join(ROOT, file), 'utf8'))),
        [],
      );
    });
  }

  it('is noticed when broken', () => {
    const broken: [string, string][] = [
      ['core/a.ts', "import { z } from 'zod';"],
      ['core/a.ts', "import { x } from '../drivers/meter.ts';"],
      ['core/a.ts', 'export const now = () => Date.now();'],
      ['messages/a.ts', "export * from '../nodes/fields.ts';"],
      ['drivers/shelly/a.ts', "import type { NodeAPI } from 'node-red';"],
      ['nodes/x/a.ts', "import { runtime } from 'node-red';"],
      ['nodes/x/a.ts', "const { Plant } = await import('../../simulator/plant.ts');"],
      ['simulator/a.ts', "import {\n  a,\n  b,\n} from '../messages/index.ts';"],
    ];
    for (const [file, source] of broken) assert.equal(violations(file, source).length, 1, source);
    assert.deepEqual(
      violations('nodes/x/a.ts', "import type { NodeAPI } from 'node-red';\nimport '../fields.ts';"),
      [],
    );
  });
});
