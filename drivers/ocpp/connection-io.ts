/** What a connection to a station needs, and what it tells. */
import type { RateLimit } from './rate.ts';
import type { CallAnswer, StationResponse } from './station-io.ts';

/** What a connection needs of a WebSocket. */
export interface StationSocket {
  /** Bytes that were sent and not taken yet. */
  readonly bufferedAmount: number;
  send(text: string): void;
  ping(): void;
  pause(): void;
  resume(): void;
  close(code: number, reason: string): void;
  terminate(): void;
}

export interface Clock {
  /** ms, monotonic. */
  now(): number;
  /** Epoch ms. */
  wallClock(): number;
}

export const SYSTEM_CLOCK: Clock = { now: () => performance.now(), wallClock: () => Date.now() };

export interface ConnectionOptions {
  /** Repair what is unambiguous. Default true. */
  tolerant?: boolean;
  rate?: RateLimit;
  /** Bytes that may wait for a station that does not read. Default 256 KB. */
  maxBuffered?: number;
  /** s of silence after which the station is pinged; 0 = never. Default 30. */
  pingInterval?: number;
  /** s from a ping until a station that stays silent counts as gone. Default 20. */
  pingTimeout?: number;
}

/** The answer to a call, and what is to be done once it is on its way. */
export interface Reply {
  response: StationResponse;
  after?: () => void;
}

export type FaultKind =
  /** No frame of OCPP-J. */
  | 'malformed'
  /** A payload that is not as specified: refused, or repaired. */
  | 'refused'
  | 'repaired'
  /** Too many frames: throttled, then closed. */
  | 'throttled'
  | 'flood'
  /** The station does not read what it is sent: closed. */
  | 'not-reading'
  /** Nothing is heard, not even the answer to a ping: closed. */
  | 'silent'
  /** Our own handler, or a call or answer of ours that is not as specified. */
  | 'internal';

export interface ConnectionEnds {
  /** A checked call. May throw or reject: the station gets an InternalError. */
  request(action: string, payload: object): Reply | Promise<Reply>;
  answered(id: number, answer: CallAnswer): void;
  fault(kind: FaultKind, detail: string): void;
}
