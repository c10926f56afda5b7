import assert from 'node:assert/strict';
import { StationConnection } from '../../../drivers/ocpp/connection.ts';
import type { ConnectionOptions, FaultKind, Reply } from '../../../drivers/ocpp/connection-io.ts';
import type { CallAnswer, StationCall } from '../../../drivers/ocpp/station-io.ts';

const WALL_CLOCK = Date.UTC(2026, 4, 3);

/** A connection whose socket and clock are ours. */
function station(options: ConnectionOptions = {}) {
  let now = 0;
  const sent: string[] = [];
  const log: string[] = [];
  const answers: [number, CallAnswer][] = [];
  const faults: [FaultKind, string][] = [];
  const socket = {
    bufferedAmount: 0,
    send: (text: string) => sent.push(text),
    ping: () => log.push('ping'),
    pause: () => log.push('pause'),
    resume: () => log.push('resume'),
    close: (code: number) => log.push(`close ${code}`),
    terminate: () => log.push('terminate'),
  };
  const world = {
    socket,
    sent,
    log,
    answers,
    faults,
    request: (_action: string, _payload: object): Reply | Promise<Reply> => ({ response: { ok: true, payload: {} } }),
    connection: undefined as unknown as StationConnection,
    /** ms that a check takes. */
    slowCheck: 0,
    busy(ms: number) {
      now += ms;
    },
    /** Time passes, in steps of the timer. */
    pass(seconds: number) {
      for (const end = now + seconds * 1000; now < end; ) {
        now = Math.min(end, now + 250);
        world.connection.tick();
      }
    },
    /** Ids on the wire and actions of the calls that were sent. */
    calls: () => sent.map((text) => JSON.parse(text)).filter(([type]) => type === 2) as [2, string, string, object][],
    answer(index: number, payload: object = { status: 'Accepted' }) {
      world.connection.received(JSON.stringify([3, world.calls()[index]?.[1], payload]));
    },
  };
  const ends = {
    request: (action: string, payload: object) => world.request(action, payload),
    answered: (id: number, answer: CallAnswer) => answers.push([id, answer]),
    fault: (kind: FaultKind, detail: string) => faults.push([kind, detail]),
  };
  const clock = {
    now: () => now,
    // Asked for in the middle of a check.
    wallClock: () => {
      now += world.slowCheck;
      return WALL_CLOCK + now;
    },
  };
  world.connection = new StationConnection(socket, ends, options, clock);
  return world;
}

let lastId = 0;
const ordinary = (action = 'Reset', key?: string): StationCall => ({
  type: 'call',
  id: ++lastId,
  action,
  payload: action === 'Reset' ? { type: 'Soft' } : {},
  lane: 'ordinary',
  ...(key !== undefined && { key }),
  timeout: 30,
});
const limit = (key: string, amps: number): StationCall => ({
  type: 'call',
  id: ++lastId,
  action: 'SetChargingProfile',
  payload: {
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: 'TxDefaultProfile',
      chargingProfileKind: 'Relative',
      chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: amps }] },
    },
  },
  lane: 'limit',
  key,
  timeout: 10,
});
const amps = (call: unknown): number =>
  (
    call as [
      2,
      string,
      string,
      { csChargingProfiles: { chargingSchedule: { chargingSchedulePeriod: { limit: number }[] } } },
    ]
  )[3].csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0]?.limit as number;

