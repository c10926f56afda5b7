/**
 * A process with a whole home in it: broker, simulated devices and Node-RED with flows/home.json, as `npm start` has them, on the stepped
 * clock (`node --import stepped-clock.ts`). It runs from `DAY_FROM` to `DAY_TO` (epoch ms) and sends a `DayReport` to its parent.
 */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';
import { startBroker } from '../../scripts/start/broker.ts';
import { flowEnvironment, readEnvironment } from '../../scripts/start/environment.ts';
import { prepareUserDir } from '../../scripts/start/user-directory.ts';
import { type HomeSimulation, startHome } from '../../simulator/home.ts';
import { clock } from './stepped-clock.ts';

export interface DayReport {
  /** Wh that the plant gave the vehicle on the day, and since the beginning. */
  dayWh: number;
  totalWh: number;
  /** How often it was plugged in. */
  arrivals: number;
  trips: number;
  /** MQTT messages that went through the broker. */
  messages: number;
  /** What the history sent: batches, points in them, and different values of fields in those. */
  batches: number;
  points: number;
  values: number;
  realMs: number;
  steps: number;
  turns: number;
}

interface NodeRed {
  init(server: object, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  events: { once(event: string, call: () => void): void };
  nodes: { getNode(id: string): NodeJS.EventEmitter };
}

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const [FROM, TO] = [Number(process.env.DAY_FROM), Number(process.env.DAY_TO)];
/** What the last points need to be written. */
const AFTER_MS = 20_000;
/** The card is held to the charger so long after plugging in. */
const CARD_MS = 60_000;
const TICK_MS = 250;

const require = createRequire(import.meta.url);
const settings = readEnvironment({ ...process.env, FLOW: 'home' }, ROOT);

async function startNodeRed(mqttUrl: string): Promise<NodeRed> {
  const { userDir } = settings;
  const secret = 'of a day';
  prepareUserDir({ root: ROOT, userDir, flow: 'home', reset: false, now: new Date(), secret });
  Object.assign(process.env, flowEnvironment(settings, mqttUrl, process.env), { CREDENTIAL_SECRET: secret });
  const RED = require('node-red') as NodeRed;
  const server = createServer();
  RED.init(server, { ...require(join(ROOT, 'settings.js')), userDir });
  const started = new Promise<void>((done) => RED.events.once('flows:started', done));
  await RED.start();
  await started;
  return RED;
}

/** Whoever comes home holds a card to the charger. Returns how often somebody came. */
function people({ plant, charger }: HomeSimulation): () => number {
  let arrivals = 0;
  let plugged = false;
  setInterval(() => {
    if (plant.vehicle.plugged() === plugged) return;
    plugged = !plugged;
    if (!plugged) return;
    const card = arrivals++ % 2;
    setTimeout(() => 'card' in charger && charger.card(card), CARD_MS);
  }, 1000);
  return () => arrivals;
}

interface Point {
  measurement: string;
  tags: object;
  fields: object;
  timestamp: number;
}

/** What goes to the database. */
function written(RED: NodeRed): () => { batches: number; points: number; values: number } {
  const [keys, count] = [new Set<string>(), { batches: 0, points: 0 }];
  RED.nodes.getNode('home-influx-write').on('input', ({ payload }: { payload: Point[] }) => {
    count.batches += 1;
    count.points += payload.length;
    for (const { measurement, tags, timestamp, fields } of payload)
      for (const field of Object.keys(fields)) keys.add(JSON.stringify([measurement, tags, timestamp, field]));
  });
  return () => ({ ...count, values: keys.size });
}

async function main(): Promise<void> {
  const { shellyId, shellyGeneration, goESerial, goEApi, mainFuseA, mainFuseType } = settings;
  const broker = await startBroker({ host: '127.0.0.1', port: 0, user: '', password: '' });
  const client = await mqtt.connectAsync(broker.url);
  let messages = 0;
  client.on('message', () => {
    messages += 1;
  });
  await client.subscribeAsync('#');
  const RED = await startNodeRed(broker.url);
  const history = written(RED);
  const devices = { shellyId, shellyGeneration, goESerial, goEApi, mainFuseA, mainFuseType };
  const home = await startHome({ mqttUrl: broker.url, ...devices, tickMs: TICK_MS });
  const arrivals = people(home);
  await passes(5000);
  if (Date.now() >= FROM) throw new Error('the start took so long that the day had begun');
  const began = clock.realNow();
  clock.setSpeed(Number.POSITIVE_INFINITY);
  const until = (epoch: number) => passes(epoch - Date.now());
  await until(FROM);
  const before = home.plant.vehicle.totalEnergy();
  // A meter says what cannot be.
  await until((FROM + TO) / 2);
  await client.publishAsync(`${shellyId}/events/rpc`, 'rubbish');
  await until(TO);
  const dayWh = home.plant.vehicle.totalEnergy() - before;
  await passes(AFTER_MS);
  const totalWh = home.plant.vehicle.totalEnergy();
  const realMs = clock.realNow() - began;
  clock.setSpeed(1);
  const trips = home.plant.trips().total;
  const counts = { messages, ...history(), ...clock.counts() };
  await home.stop();
  await RED.stop();
  await client.endAsync();
  await broker.stop();
  const report: DayReport = { dayWh, totalWh, arrivals: arrivals(), trips, realMs, ...counts };
  await new Promise((sent) => process.send?.(report, sent));
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${(error as Error).stack ?? error}\n`);
    process.exit(1);
  },
);
