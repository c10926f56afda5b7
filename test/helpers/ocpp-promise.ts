/** The promise of a limit, checked at every step of a run: what a station that keeps to OCPP 1.6 offers, whatever happens. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RequestOf } from '../../drivers/ocpp/actions.ts';
import type { StationLogic } from '../../drivers/ocpp/station-io.ts';
import type { StationOptions } from '../../drivers/ocpp/station-options.ts';
import { StationWorld, type Traits, type WorldOptions } from './ocpp-station-world.ts';

export type Act =
  | { do: 'setpoint'; current: number; validFor: number }
  | { do: 'plug' }
  | { do: 'connection' }
  | { do: 'reconnect'; boot: boolean }
  | { do: 'reboot' }
  | { do: 'lose'; share: number }
  | { do: 'kill' }
  | { do: 'wants' }
  | { do: 'repeat' }
  | { do: 'stray' };

export type Script = [Act, number][];

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('setpoint' as const),
      current: fc.constantFrom(0, 6, 6.5, 10, 16, 16.17, 32, 40),
      validFor: fc.constantFrom(3, 20, 60, 600),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('plug' as const) }) },
  fc.record({ do: fc.constant('connection' as const) }),
  fc.record({ do: fc.constant('reconnect' as const), boot: fc.boolean() }),
  fc.record({ do: fc.constant('reboot' as const) }),
  fc.record({ do: fc.constant('lose' as const), share: fc.constantFrom(0, 0, 0.15) }),
  fc.record({ do: fc.constant('kill' as const) }),
  fc.record({ do: fc.constant('wants' as const) }),
  fc.record({ do: fc.constant('repeat' as const) }),
  fc.record({ do: fc.constant('stray' as const) }),
);

const seconds = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 20 }) }, fc.integer({ min: 20, max: 400 }));

export const script: fc.Arbitrary<Script> = fc.array(fc.tuple(act, seconds), { minLength: 1, maxLength: 25 });

interface Kind extends WorldOptions {
  /** It has no way to hold a safe current that nobody renews. */
  withoutDefault?: boolean;
}

type Rejects = Traits['rejects'];
const rejecting = (rejects: Rejects, more: Partial<Traits> = {}): Kind => ({ traits: { rejects, ...more } });

/** Stations that differ in what they take. */
export const KINDS: Readonly<Record<string, Kind>> = {
  standard: {},
  'without evidence': { traits: { composite: false, tellsOffered: false } },
  'relative to the transaction': { traits: { relativeTo: 'transaction' } },
  'no TxProfile': rejecting((_, p) => p.chargingProfilePurpose === 'TxProfile'),
  'stack level 0 only': rejecting((_, p) => p.stackLevel > 0),
  'Relative only': rejecting((_, p) => p.chargingProfileKind !== 'Relative'),
  'Relative only, no TxProfile': rejecting(
    (_, p) => p.chargingProfileKind !== 'Relative' || p.chargingProfilePurpose === 'TxProfile',
  ),
  'Relative only, from the transaction on': rejecting((_, p) => p.chargingProfileKind !== 'Relative', {
    relativeTo: 'transaction',
  }),
  'obeys and never answers': { traits: { silent: true } },
  'Absolute only': rejecting((_, p) => p.chargingProfileKind !== 'Absolute'),
  'W only': rejecting((_, p) => p.chargingSchedule.chargingRateUnit !== 'W', {
    configuration: { ChargingScheduleAllowedChargingRateUnit: 'Power' },
  }),
  'W only, one phase': {
    rotation: ['L2'],
    ...rejecting((_, p) => p.chargingSchedule.chargingRateUnit !== 'W'),
  },
  'default on connector 0 only': rejecting(
    (connector, p) => connector === 1 && p.chargingProfilePurpose === 'TxDefaultProfile',
  ),
  'ChargePointMaxProfile only': rejecting((_, p) => p.chargingProfilePurpose !== 'ChargePointMaxProfile'),
  'TxProfile only': { ...rejecting((_, p) => p.chargingProfilePurpose !== 'TxProfile'), withoutDefault: true },
  'no smart charging': { ...rejecting(() => true), withoutDefault: true },
  'configuration unreadable': {
    traits: { answer: (action) => (action === 'GetConfiguration' ? 'none' : undefined) },
  },
  'forgets on reconnect': { traits: { losesProfilesOnReconnect: true }, station: { quirks: { losesProfiles: true } } },
  'clock an hour ahead': { traits: { clockError: 3_600_000 } },
  'clock an hour late': { traits: { clockError: -3_600_000 } },
  ...Object.fromEntries(
    [-3_600_000, -4900, -3000, -1000, 1000, 4900, 3_600_000].flatMap((clockError) => [
      [`clock ${clockError} ms off, measured every 5 s`, { traits: { clockError }, station: { meterInterval: 5 } }],
      [
        `clock ${clockError} ms off, measured every 5 s, no TxProfile`,
        {
          ...rejecting((_, p) => p.chargingProfilePurpose === 'TxProfile', { clockError }),
          station: { meterInterval: 5 },
        },
      ],
    ]),
  ),
  'paused at 0': { safe: 0 },
  'high safe current': { safe: 10 },
  'two connectors': {
    station: {
      connectors: [1, 2].map((connector) => ({
        ...{ connector, id: `CP001-${connector}`, min: 6, max: 32, safe: 6 },
        rotation: ['L1', 'L2', 'L3'],
      })),
    },
  },
};

