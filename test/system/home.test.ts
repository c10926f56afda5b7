/**
 * The home flow against a real Mosquitto, with devices that somebody else plays. The homes run side by side: what is looked at takes
 * its time, and little else.
 */
import assert from 'node:assert/strict';
import { setTimeout as passes } from 'node:timers/promises';
import { HousePlayer } from './house-player.ts';
import { type Mosquitto, mosquitto } from './mosquitto.ts';
import { RunningHome } from './node-red.ts';

/** Waits until something is so; the limit is what the requirement says, not a guess. */
async function until(what: string, so: () => boolean, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!so()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
    await passes(50);
  }
}

const APIS = ['v2', 'v1'] as const;
const SHELLY = 'shellyem3-C8C9A3000001';
const SERIAL = '012345';

interface Home {
  api: (typeof APIS)[number];
  broker: Mosquitto;
  house: HousePlayer;
  home: RunningHome;
}

async function startHome(api: Home['api']): Promise<Home> {
  const broker = await mosquitto();
  const house = await HousePlayer.start({ url: broker.url, shelly: SHELLY, serial: SERIAL, api });
  house.amp = 6;
  house.reportCharger();
  const env = { SIMULATE: '0', MQTT_URL: broker.url, SHELLY_ID: SHELLY, GO_E_SERIAL: SERIAL, GO_E_API: api };
  const home = new RunningHome(env);
  await home.start();
  return { api, broker, house, home };
}

type Step = (home: Home) => Promise<void>;

