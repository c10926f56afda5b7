/** The package as it will be published: packed, installed into an empty user directory, loaded by Node-RED. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './helpers/free-port.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const NAME: string = MANIFEST.name;
const TYPES = Object.keys(MANIFEST['node-red'].nodes);
const CONFIG_TYPES = ['dlm-site', 'dlm-circuit'];
const LANGUAGES = ['en-US', 'de'];
const run = promisify(execFile);

interface FlowNode {
  id: string;
  type: string;
}

const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');
const form = (type: string) => read('nodes', type, `${type}.html`);
const labels = (type: string, language: string) => JSON.parse(read('nodes', type, 'locales', language, `${type}.json`));

/** Every path to a text in a catalogue. */
function keys(catalogue: object, prefix = ''): string[] {
  return Object.entries(catalogue).flatMap(([key, value]) =>
    typeof value === 'string' ? [prefix + key] : keys(value as object, `${prefix}${key}.`),
  );
}

/** Catalogue key → names that its text is filled with. */
function placeholders(catalogue: object): Record<string, string> {
  const text = (key: string) =>
    key.split('.').reduce((at: unknown, part) => (at as Record<string, unknown>)[part], catalogue);
  return Object.fromEntries(
    keys(catalogue).map((key) => [key, (String(text(key)).match(/__\w+?__/g) ?? []).sort().join()]),
  );
}

function examples(): { file: string; nodes: FlowNode[] }[] {
  const files = readdirSync(join(ROOT, 'examples'), { recursive: true }).map(String);
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({ file, nodes: JSON.parse(read('examples', file)) }));
}

