import assert from 'node:assert/strict';
import { createDecipheriv, createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialSecret, prepareUserDir } from '../../scripts/start/user-directory.ts';

const NOW = new Date('2026-01-02T03:04:05.678Z');

describe('user directory', () => {
  let base: string;
  let root: string;
  let userDir: string;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'fusewise-'));
    root = join(base, 'checkout');
    userDir = join(base, 'user');
    mkdirSync(join(root, 'flows'), { recursive: true });
    writeFileSync(
      join(root, 'flows/home.json'),
      JSON.stringify([
        { id: 'b', type: 'mqtt-broker' },
        { id: 'i', type: 'influxdb' },
      ]),
    );
    writeFileSync(join(root, 'flows/solar.json'), '[]');
  });
  afterEach(() => rmSync(base, { recursive: true }));

  const prepare = (flow: string, reset = false) =>
    prepareUserDir({ root, userDir, flow, reset, now: NOW, secret: 'secret' });
  const flows = () => readFileSync(join(userDir, 'flows.json'), 'utf8');

  it('starts from the flow of the repository', () => {
    assert.equal(prepare('home'), undefined);
    assert.match(flows(), /mqtt-broker/);
    assert.equal(realpathSync(join(userDir, 'node_modules/@fusewise/node-red-dlm')), realpathSync(root));
  });

  it('gives broker and database their credentials from the environment, encrypted', () => {
    prepare('home');
    const credentials = JSON.parse(readFileSync(join(userDir, 'flows_cred.json'), 'utf8'));
    assert.deepEqual(Object.keys(credentials), ['$']);
    assert.doesNotMatch(credentials.$, /MQTT/);
    const key = createHash('sha256').update('secret').digest();
    const vector = Buffer.from(credentials.$.slice(0, 32), 'hex');
    const decipher = createDecipheriv('aes-256-ctr', key, vector);
    const plain = decipher.update(credentials.$.slice(32), 'base64', 'utf8') + decipher.final('utf8');
    assert.deepEqual(JSON.parse(plain), {
      b: { user: '${MQTT_USER}', password: '${MQTT_PASSWORD}' },
      i: { username: '${INFLUX_USER}', password: '${INFLUX_PASSWORD}' },
    });
  });

  it('never overwrites edits', () => {
    prepare('home');
    writeFileSync(join(userDir, 'flows.json'), '["edited"]');
    assert.equal(prepare('home'), undefined);
    assert.equal(flows(), '["edited"]');
  });

  it('resets on demand and keeps what was there', () => {
    prepare('home');
    writeFileSync(join(userDir, 'flows.json'), '["edited"]');
    assert.match(prepare('home', true) ?? '', /flows-2026-01-02T03-04-05\.backup\.json/);
    assert.match(flows(), /mqtt-broker/);
    assert.equal(readFileSync(join(userDir, 'flows-2026-01-02T03-04-05.backup.json'), 'utf8'), '["edited"]');
  });

  it('sets a flow aside for another one and takes it up again', () => {
    prepare('home');
    writeFileSync(join(userDir, 'flows.json'), '["edited"]');
    assert.match(prepare('solar') ?? '', /set aside/);
    assert.equal(flows(), '[]');
    prepare('home');
    assert.equal(flows(), '["edited"]');
    assert.equal(existsSync(join(userDir, 'flows-solar.json')), true);
  });

  it('leaves a palette alone that was installed on purpose', () => {
    const installed = join(userDir, 'node_modules/@fusewise/node-red-dlm');
    mkdirSync(installed, { recursive: true });
    prepare('home');
    assert.deepEqual(readdirSync(installed), []);
  });

  it('keeps one secret', () => {
    const secret = credentialSecret(userDir);
    assert.match(secret, /^[0-9a-f]{64}$/);
    assert.equal(credentialSecret(userDir), secret);
  });
});
