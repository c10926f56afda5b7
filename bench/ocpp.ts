/**
 * `npm run bench -- ocpp [--only cpu,meter,connections,latency] [--logic <module>] [--seconds 4] [--samples 1000] [--json]`: what the central system
 * costs and how fast it is, each figure with its bar. Server and stations are processes of their own; the stations are raw `ws`
 * clients, the server has the logic of the palette, or that of a module whose `create(identity, record)` makes one.
 * Records of stations are kept in memory; sessions are on the disk.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as passes } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { latency } from './ocpp/latency.ts';

const NODE = { execArgv: ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'] };
const ROUNDS = 3;
const PACED_MS = 6000;
const WARM_MS = 3000;
/** By then every station has been read and configured, ms. */
const SETTLES_MS = 4000;
/** Above the safe current, each another one than before. */
const LIMITS_A = [7, 8, 9, 10, 11, 12, 13, 14, 15];

type Mode = 'bare' | 'ours' | 'whole';

interface Usage {
  calls: number;
  profiles: number;
  rounds: number;
  cpuMs: number;
  rssMb: number;
}

/** A server and its stations, all connected. */
class Scene {
  readonly #server: ChildProcess;
  #load: ChildProcess | undefined;

  constructor(mode: Mode, stations: number, logic: string) {
    this.#server = fork(new URL('./ocpp/server.ts', import.meta.url), [mode, String(stations), logic], NODE);
  }

