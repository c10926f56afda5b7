/** Somebody who does what the check says, on a home or a site in virtual time. */
import type { CheckStep } from '../../core/commissioning/view.ts';
import type { CheckCommand, CheckView, Sentence, Verdict } from '../../core/index.ts';
import type { Phase } from '../../core/units.ts';
import { COMMISSIONING } from '../../messages/index.ts';

/** What is checked. */
export interface Checked {
  readonly now: number;
  run(seconds: number): void;
  view(): CheckView;
  command(command: CheckCommand): void;
  /** A known load of so many A on a phase. */
  switch(phase: Phase, current: number): void;
}

export const START: CheckCommand = { command: 'start', installer: 'A. Volta', epoch: Date.UTC(2026, 10, 22, 9) };

export interface Habits {
  /** A of the known load. */
  load?: number;
  /** Steps that are skipped, by code. */
  skips?: (step: CheckStep) => boolean;
  /** Done when a step is first shown. */
  meets?: (step: CheckStep) => void;
  /** s that the whole may take. */
  patience?: number;
}

/** Goes through the check as it asks, until it is over. Returns what is shown then. */
export function goThrough(home: Checked, habits: Habits = {}): CheckView {
  const { load = 8.7, skips = () => false, meets, patience = 3600 } = habits;
  const end = home.now + patience * 1000;
  let seen = 0;
  while (home.view().state === 'running') {
    if (home.now > end) throw new Error(`still at ${JSON.stringify(home.view().step)}`);
    const step = home.view().step as CheckStep;
    if (step.number !== seen) {
      seen = step.number;
      complete(step);
      const { note } = home.view();
      if (note) complete(note);
      meets?.(step);
      if (skips(step)) home.command({ command: 'skip', step: step.number });
      else if (step.next) act(home, step, load);
    }
    home.run(0.5);
  }
  const view = home.view();
  for (const { remedy, effect, ...verdict } of view.verdicts)
    for (const sentence of [verdict, remedy, effect]) if (sentence) complete(sentence);
  return view;
}

/** Every sentence is there, and each of its gaps is filled. */
function complete({ code, args }: Sentence): void {
  for (const text of COMMISSIONING[code] ?? ['{missing}'])
    for (const [, gap] of text.matchAll(/\{(\w+)\}/g))
      if (!Object.hasOwn(args, gap) || String(args[gap]) === '') throw new Error(`${code}: nothing for {${gap}}`);
}

function act(home: Checked, step: CheckStep, load: number): void {
  const { code, args } = step;
  // It takes a while to get to the socket.
  home.run(3);
  if (code === 'load-on') home.switch(args.phase as Phase, load);
  if (code === 'load-off' || code === 'load-reset') for (const p of ['L1', 'L2', 'L3'] as const) home.switch(p, 0);
  home.run(2);
  home.command({ command: 'next', step: home.view().step?.number });
}

/** `order: proven order-proven` of every verdict on a meter or charger. */
export function said(view: CheckView, id: string): Record<string, string> {
  return Object.fromEntries(view.verdicts.filter((v) => v.id === id).map((v) => [v.check, `${v.result} ${v.code}`]));
}

export function verdict(view: CheckView, id: string, check: Verdict['check']): Verdict {
  const found = view.verdicts.find((v) => v.id === id && v.check === check);
  if (!found) throw new Error(`no verdict on ${check} of ${id}`);
  return found;
}
