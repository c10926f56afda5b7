/**
 * `npm run simulator -- ocpp IDENTITY [options]`: one simulated station by hand against any central system. Prints what happens, takes
 * commands from standard input, ends with `quit`, Ctrl-C or Ctrl-D.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { isId, PHASES, type Phase } from '../core/units.ts';
import { BEHAVIOURS, type BehaviourName, behaviour, isBehaviourName } from '../simulator/ocpp/behaviours.ts';
import { OcppStation } from '../simulator/ocpp/station.ts';
import { StationFleet, StationWire } from '../simulator/ocpp/wire.ts';
import { createRandom } from '../simulator/random.ts';
import { createVehicle, type Vehicle } from '../simulator/vehicle.ts';
import { COMMANDS, runCommand } from './simulator/commands.ts';
import { tellFrame } from './simulator/told.ts';

const VOLTS = 230;
const USAGE = `usage: npm run simulator -- ocpp IDENTITY [options]

  --url URL            central system, without the identity (ws://127.0.0.1:9000)
  --password TEXT      basic auth; the user is the identity
  --ca FILE            certificate that signed the server's; --cert FILE and --key FILE: the station's own
  --connectors N       1 to 8 (1)
  --phases LIST        grid phase of each conductor: L1, or L2,L3,L1 (L1,L2,L3)
  --max A              6 to 80 (16)
  --behaviour LIST     how it differs from a well-behaved station, e.g. stack-zero,power-only
  --vendor, --model, --firmware TEXT
                       as in BootNotification: servers know quirks by them
  --set KEY=VALUE      a configuration key in place of its default; may be repeated
  --card               nothing begins without a card or the server
  --unplugged          no vehicle at first
  --quiet              without heartbeats and meter values
  --raw                every frame as it is

behaviours:
${Object.entries(BEHAVIOURS)
  .map(([name, { text, seen }]) => `  ${name.padEnd(24)} ${text}${seen.length > 0 ? ` — ${seen.join(', ')}` : ''}`)
  .join('\n')}

commands while it runs:
${COMMANDS}`;

class UsageError extends Error {
  override name = 'UsageError';
}

const OPTIONS = {
  url: { type: 'string', default: 'ws://127.0.0.1:9000' },
  password: { type: 'string' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  connectors: { type: 'string', default: '1' },
  phases: { type: 'string', default: 'L1,L2,L3' },
  max: { type: 'string', default: '16' },
  behaviour: { type: 'string', default: '' },
  vendor: { type: 'string' },
  model: { type: 'string' },
  firmware: { type: 'string' },
  set: { type: 'string', multiple: true, default: [] as string[] },
  card: { type: 'boolean', default: false },
  unplugged: { type: 'boolean', default: false },
  quiet: { type: 'boolean', default: false },
  raw: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} satisfies ParseArgsOptionsConfig;

type Given = NonNullable<ReturnType<typeof readArguments>>;

function readArguments() {
  const { values, positionals } = parsed();
  if (values.help) return undefined;
  const [kind, identity, ...rest] = positionals;
  if (kind !== 'ocpp' || identity === undefined || rest.length > 0) throw new UsageError(USAGE);
  if (!isId(identity)) throw new UsageError(`IDENTITY ${identity}: expected 1 to 36 letters, digits, "_" and "-".`);
  if (!/^wss?:\/\/[^/]+/.test(values.url))
    throw new UsageError(`--url ${values.url}: expected something like ws://127.0.0.1:9000.`);
  const names = values.behaviour.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !isBehaviourName(name));
  if (unknown) throw new UsageError(`--behaviour ${unknown}: expected some of ${Object.keys(BEHAVIOURS).join(', ')}.`);
  return {
    ...values,
    identity,
    vendor: short('vendor', values.vendor, 20),
    model: short('model', values.model, 20),
    firmware: short('firmware', values.firmware, 50),
    names: names as BehaviourName[],
    connectors: number('connectors', values.connectors, 1, 8),
    max: number('max', values.max, 6, 80),
    conductors: conductors(values.phases),
    configuration: Object.fromEntries(values.set.map(keyAndValue)),
    tls: { ca: pem(values.ca), cert: pem(values.cert), key: pem(values.key) },
  };
}

function parsed() {
  try {
    return parseArgs({ allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= least && value <= most))
    throw new UsageError(`--${name} ${text}: expected a whole number from ${least} to ${most}.`);
  return value;
}

function short(name: string, text: string | undefined, most: number): string | undefined {
  if (text !== undefined && (text.length < 1 || text.length > most))
    throw new UsageError(`--${name} ${text}: expected 1 to ${most} characters.`);
  return text;
}

function conductors(text: string): Phase[] {
  const names = text.split(',') as Phase[];
  const right =
    names.length <= 3 && names.every((name) => PHASES.includes(name)) && new Set(names).size === names.length;
  if (!right) throw new UsageError(`--phases ${text}: expected up to three of L1, L2, L3, each once.`);
  return names;
}

function keyAndValue(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--set ${text}: expected KEY=VALUE.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function pem(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

function run(given: Given): void {
  const { identity, conductors: phases, max } = given;
  const vehicles = Array.from({ length: given.connectors }, (_, i) => vehicleOf(phases, max, i));
  if (given.unplugged) for (const vehicle of vehicles) vehicle.unplug();
  const station = new OcppStation({
    identity,
    connectors: vehicles.map((vehicle) => ({ vehicle, conductors: phases, maximum: max, soc: vehicle.soc })),
    behaviour: behaviour(...given.names),
    configuration: given.configuration,
    start: given.card ? 'card' : 'plug',
    vendor: given.vendor,
    model: given.model,
    firmware: given.firmware,
    note: (text) => say(text),
  });
  const wire = new StationWire(station, {
    url: given.url,
    password: given.password,
    tls: given.url.startsWith('wss:') ? given.tls : undefined,
    onEvent: (_identity, event) => say(event),
    onFrame: (_identity, direction, text) => {
      const told = given.raw ? `${direction} ${text}` : tellFrame(direction, text, given.quiet);
      if (told) say(told);
    },
  });
  const start = performance.now();
  const now = () => performance.now() - start;
  const step = (at: number) => {
    for (const vehicle of vehicles) vehicle.step(at, VOLTS);
  };
  const fleet = new StationFleet([wire], { now, step });
  say(`${identity} dials ${given.url}; "help" names the commands`);
  const lines = createInterface({ input: process.stdin });
  const cuts = { network: false, power: false };
  let ending = false;
  const quit = () => {
    if (ending) return;
    ending = true;
    lines.close();
    void fleet.stop().then(() => process.exit(0));
  };
  lines.on('line', (line) => {
    if (line.trim() === 'quit') return quit();
    const answer = runCommand(line, { station, wire, vehicles, cuts, now: now() });
    if (answer) say(answer);
  });
  lines.on('close', quit);
  process.on('SIGINT', quit).on('SIGTERM', quit);
  // Nobody reads any more.
  process.stdout.on('error', quit);
}

/** A car with 60 kWh at 30 %. */
function vehicleOf(phases: Phase[], maxCurrent: number, index: number): Vehicle {
  return createVehicle(
    { phases, maxCurrent, lag: [1, 3], capacity: 60_000, soc: 0.3, slack: 0.2 },
    createRandom(index + 1),
  );
}

function say(text: string): void {
  print(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

/** A server may send anything: what would command a terminal is not printed. */
function print(text: string, to: NodeJS.WriteStream = process.stdout): void {
  to.write(`${text.replace(/[^\P{Cc}\n]/gu, '?')}\n`);
}

try {
  const given = readArguments();
  if (given) run(given);
  else print(USAGE);
} catch (error) {
  print(error instanceof UsageError ? error.message : String((error as Error).stack ?? error), process.stderr);
  process.exitCode = 2;
}
