import assert from 'node:assert/strict';
import { GoEWorld } from '../../helpers/go-e-world.ts';

for (const api of ['v1', 'v2'] as const) {
  const current = api === 'v1' ? 'amx' : 'amp';
  const pauseKey = api === 'v1' ? 'alw' : 'frc';
  const [off, on] = api === 'v1' ? [0, 1] : [1, 0];

  describe(`go-e charger, API ${api}`, () => {
    it('writes nothing before the first set-point, nor after a restart', () => {
      const world = new GoEWorld(api);
      world.pass(60);
      world.restart();
      world.pass(60);
      assert.deepEqual(world.writes, []);
    });

    it('reports what the vehicle does', () => {
      const world = new GoEWorld(api, { rotation: ['L2', 'L3', 'L1'], device: { rotation: ['L2', 'L3', 'L1'] } });
      world.vehicle.uses = [0, 1, 1];
      world.pass(30);
      const reading = world.last();
      assert.equal(reading.online, true);
      assert.equal(reading.state, 'C');
      assert.deepEqual(reading.current, [0, 16, 16]);
      assert.deepEqual(reading.phases, ['L2', 'L3']);
      assert.equal(reading.offer, 16);
      assert.ok(Math.abs(reading.power - 16 * 460) < 20, String(reading.power));
      world.vehicle.isPlugged = false;
      world.pass(10);
      assert.equal(world.last().state, 'A');
      assert.equal(world.last().phases, undefined);
    });

    it('lowers at once with one write and repeats only what is not seen to be taken', () => {
      const world = new GoEWorld(api);
      world.pass(10.5);
      world.setpoint(9);
      assert.deepEqual(world.writes, [{ key: current, value: 9 }]);
      world.pass(10);
      assert.equal(world.last().offer, 9);
      const written = world.writes.length;
      world.pass(60);
      assert.equal(world.writes.length, written);
    });

    it('repeats a lost decrease within a second and a half', () => {
      const world = new GoEWorld(api);
      world.pass(10.5);
      let lost = 1;
      world.lose = (direction) => direction === 'down' && lost-- > 0;
      world.setpoint(9);
      world.pass(1.5);
      assert.ok(world.writes.length >= 2);
      world.pass(1);
      assert.equal(world.vehicle.offered, 9);
    });

    it('only the newest set-point counts after the broker was away', () => {
      const world = new GoEWorld(api);
      world.pass(10);
      world.setBroker(false);
      for (const a of [6, 7, 8, 9, 10]) {
        world.setpoint(a);
        world.pass(5);
      }
      assert.equal(world.writes.length, 0);
      world.setBroker(true);
      world.pass(6);
      assert.equal(world.vehicle.offered, 10);
      assert.ok(world.writes.every((w) => w.key === current && w.value === 10));
    });

    it('pauses with the pause alone, and writes the current before it takes the pause back', () => {
      const world = new GoEWorld(api);
      world.pass(10);
      world.setpoint(0);
      world.pass(10);
      assert.ok(world.writes.every((w) => w.key === pauseKey && w.value === off));
      assert.equal(world.vehicle.offered, 0);
      assert.deepEqual(world.record, { version: 1, pause: 'paused' });
      world.writes.length = 0;
      world.vehicle.offer(0);
      world.setpoint(8);
      world.pass(12);
      assert.deepEqual(world.writes[0], { key: current, value: 8 });
      assert.ok(world.writes.findIndex((w) => w.key === pauseKey) > 0);
      assert.deepEqual(
        world.writes.find((w) => w.key === pauseKey),
        { key: pauseKey, value: on },
      );
      assert.equal(world.vehicle.offered, 8);
      assert.deepEqual(world.record, { version: 1, pause: 'none' });
    });

    it('never begins at an old, higher current when the new one was lost', () => {
      const world = new GoEWorld(api);
      world.pass(10);
      world.setpoint(0);
      world.pass(10);
      let lost = 3;
      world.lose = (direction) => direction === 'down' && lost-- > 0;
      world.setpoint(6);
      for (let i = 0; i < 100; i++) {
        world.pass(0.25);
        assert.ok(world.vehicle.offered <= 6, `offered ${world.vehicle.offered}`);
      }
      assert.equal(world.vehicle.offered, 6);
    });

    it('has the pause on the disk before it is written', () => {
      const world = new GoEWorld(api);
      world.pass(10);
      world.setpoint(0);
      world.pass(10);
      world.setpoint(6);
      world.pass(15);
      const wanted = world.recordAtWrite.filter((r) => r.write.key === pauseKey);
      assert.ok(wanted.length >= 2);
      for (const { write, record } of wanted) assert.equal(record?.pause, write.value === off ? 'paused' : 'releasing');
    });

    it('takes its pause back after a kill', () => {
      const world = new GoEWorld(api);
      world.pass(10);
      world.setpoint(0);
      world.pass(10);
      world.restart();
      world.pass(30);
      assert.equal(world.last().stoppedBy, undefined);
      world.setpoint(10);
      world.pass(15);
      assert.equal(world.vehicle.offered, 10);
    });

    it('takes its pause back after a kill between the record and the write of the release', () => {
      const world = new GoEWorld(api);
      world.pass(10);
      world.setpoint(0);
      world.pass(10);
      world.setpoint(6);
      world.lose = () => true;
      world.pass(3);
      world.lose = () => false;
      world.restart();
      world.setpoint(6);
      world.pass(15);
      assert.equal(world.vehicle.offered, 6);
    });

    it('never undoes a stop by hand, until the person resumes', () => {
      const world = new GoEWorld(api);
      world.setpoint(12);
      world.pass(15);
      world.press('stop');
      world.pass(15);
      assert.equal(world.last().stoppedBy, 'user');
      world.writes.length = 0;
      for (const a of [0, 6, 16, 0, 10]) {
        world.setpoint(a);
        world.pass(15);
      }
      world.restart();
      world.setpoint(12);
      world.pass(15);
      assert.equal(world.switchedOff(), true);
      assert.ok(world.writes.every((w) => w.key !== pauseKey));
      assert.equal(world.last().stoppedBy, 'user');
      world.press('start');
      world.pass(15);
      assert.equal(world.last().stoppedBy, undefined);
      assert.equal(world.vehicle.offered, 12);
    });

    it('respects a stop by hand during a broker outage, though a pause was due', () => {
      const world = new GoEWorld(api);
      world.setpoint(12);
      world.pass(15);
      world.setBroker(false);
      world.press('stop');
      world.setpoint(0);
      world.pass(8);
      world.setBroker(true);
      world.pass(15);
      assert.equal(world.last().stoppedBy, 'user');
      world.setpoint(10);
      world.pass(15);
      assert.equal(world.switchedOff(), true);
      assert.ok(world.writes.every((w) => w.key !== pauseKey));
    });

    it('lowers to the minimum at once where a pause must wait for what the charger says', () => {
      const world = new GoEWorld(api);
      world.setpoint(12);
      world.pass(15);
      world.setBroker(false);
      world.pass(8);
      world.setpoint(0);
      const before = world.writes.length;
      world.broker = true;
      world.run(world.charger.linked(true, world.now));
      assert.deepEqual(world.writes.slice(before), [{ key: current, value: 6 }]);
      world.pass(15);
      assert.equal(world.switchedOff(), true);
    });

    it('is out of reach until it is heard, whenever the broker is back', () => {
      // Said to be there at once it got a new set-point before the meter was heard: a pause of a minute for nothing.
      const world = new GoEWorld(api);
      world.setpoint(12);
      world.pass(15);
      world.setBroker(false);
      world.pass(8);
      world.broker = true;
      world.run(world.charger.linked(true, world.now));
      assert.equal(world.last().online, false);
      assert.equal(world.alerts().at(-1), '+unreachable');
      world.pass(6);
      assert.equal(world.last().online, true);
      assert.ok(world.alerts().includes('-unreachable'));
    });

    it('says every five seconds that it is out of reach', () => {
      const world = new GoEWorld(api);
      world.pass(15);
      world.setBroker(false);
      const before = world.readings.length;
      world.pass(60);
      const lost = world.readings.slice(before);
      assert.ok(lost.length >= 11 && lost.length <= 13 && lost.every(({ online }) => !online), `${lost.length}`);
    });

    it('forgets a stop by hand when the vehicle is unplugged', () => {
      const world = new GoEWorld(api);
      world.setpoint(12);
      world.pass(15);
      world.press('stop');
      world.pass(15);
      assert.equal(world.last().stoppedBy, 'user');
      world.vehicle.isPlugged = false;
      world.pass(15);
      assert.equal(world.last().stoppedBy, undefined);
      assert.equal(world.last().state, 'A');
    });

    it('overrules whoever starts or raises the charger during a pause or a limit', () => {
      const world = new GoEWorld(api);
      world.pass(10);
      world.setpoint(0);
      world.pass(10);
      world.press('start');
      world.pass(12);
      assert.equal(world.switchedOff(), true);
      world.setpoint(8);
      world.pass(15);
      world.device.setAmp(16);
      world.pass(10);
      assert.equal(world.vehicle.offered, 8);
      assert.equal(world.last().stoppedBy, undefined);
    });

    it('holds a pause over unplugging and plugging in', () => {
      const world = new GoEWorld(api);
      world.pass(10);
      world.setpoint(0);
      world.pass(10);
      world.vehicle.isPlugged = false;
      world.pass(5);
      world.vehicle.isPlugged = true;
      for (let i = 0; i < 60; i++) {
        world.pass(0.25);
        assert.equal(world.vehicle.offered, 0);
      }
      assert.equal(world.last().stoppedBy, undefined);
      world.setpoint(7);
      world.pass(12);
      assert.equal(world.vehicle.offered, 7);
    });

    it('falls to the safe current when the set-point has expired', () => {
      const world = new GoEWorld(api);
      world.pass(10);
      world.setpoint(16, 30);
      world.pass(29);
      assert.equal(world.vehicle.offered, 16);
      world.pass(10);
      assert.equal(world.vehicle.offered, 6);
    });

    it('pauses on expiry when there is no safe current', () => {
      const world = new GoEWorld(api, { safeCurrent: 0 });
      world.pass(10);
      world.setpoint(16, 30);
      world.pass(40);
      assert.equal(world.switchedOff(), true);
    });

    it('tells silence once and its end once, and writes nothing meanwhile', () => {
      const world = new GoEWorld(api);
      world.setpoint(16);
      world.pass(20);
      world.device.silent = true;
      world.pass(16);
      assert.equal(world.last().online, false);
      assert.equal(world.readings.at(-1)?.online, false);
      world.writes.length = 0;
      world.setpoint(6);
      world.pass(60);
      assert.deepEqual(world.writes, []);
      world.device.silent = false;
      world.pass(10);
      assert.equal(world.vehicle.offered, 6);
      assert.deepEqual(world.alerts(), ['+unreachable', '-unreachable']);
    });

    it('tells when the charger does not follow', () => {
      const world = new GoEWorld(api);
      world.pass(10);
      world.device.writesRefused = true;
      world.setpoint(6);
      world.pass(30);
      assert.ok(world.alerts().includes('+not-following'));
      world.device.writesRefused = false;
      world.pass(15);
      assert.ok(world.alerts().includes('-not-following'));
      assert.equal(world.vehicle.offered, 6);
    });

    it('refuses a set-point in the dead band and keeps the last one', () => {
      const world = new GoEWorld(api);
      world.pass(10);
      world.setpoint(10);
      for (const bad of [3, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        assert.throws(() => world.setpoint(bad), /setpoint\.current.*expected/);
      }
      world.pass(10);
      assert.equal(world.vehicle.offered, 10);
    });

    it('keeps its state through garbage, tells it once and its end once', () => {
      const world = new GoEWorld(api);
      world.pass(10);
      const topic = api === 'v1' ? 'go-eCharger/201630/status' : 'go-eCharger/201630/amp';
      const before = world.last();
      const garbage = [
        '',
        'x',
        '[]',
        '"NaN"',
        '{"__proto__":{"car":"2"}}',
        '9'.repeat(70_000),
        '{"car":"77"}',
        '1e400',
        'null',
      ];
      for (const payload of garbage) world.run(world.charger.message(topic, payload, false, world.now));
      assert.deepEqual(world.last(), before);
      assert.deepEqual(world.alerts(), ['+bad-data']);
      world.run(world.charger.message('go-eCharger/201630/__proto__', '1', false, world.now));
      world.device.setAmp(15);
      world.pass(6);
      assert.deepEqual(world.alerts(), ['+bad-data', '-bad-data']);
      assert.equal(world.last().offer, 15);
    });
  });
}

describe('go-e charger, only v1', () => {
  it('spares the flash', () => {
    const world = new GoEWorld('v1');
    for (let i = 0; i < 50; i++) {
      world.setpoint(6 + (i % 10));
      world.pass(10);
    }
    assert.ok('flashWrites' in world.device && world.device.flashWrites === 0);
  });

  it('uses the limit in flash where the volatile one is never taken', () => {
    const world = new GoEWorld('v1', { device: { noVolatileLimit: true } });
    world.pass(10);
    world.setpoint(8);
    world.pass(30);
    assert.equal(world.vehicle.offered, 8);
    const before = world.writes.length;
    world.pass(120);
    assert.equal(world.writes.length, before);
  });

  it('an energy limit is nobody’s stop', () => {
    const world = new GoEWorld('v1', { device: { energyLimitKwh: 5 } });
    world.setpoint(16);
    world.pass(15);
    world.vehicle.energy = 5100;
    world.pass(15);
    assert.equal(world.last().stoppedBy, 'energy');
    assert.equal(world.last().offer, 0);
  });
});

describe('go-e charger, only v2', () => {
  it('sees a stop by hand whose report was lost', () => {
    const world = new GoEWorld('v2');
    world.setpoint(10);
    world.pass(10);
    // Of the burst that tells the stop only the value of frc is lost.
    const publish = world.bus.publish;
    world.bus.publish = (topic, payload, retain) => {
      if (!topic.endsWith('/frc')) publish(topic, payload, retain);
    };
    world.press('stop');
    world.pass(10);
    assert.equal(world.last().stoppedBy, 'user');
  });

  it('believes the answer to a write whose report was lost', () => {
    const world = new GoEWorld('v2');
    world.pass(10);
    const publish = world.bus.publish;
    world.bus.publish = (topic, payload, retain) => {
      if (!topic.endsWith('/frc')) publish(topic, payload, retain);
    };
    world.setpoint(0);
    world.pass(20);
    const written = world.writes.length;
    world.pass(60);
    assert.equal(world.writes.length, written);
    world.setpoint(6);
    world.pass(20);
    assert.equal(world.vehicle.offered, 6);
    assert.equal(world.last().stoppedBy, undefined);
  });

  it('a retained value is no sign of life', () => {
    const world = new GoEWorld('v2');
    world.pass(10);
    world.device.silent = true;
    world.restart();
    world.pass(1);
    assert.equal(world.last().online, false);
    world.setpoint(6);
    world.pass(10);
    assert.deepEqual(world.writes, []);
  });

  it('a charger without its clock on the broker may be quiet until its last will', () => {
    const world = new GoEWorld('v2');
    const publish = world.bus.publish;
    world.bus.publish = (topic, payload, retain) => {
      if (!topic.endsWith('/rbt') && !topic.endsWith('/nrg')) publish(topic, payload, retain);
    };
    world.pass(60);
    assert.equal(world.last().online, true);
    world.pass(90);
    assert.equal(world.last().online, false);
  });

  it('the last will means offline at once', () => {
    const world = new GoEWorld('v2');
    world.pass(10);
    world.run(world.charger.message('go-eCharger/201630/mcc', 'false', false, world.now));
    assert.equal(world.readings.at(-1)?.online, false);
  });

  it('tells why a write is refused', () => {
    const world = new GoEWorld('v2');
    world.pass(10);
    world.device.writesRefused = true;
    world.setpoint(6);
    assert.ok(world.alerts().includes('+write-refused'));
  });

  it('switches phases when no current flows, and says on how many it is', () => {
    const world = new GoEWorld('v2');
    world.setpoint(16);
    world.pass(20);
    assert.equal(world.last().phasesConfigured, undefined);
    assert.equal(Math.max(...world.last().current), 16);
    // Asked for while it charges, it is left alone.
    world.setpoint(16, 3600, 1);
    world.pass(20);
    assert.ok(!world.writes.some((w) => w.key === 'psm'));
    world.setpoint(0, 3600, 1);
    world.pass(20);
    // The charger's own logic runs once a second: a repeat may cross its report.
    const written = world.writes.filter((w) => w.key === 'psm').map((w) => w.value);
    assert.ok(written.length >= 1 && written.length <= 2 && written.every((value) => value === 1), `${written}`);
    assert.equal(world.last().phasesConfigured, 1);
    world.setpoint(16);
    world.pass(20);
    assert.deepEqual(world.last().current.map(Math.round), [16, 0, 0]);
    world.setpoint(0, 3600, 3);
    world.pass(20);
    world.setpoint(10);
    world.pass(20);
    assert.equal(world.last().phasesConfigured, 3);
    assert.deepEqual(world.last().current.map(Math.round), [10, 10, 10]);
  });

  it('writes a switch of phases again until it is seen, and no longer than the set-point holds', () => {
    const world = new GoEWorld('v2');
    world.setpoint(0);
    world.pass(10);
    world.lose = (direction) => direction === 'down';
    world.setpoint(0, 30, 1);
    world.pass(10);
    const tries = () => world.writes.filter((w) => w.key === 'psm').length;
    assert.ok(tries() > 2);
    world.pass(25);
    const before = tries();
    world.pass(60);
    assert.equal(tries(), before);
  });

  it('never writes phases to API v1, which cannot switch them', () => {
    const world = new GoEWorld('v1');
    world.pass(10);
    world.setpoint(0, 3600, 1);
    world.pass(20);
    assert.ok(!world.writes.some((w) => w.key === 'psm'));
  });

  it('understands topics with a leading slash', () => {
    const world = new GoEWorld('v2');
    world.pass(3);
    world.run(world.charger.message('/go-eCharger/201630/amp', '7', false, world.now));
    assert.equal(world.last().offer, 7);
  });
});
