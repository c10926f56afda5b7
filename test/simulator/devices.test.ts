import assert from 'node:assert/strict';
import type { PerPhase } from '../../core/units.ts';
import { SimulatedGoEV1 } from '../../simulator/go-e-v1.ts';
import { SimulatedGoEV2 } from '../../simulator/go-e-v2.ts';
import { SimulatedKettle } from '../../simulator/kettle.ts';
import type { Bus, GridPort, SimulatedDevice } from '../../simulator/ports.ts';
import { SimulatedShellyGen1 } from '../../simulator/shelly-gen1.ts';
import { SimulatedShellyGen2 } from '../../simulator/shelly-gen2.ts';
import { FakeVehicle } from '../helpers/go-e-world.ts';

const grid: GridPort = {
  current: (): PerPhase => [1, -2.058, 3],
  voltage: (): PerPhase => [230, 230, 230],
  power: (): PerPhase => [230, -458.43, 690],
  energyImport: (): PerPhase => [1, 2, 3],
  energyExport: (): PerPhase => [0, 0, 0],
};

/** What a device publishes, newest per topic. */
class Sink implements Bus {
  readonly values = new Map<string, string>();
  readonly retained = new Set<string>();
  count = 0;
  publish(topic: string, payload: string, retain?: boolean): void {
    this.count += 1;
    this.values.set(topic, payload);
    if (retain) this.retained.add(topic);
  }
}

function run(device: SimulatedDevice, seconds: number, bus: Bus, from = 0): void {
  for (let s = 1; s <= seconds; s++) device.tick(from + s * 1000, bus);
}

describe('simulated devices', () => {
  it('a day of each takes about a second', () => {
    const devices: SimulatedDevice[] = [
      new SimulatedShellyGen1(grid, { deviceId: 'a' }),
      new SimulatedShellyGen2(grid, { deviceId: 'b' }),
      new SimulatedGoEV1(new FakeVehicle(), { serial: '1' }),
      new SimulatedGoEV2(new FakeVehicle(), { serial: '2' }),
    ];
    for (const device of devices) {
      const start = process.cpuUsage();
      const sink = new Sink();
      run(device, 86_400, sink);
      const { user } = process.cpuUsage(start);
      assert.ok(user < 4e6, `${device.constructor.name}: ${user / 1e6} s`);
      assert.ok(sink.count > 1000);
    }
  });

  it('gen 1 publishes two decimals, the current without its sign', () => {
    const sink = new Sink();
    run(new SimulatedShellyGen1(grid, { deviceId: 'shellyem3-A' }), 2, sink);
    assert.equal(sink.values.get('shellies/shellyem3-A/emeter/1/current'), '2.06');
    assert.equal(sink.values.get('shellies/shellyem3-A/emeter/1/power'), '-458.43');
  });

  it('gen 1 keeps its period', () => {
    const sink = new Sink();
    run(new SimulatedShellyGen1(grid, { deviceId: 'x', periodSeconds: 30 }), 300, sink);
    assert.equal(sink.count, 10 * 18);
  });

  it('gen 2 says nothing while nothing changes', () => {
    const sink = new Sink();
    run(new SimulatedShellyGen2(grid, { deviceId: 'x', periodicSeconds: 60 }), 120, sink);
    assert.equal(sink.count, 2);
  });

  it('v1 reports strings every 5 s; amx is lost without power, amp is not', () => {
    const sink = new Sink();
    const device = new SimulatedGoEV1(new FakeVehicle(), { serial: '1', amp: 12 });
    device.message('go-eCharger/1/cmd/req', 'amx=9', 0, sink);
    run(device, 50, sink);
    assert.equal(sink.count, 10);
    const status = () => JSON.parse(sink.values.get('go-eCharger/1/status') ?? '{}') as Record<string, unknown>;
    assert.deepEqual([status().amp, status().amx, status().alw], ['12', '9', '1']);
    device.powerCycle();
    run(device, 10, sink, 50_000);
    assert.equal(status().amx, '12');
    for (const refused of ['amx=33', 'amx=5', 'alw=2', 'foo=1', 'amx', '__proto__=1']) {
      device.message('go-eCharger/1/cmd/req', refused, 0, sink);
    }
    assert.deepEqual(device.inspect(), { alw: 1, amp: 12, amx: 12, car: 2 });
  });

  it('v2 keeps its values retained, answers writes, and forgets frc when the vehicle leaves', () => {
    const sink = new Sink();
    const vehicle = new FakeVehicle();
    const device = new SimulatedGoEV2(vehicle, { serial: '2' });
    run(device, 3, sink);
    assert.ok(sink.retained.has('go-eCharger/2/amp'));
    device.message('go-eCharger/2/frc/set', '1', 0, sink);
    assert.equal(sink.values.get('go-eCharger/2/frc/result'), 'true');
    assert.ok(!sink.retained.has('go-eCharger/2/frc/result'));
    run(device, 3, sink, 3000);
    assert.deepEqual([sink.values.get('go-eCharger/2/frc'), sink.values.get('go-eCharger/2/modelStatus')], ['1', '4']);
    assert.equal(vehicle.offered, 0);
    for (const [key, value] of [
      ['alw', 'true'],
      ['amp', '40'],
      ['amp', '"9"'],
      ['amp', '{'],
      ['__proto__', '1'],
    ]) {
      device.message(`go-eCharger/2/${key}/set`, value, 0, sink);
      assert.notEqual(sink.values.get(`go-eCharger/2/${key}/result`), 'true');
    }
    vehicle.isPlugged = false;
    run(device, 2, sink, 6000);
    assert.equal(device.inspect().frc, 0);
  });

  it('the kettle is on the phase that was named last, or off', () => {
    const kettle = new SimulatedKettle();
    kettle.message('simulated/kettle', 'L2');
    assert.deepEqual(kettle.current, [0, 8.7, 0]);
    for (const other of ['off', '', '__proto__', 'L2 ']) {
      kettle.message('simulated/kettle', other);
      assert.deepEqual(kettle.current, [0, 0, 0]);
    }
  });
});
