/** The simulated site of `FLOW=ocpp npm start`. */
import assert from 'node:assert/strict';
import mqtt from 'mqtt';
import { startBroker } from '../../../scripts/start/broker.ts';
import { createHouse } from '../../../simulator/house.ts';
import { createBay } from '../../../simulator/ocpp/bay.ts';
import { createFeeder } from '../../../simulator/ocpp/plant.ts';
import { SITE_STATIONS, startSite, workshopDay } from '../../../simulator/ocpp/site.ts';
import { createRandom } from '../../../simulator/random.ts';
import { Judge } from './judge.ts';

const FEEDER_A = 63;
const FALLBACK_LOAD_A = 10;
const SAFE_A = 6;

describe('simulated OCPP site', () => {
  it('its safe currents and the load of the workshop are within the rating of the feeder on every phase', () => {
    assert.deepEqual(
      SITE_STATIONS.map((s) => s.identity),
      Array.from({ length: 12 }, (_, i) => `CP${String(i + 1).padStart(3, '0')}`),
    );
    for (const phase of ['L1', 'L2', 'L3'] as const) {
      const safe = SITE_STATIONS.filter((s) => s.rotation.includes(phase)).length * SAFE_A;
      assert.equal(safe, 48);
      assert.ok(safe + FALLBACK_LOAD_A <= FEEDER_A);
    }
    // Without limits the vehicles would be far above it.
    assert.ok(
      SITE_STATIONS.filter((s) => s.rotation.includes('L1')).reduce((sum, s) => sum + s.maximum, 0) > 2 * FEEDER_A,
    );
    const house = createHouse(1, workshopDay);
    let most = 0;
    for (let t = 0; t < 24 * 3600_000; t += 1000) most = Math.max(most, ...house.current(t));
    assert.ok(most <= FALLBACK_LOAD_A && most > 7, `${most} A`);
  });

  it('a bay keeps its meter while vehicles come and go, and the feeder carries what they draw', () => {
    const bay = createBay(createRandom(1));
    const feeder = createFeeder({ house: { current: () => [1, 2, 3] }, vehicles: [bay] });
    const car = {
      phases: ['L2' as const],
      maxCurrent: 16,
      lag: [0, 0] as [number, number],
      capacity: 60_000,
      soc: 0.3,
      slack: 0,
    };
    bay.arrive(car);
    bay.offer(10);
    for (let t = 0; t <= 3_600_000; t += 1000) feeder.step(t);
    assert.deepEqual(feeder.grid.current(), [1, 12, 3]);
    const first = bay.totalEnergy();
    assert.ok(Math.abs(first - 2300) < 2, `${first} Wh`);
    bay.leave();
    feeder.step(3_601_000);
    assert.deepEqual([bay.plugged(), feeder.grid.current()], [false, [1, 2, 3]]);
    bay.arrive(car);
    bay.offer(10);
    for (let t = 3_602_000; t <= 3_662_000; t += 1000) feeder.step(t);
    assert.ok(bay.totalEnergy() > first && bay.sessionEnergy() < 50);
  });

  it('its stations find a central system that comes later, and its Shelly measures what they draw', async () => {
    // A port that is free until the central system comes.
    const before = await Judge.start();
    const ocppPort = Number(new URL(before.url).port);
    await before.stop();
    const broker = await startBroker({ host: '127.0.0.1', port: 0, user: '', password: '' });
    const ocppUrl = `ws://127.0.0.1:${ocppPort}`;
    const site = await startSite({ mqttUrl: broker.url, shellyId: 'shellyem3-TEST', shellyGeneration: 1, ocppUrl });
    const judge = await Judge.start({ port: ocppPort });
    const client = await mqtt.connectAsync(broker.url);
    try {
      const amps = [0, 0, 0];
      const charged = new Promise<void>((resolve) => {
        client.on('message', (topic, payload) => {
          amps[Number(topic.split('/')[3])] = Number(payload.toString());
          // More than the workshop ever takes.
          if (Math.min(...amps) > 12) resolve();
        });
      });
      await client.subscribeAsync('shellies/shellyem3-TEST/emeter/+/current');
      for (const { identity } of SITE_STATIONS) await judge.hears('BootNotification', (c) => c.identity === identity);
      // Two of three bays are taken at first.
      await judge.until(() => judge.heard.filter((c) => c.method === 'StartTransaction').length === 8);
      await charged;
      assert.deepEqual(judge.violations, []);
    } finally {
      await client.endAsync(true);
      await site.stop();
      await judge.stop();
      await broker.stop();
    }
  }).timeout(60_000);
});
