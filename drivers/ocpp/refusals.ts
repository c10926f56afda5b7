/** Which stations were refused: told once for each reason, and its end when the station gets in. */
import { AlertLatch, type DriverAlert, REPEAT_MS } from '../alert.ts';
import type { Refusal } from './admission.ts';

/** Identities that are remembered; somebody who tries names must not fill the memory or the log. */
const MAX_IDENTITIES = 500;
/** Alerts within a minute, whatever the identity. */
const MAX_PER_MINUTE = 30;
/** ms without another attempt after which a refusal is over; stations try again within some minutes. */
const OVER_MS = 15 * 60_000;
const LOOK_MS = 10_000;

interface Refused {
  latch: AlertLatch;
  /** The latest attempt, ms. */
  at: number;
}

export class Refusals {
  readonly #alert: (alert: DriverAlert, identity?: string) => void;
  readonly #refused = new Map<string, Refused>();
  #lookedAt = 0;
  #minute = 0;
  #told = 0;

  constructor(alert: (alert: DriverAlert, identity?: string) => void) {
    this.#alert = alert;
  }

  /** `now`: ms. */
  add({ status, reason }: Refusal, address: string, identity: string | undefined, now: number): void {
    this.raise({ severity: 'warning', code: `ocpp-refused-${status}`, args: { address, reason } }, identity, now);
  }

  /** Something else that keeps a station out. */
  raise(alert: Omit<DriverAlert, 'active'>, identity: string | undefined, now: number): void {
    const minute = Math.floor(now / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#told = 0;
    }
    const known = this.#refused.get(identity ?? '');
    if (known) known.at = now;
    if (this.#told >= MAX_PER_MINUTE) return;
    const { latch } = known ?? this.#add(identity ?? '', now);
    for (const raised of latch.raise(alert, now, REPEAT_MS)) {
      this.#told += 1;
      this.#alert(raised, identity);
    }
  }

  /** The station has got in. */
  over(identity: string): void {
    const refused = this.#refused.get(identity);
    if (refused) this.#end(identity, refused);
  }

  /** Who does not try any more, or has no name to get in under, is refused no longer. */
  tick(now: number): void {
    if (now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    for (const [identity, refused] of this.#refused) if (now - refused.at >= OVER_MS) this.#end(identity, refused);
  }

  #add(identity: string, now: number): Refused {
    const refused = { latch: new AlertLatch(), at: now };
    this.#refused.set(identity, refused);
    if (this.#refused.size > MAX_IDENTITIES) {
      const [oldest, its] = this.#refused.entries().next().value as [string, Refused];
      this.#end(oldest, its);
    }
    return refused;
  }

  #end(identity: string, { latch }: Refused): void {
    this.#refused.delete(identity);
    for (const { code } of latch.active()) {
      for (const alert of latch.clear(code)) this.#alert(alert, identity === '' ? undefined : identity);
    }
  }
}