const DURATION_MS = 300_000;
const NOISE_A = 0.02;

/** Runs a script and checks the promise at every step. @throws AssertionError */
export function keepsPromise(
  kind: Kind,
  acts: Script,
  seed: number,
  make?: (options: StationOptions, now: number) => StationLogic,
): void {
  const world = new StationWorld({ ...kind, make });
  const promise = new PromiseCheck(world, kind);
  world.check = () => promise.check();
  let share = 0;
  world.loses = coin(seed, () => share);
  world.connect();
  world.pass(8);
  for (const [what, wait] of acts) {
    if (what.do === 'lose') share = what.share;
    promise.isLossy = share > 0;
    perform(world, promise, what);
    world.pass(wait);
  }
  share = 0;
  promise.checkCalls();
  promise.stop();
}

function perform(world: StationWorld, promise: PromiseCheck, what: Act): void {
  if (what.do === 'setpoint') world.setpoint(what.current, what.validFor);
  if (what.do === 'wants') {
    world.model.wants = !world.model.wants;
    if (world.isConnected && world.model.transaction) world.status();
  }
  if (what.do === 'repeat') world.repeatStart();
  if (what.do === 'stray') world.strayStop();
  if (what.do === 'plug') {
    if (world.model.plugged) world.unplug();
    else world.plugIn();
  }
  if (what.do === 'connection' || what.do === 'reconnect' || what.do === 'reboot' || what.do === 'kill')
    promise.broken();
  if (what.do === 'connection') {
    if (world.isConnected) world.disconnect();
    else world.connect(false);
  }
  if (what.do === 'reconnect') {
    world.disconnect();
    world.connect(what.boot);
  }
  if (what.do === 'reboot') {
    const { transaction } = world.model;
    world.disconnect();
    world.model.endTransaction();
    world.connect(true);
    const ended = { meterStop: Math.round(world.model.energy), timestamp: world.stationTime, reason: 'Reboot' };
    if (transaction) world.request('StopTransaction', { transactionId: transaction.id ?? -1, ...ended });
  }
  if (what.do === 'kill') {
    world.kill();
    promise.killed();
    world.connect(false);
  }
}

class PromiseCheck {
  readonly #world: StationWorld;
  readonly #kind: Kind;
  /** Since when it has been connected and nothing was lost, ms. */
  #steadySince = 0;
  #quietSince = 0;
  isLossy = false;
  #hadDefault = false;

  constructor(world: StationWorld, kind: Kind) {
    this.#world = world;
    this.#kind = kind;
  }