  /** `period`: ms between the calls of a station; 0 = as fast as they are answered. Resolves with the ms that connecting took. */
  async connect(stations: number, period: number): Promise<number> {
    const [{ port }] = (await once(this.#server, 'message')) as [{ port: number }];
    const start = performance.now();
    this.#load = fork(new URL('./ocpp/load.ts', import.meta.url), [port, stations, period].map(String), NODE);
    await once(this.#load, 'message');
    return performance.now() - start;
  }

  async usage(): Promise<Usage> {
    return (await told(this.#server, 'usage')) as Usage;
  }

  /** ms until every one of so many stations has accepted a limit. */
  async limit(stations: number, current: number): Promise<number> {
    return ((await told(this.#server, { limit: stations, current })) as { limitMs: number }).limitMs;
  }

  /** Answer times of some seconds, ms, sorted. */
  async times(seconds: number): Promise<number[]> {
    const load = this.#load as ChildProcess;
    load.send('measure');
    await passes(seconds * 1000);
    return ((await told(load, 'times')) as number[]).sort((a, b) => a - b);
  }

  async end(): Promise<void> {
    for (const child of [this.#load, this.#server]) {
      if (!child) continue;
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    }
  }
}

async function told(child: ChildProcess, message: object | string): Promise<unknown> {
  const answer = once(child, 'message');
  child.send(message);
  return (await answer)[0];
}

const at = (sorted: number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
const median = (values: number[]) =>
  at(
    values.toSorted((a, b) => a - b),
    0.5,
  );

export default async function bench(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      logic: { type: 'string' },
      only: { type: 'string', default: 'cpu,meter,connections,latency' },
      seconds: { type: 'string', default: '4' },
      samples: { type: 'string', default: '1000' },
    },
  });
  const logic = values.logic ? pathToFileURL(values.logic).href : module('station');
  const seconds = Number(values.seconds);
  const only = values.only.split(',');
  return {
    ...(only.includes('cpu') && (await cpu(logic, seconds))),
    ...(only.includes('meter') && (await meter(logic, seconds))),
    ...(only.includes('connections') && (await connections(logic))),
    ...(only.includes('latency') && (await latency(Number(values.samples)))),
  };
}

function module(name: string): string {
  return new URL(`./ocpp/${name}.ts`, import.meta.url).href;
}

/** What is compared with the bare server. `period`: ms between two MeterValues of a station, 0 = as fast as they are answered. */
const CPU = [
  {
    key: 'protocol',
    text: 'protocol layer (a logic that says yes to everything)',
    mode: 'ours',
    period: 0,
    bar: '0.5',
  },
  { key: 'station', text: 'protocol layer and logic of the stations', mode: 'ours', period: 0, bar: '-' },
  { key: 'whole', text: 'whole path with allocator and sessions', mode: 'whole', period: 0, bar: '0.25' },
  { key: 'paced', text: 'whole path, a MeterValues per station and s', mode: 'whole', period: 1000, bar: '-' },
] as const;

/**
 * CPU of the server per call of 200 stations that charge, against a bare server; all take turns, so that they see the same machine.
 * Whole path: MeterValues, logic of the station, reading, book of sessions (SQLite), controller of 200 chargers on 25 circuits
 * with a meter at 1 Hz that makes the set-points change every 10 s, SetChargingProfile.
 */
async function cpu(logic: string, seconds: number) {
  const bare: Record<number, number[]> = { 0: [], 1000: [] };
  const ours: Record<string, number[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const period of [0, 1000]) bare[period].push(await costOfCall('bare', logic, period, seconds));
    for (const { key, mode, period } of CPU) {
      ours[key] ??= [];
      ours[key].push(await costOfCall(mode, key === 'protocol' ? module('plain') : logic, period, seconds));
    }
  }
  const figures: Record<string, number> = { bareUsPerCall: median(bare[0]), barePacedUsPerCall: median(bare[1000]) };
  console.log(`server CPU per call, 200 stations that charge, MeterValues of 700 bytes, median of ${ROUNDS} rounds`);
  console.log('                                                       µs   bare µs   ratio     bar');
  for (const { key, text, period, bar } of CPU) {
    const ratio = median(bare[period].map((us, round) => us / ours[key][round]));
    Object.assign(figures, { [`${key}UsPerCall`]: median(ours[key]), [`${key}Ratio`]: ratio });
    console.log(
      `  ${text.padEnd(52)} ${[median(ours[key]), median(bare[period])].map((us) => us.toFixed(1).padStart(7)).join('   ')}   ${ratio.toFixed(2)}   ≥ ${bar}`,
    );
  }
  return figures;
}

/** µs of the server's CPU for one call. */
async function costOfCall(mode: Mode, logic: string, period: number, seconds: number): Promise<number> {
  const scene = new Scene(mode, 200, logic);
  try {
    await scene.connect(200, period);
    await passes(WARM_MS);
    const start = await scene.usage();
    await passes(period === 0 ? seconds * 1000 : PACED_MS);
    const end = await scene.usage();
    return ((end.cpuMs - start.cpuMs) * 1000) / (end.calls - start.calls);
  } finally {
    await scene.end();
  }
}

/** 1,000 stations at 1 Hz: how fast they are answered, and how fast all of them accept a limit meanwhile. */
async function meter(logic: string, seconds: number) {
  const scene = new Scene('ours', 1000, logic);
  try {
    await scene.connect(1000, 1000);
    await passes(WARM_MS + SETTLES_MS);
    const times = await scene.times(Math.max(10, seconds));
    const limits: Record<number, number[]> = { 100: [], 1000: [] };
    for (let i = 0; i < 4 * ROUNDS; i++) {
      const count = i % 2 === 0 ? 100 : 1000;
      limits[count]?.push(await scene.limit(count, LIMITS_A[i % LIMITS_A.length]));
      await passes(200);
    }
    const figures = {
      meterCalls: times.length,
      meterP50Ms: at(times, 0.5),
      meterP99Ms: at(times, 0.99),
      meterLongestMs: times.at(-1),
      limit100Ms: median(limits[100] as number[]),
      limit100LongestMs: Math.max(...(limits[100] as number[])),
      limit1000Ms: median(limits[1000] as number[]),
      limit1000LongestMs: Math.max(...(limits[1000] as number[])),
    };
    console.log('1,000 stations, MeterValues at 1 Hz');
    console.log(
      `  answered: median ${figures.meterP50Ms.toFixed(2)} ms   99 % ${figures.meterP99Ms.toFixed(2)} ms (bar 100)   longest ${times.at(-1)?.toFixed(1)} ms   ${times.length} calls`,
    );
    console.log(
      `  a limit accepted by 100: ${figures.limit100Ms.toFixed(1)} ms, longest ${figures.limit100LongestMs.toFixed(1)} (bar 100)   by 1,000: ${figures.limit1000Ms.toFixed(1)} ms, longest ${figures.limit1000LongestMs.toFixed(1)} (bar 500)`,
    );
    return figures;
  } finally {
    await scene.end();
  }
}

/** 5,000 stations at 0.1 Hz: memory of the server. */
async function connections(logic: string) {
  const scene = new Scene('ours', 5000, logic);
  try {
    const connectMs = await scene.connect(5000, 10_000);
    const times = await scene.times(20);
    const { rssMb } = await scene.usage();
    console.log('5,000 stations, MeterValues at 0.1 Hz');
    console.log(
      `  connected in ${(connectMs / 1000).toFixed(1)} s   resident memory ${rssMb.toFixed(0)} MB (bar 400)   answered: 99 % ${at(times, 0.99).toFixed(2)} ms`,
    );
    return { connectMs, rssMb, connectionsP99Ms: at(times, 0.99) };
  } finally {
    await scene.end();
  }
}
