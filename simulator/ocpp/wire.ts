/** Runs simulated stations over WebSockets in real time: dialling with back-off, basic auth, TLS; thousands with one timer. */
import WebSocket from 'ws';
import type { OcppStation } from './station.ts';

export interface WireOptions {
  /** Of the central system, without the identity: ws://127.0.0.1:9000 or with a path. */
  url: string;
  /** Basic auth; the user is the identity (security profile 1 and 2). */
  password?: string;
  /** PEM: who signed the server's certificate; the station's own for security profile 3. */
  tls?: { ca?: string; cert?: string; key?: string; rejectUnauthorized?: boolean };
  /** Offered subprotocols; default ocpp1.6. */
  protocols?: string[];
  /** First and longest wait before dialling again, ms; default 1 s and 30 s. */
  backOff?: { first: number; longest: number };
  /** Sees every frame. */
  onFrame?: (identity: string, direction: 'sent' | 'received', text: string) => void;
  /** Connected, closed, refused. */
  onEvent?: (identity: string, event: string) => void;
}

const BACK_OFF = { first: 1000, longest: 30_000 };
const GRACEFUL = 1000;

/** A station and its connection. It has no timer of its own: `tick` is to be called about four times a second. */
export class StationWire {
  readonly station: OcppStation;
  readonly #options: WireOptions;
  #socket: WebSocket | undefined;
  /** Opened while the first one was still open. */
  #second: WebSocket | undefined;
  #dialAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #openedAt = 0;
  #cut = false;
  #ended = false;
  #gaveUp = false;
  #now = 0;
  #wallClock = 0;

