/**
 * A recording as text: one JSON object per line. First the header; then chunks, each with the state of the controller at its
 * begin and what came after it: inputs, and every decision with what came out. See docs/flight-recorder.md.
 */
import type { AlertEvent } from '../controller.ts';
import type { Decision, SetpointOut } from '../decide.ts';
import { encode, type Json } from './exact.ts';
import type { Input } from './input.ts';
import { type Snapshot, type StateLine, stateLines } from './state.ts';

export const RECORDING_FORMAT = 1;

export interface RecordingHeader {
  format: number;
  /** Version of the palette that recorded. */
  software: string;
  /** Of Node.js, and the processor: their exp() and log() decide on the last bits. */
  node: string;
  cpu: string;
  /** What the recording was made for, the first cause first; epoch ms. */
  causes: { at: number; code: string; source: string }[];
  /** What it covers, epoch ms. */
  from: number;
  to: number;
  /** Less than the usual time is there, as so many messages came. */
  shortened: boolean;
}

/** Why a chunk begins: the recorder began, the site was changed, or the one before became too long or too large. */
export type ChunkBegin = 'start' | 'site' | 'time' | 'size';

export interface ChunkHeader {
  /** The moment of its state, ms on the controller's clock and epoch ms. */
  at: number;
  epoch: number;
  because: ChunkBegin;
}

/** What came out of a decision; nothing is written of what was empty. */
export type DecisionOutcome = { setpoints?: SetpointOut[]; alerts?: AlertEvent[]; error?: string };

export type RecordingLine =
  | { recording: RecordingHeader }
  | { chunk: ChunkHeader }
  | StateLine
  | { input: Json }
  | { decide: number; out?: Json };

const line = (content: RecordingLine) => `${JSON.stringify(content)}\n`;

export function headerLine(header: Omit<RecordingHeader, 'format'>): string {
  return line({ recording: { format: RECORDING_FORMAT, ...header } });
}

export function chunkLine(chunk: ChunkHeader): string {
  return line({ chunk });
}

/** Lines of a snapshot, each made when it is asked for. */
export function* snapshotLines(state: Snapshot): Generator<string> {
  for (const piece of stateLines(state)) yield line(piece);
}

/** An input that was booked. */
export function inputLine(input: Input): string {
  return line({ input: encode(input) });
}

/** A decision at `at` (ms on the controller's clock), or the error that came instead. */
export function decisionLine(at: number, decision: Decision | Error): string {
  return line({ decide: at, out: outcomeOf(decision) });
}

/** What is compared of a decision; undefined where nothing came out. */
export function outcomeOf(decision: Decision | Error): Json | undefined {
  if (decision instanceof Error) return encode({ error: decision.message } satisfies DecisionOutcome);
  const { setpoints, alerts } = decision;
  if (setpoints.length === 0 && alerts.length === 0) return undefined;
  return encode({
    ...(setpoints.length > 0 && { setpoints }),
    ...(alerts.length > 0 && { alerts }),
  } satisfies DecisionOutcome);
}
