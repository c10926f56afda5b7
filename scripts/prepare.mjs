/**
 * Runs before every npm script: installs and builds what is missing, so that a fresh clone needs no other step.
 * Plain JavaScript without dependencies, because it runs on the machine's own Node before anything is installed.
 * `--install-only` leaves the build alone.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCES = ['core', 'messages', 'drivers', 'nodes', 'simulator', 'icons', 'scripts/build.mjs'];
const COMPILER_SETTINGS = ['tsconfig.json', 'tsconfig.build.json'];
const LOCK_STAMP = join(ROOT, 'node_modules/.fusewise-lock');
const OLDEST_NODE_THAT_STRIPS_TYPES = [22, 18];

installWhatIsMissing();
if (!process.argv.includes('--install-only')) buildWhatIsStale();

function installWhatIsMissing() {
  if (!installIsCurrent()) {
    say('installing dependencies …');
    // Not `npm ci`: that refuses a lock file without the optional binaries of every other platform.
    npm(['install', '--no-save', '--include=dev', '--no-audit', '--no-fund']);
    writeFileSync(LOCK_STAMP, lockHash());
  }
  provideNode();
}

/** A git checkout may touch the lock file without changing it, so its content decides where its date is newer. */
function installIsCurrent() {
  if (existsSync(LOCK_STAMP) && readFileSync(LOCK_STAMP, 'utf8') === lockHash()) return true;
  const installed = modified(join(ROOT, 'node_modules/.package-lock.json'));
  return installed > 0 && installed >= modified(join(ROOT, 'package-lock.json'));
}

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
}

/** The package `node` brings the Node that npm scripts run on; npm may have been told not to run install scripts. */
function provideNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [needMajor, needMinor] = OLDEST_NODE_THAT_STRIPS_TYPES;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  if (existsSync(join(ROOT, 'node_modules/node/bin/node'))) return;
  const cwd = join(ROOT, 'node_modules/node');
  spawnSync(process.execPath, ['installArchSpecificPackage.js'], { cwd, stdio: 'inherit' });
  if (!existsSync(join(cwd, 'bin/node'))) {
    fail(`Node ${process.versions.node} is too old and node_modules/node has no binary. Run: npm rebuild node`);
  }
}

function buildWhatIsStale() {
  const built = modified(join(ROOT, 'dist/.built'));
  const files = [...SOURCES, ...COMPILER_SETTINGS].map((path) => join(ROOT, path));
  if (built > 0 && files.every((path) => newest(path) <= built)) return;
  say('building …');
  const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts/build.mjs')], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) fail('the build failed, see above');
}

/** Latest change in a file or folder; a folder's own date tells of deleted files. */
function newest(path) {
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch {
    return modified(path);
  }
  let latest = modified(path);
  for (const entry of entries) {
    const child = join(path, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(child) : modified(child));
  }
  return latest;
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The npm that started this script, so that its version and settings stay the same. */
function npm(args) {
  const cli = process.env.npm_execpath;
  const useCli = cli?.endsWith('.js');
  const { status, error } = useCli
    ? spawnSync(process.execPath, [cli, ...args], { cwd: ROOT, stdio: 'inherit' })
    : spawnSync('npm', args, { cwd: ROOT, stdio: 'inherit', shell: process.platform === 'win32' });
  if (error || status !== 0) fail(`npm ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}

function say(text) {
  process.stderr.write(`fusewise: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
