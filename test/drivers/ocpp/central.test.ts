import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { DriverAlert } from '../../../drivers/alert.ts';
import { DeviceDataError } from '../../../drivers/device-data.ts';
import { type CentralEvents, type CentralOptions, runCentral } from '../../../drivers/ocpp/central.ts';
import type { StationLogic, StationOutput } from '../../../drivers/ocpp/station-io.ts';
import { ask, dial, refusal } from './harness.ts';

type Log = (string | number)[];

const READING = {
  online: true,
  state: 'A',
  current: [0, 0, 0],
  age: 0,
  power: 0,
  energy: 0,
  offer: 0,
} as const;

const reading = (connector: number): StationOutput => ({
  type: 'reading',
  connector,
  reading: { ...READING, current: [0, 0, 0] },
});
const call = (id: number): StationOutput => ({
  type: 'call',
  id,
  action: 'ClearCache',
  payload: {},
  lane: 'ordinary',
  timeout: 5,
});

/** Logic that writes down what it is told and answers as the test wants. */
class Scripted implements StationLogic {
  readonly log: { push(entry: string): void };
  outputs: Partial<
    Record<'connected' | 'disconnected' | 'request' | 'answered' | 'setpoint' | 'tick', () => StationOutput[]>
  > = {};

  constructor(log: { push(entry: string): void }) {
    this.log = log;
  }

  connected(): StationOutput[] {
    this.log.push('connected');
    return this.outputs.connected?.() ?? [];
  }

  disconnected(): StationOutput[] {
    this.log.push('disconnected');
    return this.outputs.disconnected?.() ?? [];
  }

  request(action: string) {
    this.log.push(action);
    const outputs = this.outputs.request?.() ?? [];
    return { response: { ok: true, payload: { currentTime: '2026-05-03T00:00:00Z' } } as const, outputs };
  }

  answered(id: number, answer: { ok: boolean; error?: string }): StationOutput[] {
    this.log.push(`answer ${id} ${answer.ok || answer.error}`);
    return this.outputs.answered?.() ?? [];
  }

  setpoint(connector: number, current: number): StationOutput[] {
    if (connector !== 1) throw new DeviceDataError('connector', connector, '1');
    this.log.push(`setpoint ${current}`);
    return this.outputs.setpoint?.() ?? [];
  }

  tick(): StationOutput[] {
    return this.outputs.tick?.() ?? [];
  }
}

interface World {
  central: ReturnType<typeof runCentral>;
  url: (path: string) => string;
  logic: Map<string, Scripted>;
  log: Log;
  alerts: [DriverAlert, string | undefined][];
  saved: unknown[];
  until(condition: () => boolean): Promise<void>;
}

