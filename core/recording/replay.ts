/** Replays a recording: the inputs go into a thawed controller, and what it decides is compared with what was decided then. */
import type { Controller } from '../controller.ts';
import { type Decision, decide } from '../decide.ts';
import { type Divergence, decode, divergence, type Json } from './exact.ts';
import { type Input, receive } from './input.ts';
import { type ChunkHeader, outcomeOf, RECORDING_FORMAT, type RecordingHeader, type RecordingLine } from './lines.ts';
import { type StateLine, snapshot, stateLines, thaw } from './state.ts';

/** Something that the replay did otherwise than the recorded controller. */
export interface Difference extends Divergence {
  /** Line of the recording, from 1. */
  line: number;
  /** Epoch ms. */
  at: number;
  /** In what: a decision, the state where a chunk begins, or an input that was booked then and is not now. */
  of: 'decision' | 'state' | 'input';
}

/** One step of a replay; `at` is epoch ms. What a decision says of the allocation holds until the next step. */
export type Replayed =
  | { step: 'header'; header: RecordingHeader }
  | ReplayedChunk
  | { step: 'input'; at: number; input: Input; controller: Controller; difference?: Difference }
  | { step: 'decision'; at: number; decision: Decision | Error; controller: Controller; difference?: Difference };

export interface ReplayedChunk {
  step: 'chunk';
  at: number;
  because: ChunkHeader['because'];
  /** As the recording has it. */
  controller: Controller;
  /** Whether the chunk before led here, so that its state at the end was compared with the recorded one. */
  compared: boolean;
  difference?: Difference;
}

/** Goes through the lines of a recording. Throws a RangeError that names the line where one cannot be read. */
export function* replay(lines: Iterable<string>): Generator<Replayed> {
  const player = new Player();
  let number = 0;
  for (const text of lines) {
    number += 1;
    if (text.trim() === '') continue;
    const line = attempt(number, () => parse(text));
    // The state of a chunk is complete with the line after it.
    if (!isState(line)) yield* attempt(number, () => player.begin(number));
    yield* attempt(number, () => player.take(line, number));
  }
  if (!player.opened) throw new RangeError('line 1: nothing — expected a recording');
  yield* attempt(number, () => player.begin(number));
}

function attempt<T>(line: number, play: () => T): T {
  try {
    return play();
  } catch (error) {
    throw new RangeError(`line ${line}: ${error instanceof Error ? error.message : error}`);
  }
}

function parse(text: string): RecordingLine {
  const line: unknown = JSON.parse(text);
  if (typeof line === 'object' && line !== null) return line as RecordingLine;
  throw new RangeError(`${text.slice(0, 40)} — expected an object`);
}

function isState(line: RecordingLine): line is StateLine {
  return 'state' in line || 'entry' in line;
}

class Player {
  opened = false;
  #chunk: ChunkHeader | undefined;
  #controller: Controller | undefined;
  /** The controller at the end of the chunk before, and the state of this one as far as it was read. */
  #before: Controller | undefined;
  #state: StateLine[] = [];

  take(line: RecordingLine, number: number): Replayed[] {
    if ('recording' in line) return [this.#open(line.recording)];
    if (!this.opened) throw new RangeError(`${Object.keys(line)} — expected the header of a recording`);
    if (isState(line)) this.#state.push(line);
    else if ('input' in line) return [this.#hear(line.input, number)];
    else if ('decide' in line) return [this.#decide(line.decide, line.out, number)];
    else if ('chunk' in line) {
      this.#chunk = line.chunk;
      this.#before = this.#controller;
      this.#controller = undefined;
    } else throw new RangeError(`${Object.keys(line)} — expected chunk, state, entry, input or decide`);
    return [];
  }

  /** Begins the chunk whose state was read, if there is one. */
  begin(number: number): Replayed[] {
    if (this.#state.length === 0) return [];
    const { at, because } = this.#present();
    const before = SEAMLESS.includes(because) ? this.#before : undefined;
    const difference = before && this.#difference('state', number, at, byName(frozen(before)), byName(this.#state));
    const controller = thaw(this.#state);
    this.#controller = controller;
    this.#state = [];
    return [{ step: 'chunk', at: this.#epoch(at), because, controller, compared: before !== undefined, difference }];
  }

  #open(header: RecordingHeader): Replayed {
    if (header.format !== RECORDING_FORMAT)
      throw new RangeError(`format ${header.format} — expected ${RECORDING_FORMAT}; replay it with ${header.software}`);
    this.opened = true;
    return { step: 'header', header };
  }

  #hear(json: Json, number: number): Replayed {
    const controller = this.#playing();
    const input = decode(json) as Input;
    let answer: Json = true;
    try {
      answer = receive(controller, input);
    } catch (error) {
      answer = error instanceof Error ? error.message : String(error);
    }
    const difference = this.#difference('input', number, input.at, answer, true);
    return { step: 'input', at: this.#epoch(input.at), input, controller, difference };
  }

  #decide(at: number, out: Json | undefined, number: number): Replayed {
    const controller = this.#playing();
    let decision: Decision | Error;
    try {
      decision = decide(controller, at);
    } catch (error) {
      decision = error instanceof Error ? error : new Error(String(error));
    }
    const difference = this.#difference('decision', number, at, outcomeOf(decision), out);
    return { step: 'decision', at: this.#epoch(at), decision, controller, difference };
  }

  #difference(of: Difference['of'], line: number, at: number, replayed: Json | undefined, recorded: Json | undefined) {
    const found = divergence(recorded, replayed);
    return found && { of, line, at: this.#epoch(at), ...found };
  }

  #present(): ChunkHeader {
    if (!this.#chunk) throw new RangeError('state — expected a chunk before it');
    return this.#chunk;
  }

  #playing(): Controller {
    if (!this.#controller) throw new RangeError('input or decision — expected the state of a chunk before it');
    return this.#controller;
  }

  /** A moment on the controller's clock as epoch ms. */
  #epoch(at: number): number {
    const { at: begin, epoch } = this.#present();
    return epoch + at - begin;
  }
}

/** Chunks that begin where the one before ended. */
const SEAMLESS: readonly string[] = ['time', 'size'] satisfies ChunkHeader['because'][];

function frozen(controller: Controller): StateLine[] {
  return [...stateLines(snapshot(controller))];
}

/** The lines of a state as one object, so that a difference has a name: `chargers.go-e.setpoint`. */
function byName(lines: readonly StateLine[]): Json {
  const named = (line: StateLine): [string, Json] => {
    if ('state' in line) return [line.state[0].join('.'), line.state[1]];
    const [path, key, value] = line.entry;
    return [`${path.join('.')}.${key}`, value];
  };
  return Object.fromEntries(lines.map(named));
}
