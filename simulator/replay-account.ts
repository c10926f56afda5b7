/** Tells a replayed recording to people: what was measured, what people and others asked for, what was decided, and why. */
import {
  type AlertEvent,
  type ChargerInput,
  type Controller,
  type Decision,
  type Difference,
  type Input,
  type PerPhase,
  PHASE_INDICES,
  PHASES,
  type PhaseIndex,
  perPhase,
  planLimit,
  type Reason,
  type RecordingHeader,
  type Replayed,
  type RequestInput,
} from '../core/index.ts';

/** The sentences of reasons and alerts, by code and args. */
export interface Sentences {
  reason(code: string, args: Reason['args']): string;
  alert(code: string, args: AlertEvent['args']): string;
}

/** What a replay came to. */
export interface ReplayTotals {
  inputs: number;
  decisions: number;
  /** Set-points sent, renewed ones included. */
  setpoints: number;
  /** States that were compared: where one chunk went over into the next. */
  states: number;
  differences: number;
  first?: Difference;
}

/** A load is told when it has moved by as much since it was last told, A, and at most once in as many ms. */
const TOLD_A = 1;
const TOLD_MS = 1000;
/** So many differences are told one by one. */
const DIFFERENCES = 10;

/** Tells the steps of a replay line by line and returns what it came to. */
export function* tellReplay(steps: Iterable<Replayed>, sentences: Sentences): Generator<string, ReplayTotals> {
  const teller = new Teller(sentences);
  for (const step of steps) yield* teller.tell(step);
  return teller.totals;
}

/** A difference in one sentence. */
export function differenceText({ of, line, path, recorded, replayed }: Difference): string {
  const where = path === '' ? of : `${of}, ${path}`;
  return `${where}: recorded ${recorded}, replayed ${replayed} (line ${line})`;
}

/** `2026-10-06 14:03:07.250`, UTC. */
export function timeText(epoch: number): string {
  return new Date(epoch).toISOString().replace('T', ' ').replace('Z', '');
}

const BEGINS = {
  start: 'the recorder had just begun',
  site: 'the site or the settings had been changed',
  time: 'the recording goes on',
  size: 'the recording goes on',
} satisfies Record<Extract<Replayed, { step: 'chunk' }>['because'], string>;

class Teller {
  readonly totals: ReplayTotals = { inputs: 0, decisions: 0, setpoints: 0, states: 0, differences: 0 };
  readonly #sentences: Sentences;
  #names = new Map<string, string>();
  /** What was last told: per circuit its load, per charger set-point and state, per source and circuit a limit. */
  readonly #loads = new Map<string, { at: number; measured: PerPhase; limit: PerPhase }>();
  readonly #setpoints = new Map<string, number | undefined>();
  readonly #states = new Map<string, string>();
  readonly #limits = new Map<string, string>();

  constructor(sentences: Sentences) {
    this.#sentences = sentences;
  }

  *tell(step: Replayed): Generator<string> {
    if (step.step === 'header') {
      yield* headerText(step.header);
      return;
    }
    const time = timeText(step.at).slice(11);
    for (const line of this.#linesOf(step)) yield `${time}  ${line}`;
    if (!step.difference) return;
    this.totals.differences += 1;
    this.totals.first ??= step.difference;
    if (this.totals.differences <= DIFFERENCES) yield `${time}  DIFFERENT: ${differenceText(step.difference)}`;
  }

  #linesOf(step: Exclude<Replayed, { step: 'header' }>): Iterable<string> {
    if (step.step === 'chunk') return this.#begin(step);
    if (step.step === 'input') return this.#input(step.input, step.at);
    return this.#decision(step.decision, step.controller, step.at);
  }