async function start(options: Partial<CentralOptions> = {}, more: { write?: () => void } = {}): Promise<World> {
  const logic = new Map<string, Scripted>();
  const log: Log = [];
  const alerts: World['alerts'] = [];
  const saved: unknown[] = [];
  const waiting = new Set<() => void>();
  const tell = (...entries: Log) => {
    log.push(...entries);
    for (const check of waiting) check();
  };
  const events: CentralEvents = {
    reading: (identity, connector) => {
      if (connector === 666) throw new Error('listener broken');
      tell(`reading ${identity} ${connector}`);
    },
    meter: (identity, meter) => tell(`meter ${identity} ${meter}`),
    alert: (alert, identity) => {
      alerts.push([alert, identity]);
      tell(`alert ${alert.code}`);
    },
    notSaved: () => tell('notSaved'),
    saved: () => tell('saved'),
    connected: ({ identity }) => tell(`+${identity}`),
    disconnected: (identity) => tell(`-${identity}`),
  };
  const central = runCentral(
    { listen: { port: 0, host: '127.0.0.1' }, securityProfile: 0, stations: ['CP1'], ...options },
    {
      access: () => ({}),
      create: (identity, record) => {
        if (identity === 'broken') throw new Error('no such vendor');
        log.push(`create ${identity} ${record}`);
        const station = new Scripted({ push: tell });
        logic.set(identity, station);
        return station;
      },
      store: () => ({
        read: () => 'record',
        write: (record) => {
          more.write?.();
          saved.push(record);
        },
      }),
    },
    events,
  );
  const port = await central.listening;
  return {
    central,
    url: (path) => `ws://127.0.0.1:${port}${path}`,
    logic,
    log,
    alerts,
    saved,
    until: (condition) =>
      new Promise((resolve) => {
        const check = () => {
          if (!condition()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

describe('OCPP central', () => {
  let world: World;
  afterEach(() => world.central.stop());

  it('runs the logic of known stations from the start, with their record, and of others when they come', async () => {
    world = await start({ maxOthers: 1 });
    assert.deepEqual(world.log, ['create CP1 record']);
    await dial(world.url('/CP2'));
    await world.until(() => world.log.includes('connected'));
    assert.deepEqual(world.log, ['create CP1 record', 'create CP2 record', '+CP2', 'connected']);
    assert.equal(await refusal(world.url('/CP3')), 404, 'others are bounded');
    assert.equal(world.central.connections(), 1);
  });

  it('saves before it answers; calls and events come after the answer', async () => {
    world = await start();
    const station = world.logic.get('CP1') as Scripted;
    station.outputs.request = () => [reading(1), call(5), { type: 'persist', record: { a: 1 } }];
    const ws = await dial(world.url('/CP1'));
    const frames: string[] = [];
    ws.on('message', (data) => {
      frames.push(String(data));
      const [type, id] = JSON.parse(String(data));
      if (type === 2) ws.send(JSON.stringify([3, id, { status: 'Accepted' }]));
    });
    ws.send('[2,"1","Heartbeat",{}]');
    await world.until(() => world.log.includes('reading CP1 1'));
    await world.until(() => world.log.includes('answer 5 true'));
    assert.deepEqual(world.saved, [{ a: 1 }]);
    assert.deepEqual(world.log.slice(3), ['Heartbeat', 'saved', 'reading CP1 1', 'answer 5 true']);
    assert.deepEqual(
      frames.map((text) => JSON.parse(text)[0]),
      [3, 2],
    );
  });

  it('what cannot be saved is told, and the call goes out nevertheless', async () => {
    const write = () => {
      throw new Error('disk full');
    };
    world = await start({}, { write });
    (world.logic.get('CP1') as Scripted).outputs.request = () => [call(1), { type: 'persist', record: 1 }];
    const ws = await dial(world.url('/CP1'));
    ws.on('message', (data) => {
      const [type, id] = JSON.parse(String(data));
      if (type === 2) ws.send(JSON.stringify([3, id, { status: 'Accepted' }]));
    });
    ws.send('[2,"1","Heartbeat",{}]');
    await world.until(() => world.log.includes('answer 1 true'));
    assert.ok(world.log.includes('notSaved'));
  });

  it('calls to a station that is not connected end at once', async () => {
    world = await start();
    const station = world.logic.get('CP1') as Scripted;
    station.outputs.setpoint = () => [call(1), reading(1)];
    world.central.setpoint('CP1', 1, 16, 60);
    assert.deepEqual(world.log.slice(1), ['setpoint 16', 'answer 1 disconnected', 'reading CP1 1']);
    assert.throws(() => world.central.setpoint('CP1', 2, 16, 60), DeviceDataError);
    assert.throws(
      () => world.central.setpoint('nobody', 1, 16, 60),
      /station: "nobody" — expected a station that is known/,
    );
    assert.deepEqual(world.alerts, []);
  });

  it('logic that throws is told once and takes nobody with it', async () => {
    world = await start();
    const station = world.logic.get('CP1') as Scripted;
    const fail = () => {
      throw new Error('bug');
    };
    station.outputs = {
      connected: fail,
      disconnected: fail,
      request: fail,
      answered: fail,
      setpoint: fail,
      tick: fail,
    };
    const ws = await dial(world.url('/CP1'));
    assert.deepEqual((await ask(ws, [2, '1', 'Heartbeat', {}])).slice(0, 3), [4, '1', 'InternalError']);
    world.central.setpoint('CP1', 1, 6, 60);
    ws.close();
    await world.until(() => world.log.includes('-CP1'));
    const other = await dial(world.url('/CP2'));
    assert.equal((await ask(other, [2, '1', 'Heartbeat', {}]))[0], 3);
    assert.deepEqual(
      world.alerts.map(([{ code, active, args }]) => [code, active, args.detail]),
      [['ocpp-internal', true, 'bug']],
    );
  });

  it('a station whose logic cannot be made is closed, and told', async () => {
    world = await start();
    const ws = await dial(world.url('/broken'));
    const [code] = await once(ws, 'close');
    assert.equal(code, 1011);
    assert.deepEqual(
      world.alerts.map(([{ code, args }, identity]) => [code, args.detail, identity]),
      [['ocpp-internal', 'no such vendor', 'broken']],
    );
  });

  it('logic that calls for ever in its answers is stopped and told, and its stack does not grow', async () => {
    world = await start();
    const station = world.logic.get('CP1') as Scripted;
    let calls = 0;
    station.outputs.answered = () => [call(++calls)];
    station.outputs.setpoint = () => [call(0)];
    world.central.setpoint('CP1', 1, 6, 60);
    assert.equal(calls, 10_000);
    assert.deepEqual(
      world.alerts.map(([{ code }, identity]) => [code, identity]),
      [['ocpp-internal', 'CP1']],
    );
  });

  it('who hears the events may fail', async () => {
    world = await start();
    const station = world.logic.get('CP1') as Scripted;
    station.outputs.connected = () => [{ ...reading(666) }, reading(1)];
    await dial(world.url('/CP1'));
    await world.until(() => world.log.includes('reading CP1 1'));
    assert.deepEqual(
      world.alerts.map(([{ code, args }]) => [code, args.detail]),
      [['ocpp-internal', 'listener broken']],
    );
  });

  it('stop tells the logic that its station is gone', async () => {
    world = await start();
    await dial(world.url('/CP1'));
    await world.until(() => world.log.includes('connected'));
    await world.central.stop();
    assert.deepEqual(world.log.slice(-2), ['disconnected', '-CP1']);
  });

  it('faults of a station are alerts of that station, once for each kind', async () => {
    world = await start();
    const ws = await dial(world.url('/CP1'));
    for (let i = 0; i < 3; i++) {
      ws.send('garbage');
      await ask(ws, [2, '1', 'Heartbeat', { x: i }]);
    }
    assert.deepEqual(
      world.alerts.map(([{ code, severity }, identity]) => [code, severity, identity]),
      [
        ['ocpp-malformed', 'warning', 'CP1'],
        ['ocpp-repaired', 'info', 'CP1'],
      ],
    );
  });
});
