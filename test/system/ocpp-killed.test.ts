/** `FLOW=ocpp npm start` killed ten times while vehicles charge, come and go: transactions and sessions are those of the plant. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Session } from '../../core/index.ts';
import type { Phase } from '../../core/units.ts';
import { SessionStore } from '../../drivers/session-store/store.ts';
import { type Broker, startBroker } from '../../scripts/start/broker.ts';
import { createRandom } from '../../simulator/random.ts';
import { freePort } from '../helpers/free-port.ts';
import type { TrueSession } from '../helpers/killed-sessions.ts';
import { assertSame } from '../helpers/same-sessions.ts';
import { RunningHome } from './node-red.ts';
import { type OcppSite, startOcppSite } from './ocpp-site.ts';
import { fastClock, until } from './support.ts';

const FACTOR = 10;
const KILLS = 10;
const SHELLY = 'shellyem3-C8C9A3000002';
/** Those that flows/ocpp.json knows; nobody ever comes to most of them. */
const STATIONS: Record<string, Phase[]> = {
  CP001: ['L1'],
  CP002: ['L2'],
  CP003: ['L3'],
  CP004: ['L1'],
  CP005: ['L2'],
  CP006: ['L3'],
  CP007: ['L2', 'L3', 'L1'],
  CP008: ['L3', 'L1', 'L2'],
  CP009: ['L2', 'L3', 'L1'],
  CP010: ['L1', 'L2', 'L3'],
  CP011: ['L1', 'L2', 'L3'],
  CP012: ['L1', 'L2', 'L3'],
};
const ALL = Object.keys(STATIONS);
const IDENTITIES = ['CP001', 'CP002', 'CP007', 'CP010'];

type Frame = [2, string, string, Record<string, unknown>] | [3, string, Record<string, unknown>] | [4, string, string];

/** What was said on the wires about transactions. */
class Transactions {
  /** By identity, meter at start and time: every id that the server gave. */
  readonly ids = new Map<string, Set<number>>();
  /** Identity and id of each that was stopped, and what the server said. */
  readonly stopped: { key: string; answer: string }[] = [];
  readonly errors: string[] = [];
  /** Called at the moment in which a transaction begins. */
  onStart: () => void = () => undefined;
  #pending = new Map<string, { action: string; payload: Record<string, unknown> }>();

  hear(identity: string, direction: 'sent' | 'received', text: string): void {
    const frame = JSON.parse(text) as Frame;
    const call = `${identity} ${frame[1]}`;
    if (direction === 'sent') {
      if (frame[0] !== 2) return;
      this.#pending.set(call, { action: frame[2], payload: frame[3] });
      if (frame[2] === 'StartTransaction') this.onStart();
      return;
    }
    if (frame[0] === 2) return;
    const asked = this.#pending.get(call);
    this.#pending.delete(call);
    if (frame[0] === 4) this.errors.push(`${identity} ${asked?.action}: ${text}`);
    if (asked?.action === 'StartTransaction' && frame[0] === 3) {
      const key = `${identity} ${asked.payload.meterStart} ${asked.payload.timestamp}`;
      const known = this.ids.get(key) ?? new Set();
      this.ids.set(key, known.add(frame[2].transactionId as number));
    }
    if (asked?.action === 'StopTransaction')
      this.stopped.push({ key: `${identity} ${asked.payload.transactionId}`, answer: frame[0] === 3 ? 'taken' : text });
  }
}

