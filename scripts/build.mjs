/** Builds `dist/`: compiles TypeScript and puts forms, help, labels and icons where Node-RED's loader looks for them. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const DIST = join(ROOT, 'dist');
const started = new Date();

rmSync(DIST, { recursive: true, force: true });
const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' });
for (const type of readdirSync(join(ROOT, 'nodes'))) copyAssets(type);
if (status !== 0) process.exit(1);

// The date is that of the start: what changed during the build is newer.
const stamp = join(DIST, '.built');
writeFileSync(stamp, `${started.toISOString()}\n`);
utimesSync(stamp, started, started);

/** The loader takes the form and the locales beside the `.js`, and icons from a folder `icons` beside it. */
function copyAssets(type) {
  const source = join(ROOT, 'nodes', type);
  const target = join(DIST, 'nodes', type);
  const form = `${type}.html`;
  if (!existsSync(join(source, form))) return;
  mkdirSync(target, { recursive: true });
  cpSync(join(source, form), join(target, form));
  if (existsSync(join(source, 'locales')))
    cpSync(join(source, 'locales'), join(target, 'locales'), { recursive: true });
  const icon = `${type}.svg`;
  if (existsSync(join(ROOT, 'icons', icon))) cpSync(join(ROOT, 'icons', icon), join(target, 'icons', icon));
}
