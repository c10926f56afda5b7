import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Node } from 'node-red';
import { parseMessage } from '../../messages/index.ts';
import dlmAllocator from '../../nodes/dlm-allocator/dlm-allocator.ts';
import dlmCommissioning from '../../nodes/dlm-commissioning/dlm-commissioning.ts';
import type { DlmSiteNode } from '../../nodes/dlm-site/dlm-site.ts';
import { CheckHome } from '../../simulator/check-home.ts';
import { clampsOn } from '../../simulator/wiring.ts';
import { goThrough, START } from '../core/electrician.ts';
import { type Message, next } from './devices.ts';
import { type FlowNode, helper, load, logged, MAIN, SITE } from './helper.ts';

const CHECK: FlowNode = {
  id: 'check',
  type: 'dlm-commissioning',
  site: 'site',
  wires: [['wishes'], ['states'], ['alerts']],
};
const ALLOCATOR: FlowNode = {
  id: 'allocator',
  type: 'dlm-allocator',
  site: 'site',
  increaseSeconds: 5,
  minOffSeconds: 60,
  vehicleLagSeconds: 6,
  wires: [['setpoints'], ['check', 'picture'], []],
};
const ANNOUNCE = { circuit: 'main', rotation: ['L1', 'L2', 'L3'], min: 6, max: 16, safe: 6 };

interface Step {
  code: string;
  number: number;
  text: string;
  next: boolean;
  skip: boolean;
}

const stepOf = (message: Message) => message.payload.step as Step | undefined;

function send(topic: string, payload: unknown, more: object = {}): void {
  helper.getNode('check').receive({ topic, payload, ...more } as never);
}

/** The next state for which the test holds; every state is one that other nodes can read. */
async function state(test: (payload: Record<string, unknown>) => boolean, ms = 8000): Promise<Message> {
  const message = await next('states', (m) => test(m.payload), ms);
  assert.equal(parseMessage(message)?.kind, 'commissioning-state');
  return message;
}

