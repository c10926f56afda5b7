/** Stations that report rarely: they are asked, as long as that helps, and people are told where it does not. */
import assert from 'node:assert/strict';
import { createController, decide, onCharger, onMeter } from '../../../core/index.ts';
import { perPhase } from '../../../core/units.ts';
import type { Behaviour } from '../../../simulator/ocpp/behaviour.ts';
import { BEHAVIOURS } from '../../../simulator/ocpp/behaviours.ts';
import { MAX_A, SAFE_A, StationPair } from '../../helpers/ocpp-pair.ts';
import { charging, keep } from '../../helpers/ocpp-runs.ts';
import { StationWorld } from '../../helpers/ocpp-station-world.ts';

const HOUSE_A = 4;

/** An hour of allocator, station and vehicle behind a fuse with room for all. */
function anHour(behaviour: Behaviour, meterInterval = 5): { charged: number; starts: number; pair: StationPair } {
  const pair = new StationPair(behaviour, { meterInterval });
  const controller = createController(
    {
      circuits: [{ id: 'main', rating: 40, meter: 'm', device: 'gG', margin: 1 }],
      chargers: [{ id: 'a', circuit: 'main', rotation: ['L1', 'L2', 'L3'], min: 6, max: MAX_A, safe: SAFE_A, step: 1 }],
      voltage: 230,
    },
    {},
    0,
  );
  let setpoint = 0;
  const seen = { charged: 0, starts: 0, pair };
  for (let second = 0; second < 3600; second++) {
    if (second === 30) pair.vehicle.plugIn();
    const now = second * 1000;
    const draws = pair.vehicle.current();
    onMeter(controller, 'm', { current: perPhase((p) => draws[p] + HOUSE_A) }, now);
    if (pair.reading) onCharger(controller, 'a', pair.reading, now);
    for (const { current } of decide(controller, now).setpoints) {
      if (setpoint === 0 && current > 0) seen.starts += 1;
      setpoint = current;
    }
    pair.run(1, pair.reading ? setpoint : undefined);
    if (pair.amps > 5) seen.charged += 1 / 3600;
  }
  return seen;
}

const readonlyInterval = (seconds: number): Behaviour => ({
  keys: { MeterValueSampleInterval: { value: String(seconds), readonly: true } },
});
const asked = (world: StationWorld): number => world.called('TriggerMessage').length;
const TRIGGER = { requestedMessage: 'MeterValues', connectorId: 1 };

describe('OCPP stations that report rarely', () => {
  for (const [name, behaviour] of [
    ['every 60 s', readonlyInterval(60)],
    ['every 120 s', readonlyInterval(120)],
    ['at odd times', BEHAVIOURS['odd-intervals'].behaviour],
  ] as const)
    it(`${name}: asked for values, it charges without a break, and there is nothing to tell`, () => {
      const { charged, starts, pair } = anHour(behaviour);
      assert.ok(starts <= 2 && charged > 0.95, `${starts} starts, ${charged}`);
      const questions = pair.called.filter(({ action }) => action === 'TriggerMessage');
      assert.ok(questions.length > 300 && questions.length < 720, `${questions.length} questions`);
      assert.deepEqual([...pair.alerts], []);
    });

  for (const [name, more] of [
    ['has no triggers', { keys: { SupportedFeatureProfiles: { value: 'Core,SmartCharging' } } }],
    ['does not know the question', { unsupported: ['TriggerMessage'] }],
  ] as const)
    it(`one that ${name} is told about, and not asked on and on`, () => {
      const { keys } = readonlyInterval(60);
      const pair = new StationPair({ ...more, keys: { ...keys, ...('keys' in more ? more.keys : {}) } });
      pair.run(30, 10);
      pair.vehicle.plugIn();
      pair.run(240, 10);
      assert.deepEqual([...pair.alerts], []);
      pair.run(120, 10);
      assert.deepEqual([...pair.alerts], ['rare-values']);
      pair.run(3600, 10);
      const questions = pair.called.filter(({ action }) => action === 'TriggerMessage');
      assert.equal(questions.length, 'keys' in more ? 0 : 1);
    });

  it('values every 10 s are not asked for, nor those of a connector without a vehicle', () => {
    const world = charging(16);
    keep(world, 16, 600);
    assert.equal(asked(world), 0);
    world.traits.configuration.MeterValueSampleInterval = '3600';
    world.unplug();
    world.pass(600);
    assert.equal(asked(world), 0);
  });

  it('a question that brings nothing is put three times to each vehicle; one that does is put every 7 s', () => {
    const brings = (values: boolean | 'old'): StationWorld => {
      let last: Parameters<StationWorld['meterValues']> | undefined;
      const world: StationWorld = new StationWorld({
        traits: {
          configuration: { MeterValueSampleInterval: '3600' },
          answer: (action, payload) => {
            if (action === 'ChangeConfiguration') return { ok: true, payload: { status: 'Rejected' } };
            if (action !== 'TriggerMessage') return undefined;
            assert.deepEqual(payload, TRIGGER);
            const samples = () => world.samples().map((sample) => ({ ...sample, context: 'Trigger' }));
            last ??= [samples(), {}, world.stationTime];
            if (values === 'old') world.meterValues(...last);
            else if (values) world.meterValues(samples());
            return { ok: true, payload: { status: 'Accepted' } };
          },
        },
      });
      world.connect();
      world.pass(6);
      world.plugIn();
      keep(world, 16, 30);
      return world;
    };
    const deaf = brings(false);
    keep(deaf, 16, 600);
    assert.equal(asked(deaf), 3);
    deaf.unplug();
    deaf.plugIn();
    keep(deaf, 16, 600);
    assert.equal(asked(deaf), 6);

    // What it told last, again and again, is no newer for it.
    const cached = brings('old');
    keep(cached, 16, 600);
    assert.equal(asked(cached), 4);
    assert.ok((cached.last.age ?? 0) > 500, String(cached.last.age));

    const willing = brings(true);
    const before = asked(willing);
    keep(willing, 16, 70);
    assert.ok(Math.abs(asked(willing) - before - 10) <= 1, `${asked(willing) - before}`);
    assert.ok((willing.last.age ?? 0) < 8);
    assert.ok(
      willing.calls.filter(({ action }) => action === 'TriggerMessage').every(({ call }) => call.lane === 'ordinary'),
    );
    // It is a measurement as any: it shows that the limit holds.
    willing.model.installed = [];
    willing.traits.ignores = true;
    keep(willing, 6, 180);
    assert.ok(willing.activeAlerts().includes('not-obeying'));
  });

  it('the alert ends when values have come often for a while', () => {
    const world = charging(16, {
      traits: { configuration: { SupportedFeatureProfiles: 'Core,SmartCharging', MeterValueSampleInterval: '40' } },
      station: { meterInterval: 40 },
    });
    keep(world, 16, 300);
    assert.deepEqual(world.activeAlerts(), ['rare-values']);
    world.traits.configuration.MeterValueSampleInterval = '5';
    keep(world, 16, 60);
    assert.deepEqual(world.activeAlerts(), []);
    assert.equal(world.alerts.filter(({ code }) => code === 'rare-values').length, 2);
  });
});
