import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CallLanes } from '../../../drivers/ocpp/call-lanes.ts';
import type { CallAnswer, StationCall } from '../../../drivers/ocpp/station-io.ts';

type Step =
  | { do: 'call'; lane: 'limit' | 'ordinary'; key?: string; timeout: number }
  | { do: 'answer'; which: number }
  | { do: 'again'; which: number }
  | { do: 'pass'; ms: number };

/** After this time a newer limit waits no longer for the answer to an older one. */
const OVERTAKEN_MS = 2000;
const KEYS = ['1', '2', '3'];
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('call' as const),
    lane: fc.constant('limit' as const),
    key: fc.constantFrom(...KEYS),
    timeout: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({
    do: fc.constant('call' as const),
    lane: fc.constant('ordinary' as const),
    timeout: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({
    do: fc.constant('call' as const),
    lane: fc.constant('ordinary' as const),
    key: fc.constantFrom(...KEYS),
    timeout: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({ do: fc.constant('answer' as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant('again' as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 8000 }) }),
);

/** Runs the steps and checks after each what must always hold. */
function run(steps: Step[]): void {
  let now = 0;
  let id = 0;
  const calls = new Map<number, StationCall>();
  const ends = new Map<number, CallAnswer>();
  const inFlight: { wireId: string; call: StationCall; sentAt: number }[] = [];
  const sent: string[] = [];
  const lanes = new CallLanes('p', {
    send: (wireId, call) => {
      assert.ok(!ends.has(call.id), 'a call that has ended is not sent');
      inFlight.push({ wireId: JSON.stringify(wireId), call, sentAt: now });
      sent.push(wireId);
    },
    answered: (ended, answer) => {
      assert.ok(!ends.has(ended), 'a call ends once');
      ends.set(ended, answer);
      const at = inFlight.findIndex(({ call }) => call.id === ended);
      if (at >= 0) inFlight.splice(at, 1);
    },
  });
  const settle = (wireId: string) => {
    if (lanes.find(wireId)) lanes.settle(wireId, { ok: true, payload: {} }, now);
  };
  for (const s of steps) {
    if (s.do === 'call') {
      id += 1;
      const call: StationCall = { type: 'call', id, action: 'X', payload: {}, ...s };
      calls.set(id, call);
      lanes.call(call, now);
      if (s.lane === 'limit') newestLimit(call);
    } else if (s.do === 'answer') {
      const found = inFlight[s.which % (inFlight.length || 1)];
      if (found) settle(found.wireId);
    } else if (s.do === 'again') {
      const wireId = JSON.stringify(sent[s.which % (sent.length || 1)] ?? 'nobody');
      if (!inFlight.some((f) => f.wireId === wireId)) settle(wireId);
    } else {
      for (const end = now + s.ms; now < end; ) {
        now = Math.min(end, now + 250);
        lanes.tick(now);
      }
    }
    invariants();
  }
  lanes.close();
  assert.equal(ends.size, calls.size, 'every call has ended');

  /** A limit goes out at once, or waits for one of its key that went out lately, and nothing else. */
  function newestLimit(call: StationCall): void {
    const its = inFlight.filter((f) => f.call.lane === 'limit' && f.call.key === call.key);
    const isSent = its.some((f) => f.call === call);
    assert.ok(isSent || its.some((f) => now - f.sentAt < OVERTAKEN_MS));
    assert.ok(!ends.has(call.id));
  }

  function invariants(): void {
    assert.ok(inFlight.filter(({ call }) => call.lane === 'ordinary').length <= 1, 'ordinary calls one after another');
    for (const key of KEYS) {
      const flying = inFlight.filter(({ call }) => call.lane === 'limit' && call.key === key);
      const times = flying.map(({ sentAt }) => sentAt);
      assert.ok(
        times.every((at, i) => i === 0 || at - times[i - 1] >= OVERTAKEN_MS),
        'limits of a key go out one after another, or 2 s apart',
      );
      const open = [...calls.values()].filter((c) => c.lane === 'limit' && c.key === key && !ends.has(c.id));
      assert.ok(open.length <= flying.length + 1, 'and one waits at most');
      const newest = Math.max(
        0,
        ...[...calls.values()].filter((c) => c.lane === 'limit' && c.key === key).map((c) => c.id),
      );
      const end = ends.get(newest);
      assert.ok(!end || end.ok || end.error !== 'replaced', 'the newest limit is never the one that is dropped');
    }
    const waiting = [...calls.values()].filter((c) => !ends.has(c.id) && !inFlight.some((f) => f.call === c));
    const ordinary = waiting.filter((c) => c.lane === 'ordinary');
    if (ordinary.length > 0) assert.ok(inFlight.length > 0, 'nothing waits for nothing');
    for (const { call, sentAt } of inFlight) assert.ok(now - sentAt <= call.timeout * 1000 + 250, 'timeouts are kept');
  }
}

describe('OCPP lanes, as a property', () => {
  it('every call ends once; the newest limit is never dropped and waits for its own key only', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), run), { numRuns: 1500, seed: 6 });
  });
});
