/**
 * The flight recorder of an allocator: it keeps the last ten minutes of what came in and what was decided, and writes them to a
 * file when something was wrong, with what was done about it. See docs/flight-recorder.md.
 */
import { type AlertEvent, type Controller, type Decision, headerLine, type Input } from '../../core/index.ts';
import { VERSION } from '../version.ts';
import { compress } from './blocks.ts';
import { type RecordingFile, RecordingFiles } from './files.ts';
import { HISTORY_BOUNDS, History, type HistoryBounds } from './history.ts';

export interface RecorderOptions {
  /** Where the files are. */
  folder: string;
  /** Whose they are: id of the allocator's node. */
  owner: string;
  /** Epoch ms at a moment of the monotonic clock that inputs and decisions have. */
  epochOf(at: number): number;
  /** Tells people what is wrong with the recorder, and that it is over. */
  warn(text: string): void;
  log(text: string): void;
  /** How long after its cause a recording ends, ms. */
  afterMs?: number;
  /** An alert that comes again sooner belongs to the same episode, ms. */
  episodeMs?: number;
  /** So many files are kept. */
  files?: number;
  bounds?: Partial<HistoryBounds>;
}

const AFTER_MS = 20_000;
const EPISODE_MS = 600_000;
const FILES = 10;
/** A header names so many causes. */
const MOST_CAUSES = 50;

type Cause = { at: number; code: string; source: string };

/** A recording that is under way: it is written at its cause, in case the fuse takes the power with it, and again when it ends. */
interface Episode {
  name: string;
  causes: Cause[];
  timer: NodeJS.Timeout;
}

/** Nothing in here throws into the control loop: what is wrong with the recorder is told once, and the loop goes on without. */
export class FlightRecorder {
  readonly #options: RecorderOptions;
  readonly #history: History;
  readonly #files: RecordingFiles;
  /** When each alert was last raised, by code, ms. */
  readonly #raisedAt = new Map<string, number>();
  /** Of the decisions since the last time there was time. */
  readonly #causes: Cause[] = [];
  #episode: Episode | undefined;
  #saving: Promise<string> | undefined;
  /** Writes one after another. */
  #written: Promise<unknown> = Promise.resolve();
  #stopped = false;
  #diskFault = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#history = new History({ ...HISTORY_BOUNDS, ...options.bounds }, options.epochOf);
    this.#files = new RecordingFiles(options.folder, options.owner, options.files ?? FILES);
  }

  /** Memory that the messages take, bytes. */
  get bytes(): number {
    return this.#history.bytes;
  }

  /** Books an input, after the controller has booked it. */
  heard(controller: Controller, input: Input): void {
    this.#guarded(() => this.#history.heard(controller, input));
  }

  /** Books a decision at `at` (ms, monotonic), or the error that came instead; to be called before it has any consequence. */
  decided(controller: Controller, at: number, decision: Decision | Error): void {
    this.#guarded(() => {
      this.#history.decided(controller, at, decision);
      if (decision instanceof Error) this.#causes.push({ at, code: 'no-decision', source: 'allocator' });
      else for (const alert of decision.alerts) if (isGrave(alert)) this.#causes.push({ ...alert, at });
    });
  }

  /** To be called after a decision, when everything that follows from it was sent: now the recorder may take some time. */
  settle(controller: Controller, at: number): void {
    this.#guarded(() => {
      this.#history.settle(controller, at);
      for (const cause of this.#causes.splice(0)) this.#raise(cause);
    });
  }

  /** Writes what there is now, on somebody's demand. Resolves with the file's name; rejects where that cannot be. */
  save(): Promise<string> {
    this.#saving ??= this.#saveNow().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  /** What was written, the newest first. */
  list(): Promise<RecordingFile[]> {
    return this.#files.list();
  }

  /** A file of the list; undefined for any other name. */
  read(name: string): Promise<Buffer | undefined> {
    return this.#files.read(name);
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#stopped = true;
    if (this.#episode) this.#end(this.#episode);
    await this.#written;
  }

  async #saveNow(): Promise<string> {
    const { span } = this.#history;
    if (!span) throw new Error('nothing is recorded yet: wait for the first message');
    const cause = { at: this.#options.epochOf(span.to), code: 'manual', source: 'editor' };
    const name = this.#files.name(cause.at, cause.code, cause.source);
    await this.#write(name, [cause]);
    return name;
  }

  #raise({ at, code, source }: Cause): void {
    const before = this.#raisedAt.get(code);
    this.#raisedAt.set(code, at);
    const cause = { at: this.#options.epochOf(at), code, source };
    if (this.#episode) {
      const { causes } = this.#episode;
      if (causes.length < MOST_CAUSES) causes.push(cause);
      return;
    }
    if (before !== undefined && at - before < (this.#options.episodeMs ?? EPISODE_MS)) return;
    const timer = setTimeout(() => this.#end(episode), this.#options.afterMs ?? AFTER_MS);
    const episode = { name: this.#files.name(cause.at, code, source), causes: [cause], timer };
    this.#episode = episode;
    void this.#tryWrite(episode);
  }

  #end(episode: Episode): void {
    clearTimeout(episode.timer);
    this.#episode = undefined;
    void this.#tryWrite(episode).then((done) => {
      if (done) this.#options.log(`recording saved: ${episode.name}`);
    });
  }

  /** Writes a recording; what is wrong with the disk is told once, and its end once. */
  async #tryWrite({ name, causes }: Episode): Promise<boolean> {
    try {
      await this.#write(name, causes);
      if (this.#diskFault) this.#options.log('over: recordings can be saved again');
      this.#diskFault = false;
      return true;
    } catch (error) {
      if (!this.#diskFault) this.#options.warn(`recording cannot be saved: ${textOf(error)}`);
      this.#diskFault = true;
      return false;
    }
  }

  /** Writes the history as it is now. */
  #write(name: string, causes: readonly Cause[]): Promise<void> {
    const { from, to, shortened } = this.#history.span ?? { from: 0, to: 0, shortened: false };
    const { epochOf } = this.#options;
    const { version: node, arch: cpu } = process;
    const header = {
      software: VERSION,
      node,
      cpu,
      causes: [...causes],
      from: epochOf(from),
      to: epochOf(to),
      shortened,
    };
    const content = Promise.all([compress(headerLine(header)), this.#history.members()]);
    const written = Promise.all([content, this.#written]).then(([[first, others]]) =>
      this.#files.write(name, [first, ...others]),
    );
    this.#written = written.catch(() => {});
    return written;
  }

  #guarded(book: () => void): void {
    if (this.#stopped) return;
    try {
      book();
    } catch (error) {
      this.#stopped = true;
      this.#options.warn(`nothing is recorded any more: ${textOf(error)}`);
    }
  }
}

function isGrave({ active, severity }: AlertEvent): boolean {
  return active && severity !== 'info';
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
