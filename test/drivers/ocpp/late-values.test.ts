/** Values of before the status that says that nobody charges any more, or of nobody at all. */
import assert from 'node:assert/strict';
import { charging } from '../../helpers/ocpp-runs.ts';
import type { StationWorld } from '../../helpers/ocpp-station-world.ts';

const drawing = (amps: number, context?: string): object[] =>
  ['L1', 'L2', 'L3'].map((phase) => ({
    value: String(amps),
    measurand: 'Current.Import',
    unit: 'A',
    phase,
    ...(context ? { context } : {}),
  }));

const told = (world: StationWorld) => {
  const { state, current, power, offer, stoppedBy } = world.last;
  return { state, current, power, offer, stoppedBy };
};
const FREE = { state: 'A', current: [0, 0, 0], power: 0, offer: 0, stoppedBy: undefined };

/** The vehicle leaves; the station says so before it sends what it had measured. */
function leaves(world: StationWorld, late: () => void, reason = 'EVDisconnected'): void {
  const id = world.model.transaction?.id;
  world.status(reason === 'EVDisconnected' ? 'Available' : 'Finishing');
  world.now += 100;
  late();
  world.now += 100;
  world.model.endTransaction();
  world.model.plugged = reason !== 'EVDisconnected';
  const meterStop = Math.round(world.model.energy);
  world.request('StopTransaction', { transactionId: id, meterStop, timestamp: world.stationTime, reason });
}

describe('OCPP station, late values', () => {
  it('a sample of before the status does not make a vehicle of an empty connector', () => {
    const world = charging(16);
    const measured = world.stationTime;
    world.now += 400;
    leaves(world, () => world.meterValues(drawing(15.9), {}, measured));
    for (const seconds of [6, 60, 3600]) {
      world.pass(seconds);
      assert.deepEqual(told(world), FREE, `${seconds} s`);
    }
  });

  it('nor do several of them in a burst, nor those of the end of the transaction', () => {
    const world = charging(16);
    const measured = [60, 50, 40].map((s) => new Date(world.wall - s * 1000).toISOString());
    leaves(world, () => {
      for (const at of measured) {
        world.meterValues(drawing(15.9), {}, at);
        world.now += 100;
      }
      world.now += 4000;
      world.meterValues(drawing(15.9, 'Transaction.End'));
    });
    world.pass(6);
    assert.deepEqual(told(world), FREE);
  });

  for (const context of [undefined, 'Transaction.End'])
    it(`who stops at the station is known although a value of ${context ?? 'the last moment'} comes after "Finishing"`, () => {
      const world = charging(16);
      leaves(world, () => world.meterValues(drawing(15.9, context)), 'Local');
      world.setpoint(16);
      world.pass(6);
      assert.deepEqual(told(world), { state: 'B', current: [0, 0, 0], power: 0, offer: 0, stoppedBy: 'user' });
    });

  it('a draw that is stamped after the status counts at once, one without a comparable time when it is repeated', () => {
    for (const ahead of [0, 60]) {
      const world = charging(16);
      const stamp = (s: number) => new Date(world.wall + s * 1000).toISOString();
      leaves(world, () => {});
      world.pass(10);
      world.status('Finishing', { timestamp: stamp(ahead) });
      world.pass(3);
      world.meterValues(drawing(15.9));
      world.pass(6);
      assert.deepEqual(world.last.current, ahead ? [0, 0, 0] : [15.9, 15.9, 15.9]);
      world.meterValues(drawing(15.9));
      world.pass(6);
      assert.deepEqual([world.last.current, world.last.offer > 0], [[15.9, 15.9, 15.9], true]);
    }
  });

  it('a draw of nobody lapses when nothing of it has come for some intervals, but not while the station is away', () => {
    const world = charging(16);
    leaves(world, () => {}, 'Local');
    const status = world.status.bind(world);
    world.status = () => status('Finishing');
    world.pass(10);
    world.meterValues(drawing(15.9));
    world.pass(20);
    assert.deepEqual([world.last.state, world.last.current], ['B', [15.9, 15.9, 15.9]]);
    world.disconnect();
    world.pass(600);
    assert.deepEqual(world.last.current, [15.9, 15.9, 15.9]);
    world.connect(false);
    world.pass(20);
    assert.deepEqual(world.last.current, [15.9, 15.9, 15.9]);
    world.pass(20);
    assert.deepEqual(told(world), { ...FREE, state: 'B', stoppedBy: 'user' });
  });
});
