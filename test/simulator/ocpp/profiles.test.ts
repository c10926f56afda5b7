/** Smart charging of the simulated station against a reference that asks every second anew what counts. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { JsonObject } from '../../../simulator/ocpp/frames.ts';
import type { ChargingProfile, Purpose } from '../../../simulator/ocpp/profiles.ts';
import { Desk, profileOf, START, setProfile } from './desk.ts';

const MAX_A = 16;
const WINDOW_S = 300;

interface Set {
  connector: number;
  profile: ChargingProfile;
}

const time = (offset: number) => new Date(START + offset * 1000).toISOString();
const offset = fc.oneof({ weight: 2, arbitrary: fc.integer({ min: -200, max: 0 }) }, fc.integer({ min: 0, max: 400 }));

const schedule = fc.record(
  {
    duration: fc.integer({ min: 1, max: 400 }),
    startSchedule: offset.map(time),
    chargingRateUnit: fc.constantFrom('A' as const, 'W' as const),
    gaps: fc.array(fc.record({ gap: fc.integer({ min: 1, max: 90 }), limit: fc.integer({ min: 0, max: 200 }) }), {
      maxLength: 4,
    }),
    limit: fc.integer({ min: 30, max: 200 }),
  },
  { requiredKeys: ['startSchedule', 'chargingRateUnit', 'gaps', 'limit'] },
);

const profile = fc
  .record(
    {
      purpose: fc.constantFrom<Purpose>('ChargePointMaxProfile', 'TxDefaultProfile', 'TxDefaultProfile', 'TxProfile'),
      kind: fc.constantFrom('Absolute' as const, 'Relative' as const, 'Recurring' as const),
      id: fc.integer({ min: 1, max: 25 }),
      stackLevel: fc.integer({ min: 0, max: 3 }),
      validFrom: offset.map(time),
      validTo: offset.map(time),
      schedule,
      shared: fc.boolean(),
    },
    { requiredKeys: ['purpose', 'kind', 'id', 'stackLevel', 'schedule', 'shared'] },
  )
  .map((p): Set => {
    const { gaps, limit, ...rest } = p.schedule;
    // W in tenths of what three phases take at 230 V, so that both units are in the same range.
    const of = (value: number) => (rest.chargingRateUnit === 'A' ? value / 10 : value * 69);
    let start = 0;
    const periods = [{ startPeriod: 0, limit: of(limit) }];
    for (const { gap, limit: next } of gaps) {
      start += gap;
      periods.push({ startPeriod: start, limit: of(next) });
    }
    const station = p.purpose === 'ChargePointMaxProfile';
    return {
      connector: station || (p.shared && p.purpose === 'TxDefaultProfile') ? 0 : 1,
      profile: {
        chargingProfileId: p.id,
        stackLevel: p.stackLevel,
        chargingProfilePurpose: p.purpose,
        chargingProfileKind: station && p.kind === 'Relative' ? 'Absolute' : p.kind,
        ...(p.kind === 'Recurring' ? { recurrencyKind: 'Daily' as const } : {}),
        ...(p.validFrom ? { validFrom: p.validFrom } : {}),
        ...(p.validTo ? { validTo: p.validTo } : {}),
        chargingSchedule: { ...rest, chargingSchedulePeriod: periods },
      },
    };
  });

/** What is installed after all of them were sent. */
function reference(sets: readonly Set[]): Set[] {
  let held: Set[] = [];
  for (const s of sets) {
    held = held.filter((h) => {
      const [a, b] = [h.profile, s.profile];
      const sameId = a.chargingProfileId === b.chargingProfileId;
      const samePlace =
        h.connector === s.connector &&
        a.chargingProfilePurpose === b.chargingProfilePurpose &&
        a.stackLevel === b.stackLevel;
      return !sameId && !samePlace;
    });
    held.push(s);
  }
  return held;
}

