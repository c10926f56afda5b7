import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  addPoints,
  advanceBuffer,
  type BufferEffect,
  buffered,
  createBuffer,
  createHistory,
  DEFAULT_BUFFER,
  dueHistory,
  type HistoryBuffer,
  type HistoryMessage,
  onNotTaken,
  onTaken,
  type Point,
  recordHistory,
  SPACING_MS,
} from '../../core/index.ts';

const T0 = Date.UTC(2026, 0, 1);
const meter = (at: number, amps: number, id = 'grid'): HistoryMessage => ({
  kind: 'meter',
  id,
  payload: { at, current: [amps, 1, null] },
});
const charger = (at: number, fields: object = {}): HistoryMessage => ({
  kind: 'charger',
  id: 'a',
  payload: { at, online: true, state: 'C', current: [6, 6, 6], power: 4140, energy: 100, offer: 6, ...fields },
});
const alert = (at: number, active: boolean, code = 'overload'): HistoryMessage => ({
  kind: 'alert',
  id: 'main',
  payload: { at, severity: 'error', code, text: 'too much', active },
});

describe('history: which messages become points', () => {
  it('names fields with their unit, and leaves out what is not there', () => {
    const [point] = recordHistory(createHistory({ site: 'Home' }), meter(T0, 4.2), T0);
    assert.deepEqual(point, {
      measurement: 'meters',
      tags: { site: 'Home', meter: 'grid' },
      fields: { current_l1_a: 4.2, current_l2_a: 1 },
      timestamp: T0,
    });
  });

  it('a power of all phases together is a field of its own', () => {
    const payload = { at: T0, current: [null, null, null] as [null, null, null], totalPower: 11_000 };
    const [point] = recordHistory(createHistory({ site: 'Home' }), { kind: 'meter', id: 'CP001-grid', payload }, T0);
    assert.deepEqual(point.fields, { total_power_w: 11_000 });
  });

  it('writes a quiet series every 10 s, one that moves every second', () => {
    const quiet = createHistory();
    const moving = createHistory();
    let [calm, busy] = [0, 0];
    for (let s = 0; s < 100; s += 0.25) {
      const now = T0 + s * 1000;
      calm += recordHistory(quiet, meter(now, 4 + (s % 0.5)), now).length;
      busy += recordHistory(moving, meter(now, 4 + 10 * (s % 0.5)), now).length;
    }
    assert.equal(calm, 10);
    assert.equal(busy, 100);
  });

  it('writes a change of state or of what is offered at once', () => {
    const history = createHistory();
    recordHistory(history, charger(T0), T0);
    assert.equal(recordHistory(history, charger(T0 + 150), T0 + 150).length, 0);
    assert.equal(recordHistory(history, charger(T0 + 160, { state: 'B' }), T0 + 160).length, 1);
    assert.equal(recordHistory(history, charger(T0 + 300, { state: 'B', offer: 7 }), T0 + 300).length, 1);
    assert.equal(recordHistory(history, alert(T0 + 301, true), T0 + 301).length, 1);
  });

  it('writes what was held back when nothing more comes', () => {
    const history = createHistory();
    recordHistory(history, meter(T0, 4), T0);
    assert.equal(recordHistory(history, meter(T0 + 200, 30), T0 + 200).length, 0);
    assert.equal(dueHistory(history, T0 + 900).length, 0);
    const [point] = dueHistory(history, T0 + 1100);
    assert.equal(point.fields.current_l1_a, 30);
    assert.equal(point.timestamp, T0 + 200);
    assert.equal(dueHistory(history, T0 + 60_000).length, 0);
  });

  it('tells of a charger that is not heard only that, and no figures of before', () => {
    const [point] = recordHistory(createHistory(), charger(T0, { online: false, energy: 0, power: 0 }), T0);
    assert.deepEqual(point.fields, { online: false, state: 'offline', fault: 'none', stopped_by: 'nobody' });
  });

  it('counts how long a vehicle waits, until it gets something', () => {
    const history = createHistory();
    const waits: unknown[] = [];
    for (const [s, setpoint] of [
      [0, 0],
      [60, 0],
      [120, 0],
      [180, 6],
      [240, 0],
    ] as const) {
      const at = T0 + s * 1000;
      const reason = { code: 'no-room' };
      const one = { id: 'a', wish: 16, setpoint, state: 'B', binding: 'circuit main L2', reason };
      const payload = { at, circuits: [], chargers: [one] };
      for (const point of recordHistory(history, { kind: 'allocation', payload }, at))
        waits.push(point.fields.waiting_s);
    }
    assert.deepEqual(waits, [0, 60, 120, 0, 0]);
  });

  it('keeps one point per session, at its start', () => {
    const history = createHistory();
    const session = { id: 's1', start: T0, energy: 0, averagePower: 0, peakPower: 0 };
    const points = [0, 600, 1200].flatMap((s) => {
      const at = T0 + s * 1000;
      const payload = { ...session, at, energy: s, active: s < 1200 };
      return recordHistory(history, { kind: 'session', id: 'a', payload }, at);
    });
    assert.deepEqual(
      points.map((p) => [p.timestamp, p.fields.duration_s, p.fields.active]),
      [
        [T0, 0, true],
        [T0, 600, true],
        [T0, 1200, false],
      ],
    );
  });

  it('takes our clock where a sender has another', () => {
    const history = createHistory();
    assert.equal(recordHistory(history, meter(0, 4), T0)[0].timestamp, T0);
    assert.equal(recordHistory(history, meter(T0 + 1e10, 9), T0 + 2000)[0].timestamp, T0 + 2000);
    assert.equal(recordHistory(history, meter(T0 + 3500, 4), T0 + 4000)[0].timestamp, T0 + 3500);
  });

  it('makes of any text a tag that the database can read, and one series of what is then the same', () => {
    const history = createHistory({ site: 'My\nhouse\\' });
    const limit = (source: string): HistoryMessage => ({
      kind: 'limit',
      id: 'main',
      payload: { at: T0, source, power: 1 },
    });
    const all = [alert(T0, true, ''), limit('grid\noperator'), limit('C:\\')].flatMap((message) =>
      recordHistory(history, message, T0),
    );
    assert.deepEqual(
      all.map(({ tags }) => Object.values(tags)),
      [
        ['My house', 'main', 'none'],
        ['My house', 'main', 'grid operator'],
        ['My house', 'main', 'C:'],
      ],
    );
    assert.equal(recordHistory(history, limit('C:'), T0).length, 0, 'the same series at the same moment');
    assert.equal(history.series.size, 3);
  });

  it('makes no more series than it may, and forgets those of yesterday', () => {
    const history = createHistory({ maxSeries: 10 });
    const record = (id: string, now: number) => recordHistory(history, meter(now, 4, id), now).length;
    for (let i = 0; i < 50; i++) record(`m${i}`, T0);
    assert.deepEqual([history.series.size, history.refused], [10, 40]);
    const tomorrow = T0 + 25 * 3_600_000;
    assert.equal(record('new', tomorrow), 1);
    assert.equal(history.series.size, 1);
  });

  it('never writes a series twice at one moment, nor more often than it may', () => {
    const events = fc.array(
      fc.record({
        step: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.constant(-7_200_000)),
        skew: fc.integer({ min: -5000, max: 5000 }),
        amps: fc.integer({ min: 0, max: 30 }),
        which: fc.constantFrom('meter', 'charger', 'alert'),
        flag: fc.boolean(),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(events, (list) => {
        const history = createHistory();
        const seen = new Set<string>();
        const last = new Map<string, number>();
        let now = T0;
        for (const { step, skew, amps, which, flag } of list) {
          now += step;
          const at = now + skew;
          const message =
            which === 'meter' ? meter(at, amps) : which === 'alert' ? alert(at, flag) : charger(at, { offer: amps });
          for (const point of [...recordHistory(history, message, now), ...dueHistory(history, now)]) {
            const series = [point.measurement, ...Object.values(point.tags)].join();
            // A clock that was set back an hour comes to the same moments again: the database keeps the later word.
            if (step >= 0 && !list.some((e) => e.step < 0)) {
              assert.ok(!seen.has(`${series} ${point.timestamp}`));
              seen.add(`${series} ${point.timestamp}`);
            }
            const since = now - (last.get(series) ?? Number.NEGATIVE_INFINITY);
            assert.ok(since < 0 || since >= SPACING_MS.state, `${since} ms`);
            last.set(series, now);
          }
        }
      }),
    );
  });
});

const points = (from: number, count: number): Point[] =>
  Array.from({ length: count }, (_, i) => ({
    measurement: 'meters',
    tags: { site: 'Home' },
    fields: { n: from + i },
    timestamp: from + i,
  }));
const writes = (effects: BufferEffect[]) => effects.filter((e) => e.type === 'write');
const alerts = (effects: BufferEffect[]) => effects.filter((e) => e.type === 'alert');
const OUT = { kind: 'error', text: 'connect ECONNREFUSED' } as const;

describe('history: the buffer before the database', () => {
  it('sends what there is after 5 s, at once when a batch is full, and one at a time', () => {
    const buffer = createBuffer();
    assert.deepEqual(addPoints(buffer, points(0, 3), 0), []);
    assert.deepEqual(advanceBuffer(buffer, 4999), []);
    const [first] = writes(advanceBuffer(buffer, 5000));
    assert.equal(first.points.length, 3);
    assert.deepEqual(addPoints(buffer, points(3, 2000), 5001), []);
    const [second] = writes(onTaken(buffer, first.id, 5002));
    assert.equal(second.points.length, 500);
    assert.deepEqual(onTaken(buffer, first.id, 5003), [], 'an old answer');
  });

  it('sends the same batch again, later each time, with one alert in all', () => {
    const buffer = createBuffer({ retrySeconds: [5, 60], alertSeconds: 30 });
    addPoints(buffer, points(0, 10), 0);
    const sent: number[] = [];
    const told: BufferEffect[] = [];
    for (let now = 0; now < 600_000; now += 500) {
      const effects = advanceBuffer(buffer, now);
      told.push(...alerts(effects));
      for (const { id, attempt, points } of writes(effects)) {
        assert.equal(points.length, 10);
        sent.push(now / 1000);
        onNotTaken(buffer, id, attempt, OUT, now);
      }
    }
    assert.deepEqual(sent.slice(0, 6), [5, 10, 20, 40, 80, 140]);
    assert.ok(sent.length <= 15);
    assert.deepEqual(told, [{ type: 'alert', active: true, lost: 0, text: OUT.text }]);
    assert.deepEqual(alerts(onTaken(buffer, buffer.batchId, 600_000)), [
      { type: 'alert', active: false, lost: 0, text: '' },
    ]);
  });

  it('does not wait for ever for an answer, and believes one that comes late', () => {
    const buffer = createBuffer({ timeoutSeconds: 60 });
    addPoints(buffer, points(0, 600), 0);
    assert.equal(buffer.attempt, 1);
    advanceBuffer(buffer, 60_000);
    const [again] = writes(advanceBuffer(buffer, 65_000));
    assert.deepEqual([again.id, again.attempt], [1, 2]);
    assert.deepEqual(onNotTaken(buffer, 1, 1, OUT, 65_001), [], 'the first attempt was given up before');
    assert.notEqual(buffer.sentAt, undefined);
    onTaken(buffer, 1, 65_002);
    assert.equal(buffer.written, 500);
  });

  it('goes on after a batch that would be refused for ever, and says what was lost', () => {
    const buffer = createBuffer();
    const [first] = writes(addPoints(buffer, points(0, 700), 0));
    const refusal = { kind: 'refused', text: 'partial write: field type conflict dropped=3', points: 3 } as const;
    const effects = onNotTaken(buffer, first.id, 1, refusal, 10);
    assert.deepEqual([buffer.lost, buffer.written], [3, 497]);
    assert.equal(alerts(effects)[0]?.lost, 3);
    const [second] = writes(advanceBuffer(buffer, 5010));
    assert.equal(second.points[0].timestamp, 500);
    assert.deepEqual(alerts(onTaken(buffer, second.id, 5020)), [], 'not over at once');
    addPoints(buffer, points(700, 1), 90_000);
    const [third] = writes(advanceBuffer(buffer, 95_000));
    assert.deepEqual(alerts(onTaken(buffer, third.id, 95_001)), [{ type: 'alert', active: false, lost: 3, text: '' }]);
  });

  it('drops the oldest and tells at once', () => {
    const buffer = createBuffer({ capacity: 1000 });
    const [first] = writes(addPoints(buffer, points(0, 1000), 0));
    onNotTaken(buffer, first.id, 1, OUT, 1);
    const effects = addPoints(buffer, points(1000, 600), 2);
    assert.deepEqual([buffer.lost, buffered(buffer)], [600, 1000]);
    assert.equal(alerts(effects)[0].lost, 600);
    const [next] = writes(advanceBuffer(buffer, 5001));
    assert.equal(next.points[0].timestamp, 600);
  });

  /** A database that answers as told, behind a buffer: what it has in the end. */
  function play(
    steps: readonly { seconds: number; add: number; answer: 'yes' | 'no' | 'never' | 'late' | 'refused' }[],
    capacity: number,
    broken: Partial<{ onTaken: typeof onTaken; onNotTaken: typeof onNotTaken }> = {},
  ): { buffer: HistoryBuffer; stored: Set<number>; added: number; told: boolean[]; tries: number[] } {
    const taken = broken.onTaken ?? onTaken;
    const notTaken = broken.onNotTaken ?? onNotTaken;
    const buffer = createBuffer({ capacity, batch: 50 });
    const stored = new Set<number>();
    const told: boolean[] = [];
    const tries: number[] = [];
    const late: { id: number; due: number }[] = [];
    let [now, added] = [0, 0];
    let answer: (typeof steps)[number]['answer'] = 'yes';
    const carryOut = (effects: BufferEffect[]): void => {
      assert.ok(buffered(buffer) <= capacity + 50, 'bounded, what is in the air aside');
      for (const effect of effects) {
        if (effect.type === 'alert') told.push(effect.active);
        else {
          tries.push(now);
          const { id, attempt, points } = effect;
          if (answer === 'yes' || answer === 'late') for (const p of points) stored.add(p.timestamp);
          if (answer === 'yes') carryOut(taken(buffer, id, now));
          if (answer === 'no') carryOut(notTaken(buffer, id, attempt, OUT, now));
          if (answer === 'refused') carryOut(notTaken(buffer, id, attempt, { kind: 'refused', text: '400' }, now));
          if (answer === 'late') late.push({ id, due: now + 70_000 });
        }
      }
    };
    const pass = (seconds: number) => {
      for (let s = 0; s < seconds; s++) {
        now += 1000;
        while (late.length > 0 && late[0].due <= now) carryOut(taken(buffer, late.shift()?.id ?? 0, now));
        carryOut(advanceBuffer(buffer, now));
      }
    };
    for (const step of steps) {
      answer = step.answer;
      carryOut(addPoints(buffer, points(added, step.add), now));
      added += step.add;
      pass(step.seconds);
    }
    answer = 'yes';
    pass(300);
    return { buffer, stored, added, told, tries };
  }

  const scenario = (answers: readonly ('yes' | 'no' | 'never' | 'late' | 'refused')[]) =>
    fc.array(
      fc.record({
        seconds: fc.integer({ min: 0, max: 200 }),
        add: fc.integer({ min: 0, max: 300 }),
        answer: fc.constantFrom(...answers),
      }),
      { maxLength: 30 },
    );

  function losesNothing(broken: Parameters<typeof play>[2] = {}): void {
    fc.assert(
      fc.property(scenario(['yes', 'no', 'never', 'late']), (steps) => {
        const { buffer, stored, added, told } = play(steps, 20_000, broken);
        assert.equal(stored.size, added, 'everything that fits arrives');
        assert.equal(buffer.lost, 0);
        assert.equal(buffered(buffer), 0);
        // Raised once, cleared once, in turn, and nothing is left raised.
        assert.deepEqual(
          told,
          told.map((_, i) => i % 2 === 0),
        );
        assert.equal(told.length % 2, 0);
      }),
    );
  }

  it('loses nothing that fits, whatever the database answers, and when', () => losesNothing());

  it('would be noticed: one that forgets a batch that was not taken', () => {
    const forgets: typeof onNotTaken = (buffer, ...rest) => {
      const effects = onNotTaken(buffer, ...rest);
      buffer.batch = [];
      return effects;
    };
    assert.throws(() => losesNothing({ onNotTaken: forgets }));
  });

  it('would be noticed: one that takes any answer for the batch of now', () => {
    const any: typeof onTaken = (buffer, _id, now) => onTaken(buffer, buffer.batchId, now);
    assert.throws(() => losesNothing({ onTaken: any }));
  });

  it('counts what does not fit: stored + lost is what came', () => {
    fc.assert(
      fc.property(scenario(['yes', 'no', 'never', 'refused']), (steps) => {
        const { buffer, stored, added } = play(steps, 200);
        assert.equal(stored.size + buffer.lost, added);
      }),
    );
  });

  it('asks a database that does not answer no more often than its pause allows', () => {
    fc.assert(
      fc.property(scenario(['no']), (steps) => {
        const { tries } = play(steps, 500);
        const [first] = DEFAULT_BUFFER.retrySeconds;
        const failing = tries.filter((t) => t < steps.reduce((sum, s) => sum + s.seconds, 0) * 1000);
        for (let i = 1; i < failing.length; i++) assert.ok(failing[i] - failing[i - 1] >= first * 1000);
      }),
    );
  });
});
