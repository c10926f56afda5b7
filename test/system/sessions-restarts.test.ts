/** The whole of `npm start`, killed while a car charges: the plant goes on, and the sessions are the plant's. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from '../../core/index.ts';
import { protectiveDevice } from '../../core/protection.ts';
import { SessionStore } from '../../drivers/session-store/store.ts';
import { type Broker, startBroker } from '../../scripts/start/broker.ts';
import { SimulatedGoEV2 } from '../../simulator/go-e-v2.ts';
import { createHouse } from '../../simulator/house.ts';
import { createPlant } from '../../simulator/plant.ts';
import { createRandom } from '../../simulator/random.ts';
import { runDevices } from '../../simulator/real-time.ts';
import { SimulatedShellyGen1 } from '../../simulator/shelly-gen1.ts';
import { createVehicle } from '../../simulator/vehicle.ts';
import { RunningHome } from './node-red.ts';
import { until } from './support.ts';

const SHELLY = 'shellyem3-KILLED';
const SERIAL = '000008';

describe('charging sessions while npm start is killed', function () {
  this.timeout(240_000);
  let broker: Broker;
  let home: RunningHome;
  let stopDevices: () => Promise<void>;
  const vehicle = createVehicle(
    {
      phases: ['L1', 'L2', 'L3'],
      maxCurrent: 16,
      lag: [1, 3],
      capacity: Number.POSITIVE_INFINITY,
      soc: 0.3,
      slack: 0.2,
    },
    createRandom(2),
  );

  before(async () => {
    broker = await startBroker({ host: '127.0.0.1', port: 0, user: '', password: '' });
    const fuse = protectiveDevice({ rating: 25, device: 'gG' });
    const plant = createPlant({ house: createHouse(1, () => []), vehicle, fuse });
    const start = performance.now();
    stopDevices = await runDevices({
      devices: [
        new SimulatedShellyGen1(plant.grid, { deviceId: SHELLY }),
        new SimulatedGoEV2(vehicle, { serial: SERIAL }),
      ],
      mqttUrl: broker.url,
      now: () => performance.now() - start,
      step: (now) => plant.step(now),
    });
    home = new RunningHome({ SIMULATE: '0', MQTT_URL: broker.url, SHELLY_ID: SHELLY, GO_E_SERIAL: SERIAL });
  });
  after(async () => {
    await home?.remove();
    await stopDevices?.();
    await broker?.stop();
  });

  /** What the disk holds at this moment, the earliest first. */
  function kept(): Session[] {
    const file = join(home.userDir, 'dlm', 'sessions-home-site.sqlite');
    if (!existsSync(file)) return [];
    const store = new SessionStore(file, (aside) => assert.fail(aside));
    try {
      return store.list({ period: '' }, 100).toReversed();
    } finally {
      store.close();
    }
  }
  const lasts = async (test: (sessions: Session[]) => boolean) => {
    await until(async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return test(kept());
    });
  };

  it('four times: none is lost, none doubled, and the energy is the plant’s', async () => {
    await home.start();
    await lasts(([first]) => first !== undefined);
    const [{ id }] = kept();
    for (let kill = 0; kill < 2; kill++) {
      const before = vehicle.sessionEnergy();
      await until(() => vehicle.sessionEnergy() >= before + 10);
      await home.stop('SIGKILL');
      await home.start();
    }
    // The one leaves and the next one comes while nobody listens.
    await until(() => vehicle.sessionEnergy() >= 60);
    await home.stop('SIGKILL');
    vehicle.unplug();
    const first = vehicle.sessionEnergy();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    vehicle.plugIn();
    await home.start();
    await lasts((sessions) => sessions.length === 2);
    await until(() => vehicle.sessionEnergy() >= 20);
    await home.stop('SIGKILL');
    await home.start();
    const open = kept();
    assert.deepEqual([open.length, open[0].id, open[1].end], [2, id, undefined]);
    await until(() => vehicle.sessionEnergy() >= 40);
    vehicle.unplug();
    const second = vehicle.sessionEnergy();
    await lasts((sessions) => sessions.every((s) => s.end !== undefined));
    const sessions = kept();
    assert.equal(sessions.length, 2);
    for (const [i, truth] of [first, second].entries())
      assert.ok(Math.abs(sessions[i].energy - truth) <= 5, `${sessions[i].energy} Wh of ${truth} Wh`);
    assert.doesNotMatch(home.log, /sessions.*(damaged|cannot be saved|not kept)/i);
  });
});
