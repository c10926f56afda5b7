/** A charging session, from a vehicle's coming to its leaving, as plain JSON-safe data. Epoch ms, Wh, W. */
import type { Price } from '../policies/policy.ts';

/**
 * Why charging was over when the vehicle left: it was still charging (`unplugged`), it took nothing more although it could
 * (`vehicle`), a person, an energy limit or the charger itself held it, a fault; `unheard`: it left while nobody listened.
 */
export const END_CAUSES = ['unplugged', 'vehicle', 'user', 'energy', 'device', 'fault', 'unheard'] as const;
export type EndCause = (typeof END_CAUSES)[number];

export interface Session {
  /** Charger and start: the same after every restart. */
  id: string;
  charger: string;
  user?: string;
  start: number;
  /** Minutes that the site's clocks were ahead of UTC then. */
  startOffset: number;
  /** Absent: it goes on. */
  end?: number;
  endOffset?: number;
  energy: number;
  /** How long current flowed, ms. */
  chargingMs: number;
  peakPower: number;
  /** Price of `pricedEnergy`, the part whose price was known at its time. */
  cost: number;
  pricedEnergy: number;
  currency?: string;
  endedBy?: EndCause;
  /** What the charger counted last: shows later whether it has begun to count anew. */
  counter: number;
  register?: number;
}

/** What is known of a session that goes on beyond what is told of it. */
export interface Progress {
  /** The last report that was booked. */
  heardAt: number;
  power: number;
  /** Wh by the charger's session counter, and whether that was seen to move. */
  counted: number;
  moved: boolean;
  /** Wh on the register when the session began. */
  registerStart?: number;
  /** Wh by power and time. */
  integrated: number;
  transaction?: string;
  /** Why nothing flows now. */
  cause?: EndCause;
  /**
   * When the charger was last known to be empty, where nobody listened since: what its register shows beyond this session is
   * another one's, which came and went. `seenAt`: since when the register is heard. Absent: that is settled.
   */
  empty?: { at: number; register: number; seenAt?: number };
}

export interface OpenSession extends Session {
  progress: Progress;
  /** It comes from the disk, and its charger was not heard since. */
  resumed?: boolean;
  /** Since when the counter reads less than before: not believed at once. */
  back?: { since: number };
}

/** What is known of one charger. */
export interface ChargerTrack {
  open?: OpenSession;
  /** What the charger counted when it was last known to be empty. `more`: since when its register shows more. */
  idle?: { at: number; counter: number; register?: number; more?: { since: number } };
}

/** Of `charger/<id>`, what sessions are made of. */
export interface SessionReport {
  online: boolean;
  /** IEC 61851-1. */
  state: 'A' | 'B' | 'C' | 'D' | 'E' | 'F';
  power: number;
  /** Wh of this session by the charger's own counter. */
  energy: number;
  register?: number;
  /** A offered to the vehicle. */
  offer: number;
  session?: string;
  user?: string;
  fault?: string;
  stoppedBy?: 'user' | 'energy' | 'device';
}

/** What of the site matters to a session. */
export interface SessionWorld {
  /** Minutes that the site's clocks are ahead of UTC at a moment. */
  offset(at: number): number;
  /** Epoch ms; per kWh. */
  prices: readonly Price[];
  currency?: string;
}

/** What a report has changed. */
export interface Heard {
  track: ChargerTrack;
  /** Sessions that are over now. */
  ended: Session[];
  began: boolean;
}

/** Mean power while current flowed, W; never above the peak that was seen. */
export function averagePower({ energy, chargingMs, peakPower }: Session): number {
  if (!(chargingMs > 0)) return 0;
  const mean = (energy * 3_600_000) / chargingMs;
  return peakPower > 0 ? Math.min(mean, peakPower) : mean;
}
