import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BROKEN } from '../../helpers/ocpp-broken.ts';
import { KINDS, keepsPromise, script } from '../../helpers/ocpp-promise.ts';

const RUNS = Number(process.env.RUNS ?? 60);

describe('OCPP station, the promise of a limit in any order of events', () => {
  for (const [name, kind] of Object.entries(KINDS)) {
    it(`${name}: never more than what was said, at the safe current without us`, () => {
      fc.assert(
        fc.property(script, fc.integer(), (acts, seed) => keepsPromise(kind, acts, seed)),
        { numRuns: RUNS },
      );
    });
  }

  for (const [name, make] of Object.entries(BROKEN)) {
    it(`catches: ${name}`, () => {
      const property = fc.property(script, fc.integer(), (acts, seed) =>
        keepsPromise(KINDS.standard, acts, seed, make),
      );
      const { failed, errorInstance } = fc.check(property, { numRuns: 500, seed: 1, endOnFailure: true });
      assert.ok(failed);
      assert.ok(errorInstance instanceof assert.AssertionError, String(errorInstance));
    });
  }
});
