/** The check in words and figures: `commissioning/state`, alerts, and what the canvas shows. */
import type { CheckView, Outcome, Sentence } from '../../core/index.ts';
import {
  COMMISSIONING,
  COMMISSIONING_WORDS,
  type CommissioningState,
  type Language,
  type Reason,
  sentence,
} from '../../messages/index.ts';
import type { Device } from './devices.ts';

/** What of the site is named in sentences and in the protocol. */
export interface Names {
  language: Language;
  site: { name: string; timeZone: string };
  /** Name of a circuit by its id. */
  circuit(id: string): string;
  devices: Device[];
}

/** A sentence with its text; circuits by the name people gave them, numbers as the language writes them. */
export function worded({ code, args }: Sentence, names: Names): Reason {
  const shown = Object.fromEntries(
    Object.entries(args).map(([key, value]) => [key, shownAs(key, value, names)] as const),
  );
  return { code, args, text: sentence(COMMISSIONING, names.language, code, shown).slice(0, 500) };
}

function shownAs(key: string, value: string | number, { language, circuit }: Names): string {
  if (key === 'circuit') return circuit(String(value));
  if (typeof value === 'string') return value;
  const signDisplay = key === 'deviation' ? 'always' : 'auto';
  return value.toLocaleString(language, { maximumFractionDigits: 1, signDisplay });
}

/** The whole picture for pages and histories. `at`: epoch ms. */
export function stateOf(view: CheckView, names: Names, at: number): CommissioningState {
  const { state, step, note, progress, live, verdicts, unchecked, outcome } = view;
  const { language, site, circuit } = names;
  return {
    at,
    state,
    language,
    site,
    ...(step ? { step: { ...worded(step, names), number: step.number, next: step.next, skip: step.skip } } : {}),
    ...(note ? { note: worded(note, names) } : {}),
    ...(progress ? { progress } : {}),
    meters: live.meters.map((m) => ({
      id: m.id,
      circuit: circuit(m.circuit),
      current: rounded(m.current),
      ...(m.change ? { change: rounded(m.change) } : {}),
    })) as CommissioningState['meters'],
    chargers: live.chargers.map((c) => ({ ...c, current: rounded(c.current) })) as CommissioningState['chargers'],
    verdicts: verdicts.map(({ item, id, check, result, void: isVoid, remedy, effect, ...said }) => ({
      item,
      id,
      check,
      result,
      checkText: sentence(COMMISSIONING_WORDS, language, check, {}),
      resultText: sentence(COMMISSIONING_WORDS, language, result, {}),
      void: isVoid,
      ...worded(said, names),
      ...(remedy ? { remedy: worded(remedy, names) } : {}),
      ...(effect ? { effect: worded(effect, names) } : {}),
    })),
    unchecked,
    ...(outcome ? { protocol: protocolOf(outcome, names.devices) } : {}),
  };
}

function protocolOf({ startedAt, finishedAt, installer, evidence }: Outcome, devices: Device[]) {
  const chargers = Object.entries(evidence.chargers);
  return {
    startedAt,
    finishedAt,
    installer,
    devices,
    loads: evidence.loads.map(({ meter, phase, change, channel }) => ({
      meter,
      phase,
      change: rounded(change) as [number, number, number],
      seen: channel !== undefined,
    })),
    steps: chargers.flatMap(([charger, { levels }]) =>
      levels.map(({ setpoint, current, meters }) => ({
        charger,
        setpoint,
        current: rounded(current) as [number, number, number],
        meters: Object.fromEntries(
          Object.entries(meters).map(([id, shown]) => [id, rounded(shown) as [number, number, number]]),
        ),
      })),
    ),
    reactions: chargers.flatMap(([charger, { reactions }]) =>
      reactions.map(({ from, to, most }) => ({
        charger,
        from,
        to,
        seconds: Number.isFinite(most) ? tenth(most) : null,
      })),
    ),
  };
}

function rounded(values: readonly (number | null)[]): (number | null)[] {
  return values.map((value) => (value === null ? null : tenth(value)));
}

function tenth(value: number): number {
  return Math.round(10 * value) / 10;
}

/** Something wrong: of which meter or charger, and the sentences that say so. */
export type Alert = { id: string } & Reason;

/** What is wrong and still configured as it was then: by source and code, the sentence with what to do. */
export function alertsOf({ verdicts }: CheckView, names: Names): Map<string, Alert> {
  const wrong = verdicts.filter((v) => v.result === 'wrong' && !v.void);
  return new Map(
    wrong.map((v) => {
      const said = worded(v, names);
      const text = [said.text, v.remedy && worded(v.remedy, names).text, v.effect && worded(v.effect, names).text];
      return [`${v.id} ${v.code}`, { id: v.id, ...said, text: text.filter(Boolean).join(' ').slice(0, 500) }] as const;
    }),
  );
}

/** What an installer should see on the canvas. */
export function statusOf(view: CheckView) {
  const { state, step, progress, verdicts } = view;
  if (step && progress) {
    const text = `${Math.min(progress.done + 1, progress.total)}/${progress.total}: ${step.code}`;
    return { fill: 'blue' as const, shape: 'dot' as const, text };
  }
  if (state === 'never') return { fill: 'grey' as const, shape: 'ring' as const, text: 'never checked' };
  const valid = verdicts.filter((v) => !v.void);
  const wrong = valid.filter((v) => v.result === 'wrong').length;
  const open = valid.filter((v) => v.result === 'not-proven').length + (verdicts.length - valid.length);
  if (wrong > 0) return { fill: 'red' as const, shape: 'dot' as const, text: `${wrong} wrong: see the protocol` };
  if (open > 0) return { fill: 'yellow' as const, shape: 'dot' as const, text: `${open} not proven` };
  return { fill: 'green' as const, shape: 'dot' as const, text: 'all proven' };
}