/** For each API and each of these there is a home; its steps follow one another, and each goes on from where the one before has left the house. */
const HOMES: Record<string, Record<string, Step>> = {
  'that charges': {
    'reaches 16 A with 4 A of house load': async ({ house }) => {
      await until('16 A offered and drawn', () => house.offered() === 16 && house.car === 16, 40_000);
    },

    'comes down to 11 A with 14 A on one phase, and stays there': async ({ house }) => {
      house.house = [4, 14, 4];
      await until('11 A', () => house.offered() <= 11, 3000);
      await passes(8000);
      const writes = house.writes.length;
      await passes(20_000);
      assert.equal(house.offered(), 11);
      assert.deepEqual(
        house.writes.slice(writes).filter((w) => !/11$/.test(w.payload)),
        [],
      );
    },

    'answers a jump to 30 A within 100 ms of the message of the phase that jumped': async ({ house }) => {
      house.house = [4, 4, 4];
      await until('16 A drawn', () => house.offered() === 16 && house.car === 16, 30_000);
      const delays: number[] = [];
      for (let i = 0; i < 5; i++) {
        // The next regular report is the jump's: one phase is published at once, the others follow in their rhythm.
        house.house = [4, 4, 14];
        const answer = house.nextWrite(() => true, 2000);
        const at = house.publishPhase(2, 30);
        delays.push((await answer).at - at);
        await until('car down', () => house.car <= 11, 15_000);
        house.house = [4, 4, 4];
        await until('16 A drawn', () => house.offered() === 16 && house.car === 16, 40_000);
      }
      console.log(`      jump to 30 A answered after ${delays.map((d) => d.toFixed(1)).join(', ')} ms`);
      assert.ok(Math.max(...delays) <= 100, `${delays}`);
    },

    'garbage on every subscribed topic changes nothing and is told once': async ({ house, home }) => {
      house.house = [4, 4, 4];
      await until('16 A', () => house.offered() === 16 && house.car === 16, 60_000);
      const logged = home.log.length;
      const base = 'shellies/shellyem3-C8C9A3000001/emeter';
      const charger = 'go-eCharger/012345';
      const topics = [
        `${base}/0/current`,
        `${base}/1/current`,
        `${base}/2/power`,
        `${charger}/status`,
        `${charger}/nrg`,
        `${charger}/car`,
        `${charger}/frc`,
        `${charger}/amp`,
      ];
      const rubbish = [
        '',
        'NaN',
        '{',
        '[]',
        '{"__proto__":{"x":1}}',
        'null',
        '-1e999',
        Buffer.alloc(200_000, 65),
        Buffer.from([0xff, 0xfe, 0]),
      ];
      for (const topic of topics) {
        for (const payload of rubbish) {
          // `null` is a value of `car`: an internal error of the charger.
          if (payload !== 'null' || !topic.endsWith('/car')) house.publish(topic, payload);
        }
      }
      await passes(3000);
      assert.equal(house.offered(), 16);
      const warnings = home.log
        .slice(logged)
        .split('\n')
        .filter((line) => /\[(warn|error)\]/.test(line));
      console.log(`      ${warnings.join('\n      ')}`);
      assert.ok(warnings.length >= 1 && warnings.length <= 4, warnings.join('\n'));
    },
  },

  'whose car must stop': {
    'goes to 0 with 20 A, and charges again without crossing 25 A when the load is gone': async ({ house }) => {
      await until('16 A offered and drawn', () => house.offered() === 16 && house.car === 16, 40_000);
      house.house = [20, 4, 4];
      await until('0 A', () => house.offered() === 0, 5000);
      await until('car stopped', () => house.car === 0, 10_000);
      house.house = [4, 4, 4];
      let highest = 0;
      await until(
        '16 A drawn',
        () => {
          highest = Math.max(highest, ...house.total());
          return house.offered() === 16 && house.car === 16;
        },
        100_000,
      );
      assert.ok(highest <= 25, `${highest} A`);
    },

    'falls back within 5 s when the Shelly is silent, pauses within 30 s, and takes its own pause back': async ({
      house,
    }) => {
      house.shellySilent = true;
      await until('safe current', () => house.offered() <= 6, 6000);
      await until('pause', () => house.offered() === 0, 27_000);
      house.shellySilent = false;
      await until('16 A', () => house.offered() === 16 && house.car === 16, 100_000);
    },
  },

  'that restarts': {
    'takes its own pause back after a power cut in between': async ({ house, home }) => {
      await until('16 A offered and drawn', () => house.offered() === 16 && house.car === 16, 40_000);
      house.house = [20, 20, 20];
      await until('0 A', () => house.offered() === 0, 5000);
      await until('car stopped', () => house.car === 0, 10_000);
      await home.stop('SIGKILL');
      house.house = [4, 4, 4];
      await home.start();
      await until('16 A', () => house.offered() === 16 && house.car === 16, 100_000);
    },

    'respects a stop by somebody else until the car is unplugged': async ({ api, house, home }) => {
      // The charger's next report shows the release as done: nothing of ours is under way any more.
      await passes(6000);
      house.frc = 1;
      house.reportCharger();
      const writes = house.writes.length;
      await passes(20_000);
      await home.stop();
      await home.start();
      await passes(15_000);
      assert.equal(house.frc, 1);
      assert.deepEqual(
        house.writes.slice(writes).filter((w) => /frc|alw/.test(w.topic + w.payload)),
        [],
      );
      house.unplug();
      if (api === 'v1') house.frc = 0;
      await passes(6000);
      house.plugIn();
      await until('charges again', () => house.car >= 6, 60_000);
    },

    'a restart of the broker loses nothing': async ({ broker, house }) => {
      await until('16 A', () => house.offered() === 16 && house.car === 16, 60_000);
      await broker.stop();
      await passes(3000);
      house.house = [4, 4, 13];
      await broker.start();
      await until('12 A, and the car follows', () => house.offered() === 12 && house.car === 12, 60_000);
    },
  },
};

describe('homes on a real broker', function () {
  this.timeout(600_000);
  const homes: Promise<Home>[] = [];
  const starts: (() => void)[] = [];

  before(() => {
    for (const start of starts) start();
  });

  after(async () => {
    for (const started of homes) {
      const all = await started.catch(() => undefined);
      await all?.home.remove();
      await all?.house.stop();
      await all?.broker.stop();
    }
  });

  for (const api of APIS)
    for (const [kind, steps] of Object.entries(HOMES))
      describe(`one ${kind}, go-e API ${api}`, () => {
        const done = new Map<string, Promise<void>>();
        let home: Promise<Home>;

        // All homes begin before the first is looked at.
        starts.push(() => {
          home = startHome(api);
          homes.push(home);
          let before: Promise<unknown> = home;
          for (const [name, step] of Object.entries(steps)) {
            const run = before.then(async () => step(await home));
            done.set(name, run);
            // The next one has its turn whatever became of this one, and a failure is told where it is waited for.
            before = run.catch(() => undefined);
          }
        });

        for (const name of Object.keys(steps))
          it(name, async () => {
            try {
              await done.get(name);
            } catch (error) {
              const { home: running, house } = await home;
              const at = (w: { at: number }) => new Date(performance.timeOrigin + w.at).toISOString();
              console.log(`${running.log}\n${house.writes.map((w) => `${at(w)} ${w.topic} ${w.payload}`).join('\n')}`);
              throw error;
            }
          });
      });
});
