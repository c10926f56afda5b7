/** Stations whose transaction ends by a pause: it goes on when there is room, and what a person has ended does not (S7). */
import assert from 'node:assert/strict';
import { type Controller, createController, decide, onCharger, onMeter } from '../../../core/index.ts';
import type { Quirks } from '../../../drivers/ocpp/quirks.ts';
import { BEHAVIOURS, type BehaviourName } from '../../../simulator/ocpp/behaviours.ts';
import { MAX_A, SAFE_A, StationPair } from '../../helpers/ocpp-pair.ts';
import { charging, keep } from '../../helpers/ocpp-runs.ts';
import type { StationWorld, WorldOptions } from '../../helpers/ocpp-station-world.ts';

const BY_STOPPING: [BehaviourName, Quirks][] = [
  ['zero-stops', { zeroStops: true }],
  ['obeying', { pause: 'remote-stop' }],
];

/** One station behind a main fuse of 40 A, told by the allocator. */
class Site {
  readonly pair: StationPair;
  /** s. */
  time = 0;
  /** A that the house takes. */
  house = 4;
  #setpoint: number | undefined;
  readonly #controller: Controller;

  constructor(name: BehaviourName, quirks: Quirks) {
    this.pair = new StationPair(BEHAVIOURS[name].behaviour, { quirks });
    const circuit = { id: 'main', rating: 40, meter: 'main', device: 'gG', margin: 1 } as const;
    const limits = { min: 6, max: MAX_A, safe: SAFE_A, step: 1 };
    const charger = { id: 'CP001-1', circuit: 'main', rotation: ['L1', 'L2', 'L3'] as const, ...limits };
    const site = { circuits: [circuit], chargers: [{ ...charger, rotation: [...charger.rotation] }], voltage: 230 };
    this.#controller = createController(site, {}, 0);
  }

