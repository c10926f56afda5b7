/**
 * `npm run bench -- latency [--samples 150] [--json]`: time from a meter message on a real Mosquitto to the set-point on it,
 * through a running Node-RED with the home flow. Each sample raises the house load by 1 A on one phase; the car follows at
 * once, so that the next sample can be taken half a second later.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as passes } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import mqtt from 'mqtt';
import { mosquitto } from '../test/system/mosquitto.ts';
import { RunningHome } from '../test/system/node-red.ts';

const SHELLY = 'shellyem3-BENCH1';
const SERIAL = '000009';
const BASE = `go-eCharger/${SERIAL}`;
const PAUSE_MS = 500;

export default async function bench(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({ args, options: { samples: { type: 'string', default: '150' } } });
  const wanted = Number(values.samples);
  const broker = await mosquitto();
  const client = await mqtt.connectAsync(broker.url);
  const home = new RunningHome({ SIMULATE: '0', MQTT_URL: broker.url, SHELLY_ID: SHELLY, GO_E_SERIAL: SERIAL });
  let amp = 16;
  let house = 4;
  let answered: ((at: number) => void) | undefined;
  const meter = () => {
    for (const p of [0, 1, 2]) client.publish(`shellies/${SHELLY}/emeter/${p}/current`, (house + amp).toFixed(2));
  };
  const report = () => {
    const values: Record<string, unknown> = {
      car: 2,
      amp,
      frc: 0,
      alw: true,
      rbt: Math.round(performance.now()),
      nrg: [230, 230, 230, 0, amp, amp, amp, 0, 0, 0, 0, amp * 690, 100, 100, 100, 0],
    };
    for (const [key, value] of Object.entries(values))
      client.publish(`${BASE}/${key}`, JSON.stringify(value), { retain: true });
  };
  client.on('message', (topic, payload) => {
    const at = performance.now();
    if (!topic.endsWith('/amp/set')) return;
    amp = Number(payload);
    client.publish(`${BASE}/amp/result`, 'true');
    report();
    answered?.(at);
  });
  await client.subscribeAsync(`${BASE}/+/set`);
  report();
  const timer = setInterval(() => {
    meter();
    report();
  }, 1000);
  const delays: number[] = [];
  try {
    await home.start();
    await passes(15_000);
    while (delays.length < wanted) {
      house = 9;
      await raised(() => amp === 16);
      for (let step = 0; step < 9 && delays.length < wanted; step++) {
        await passes(PAUSE_MS);
        house += 1;
        delays.push(await decrease());
      }
    }
    return print(delays, memoryOf(home));
  } finally {
    clearInterval(timer);
    await home.remove();
    await client.endAsync(true);
    await broker.stop();
  }

  function decrease(): Promise<number> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`no set-point within 5 s at ${house} A of house load, ${amp} A`)),
        5000,
      );
      const at = performance.now();
      answered = (answer) => {
        answered = undefined;
        clearTimeout(late);
        resolve(answer - at);
      };
      client.publish(`shellies/${SHELLY}/emeter/0/current`, (house + amp).toFixed(2));
    });
  }
}

async function raised(so: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!so()) {
    if (performance.now() > end) throw new Error('the set-point was not raised within 60 s');
    await passes(50);
  }
}

/** Resident memory of the Node-RED process, MB; undefined where there is no /proc. */
function memoryOf(home: RunningHome): number | undefined {
  // Node-RED gives its process a title of its own; the environment tells whose it is.
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    if (!read(`/proc/${pid}/cmdline`).startsWith('node-red')) continue;
    if (!read(`/proc/${pid}/environ`).includes(`USER_DIR=${home.userDir}`)) continue;
    const rss = /VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`));
    if (rss) return Math.round(Number(rss[1]) / 1024);
  }
  return undefined;
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** A file's text; empty when its process has ended. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function print(delays: number[], memoryMb: number | undefined): Record<string, unknown> {
  const sorted = [...delays].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const figures = { samples: delays.length, medianMs: at(0.5), p99Ms: at(0.99), longestMs: sorted.at(-1), memoryMb };
  console.log(`meter message → set-point on a real broker, ${delays.length} decreases`);
  console.log(
    `median ${at(0.5).toFixed(2)} ms   99 % ${at(0.99).toFixed(2)} ms   longest ${sorted.at(-1)?.toFixed(2)} ms   Node-RED ${memoryMb ?? '?'} MB`,
  );
  return figures;
}
