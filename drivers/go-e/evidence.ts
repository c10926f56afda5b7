/** What is concluded from a charger's reports where it does not say so itself. Pure; times in ms, monotonic. */
import { PHASES, type Phase } from '../../core/units.ts';
import type { GoEWrite } from './codec.ts';
import { type GoEStatus, phasesInUse } from './status.ts';

/** A vehicle that starts may draw on one phase first: until then its phases are not known. */
const PHASES_KNOWN_MS = 6000;

/** Grid phases that the vehicle uses, once it has charged for a while. */
export class UsedPhases {
  readonly #rotation: readonly Phase[];
  #since: number | undefined;
  #seen: { phase: Phase; at: number }[] = [];

  constructor(rotation: readonly Phase[]) {
    this.#rotation = rotation;
  }

  note(status: GoEStatus, now: number): void {
    if (status.car !== 2) {
      this.#since = undefined;
      this.#seen = [];
      return;
    }
    const used = phasesInUse(status, this.#rotation) ?? [];
    if (used.length) this.#since ??= now;
    const recent = this.#seen.filter((p) => now - p.at <= PHASES_KNOWN_MS && !used.includes(p.phase));
    this.#seen = [...recent, ...used.map((phase) => ({ phase, at: now }))];
  }

  /** Undefined until known. */
  phases(now: number): Phase[] | undefined {
    if (this.#since === undefined || now - this.#since < PHASES_KNOWN_MS) return undefined;
    const used = PHASES.filter((phase) => this.#seen.some((p) => p.phase === phase));
    return used.length ? used : undefined;
  }
}

/** A vehicle follows a lower limit within this time at the latest, so what it draws then tells the limit. */
const OVERDRAW_MS = 10_000;

/** v2 reports a raised limit once; if that report is lost, the current shows it (a vehicle may exceed by 10 % + 0.5 A). */
export class Overdraw {
  #since: number | undefined;

  /** The limit that must be in force, A; undefined when the reported one explains the current. */
  limit(status: GoEStatus, now: number): number | undefined {
    const drawn = Math.max(...(status.current ?? [0]));
    if (status.limit === undefined || drawn <= status.limit * 1.1 + 1) {
      this.#since = undefined;
      return undefined;
    }
    this.#since ??= now;
    if (now - this.#since < OVERDRAW_MS) return undefined;
    this.#since = undefined;
    return Math.ceil(drawn);
  }
}

/** How long a report may be missing after an answered write until the answer itself is believed. */
const ANSWER_MS = 3000;

/**
 * Answers to v2 writes. The report of a written value can be lost, and an unchanged value is not reported again: then
 * the answer counts. Answers do not say which write they answer: only writes of one value may be under way.
 */
export class Answers {
  #writes = new Map<string, { value: number; at: number; mixedUntil: number }>();
  #answers = new Map<string, { value: number; at: number }>();

  written(write: GoEWrite, now: number): void {
    const last = this.#writes.get(write.key);
    const mixed = last !== undefined && last.value !== write.value && now - last.at < ANSWER_MS;
    const mixedUntil = mixed ? now + ANSWER_MS : (last?.mixedUntil ?? 0);
    this.#writes.set(write.key, { value: write.value, at: now, mixedUntil });
    this.#answers.delete(write.key);
  }

  wrote(key: string): boolean {
    return this.#writes.has(key);
  }

  answered(key: string, now: number): void {
    const write = this.#writes.get(key);
    if (!write || now < write.mixedUntil || this.#answers.has(key)) return;
    this.#answers.set(key, { value: write.value, at: now });
  }

  /** The value itself was reported. */
  reported(key: string): void {
    this.#answers.delete(key);
  }

  /** Answers whose report is missing. */
  due(now: number): { key: string; value: number }[] {
    const due: { key: string; value: number }[] = [];
    for (const [key, { value, at }] of this.#answers) {
      if (now - at < ANSWER_MS) continue;
      this.#answers.delete(key);
      due.push({ key, value });
    }
    return due;
  }
}
