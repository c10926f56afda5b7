import {
  type ChargerTrack,
  hearCharger,
  type Session,
  type SessionReport,
  type SessionWorld,
  zoneOffset,
} from '../../core/index.ts';

export const START = Date.UTC(2026, 10, 27, 5, 30);
export const HOUR = 3_600_000;
export const WORLD: SessionWorld = { offset: (at) => zoneOffset(at, 'Europe/Berlin'), prices: [], currency: 'EUR' };

/** What a program keeps of one charger: in memory, and on a disk that outlives it. */
export class Keeper {
  track: ChargerTrack = {};
  ended: Session[] = [];
  readonly world: SessionWorld;
  #disk: ChargerTrack = {};
  #idleAt = 0;

  constructor(world = WORLD) {
    this.world = world;
  }

  hear(report: SessionReport, now: number): void {
    const { track, ended, began } = hearCharger(this.track, 'box', report, now, this.world);
    this.track = track;
    this.ended.push(...ended);
    const saved = this.#disk.open;
    const far = track.open && saved && Math.abs(track.open.energy - saved.energy) >= 75;
    const idle = track.idle && now - this.#idleAt >= 300_000;
    if (idle) this.#idleAt = now;
    if (began || ended.length > 0 || far || idle) this.#save();
  }

  #save(): void {
    const { open, idle } = this.track;
    const last = this.ended.at(-1);
    const kept = last && { at: last.end ?? 0, counter: last.counter, register: last.register };
    const later = kept && idle && idle.at > kept.at ? idle : (kept ?? idle);
    this.#disk = JSON.parse(JSON.stringify(open ? { open } : { idle: later }));
  }

  /** Killed at this moment, and started again. */
  restart(): void {
    const track: ChargerTrack = JSON.parse(JSON.stringify(this.#disk));
    if (track.open) {
      track.open.resumed = true;
      delete track.open.back;
    }
    this.track = track;
  }

  all(): Session[] {
    return [...this.ended, ...(this.track.open ? [this.track.open] : [])];
  }
}
