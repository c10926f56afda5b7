import assert from 'node:assert/strict';
import mqtt from 'mqtt';
import { startBroker } from '../../scripts/start/broker.ts';
import { StartError } from '../../scripts/start/environment.ts';

const HERE = { host: '127.0.0.1', port: 0, user: '', password: '' };

describe('embedded broker', () => {
  it('carries messages', async () => {
    const broker = await startBroker(HERE);
    const client = await mqtt.connectAsync(broker.url);
    try {
      const arrived = new Promise((resolve) =>
        client.once('message', (topic, payload) => resolve([topic, `${payload}`])),
      );
      await client.subscribeAsync('a/+');
      await client.publishAsync('a/b', '7');
      assert.deepEqual(await arrived, ['a/b', '7']);
    } finally {
      await client.endAsync(true);
      await broker.stop();
    }
  });

  it('says what to do when its port is taken', async () => {
    const broker = await startBroker(HERE);
    const port = Number(new URL(broker.url).port);
    await assert.rejects(startBroker({ ...HERE, port }), (error) => {
      return error instanceof StartError && /MQTT_URL=.*MQTT_PORT/.test(error.message);
    });
    await broker.stop();
  });

  it('lets in who knows the password, and nobody else', async () => {
    const broker = await startBroker({ ...HERE, user: 'u', password: 'p' });
    const options = { reconnectPeriod: 0, username: 'u' };
    await assert.rejects(mqtt.connectAsync(broker.url, { ...options, password: 'x' }));
    await assert.rejects(mqtt.connectAsync(broker.url, { reconnectPeriod: 0 }));
    const client = await mqtt.connectAsync(broker.url, { ...options, password: 'p' });
    await client.endAsync(true);
    await broker.stop();
  });
});
