/** Something a person should know about a device; the node adds time and text. */
export interface DriverAlert {
  severity: 'info' | 'warning' | 'error';
  code: string;
  args: Record<string, string | number | boolean>;
  active: boolean;
}

/** How long a cause that comes and goes with every message stays unmentioned, ms: it must not flood a log. */
export const REPEAT_MS = 30_000;

/** Raises each alert once and clears it once, however often its cause repeats. */
export class AlertLatch {
  readonly #active = new Map<string, DriverAlert>();
  readonly #raisedAt = new Map<string, number>();

  /** The alert, if it is new. Within `holdOff` ms of the last time the same code is not raised again. */
  raise(alert: Omit<DriverAlert, 'active'>, now: number, holdOff = 0): DriverAlert[] {
    if (this.#active.has(alert.code)) return [];
    const last = this.#raisedAt.get(alert.code);
    if (last !== undefined && now - last < holdOff) return [];
    const raised = { ...alert, active: true };
    this.#active.set(alert.code, raised);
    this.#raisedAt.set(alert.code, now);
    return [raised];
  }

  /** The end of the alert, if it was active. */
  clear(code: string): DriverAlert[] {
    const alert = this.#active.get(code);
    if (!alert) return [];
    this.#active.delete(code);
    return [{ ...alert, active: false }];
  }

  active(): DriverAlert[] {
    return [...this.#active.values()];
  }
}

/** Remembers which sources last sent something that could not be believed. */
export class BadSources {
  readonly #bad = new Set<string>();

  add(source: string): void {
    if (this.#bad.size < 200) this.#bad.add(source);
  }

  /** True when this was the last bad source. */
  good(source: string): boolean {
    return this.#bad.delete(source) && this.#bad.size === 0;
  }
}
