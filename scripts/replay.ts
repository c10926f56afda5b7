/**
 * `npm run replay -- FILE [--quiet]`: replays a recording of the allocator's flight recorder in the control loop and tells what
 * happened. Ends with 0 where every decision is the recorded one, bit for bit; with 1 where one is not; with 2 where the file
 * cannot be read.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type RecordingHeader, type Replayed, replay } from '../core/index.ts';
import { recordingLines } from '../drivers/flight-recorder/lines.ts';
import { VERSION } from '../drivers/version.ts';
import { ALERTS, REASONS, sentence } from '../messages/index.ts';
import { differenceText, type ReplayTotals, tellReplay, timeText } from '../simulator/replay-account.ts';

const sentences = {
  reason: (code: string, args: object) => sentence(REASONS, 'en-US', code, { ...args }),
  alert: (code: string, args: object) => sentence(ALERTS, 'en-US', code, { ...args }),
};

function run(): number {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { quiet: { type: 'boolean' } } });
  if (positionals.length !== 1) throw new Error('usage: npm run replay -- FILE [--quiet]');
  const [file] = positionals;
  const { totals, other } = tell(file, values.quiet === true);
  const { decisions, setpoints, states, differences, first } = totals;
  const all = `${decisions} decisions, ${setpoints} set-points, ${states} state(s)`;
  if (!first) {
    print(`${all}: identical`);
    return 0;
  }
  print(`${all}: ${differences} differ; the first at ${timeText(first.at)} UTC: ${differenceText(first)}`);
  if (other) print(`It was recorded by ${other}, this is ${present()}.`);
  return 1;
}

/** Tells the file, unless only the end is asked for. `other`: by what else than this it was recorded. */
function tell(file: string, quiet: boolean): { totals: ReplayTotals; other?: string } {
  let other: string | undefined;
  function* steps(): Generator<Replayed> {
    for (const step of replay(recordingLines(readFileSync(file)))) {
      if (step.step === 'header') other = madeBy(step.header);
      yield step;
    }
  }
  const lines = tellReplay(steps(), sentences);
  for (;;) {
    const { done, value } = lines.next();
    if (done) return { totals: value, other: other === present() ? undefined : other };
    if (!quiet) print(value);
  }
}

function madeBy({ software, node, cpu }: Pick<RecordingHeader, 'software' | 'node' | 'cpu'>): string {
  return `version ${software} on Node.js ${node}, ${cpu}`;
}

function present(): string {
  return madeBy({ software: VERSION, node: process.version, cpu: process.arch });
}

/** A recording may come from anybody: what would command a terminal is not printed. */
function print(line: string, to: NodeJS.WriteStream = process.stdout): void {
  to.write(`${line.replace(/\p{Cc}/gu, '?')}\n`);
}

try {
  process.exitCode = run();
} catch (error) {
  print(error instanceof Error ? error.message : String(error), process.stderr);
  process.exitCode = 2;
}