describe('OCPP connection: lanes', () => {
  it('ordinary calls go one after another', () => {
    const { connection, calls, answer, answers } = station();
    const [a, b] = [ordinary(), ordinary('ClearCache')];
    connection.call(a);
    connection.call(b);
    assert.deepEqual(
      calls().map(([, , action]) => action),
      ['Reset'],
    );
    answer(0);
    assert.deepEqual(
      calls().map(([, , action]) => action),
      ['Reset', 'ClearCache'],
    );
    answer(1);
    assert.deepEqual(answers, [
      [a.id, { ok: true, payload: { status: 'Accepted' } }],
      [b.id, { ok: true, payload: { status: 'Accepted' } }],
    ]);
  });

  it('a limit never waits behind a slow Reset (ocpp-rpc: a 300 ms call waited 1.5 s)', () => {
    const { connection, calls } = station();
    connection.call(ordinary());
    connection.call(ordinary('ClearCache'));
    connection.call(limit('1', 16));
    assert.deepEqual(
      calls().map(([, , action]) => action),
      ['Reset', 'SetChargingProfile'],
    );
  });

  it('per key one limit is in flight, and only the newest waits', () => {
    const { connection, calls, answer, answers } = station();
    const limits = [16, 15, 14, 13].map((a) => limit('1', a));
    for (const call of limits) connection.call(call);
    connection.call(limit('2', 20));
    assert.deepEqual(calls().map(amps), [16, 20], 'the other key waits for nothing');
    assert.deepEqual(
      answers.map(([id, a]) => [id, a.ok ? '' : a.error]),
      [
        [limits[1]?.id, 'replaced'],
        [limits[2]?.id, 'replaced'],
      ],
    );
    answer(0);
    assert.deepEqual(calls().map(amps), [16, 20, 13]);
  });

  it('the newest limit waits 2 s at most for the answer to the one before it', () => {
    const { connection, calls, pass, answers } = station();
    connection.call(limit('1', 16));
    connection.call(limit('1', 10));
    connection.call(limit('1', 6));
    assert.equal(answers[0]?.[1].ok === false && answers[0][1].error, 'replaced');
    answers.length = 0;
    pass(1.75);
    assert.equal(calls().length, 1);
    pass(0.25);
    assert.deepEqual(calls().map(amps), [16, 6]);
    pass(8);
    assert.equal(answers[0]?.[1].ok === false && answers[0][1].error, 'timeout');
  });

  it('timeouts count from sending, not from queueing', () => {
    const { connection, pass, answer, answers } = station();
    connection.call(ordinary());
    const second = { ...ordinary('ClearCache'), timeout: 2 };
    connection.call(second);
    pass(25);
    assert.deepEqual(answers, []);
    answer(0);
    pass(1.75);
    assert.equal(answers.length, 1);
    pass(0.25);
    assert.deepEqual(answers[1], [
      second.id,
      { ok: false, error: 'timeout', description: 'ClearCache: no answer within 2 s' },
    ]);
  });

  it('an ordinary call lets limits go first, but not for ever', () => {
    const { connection, calls, answer, pass } = station();
    connection.call(limit('1', 16));
    connection.call(ordinary());
    assert.equal(calls().length, 1);
    answer(0);
    assert.equal(calls().at(-1)?.[2], 'Reset');
    answer(1);
    connection.call(limit('1', 15));
    connection.call(ordinary());
    pass(4.75);
    assert.equal(calls().length, 3);
    pass(0.25);
    assert.equal(calls().length, 4);
  });

  it('of ordinary calls with one key only the newest is sent, at the place of the older one', () => {
    const { connection, calls, answer, answers } = station();
    connection.call(ordinary());
    const older = ordinary('ClearCache', 'k');
    connection.call(older);
    connection.call(ordinary('GetLocalListVersion'));
    connection.call(ordinary('GetConfiguration', 'k'));
    assert.deepEqual(
      answers.map(([id]) => id),
      [older.id],
    );
    answer(0);
    answer(1, {});
    assert.deepEqual(
      calls().map(([, , action]) => action),
      ['Reset', 'GetConfiguration', 'GetLocalListVersion'],
    );
  });

  it('answers that belong to no call are counted and change nothing', () => {
    const { connection, answer, pass, answers } = station();
    connection.call({ ...limit('1', 16), timeout: 1 });
    connection.received('[3,"nobody",{"status":"Accepted"}]');
    connection.received('[4,"nobody","GenericError","",{}]');
    pass(1);
    answer(0);
    connection.call(ordinary());
    answer(1);
    answer(1);
    assert.equal(answers.length, 2);
    assert.deepEqual(connection.counts, { late: 1, duplicate: 1, unknown: 2 });
  });

  it('refusals and wrong answers of the station', () => {
    const { connection, calls, answers, faults, answer } = station();
    connection.call(ordinary());
    connection.received(JSON.stringify([4, calls()[0]?.[1], 'NotSupported', 'no', {}]));
    connection.call(ordinary());
    answer(1, { status: 'Perhaps' });
    assert.deepEqual(
      answers.map(([, a]) => a),
      [
        { ok: false, error: 'refused', code: 'NotSupported', description: 'no' },
        {
          ok: false,
          error: 'invalid',
          description: 'Reset.conf: status: "Perhaps" — expected one of Accepted, Rejected',
        },
      ],
    );
    assert.equal(faults[0]?.[0], 'refused');
  });

  it('a call of ours that is not as specified is not sent', () => {
    const { connection, sent, answers, faults } = station();
    connection.call(limit('1', 16.17));
    connection.call({ ...ordinary(), action: 'Heartbeat' });
    connection.call({ ...ordinary(), action: 'toString' });
    assert.deepEqual(sent, []);
    assert.deepEqual(
      answers.map(([, a]) => !a.ok && a.error),
      ['invalid', 'invalid', 'invalid'],
    );
    assert.match(faults[0]?.[1] as string, /limit: 16\.17 — expected a multiple of 0\.1/);
  });

  it('when the connection ends, every call ends as disconnected, once', () => {
    const { connection, answers, log, sent } = station();
    const calls = [limit('1', 16), limit('1', 15), ordinary(), ordinary()];
    for (const call of calls) connection.call(call);
    connection.close(1001, 'bye');
    connection.closed();
    assert.deepEqual(
      answers.map(([id]) => id).toSorted((a, b) => a - b),
      calls.map(({ id }) => id),
    );
    assert.ok(answers.every(([, a]) => !a.ok && a.error === 'disconnected'));
    const count = sent.length;
    connection.call(ordinary());
    assert.equal(answers.length, 5);
    assert.equal(sent.length, count);
    assert.deepEqual(log, ['close 1001']);
  });

  it('ordinary calls that wait are bounded', () => {
    const { connection, answers } = station();
    for (let i = 0; i < 202; i++) connection.call(ordinary());
    assert.deepEqual(
      answers.map(([, a]) => !a.ok && a.error),
      ['invalid'],
    );
  });
});

