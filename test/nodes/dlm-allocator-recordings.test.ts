/** The flight recorder in the allocator's node: from messages to a file that replays to the same set-points. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Replayed, replay } from '../../core/index.ts';
import { recordingLines } from '../../drivers/flight-recorder/lines.ts';
import dlmAllocator from '../../nodes/dlm-allocator/dlm-allocator.ts';
import { serveRecordings } from '../../nodes/dlm-allocator/recordings.ts';
import { next } from './devices.ts';
import { type FlowNode, helper, load, logged, MAIN, SITE } from './helper.ts';

const ALLOCATOR: FlowNode = {
  id: 'a1b2.c3d4',
  type: 'dlm-allocator',
  site: 'site',
  increaseSeconds: 1,
  minOffSeconds: 0,
  vehicleLagSeconds: 1,
  wires: [['setpoints'], ['picture'], ['alerts']],
};
const LIST = `/fusewise/allocator/${ALLOCATOR.id}/recordings`;

function send(topic: string, payload: unknown): void {
  helper.getNode(ALLOCATOR.id).receive({ topic, payload } as never);
}

/** Resolves with the next text that the allocator logs and that fits. */
function says(test: RegExp): Promise<string> {
  const node = helper.getNode(ALLOCATOR.id);
  // The helper's own event, which is not among those of a node.
  const events: NodeJS.EventEmitter = node;
  return new Promise((resolve) => {
    const listener = (call: { args: unknown[] }) => {
      const text = String(call.args[0]);
      if (!test.test(text)) return;
      events.off('call:log', listener);
      resolve(text);
    };
    events.on('call:log', listener);
  });
}

function stepsOf(file: Buffer): Replayed[] {
  return [...replay(recordingLines(file))];
}

function assertIdentical(steps: readonly Replayed[]): void {
  assert.deepEqual(
    steps.flatMap((step) => ('difference' in step && step.difference ? [step.difference] : [])),
    [],
  );
}

const setpointsOf = (steps: readonly Replayed[]) =>
  steps.flatMap((s) => (s.step === 'decision' && !(s.decision instanceof Error) ? s.decision.setpoints : []));

