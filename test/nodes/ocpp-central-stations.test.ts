import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import WebSocket from 'ws';
import { helper, logged } from './helper.ts';
import { OcppBench, ROW, refusal } from './ocpp-bench.ts';

const UNKNOWN = { unknown: 'accept', unknownCircuit: 'main', unknownMaximum: '20' };

describe('node ocpp-central, with stations', function () {
  this.timeout(40_000);
  let bench: OcppBench;
  beforeEach(async () => {
    bench = new OcppBench();
    await bench.start();
  });
  afterEach(() => bench.stop());

  const offers = (id: string, amps: number) => () => bench.last(id)?.offer === amps;
  const charges = (id: string) => () => bench.last(id)?.state === 'C' && bench.last(id)?.online === true;

  it('a set-point limits, pauses and resumes each connector, without raw JSON (node-red-contrib-ocpp#24); what comes back is measured on the grid phases', async () => {
    await bench.load({ stations: [{ ...ROW, connectors: 2 }] });
    const { vehicles } = bench.stations([
      { identity: 'CP001', connectors: 2, rotation: ['L2', 'L3', 'L1'], vehicle: { phases: ['L2'], maxCurrent: 16 } },
    ]);
    await bench.until(() => charges('CP001-1')() && charges('CP001-2')());
    bench.receive(bench.setpoint('CP001-1', 9));
    bench.receive(bench.setpoint('CP001-2', 0));
    const drawn = () => vehicles[0].map((v) => Math.max(...v.current()));
    await bench.until(() => Math.abs(drawn()[0] - 9) < 0.3 && drawn()[1] < 0.1, drawn);
    await bench.until(() => offers('CP001-1', 9)() && offers('CP001-2', 0)());
    await bench.until(() => (bench.last('CP001-1') as { current: number[] }).current[1] > 8);
    const { current } = bench.last('CP001-1') as { current: number[] };
    assert.deepEqual([current[0], current[2]], [0, 0]);
    await bench.until(() => String(bench.last('CP001-1')?.phases) === 'L2');
    bench.receive(bench.setpoint('CP001-2', 7));
    await bench.until(() => Math.abs(drawn()[1] - 7) < 0.3, drawn);
    assert.ok(bench.sent.every(({ payload }) => typeof payload.at === 'number'));
    await bench.until(() => bench.statuses.at(-1) === '1 of 1 connected');
    assert.deepEqual(bench.told(), []);
  });

  it('refuses what is no set-point and keeps the last one; never answers while it is told', async () => {
    await bench.load();
    bench.stations([{ identity: 'CP001' }]);
    await bench.until(charges('CP001-1'));
    bench.receive(bench.setpoint('CP001-1', 8));
    await bench.until(offers('CP001-1', 8));
    const sp = (current: unknown, more = {}) => bench.setpoint('CP001-1', current, more);
    const bad = ['x', 3, -1, Number.NaN, Number.POSITIVE_INFINITY, null].map((current) => sp(current));
    bad.push(sp(9, { validFor: 0 }), sp(9, { sequence: -1 }), sp(9, { phases: 2 }), {
      ...sp(9),
      payload: 'x' as never,
    });
    for (const message of bad) {
      const error = refusal('central');
      bench.receive(message);
      assert.match(await error, /expected|—/, JSON.stringify(message.payload));
    }
    bench.receive({ ...sp(16), retain: true });
    bench.receive(sp(16, { sequence: 0, at: 1 }));
    bench.receive(bench.setpoint('wallbox', 16));
    bench.receive(bench.setpoint('CP001-2', 16));
    for (const topic of ['weather', 'weather', 'charger/CP001-1']) bench.receive({ topic, payload: 1 });
    const node = helper.getNode('central');
    const { send } = node;
    const atOnce: unknown[] = [];
    node.send = (message: unknown) => atOnce.push(message);
    bench.receive(sp(10));
    node.send = send;
    assert.deepEqual(atOnce, []);
    await bench.until(offers('CP001-1', 10));
    assert.ok(!bench.sent.some(({ payload }) => payload.offer === 16));
    assert.equal(logged('central', 'warn').filter((text) => text.startsWith('topic')).length, 1);
  });

  it('ten deploys one upon the other: nothing is left behind, and no set-point in force is changed', async () => {
    await bench.load();
    const frames: string[] = [];
    const onFrame = (_: string, direction: string, text: string) => {
      if (direction === 'received' && text.includes('"SetChargingProfile"')) frames.push(text);
    };
    const { vehicles } = bench.stations([{ identity: 'CP001', wire: { onFrame } }]);
    await bench.until(charges('CP001-1'));
    bench.receive(bench.setpoint('CP001-1', 11));
    await bench.until(offers('CP001-1', 11));
    await bench.until(() => Math.abs(Math.max(...vehicles[0][0].current()) - 11) < 0.3);
    const resources = () => process.getActiveResourcesInfo().filter((kind) => /Timeout|Server/.test(kind)).length;
    const before = resources();
    for (let i = 0; i < 10; i++) {
      await helper.unload();
      await bench.load();
      assert.equal(bench.registry.chargers().length, 1);
    }
    frames.length = 0;
    await bench.until(charges('CP001-1'));
    assert.equal(bench.last('CP001-1')?.offer, 11);
    assert.ok(Math.abs(Math.max(...vehicles[0][0].current()) - 11) < 0.3);
    assert.deepEqual(
      limits(frames).filter((limit) => limit !== 6 && limit !== 11),
      [],
    );
    assert.equal(logged('central', 'error').length, 0);
    await bench.until(() => resources() <= before + 2, resources);
    const { registry } = bench;
    await helper.getNode('central').close(true);
    assert.deepEqual([registry.chargers(), registry.listenerCount('change')], [[], 0]);
  });

  it('a node that is removed closes its stations and says nothing any more', async () => {
    await bench.load();
    const { wires } = bench.stations([{ identity: 'CP001', wire: { backOff: { first: 9e6, longest: 9e6 } } }]);
    await bench.until(charges('CP001-1'));
    const node = helper.getNode('central');
    const sent: unknown[] = [];
    node.send = (message: unknown) => sent.push(message);
    await node.close(true);
    assert.equal(wires[0].connected, false);
    assert.deepEqual(sent, []);
  });

  it('unknown stations are refused and told once', async () => {
    await bench.load();
    bench.stations([{ identity: 'STRANGER' }]);
    await bench.until(() => bench.told().length > 0);
    await bench.until(() => bench.statuses.at(-1) === 'check STRANGER');
    assert.deepEqual(bench.told(), ['+ocpp-refused-404 STRANGER']);
    assert.match(String(bench.alerts[0].payload.text), /STRANGER.*Add it to the table/);
    assert.deepEqual(
      bench.registry.chargers().map(({ id }) => id),
      ['CP001-1'],
    );
  });

  it('unknown stations that are let in count with their worst case, and are limited', async () => {
    await bench.load({ stations: [], ...UNKNOWN });
    await bench.until(() => bench.statuses.at(-1) === 'add a station');
    const { vehicles } = bench.stations([{ identity: 'NEW' }]);
    await bench.until(charges('NEW-1'));
    const rotation = ['L1', 'L2', 'L3'];
    assert.deepEqual(bench.registry.chargers(), [
      { id: 'NEW-1', circuit: 'main', rotation, min: 6, max: 20, safe: 6, step: 1 },
    ]);
    bench.receive(bench.setpoint('NEW-1', 7));
    await bench.until(() => Math.abs(Math.max(...vehicles[0][0].current()) - 7) < 0.3);
  });

  it('unknown stations that were let in count over a restart, before they are back', async () => {
    const chargers = () => bench.registry.chargers().map(({ id }) => id);
    await bench.load({ stations: [], ...UNKNOWN });
    const run = bench.stations([{ identity: 'NEW' }]);
    await bench.until(charges('NEW-1'));
    await run.stop();
    await helper.unload();
    await bench.load(UNKNOWN);
    await bench.until(() => bench.statuses.at(-1) === 'no station yet');
    assert.deepEqual(chargers().toSorted(), ['CP001-1', 'NEW-1']);
    bench.stations([{ identity: 'NEW' }]);
    await bench.until(charges('NEW-1'));
    await helper.unload();
    await bench.load();
    assert.deepEqual(chargers(), ['CP001-1']);
  });

  it('of those that were here before, who has been away for a day or is another one now is forgotten', async () => {
    const chargers = () => bench.registry.chargers().map(({ id }) => id);
    const away = { LATE: 23.9 * 3600_000, GONE: 24 * 3600_000, CP001: 0 };
    const file = path.join(bench.userDir, 'dlm', 'ocpp-central-central.json');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify({ version: 1, away }));
    await bench.load(UNKNOWN);
    await bench.until(() => bench.statuses.length > 0);
    assert.deepEqual(chargers().toSorted(), ['CP001-1', 'LATE-1']);
    assert.deepEqual(Object.keys(JSON.parse(readFileSync(file, 'utf8')).away), ['LATE']);
  });

  it('one whose charger could have no id, or has another’s, is refused like an unknown one', async () => {
    const other = { id: 'other', type: 'ocpp-central', site: 'site', listen: 'node-red', security: '0' };
    const stations = [{ identity: 'TAKEN', circuit: 'main' }];
    await bench.load(UNKNOWN, undefined, [{ ...other, stations }]);
    const long = 'x'.repeat(36);
    bench.stations([{ identity: long }, { identity: 'TAKEN' }]);
    await bench.until(() => bench.told().length === 2);
    assert.deepEqual(bench.told().toSorted(), ['+ocpp-refused-404 TAKEN', `+ocpp-refused-404 ${long}`]);
    assert.deepEqual(
      bench.registry
        .chargers()
        .map(({ id }) => id)
        .toSorted(),
      ['CP001-1', 'TAKEN-1'],
    );
  });

  it('without passwords: a second one from another address reserves the maximum', async () => {
    await bench.load();
    bench.stations([{ identity: 'CP001' }]);
    await bench.until(charges('CP001-1'));
    bench.receive(bench.setpoint('CP001-1', 8));
    await bench.until(offers('CP001-1', 8));
    const second = new WebSocket(`${bench.url}/CP001`, ['ocpp1.6'], { localAddress: '127.0.0.2' });
    second.on('error', () => undefined);
    await bench.until(() => bench.told().includes('+ocpp-duplicate CP001'));
    await bench.until(offers('CP001-1', 16));
    const from = bench.sent.length;
    await bench.until(() => bench.sent.length > from + 3);
    assert.ok(bench.sent.slice(from).every(({ payload }) => payload.offer === 16));
    await bench.until(() => bench.statuses.at(-1) === 'check CP001');
    second.terminate();
  });

  it('a connector with a trouble is told by its charger’s id, once, and its end once', async () => {
    await bench.load();
    const { wires } = bench.stations([{ identity: 'CP001', behaviour: { ignoresLimits: true, offeredLies: true } }]);
    await bench.until(charges('CP001-1'));
    const keep = setInterval(() => bench.receive(bench.setpoint('CP001-1', 7)), 1000);
    try {
      await bench.until(() => bench.told().includes('+not-obeying CP001-1'), undefined, 35_000);
    } finally {
      clearInterval(keep);
    }
    await bench.until(offers('CP001-1', 16));
    await bench.until(() => bench.statuses.at(-1) === 'check CP001-1');
    assert.ok(wires[0].connected);
    assert.equal(bench.told().filter((text) => text.includes('not-obeying')).length, 1);
  });

  it('works where nothing can be saved, and says so once', async () => {
    // Where the folder should be there is a file: that stops the superuser, too.
    writeFileSync(path.join(bench.userDir, 'dlm'), '');
    await bench.load();
    bench.stations([{ identity: 'CP001' }]);
    await bench.until(charges('CP001-1'));
    bench.receive(bench.setpoint('CP001-1', 9));
    await bench.until(offers('CP001-1', 9));
    assert.deepEqual(bench.told(), ['+ocpp-not-saved CP001']);
    assert.match(String(bench.alerts[0].payload.text), /cannot be saved.*Check the disk/);
    rmSync(path.join(bench.userDir, 'dlm'));
    bench.receive(bench.setpoint('CP001-1', 12));
    await bench.until(() => bench.told().length > 1, undefined, 30_000);
    assert.deepEqual(bench.told(), ['+ocpp-not-saved CP001', '-ocpp-not-saved CP001']);
  });
});

/** A of the first period of every SetChargingProfile. */
function limits(frames: readonly string[]): number[] {
  return frames.map((text) => {
    const [, , , payload] = JSON.parse(text) as [number, string, string, { csChargingProfiles: Profile }];
    return payload.csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit;
  });
}

interface Profile {
  chargingSchedule: { chargingSchedulePeriod: { limit: number }[] };
}