/** A of one profile at a second, or undefined where it does not count. */
function ampsOf({ profile: p }: Set, at: number, charging: number): number | undefined {
  const s = p.chargingSchedule;
  if (p.validFrom && at < Date.parse(p.validFrom)) return undefined;
  if (p.validTo && at >= Date.parse(p.validTo)) return undefined;
  const start = p.chargingProfileKind === 'Relative' ? charging : Date.parse(s.startSchedule as string);
  let elapsed = (at - start) / 1000;
  if (elapsed < 0) return undefined;
  if (p.chargingProfileKind === 'Recurring') elapsed %= 86_400;
  if (s.duration !== undefined && elapsed >= s.duration) return undefined;
  let limit: number | undefined;
  for (const period of s.chargingSchedulePeriod) if (period.startPeriod <= elapsed) limit = period.limit;
  return limit === undefined ? undefined : s.chargingRateUnit === 'A' ? limit : limit / 690;
}

function expected(held: readonly Set[], at: number, charging: number): number {
  const of = (purpose: Purpose) => {
    const counting = held
      .filter((h) => h.profile.chargingProfilePurpose === purpose && ampsOf(h, at, charging) !== undefined)
      .sort((a, b) => b.profile.stackLevel - a.profile.stackLevel || b.connector - a.connector);
    return counting.length > 0 ? ampsOf(counting[0], at, charging) : undefined;
  };
  return Math.min(of('ChargePointMaxProfile') ?? MAX_A, of('TxProfile') ?? of('TxDefaultProfile') ?? MAX_A, MAX_A);
}

function chargingDesk(): Desk {
  const desk = new Desk();
  desk.connect();
  desk.run(10);
  assert.ok(desk.station.connectors[0].transaction);
  return desk;
}