describe('OCPP connection: calls of the station', () => {
  it('are checked and answered with the same id', () => {
    const world = station();
    world.request = (action, payload) => {
      assert.deepEqual([action, payload], ['Heartbeat', {}]);
      return { response: { ok: true, payload: { currentTime: '2026-05-03T00:00:00Z' } } };
    };
    world.connection.received('[2,17,"Heartbeat",{}]');
    assert.deepEqual(world.sent, ['[3,17,{"currentTime":"2026-05-03T00:00:00Z"}]']);
  });

  it('unknown action, wrong direction, wrong payload, no frame', () => {
    const { connection, sent, faults } = station({ tolerant: false });
    connection.received('[2,"a","NotifyReport",{}]');
    connection.received('[2,"b","Reset",{"type":"Soft"}]');
    connection.received('[2,"c","Heartbeat",{"x":1}]');
    connection.received('[2,"d","Authorize",{}]');
    connection.received('[2,"e","Authorize",{"idTag":5}]');
    connection.received('[2,"f","__proto__",{}]');
    connection.received('[2,"g",1]');
    connection.received('garbage');
    connection.receivedBinary(5);
    assert.deepEqual(
      sent.map((text) => JSON.parse(text).slice(0, 3)),
      [
        [4, 'a', 'NotImplemented'],
        [4, 'b', 'NotSupported'],
        [4, 'c', 'FormationViolation'],
        [4, 'd', 'OccurenceConstraintViolation'],
        [4, 'e', 'TypeConstraintViolation'],
        [4, 'f', 'NotImplemented'],
        [4, 'g', 'FormationViolation'],
      ],
    );
    assert.deepEqual(
      faults.map(([kind]) => kind),
      [...Array(6).fill('refused'), ...Array(3).fill('malformed')],
    );
  });

  it('a repaired payload is told', () => {
    const { connection, sent, faults } = station();
    connection.received('[2,"a","MeterValues",{"connectorId":"1","meterValue":[]}]');
    assert.deepEqual(sent, ['[3,"a",{}]']);
    assert.deepEqual(faults, [['repaired', 'MeterValues.req: connectorId: "1" read as number']]);
  });

  it('a handler that throws, rejects, or answers nonsense: InternalError, and the connection goes on', async () => {
    const world = station();
    const { connection, sent, faults } = world;
    world.request = () => {
      throw new Error('broken');
    };
    connection.received('[2,"a","Heartbeat",{}]');
    world.request = () => Promise.reject(new Error('broken later'));
    connection.received('[2,"b","Heartbeat",{}]');
    await new Promise(setImmediate);
    world.request = () => ({ response: { ok: true, payload: { currentTime: 'soon' } } });
    connection.received('[2,"c","Heartbeat",{}]');
    world.request = () => ({
      response: { ok: false, code: 'NotSupported', description: 'not now' },
      after: () => {
        throw new Error('broken afterwards');
      },
    });
    connection.received('[2,"d","Heartbeat",{}]');
    assert.deepEqual(
      sent.map((text) => JSON.parse(text).slice(0, 3)),
      [
        [4, 'a', 'InternalError'],
        [4, 'b', 'InternalError'],
        [4, 'c', 'InternalError'],
        [4, 'd', 'NotSupported'],
      ],
    );
    assert.deepEqual(
      faults.map(([, detail]) => detail),
      [
        'Heartbeat: broken',
        'Heartbeat: broken later',
        'Heartbeat.conf: currentTime: "soon" — expected a date-time of RFC 3339',
        'broken afterwards',
      ],
    );
  });

  it('answers keep the order of the calls; what follows an answer comes after it', async () => {
    const world = station();
    const { connection, sent } = world;
    let finish: (reply: Reply) => void = () => undefined;
    const done: string[] = [];
    const reply = (name: string): Reply => ({
      response: { ok: true, payload: {} },
      after: () => done.push(`${name} after ${sent.length}`),
    });
    world.request = () => new Promise((resolve) => (finish = resolve));
    connection.received('[2,"a","MeterValues",{"connectorId":1,"meterValue":[]}]');
    world.request = () => reply('b');
    connection.received('[2,"b","MeterValues",{"connectorId":1,"meterValue":[]}]');
    assert.deepEqual(sent, []);
    finish(reply('a'));
    await new Promise(setImmediate);
    assert.deepEqual(sent, ['[3,"a",{}]', '[3,"b",{}]']);
    assert.deepEqual(done, ['a after 1', 'b after 2']);
  });

  it('a handler that never answers does not hold the others up for ever', () => {
    const world = station();
    world.request = () => new Promise(() => undefined);
    world.connection.received('[2,"a","Heartbeat",{}]');
    world.request = () => ({ response: { ok: true, payload: { currentTime: '2026-05-03T00:00:00Z' } } });
    world.connection.received('[2,"b","Heartbeat",{}]');
    world.pass(29);
    assert.equal(world.sent.length, 0);
    world.pass(1);
    assert.deepEqual(
      world.sent.map((text) => JSON.parse(text).slice(0, 2)),
      [
        [4, 'a'],
        [3, 'b'],
      ],
    );
  });

  it('calls that wait for a slow handler are bounded', () => {
    const world = station();
    world.request = () => new Promise(() => undefined);
    for (let i = 0; i < 66; i++) world.connection.received(`[2,${i},"Heartbeat",{}]`);
    assert.deepEqual(world.log, ['terminate']);
    assert.equal(world.faults.at(-1)?.[0], 'flood');
  });
});