describe('recordings of the dlm-allocator', function () {
  this.timeout(30_000);
  let userDir: string;
  let timer: NodeJS.Timeout | undefined;
  /** A of the house, and whether the car obeys. */
  let house: number;
  let obeys: boolean;

  beforeEach(async () => {
    userDir = mkdtempSync(path.join(tmpdir(), 'fusewise-'));
    house = 4;
    obeys = true;
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
  });
  afterEach(async () => {
    clearInterval(timer);
    await helper.unload();
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    rmSync(userDir, { recursive: true, force: true });
  });

  /** A home with a car whose charger announces itself. */
  async function start(settings: object = { afterSeconds: 0.5 }): Promise<void> {
    helper.settings({ userDir, dlmAllocatorRecordings: settings } as never);
    const helpers = ['setpoints', 'picture', 'alerts'].map((id) => ({ id, type: 'helper' }));
    await load([SITE, { ...MAIN, meter: 'grid', device: 'B' }, ALLOCATOR, ...helpers], [dlmAllocator]);
    send('charger/car/announce', { circuit: 'main', rotation: ['L1', 'L2', 'L3'], min: 6, max: 16, safe: 0 });
    let offer = 6;
    helper.getNode('setpoints').on('input', (message) => {
      const { topic, payload } = message as { topic: string; payload: { current: number } };
      if (topic === 'setpoint/car' && obeys) offer = payload.current;
    });
    timer = setInterval(() => {
      const at = Date.now();
      const state = offer > 0 ? 'C' : 'B';
      const current = [offer, offer, offer];
      const private_ = { user: 'RFID-04A2', session: 'session-of-somebody', fault: 'text-of-somebody' };
      send('charger/car', { at, online: true, state, current, power: 690 * offer, energy: 0, offer, ...private_ });
      send('meter/grid', { at, current: [house + offer, 3.3 + offer, null], age: [0, 0.1, 0] });
      send('meter/grid', { at, current: [null, null, 2.1 + offer] });
    }, 250);
    await next('setpoints', ({ topic }) => topic === 'setpoint/car');
  }

  const folder = () => path.join(userDir, 'dlm', 'recordings');

  it('an overload becomes a file that replays to the same set-points, bit for bit', async () => {
    await start();
    send('request/car', { maxCurrent: 15.3, energy: 20_000, departure: Date.now() + 3.6e6, user: 'RFID-04A2' });
    send('limit/main', { at: 0, source: 'guard', power: 9000.7, validFor: 100, onExpiry: 'fallback' });
    send('tariff/x', { at: 0, prices: [{ start: Date.now() - 1000, end: Date.now() + 1e6, price: -0 }] });
    await next('setpoints', ({ payload }) => Number(payload.current) > 6);
    const saved = says(/^recording saved: .*\.overload\.main\./);
    obeys = false;
    house = 30;
    const alert = await next('alerts', ({ payload }) => payload.code === 'overload', 15_000);
    const text = await saved;
    const file = readFileSync(path.join(folder(), text.split(': ')[1]));
    const steps = stepsOf(file);
    assertIdentical(steps);
    const [first] = steps;
    assert.ok(first.step === 'header');
    const { causes, from, to } = first.header;
    assert.deepEqual([causes[0].code, causes[0].source], ['overload', 'main']);
    assert.ok(Math.abs(causes[0].at - Number(alert.payload.at)) < 1000);
    assert.ok(from < causes[0].at - 1000 && to >= causes[0].at + 200, `${from} ${causes[0].at} ${to}`);
    const kinds = new Set(steps.flatMap((s) => (s.step === 'input' ? [s.input.kind] : [])));
    assert.deepEqual([...kinds].sort(), ['charger', 'limit', 'meter', 'prices', 'request']);
    const currents = setpointsOf(steps).map((s) => s.current);
    assert.ok(currents.some((c) => c > 6) && currents.at(-1) === 0, `${currents}`);
    // Who charges is nobody's business.
    const plain = [...recordingLines(file)].join();
    assert.doesNotMatch(plain, /RFID|somebody/);
    assert.match(plain, /"car"/);
  });

  it('goes on through a change of the site and ends with the node', async () => {
    await start({ afterSeconds: 600 });
    send('charger/other/announce', { circuit: 'main', rotation: ['L2'], min: 6, max: 16, safe: 0 });
    await next('picture', ({ payload }) => (payload.chargers as { id: string }[]).some((c) => c.id === 'other'));
    send('charger/other', { at: 0, online: true, state: 'B', current: [0, 0, 0], power: 0, energy: 0, offer: 0 });
    await next('setpoints', ({ topic }) => topic === 'setpoint/other');
    obeys = false;
    house = 30;
    await next('alerts', ({ payload }) => payload.active === true, 15_000);
    await next('picture');
    clearInterval(timer);
    await helper.unload();
    const [name] = readdirSync(folder());
    const steps = stepsOf(readFileSync(path.join(folder(), name)));
    assertIdentical(steps);
    assert.ok(steps.some((s) => s.step === 'chunk' && s.because === 'site'));
    assert.ok(setpointsOf(steps).some((s) => s.id === 'other'));
  });

  it('can be listed, made and downloaded in the editor', async () => {
    await start();
    const empty = await helper.request().get(LIST).expect(200);
    assert.deepEqual(empty.body, []);
    const { body: made } = await helper.request().post(LIST).expect(200);
    assert.match(made.name, /^\d{4}-.*\.manual\.editor\.a1b2_c3d4\.jsonl\.gz$/);
    const { body: list } = await helper.request().get(LIST).expect(200);
    assert.equal(list.length, 1);
    assert.deepEqual([list[0].name, list[0].cause, list[0].source], [made.name, 'manual', 'editor']);
    assert.ok(Math.abs(Date.now() - list[0].at) < 10_000);
    const download = await helper.request().get(`${LIST}/${made.name}`).buffer(true).expect(200);
    assert.equal(download.headers['content-type'], 'application/gzip');
    assert.match(download.headers['content-disposition'], /^attachment; filename="2/);
    assert.equal(Number(download.headers['content-length']), list[0].bytes);
    assertIdentical(stepsOf(readFileSync(path.join(folder(), made.name))));
  });

  it('gives nothing that is not in the list', async () => {
    await start();
    await helper.request().post(LIST).expect(200);
    writeFileSync(path.join(userDir, 'secret'), 'x');
    for (const name of ['..%2F..%2Fsecret', '%2e%2e%2f%2e%2e%2fsecret', 'secret', '..', 'x'.repeat(300)]) {
      const { status, text } = await helper.request().get(`${LIST}/${name}`);
      assert.equal(status, 404, `${name}: ${text}`);
    }
    for (const id of ['site', 'nobody', '__proto__', 'setpoints']) {
      const { body } = await helper.request().get(`/fusewise/allocator/${id}/recordings`).expect(404);
      assert.match(body.message, /deploy it first/);
      await helper.request().post(`/fusewise/allocator/${id}/recordings`).expect(404);
    }
  });

  it('says in the editor why nothing can be saved', async () => {
    await start();
    mkdirSync(path.dirname(folder()), { recursive: true });
    writeFileSync(folder(), 'no folder');
    const { body } = await helper.request().post(LIST).expect(500);
    assert.match(body.message, /EEXIST|ENOTDIR/);
    await helper.request().get(LIST).expect(500);
  });

  it('asks for permission to read, and for another to write', () => {
    const routes: string[] = [];
    const route = (method: string) => (url: string, permission: string) =>
      routes.push(`${method} ${url} ${permission}`);
    serveRecordings({
      auth: { needsPermission: (permission: string) => permission },
      httpAdmin: { get: route('get'), post: route('post') },
    } as never);
    assert.deepEqual(routes, [
      'get /fusewise/allocator/:id/recordings dlm-allocator.read',
      'post /fusewise/allocator/:id/recordings dlm-allocator.write',
      'get /fusewise/allocator/:id/recordings/:name dlm-allocator.read',
    ]);
  });

  it('a wrong setting is told and does not stop the allocator', async () => {
    await start({ afterSeconds: -1, files: 'many' });
    const errors = logged(ALLOCATOR.id, 'error').join('\n');
    assert.match(errors, /dlmAllocatorRecordings\.afterSeconds: -1 — expected 0 to 600 s/);
    assert.match(errors, /dlmAllocatorRecordings\.files: "many" — expected 1 to 1000/);
    await next('setpoints');
  });

  it('have a name for every cause in the form, in both languages', () => {
    const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    const alerts = [...read('core/decide.ts').matchAll(/\badd\(\w+, '([a-z-]+)', '(?:warning|error)'/g)].map(
      ([, code]) => code,
    );
    assert.ok(alerts.includes('overload') && alerts.length >= 8, `${alerts}`);
    const causes = [...alerts, 'manual', 'no-decision'].sort();
    const [, form] = /const CAUSES = \[([^\]]+)\]/.exec(read('nodes/dlm-allocator/dlm-allocator.html')) ?? [];
    assert.deepEqual([...form.matchAll(/'([a-z-]+)'/g)].map(([, code]) => code).sort(), causes);
    for (const language of ['en-US', 'de']) {
      const labels = JSON.parse(read(`nodes/dlm-allocator/locales/${language}/dlm-allocator.json`));
      assert.deepEqual(Object.keys(labels['dlm-allocator'].recordings.cause).sort(), causes);
    }
  });
});
