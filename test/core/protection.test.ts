import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  absorbableJump,
  absorbs,
  heatAfter,
  largestPreload,
  marginForJump,
  neverTrips,
  protectiveDevice,
  secondsLeft,
  steadyHeat,
} from '../../core/protection.ts';
import type { CircuitConfig, DeviceKind } from '../../core/site.ts';

const device = (kind: DeviceKind, rating = 25) => protectiveDevice({ rating, device: kind });
const close = (actual: number, expected: number, within: number) =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not ${expected} ± ${within}`);

const kinds = fc.constantFrom<DeviceKind>('gG', 'B', 'C', 'D');
const ratings = fc.constantFrom(10, 16, 20, 25, 32, 35, 50, 63);

describe('protective devices', () => {
  it('carries the jumps of the published figures for a gG 25 A at full load', () => {
    close(absorbs(device('gG'), 25, 16), 9.0, 0.1);
    close(absorbs(device('gG'), 25, 13), 12.5, 0.1);
    close(absorbs(device('gG'), 25, 8.7), 26, 0.1);
  });

  it('carries the jumps of the published figures for an MCB 25 A at full load', () => {
    close(absorbs(device('B'), 25, 4.35), 6.0, 0.1);
    close(absorbs(device('B'), 25, 8.7), 1.9, 0.1);
    close(absorbs(device('C'), 25, 16), 0.8, 0.1);
  });

  it('may trip at once from the lowest magnetic release on, by kind', () => {
    assert.equal(secondsLeft(device('B'), 0, 75), 0);
    assert.ok(secondsLeft(device('C'), 0, 75) > 0);
    assert.equal(secondsLeft(device('D'), 0, 250), 0);
    assert.ok(secondsLeft(device('gG'), 0, 250) > 0);
  });

  it('never trips at its conventional non-tripping current, and trips above it', () => {
    fc.assert(
      fc.property(kinds, ratings, (kind, rating) => {
        const d = device(kind, rating);
        assert.equal(secondsLeft(d, 0.5, neverTrips(d)), Number.POSITIVE_INFINITY);
        assert.ok(Number.isFinite(secondsLeft(d, 0.5, neverTrips(d) * 1.01)));
      }),
    );
  });

  it('the replica stepped in any pieces trips when secondsLeft says', () => {
    fc.assert(
      fc.property(
        kinds,
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        fc.double({ min: 1.3, max: 2.9, noNaN: true }),
        fc.integer({ min: 1, max: 40 }),
        (kind, heat, factor, pieces) => {
          const d = device(kind);
          const left = secondsLeft(d, heat, factor * 25);
          let h = heat;
          for (let i = 0; i < pieces; i++) h = heatAfter(d, h, factor * 25, left / pieces);
          close(h, 1, 1e-9);
        },
      ),
    );
  });

  it('the margin makes exactly the given jump survivable for the given time', () => {
    fc.assert(
      fc.property(
        kinds,
        fc.double({ min: 1, max: 16, noNaN: true }),
        fc.double({ min: 1, max: 12, noNaN: true }),
        (kind, jump, seconds) => {
          const d = device(kind);
          const preload = largestPreload(d, jump, seconds);
          if (preload === 0) return;
          assert.ok(absorbs(d, preload, jump) >= seconds - 1e-6);
          if (preload < neverTrips(d) - 0.1 && preload < d.instant - jump - 0.1)
            assert.ok(absorbs(d, preload + 0.1, jump) < seconds + 1e-6);
          close(marginForJump(d, 25, jump, seconds), Math.max(0, 25 - preload), 1e-9);
        },
      ),
    );
  });

  it('absorbableJump and absorbs agree', () => {
    fc.assert(
      fc.property(
        kinds,
        fc.double({ min: 0, max: 25, noNaN: true }),
        fc.double({ min: 1, max: 30, noNaN: true }),
        (kind, preload, seconds) => {
          const d = device(kind);
          const jump = absorbableJump(d, preload, seconds);
          if (preload + jump >= d.instant - 1e-9) return;
          close(absorbs(d, preload, jump), seconds, 1e-6);
        },
      ),
    );
  });

  it('a gG fuse needs no margin for a 16 A jump; an MCB keeps 4.4 A free for a kettle and 10.6 A for 16 A', () => {
    assert.equal(marginForJump(device('gG'), 25, 16, 8), 0);
    close(marginForJump(device('B'), 25, 9, 8), 4.4, 0.05);
    close(marginForJump(device('B'), 25, 16, 8), 10.6, 0.05);
  });

  it("trips no later than any point of a manufacturer's curve", () => {
    const curve = [
      { factor: 1.2, seconds: 3600 },
      { factor: 1.5, seconds: 120 },
      { factor: 2, seconds: 30 },
      { factor: 4, seconds: 2 },
      { factor: 8, seconds: 0.01 },
    ];
    const d = protectiveDevice({ rating: 32, device: 'table', curve });
    assert.equal(neverTrips(d), 1.2 * 32);
    for (const p of curve.slice(1)) assert.ok(secondsLeft(d, 0, p.factor * 32) <= p.seconds + 1e-9);
    assert.equal(secondsLeft(d, 0, 8 * 32), 0);
  });

  it('refuses a curve without a point above the rating', () => {
    const circuit: Pick<CircuitConfig, 'rating' | 'device' | 'curve'> = {
      rating: 25,
      device: 'table',
      curve: [{ factor: 0.9, seconds: 100 }],
    };
    assert.throws(() => protectiveDevice(circuit), /curve: .*expected at least one point/);
  });

  it('heat in the long run grows with the square of the current', () => {
    close(steadyHeat(device('gG'), 31.25), 1, 1e-12);
    close(steadyHeat(device('gG'), 25), 0.64, 1e-12);
  });
});
