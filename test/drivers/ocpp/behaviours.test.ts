/** The logic of a station meets every behaviour of the simulated station, which was written apart from it. */
import assert from 'node:assert/strict';
import type { Quirks } from '../../../drivers/ocpp/quirks.ts';
import { BEHAVIOURS, type BehaviourName } from '../../../simulator/ocpp/behaviours.ts';
import { MAX_A, SAFE_A, StationPair } from '../../helpers/ocpp-pair.ts';

interface Expected {
  quirks?: Quirks;
  /** A at the set-points 10, 6.5, 0 and 12; absent: those. */
  amps?: [number, number, number, number];
  /** A after the connection was lost for longer than a profile lasts; absent: the safe current. */
  alone?: number;
  alerts?: string[];
  offer?: number;
}

const UNLIMITED: [number, number, number, number] = [MAX_A, MAX_A, MAX_A, MAX_A];
const NOTHING: [number, number, number, number] = [0, 0, 0, 0];

/** What differs from a station that obeys. */
const EXPECTED: Partial<Record<BehaviourName, Expected>> = {
  ignoring: { amps: UNLIMITED, alone: MAX_A, alerts: ['not-obeying'], offer: MAX_A },
  lying: { amps: UNLIMITED, alone: MAX_A, alerts: ['not-obeying'], offer: MAX_A },
  'no-smart-charging': {
    amps: UNLIMITED,
    alone: MAX_A,
    alerts: ['limit-not-supported', 'no-safe-default'],
    offer: MAX_A,
  },
  'silent-profiles': { alerts: ['limit-unanswered'], offer: MAX_A },
  'transaction-only': { alerts: ['no-safe-default'] },
  // From 300 s on its profile is over as soon as it is told, until that is noticed.
  'relative-only': { amps: [10, 6, 0, 12] },
  // What another server has left caps it.
  'stale-profile': { amps: [8, 6.5, 0, 8] },
  'power-only': { amps: [9.9, 6.4, 0, 11.9] },
  'whole-limits': { amps: [10, 6.4, 0, 11.9] },
  'whole-amps': { amps: [10, 6, 0, 12] },
  // Nothing that is told while it is suspended counts: it goes on when the pause has run out.
  'drops-while-suspended': { quirks: { dropsWhileSuspended: true }, amps: [10, 6.5, 0, 0] },
  'zero-stops': { quirks: { zeroStops: true } },
  'remote-start-needed': { quirks: { remoteStart: true } },
  'forgets-on-reconnect': { quirks: { losesProfiles: true } },
  // No server can make it end: that is why the safe current of the absent is not all that is reserved.
  'never-expires': { alone: 12 },
  'boots-as-201': { amps: NOTHING, alone: 0, alerts: ['wrong-version'], offer: 0 },
  'excluded-measurands': { alerts: ['configuration-refused'] },
  'no-offered': { alerts: ['configuration-refused'] },
  'no-meter': { alerts: ['not-metered'] },
  'clock-behind': { alerts: ['clock-skew'] },
  'clock-ahead': { alerts: ['clock-skew'] },
};

const near = (seen: number, expected: number, what: string) =>
  assert.ok(Math.abs(seen - expected) < 0.15, `${what}: ${seen.toFixed(1)} A, expected ${expected} A`);

describe('OCPP station against the simulated station', () => {
  for (const [name, { behaviour, text, seen }] of Object.entries(BEHAVIOURS)) {
    const expected: Expected = EXPECTED[name as BehaviourName] ?? {};
    for (const meterInterval of [10, 5])
      it(`${name} (${text}) ${seen.join(', ')}; told every ${meterInterval} s`, () => {
        const pair = new StationPair(behaviour, { quirks: expected.quirks, meterInterval });
        pair.run(name === 'slow-connect' ? 960 : 30, 10);
        pair.vehicle.plugIn();
        const amps = expected.amps ?? [10, 6.5, 0, 12];
        for (const [i, setpoint] of [10, 6.5, 0, 12].entries()) {
          pair.run(i === 0 ? 240 : 90, setpoint);
          near(pair.amps, amps[i], `set-point ${setpoint} A`);
        }
        assert.equal(pair.reading?.offer, expected.offer ?? 12);
        for (const code of expected.alerts ?? [])
          assert.ok(pair.alerts.has(code), `${code}: ${[...pair.alerts].join()}`);
        if (!expected.alerts) assert.deepEqual([...pair.alerts], []);
        pair.hasNetwork = false;
        pair.run(310);
        near(pair.amps, expected.alone ?? SAFE_A, 'alone');
        assert.ok(pair.called.every(({ action }) => action !== 'ClearChargingProfile' && action !== 'Reset'));
      });
  }
});
