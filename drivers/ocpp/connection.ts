/**
 * One open socket of one station: its calls are checked, handed on and answered in the order of their arrival; calls to it go
 * out by their lanes. Knows no `ws`: whoever owns the socket hands in what it received.
 */
import { actionSpec } from './actions.ts';
import { type AnswerCounts, CallLanes } from './call-lanes.ts';
import {
  type Clock,
  type ConnectionEnds,
  type ConnectionOptions,
  type FaultKind,
  type Reply,
  type StationSocket,
  SYSTEM_CLOCK,
} from './connection-io.ts';
import { type Frame, formatCall, formatError, formatResult, type OcppErrorCode, parseFrame } from './frame.ts';
import { DEFAULT_RATE, RateBound } from './rate.ts';
import { ReplyLine } from './reply-line.ts';
import type { CallAnswer, StationCall } from './station-io.ts';
import { validate } from './validate.ts';

let connections = 0;

/** No frame takes longer to read: what does was held up by the machine, for which its station does not pay. ms. */
const MOST_PAID_MS = 50;

export class StationConnection {
  readonly #socket: StationSocket;
  readonly #ends: ConnectionEnds;
  readonly #clock: Clock;
  readonly #options: Required<ConnectionOptions>;
  readonly #lanes: CallLanes;
  readonly #rate: RateBound;
  readonly #replies: ReplyLine;
  #heardAt: number;
  #pingedAt: number | undefined;
  #open = true;

