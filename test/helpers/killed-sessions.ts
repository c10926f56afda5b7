/** A simulated go-e with vehicles that come and go, and a program that keeps its sessions and is killed again and again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SimulatedGoEV1 } from '../../simulator/go-e-v1.ts';
import { SimulatedGoEV2 } from '../../simulator/go-e-v2.ts';
import { createRandom } from '../../simulator/random.ts';
import { createVehicle } from '../../simulator/vehicle.ts';
import type { Delivery } from './session-keeper.ts';

const KEEPER = fileURLToPath(import.meta.resolve('./session-keeper.ts'));
const SERIAL = '000009';
/** Virtual time that the program may lag behind, ms. */
const LAG_MS = 30_000;
/** A go-e of API v1 reports every 5 s, and what its register shows is believed after 10 s: a shorter life may learn nothing. */
const HEARS_MS = 20_000;
const MINUTE_MS = 60_000;

/** What the plant knows of a session: epoch ms, Wh. */
export interface TrueSession {
  start: number;
  end?: number;
  energy: number;
}

export interface KilledOptions {
  file: string;
  api: 'v1' | 'v2';
  kills: number;
  seed: number;
}

/**
 * Runs the plant in virtual time until the program was killed so often, at random moments of its life, with random silence
 * after it, in which a whole session may come and go; at the end the last vehicle leaves, and the program hears it. Resolves
 * with what really was.
 */
export async function killSessions({ file, api, kills, seed }: KilledOptions): Promise<TrueSession[]> {
  const random = createRandom(seed);
  const epoch = Date.UTC(2026, 9, 24, 20);
  const vehicle = createVehicle(
    {
      phases: ['L1', 'L2', 'L3'],
      maxCurrent: 16,
      lag: [1, 3],
      capacity: Number.POSITIVE_INFINITY,
      soc: 0.3,
      slack: 0.2,
    },
    createRandom(seed + 1),
  );
  vehicle.unplug();
  const device =
    api === 'v1' ? new SimulatedGoEV1(vehicle, { serial: SERIAL }) : new SimulatedGoEV2(vehicle, { serial: SERIAL });
  const retained = new Map<string, string>();
  const truth: TrueSession[] = [];
  let now = 0;
  let changeAt = 2 * MINUTE_MS;
  let life: Life | undefined;
  /** When the program has last heard the charger, for sure. */
  let heardAt = 0;

  const bus = {
    publish: (topic: string, payload: string, retain = false) => {
      if (retain) retained.set(topic, payload);
      life?.deliver({ now, topic, payload });
    },
  };
  /** A vehicle charges for 15 min at least, longer than a silence that began with one; then the next one comes. */
  const change = () => {
    if (vehicle.plugged()) {
      vehicle.unplug();
      Object.assign(truth.at(-1) as TrueSession, { end: epoch + now, energy: vehicle.sessionEnergy() });
      changeAt = now + random.between(1, 6) * MINUTE_MS;
    } else {
      vehicle.plugIn();
      truth.push({ start: epoch + now, energy: 0 });
      changeAt = now + random.between(15, 50) * MINUTE_MS;
    }
  };
  const second = () => {
    now += 1000;
    vehicle.step(now, 230);
    if (now >= changeAt) change();
    device.tick(now, bus);
    life?.deliver({ now });
  };

  /** Some of them at a time, but none beyond a change. */
  const seconds = () => {
    for (let i = 0; i < 5; i++) {
      const before = truth.length + Number(vehicle.plugged());
      second();
      if (truth.length + Number(vehicle.plugged()) !== before) return;
    }
  };

  /** Until when nobody listens. */
  const silence = () => {
    const [plugs, leaves] = [(s: TrueSession) => s.start - epoch, ({ end }: TrueSession) => (end ?? Infinity) - epoch];
    const wasEmpty = heardAt > 0 && truth.every((s) => plugs(s) > heardAt || leaves(s) < heardAt - HEARS_MS);
    const until = heardAt + random.between(0, wasEmpty ? 80 : 13) * MINUTE_MS;
    // Two that came and went cannot be told from one.
    const missed = () => truth.some((s) => plugs(s) > heardAt && leaves(s) <= now);
    const enough = () => missed() && vehicle.plugged() && changeAt - now < 3 * MINUTE_MS;
    while (now < until && !enough()) second();
  };

  let next = new Life([file, api, SERIAL, String(epoch)]);
  try {
    for (let kill = 0; kill <= kills; kill++) {
      life = next;
      await life.ready;
      if (kill < kills) next = new Life([file, api, SERIAL, String(epoch)]);
      const bornAt = now;
      life.deliver({ now });
      for (const [topic, payload] of retained) life.deliver({ now, topic, payload, retained: true });
      let over = false;
      if (kill < kills) {
        // From the first moment, when the file is opened, to some minutes of the plant.
        void setTimeout(random.between(0, 200)).then(() => {
          over = true;
        });
        while (!over) await life.pace(seconds, () => now);
        await life.kill();
        if (life.heard - bornAt >= HEARS_MS) heardAt = life.heard;
        life = undefined;
        silence();
      } else {
        while (!truth.length || vehicle.plugged()) await life.pace(seconds, () => now);
        changeAt = Number.POSITIVE_INFINITY;
        for (const until = now + MINUTE_MS; now < until; ) await life.pace(seconds, () => now);
        await life.end();
      }
    }
  } finally {
    // A test that fails leaves no program behind.
    for (const left of [life, next]) left?.stop();
  }
  return truth;
}

/** One life of the program. */
class Life {
  readonly ready: Promise<unknown>;
  readonly #child: ChildProcess;
  /** Up to when it has dealt with everything. */
  heard = Number.NEGATIVE_INFINITY;
  #news: () => void = () => undefined;
  #errors = '';

  constructor(args: string[]) {
    const flags = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', '--disable-warning=ExperimentalWarning'];
    this.#child = spawn(process.execPath, [...flags, KEEPER, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stderr?.on('data', (data) => {
      this.#errors += data;
    });
    this.ready = once(this.#child.stdout as NodeJS.ReadableStream, 'data').then(() => {
      this.#child.stdout?.on('data', (data: Buffer) => {
        this.heard = Number(data.toString().trimEnd().split('\n').at(-1));
        this.#news();
      });
    });
  }

  deliver(delivery: Delivery): void {
    this.#child.stdin?.write(`${JSON.stringify(delivery)}\n`);
  }

  /** Lets time pass, and waits while the program lags too far behind. */
  async pace(second: () => void, now: () => number): Promise<void> {
    second();
    await setTimeout(1);
    const late = () => Number.isFinite(this.heard) && now() - this.heard > LAG_MS;
    const first = () => !Number.isFinite(this.heard);
    while (late() || first()) {
      if (this.#child.exitCode !== null) throw new Error(this.#errors);
      await Promise.race([new Promise<void>((resolve) => (this.#news = resolve)), setTimeout(50)]);
      // Killed while it starts.
      if (first()) return;
    }
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null) throw new Error(this.#errors);
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    if (this.#child.exitCode !== 0) throw new Error(this.#errors);
  }
}
