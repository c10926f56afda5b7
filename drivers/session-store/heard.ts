/** What is heard while there is no store: as few reports as tell the same sessions later, and the prices of that time. */
import type { Price } from '../../core/policies/policy.ts';
import type { SessionReport } from '../../core/sessions.ts';

export type Heard = { at: number } & (
  | { charger: string; report: SessionReport }
  | { prices: readonly Price[]; currency: string | undefined }
);
type HeardReport = Extract<Heard, { report: unknown }>;

/** About 10 MB; a charger in use needs 120 an hour. The oldest go first: counters tell the energy all the same. */
const MOST_REPORTS = 20_000;
const MOST_PRICE_LISTS = 200;
/** A charger's report is worth keeping beside the one before after this time. */
const APART_MS = 30_000;

export class HeardMeanwhile {
  readonly #reports: HeardReport[] = [];
  readonly #lastTwo = new Map<string, [HeardReport | undefined, HeardReport]>();
  readonly #prices: Extract<Heard, { prices: unknown }>[] = [];

  report(charger: string, report: SessionReport, at: number): void {
    const [before, last] = this.#lastTwo.get(charger) ?? [];
    const next = { at, charger, report };
    if (before && last && isBetween(before, last, next)) {
      Object.assign(last, next);
      return;
    }
    this.#reports.push(next);
    this.#lastTwo.set(charger, [last, next]);
    if (this.#reports.length > MOST_REPORTS) this.#reports.shift();
  }

  price(prices: readonly Price[], currency: string | undefined, at: number): void {
    this.#prices.push({ at, prices, currency });
    if (this.#prices.length > MOST_PRICE_LISTS) this.#prices.shift();
  }

  /** Everything, the earliest first; then nothing is left. */
  take(): Heard[] {
    this.#lastTwo.clear();
    return [...this.#prices.splice(0), ...this.#reports.splice(0)].sort((a, b) => a.at - b.at);
  }
}

/** Whether the middle one of three tells nothing that the other two do not. */
function isBetween(before: HeardReport, last: HeardReport, next: HeardReport): boolean {
  if (!goesOn(before.report, last.report) || !goesOn(last.report, next.report)) return false;
  const { energy, register, state } = next.report;
  // An empty charger has nothing to tell for as long as it is empty.
  const empty = state === 'A' && energy === before.report.energy && register === before.report.register;
  return empty || Math.abs(next.at - before.at) < APART_MS;
}

const SAME = ['online', 'state', 'session', 'user', 'fault', 'stoppedBy'] as const satisfies (keyof SessionReport)[];

function goesOn(a: SessionReport, b: SessionReport): boolean {
  return (
    SAME.every((key) => a[key] === b[key]) &&
    a.offer > 0 === b.offer > 0 &&
    b.energy >= a.energy &&
    (a.register ?? -1) <= (b.register ?? -1) &&
    (a.register === undefined) === (b.register === undefined) &&
    Math.abs(b.power - a.power) <= Math.max(100, a.power / 10)
  );
}