describe('package', () => {
  describe('sources', () => {
    for (const type of TYPES) {
      it(`${type}: a form that can be read without running it`, () => {
        const html = form(type);
        assert.ok(html.includes('<script type="text/javascript">'));
        assert.ok(html.includes(`RED.nodes.registerType('${type}', {`));
        assert.ok(html.includes(`data-template-name="${type}"`));
        assert.ok(html.includes(`icon: '${type}.svg'`));
      });

      it(`${type}: labels with equal keys in both languages, and none missing`, () => {
        const english = labels(type, 'en-US');
        assert.deepEqual(Object.keys(english), [type]);
        assert.deepEqual(placeholders(labels(type, 'de')), placeholders(english));
        const used = [...form(type).matchAll(/data-i18n="(?:\[\w+\])?([^"]+)"/g)].map(([, key]) => key);
        const known = keys(english);
        assert.notEqual(used.length, 0);
        assert.deepEqual(
          used.filter((key) => !known.includes(key)),
          [],
        );
      });

      for (const language of LANGUAGES) {
        it(`${type}: help in ${language} with every section and an example message`, () => {
          const help = read('nodes', type, 'locales', language, `${type}.html`);
          assert.ok(help.includes(`<script type="text/markdown" data-help-name="${type}">`));
          for (const section of ['Inputs', 'Outputs', 'Details', 'References'])
            assert.ok(help.includes(`\n### ${section}\n`), section);
          const messages = [...help.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) => JSON.parse(json));
          const wired = messages.filter(({ topic, payload }) => typeof topic === 'string' && payload !== undefined);
          // A device's own frame may stand for the message in.
          assert.ok(messages.length >= (CONFIG_TYPES.includes(type) ? 1 : 2), `${messages.length} examples`);
          assert.notEqual(wired.length, 0);
        });
      }
    }

    it('every node type is shown in an example, every example explains itself', () => {
      const all = examples();
      const shown = new Set(all.flatMap(({ nodes }) => nodes.map((node) => node.type)));
      assert.deepEqual(
        TYPES.filter((type) => !shown.has(type)),
        [],
      );
      for (const { file, nodes } of all)
        assert.ok(
          nodes.some((node) => node.type === 'comment'),
          file,
        );
    });

    it('meets the rules of the Node-RED scorecard', () => {
      assert.match(NAME, /^@[a-z0-9-]+\/[a-z0-9-]+$/);
      assert.ok(MANIFEST.license && read('LICENSE').includes('Apache License'));
      assert.ok(MANIFEST.repository && MANIFEST.bugs);
      assert.ok(MANIFEST.keywords.includes('node-red'));
      assert.match(MANIFEST['node-red'].version, /^>=4\.1/);
      assert.equal(MANIFEST.engines.node, '>=22.9.0');
      assert.ok(Object.keys(MANIFEST.dependencies).length <= 6);
      assert.equal(MANIFEST.type, undefined);
    });

    it('locks versions, not the places they came from', () => {
      assert.ok(!read('package-lock.json').includes('"resolved": "http'));
    });
  });

  describe('installed', function () {
    this.timeout(90_000);
    let userDir: string;
    let red: ChildProcess | undefined;
    let log = '';
    let url: string;

    const get = async (path: string, accept = 'application/json') => {
      const response = await fetch(url + path, { headers: { accept } });
      assert.equal(response.status, 200, path);
      return response;
    };

    before(async () => {
      userDir = mkdtempSync(join(tmpdir(), 'fusewise-package-'));
      await install(userDir);
      url = `http://127.0.0.1:${await freePort()}`;
      red = spawn(
        process.execPath,
        [join(ROOT, 'node_modules/node-red/red.js'), '-u', userDir, '-s', settings(userDir, url)],
        {
          cwd: userDir,
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      for (const stream of [red.stdout, red.stderr]) stream?.on('data', (data) => (log += data));
      await started(red, () => log);
    });

    after(async () => {
      if (red && red.exitCode === null) {
        red.kill();
        await once(red, 'exit');
      }
      rmSync(userDir, { recursive: true, force: true });
    });

    it('loads every node without a warning', async () => {
      const sets = (await (await get('/nodes')).json()) as {
        module: string;
        types: string[];
        enabled: boolean;
        err?: string;
      }[];
      const ours = sets.filter((set) => set.module === NAME);
      assert.deepEqual(ours.flatMap((set) => set.types).sort(), [...TYPES].sort());
      for (const set of ours) assert.ok(set.enabled && !set.err, JSON.stringify(set));
      // Node-RED says of itself that projects are off and that no credentials are encrypted yet.
      const warnings = log
        .split('\n')
        .filter((line) => /\[(warn|error)\]/.test(line) && !/Projects disabled|credentials/.test(line));
      assert.deepEqual(warnings, []);
    });

    it('serves our icons, byte for byte', async () => {
      for (const type of TYPES) {
        const served = Buffer.from(await (await get(`/icons/${NAME}/${type}.svg`, '*/*')).arrayBuffer());
        assert.ok(served.equals(readFileSync(join(ROOT, 'icons', `${type}.svg`))), type);
      }
    });

    it('serves help and labels in both languages', async () => {
      for (const type of TYPES) {
        for (const language of LANGUAGES) {
          const catalogue = await (await get(`/locales/${NAME}/${type}?lng=${language}`)).json();
          assert.deepEqual(catalogue, labels(type, language), `${type} ${language}`);
          const response = await fetch(`${url}/nodes/${NAME}/${type}`, {
            headers: { accept: 'text/html', 'accept-language': language },
          });
          const help = read('nodes', type, 'locales', language, `${type}.html`).trim();
          assert.ok((await response.text()).includes(help), `${type} ${language}`);
        }
      }
    });

    it('offers the examples, made of what Node-RED and this palette have', async () => {
      const sets = (await (await get('/nodes')).json()) as { module: string; types: string[] }[];
      const known = [
        'tab',
        ...sets.filter((set) => [NAME, 'node-red'].includes(set.module)).flatMap((set) => set.types),
      ];
      for (const { file, nodes } of examples()) {
        assert.deepEqual(
          nodes.map((node) => node.type).filter((type) => !known.includes(type)),
          [],
          file,
        );
        const served = await (await get(`/library/examples/flows/${NAME}/${basename(file, '.json')}`)).json();
        assert.deepEqual(served, nodes);
      }
    });

    it('runs every example without an error', async () => {
      for (const { file, nodes } of examples()) {
        const before = log.length;
        const body = JSON.stringify(nodes);
        const headers = { 'content-type': 'application/json' };
        const response = await fetch(`${url}/flows`, { method: 'POST', headers, body });
        assert.equal(response.status, 204, file);
        await until(() => /Started flows|missing/.test(log.slice(before)));
        assert.doesNotMatch(log.slice(before), /\[error\]|\[warn\]|missing/, file);
      }
    });

    it('gives the allocator to programs without Node-RED', async () => {
      const program = `const { allocate } = require('${NAME}/core');
        console.log(JSON.stringify(allocate({ circuits: [{ id: 'main', limit: [25, 25, 25], load: [4, 14, 4] }],
          chargers: [{ id: 'a', circuit: 'main', phases: ['L1', 'L2', 'L3'], min: 6, max: 16, step: 1 }] })));`;
      const { stdout } = await run(process.execPath, ['-e', program], { cwd: userDir });
      assert.deepEqual(JSON.parse(stdout).setpoints, [{ id: 'a', current: 11, binding: 'circuit main L2' }]);
    });
  });
});

/** Packs the palette and installs it. What it depends on comes from this checkout, so that no network is needed. */
async function install(userDir: string): Promise<void> {
  const npm = (args: string[], cwd: string) =>
    run('npm', args, { cwd, env: { ...process.env, npm_config_audit: 'false' } });
  const { stdout } = await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', userDir], ROOT);
  const [{ filename }] = JSON.parse(stdout);
  writeFileSync(join(userDir, 'package.json'), '{ "name": "empty", "private": true }');
  const dependencies = Object.keys(MANIFEST.dependencies).map((name) => join(ROOT, 'node_modules', name));
  const packages = [join(userDir, filename), ...dependencies];
  await npm(['install', '--offline', '--install-links', '--ignore-scripts', '--no-fund', ...packages], userDir);
}

function settings(userDir: string, url: string): string {
  const file = join(userDir, 'settings.js');
  const content = {
    uiHost: '127.0.0.1',
    uiPort: Number(new URL(url).port),
    flowFile: 'flows.json',
    credentialSecret: false,
    telemetry: { enabled: false, updateNotification: false },
    logging: { console: { level: 'info' } },
  };
  writeFileSync(file, `module.exports = ${JSON.stringify(content)};`);
  return file;
}

/** Resolves when the flows run: only then every node has been loaded. */
async function started(red: ChildProcess, log: () => string): Promise<void> {
  const ended = once(red, 'exit').then(([code]) => Promise.reject(new Error(`Node-RED ended (${code}):\n${log()}`)));
  await Promise.race([ended, until(() => log().includes('Started flows'))]);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(50);
}