  *#begin({ controller, because, compared, difference }: Extract<Replayed, { step: 'chunk' }>): Generator<string> {
    this.#names = new Map(Array.from(controller.circuits, ([id, { config }]) => [id, config.name ?? id]));
    const { circuits, chargers } = controller;
    if (compared) this.totals.states += 1;
    const same = compared ? `, its state is ${difference ? 'not ' : ''}the one that the replay has come to` : '';
    yield `--- ${circuits.size} circuit(s), ${chargers.size} charger(s): ${BEGINS[because]}${same}`;
    for (const [id, { setpoint }] of chargers) this.#setpoints.set(id, setpoint);
  }

  *#input(input: Input, at: number): Generator<string> {
    this.totals.inputs += 1;
    if (input.kind === 'charger') yield* this.#changed(this.#states, input.id, stateText(input.input));
    else if (input.kind === 'request') yield `${input.id}: ${wishText(input.input, at - input.at)}`;
    else if (input.kind === 'prices') yield `prices: ${input.prices.length} known`;
    else if (input.kind === 'limit') {
      const { current, power, onExpiry } = input.input;
      const most = [current && `${current.join(', ')} A`, power !== undefined && `${power} W`].filter(Boolean);
      const text = `${most.join(' and ') || 'no limit'} (then ${onExpiry})`;
      yield* this.#changed(this.#limits, `limit of ${input.source} on ${this.#name(input.id)}`, text);
    }
  }

  *#changed(known: Map<string, string>, id: string, text: string): Generator<string> {
    if (known.get(id) === text) return;
    known.set(id, text);
    yield `${id}: ${text}`;
  }

  *#decision(decision: Decision | Error, controller: Controller, at: number): Generator<string> {
    this.totals.decisions += 1;
    if (decision instanceof Error) {
      yield `no decision: ${decision.message}`;
      return;
    }
    const { setpoints, alerts } = decision;
    this.totals.setpoints += setpoints.length;
    const changed = setpoints.filter((s) => this.#setpoints.get(s.id) !== s.current || s.phases !== undefined);
    yield* this.#load(controller, at);
    for (const { id, current, phases, reason } of changed) {
      const before = this.#setpoints.get(id);
      this.#setpoints.set(id, current);
      const from = before === undefined || before === current ? '' : `${before} → `;
      const on = phases === undefined ? '' : `, ${phases} phase(s)`;
      yield `${id}: ${from}${current} A${on} — ${this.#sentences.reason(reason.code, this.#named(reason.args))}`;
    }
    for (const { code, args, active } of alerts)
      yield `${active ? 'ALERT' : 'over'}: ${this.#sentences.alert(code, this.#named(args))}`;
  }

  /** Circuits with a meter whose load or limit has moved since it was last told. */
  *#load(controller: Controller, at: number): Generator<string> {
    for (const [id, circuit] of controller.circuits) {
      const { meter } = circuit;
      const told = this.#loads.get(id);
      if (!meter || (told && at - told.at < TOLD_MS)) continue;
      const measured = perPhase((p) => meter.samples[p].at(-1)?.value ?? 0);
      const limit = planLimit(controller, circuit);
      const moved = (p: PhaseIndex) =>
        !told || Math.abs(measured[p] - told.measured[p]) >= TOLD_A || Math.abs(limit[p] - told.limit[p]) >= TOLD_A;
      if (!PHASE_INDICES.some(moved)) continue;
      this.#loads.set(id, { at, measured, limit });
      yield `${this.#name(id)}: ${loadText(measured, limit)}`;
    }
  }

  #name(circuit: string): string {
    return this.#names.get(circuit) ?? circuit;
  }

  /** For sentences: circuits by the name people gave them. */
  #named<T extends Record<string, string | number>>(args: T): T {
    return typeof args.circuit === 'string' ? { ...args, circuit: this.#name(args.circuit) } : args;
  }
}

function* headerText({ software, node, cpu, causes, from, to, shortened }: RecordingHeader): Generator<string> {
  for (const { at, code, source } of causes) yield `recorded for ${code} of ${source} at ${timeText(at)} UTC`;
  const minutes = ((to - from) / 60_000).toFixed(1);
  const note = shortened ? ': no more, as there were so many messages' : '';
  yield `from ${timeText(from)} to ${timeText(to)} UTC, ${minutes} min${note}`;
  yield `by version ${software} on Node.js ${node}, ${cpu}`;
}

/** Where a load is above its limit, it says so. */
function loadText(measured: PerPhase, limit: PerPhase): string {
  const phases = PHASE_INDICES.filter((p) => limit[p] > 0 || measured[p] !== 0);
  const text = (p: PhaseIndex) =>
    `${PHASES[p]} ${measured[p].toFixed(1)}${measured[p] > limit[p] ? ' ABOVE' : ' of'} ${limit[p].toFixed(1)}`;
  return `${phases.map(text).join(', ')} A`;
}

/** `ahead`: how far the calendar is ahead of the controller's clock, ms. */
function wishText(request: RequestInput, ahead: number): string {
  const text = (key: string, value: unknown) => {
    if (value === null) return `no ${key} any more`;
    return `${key} ${key === 'departure' ? timeText(Number(value) + ahead) : value}`;
  };
  return `asked for ${Object.entries(request)
    .map(([key, value]) => text(key, value))
    .join(', ')}`;
}

function stateText({ online, state, offer, stoppedBy }: ChargerInput): string {
  if (!online) return 'cannot be reached';
  return `state ${state}, offers ${offer} A${stoppedBy ? `, stopped by ${stoppedBy}` : ''}`;
}
