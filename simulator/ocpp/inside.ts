/** What the commands of a simulated station may see and do of it. */
import type { Connector, Inside, StopReason } from './connector.ts';
import type { JsonObject } from './frames.ts';
import type { Limit } from './profiles.ts';

export interface StationInside extends Inside {
  readonly connectors: readonly Connector[];
  readonly services: ServiceState;
  /** Of connector 0. */
  inoperative: boolean;
  /** What GetCompositeSchedule tells of a connector (0: the station) at a moment, never above what it can offer. */
  composite(connector: number, at: number): Limit;
  /** Ends what runs and restarts. */
  reboot(reason: StopReason, now: number): void;
  bootNotification(now: number, triggered: boolean): void;
  heartbeat(): void;
  /** Authorises, then starts on a connector; without a plugged vehicle it waits for one. */
  present(connector: Connector, idTag: string, remote: boolean, now: number): void;
  /** Sends something `ms` from now. */
  later(now: number, ms: number, action: string, payload: JsonObject): void;
}

/** Lists and jobs outside the charging itself. */
export interface ServiceState {
  listVersion: number;
  list: Map<string, string>;
  failedReads: number;
  certificates: JsonObject[];
  firmwareStatus: string;
  diagnosticsStatus: string;
}
