import assert from 'node:assert/strict';
import type { PerPhase, Phase } from '../../../core/units.ts';
import type { MeterReading } from '../../../drivers/meter.ts';
import { type MeterOutput, ShellyMeter, type ShellyOptions } from '../../../drivers/shelly-3em/meter.ts';
import type { Bus, GridPort, SimulatedDevice } from '../../../simulator/ports.ts';
import { SimulatedShellyGen1 } from '../../../simulator/shelly-gen1.ts';
import { SimulatedShellyGen2 } from '../../../simulator/shelly-gen2.ts';

class FakeGrid implements GridPort {
  amps: PerPhase = [1, 2, 3];
  current(): PerPhase {
    return this.amps;
  }
  voltage(): PerPhase {
    return [230, 230, 230];
  }
  power(): PerPhase {
    return [this.amps[0] * 230, this.amps[1] * 230, this.amps[2] * 230];
  }
  energyImport(): PerPhase {
    return [1000, 2000, 3000];
  }
  energyExport(): PerPhase {
    return [10, 20, 30];
  }
}

class World {
  now = 0;
  connected = true;
  readonly grid = new FakeGrid();
  readonly meter: ShellyMeter;
  readonly device: SimulatedDevice & { silent: boolean };
  readonly readings: MeterReading[] = [];
  readonly alerts: string[] = [];
  published = 0;

  constructor(generation: 1 | 2, options: Partial<ShellyOptions> & { device?: object } = {}) {
    this.device =
      generation === 1
        ? new SimulatedShellyGen1(this.grid, { deviceId: 'shellyem3-ABC', ...options.device })
        : new SimulatedShellyGen2(this.grid, { deviceId: 'shellypro3em-abc', ...options.device });
    const order: [Phase, Phase, Phase] = ['L1', 'L2', 'L3'];
    this.meter = new ShellyMeter(
      {
        generation,
        deviceId: generation === 1 ? 'shellyem3-ABC' : 'shellypro3em-abc',
        phaseOrder: order,
        replyTo: 'fusewise-main',
        pollSeconds: 1,
        ...options,
      },
      0,
    );
  }

  readonly bus: Bus = {
    publish: (topic, payload) => this.take(this.meter.message(topic, payload, false, this.now)),
  };

  take(outputs: MeterOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'reading') this.readings.push(output.reading);
      if (output.type === 'alert') this.alerts.push(`${output.alert.active ? '+' : '-'}${output.alert.code}`);
      if (output.type === 'publish') {
        this.published += 1;
        this.device.message(output.topic, output.payload, this.now, this.bus);
      }
    }
  }

  pass(seconds: number): void {
    for (const end = this.now + seconds * 1000; this.now < end; ) {
      this.now += 250;
      this.device.tick(this.now, this.bus);
      this.take(this.meter.tick(this.now, this.connected));
    }
  }

  last(): MeterReading {
    return this.meter.reading(this.now);
  }

  gen1(topic: string, payload: string, retained = false): MeterReading[] {
    const before = this.readings.length;
    this.take(this.meter.message(`shellies/shellyem3-ABC/${topic}`, payload, retained, this.now));
    return this.readings.slice(before);
  }
}

