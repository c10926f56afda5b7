/**
 * From a meter message on a real Mosquitto to the SetChargingProfile on the wire of a station, through a running Node-RED with the
 * flow `ocpp` (shelly-3em, dlm-allocator, ocpp-central), whose feeder gets 400 A and 20 stations of 16 A on three phases. Each
 * step raises the house load by 20 A; the first lower limit of every station within half a second is
 * a sample.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import mqtt from 'mqtt';
import WebSocket from 'ws';
import { freePort } from '../../test/helpers/free-port.ts';
import { mosquitto } from '../../test/system/mosquitto.ts';
import { RunningHome } from '../../test/system/node-red.ts';
import { BenchStation } from './bench-station.ts';

const SHELLY = 'shellyem3-BENCH2';
const STATIONS = 20;
const RATING_A = 400;
const MAX_A = 16;
/** A: every station can have its maximum; each step takes 1 A from each of them. */
const HOUSE_A = 80;
const STEP_A = STATIONS;
/** So many times the house load is raised before it falls again. */
const STEPS = 9;
const WINDOW_MS = 500;
const METER_MS = 1000;
const LISTENING_MS = 10_000;
const CALM_MS = 6000;
const METER_S = 5;

const identityOf = (i: number) => `BENCH${String(i + 1).padStart(2, '0')}`;

export async function latency(samples: number): Promise<Record<string, number>> {
  const broker = await mosquitto();
  const port = await freePort();
  const client = await mqtt.connectAsync(broker.url);
  const env = { FLOW: 'ocpp', SIMULATE: '0', MQTT_URL: broker.url, SHELLY_ID: SHELLY, OCPP_PORT: String(port) };
  const home = new RunningHome(env);
  writeFlow(home.userDir);
  const stations: BenchStation[] = [];
  let house = HOUSE_A;
  let raisedAt = Number.NaN;
  const told = new Set<number>();
  let next: NodeJS.Timeout | undefined;
  const meter = () => {
    const amps = house + stations.reduce((sum, station) => sum + station.amps, 0);
    for (const p of [0, 1, 2]) client.publish(`shellies/${SHELLY}/emeter/${p}/current`, amps.toFixed(2));
    clearTimeout(next);
    next = setTimeout(meter, METER_MS);
  };
  let timer: NodeJS.Timeout | undefined;
  const delays: number[] = [];
  try {
    await home.start();
    for (let i = 0; i < STATIONS; i++) {
      const station = await connect(port, identityOf(i), (amps, before) => {
        const at = performance.now();
        if (amps < before && at - raisedAt < WINDOW_MS && !told.has(i)) {
          told.add(i);
          delays.push(at - raisedAt);
        }
        // It follows at once, and says so.
        setImmediate(() => void stations[i]?.meter());
      });
      stations.push(station);
    }
    meter();
    timer = setInterval(() => stations.forEach((s) => void s.meter()), METER_S * 1000);
    while (delays.length < samples) {
      house = HOUSE_A;
      await settled(() => stations.reduce((sum, station) => sum + station.amps, 0));
      const before = delays.length;
      for (let step = 0; step < STEPS; step++) {
        house += STEP_A;
        told.clear();
        raisedAt = performance.now();
        meter();
        await passes(WINDOW_MS);
        raisedAt = Number.NaN;
        // It has settled before the next step: a second, smaller answer is none of that.
        await passes(METER_MS);
      }
      if (delays.length === before) throw new Error(`${STEPS} steps of ${STEP_A} A, and no station was told less`);
    }
  } finally {
    clearInterval(timer);
    clearTimeout(next);
    await home.remove();
    await client.endAsync(true);
    await broker.stop();
  }
  return print(delays);
}

/** The flow `ocpp` with another table of stations and another rating. */
function writeFlow(userDir: string): void {
  const flow = JSON.parse(readFileSync(new URL('../../flows/ocpp.json', import.meta.url), 'utf8'));
  for (const node of flow) {
    if (node.type === 'dlm-circuit') node.rating = RATING_A;
    if (node.type !== 'ocpp-central') continue;
    const row = { ...node.stations[0], rotation: 'L1,L2,L3', maxCurrent: MAX_A };
    node.stations = Array.from({ length: STATIONS }, (_, i) => ({ ...row, identity: identityOf(i) }));
  }
  writeFileSync(join(userDir, 'flows.json'), JSON.stringify(flow));
}

async function connect(
  port: number,
  identity: string,
  limited: (amps: number, before: number) => void,
): Promise<BenchStation> {
  const until = performance.now() + LISTENING_MS;
  let ws = await opened(port, identity);
  while (!ws && performance.now() < until) {
    await passes(100);
    ws = await opened(port, identity);
  }
  if (!ws) throw new Error(`${identity} could not connect within ${LISTENING_MS} ms`);
  const station = new BenchStation(ws, METER_S, limited);
  await station.begin();
  return station;
}

/** Undefined while nobody listens. */
function opened(port: number, identity: string): Promise<WebSocket | undefined> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/${identity}`, ['ocpp1.6']);
  return new Promise((resolve) => ws.once('open', () => resolve(ws)).once('error', () => resolve(undefined)));
}

/** Resolves when a sum has not changed for a while. */
async function settled(sum: () => number): Promise<void> {
  const end = performance.now() + 120_000;
  let [last, since] = [sum(), performance.now()];
  while (performance.now() - since < CALM_MS) {
    if (performance.now() > end) throw new Error('the set-points have not settled within 120 s');
    await passes(200);
    if (sum() === last) continue;
    [last, since] = [sum(), performance.now()];
  }
}

function print(delays: number[]): Record<string, number> {
  const sorted = delays.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const figures = {
    latencySamples: delays.length,
    latencyP50Ms: at(0.5),
    latencyP99Ms: at(0.99),
    latencyLongestMs: at(1),
  };
  console.log(
    `meter message → SetChargingProfile on the wire, ${STATIONS} stations, Node-RED and Mosquitto, ${delays.length} limits lowered`,
  );
  console.log(
    `  median ${at(0.5).toFixed(2)} ms   99 % ${at(0.99).toFixed(2)} ms (bar < 50)   longest ${at(1).toFixed(2)} ms`,
  );
  return figures;
}