  /** `rate`: what the station has used up over its earlier connections. */
  constructor(
    socket: StationSocket,
    ends: ConnectionEnds,
    options: ConnectionOptions = {},
    clock: Clock = SYSTEM_CLOCK,
    rate?: RateBound,
  ) {
    this.#socket = socket;
    this.#ends = ends;
    this.#clock = clock;
    this.#options = {
      tolerant: options.tolerant ?? true,
      rate: options.rate ?? DEFAULT_RATE,
      maxBuffered: options.maxBuffered ?? 256 * 1024,
      pingInterval: options.pingInterval ?? 30,
      pingTimeout: options.pingTimeout ?? 20,
    };
    this.#heardAt = clock.now();
    this.#rate = rate?.reconnected() ?? new RateBound(this.#options.rate, this.#heardAt);
    connections = (connections + 1) % 1e9;
    const prefix = `${connections.toString(36)}-${Math.floor(Math.random() * 36 ** 6).toString(36)}`;
    this.#replies = new ReplyLine(
      (text) => this.#send(text),
      (after) => this.#run(after),
    );
    this.#lanes = new CallLanes(prefix, {
      send: (wireId, call) => this.#send(formatCall(wireId, call.action, call.payload)),
      answered: (id, answer) => this.#ends.answered(id, answer),
    });
  }

  get open(): boolean {
    return this.#open;
  }

  /** Answers that belonged to no call. */
  get counts(): Readonly<AnswerCounts> {
    return this.#lanes.counts;
  }

  /** A call to the station; how it ended comes by `answered`, possibly before this returns. */
  call(call: StationCall): void {
    const spec = actionSpec(call.action);
    const wrong =
      spec === undefined || spec.from === 'station'
        ? `${call.action} — expected an action that a central system may call`
        : wrongPayload(spec.request, call.payload);
    if (wrong === undefined) {
      this.#lanes.call(call, this.#clock.now());
      return;
    }
    const description = `${call.action}.req: ${wrong}`;
    this.#ends.fault('internal', description);
    this.#ends.answered(call.id, { ok: false, error: 'invalid', description });
  }

  /** A text frame came in. */
  received(text: string): void {
    if (!this.#heard()) return;
    const frame = parseFrame(text);
    if (frame.type === 'call') this.#called(frame);
    else if (frame.type !== 'bad') this.#answered(frame);
    else {
      this.#charge(this.#clock.now());
      this.#ends.fault('malformed', frame.description);
      if (frame.id !== undefined)
        this.#replies.add(formatError(frame.id, frame.code, frame.description), this.#clock.now());
    }
  }

  /** A binary frame came in; OCPP-J has none. */
  receivedBinary(bytes: number): void {
    if (this.#heard()) this.#ends.fault('malformed', `frame: ${bytes} bytes — expected text`);
  }

  /** What came in is no WebSocket frame, or a frame too large: the socket closes. */
  broken(detail: string): void {
    if (this.#open) this.#ends.fault('malformed', detail);
  }

  /** A ping or a pong came in. */
  heard(): void {
    this.#heard();
  }

  tick(): void {
    if (!this.#open) return;
    const now = this.#clock.now();
    this.#lanes.tick(now);
    if (this.#replies.tick(now) > 0) this.#ends.fault('internal', 'no answer of ours in time');
    const rate = this.#rate.tick(now);
    if (rate === 'resume') this.#socket.resume();
    else if (rate === 'flood') this.#abandon('flood', `more than ${this.#options.rate.perSecond} frames per second`);
    else if (!this.#rate.throttled) this.#keepAlive(now);
  }

  /** Closes the socket. Calls without an answer end as `disconnected`. */
  close(code: number, reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.close(code, reason);
    this.#lanes.close();
  }

  /** The socket is gone. */
  closed(): void {
    this.#open = false;
    this.#lanes.close();
  }

  #heard(): boolean {
    if (!this.#open) return false;
    const now = this.#clock.now();
    this.#heardAt = now;
    this.#pingedAt = undefined;
    if (this.#rate.take(now)) this.#throttle();
    return this.#open;
  }

  /** What was heard has been read and checked: that is paid for by its time, without what the handler takes. */
  #charge(now: number): void {
    const spent = now - this.#heardAt;
    if (spent >= 1 && this.#rate.take(now, Math.min(spent, MOST_PAID_MS))) this.#throttle();
  }

  #throttle(): void {
    this.#socket.pause();
    this.#ends.fault('throttled', `more than ${this.#options.rate.perSecond} frames per second`);
  }

  #called({ id, action, payload }: Extract<Frame, { type: 'call' }>): void {
    const spec = actionSpec(action);
    if (!spec) this.#refuse(id, action, 'NotImplemented', 'expected an action of OCPP 1.6');
    else if (spec.from === 'central') this.#refuse(id, action, 'NotSupported', 'only a central system calls it');
    else {
      const checked = this.#check(spec.request, payload, `${action}.req`);
      if (checked.ok) this.#handle(id, action, checked.payload);
      else this.#refuse(id, action, checked.code, checked.description);
    }
  }

  #handle(id: string, action: string, payload: object): void {
    const now = this.#clock.now();
    this.#charge(now);
    let outcome: Reply | Promise<Reply>;
    try {
      outcome = this.#ends.request(action, payload);
    } catch (error) {
      this.#replies.add(this.#failure(id, action, error), now);
      return;
    }
    if (outcome instanceof Promise) this.#later(id, action, outcome);
    else this.#replies.add(this.#answerText(id, action, outcome), now, outcome.after);
  }

  #check(schema: Parameters<typeof validate>[0], payload: unknown, message: string) {
    const { tolerant } = this.#options;
    const checked = validate(schema, payload, { tolerant, wallClock: this.#clock.wallClock() });
    if (checked.ok && checked.repairs.length > 0) {
      this.#ends.fault('repaired', `${message}: ${checked.repairs.slice(0, 3).join('; ')}`);
    }
    return checked;
  }

  #refuse(id: string, action: string, code: OcppErrorCode, description: string): void {
    const now = this.#clock.now();
    this.#charge(now);
    this.#ends.fault('refused', `${action}: ${description}`);
    this.#replies.add(formatError(id, code, description), now);
  }

  /** Tells what went wrong here, and gives what the station is told. */
  #failure(id: string, action: string, error: unknown): string {
    this.#ends.fault('internal', `${action}: ${error instanceof Error ? error.message : String(error)}`);
    return formatError(id, 'InternalError', 'the central system cannot answer this call');
  }

  #answerText(id: string, action: string, { response }: Reply): string {
    if (!response.ok) return formatError(id, response.code, response.description);
    const spec = actionSpec(action);
    const wrong = spec && wrongPayload(spec.response, response.payload);
    if (wrong !== undefined) return this.#failure(id, `${action}.conf`, wrong);
    return formatResult(id, response.payload);
  }

  #later(id: string, action: string, outcome: Promise<Reply>): void {
    if (this.#replies.full) this.#abandon('flood', 'too many calls without waiting for an answer');
    const instead = formatError(id, 'InternalError', 'the central system does not answer this call');
    const settle = this.#replies.reserve(instead, this.#clock.now());
    outcome.then(
      (reply) => settle(this.#answerText(id, action, reply), reply.after),
      (error: unknown) => settle(this.#failure(id, action, error)),
    );
  }

  #run(after: () => void): void {
    try {
      after();
    } catch (error) {
      this.#ends.fault('internal', error instanceof Error ? error.message : String(error));
    }
  }

  #answered(frame: Exclude<Frame, { type: 'call' }>): void {
    const call = this.#lanes.find(frame.id);
    if (!call) return;
    const answer = this.#answer(frame, call);
    const now = this.#clock.now();
    this.#charge(now);
    this.#lanes.settle(frame.id, answer, now);
  }

  #answer(frame: Exclude<Frame, { type: 'call' }>, { action }: StationCall): CallAnswer {
    if (frame.type === 'error') {
      return { ok: false, error: 'refused', code: frame.code, description: frame.description };
    }
    const spec = actionSpec(action);
    if (!spec) return { ok: false, error: 'invalid', description: action };
    const checked = this.#check(spec.response, frame.payload, `${action}.conf`);
    if (checked.ok) return { ok: true, payload: checked.payload };
    const description = `${action}.conf: ${checked.description}`;
    this.#ends.fault('refused', description);
    return { ok: false, error: 'invalid', description };
  }

  #keepAlive(now: number): void {
    const { pingInterval, pingTimeout } = this.#options;
    if (pingInterval === 0 || now - this.#heardAt < pingInterval * 1000) return;
    if (this.#pingedAt === undefined) {
      this.#pingedAt = now;
      this.#socket.ping();
    } else if (now - this.#pingedAt >= pingTimeout * 1000) {
      this.#abandon('silent', `nothing heard for ${Math.round((now - this.#heardAt) / 1000)} s`);
    }
  }

  #send(text: string): void {
    if (!this.#open) return;
    if (this.#socket.bufferedAmount + text.length <= this.#options.maxBuffered) this.#socket.send(text);
    else this.#abandon('not-reading', `${this.#socket.bufferedAmount} bytes wait for a station that does not read`);
  }

  #abandon(kind: FaultKind, detail: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#ends.fault(kind, detail);
    this.#socket.terminate();
    this.#lanes.close();
  }
}

function wrongPayload(schema: Parameters<typeof validate>[0], payload: object): string | undefined {
  const checked = validate(schema, payload, { tolerant: false, wallClock: 0 });
  return checked.ok ? undefined : checked.description;
}
