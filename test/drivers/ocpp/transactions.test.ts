import assert from 'node:assert/strict';
import type { ConnectorOptions } from '../../../drivers/ocpp/connector.ts';
import { readRecord, type StationRecord } from '../../../drivers/ocpp/record.ts';
import { Transactions, transactionBook } from '../../../drivers/ocpp/transactions.ts';
import { charging, keep, ready } from '../../helpers/ocpp-runs.ts';
import { StationWorld, type Traits } from '../../helpers/ocpp-station-world.ts';

const start = { connector: 1, idTag: 'A', meterStart: 100, timestamp: '2026-01-01T12:00:00Z' };
const later = { ...start, meterStart: 200, timestamp: '2026-01-02T12:00:00Z' };
const always = () => true;
const WALL = Date.parse('2026-01-02T12:00:00Z');

describe('OCPP station, transactions', () => {
  it('gives no id twice, not even when its book is lost', () => {
    const ids = new Set<number>();
    for (let life = 0; life < 5; life++) {
      const book = new Transactions(undefined);
      for (let i = 0; i < 20; i++)
        ids.add(book.start({ ...start, timestamp: `${life}-${i}` }, WALL + life * 60_000).transaction.id);
    }
    assert.equal(ids.size, 100);
    assert.ok([...ids].every((id) => id > 0 && id < 2 ** 31));
  });

  it('the stop of yesterday is answered and touches nothing of today', () => {
    const book = new Transactions(undefined);
    const old = book.start(start, WALL).transaction;
    const now = book.start(later, WALL).transaction;
    assert.equal(book.of(1)?.id, now.id);
    assert.equal(book.stop(old.id, 150, later.timestamp, 'Local', WALL, always), undefined);
    assert.equal(book.of(1)?.id, now.id);
    assert.equal(book.book.closed.find((t) => t.id === old.id)?.meterStop, 150);
  });

  it('a start that was queued and is older than what runs is noted only', () => {
    const book = new Transactions(undefined);
    const now = book.start(later, WALL);
    const old = book.start(start, WALL);
    assert.equal(now.isCurrent, true);
    assert.equal(old.isCurrent, false);
    assert.equal(book.of(1)?.id, now.transaction.id);
    assert.equal(book.start(start, WALL).transaction.id, old.transaction.id);
  });

  it('one that was taken for late, as the clock was set back, is found by its values', () => {
    const book = new Transactions(undefined);
    book.start(later, WALL);
    const { transaction, isCurrent } = book.start(start, WALL);
    assert.equal(isCurrent, false);
    assert.equal(book.adopt(1, transaction.id, 120, WALL)?.id, transaction.id);
    assert.equal(book.of(1)?.id, transaction.id);
    assert.equal(book.stop(transaction.id, 150, later.timestamp, undefined, WALL, always)?.id, transaction.id);
    assert.equal(book.adopt(1, transaction.id, 150, WALL), undefined);
  });

  it('a stop with id −1 or 0 closes the one that it can only be, and none where two are possible', () => {
    for (const id of [-1, 0]) {
      const one = new Transactions(undefined);
      const open = one.start(start, WALL).transaction;
      assert.equal(one.stop(id, 300, later.timestamp, undefined, WALL, always)?.id, open.id);
      const two = new Transactions(undefined);
      two.start(start, WALL);
      two.start({ ...start, connector: 2 }, WALL);
      assert.equal(two.stop(id, 300, later.timestamp, undefined, WALL, always), undefined);
      assert.equal(two.of(1)?.connector, 1);
    }
  });

  it('a stop without an id of one connector ends nothing that runs on the other one', () => {
    const connector = (n: number): ConnectorOptions => ({
      connector: n,
      id: `CP001-${n}`,
      rotation: ['L1', 'L2', 'L3'],
      min: 6,
      max: 32,
      safe: 6,
    });
    for (const transactionId of [-1, 0, 4711]) {
      const world = charging(16, { station: { connectors: [connector(1), connector(2)] } });
      keep(world, 16, 60);
      const { id } = (readRecord(world.record) as StationRecord).transactions.open[0];
      const from = world.readings.length;
      const stop = { transactionId, meterStop: 99_999, timestamp: world.stationTime, reason: 'EVDisconnected' };
      world.request('StopTransaction', stop);
      keep(world, 16, 20);
      const told = world.readings.slice(from).filter((r) => r.session === String(id));
      assert.ok(told.length >= 4, String(told.length));
      assert.ok(told.every(({ state, offer }) => state === 'C' && offer === 16));
      // Who has said that it is over is taken at its word.
      world.status('Finishing');
      world.model.endTransaction();
      world.request('StopTransaction', stop);
      const open = transactionId > 0 ? [id] : [];
      assert.deepEqual(
        (readRecord(world.record) as StationRecord).transactions.open.map((t) => t.id),
        open,
      );
    }
  });

  it('a running transaction that nobody told of is adopted with its id, a closed one is not', () => {
    const book = new Transactions(undefined);
    assert.equal(book.adopt(1, 77, 500, WALL)?.id, 77);
    assert.equal(book.adopt(1, 77, 510, WALL), undefined);
    book.stop(77, 600, later.timestamp, undefined, WALL, always);
    assert.equal(book.adopt(1, 77, 600, WALL), undefined);
    assert.equal(book.of(1), undefined);
    for (const id of [-1, 0, undefined, 1.5]) assert.equal(book.adopt(1, id, 1, WALL), undefined);
  });

  it('a repeated start forgets no limit that is in force, however many of the next ones are lost', () => {
    const world = charging(16);
    keep(world, 16, 120);
    const { idTag, meterStart, timestamp } = (readRecord(world.record) as StationRecord).transactions.open[0];
    world.loses = () => true;
    world.setpoint(6, 60);
    world.request('StartTransaction', { connectorId: 1, idTag, meterStart, timestamp });
    for (let i = 0; i < 20; i++) {
      assert.equal(world.model.offers(world.now), 16);
      assert.equal(world.last.offer, 16);
      world.pass(1);
    }
    world.loses = () => false;
    keep(world, 6, 20);
    assert.equal(world.model.offers(world.now), 6);
    assert.equal(world.last.offer, 6);
  });

  it('one that another server began may still have its limit when it is found', () => {
    const onlyDefault: Traits['answer'] = (action, payload) => {
      const isLimit = action === 'SetChargingProfile' && JSON.stringify(payload).includes('TxProfile');
      return isLimit || action === 'GetCompositeSchedule' ? 'none' : undefined;
    };
    const world = new StationWorld({ traits: { answer: onlyDefault } });
    world.model.plugged = true;
    world.model.transaction = { id: 4711, startedAt: world.now };
    world.connect(false);
    world.pass(10);
    world.setpoint(6, 60);
    world.pass(20);
    assert.equal(world.last.session, '4711');
    assert.equal(world.last.offer, 32);
  });

  it('is on the disk before the station has its answer', () => {
    const world = ready();
    world.model.plugged = true;
    const payload = { connectorId: 1, idTag: 'A', meterStart: 5, timestamp: world.stationTime };
    const { response, outputs } = world.logic.request('StartTransaction', payload, world.now, world.wall);
    assert.equal(outputs[0].type, 'persist');
    const { transactionId } = (response.ok ? response.payload : {}) as { transactionId: number };
    assert.ok(JSON.stringify(outputs[0]).includes(`"id":${transactionId}`));
    assert.ok(
      outputs.every((o) => o.type !== 'call'),
      'a call overtakes the answer',
    );
  });

  it('transactions of connectors that are not known are answered with ids, and neither kept nor written', () => {
    const world = charging(16);
    const { writes } = world;
    const ids = new Set<unknown>();
    for (const connectorId of [0, -1, 1.5, ...Array.from({ length: 300 }, (_, i) => i + 2)]) {
      const payload = { connectorId, idTag: 'A', meterStart: 0, timestamp: world.stationTime };
      const response = world.requestAnything('StartTransaction', payload);
      assert.ok(response.ok);
      const { transactionId, idTagInfo } = response.payload as { transactionId: number; idTagInfo: object };
      ids.add(transactionId);
      assert.deepEqual(idTagInfo, { status: 'Invalid' });
    }
    assert.equal(ids.size, 303);
    assert.equal(world.writes, writes);
    const { open } = (readRecord(world.record) as StationRecord).transactions;
    assert.deepEqual(
      open.map((t) => t.connector),
      [1],
    );
    assert.ok(world.activeAlerts().includes('unknown-connector'));
  });

  it('a book never holds more than can be read back, and keeps the newest', () => {
    const book = new Transactions(undefined);
    for (let connector = 1; connector <= 300; connector++) book.start({ ...start, connector }, WALL);
    const { open, closed } = transactionBook.parse(JSON.parse(JSON.stringify(book.book)));
    assert.equal(open.at(-1)?.connector, 300);
    assert.equal(closed.at(-1)?.connector, 300 - open.length);
    assert.equal(book.adopt(301, 2 ** 60, 1, WALL), undefined);
  });

  it('goes on after kill -9: session, user, energy and limit', () => {
    const world = charging(16);
    keep(world, 16, 300);
    const { session, energy } = world.last;
    world.kill();
    world.pass(5);
    world.setpoint(10, 60);
    world.connect(false);
    world.pass(11);
    assert.equal(world.last.session, session);
    assert.equal(world.last.user, 'TAG');
    assert.ok(world.last.energy >= energy);
    assert.equal(world.last.offer, 10);
    world.unplug();
    world.pass(1);
    assert.equal(world.last.session, undefined);
    assert.equal(world.last.state, 'A');
  });

  it('a transaction that runs when another server took over is found by its values, and limited', () => {
    const world = ready();
    world.disconnect();
    world.model.plugged = true;
    world.model.transaction = { id: 4711, startedAt: world.now };
    world.connect(false);
    world.meterValues();
    world.setpoint(9, 60);
    world.pass(1);
    assert.equal(world.last.session, '4711');
    assert.equal(world.model.offers(world.now), 9);
    assert.equal(world.profiles.at(-1)?.csChargingProfiles.transactionId, 4711);
  });

  it('a connector that is free again although its transaction was not stopped ends after a moment', () => {
    const world = charging(16);
    world.model.endTransaction();
    world.model.plugged = false;
    world.status();
    keep(world, 16, 10);
    assert.equal(world.last.state, 'A');
    assert.equal(world.last.offer, 0);
  });

  it('limits do not wear the disk: nothing is written for a set-point', () => {
    const world = charging(16);
    keep(world, 16, 120);
    keep(world, 12, 60);
    const { writes } = world;
    for (let i = 0; i < 50; i++) keep(world, 8 + (i % 10), 5);
    assert.ok(world.writes - writes <= 2, `${world.writes - writes} writes`);
  });

  it('who left while the process was dead is not taken for the next one, where its stop comes before any status', () => {
    const world = charging(10);
    const transactionId = world.model.transaction?.id as number;
    world.kill();
    world.unplug();
    world.pass(60);
    const from = world.readings.length;
    world.isConnected = true;
    world.logic.connected(world.now, world.wall);
    world.pass(6);
    const meterStop = Math.round(world.model.energy);
    const stop = { transactionId, meterStop, timestamp: world.stationTime, reason: 'EVDisconnected' };
    world.request('StopTransaction', stop);
    world.pass(2);
    world.status();
    world.pass(2);
    const told = world.readings.slice(from).map(({ state, session }) => `${state} ${session}`);
    assert.deepEqual([...new Set(told)], [`C ${transactionId}`, 'A undefined']);
  });

  it('whether somebody is there is not guessed while the status may still come', () => {
    for (const comes of [true, false]) {
      const world = ready();
      world.kill();
      const from = world.readings.length;
      world.isConnected = true;
      world.logic.connected(world.now, world.wall);
      world.pass(8);
      assert.equal(world.readings.length, from);
      if (comes) world.status();
      world.pass(14);
      const states = new Set(world.readings.slice(from).map(({ state }) => state));
      // Who never tells may have a vehicle.
      assert.deepEqual([...states], [comes ? 'A' : 'B']);
    }
  });
});
