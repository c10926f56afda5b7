/** Control loops with a named defect each, by the safety rule that they break: the judge of sites must catch each. */
import { isSilent } from '../../core/charger-draw.ts';
import {
  type ChargerInput,
  type Controller,
  type Decision,
  onCharger,
  onMeter,
  type PerPhase,
  type SetpointOut,
} from '../../core/index.ts';
import type { MeterInput } from '../../core/meter-track.ts';
import { perPhase } from '../../core/units.ts';
import type { SiteDayOptions } from '../../simulator/site-day.ts';

type Variant = Omit<SiteDayOptions, 'seed'> & { seeds?: number[] };

/** Every set-point goes through `change`. */
const told = (
  change: (setpoint: SetpointOut, controller: Controller, now: number) => Partial<SetpointOut>,
): Variant['broken'] => ({
  after: (decision, controller, now) => ({
    ...decision,
    setpoints: decision.setpoints.map((s) => ({ ...s, ...change(s, controller, now) })),
  }),
});
const heard = (change: (input: MeterInput) => MeterInput): Variant['broken'] => ({
  onMeter: (controller, id, input, now) => onMeter(controller, id, change(input), now),
});
const reported = (change: (input: ChargerInput) => ChargerInput): Variant['broken'] => ({
  onCharger: (controller, id, input, now) => onCharger(controller, id, change(input), now),
});
const forgetful = (before: (controller: Controller, now: number) => void): Variant['broken'] => ({ before });
const eachCircuit = (change: (circuit: ReturnType<Controller['circuits']['get']> & object, now: number) => void) =>
  forgetful((controller, now) => {
    for (const circuit of controller.circuits.values()) change(circuit, now);
  });
/** A set-point that nobody asked for. */
const unasked = (id: string, current: number): SetpointOut => ({
  ...{ id, sequence: 0, current, validFor: 30, binding: '' },
  reason: { code: 'shared', args: {} },
});
const numbers = (x: number | null) => (x !== null && Number.isFinite(x) ? x : 0);
const cleaned = (input: MeterInput): MeterInput => ({
  current: [numbers(input.current[0]), numbers(input.current[1]), numbers(input.current[2])],
  ...(input.age ? { age: input.age.map((a) => Math.max(0, a)) as PerPhase } : {}),
});
const raisedTo = (most: number, decision: Decision): Decision => ({
  ...decision,
  setpoints: decision.setpoints.map((s) => ({ ...s, current: Math.max(most, s.current) })),
});

/** Small sites where one charger and the house are too much, whatever the others do. */
const OVERRUN: Variant = { only: 'ignoring', seeds: [186, 98], hours: 3 };