describe('OCPP transactions while npm start is killed', function () {
  this.timeout(75_000);
  const heard = new Transactions();
  const truth = new Map<string, TrueSession[]>(IDENTITIES.map((identity) => [identity, []]));
  const seed = Math.floor(Math.random() * 1e9);
  const random = createRandom(seed);
  let broker: Broker;
  let home: RunningHome;
  let site: OcppSite;

  before(async () => {
    broker = await startBroker({ host: '127.0.0.1', port: 0, user: '', password: '' });
    const began = Date.now();
    const port = await freePort();
    home = new RunningHome({
      ...fastClock(FACTOR, began),
      FLOW: 'ocpp',
      SIMULATE: '0',
      MQTT_URL: broker.url,
      SHELLY_ID: SHELLY,
      OCPP_PORT: String(port),
    });
    site = await startOcppSite({
      mqttUrl: broker.url,
      ocppUrl: `ws://127.0.0.1:${port}`,
      shellyId: SHELLY,
      stations: STATIONS,
      empty: ALL,
      house: [8, 8, 8],
      factor: FACTOR,
      began,
      wire: { onFrame: (identity, direction, text) => heard.hear(identity, direction, text) },
    });
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed')
      console.log(`seed ${seed}`, home?.log.slice(-1500), site && states(), heard.errors, heard.stopped);
  });
  after(async () => {
    await site?.stop();
    await home?.remove();
    await broker?.stop();
  });

  const vehicle = (identity: string) => site.run.vehicles[ALL.indexOf(identity)][0];
  const connector = (identity: string) => site.run.wires[ALL.indexOf(identity)].station.connectors[0];
  const states = () =>
    ALL.map((identity, i) => {
      const { station, connected } = site.run.wires[i];
      const { accepted, waiting } = station;
      const { transaction, inoperative, finished, declined, asking } = station.connectors[0];
      const plugged = vehicle(identity).plugged();
      return JSON.stringify({
        identity,
        connected,
        accepted,
        waiting,
        plugged,
        transaction,
        inoperative,
        finished,
        declined,
        asking,
      });
    });
  const changedIn = new Map<string, number>();
  /** The vehicle leaves, or the next one comes. */
  const change = (identity: string, life: number) => {
    const sessions = truth.get(identity) as TrueSession[];
    if (vehicle(identity).plugged()) {
      Object.assign(sessions.at(-1) as TrueSession, {
        end: site.run.wallClock(),
        energy: vehicle(identity).sessionEnergy(),
      });
      vehicle(identity).unplug();
    } else {
      sessions.push({ start: site.run.wallClock(), energy: 0 });
      vehicle(identity).plugIn();
    }
    changedIn.set(identity, life);
  };
  /** The server has been told how things are there: nothing comes and goes unheard. */
  const isKnown = (identity: string) => {
    const { station } = site.run.wires[ALL.indexOf(identity)];
    return vehicle(identity).plugged() ? Number(connector(identity).transaction?.id) > 0 : station.waiting === 0;
  };
  /** One of those that stood as they are for a whole life of the program. */
  const changeSome = (life: number) => {
    const free = IDENTITIES.filter((id) => life > (changedIn.get(id) ?? 0) + 1 && isKnown(id));
    if (free.length > 0 && random.between(0, 3) < 2) change(free[Math.floor(random.between(0, free.length))], life);
  };
  const charging = () => IDENTITIES.every((identity) => Math.max(...vehicle(identity).current()) > 5);

  function kept(): Map<string, Session[]> {
    const store = new SessionStore(join(home.userDir, 'dlm', 'sessions-ocpp-site.sqlite'), (aside) =>
      assert.fail(aside),
    );
    try {
      const all = store.list({ period: '' }, 1000).toReversed();
      return new Map(
        IDENTITIES.map((identity) => [identity, all.filter(({ charger }) => charger === `${identity}-1`)]),
      );
    } finally {
      store.close();
    }
  }

  it(`${KILLS} times: each goes on under its id, is stopped under it, and no session is lost or doubled`, async () => {
    await home.start();
    for (const identity of IDENTITIES) change(identity, 0);
    await until(charging);
    for (let kill = 1; kill <= KILLS; kill++) {
      const before = new Map(IDENTITIES.map((identity) => [identity, connector(identity).transaction?.id]));
      let began: Promise<unknown> | undefined;
      // Twice before the answer to a start can be there.
      if (kill % 4 === 0) heard.onStart = () => (began ??= home.stop('SIGKILL'));
      const end = performance.now() + random.between(0, kill % 4 === 0 ? 4000 : 2000);
      if (kill % 4 === 0) {
        const [empty] = IDENTITIES.filter((id) => !vehicle(id).plugged() && isKnown(id));
        if (empty) change(empty, kill);
      }
      await until(() => began !== undefined || performance.now() >= end);
      heard.onStart = () => undefined;
      if (!began) changeSome(kill);
      await (began ?? home.stop('SIGKILL'));
      changeSome(kill);
      await setTimeout(random.between(0, 500));
      await home.start();
      for (const [identity, id] of before)
        if (id !== undefined && id > 0 && changedIn.get(identity) !== kill)
          assert.equal(connector(identity).transaction?.id, id, `${identity} after kill ${kill}`);
    }
    await until(() => site.run.wires.every((wire) => wire.station.accepted && wire.station.waiting === 0));
    for (const identity of IDENTITIES) if (!vehicle(identity).plugged()) change(identity, KILLS);
    await until(charging);
    for (const identity of IDENTITIES) change(identity, KILLS);
    await until(() => site.run.wires.every((wire) => wire.station.waiting === 0));
    await until(async () => {
      await setTimeout(200);
      return [...kept().values()].flat().every(({ end }) => end !== undefined);
    });
    const sessions = kept();
    const largest = IDENTITIES.map((identity) =>
      assertSame(sessions.get(identity) as Session[], truth.get(identity) as TrueSession[]),
    );
    for (const [key, ids] of heard.ids) assert.equal(ids.size, 1, `${key}: ${[...ids]}`);
    const all = [...heard.ids].map(([key, [id]]) => `${key.split(' ')[0]} ${id}`);
    assert.equal(new Set(all).size, all.length, 'an id is given once');
    assert.deepEqual(heard.errors, []);
    assert.deepEqual([...new Set(heard.stopped.map(({ key }) => key))].toSorted(), all.toSorted());
    assert.ok(heard.stopped.every(({ answer }) => answer === 'taken'));
    console.log(
      `      seed ${seed}: ${all.length} transactions, at most ${Math.max(...largest).toFixed(1)} Wh from the plant's`,
    );
  });
});
