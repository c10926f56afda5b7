/** What follows from evidence and answers for a connector: another way, what is remembered, what people are told. */
import { AlertLatch, type DriverAlert } from '../alert.ts';
import type { Limiter } from './limits/limiter.ts';
import type { Verdict } from './limits/obedience.ts';
import { isSameRung, type Rung, rungKey } from './limits/rung.ts';
import { fieldOf, textOf } from './meter-values.ts';
import type { StationRecord } from './record.ts';
import type { CallAnswer } from './station-io.ts';

/** So many calls in a row without an answer are told. */
const UNANSWERED = 3;

export class Verdicts {
  readonly #limiter: Limiter;
  readonly #safe: number;
  readonly #alerts = new AlertLatch();
  /** It takes nothing: that counts as not obeying. */
  #flagged = false;

  /** `safe`: A. */
  constructor(limiter: Limiter, safe: number) {
    this.#limiter = limiter;
    this.#safe = safe;
  }

  /** It offers so much, A. `chargedFor`: s for which the vehicle has charged; `lag`: ms until a limit shows. */
  sees(seen: number, { learned }: StationRecord, chargedFor: number, lag: number, now: number): void {
    if (learned.fromStart || !this.#limiter.endsAtOnce(seen, chargedFor, lag, now)) return;
    learned.fromStart = true;
    this.#limiter.again();
  }

  believe(verdict: Verdict, record: StationRecord, now: number): DriverAlert[] {
    if (verdict === undefined) return [];
    const { obedience } = this.#limiter;
    if (verdict === 'obeys') {
      this.#limiter.obeyed();
      return [...this.#alerts.clear('not-obeying'), ...this.#alerts.clear('limit-without-effect')];
    }
    if (verdict === 'unaffected') {
      if (this.#limiter.unaffected(now)) return [];
      return this.#alerts.raise({ severity: 'warning', code: 'limit-without-effect', args: { safe: this.#safe } }, now);
    }
    this.#unlearn(record);
    this.#limiter.disobeyed(now);
    const { seen, allowed, evidence = 'measured' } = obedience;
    const args = { seen: Math.round(seen * 10) / 10, limit: Math.round(allowed * 10) / 10, evidence };
    return this.#alerts.raise({ severity: 'error', code: 'not-obeying', args }, now);
  }

  /** What it does not obey is not tried first by the next process. */
  #unlearn({ learned }: StationRecord): void {
    const rung = this.#limiter.rungInForce;
    if (rung && learned.overlay && isSameRung(rung, learned.overlay)) learned.overlay = undefined;
  }

  /** Whether the vehicle that charges is metered at all: who is not can only be taken at his word. */
  metered(isMetered: boolean, now: number): DriverAlert[] {
    if (isMetered) return this.#alerts.clear('not-metered');
    return this.#alerts.raise({ severity: 'warning', code: 'not-metered', args: {} }, now);
  }

  /** After a profile was accepted. Returns whether anything was learned. */
  learn({ learned }: StationRecord): boolean {
    const { acceptedBase, acceptedOverlay } = this.#limiter;
    const { base, overlay } = learned;
    if (acceptedBase) learned.base = acceptedBase;
    // One that was seen to work gives way only to another one that was.
    const seen = (r: Rung) => learned.proven.includes(rungKey(r));
    if (acceptedOverlay && acceptedOverlay !== overlay && (!overlay || !seen(overlay) || seen(acceptedOverlay)))
      learned.overlay = acceptedOverlay;
    return base !== learned.base || overlay !== learned.overlay;
  }

  /** After the answer to a profile: whether there is a way at all, and one that ends by itself. */
  answered(isAccepted: boolean, active: boolean, answer: CallAnswer, now: number): DriverAlert[] {
    const { base, overlay, acceptedOverlay } = this.#limiter;
    const status = answer.ok ? (textOf(fieldOf(answer.payload, 'status'), 120) ?? '') : answer.description;
    const args = { detail: status.slice(0, 120) };
    const alerts: DriverAlert[] = [];
    if (this.#limiter.unanswered >= UNANSWERED)
      alerts.push(...this.#alerts.raise({ severity: 'error', code: 'limit-unanswered', args: {} }, now));
    else if (this.#limiter.unanswered === 0) alerts.push(...this.#alerts.clear('limit-unanswered'));
    if (base.exhausted) alerts.push(...this.#alerts.raise({ severity: 'error', code: 'no-safe-default', args }, now));
    else if (isAccepted) alerts.push(...this.#alerts.clear('no-safe-default'));
    if (overlay.exhausted && active) alerts.push(...this.#flag(args, now));
    if (isAccepted && acceptedOverlay && !overlay.exhausted) {
      this.#unflag();
      alerts.push(...this.#alerts.clear('limit-not-supported'));
    }
    if (acceptedOverlay?.ends === 'none')
      alerts.push(...this.#alerts.raise({ severity: 'warning', code: 'no-dead-man', args: {} }, now));
    else if (isAccepted && acceptedOverlay) alerts.push(...this.#alerts.clear('no-dead-man'));
    return alerts;
  }

  #flag(args: DriverAlert['args'], now: number): DriverAlert[] {
    this.#flagged = true;
    this.#limiter.obedience.state = 'disproven';
    return this.#alerts.raise({ severity: 'error', code: 'limit-not-supported', args }, now);
  }

  #unflag(): void {
    const { obedience } = this.#limiter;
    if (this.#flagged && obedience.state === 'disproven') obedience.state = 'unproven';
    this.#flagged = false;
  }
}