describe('OCPP connection: bounds', () => {
  const heartbeat = '[2,1,"ClearCache",{}]';

  it('a station that does not read is closed', () => {
    const { connection, socket, sent, log, faults, answers } = station({ maxBuffered: 1000 });
    socket.bufferedAmount = 900;
    connection.received(heartbeat);
    assert.equal(sent.length, 1);
    socket.bufferedAmount = 990;
    connection.call(limit('1', 16));
    assert.deepEqual(log, ['terminate']);
    assert.equal(faults.at(-1)?.[0], 'not-reading');
    assert.ok(answers[0]?.[1].ok === false && answers[0][1].error === 'disconnected');
    assert.equal(connection.open, false);
  });

  it('a machine that stands still for a moment while it reads is not blamed on the station', () => {
    const world = station();
    const slow =
      '[2,1,"MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-05-03 00:00:00","sampledValue":[{"value":"1"}]}]}]';
    world.slowCheck = 5000;
    world.connection.received(slow);
    assert.deepEqual(world.log, []);
  });

  it('a burst is answered, a station above its rate is read more slowly, and one that goes on is closed', () => {
    const { connection, log, faults, sent, pass } = station({ rate: { perSecond: 10, burst: 100, patience: 30 } });
    for (let i = 0; i < 100; i++) connection.received(heartbeat);
    assert.deepEqual(log, []);
    connection.received(heartbeat);
    assert.deepEqual(log, ['pause']);
    assert.equal(sent.length, 101, 'what was read is answered');
    for (let i = 0; i < 50; i++) connection.received(heartbeat);
    pass(5);
    assert.deepEqual(log, ['pause'], 'what came above it is paid back');
    for (let i = 0; i < 200 && log.length < 60; i++) {
      pass(0.25);
      if (log.at(-1) === 'resume') for (let n = 0; n < 20; n++) connection.received(heartbeat);
    }
    assert.equal(log.at(-1), 'terminate');
    assert.equal(faults.at(-1)?.[0], 'flood');
    assert.ok(faults.filter(([kind]) => kind === 'throttled').length > 3);
  });

  it('frames that take long to read count by their time; what our own handler takes does not count', () => {
    const world = station({ rate: { perSecond: 10, burst: 100, patience: 30 } });
    const { connection, log } = world;
    world.request = () => {
      world.busy(500);
      return { response: { ok: true, payload: {} } };
    };
    const slow = JSON.stringify([2, 'a', 'MeterValues', { connectorId: 1, meterValue: [] }]);
    connection.received(slow);
    assert.deepEqual(log, []);
    world.slowCheck = 40;
    for (let i = 0; i < 2; i++) connection.received(slow);
    assert.deepEqual(log, []);
    connection.received(slow);
    assert.deepEqual(log, ['pause']);
  });

  it('a rest makes up for a burst: replaying after an outage is no flood', () => {
    const { connection, log, pass } = station({ rate: { perSecond: 10, burst: 100, patience: 30 } });
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 101; i++) connection.received(heartbeat);
      pass(12);
    }
    assert.ok(!log.includes('terminate'));
  });

  it('pings a silent station, and gives up one that stays silent', () => {
    const { connection, log, pass, faults } = station();
    pass(29.75);
    assert.deepEqual(log, []);
    pass(0.25);
    assert.deepEqual(log, ['ping']);
    pass(19);
    connection.heard();
    pass(29);
    assert.deepEqual(log, ['ping'], 'whatever is heard counts');
    pass(1);
    assert.deepEqual(log, ['ping', 'ping']);
    pass(20);
    assert.deepEqual(log, ['ping', 'ping', 'terminate']);
    assert.equal(faults.at(-1)?.[0], 'silent');
  });

  it('pings nobody where that is switched off', () => {
    const { log, pass } = station({ pingInterval: 0 });
    pass(600);
    assert.deepEqual(log, []);
  });
});