describe('node dlm-commissioning', function () {
  this.timeout(180_000);
  let userDir: string;
  let timer: NodeJS.Timeout | undefined;
  /** What the allocator that the test plays has been asked for, A; null: nothing. */
  let asked: number | null;
  let plugged: boolean;
  let requests: [topic: unknown, payload: Record<string, unknown>][];

  beforeEach(async () => {
    userDir = mkdtempSync(path.join(tmpdir(), 'fusewise-'));
    asked = null;
    plugged = true;
    requests = [];
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
    helper.settings({ userDir } as never);
  });
  afterEach(async () => {
    clearInterval(timer);
    await helper.unload();
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    rmSync(userDir, { recursive: true, force: true });
  });

  const file = () => path.join(userDir, 'dlm', 'commissioning-check.json');
  const stored = () => JSON.parse(readFileSync(file(), 'utf8'));
  function store(kept: unknown): void {
    mkdirSync(path.dirname(file()), { recursive: true });
    writeFileSync(file(), JSON.stringify(kept));
  }

  /** What a home left on the disk after a check. */
  function leftBy(home: CheckHome): void {
    home.run(5);
    home.command(START);
    goThrough(home);
    home.run(10);
    store(home.kept);
  }

  async function start(site: object = {}, more: FlowNode[] = []): Promise<void> {
    const helpers = ['wishes', 'states', 'alerts', 'setpoints', 'picture'].map((id) => ({ id, type: 'helper' }));
    // The meter's own node is not needed: its fields in the flow are.
    const meter = { id: 'meter', type: 'helper', meterId: 'grid', phaseOrder: 'L1,L2,L3', name: 'Zähler' };
    const nodes = [
      { ...SITE, language: 'de', ...site },
      { ...MAIN, name: 'Hausanschluss', meter: 'grid' },
    ];
    await load([...nodes, meter, ...more, CHECK, ...helpers], [dlmAllocator, dlmCommissioning]);
    helper.getNode('wishes').on('input', (message) => {
      const { topic, payload } = message as Message;
      requests.push([topic, payload]);
      if (topic === 'request/wallbox') asked = payload.maxCurrent as number | null;
    });
    send('charger/wallbox/announce', ANNOUNCE);
  }

  /** Plays meter, charger and allocator, a vehicle on L1 that follows at once. */
  function play(): void {
    const round = () => {
      const at = Date.now();
      const offer = plugged ? Math.min(16, asked ?? 16) : 0;
      const current = [offer, 0, 0];
      const drawn = { power: 230 * offer, energy: 0, offer, phases: offer > 0 ? ['L1'] : undefined };
      send('charger/wallbox', { at, online: true, state: plugged ? (offer > 0 ? 'C' : 'B') : 'A', current, ...drawn });
      send('meter/grid', { at, current: [1 + offer, 1, 1], power: [230 * (1 + offer), 230, 230] });
      const reason = { code: 'limit-set', args: {}, text: 'die eingestellte Grenze' };
      const request = asked === null ? {} : { maxCurrent: asked };
      const charger = { id: 'wallbox', wish: 16, setpoint: offer, measured: current, state: 'C', binding: 'max' };
      send('allocation', { at, circuits: [], chargers: [{ ...charger, reason, request }] });
    };
    clearInterval(timer);
    timer = setInterval(round, 500);
    round();
  }

  it('leads through a check, in the language of the site, and leaves a protocol', async () => {
    await start();
    assert.equal((await state(() => true)).payload.state, 'never');
    assert.equal(existsSync(file()), false);
    play();
    send('commissioning', { command: 'start', installer: ' A. Volta ' });
    const pausing = await state((p) => (p.step as Step | undefined)?.code === 'pausing');
    assert.match(stepOf(pausing)?.text ?? '', /^Das Laden pausiert/);
    for (const phase of ['L1', 'L2', 'L3']) {
      const on = await state((p) => (p.step as Step | undefined)?.code === 'load-on');
      assert.match(stepOf(on)?.text ?? '', new RegExp(`^Auf ${phase} hinter Hausanschluss eine Last`));
      send('commissioning', { command: 'skip', step: stepOf(on)?.number });
      // Pressed twice.
      send('commissioning', { command: 'skip', step: stepOf(on)?.number });
    }
    assert.equal(stored().running, true);
    assert.deepEqual(stored().wishes, { wallbox: { before: null, asked: 0 } });
    const { payload } = await state((p) => p.state === 'checked', 45_000);
    const verdicts = payload.verdicts as { id: string; check: string; result: string; text: string }[];
    const said = Object.fromEntries(verdicts.map((v) => [`${v.id} ${v.check}`, `${v.result}: ${v.text}`]));
    assert.equal(said['grid order'], 'not-proven: Keine bekannte Last wurde eingeschaltet.');
    assert.equal(said['grid amount'], 'proven: Er zeigt 100 % dessen, was die Ladestation meldet.');
    assert.match(said['wallbox phases'], /^proven: Ihre erste Phase ist L1, wie eingestellt\./);
    assert.match(said['wallbox obeys'], /^proven: Sie folgt weniger Strom und einem Stopp in [\d,]+ s;/);
    const protocol = payload.protocol as { installer: string; devices: unknown[]; steps: { setpoint: number }[] };
    assert.equal(protocol.installer, 'A. Volta');
    assert.deepEqual(protocol.devices, [
      { item: 'meter', id: 'grid', name: 'Zähler', device: 'helper' },
      { item: 'charger', id: 'wallbox', name: '', device: '' },
    ]);
    assert.deepEqual(
      protocol.steps.map((s) => s.setpoint),
      [0, 10, 6, 0],
    );
    assert.deepEqual(
      requests.map(([, wish]) => wish.maxCurrent),
      [0, 10, 6, 0, null],
    );
    await until(() => Object.keys(stored().wishes).length === 0);
    assert.equal(stored().running, false);
    // Over a restart the protocol is still there.
    clearInterval(timer);
    await helper.unload();
    await start();
    const whole = (p: Record<string, unknown>) => (p.protocol as typeof protocol | undefined)?.devices.length === 2;
    const after = await state(whole);
    assert.equal(after.payload.state, 'checked');
    assert.deepEqual(after.payload.protocol, payload.protocol);
  });

  it('what a check found wrong pauses the allocator, raises an alert, and ends with another configuration', async () => {
    leftBy(new CheckHome({ clamps: clampsOn('L2', 'L1', 'L3') }));
    await start({}, [ALLOCATOR]);
    assert.match(
      logged('check', 'warn').join(),
      /^L1 und L2 sind am Zähler grid vertauscht\. Die Wandler von L1, L2 tauschen oder „Kanäle 1, 2, 3 auf“ des Zählers auf L2, L1, L3 stellen; .* pausiert\.$/,
    );
    const report = () => {
      const at = Date.now();
      const idle = { at, online: true, state: 'B', current: [0, 0, 0], power: 0, energy: 0, offer: 0 };
      const to = (message: object) => helper.getNode('allocator').receive(message as never);
      to({ topic: 'charger/wallbox/announce', payload: ANNOUNCE });
      to({ topic: 'charger/wallbox', payload: idle });
      to({ topic: 'meter/grid', payload: { at, current: [1, 1, 1] } });
    };
    timer = setInterval(report, 300);
    const reason = (m: Message) =>
      (m.payload.chargers as { reason: { code: string; text: string } }[])[0]?.reason ?? { code: '', text: '' };
    const paused = await next('picture', (m) => reason(m).code === 'meter-found-wrong');
    assert.equal(reason(paused).text, 'Pause: die Inbetriebnahmeprüfung fand den Zähler von Hausanschluss falsch');
    const { registry } = helper.getNode('site') as unknown as DlmSiteNode;
    assert.deepEqual(registry.findings.meters, ['grid']);
    // Another circuit, and the one from before again.
    const [circuit] = registry.circuits();
    const alerts = [
      next('alerts', (m) => m.payload.active === false),
      next('alerts', (m) => m.payload.active === true),
    ];
    registry.removeCircuit('main');
    const over = await alerts[0];
    assert.equal(over.topic, 'alert/grid');
    assert.equal(over.payload.code, 'order-swapped');
    assert.deepEqual(registry.findings.meters, []);
    registry.addCircuit(circuit);
    const again = await alerts[1];
    assert.equal(parseMessage(again)?.kind, 'alert');
    assert.equal(again.payload.text, logged('check', 'warn').at(-1));
  });

  it('another order of channels makes that void: nothing is checked any more', async () => {
    leftBy(new CheckHome({ clamps: clampsOn('L2', 'L1', 'L3'), vehicle: { phases: ['L1'] } }));
    const kept = stored();
    store({ ...kept, outcome: { ...kept.outcome, meters: { grid: { configured: 'another', wrong: true } } } });
    await start();
    const { payload } = await state((p) => (p.unchecked as string[]).length > 0);
    assert.deepEqual(payload.unchecked, ['grid']);
    assert.deepEqual(logged('check', 'warn'), []);
  });

  it('after a restart in the middle it says so, and gives back what was asked before', async () => {
    store({ running: true, wishes: { wallbox: { before: 12, asked: 6 } } });
    await start();
    asked = 6;
    const { payload } = await state((p) => p.note !== undefined);
    assert.equal((payload.note as Step).code, 'aborted-restart');
    play();
    await until(() => requests.length > 0);
    assert.deepEqual(requests, [['request/wallbox', { maxCurrent: 12 }]]);
    await until(() => Object.keys(stored().wishes).length === 0);
  });

  it('a file that does not fit is nothing', async () => {
    store({ running: 'yes', wishes: [1], outcome: { verdicts: 3 } });
    await start();
    assert.equal((await state(() => true)).payload.state, 'never');
  });

  it('refuses what makes no sense, and what is retained, and changes nothing', async () => {
    await start();
    await state(() => true);
    const wrong = [
      [{ command: 'next' }, /command: "next" — expected "start": no check is going on/],
      [{ command: 'go' }, /commissioning\.command: "go" — /],
      [{ command: 'start', installer: 'x'.repeat(101) }, /commissioning\.installer: /],
      [{ command: 'skip', step: -1 }, /commissioning\.step: -1 — /],
    ] as const;
    for (const [payload, expected] of wrong) {
      const before = logged('check', 'error').length;
      send('commissioning', payload);
      const said = logged('check', 'error').slice(before);
      assert.equal(said.length, 1, JSON.stringify(payload));
      assert.match(said[0], expected);
    }
    send('commissioning', { command: 'start' }, { retain: true });
    assert.match(logged('check', 'warn').join(), /commissioning: a retained message is refused/);
    send('meter/grid', { at: Date.now(), current: [1, 'x', 1] });
    assert.match(logged('check', 'error').at(-1) ?? '', /meter\.current\.1: "x"/);
    assert.equal(existsSync(file()), false);
    assert.deepEqual(requests, []);
  });

  it('taken out of the flow in the middle, it gives back and finds nothing any more', async () => {
    await start();
    play();
    send('commissioning', { command: 'start' });
    await until(() => asked === 0);
    await state((p) => (p.step as Step | undefined)?.code === 'load-on');
    clearInterval(timer);
    await (helper.getNode('check') as unknown as Node & { close(removed: boolean): Promise<void> }).close(true);
    await until(() => asked === null);
    assert.equal(stored().running, false);
  });

  it('tells what is wrong with its settings', async () => {
    await load([SITE, MAIN, { ...CHECK, site: '' }], [dlmCommissioning]);
    assert.match(logged('check', 'error').join(), /site: "" — expected a site node/);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
