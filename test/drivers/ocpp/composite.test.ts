/** What a station says of its schedule. */
import assert from 'node:assert/strict';
import { readComposite } from '../../../drivers/ocpp/limits/composite.ts';
import { charging } from '../../helpers/ocpp-runs.ts';

const schedule = (...limits: number[]) => ({
  chargingRateUnit: 'A',
  chargingSchedulePeriod: limits.map((limit, i) => ({ startPeriod: i * 60, limit })),
});
const read = (...limits: number[]) =>
  readComposite({ ok: true, payload: { status: 'Accepted', chargingSchedule: schedule(...limits) } }, 3, 230);

describe('OCPP station, composite schedule', () => {
  it('a negative limit is none: now it tells nothing, later it is not 0 A', () => {
    assert.deepEqual(read(16, 6), { now: 16, later: [6], changesIn: 60 });
    assert.equal(read(-1), 'cannot');
    assert.equal(read(-0.5, 6), 'cannot');
    assert.deepEqual(read(16, -1), { now: 16, later: [Number.POSITIVE_INFINITY], changesIn: 60 });
    assert.deepEqual(read(0), { now: 0, later: [], changesIn: Number.POSITIVE_INFINITY });
  });

  it('who answers with no limit after a restart of the process is reserved with all that flows, and told anew', () => {
    const world = charging(16, {
      traits: {
        tellsOffered: false,
        answer: (action) =>
          action === 'GetCompositeSchedule'
            ? { ok: true, payload: { status: 'Accepted', connectorId: 1, chargingSchedule: schedule(-1) } }
            : undefined,
      },
    });
    world.kill();
    world.pass(2);
    world.readings.length = 0;
    world.connect(false);
    world.check = () => {
      const { offer, online } = world.readings.at(-1) ?? { offer: 32, online: false };
      assert.ok(!online || offer >= world.model.draws(world.now), `${offer} A reserved at ${world.now} ms`);
    };
    world.pass(60);
    assert.ok(world.readings.length > 0);
    assert.deepEqual([world.model.draws(world.now), world.activeAlerts()], [6, []]);
  });
});
