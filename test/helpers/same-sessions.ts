import assert from 'node:assert/strict';
import type { Session } from '../../core/index.ts';
import type { TrueSession } from './killed-sessions.ts';

/** Most that a session's energy may differ from the plant's, Wh. */
const MOST_WH = 100;

/** None is lost, none doubled, and each has the plant's energy. Returns the largest difference, Wh. */
export function assertSame(told: readonly Session[], truth: readonly TrueSession[]): number {
  const shown = () => JSON.stringify({ told: told.map((s) => [s.start, s.end, s.energy, s.endedBy]), truth }, null, 1);
  assert.equal(told.length, truth.length, shown());
  assert.equal(new Set(told.map(({ id }) => id)).size, told.length);
  const differences = told.map((session, i) => {
    const { start, end = Number.POSITIVE_INFINITY, energy } = truth[i];
    assert.ok(session.end !== undefined && session.start < end && session.end > start, `no overlap: ${shown()}`);
    return Math.abs(session.energy - energy);
  });
  const largest = Math.max(...differences);
  assert.ok(largest <= MOST_WH, `${largest} Wh: ${shown()}`);
  return largest;
}