  run(seconds: number): void {
    for (const end = this.time + seconds; this.time < end; this.time++) {
      const now = this.time * 1000;
      const [a, b, c] = this.pair.vehicle.current();
      onMeter(this.#controller, 'main', { current: [a + this.house, b + this.house, c + this.house] }, now);
      const { reading } = this.pair;
      if (reading) onCharger(this.#controller, 'CP001-1', reading, now);
      for (const { current } of decide(this.#controller, now).setpoints) this.#setpoint = current;
      this.pair.run(1, reading && this.#setpoint);
    }
  }

  calls(action: string): number {
    return this.pair.called.filter((c) => c.action === action).length;
  }
}

/** Charging, then paused as there is no room any more. */
function paused(name: BehaviourName, quirks: Quirks): Site {
  const site = new Site(name, quirks);
  site.run(30);
  site.pair.vehicle.plugIn();
  site.run(200);
  assert.ok(site.pair.amps > 30, `${site.pair.amps} A`);
  site.house = 38;
  site.run(120);
  assert.equal(site.pair.amps, 0);
  assert.equal(site.pair.station.connectors[0].transaction, undefined);
  assert.equal(site.pair.reading?.stoppedBy, undefined);
  return site;
}

/** The transaction ends, and leaves the connector in this state. */
function ends(world: StationWorld, reason: string, status: string): void {
  const { transaction } = world.model;
  world.model.endTransaction();
  const stop = { transactionId: transaction?.id ?? -1, meterStop: 2000, timestamp: world.stationTime, reason };
  world.request('StopTransaction', stop);
  world.status(status);
}

describe('OCPP station that is paused by the end of its transaction', () => {
  for (const [name, quirks] of BY_STOPPING) {
    it(`${name}, ${JSON.stringify(quirks)}: it goes on when there is room again, as often as that happens`, () => {
      const site = paused(name, quirks);
      for (const starts of [1, 2]) {
        site.house = 4;
        site.run(240);
        assert.ok(site.pair.amps > 30, `${site.pair.amps} A`);
        assert.equal(site.calls('RemoteStartTransaction'), starts);
        site.house = 38;
        site.run(120);
        assert.equal(site.pair.amps, 0);
      }
    });

    it(`${name}, ${JSON.stringify(quirks)}: it goes on after a kill while it is paused`, () => {
      const site = paused(name, quirks);
      site.pair.kill();
      site.run(30);
      assert.equal(site.pair.amps, 0);
      site.house = 4;
      site.run(240);
      assert.ok(site.pair.amps > 30, `${site.pair.amps} A`);
    });

    it(`${name}, ${JSON.stringify(quirks)}: what a person has ended stays so until the vehicle is plugged in again`, () => {
      const site = paused(name, quirks);
      site.house = 4;
      site.run(240);
      const starts = site.calls('RemoteStartTransaction');
      site.pair.station.stop(1, site.time * 1000);
      site.run(60);
      assert.equal(site.pair.reading?.stoppedBy, 'user');
      site.house = 38;
      site.run(120);
      site.house = 4;
      site.run(1200);
      assert.equal(site.pair.amps, 0);
      assert.equal(site.calls('RemoteStartTransaction'), starts);
      site.pair.vehicle.unplug();
      site.run(20);
      site.pair.vehicle.plugIn();
      site.run(200);
      assert.ok(site.pair.amps > 30, `${site.pair.amps} A`);
    });
  }

  for (const quirks of [{ pause: 'remote-stop' }, { zeroStops: true }] satisfies Quirks[])
    for (const status of ['Preparing', 'Finishing', 'SuspendedEVSE', 'SuspendedEV']) {
      const options: WorldOptions = { station: { quirks } };

      it(`${JSON.stringify(quirks)}: a station that says ${status} then is started again`, () => {
        const world = charging(16, options);
        keep(world, 0, 3);
        ends(world, 'Other', status);
        keep(world, 0, 60);
        assert.equal(world.last.stoppedBy, undefined);
        assert.deepEqual(world.called('RemoteStartTransaction'), []);
        keep(world, 16, 10);
        assert.equal(world.called('RemoteStartTransaction').length, 1);
        assert.deepEqual(world.activeAlerts(), []);
      });

      it(`${JSON.stringify(quirks)}: one that says ${status} after a person's stop is not`, () => {
        const world = charging(16, options);
        keep(world, 0, 3);
        ends(world, 'Local', status);
        keep(world, 16, 300);
        assert.deepEqual(world.called('RemoteStartTransaction'), []);
      });
    }

  for (const quirks of [{ pause: 'remote-stop' }, { zeroStops: true }] satisfies Quirks[]) {
    /** Killed before the station has ended it; back after so many seconds, with what it tells only then. */
    const killed = (away: number, reason: string | undefined, endedAfter: number, clockError = 0): StationWorld => {
      const world = charging(16, { station: { quirks }, traits: { clockError } });
      if (clockError) keep(world, 16, 300);
      world.setpoint(0, 30);
      world.kill();
      const { transaction } = world.model;
      world.model.endTransaction();
      const timestamp = new Date(Date.parse(world.stationTime) + endedAfter * 1000).toISOString();
      world.pass(away);
      world.connect(true);
      const stop = { transactionId: transaction?.id ?? -1, meterStop: 2000, timestamp, ...(reason && { reason }) };
      world.request('StopTransaction', stop);
      world.status('Finishing');
      keep(world, 16, 60);
      return world;
    };

    for (const reason of ['Remote', 'Other', undefined])
      for (const away of [3, 240])
        for (const clockError of [0, -3_600_000, 3_600_000])
          it(`${JSON.stringify(quirks)}: what it ended for ${reason} while we were away for ${away} s is our pause, its clock ${clockError} ms off`, () => {
            const world = killed(away, reason, 1, clockError);
            assert.equal(world.called('RemoteStartTransaction').length, 1);
            assert.equal(world.last.stoppedBy, undefined);
          });

    for (const [reason, endedAfter] of [
      ['Local', 1],
      [undefined, 100],
      ['Other', 100],
    ] as const)
      it(`${JSON.stringify(quirks)}: what ended for ${reason} ${endedAfter} s after that is a person's stop`, () => {
        const world = killed(240, reason, endedAfter);
        assert.deepEqual(world.called('RemoteStartTransaction'), []);
        assert.equal(world.last.stoppedBy, 'user');
      });

    it(`${JSON.stringify(quirks)}: that it refused to end, or was to charge again, is known over a restart`, () => {
      const world = charging(16, {
        station: { quirks },
        traits: {
          answer: (a) => (a === 'RemoteStopTransaction' ? { ok: true, payload: { status: 'Rejected' } } : undefined),
        },
      });
      keep(world, 0, 5);
      keep(world, 16, 15);
      world.kill();
      world.connect(true);
      ends(world, 'Remote', 'Finishing');
      keep(world, 16, 60);
      assert.deepEqual(world.called('RemoteStartTransaction'), []);
    });
  }
});