export const BROKEN_LOOPS: Record<string, Record<string, Variant>> = {
  S1: {
    'never below 16 A': { broken: told(({ current }) => ({ current: Math.max(16, current) })) },
    'is deaf on L2': { broken: heard((i) => ({ ...i, current: [i.current[0], 5, i.current[2]] })) },
  },
  S2: {
    'everything at once for whoever charges': { broken: told(({ current }) => ({ current: current > 0 ? 16 : 0 })) },
    'takes what was told for done: raises before the others have come down': {
      ...{ seeds: [13, 3], hours: 2 },
      broken: forgetful((controller) => {
        for (const track of controller.chargers.values()) {
          const { report, setpoint } = track;
          track.changes = [];
          if (report && setpoint !== undefined)
            track.report = {
              ...report,
              offer: setpoint,
              current: perPhase((p) => Math.min(setpoint, report.current[p])),
            };
        }
      }),
    },
    'believes the last reports alone, whatever was told and reported before': {
      ...{ seeds: [5, 6, 16], hours: 2 },
      broken: forgetful((controller) => {
        for (const track of controller.chargers.values())
          Object.assign(track, {
            changes: [],
            reports: track.reports.slice(-1),
            onlineSince: Number.NEGATIVE_INFINITY,
          });
      }),
    },
  },
  S3: {
    'halves what is short': { broken: told(({ current }) => ({ current: current < 10 ? current / 2 : current })) },
    'more than the charger may': { broken: told(({ current }) => ({ current: current === 16 ? 40 : current })) },
  },
  S4: {
    'forgets whoever is silent': {
      only: 'lostCharger',
      broken: forgetful((controller, now) => {
        for (const track of controller.chargers.values())
          if (track.report && isSilent(track, 15, now)) {
            track.setpoint = 0;
            track.changes = [];
            track.config = { ...track.config, safe: 0 };
            track.report = { ...track.report, current: [0, 0, 0], offer: 0 };
          }
      }),
    },
    'switches phases while the vehicle charges': { broken: told(({ current }) => (current > 0 ? { phases: 1 } : {})) },
    'takes every vehicle for one on its first phase': {
      broken: forgetful((controller) => {
        for (const track of controller.chargers.values()) track.provenPhases = [track.config.rotation[0]];
      }),
    },
  },
  S5: {
    'says everything once': {
      broken: {
        after: (decision) => ({
          ...decision,
          setpoints: decision.setpoints.filter((s) => s.reason.code === 'no-vehicle' || s.sequence % 7 === 0),
        }),
      },
    },
    'for a whole day': { broken: told(() => ({ validFor: 86_400 })) },
  },
  S6: {
    'starts with everything': {
      only: 'restart',
      broken: {
        after: (decision, controller, now) =>
          now - controller.startedAt < 5000
            ? { ...decision, setpoints: [...controller.chargers.values()].map(({ config }) => unasked(config.id, 16)) }
            : decision,
      },
    },
    'takes up again with a little more': {
      ...{ only: 'restart', seeds: [5, 6, 1] },
      broken: told((s, controller, now) => (now - controller.startedAt < 5000 ? { current: s.current + 2 } : s)),
    },
  },
  S7: {
    'does not hear of a stop': { broken: reported((input) => ({ ...input, stoppedBy: undefined })), hours: 5 },
    'starts again what is stopped': {
      hours: 5,
      broken: {
        after: (decision, controller) => ({
          ...decision,
          setpoints: [
            ...decision.setpoints,
            ...[...controller.chargers.values()].filter((t) => t.report?.stoppedBy).map((t) => unasked(t.config.id, 6)),
          ],
        }),
      },
    },
  },
  S8: {
    'takes what is no number for 0': { only: 'rubbish', broken: heard(cleaned) },
    'forgets its meter when it hears rubbish': {
      only: 'rubbish',
      broken: {
        onMeter(controller, id, input, now) {
          try {
            return onMeter(controller, id, input, now);
          } catch (error) {
            for (const circuit of controller.circuits.values()) circuit.meter?.samples[0].pop();
            throw error;
          }
        },
      },
    },
  },
  S9: {
    'never pauses': { only: 'silentMeter', broken: told(({ current }) => ({ current: Math.max(6, current) })) },
    'believes the last reading for ever': {
      only: 'silentMeter',
      broken: eachCircuit(({ meter }, now) => {
        for (const list of meter?.samples ?? []) {
          const last = list.at(-1);
          if (last && now - last.at > 3000) list.push({ at: now, value: last.value });
        }
      }),
    },
  },
  S10: {
    'has no backstop': {
      ...OVERRUN,
      broken: eachCircuit((circuit) => {
        circuit.backstop = 'none';
      }),
    },
    'counts an overload anew each time': {
      ...OVERRUN,
      broken: eachCircuit((circuit) => {
        circuit.overSince = undefined;
      }),
    },
  },
  S11: {
    'keeps it to itself': { only: 'reversed', broken: { after: (decision) => ({ ...decision, alerts: [] }) } },
    'turns the sign round unseen': {
      only: 'reversed',
      broken: heard((i) => ({ ...i, current: i.current.map((x) => x && Math.abs(x)) as unknown as PerPhase })),
    },
  },
  S12: {
    'takes what is kept of a meter for new': {
      only: 'repeatedMeter',
      broken: heard(({ current }) => ({ current })),
    },
    'takes an old report for new': { only: 'oldReport', broken: reported(({ age: _, ...input }) => input) },
  },
  S13: {
    'believes a frozen meter': {
      only: 'frozenMeter',
      broken: eachCircuit((circuit) => {
        circuit.suspectSince = undefined;
        circuit.mismatches = 0;
      }),
    },
    'tells it and goes on': {
      only: 'frozenMeter',
      broken: {
        after: (decision, controller) =>
          [...controller.circuits.values()].some((c) => c.suspectSince !== undefined)
            ? raisedTo(16, decision)
            : decision,
      },
    },
  },
};
