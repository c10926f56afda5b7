import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flowEnvironment, readEnvironment, StartError } from '../../scripts/start/environment.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const read = (env: Record<string, string> = {}) => readEnvironment(env, ROOT);

describe('environment of npm start', () => {
  it('has defaults that run a simulated house on this machine only', () => {
    const settings = read();
    assert.equal(settings.host, '127.0.0.1');
    assert.equal(settings.port, 1880);
    assert.equal(settings.flow, 'home');
    assert.equal(settings.simulate, true);
    assert.equal(settings.mqttUrl, undefined);
    assert.equal(settings.userDir, join(ROOT, '.node-red'));
    assert.deepEqual([settings.mainFuseA, settings.mainFuseType, settings.maxChargeA], [25, 'gG', 16]);
    assert.deepEqual([settings.shellyGeneration, settings.goEApi], [1, 'v2']);
  });

  it('takes an empty variable as not set', () => {
    assert.equal(read({ PORT: '', MAIN_FUSE_A: ' ', MQTT_URL: '' }).port, 1880);
  });

  it('understands GO_E_CHARGER_HOST, and GO_E_HOST before it', () => {
    assert.equal(read({ GO_E_CHARGER_HOST: 'a' }).goEHost, 'a');
    assert.equal(read({ GO_E_CHARGER_HOST: 'a', GO_E_HOST: 'b' }).goEHost, 'b');
  });

  it('refuses a host that others can reach without an editor password', () => {
    for (const HOST of ['0.0.0.0', '192.168.1.5', '::', 'example.org', '1270.0.0.1']) {
      assert.throws(() => read({ HOST }), StartError, HOST);
      assert.equal(read({ HOST, EDITOR_PASSWORD: 'long enough' }).host, HOST);
    }
    for (const HOST of ['127.0.0.1', '127.1.2.3', 'localhost', '::1']) assert.equal(read({ HOST }).host, HOST);
  });

  it('refuses an embedded broker that others can reach without a password', () => {
    assert.throws(() => read({ MQTT_HOST: '0.0.0.0' }), /MQTT_USER and MQTT_PASSWORD/);
    assert.throws(() => read({ MQTT_HOST: '0.0.0.0', MQTT_USER: 'a' }), StartError);
    assert.equal(read({ MQTT_HOST: '0.0.0.0', MQTT_USER: 'a', MQTT_PASSWORD: 'b' }).mqttHost, '0.0.0.0');
    assert.equal(read({ MQTT_HOST: '0.0.0.0', MQTT_URL: 'mqtt://10.0.0.1' }).mqttUrl, 'mqtt://10.0.0.1');
  });

  it('takes a plain flow name that exists, and nothing else', () => {
    for (const FLOW of ['../home', 'home.json', '/etc/passwd', 'flows/home', 'HOME', 'a b', 'nowhere']) {
      assert.throws(() => read({ FLOW }), StartError, FLOW);
    }
  });

  it('names variable and value of what cannot work', () => {
    assert.throws(() => read({ MAIN_FUSE_A: '25A' }), /MAIN_FUSE_A=25A: expected a number from 6 to 2000/);
    assert.throws(() => read({ MAIN_FUSE_TYPE: 'gg' }), /MAIN_FUSE_TYPE=gg: expected one of gG, B, C, D/);
    assert.throws(() => read({ SHELLY_ID: 'shelly/#' }), /SHELLY_ID/);
    assert.throws(() => read({ MQTT_URL: 'broker:1883' }), /MQTT_URL=broker:1883/);
    assert.throws(() => read({ PORT: '70000' }), /PORT/);
    assert.throws(() => read({ USER_DIR: '.' }), /USER_DIR/);
  });

  it('leaves no variable of the flow unset', () => {
    const env = flowEnvironment(read(), 'mqtt://127.0.0.1:1883', {});
    for (const [name, value] of Object.entries(env)) assert.equal(typeof value, 'string', name);
    assert.equal(env.SHELLY_HOST, '');
    assert.equal(env.MQTT_URL, 'mqtt://127.0.0.1:1883');
  });

  it('names a database in the pieces that the influxdb node has fields for', () => {
    const of = (env: Record<string, string>) => flowEnvironment(read(env), 'mqtt://127.0.0.1:1883', {});
    const none = of({});
    assert.deepEqual([none.INFLUX_URL, none.INFLUX_USER, none.INFLUX_PASSWORD], ['', '', '']);
    const one = of({ INFLUX_URL: 'http://me:a%40b@10.0.0.1:8086' });
    assert.deepEqual([one.INFLUX_URL, one.INFLUX_HOST, one.INFLUX_PORT], ['http://10.0.0.1:8086', '10.0.0.1', '8086']);
    assert.deepEqual([one.INFLUX_USER, one.INFLUX_PASSWORD, one.INFLUX_DB], ['me', 'a@b', 'dlm']);
    const secure = of({ INFLUX_URL: 'https://db.example/', INFLUX_USER: 'u', INFLUX_PASSWORD: 'p', INFLUX_TOKEN: 't' });
    assert.deepEqual([secure.INFLUX_PROTOCOL, secure.INFLUX_PORT], ['https', '443']);
    assert.deepEqual([secure.INFLUX_USER, secure.INFLUX_PASSWORD], ['u', 't']);
    for (const INFLUX_URL of ['10.0.0.1:8086', 'influx', 'ftp://a', 'http://a:8086/write?p=secret']) {
      assert.throws(() => read({ INFLUX_URL }), /INFLUX_URL: expected something like/);
      assert.throws(
        () => read({ INFLUX_URL }),
        (error: Error) => !error.message.includes('secret'),
      );
    }
  });
});