describe('smart charging of the simulated station', () => {
  it('what it holds, says and offers is what the profiles say, second by second', () => {
    fc.assert(
      fc.property(fc.array(profile, { minLength: 1, maxLength: 12 }), (sets) => {
        const desk = chargingDesk();
        for (const s of sets) assert.deepEqual(setProfile(desk, s.profile, s.connector), { status: 'Accepted' });
        const held = reference(sets);
        assert.equal(desk.station.profiles.installed.length, held.length);
        const charging = desk.station.connectors[0].transaction?.startedAt as number;
        const composite: JsonObject =
          desk.call('GetCompositeSchedule', {
            connectorId: 1,
            duration: WINDOW_S,
            chargingRateUnit: 'A',
          }) ?? {};
        const from = Date.parse(composite.scheduleStart as string);
        const { chargingSchedulePeriod } = composite.chargingSchedule as { chargingSchedulePeriod: JsonObject[] };
        for (let s = 0; s < WINDOW_S; s++) {
          const told = chargingSchedulePeriod.findLast((p) => (p.startPeriod as number) <= s)?.limit as number;
          const want = expected(held, from + s * 1000, charging);
          assert.ok(Math.abs(told - want) <= 0.051, `second ${s}: ${told} told, ${want} expected`);
        }
        for (let s = 0; s < WINDOW_S; s += 7) {
          const want = expected(held, desk.wallClock, charging);
          desk.station.tick(desk.now, desk.wallClock);
          const { offered } = desk.station.connectors[0];
          assert.ok(
            want < 6 ? offered === 0 : want - offered < 0.1 + 1e-6 && offered <= want + 1e-6,
            `${offered} A of ${want}`,
          );
          desk.run(7);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('a TxProfile of limited duration over a safe TxDefaultProfile: the dead man of the design', () => {
    const desk = chargingDesk();
    setProfile(desk, profileOf(6, { chargingProfileId: 1 }), 0);
    const over = { chargingProfileId: 2, chargingProfilePurpose: 'TxProfile' };
    setProfile(desk, profileOf(14, over, { startSchedule: new Date(desk.wallClock).toISOString(), duration: 30 }));
    desk.run(5);
    assert.equal(desk.amps(), 14);
    desk.disconnect();
    desk.run(20);
    assert.equal(desk.amps(), 14);
    desk.run(10);
    assert.equal(desk.amps(), 6);
  });

  it('clear-then-set is a real spike, replacing is none (lbbrhzn/ocpp#1718, #1684, #2152)', () => {
    const most = (change: (desk: Desk) => void) => {
      const desk = chargingDesk();
      setProfile(desk, profileOf(8));
      desk.run(10);
      let peak = 0;
      change(desk);
      for (let i = 0; i < 4; i++) {
        desk.run(0.5);
        peak = Math.max(peak, desk.amps());
      }
      setProfile(desk, profileOf(7));
      desk.run(5);
      assert.equal(desk.amps(), 7);
      return peak;
    };
    assert.equal(
      most((desk) => desk.call('ClearChargingProfile', { id: 1 })),
      16,
    );
    assert.equal(
      most((desk) => setProfile(desk, profileOf(7))),
      8,
    );
  });

  it('a TxProfile without a duration stays in force while the station is offline (libocpp#781)', () => {
    const desk = chargingDesk();
    setProfile(desk, profileOf(9, { chargingProfilePurpose: 'TxProfile' }));
    desk.disconnect();
    desk.run(3600);
    assert.equal(desk.amps(), 9);
  });

  it('replaces by id, and by connector, purpose and stack level; clears by what is given', () => {
    const desk = chargingDesk();
    setProfile(desk, profileOf(10, { chargingProfileId: 1, stackLevel: 1 }));
    setProfile(desk, profileOf(11, { chargingProfileId: 2, stackLevel: 1 }));
    assert.deepEqual(
      desk.station.profiles.installed.map((p) => p.profile.chargingProfileId),
      [2],
    );
    setProfile(desk, profileOf(12, { chargingProfileId: 2, stackLevel: 3 }));
    setProfile(desk, profileOf(13, { chargingProfileId: 3, stackLevel: 3 }), 0);
    assert.deepEqual(
      desk.station.profiles.installed.map((p) => p.profile.chargingProfileId),
      [2, 3],
    );
    assert.deepEqual(desk.call('ClearChargingProfile', { stackLevel: 2 }), { status: 'Unknown' });
    assert.deepEqual(desk.call('ClearChargingProfile', { connectorId: 0, stackLevel: 3 }), { status: 'Accepted' });
    assert.deepEqual(desk.call('ClearChargingProfile', { id: 2, stackLevel: 9 }), { status: 'Accepted' });
    assert.deepEqual(desk.call('ClearChargingProfile'), { status: 'Unknown' });
  });

  it('the highest stack level that is valid counts; of two, the one for the connector', () => {
    const desk = chargingDesk();
    setProfile(desk, profileOf(15, { chargingProfileId: 1, stackLevel: 1 }), 0);
    setProfile(desk, profileOf(14, { chargingProfileId: 2, stackLevel: 0 }), 1);
    desk.run(3);
    assert.equal(desk.amps(), 15);
    setProfile(desk, profileOf(7, { chargingProfileId: 3, stackLevel: 1 }), 1);
    desk.run(3);
    assert.equal(desk.amps(), 7);
    setProfile(desk, profileOf(12, { chargingProfileId: 4, stackLevel: 2 }, { duration: desk.now / 1000 + 10 }), 1);
    desk.run(5);
    assert.equal(desk.amps(), 12);
    desk.run(8);
    assert.equal(desk.amps(), 7);
  });

  it('rejects what the specification does not allow, and changes nothing', () => {
    const desk = chargingDesk();
    const transactionId = desk.station.connectors[0].transaction?.id as number;
    const rejected: [object, number, object?][] = [
      [{ stackLevel: 9 }, 1],
      [{ stackLevel: -1 }, 1],
      [{}, 2],
      [{ chargingProfilePurpose: 'ChargePointMaxProfile' }, 1],
      [{ chargingProfilePurpose: 'ChargePointMaxProfile', chargingProfileKind: 'Relative' }, 0],
      [{ chargingProfilePurpose: 'TxProfile' }, 0],
      [{ chargingProfilePurpose: 'TxProfile', transactionId: transactionId + 1 }, 1],
      [{ transactionId }, 1],
      [{ chargingProfileKind: 'Recurring' }, 1],
      [{}, 1, { chargingSchedulePeriod: [] }],
      [{}, 1, { chargingSchedulePeriod: [{ startPeriod: 5, limit: 6 }] }],
      [{}, 1, { chargingSchedulePeriod: [{ startPeriod: 0, limit: 6, numberPhases: 0 }] }],
      [{}, 1, { chargingSchedulePeriod: [{ startPeriod: 0, limit: -1 }] }],
    ];
    for (const [over, connector, schedule] of rejected)
      assert.deepEqual(
        setProfile(desk, profileOf(8, over, schedule), connector),
        { status: 'Rejected' },
        JSON.stringify(over),
      );
    const wrong = setProfile(desk, profileOf(16.17));
    assert.equal(wrong?.code, 'PropertyConstraintViolation');
    assert.match(String(wrong?.description), /limit: 16\.17/);
    assert.equal(setProfile(desk, profileOf(8, { stackLevel: 'high' }))?.code, 'TypeConstraintViolation');
    assert.equal(desk.station.profiles.installed.length, 0);
  });

  it('drops a TxProfile at the end of its transaction, keeps the others over reconnect and reboot', () => {
    const desk = chargingDesk();
    setProfile(desk, profileOf(8, { chargingProfileId: 1 }));
    setProfile(desk, profileOf(9, { chargingProfileId: 2, chargingProfilePurpose: 'TxProfile' }));
    desk.disconnect();
    desk.run(10);
    desk.connect();
    desk.run(5);
    assert.equal(desk.amps(), 9);
    desk.call('Reset', { type: 'Hard' });
    desk.run(30);
    assert.deepEqual(
      desk.station.profiles.installed.map((p) => p.profile.chargingProfileId),
      [1],
    );
    assert.equal(desk.amps(), 8);
    assert.equal(desk.of('StopTransaction')[0].reason, 'HardReset');
  });

  it('ChargePointMaxProfile is shared by the connectors that charge', () => {
    const desk = new Desk({ connectors: 3 });
    desk.connect();
    desk.run(10);
    setProfile(desk, profileOf(21, { chargingProfilePurpose: 'ChargePointMaxProfile' }), 0);
    desk.run(5);
    assert.deepEqual(
      [0, 1, 2].map((i) => desk.amps(i)),
      [7, 7, 7],
    );
    setProfile(desk, profileOf(13, { chargingProfilePurpose: 'ChargePointMaxProfile' }), 0);
    desk.run(5);
    assert.deepEqual(
      [0, 1, 2].map((i) => desk.amps(i)),
      [6.5, 6.5, 0],
    );
    assert.equal(desk.statuses(3).at(-1), 'SuspendedEVSE');
  });

  it('reads W by the conductors that are used, and switches phases without current', () => {
    const desk = new Desk({ switchesPhases: true });
    desk.connect();
    desk.run(10);
    setProfile(
      desk,
      profileOf(0, {}, { chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 6900 }] }),
    );
    desk.run(5);
    assert.deepEqual(desk.vehicles[0].current(), [10, 10, 10]);
    const one = [{ startPeriod: 0, limit: 2300, numberPhases: 1 }];
    setProfile(desk, profileOf(0, {}, { chargingRateUnit: 'W', chargingSchedulePeriod: one }));
    const seen: number[][] = [];
    for (let i = 0; i < 12; i++) {
      desk.run(0.5);
      seen.push([...desk.vehicles[0].current()]);
    }
    assert.deepEqual(seen.at(-1), [10, 0, 0]);
    assert.ok(seen.some((c) => Math.max(...c) === 0));
  });
});