describe('Shelly meter', () => {
  for (const [name, generation, device] of [
    ['gen 1', 1, {}],
    ['gen 2 triphase', 2, {}],
    ['gen 2 monophase', 2, { profile: 'monophase' }],
    ['gen 2 with status notifications', 2, { statusNotifications: true }],
  ] as const) {
    describe(name, () => {
      it('reads what the simulated device measures', () => {
        const world = new World(generation, { device });
        world.pass(3);
        const reading = world.last();
        assert.deepEqual(reading.current, [1, 2, 3]);
        assert.deepEqual(reading.power, [230, 460, 690]);
        assert.deepEqual(reading.voltage, [230, 230, 230]);
        assert.equal(reading.energyImport, 6000);
        assert.equal(reading.energyExport, 60);
        assert.ok(Math.max(...reading.age) <= 1);
        world.grid.amps = [-4, 20, 0];
        world.pass(2);
        assert.deepEqual(world.last().current, [-4, 20, 0]);
      });

      it('puts channels on the phases they measure', () => {
        const world = new World(generation, { device, phaseOrder: ['L3', 'L1', 'L2'] });
        world.pass(3);
        assert.deepEqual(world.last().current, [2, 3, 1]);
      });

      it('tells silence once, and its end once', () => {
        const world = new World(generation, { device });
        world.pass(10);
        assert.deepEqual(world.meter.silentPhases(world.now), []);
        world.device.silent = true;
        world.pass(3);
        world.pass(1);
        assert.deepEqual(world.meter.silentPhases(world.now), ['L1', 'L2', 'L3']);
        world.pass(60);
        world.device.silent = false;
        world.pass(3);
        assert.deepEqual(world.alerts, ['+sensor-silent', '-sensor-silent']);
      });

      it('keeps its state through garbage and tells it once', () => {
        const world = new World(generation, { device });
        world.pass(5);
        const before = world.last();
        const topic = generation === 1 ? 'shellies/shellyem3-ABC/emeter/0/current' : 'shellypro3em-abc/events/rpc';
        const bad = [
          '',
          'NaN',
          '99999',
          'Infinity',
          '0x10',
          '9'.repeat(70_000),
          '[]',
          '{}',
          '{"method":"NotifyStatus","params":{"em:0":{"a_current":"x"},"em1:0":{"current":1e9}}}',
          '{"method":"NotifyStatus","params":{"em:0":7,"em1:0":[]}}',
        ];
        for (const payload of bad) world.take(world.meter.message(topic, payload, false, world.now));
        assert.deepEqual(world.last(), before);
        assert.deepEqual(world.alerts, ['+bad-data']);
        world.grid.amps = [7, 7, 7];
        world.pass(2);
        assert.deepEqual(world.alerts, ['+bad-data', '-bad-data']);
      });

      it('is lost at once when its last will comes', () => {
        const world = new World(generation, { device });
        world.pass(5);
        world.device.silent = true;
        const topic = generation === 1 ? 'shellies/shellyem3-ABC/online' : 'shellypro3em-abc/online';
        world.take(world.meter.message(topic, 'false', true, world.now));
        assert.deepEqual(world.readings.at(-1)?.current, [null, null, null]);
        assert.deepEqual(world.alerts, ['+sensor-silent']);
      });
    });
  }

  it('passes each phase on at once', () => {
    const world = new World(1);
    assert.deepEqual(
      world.gen1('emeter/1/current', '31.50').map((r) => r.current),
      [[null, 31.5, null]],
    );
    assert.deepEqual(
      world.gen1('emeter/0/current', '2.00').map((r) => r.current),
      [[2, 31.5, null]],
    );
  });

  it('ages phases separately', () => {
    const world = new World(1);
    for (let s = 0; s < 20; s++) {
      world.now += 1000;
      if (s < 10) world.gen1('emeter/0/current', '5');
      world.gen1('emeter/1/current', '5');
      world.gen1('emeter/2/current', '5');
    }
    assert.deepEqual(world.meter.silentPhases(world.now), ['L1']);
    assert.deepEqual(world.last().age, [10, 0, 0]);
    world.take(world.meter.tick(world.now, true));
    assert.deepEqual(world.alerts, ['+sensor-silent']);
  });

  it('takes the sign from the power of the same phase, as in the documented sample', () => {
    const world = new World(1);
    world.gen1('emeter/0/power', '-458.43');
    assert.deepEqual(world.gen1('emeter/0/current', '2.06')[0].current, [-2.06, null, null]);
    world.gen1('emeter/0/power', '-3');
    assert.equal(world.last().current[0], 2.06);
  });

  it('does not let an old power turn a load into export for ever', () => {
    const world = new World(1);
    world.gen1('emeter/0/power', '-2300');
    for (let i = 0; i < 2; i++) world.gen1('emeter/0/current', '10');
    assert.equal(world.last().current[0], -10);
    world.gen1('emeter/0/current', '30');
    assert.equal(world.last().current[0], 30);
  });

  it('a retained value is no news', () => {
    const world = new World(1);
    assert.deepEqual(world.gen1('emeter/0/current', '5', true), []);
    assert.deepEqual(world.last().current, [null, null, null]);
  });

  it('tells a report period too slow for control, and when it is better', () => {
    const world = new World(1, { device: { periodSeconds: 30 } });
    world.pass(200);
    assert.ok(world.alerts.includes('+sensor-slow-1'));
    assert.equal(world.meter.periodSeconds(), 30);
    assert.ok(world.alerts.indexOf('+sensor-slow-1') < 6, world.alerts.join());
    const told = world.alerts.length;
    world.pass(300);
    assert.equal(world.alerts.length, told, 'a slow rhythm is told once, not as a silence each time');
    world.device.http('/settings?mqtt_update_period=1', world.now);
    world.pass(60);
    assert.equal(world.alerts.at(-1), '-sensor-slow-1');
  });

  it('does not ask while the broker is away, nor catch up later', () => {
    const world = new World(2);
    world.pass(5);
    world.connected = false;
    const before = world.published;
    world.pass(60);
    assert.equal(world.published, before);
    world.connected = true;
    world.pass(2);
    assert.ok(world.published - before <= 4, String(world.published - before));
  });

  for (const [name, generation, device] of [
    ['gen 1', 1, {}],
    ['gen 2 triphase', 2, {}],
    ['gen 2 monophase', 2, { profile: 'monophase' }],
  ] as const) {
    it(`reads ${name} over HTTP`, () => {
      const world = new World(generation, { device });
      world.grid.amps = [-3, 4, 5];
      for (let round = 0; round < 2; round++) {
        for (const path of world.meter.httpPaths()) {
          const answer = world.device.http(path, 0);
          assert.ok(answer);
          if (answer.status === 404) world.meter.httpNotFound();
          else world.take(world.meter.httpAnswer(path, answer.body, 0));
        }
      }
      assert.deepEqual(world.last().current, [-3, 4, 5]);
    });
  }

  it('a value that follows another within 0.1 s is as new as it is', () => {
    const world = new World(1);
    world.pass(3);
    world.gen1('emeter/2/current', '14.00');
    world.now += 80;
    world.gen1('emeter/2/current', '30.00');
    const { current, age } = world.last();
    assert.equal(current[2], 30);
    assert.equal(age[2], 0);
    assert.equal(world.meter.periodSeconds(), 1);
  });
});
