/**
 * The last ten minutes of a control loop in memory: chunks of up to ten minutes, each with the state at its begin and all that
 * came after it. The oldest goes when the others are enough, or are too much.
 */
import {
  type ChunkBegin,
  type Controller,
  chunkLine,
  type Decision,
  decisionLine,
  type Input,
  inputLine,
  snapshot,
  snapshotLines,
} from '../../core/index.ts';
import { Blocks } from './blocks.ts';

export interface HistoryBounds {
  /** What is there at least, where the others allow it, and how long a chunk is at most, ms. */
  keepMs: number;
  /** A chunk ends with as much, compressed, and the ones before it may hold as much together, bytes. */
  chunkBytes: number;
  /** A chunk ends with as many inputs and decisions. */
  chunkEvents: number;
  /** Share of the time that snapshots may take of the control loop: where one takes long, the next has to wait. */
  snapshotShare: number;
}

/** 16 MB and a million messages at most: ten minutes of about 2,000 chargers that report every five seconds. */
export const HISTORY_BOUNDS: HistoryBounds = {
  keepMs: 600_000,
  chunkBytes: 8_000_000,
  chunkEvents: 500_000,
  snapshotShare: 0.01,
};

interface Chunk {
  /** ms, monotonic. */
  at: number;
  because: ChunkBegin;
  state: Blocks;
  events: Blocks;
  count: number;
}

/** What a history covers. */
export interface Span {
  /** ms, monotonic. */
  from: number;
  to: number;
  /** Older messages had to go because there were so many. */
  shortened: boolean;
}

export class History {
  readonly #bounds: HistoryBounds;
  readonly #epochOf: (at: number) => number;
  #chunks: Chunk[] = [];
  /** Whose inputs and decisions the last chunk holds. */
  #controller: Controller | undefined;
  #to = Number.NEGATIVE_INFINITY;
  #nextSnapshot = Number.NEGATIVE_INFINITY;
  #dropped = false;

  /** `epochOf` gives the calendar's ms at a moment of the monotonic clock. */
  constructor(bounds: HistoryBounds, epochOf: (at: number) => number) {
    this.#bounds = bounds;
    this.#epochOf = epochOf;
  }

  /** Memory that it holds, bytes. */
  get bytes(): number {
    return this.#chunks.reduce((sum, { state, events }) => sum + state.bytes + events.bytes, 0);
  }

  /** Undefined while nothing was recorded. */
  get span(): Span | undefined {
    const from = this.#chunks[0]?.at;
    if (from === undefined) return undefined;
    return { from, to: this.#to, shortened: this.#dropped && this.#to - from < this.#bounds.keepMs };
  }

  /** Books an input that a controller has booked. One that is not being recorded yet begins with the next chunk. */
  heard(controller: Controller, input: Input): void {
    if (controller === this.#controller) this.#add(input.at, inputLine(input));
  }

  /** Books a decision, or the error that came instead. */
  decided(controller: Controller, at: number, decision: Decision | Error): void {
    if (controller === this.#controller) this.#add(at, decisionLine(at, decision));
  }

  /** Begins a chunk where one is due, with the controller as it is now: to be called after a decision, when there is time. */
  settle(controller: Controller, at: number): void {
    const because = this.#due(controller, at);
    if (because === undefined) return;
    if (at >= this.#nextSnapshot) this.#begin(controller, at, because);
    // What cannot be replayed from a state is not worth keeping.
    else if (because === 'site') this.#controller = undefined;
  }

  /** Everything so far as gzip members, which make up the recording after its header. */
  async members(): Promise<Buffer[]> {
    const parts = await Promise.all(this.#chunks.flatMap(({ state, events }) => [state.members(), events.members()]));
    return parts.flat();
  }

  #add(at: number, line: string): void {
    const chunk = this.#chunks[this.#chunks.length - 1];
    chunk.events.add(line);
    chunk.count += 1;
    this.#to = at;
  }

  #due(controller: Controller, at: number): ChunkBegin | undefined {
    const chunk = this.#chunks.at(-1);
    if (!chunk) return 'start';
    if (controller !== this.#controller) return 'site';
    if (at - chunk.at >= this.#bounds.keepMs) return 'time';
    const { chunkEvents, chunkBytes } = this.#bounds;
    return chunk.count >= chunkEvents || chunk.events.bytes >= chunkBytes ? 'size' : undefined;
  }

  #begin(controller: Controller, at: number, because: ChunkBegin): void {
    const started = performance.now();
    const moment = snapshot(controller);
    const duration = performance.now() - started;
    this.#nextSnapshot = at + duration / this.#bounds.snapshotShare;
    this.#dropOld(at);
    const chunk: Chunk = { at, because, state: new Blocks(), events: new Blocks(), count: 0 };
    chunk.state.add(chunkLine({ at, epoch: this.#epochOf(at), because }));
    chunk.state.addLater(snapshotLines(moment));
    this.#chunks.push(chunk);
    this.#controller = controller;
    this.#to = at;
  }

  /** Keeps of the chunks that have ended those that the last ten minutes are in, as far as there is room. */
  #dropOld(at: number): void {
    const { keepMs, chunkBytes } = this.#bounds;
    while (this.#chunks.length > 1 && this.#chunks[1].at <= at - keepMs) this.#chunks.shift();
    while (this.#chunks.length > 1 && this.bytes > chunkBytes) {
      this.#chunks.shift();
      this.#dropped = true;
    }
  }
}
