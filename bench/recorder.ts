/**
 * `npm run bench -- recorder [--chargers 54,1000,10000] [--json]`: what the flight recorder takes from the control loop. Each site
 * has feeders with a meter for 20 chargers, all charging, and forty seconds behind it. A snapshot stops the loop every ten
 * minutes; a decision stands beside it for comparison. Medians.
 */
import { parseArgs } from 'node:util';
import {
  type ChargerConfig,
  type CircuitConfig,
  type Controller,
  createController,
  decide,
  decisionLine,
  type Input,
  inputLine,
  receive,
  snapshot,
  snapshotLines,
} from '../core/index.ts';
import { BLOCK_CHARACTERS, Blocks } from '../drivers/flight-recorder/blocks.ts';

const SECONDS = 40;
const PER_FEEDER = 20;

export default async function bench(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({ args, options: { chargers: { type: 'string', default: '54,1000,10000' } } });
  console.log(
    'chargers   snapshot   decision   written in slices of   state      line of an input / a decision that renews all',
  );
  const figures: Record<string, unknown> = {};
  for (const count of values.chargers.split(',').map(Number)) {
    const site = await measure(count);
    figures[count] = site;
    const text = (ms: number, digits = 2) => `${ms.toFixed(digits)} ms`.padStart(11);
    console.log(
      `${String(count).padStart(8)}${text(site.snapshotMs)}${text(site.decisionMs)}${text(site.sliceMs).padStart(24)}` +
        `${`${Math.round(site.stateBytes / 1000)} kB`.padStart(9)}${text(site.inputMs, 4).padStart(18)}${text(site.lineMs, 4)}`,
    );
  }
  return figures;
}

async function measure(count: number) {
  const { controller, inputs, decisions } = play(count);
  const decision = decide(controller, 1000 * SECONDS + 10_000);
  const snapshots = times(15, () => snapshot(controller));
  const { slices, bytes } = await write(controller);
  return {
    snapshotMs: median(snapshots),
    snapshotLongestMs: Math.max(...snapshots),
    decisionMs: median(decisions),
    decisionLongestMs: Math.max(...decisions),
    sliceMs: median(slices),
    sliceLongestMs: Math.max(...slices),
    stateBytes: bytes,
    inputMs: median(inputs.map((input) => timed(() => inputLine(input)))),
    lineMs: median(times(50, () => decisionLine(1, decision))),
  };
}

/** Lets a site charge for some seconds. */
function play(count: number): { controller: Controller; inputs: Input[]; decisions: number[] } {
  const feeders = Math.ceil(count / PER_FEEDER);
  const circuits: CircuitConfig[] = [
    { id: 'main', rating: count * 20 + 100, device: 'gG', meter: 'grid', margin: 0 },
    ...Array.from({ length: feeders }, (_, i): CircuitConfig => {
      return { id: `feeder${i}`, parent: 'main', rating: 600, device: 'gG', margin: 0, meter: `feeder${i}` };
    }),
  ];
  const chargers = Array.from({ length: count }, (_, i): ChargerConfig => {
    const circuit = `feeder${Math.floor(i / PER_FEEDER)}`;
    return { id: `CP${i}`, circuit, rotation: ['L1', 'L2', 'L3'], min: 6, max: 16, safe: 0 };
  });
  const controller = createController({ circuits, chargers, voltage: 230 }, {}, 0);
  const inputs: Input[] = [];
  const decisions: number[] = [];
  for (let at = 0; at < 1000 * SECONDS; at += 1000) {
    inputs.length = 0;
    for (const { config } of controller.circuits.values())
      inputs.push({ kind: 'meter', at, id: config.meter ?? '', input: { current: [40.1, 41.2, 42.3] } });
    for (const [id, { setpoint = 0 }] of controller.chargers) {
      const state = setpoint > 0 ? 'C' : 'B';
      const current: [number, number, number] = [setpoint, setpoint, setpoint];
      inputs.push({ kind: 'charger', at: at + 1, id, input: { online: true, state, current, offer: setpoint } });
    }
    for (const input of inputs) receive(controller, input);
    decisions.push(timed(() => decide(controller, at + 10)));
  }
  return { controller, inputs, decisions };
}

/** Writes the state in slices as the recorder does: how long each stops the loop, ms, and the size of all compressed. */
async function write(controller: Controller): Promise<{ slices: number[]; bytes: number }> {
  const slices: number[] = [];
  const moment = snapshot(controller);
  let begin = performance.now();
  let characters = 0;
  for (const line of snapshotLines(moment)) {
    characters += line.length;
    if (characters < BLOCK_CHARACTERS) continue;
    slices.push(performance.now() - begin);
    begin = performance.now();
    characters = 0;
  }
  slices.push(performance.now() - begin);
  const blocks = new Blocks();
  blocks.addLater(snapshotLines(moment));
  return { slices, bytes: Buffer.concat(await blocks.members()).length };
}

function timed(work: () => unknown): number {
  const begin = performance.now();
  work();
  return performance.now() - begin;
}

function times(count: number, work: () => unknown): number[] {
  return Array.from({ length: count }, () => timed(work));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