  constructor(station: OcppStation, options: WireOptions) {
    this.station = station;
    this.#options = options;
  }

  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** `now`: ms, monotonic; `wallClock`: epoch ms. */
  tick(now: number, wallClock: number): void {
    this.#now = now;
    this.#wallClock = wallClock;
    this.station.tick(now, wallClock);
    const wants = this.station.wantsConnection(now) && !this.#cut && !this.#ended && !this.#gaveUp;
    if (!wants && this.#socket) this.#drop();
    else if (wants && !this.#socket && now >= this.#dialAt) this.#dial();
    else if (this.connected) {
      this.#flush();
      this.#dialTwice();
    }
  }

  /** The network is gone: the connection dies without a word, the station goes on. */
  cutNetwork(): void {
    this.#cut = true;
    this.#drop();
  }

  restoreNetwork(): void {
    this.#cut = false;
    this.#dialAt = Number.NEGATIVE_INFINITY;
    this.#gaveUp = false;
  }

  cutPower(): void {
    this.station.powerCut();
    this.#gaveUp = false;
    this.#drop();
  }

  restorePower(): void {
    this.station.powerOn(this.#now);
    this.#dialAt = Number.NEGATIVE_INFINITY;
  }

  /** A frame as it is, for tests of what a server makes of it. */
  sendRaw(text: string): void {
    if (this.connected) this.#socket?.send(text);
  }

  /** Closes properly. */
  async close(): Promise<void> {
    this.#ended = true;
    const socket = this.#socket;
    this.#second?.terminate();
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    if (socket.readyState === WebSocket.CONNECTING) {
      socket.terminate();
      return;
    }
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const late = setTimeout(() => socket.terminate(), 1000);
    socket.close(GRACEFUL);
    await closed;
    clearTimeout(late);
  }

  #dial(): void {
    const socket = this.#open();
    this.#socket = socket;
    socket.on('open', () => {
      this.#failures = 0;
      this.#openedAt = this.#now;
      this.#options.onEvent?.(this.station.identity, 'connected');
      this.station.connected(this.#now, this.#wallClock);
      this.#flush();
    });
    this.#listen(socket);
  }

  #open(): WebSocket {
    const { url, password, tls, protocols } = this.#options;
    const identity = this.station.identity;
    const auth = password === undefined ? undefined : Buffer.from(`${identity}:${password}`).toString('base64');
    return new WebSocket(`${url.replace(/\/$/, '')}/${encodeURIComponent(identity)}`, protocols ?? ['ocpp1.6'], {
      ...tls,
      headers: auth === undefined ? undefined : { authorization: `Basic ${auth}` },
      perMessageDeflate: false,
      handshakeTimeout: 10_000,
    });
  }

  #listen(socket: WebSocket): void {
    socket.on('message', (data, isBinary) => {
      if (isBinary || socket !== this.#socket) return;
      const text = data.toString();
      this.#options.onFrame?.(this.station.identity, 'received', text);
      this.station.receive(text, this.#now, this.#wallClock);
      this.#flush();
    });
    socket.on('close', (code) => this.#closed(socket, code));
    // 'close' follows; why is told there.
    socket.on('error', (error) => this.#options.onEvent?.(this.station.identity, error.message));
  }

  #closed(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    this.station.disconnected();
    this.#options.onEvent?.(this.station.identity, `closed ${code}`);
    if (code === GRACEFUL && this.station.behaviour.redialsAfterGracefulClose === false) this.#gaveUp = true;
    const { first, longest } = this.#options.backOff ?? BACK_OFF;
    // Spread by identity, so that thousands do not come back in one moment.
    const spread = 1 + (hash(this.station.identity) % 100) / 200;
    this.#dialAt = this.#now + Math.min(longest, first * 2 ** this.#failures) * spread;
    this.#failures = Math.min(this.#failures + 1, 10);
  }

  #drop(): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    this.#second?.terminate();
    socket.terminate();
    this.station.disconnected();
    this.#options.onEvent?.(this.station.identity, 'cut');
  }

  #flush(): void {
    const socket = this.#socket;
    if (!socket || socket.readyState !== WebSocket.OPEN) return;
    for (const text of this.station.take()) {
      this.#options.onFrame?.(this.station.identity, 'sent', text);
      socket.send(text);
    }
  }

  /** Dials while it is connected, and goes over to the new connection once that is open. */
  #dialTwice(): void {
    const seconds = this.station.behaviour.redialsWhileOpenSeconds;
    if (!seconds || this.#second || this.#now - this.#openedAt < seconds * 1000) return;
    const second = this.#open();
    this.#second = second;
    second.on('open', () => {
      const first = this.#socket;
      this.#second = undefined;
      this.station.disconnected();
      this.#socket = second;
      this.#openedAt = this.#now;
      this.station.connected(this.#now, this.#wallClock);
      this.#flush();
      first?.close(GRACEFUL);
    });
    second.on('close', () => {
      if (this.#second === second) this.#second = undefined;
    });
    this.#listen(second);
  }
}

export interface FleetOptions {
  /** ms, monotonic; default performance.now(). */
  now?: () => number;
  wallClock?: () => number;
  /** Between two ticks of a station, ms; default 250. */
  periodMs?: number;
  /** Moves the plant before the stations look at it. */
  step?: (now: number) => void;
}

/** Stations that share a timer; their ticks are spread over the period. */
export class StationFleet {
  readonly wires: readonly StationWire[];
  readonly #timer: NodeJS.Timeout;

  constructor(wires: readonly StationWire[], options: FleetOptions = {}) {
    this.wires = wires;
    const { now = () => performance.now(), wallClock = Date.now, periodMs = 250, step } = options;
    const slices = wires.length > SLICE ? Math.max(1, Math.floor(periodMs / SLICE_MS)) : 1;
    let slice = 0;
    this.#timer = setInterval(() => {
      const at = now();
      const clock = wallClock();
      step?.(at);
      for (let i = slice; i < wires.length; i += slices) wires[i].tick(at, clock);
      slice = (slice + 1) % slices;
    }, periodMs / slices);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.wires.map((wire) => wire.close()));
  }
}

/** From so many stations on they are ticked in slices. */
const SLICE = 100;
const SLICE_MS = 50;

function hash(text: string): number {
  let value = 7;
  for (let i = 0; i < text.length; i++) value = (value * 31 + text.charCodeAt(i)) >>> 0;
  return value;
}