  broken(): void {
    this.#steadySince = this.#world.now;
    // Who forgets has none until it is told again.
    if (this.#world.traits.losesProfilesOnReconnect) this.#hadDefault = false;
  }

  /** Another process has heard nothing yet: everything is reserved. */
  killed(): void {
    this.#world.readings.length = 0;
  }

  check(): void {
    const { now, model, readings, setpoints, isConnected } = this.#world;
    if (!isConnected) this.#steadySince = now;
    const { installed } = model;
    this.#hadDefault ||= installed.some((i) => i.profile.chargingProfilePurpose !== 'TxProfile');
    const offers = model.plugged && model.transaction ? model.offers(now) : 0;
    // The allocator keeps what it has just taken back reserved, too, for longer than this.
    const newest = Math.max(
      0,
      ...setpoints.filter((s, i) => i === setpoints.length - 1 || s.at >= now - 1000).map((s) => s.current),
    );
    const safe = this.#world.options.connectors[0].safe;
    const last = readings.at(-1);
    // The allocator takes the highest of its own set-point and what is reported; nobody reported: everything.
    if (last) {
      const reserved = Math.max(last.offer, newest, last.online ? 0 : safe);
      assert.ok(offers <= reserved + NOISE_A, `offers ${offers} A, reserved ${reserved} A at ${now} ms`);
    }
    const steady = now - this.#steadySince;
    if (this.isLossy) this.#quietSince = now;
    const hasHadTime = now - Math.max(this.#quietSince, this.#steadySince) > LATE_MS;
    assert.ok(this.#hadDefault || !hasHadTime || this.#kind.withoutDefault, 'no safe default underneath');
    if (!this.#hadDefault) return;
    // Who never answers is told again ever more rarely, and two calls in a row may be lost: then the profile runs out.
    const isUncertain = this.#kind.traits?.silent === true && now - this.#quietSince <= LATE_MS;
    const window = steady > LATE_MS && !isUncertain ? LATE_MS : DURATION_MS + LATE_MS + steady;
    const allowed = Math.max(
      safe,
      ...setpoints.filter((s) => s.until >= now - window && this.#newestAt(s, window)).map((s) => s.current),
    );
    if (!this.#kind.withoutDefault)
      assert.ok(offers <= allowed + NOISE_A, `offers ${offers} A, allowed ${allowed} A at ${now} ms`);
  }

  /** Whether a set-point was the newest at any time within the last `window` ms. */
  #newestAt(setpoint: { at: number }, window: number): boolean {
    const { setpoints, now } = this.#world;
    const next = setpoints[setpoints.indexOf(setpoint as (typeof setpoints)[number]) + 1];
    return next === undefined || next.at >= now - window;
  }

  /** Never a limit in the dead band, nor above the maximum; nothing is ever cleared (lbbrhzn/ocpp#1718). */
  checkCalls(): void {
    const [{ min, max }] = this.#world.options.connectors;
    assert.deepEqual(this.#world.called('ClearChargingProfile'), []);
    for (const { csChargingProfiles } of this.#world.profiles)
      for (const period of csChargingProfiles.chargingSchedule.chargingSchedulePeriod)
        checkLimit(csChargingProfiles, period, min, max);
  }

  /** The process is gone: within the duration it is at its safe current. */
  stop(): void {
    const world = this.#world;
    world.isRunning = false;
    world.check = () => {};
    const [{ safe }] = world.options.connectors;
    world.pass((DURATION_MS + 10_000) / 1000);
    if (this.#hadDefault && !this.#kind.withoutDefault)
      assert.ok(world.model.offers(world.now) <= safe + NOISE_A, `${world.model.offers(world.now)} A without us`);
  }
}

/** By then a limit is in force, lost calls included, ms. */
const LATE_MS = 60_000;

function checkLimit(
  { chargingSchedule }: RequestOf<'SetChargingProfile'>['csChargingProfiles'],
  period: { limit: number; numberPhases?: number },
  min: number,
  max: number,
): void {
  assert.ok(period.numberPhases === 1 || period.numberPhases === 3, `numberPhases ${period.numberPhases}`);
  const phases = period.numberPhases;
  const isWatts = chargingSchedule.chargingRateUnit === 'W';
  if (isWatts) assert.ok(Number.isInteger(period.limit));
  // W are for all phases of the station, or for as many as the vehicle uses.
  const possible = (isWatts ? [phases, 1, 2] : [1 / 230]).map((n) => period.limit / (230 * n));
  const fits = possible.some((amps) => amps === 0 || (amps >= min - NOISE_A && amps <= max));
  assert.ok(fits, `${possible[0]} A is in the dead band or above ${max} A`);
}

/** A reproducible coin per message. */
function coin(seed: number, share: () => number): () => boolean {
  let state = seed | 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32 < share();
  };
}
