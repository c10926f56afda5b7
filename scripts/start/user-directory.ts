/** Node-RED's user directory: made once from a flow of this repository, never overwritten afterwards. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const FLOWS = 'flows.json';
const CREDENTIALS = 'flows_cred.json';
/** Says which flow of the repository `flows.json` started as. */
const ORIGIN = '.fusewise-flow';
const SECRET = '.credential-secret';
/** Credentials are not part of a flow file. Node-RED replaces `${NAME}` in them too. */
const CREDENTIALS_OF: Readonly<Record<string, Record<string, string>>> = {
  'mqtt-broker': { user: '${MQTT_USER}', password: '${MQTT_PASSWORD}' },
  influxdb: { username: '${INFLUX_USER}', password: '${INFLUX_PASSWORD}' },
};
/** Palettes that the flows use beside this one. */
const PALETTES = ['@flowfuse/node-red-dashboard', 'node-red-contrib-influxdb'];

export interface UserDirOptions {
  /** The checkout. */
  root: string;
  userDir: string;
  /** Name of a file in flows/, without ending. */
  flow: string;
  /** Start again from the repository's flow. */
  reset: boolean;
  now: Date;
  /** What credentials are encrypted with. */
  secret: string;
}

/** What happened, in words for the person at the terminal. */
export type Outcome = string | undefined;

/**
 * Puts `flows/<flow>.json` in place where no flow is yet. An installer's edits stay: a second flow sets the first
 * one aside (`flows-<name>.json`) and takes it up again when asked for; only `reset` starts from the repository's
 * file, and keeps what was there as a dated backup.
 */
export function prepareUserDir(options: UserDirOptions): Outcome {
  const { root, userDir, flow, reset } = options;
  mkdirSync(userDir, { recursive: true });
  linkPackages(root, userDir);
  const outcome = reset ? resetFlow(options) : takeUpFlow(options);
  writeFileSync(join(userDir, ORIGIN), `${flow}\n`);
  return outcome;
}

/** The key that the credentials in this user directory are encrypted with; made at the first start. */
export function credentialSecret(userDir: string): string {
  mkdirSync(userDir, { recursive: true });
  const file = join(userDir, SECRET);
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

function resetFlow(options: UserDirOptions): Outcome {
  const { userDir, flow, now } = options;
  const stamp = now.toISOString().replaceAll(':', '-').replace(/\..*/, '');
  const had = existsSync(join(userDir, FLOWS));
  moveFlow(userDir, FLOWS, `flows-${stamp}.backup.json`);
  copyTemplate(options);
  return had ? `flows.json was reset to flows/${flow}.json; the old one is flows-${stamp}.backup.json` : undefined;
}

function takeUpFlow(options: UserDirOptions): Outcome {
  const { userDir, flow } = options;
  if (!existsSync(join(userDir, FLOWS))) {
    copyTemplate(options);
    return undefined;
  }
  const origin = existsSync(join(userDir, ORIGIN)) ? readFileSync(join(userDir, ORIGIN), 'utf8').trim() : flow;
  if (origin === flow) return undefined;
  moveFlow(userDir, FLOWS, `flows-${origin}.json`);
  if (existsSync(join(userDir, `flows-${flow}.json`))) moveFlow(userDir, `flows-${flow}.json`, FLOWS);
  else copyTemplate(options);
  return `the flow "${origin}" was set aside as flows-${origin}.json`;
}

/** Node-RED's own form of a credentials file: initialisation vector in hex, then AES-256-CTR in base64. */
function encrypted(credentials: object, secret: string): string {
  const vector = randomBytes(16);
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(secret).digest(), vector);
  const text = cipher.update(JSON.stringify(credentials), 'utf8', 'base64') + cipher.final('base64');
  return JSON.stringify({ $: vector.toString('hex') + text });
}

function moveFlow(userDir: string, from: string, to: string): void {
  const pairs = [
    [from, to],
    [from.replace('.json', '_cred.json'), to.replace('.json', '_cred.json')],
  ];
  for (const [source, target] of pairs) {
    if (existsSync(join(userDir, source))) renameSync(join(userDir, source), join(userDir, target));
  }
}

function copyTemplate({ root, userDir, flow, secret }: UserDirOptions): void {
  const template = readFileSync(join(root, 'flows', `${flow}.json`), 'utf8');
  const nodes = JSON.parse(template) as { id: string; type: string }[];
  const known = nodes.filter((node) => Object.hasOwn(CREDENTIALS_OF, node.type));
  const credentials = Object.fromEntries(known.map((node) => [node.id, CREDENTIALS_OF[node.type]]));
  writeFileSync(join(userDir, CREDENTIALS), encrypted(credentials, secret), { mode: 0o600 });
  writeFileSync(join(userDir, FLOWS), template);
}

/** Makes the palette of this checkout and those of its flows visible to Node-RED, as if they were installed. */
function linkPackages(root: string, userDir: string): void {
  link(root, join(userDir, 'node_modules/@fusewise/node-red-dlm'));
  for (const palette of PALETTES) {
    const installed = join(root, 'node_modules', palette);
    if (existsSync(installed)) link(installed, join(userDir, 'node_modules', palette));
  }
}

function link(target: string, path: string): void {
  const existing = lstatSync(path, { throwIfNoEntry: false });
  // What was installed there on purpose is a folder, not a link.
  if (existing && !existing.isSymbolicLink()) return;
  if (existing && readlinkSync(path) === target) return;
  rmSync(path, { force: true });
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path, 'junction');
}
