import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HISTORY as HISTORY_TEXTS, parseMessage } from '../../messages/index.ts';
import { answerOf } from '../../nodes/dlm-history/answer.ts';
import dlmHistory from '../../nodes/dlm-history/dlm-history.ts';
import { type Message, next } from './devices.ts';
import { type FlowNode, helper, load, logged, SITE } from './helper.ts';

const HISTORY: FlowNode = {
  ...{ id: 'history', type: 'dlm-history', site: 'site', database: 'http://127.0.0.1:8086' },
  ...{ batchSeconds: '1', timeoutSeconds: '60', capacity: '1000', wires: [['batches'], ['alerts']] },
};
const receive = (message: object) => helper.getNode('history').receive(message as never);
const meter = (amps: unknown, id = 'grid') => ({
  topic: `dlm/home/meter/${id}`,
  payload: { at: Date.now(), current: [amps, 1, 1] },
});
const idOf = (batch: Message) => (batch.history as { id: number }).id;
/** As complete and catch send a batch back. */
const taken = (batch: Message) => receive(batch);
const failed = (batch: Message, statusCode: number, message = 'A 503 error') =>
  receive({ ...batch, influx_error: { statusCode }, error: { message, source: { id: 'influx' } } });

describe('node dlm-history', function () {
  this.timeout(10_000);
  let userDir: string;
  const helpers = [
    { id: 'batches', type: 'helper' },
    { id: 'alerts', type: 'helper' },
  ];

  const begin = (fields: object = {}) => load([SITE, { ...HISTORY, ...fields }, ...helpers], [dlmHistory]);
  const statuses = () =>
    (helper.getNode('history').status as unknown as { args: [{ text: string }][] }).args.map(([s]) => s.text);

  beforeEach(async () => {
    userDir = mkdtempSync(path.join(tmpdir(), 'fusewise-'));
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
    helper.settings({ userDir } as never);
  });
  afterEach(async () => {
    await helper.unload();
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    rmSync(userDir, { recursive: true, force: true });
  });

  it('makes batches for the influxdb batch node', async () => {
    await begin();
    const batch = next('batches');
    receive(meter(4));
    const { payload } = await batch;
    const [point] = payload as unknown as Record<string, unknown>[];
    assert.deepEqual(Object.keys(point), ['measurement', 'tags', 'fields', 'timestamp']);
    assert.deepEqual(point.tags, { site: 'Home', meter: 'grid' });
    assert.deepEqual(point.fields, { current_l1_a: 4, current_l2_a: 1, current_l3_a: 1 });
  });

  it('waits for the answer before it sends the next, and sends again what was not taken', async () => {
    await begin();
    const first = next('batches');
    receive(meter(4));
    const batch = await first;
    receive(meter(9, 'other'));
    const second = next('batches');
    taken(batch);
    const other = await second;
    assert.equal(idOf(other), idOf(batch) + 1);
    const again = next('batches');
    failed(other, 503);
    const repeated = await again;
    assert.deepEqual(repeated.payload, other.payload);
    assert.deepEqual((repeated.history as { attempt: number }).attempt, 2);
    assert.deepEqual(logged('history', 'warn'), []);
  });

  it('counts what the database refuses for good, says so once, and goes on', async () => {
    await begin();
    const first = next('batches');
    receive(meter(4));
    const alert = next('alerts');
    const refused = await first;
    failed(refused, 400, 'A 400 Bad Request error: partial write: field type conflict dropped=1');
    const { topic, payload } = await alert;
    assert.equal(parseMessage({ topic, payload })?.kind, 'alert');
    assert.equal((payload.args as { lost: number }).lost, 1);
    assert.equal(logged('history', 'warn').length, 1);
    const second = next('batches');
    receive(meter(9));
    assert.equal(idOf(await second), idOf(refused) + 1);
    assert.ok(statuses().includes('check database'));
  });

  it('keeps what waits over a deploy', async () => {
    await begin();
    const first = next('batches');
    receive(meter(4));
    const batch = await first;
    // Nobody answers: the node that would have is deployed anew, too.
    await helper.setFlows([SITE, { ...HISTORY, capacity: '2000' }, ...helpers] as never, 'full');
    const again = await next('batches');
    assert.deepEqual(again.payload, batch.payload);
  });

  it('sends nothing where no database is named', async () => {
    await begin({ database: '' });
    let sent = 0;
    helper.getNode('batches').on('input', () => {
      sent += 1;
    });
    for (let i = 0; i < 600; i++) receive(meter(i % 30, `m${i}`));
    receive({ topic: 'anything', payload: 'at all' });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(sent, 0);
    assert.deepEqual(statuses(), ['no database']);
  });

  it('refuses rubbish, once where it repeats, and goes on', async () => {
    await begin();
    receive(meter('a lot'));
    assert.match(logged('history', 'error').join(), /meter.current.0: "a lot"/);
    for (let i = 0; i < 5; i++) receive({ topic: 'weather', payload: 1 });
    for (let i = 0; i < 5; i++) receive({ ...meter(4), retain: true });
    assert.equal(logged('history', 'warn').length, 2);
    const batch = next('batches');
    receive(meter(4));
    assert.equal((await batch).topic, 'history');
  });

  it('has its sentences in both languages, with the same gaps', () => {
    const gaps = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
    for (const [english, german] of Object.values(HISTORY_TEXTS)) {
      assert.ok(english && german && english !== german);
      assert.deepEqual(gaps(german), gaps(english));
      for (const gap of gaps(english)) assert.ok(['cause', 'capacity', 'lost'].includes(gap), gap);
    }
  });

  it('tells what is wrong with its settings', async () => {
    await begin({ capacity: 10 });
    assert.match(logged('history', 'error').join(), /capacity: 10 — expected 1000 to 1000000/);
  });

  it('understands both kinds of answers of the influxdb batch node', () => {
    const history = { node: 'a', id: 1, attempt: 1 };
    const error = { message: 'x' };
    const cause = (msg: object) => answerOf({ history, ...msg })?.refusal?.kind;
    assert.equal(cause({}), undefined);
    assert.equal(cause({ error, influx_error: { statusCode: 503 } }), 'error');
    assert.equal(cause({ error, influx_error: { statusCode: 401 } }), 'error');
    assert.equal(cause({ error, influx_error: { statusCode: 400 } }), 'refused');
    assert.equal(cause({ error, influx_error: { errorMessage: { statusCode: 422, body: '' } } }), 'refused');
    assert.equal(cause({ error, influx_error: { errorMessage: { code: 'ECONNREFUSED' } } }), 'error');
    assert.equal(cause({ error, influx_error: 'rubbish' }), 'error');
    assert.equal(answerOf({ topic: 'meter/grid', history: { node: 1 } }), undefined);
  });

  it('counts what the database dropped and what it could not read', () => {
    const points = (error: string) =>
      answerOf({
        history: { node: 'a', id: 1, attempt: 1 },
        error: { message: `A 400 Bad Request error occurred: ${JSON.stringify({ error })}\n` },
        influx_error: { statusCode: 400 },
      })?.refusal?.points;
    const line = `unable to parse 'alerts,site=${'Home'.repeat(50)},code= active=true 1000': missing tag value`;
    assert.equal(points(`partial write: ${line} dropped=0`), 1);
    assert.equal(points(`partial write: ${line}\n${line} dropped=0`), 2);
    assert.equal(points(`${line}\n${line}\n${line}`), 3);
    assert.equal(points('partial write: field type conflict: input field "v" dropped=4'), 4);
    assert.equal(points('database not found'), undefined);
  });
});
