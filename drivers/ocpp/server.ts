/** The WebSocket server of a central system: who may connect, one connection per station, and what to do when that goes wrong. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { DriverAlert } from '../alert.ts';
import {
  checkCredentials,
  type Identity,
  identityOf,
  offersOcpp,
  type Refusal,
  type SecurityProfile,
  type StationAccess,
  SUBPROTOCOL,
} from './admission.ts';
import { Attempts } from './attempts.ts';
import { StationConnection } from './connection.ts';
import { type Clock, type ConnectionEnds, type ConnectionOptions, SYSTEM_CLOCK } from './connection-io.ts';
import { abortUpgrade, Listener, type TlsFiles } from './listener.ts';
import { DEFAULT_RATE, RateBound } from './rate.ts';
import { Refusals } from './refusals.ts';
import { Takeovers } from './takeovers.ts';
import { WriteTurn } from './write-turn.ts';

export interface OcppServerOptions {
  /** A port of its own, or a server of somebody else, whose other paths are left alone. */
  listen: { port: number; host?: string } | { server: Server };
  /** Stations connect to `<path>/<identity>`. Own port: default any path; else `/ocpp`. */
  path?: string;
  securityProfile: SecurityProfile;
  /** For the profiles 2 and 3 on a port of its own. */
  tls?: TlsFiles;
  /** Bytes of the largest frame. Default 64 KB. */
  maxPayload?: number;
  /** Stations at once. Default 10,000. */
  maxStations?: number;
  /** Sockets that have not become a station's yet, of all and of one address. Defaults 2,048 and 512. */
  maxHalfOpen?: number;
  maxHalfOpenPerAddress?: number;
  /** s between attempts to get a port that is taken. Default 3. */
  retrySeconds?: number;
  connection?: ConnectionOptions;
  /** s for which a station that we cannot reach goes on under the last limit; so long two of one name are told. Default 300. */
  limitSeconds?: number;
}

export interface ConnectedStation extends Identity {
  address: string;
  /** By a password or a certificate. */
  authenticated: boolean;
}

export interface OcppServerEvents {
  /** What is known of a station; undefined = it is refused. */
  access(identity: Identity): StationAccess | undefined;
  /** A station has been let in: who hears it? */
  ends(identity: string): ConnectionEnds;
  connected(station: ConnectedStation, connection: StationConnection): void;
  disconnected(identity: string): void;
  alert(alert: DriverAlert, identity?: string): void;
}

interface Open extends ConnectedStation {
  ws: WebSocket;
  connection: StationConnection;
}

const LIMIT_S = 300;
/** ms that a station has to answer a close; then its socket is destroyed. */
const CLOSE_MS = 2000;
/** Code of a connection whose peer has not answered the close: it was gone. */
const NOT_ANSWERED = 1006;
/** Options of ws that its types do not know yet. */
const NOT_IN_TYPES = { closeTimeout: CLOSE_MS };

const TOO_MANY: Refusal = { status: 429, reason: 'too many attempts that failed' };

export class OcppServer {
  readonly #options: OcppServerOptions;
  readonly #events: OcppServerEvents;
  readonly #clock: Clock;
  readonly #wss: WebSocketServer;
  readonly #listener: Listener;
  readonly #open = new Map<string, Open>();
  /** Also those that were replaced and have not closed yet. */
  readonly #sockets = new Set<WebSocket>();
  readonly #attempts = new Attempts();
  readonly #takeovers: Takeovers;
  readonly #refusals: Refusals;
  readonly #turn = new WriteTurn();
  readonly #rates = new Map<string, RateBound>();
  #stopping = false;

  constructor(options: OcppServerOptions, events: OcppServerEvents, clock = SYSTEM_CLOCK) {
    this.#options = options;
    this.#events = events;
    this.#clock = clock;
    this.#takeovers = new Takeovers((options.limitSeconds ?? LIMIT_S) * 1000);
    this.#refusals = new Refusals((alert, identity) => events.alert(alert, identity));
    this.#wss = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: options.maxPayload ?? 64 * 1024,
      maxFragments: 1024,
      // A byte of Latin-1 in the name of a vendor is no reason to close: it is read as U+FFFD.
      skipUTF8Validation: true,
      ...NOT_IN_TYPES,
      handleProtocols: (protocols) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    this.#listener = new Listener(options, {
      upgrade: (request, socket, head) => this.#upgrade(request, socket, head),
      knows: (url) => identityOf(url, this.#base) !== undefined,
      alert: (alert) => events.alert(alert),
    });
  }

  /** Stations that are connected. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Resolves with the port once it is listened to; undefined when it was stopped before, or has no port of its own. A port that
   * is taken is told once (alert `ocpp-port`) and tried again until it is free.
   */
  start(): Promise<number | undefined> {
    return this.#listener.start();
  }

  /** To be called about four times a second. */
  tick(): void {
    this.#refusals.tick(this.#clock.now());
    for (const { connection } of this.#open.values()) connection.tick();
    for (const { identity, fight, args } of this.#takeovers.ended(this.#clock.now())) {
      this.#events.alert({ severity: 'warning', code: 'ocpp-duplicate', args, active: false }, identity);
      if (fight) this.#events.alert({ severity: 'error', code: 'ocpp-duplicate-loop', args, active: false }, identity);
    }
  }

  /** Takes renewed certificate files at once; once an hour that is done anyway. */
  reloadCertificates(): void {
    this.#listener.reloadCertificates();
  }

  /** Closes a station's connection; it may connect again. */
  disconnect(identity: string, code: number, reason: string): void {
    this.#open.get(identity)?.connection.close(code, reason);
  }

  /** Closes the stations (1001), then the port. Resolves when all is closed, whatever the stations do. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { connection } of this.#open.values()) connection.close(1001, 'the central system is going away');
    await this.#listener.stop(this.#allClosed());
  }

  get #maxStations(): number {
    return this.#options.maxStations ?? 10_000;
  }

  get #base(): string {
    return this.#options.path ?? ('server' in this.#options.listen ? '/ocpp' : '/');
  }

  async #allClosed(): Promise<void> {
    const closed = [...this.#sockets].map((ws) => new Promise((resolve) => ws.once('close', resolve)));
    // `ws` destroys the socket after CLOSE_MS; this is for what it does not see.
    const late = setTimeout(() => {
      for (const ws of this.#sockets) ws.terminate();
    }, CLOSE_MS + 500);
    await Promise.all(closed);
    clearTimeout(late);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const found = identityOf(request.url ?? '', this.#base);
    // On the server of somebody else the path may be somebody else's.
    if (found === undefined && 'server' in this.#options.listen) return;
    socket.on('error', () => undefined);
    const address = request.socket.remoteAddress ?? '';
    if (found === undefined) {
      abortUpgrade(socket, { status: 404, reason: 'no OCPP here: the path is another one' });
    } else if ('status' in found) {
      this.#refuse(socket, found, address);
    } else {
      this.#admit(request, socket, head, { ...found, address });
    }
  }

  #admit(request: IncomingMessage, socket: Duplex, head: Buffer, who: Identity & { address: string }): void {
    const now = this.#clock.now();
    const wait = this.#attempts.wait(who.address, who.identity, now);
    if (wait > 0 && this.#attempts.wasWrong(who.address, who.identity, now)) {
      this.#refuse(socket, TOO_MANY, who.address, who.identity, wait);
      return;
    }
    const access = this.#told(() => this.#events.access(who), who.identity);
    const refusal = access
      ? checkCredentials(request, this.#options.securityProfile, access, who.wire)
      : unknownStation(who.wire);
    if (refusal) {
      this.#attempts.failed(who.address, who.identity, now);
      this.#refuse(socket, wait > 0 ? TOO_MANY : refusal, who.address, who.identity, wait);
      return;
    }
    this.#attempts.succeeded(who.address, who.identity, now);
    const state = this.#mayOpen(request, access as StationAccess, who);
    if (state) {
      this.#refuse(socket, state, who.address, who.identity, this.#takeovers.hold(who.identity, now));
      return;
    }
    const authenticated = this.#options.securityProfile > 0 || (access?.password?.length ?? 0) > 0;
    this.#wss.handleUpgrade(request, socket, head, (ws) => {
      this.#listener.upgraded(request.socket);
      this.#accept(ws, socket, access as StationAccess, { ...who, authenticated });
    });
  }

  /** What keeps a station out that is who it says. */
  #mayOpen(request: IncomingMessage, access: StationAccess, who: Identity): Refusal | undefined {
    const protocols = request.headers['sec-websocket-protocol'];
    if (!offersOcpp(protocols) && access.anySubprotocol !== true) {
      const offered = JSON.stringify((protocols ?? '').slice(0, 60));
      return { status: 400, reason: `subprotocol: ${offered} — expected "${SUBPROTOCOL}"` };
    }
    if (this.#stopping) return { status: 503, reason: 'the central system is going away' };
    const other = this.#open.get(who.identity);
    if (!other) {
      const full = this.#open.size >= this.#maxStations;
      return full ? { status: 503, reason: `${this.#open.size} stations are connected already` } : undefined;
    }
    if (other.wire !== who.wire) {
      return { status: 409, reason: `identity: ${JSON.stringify(other.wire)} is connected and has the same name here` };
    }
    if (this.#takeovers.hold(who.identity, this.#clock.now()) === 0) return undefined;
    return { status: 503, reason: 'two stations with this identity replace each other' };
  }

  #accept(ws: WebSocket, socket: Duplex, access: StationAccess, station: ConnectedStation): void {
    this.#sockets.add(ws);
    ws.on('error', () => undefined); // Always followed by a close.
    ws.once('close', () => this.#sockets.delete(ws));
    const { identity } = station;
    this.#replace(station);
    const options = { ...this.#options.connection, tolerant: access.tolerant ?? this.#options.connection?.tolerant };
    if (access.pingInterval !== undefined) options.pingInterval = access.pingInterval;
    const ends = this.#told(() => this.#events.ends(identity), identity);
    if (!ends) {
      ws.close(1011, 'the central system cannot serve this station');
      return;
    }
    const connection = new StationConnection(ws, ends, options, this.#clock, this.#rate(identity));
    const open: Open = { ...station, ws, connection };
    this.#open.set(identity, open);
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      this.#turn.hold(socket);
      if (isBinary) connection.receivedBinary(data.length);
      else connection.received(data.toString());
    });
    ws.on('error', (error) => connection.broken(`WebSocket: ${error.message}`));
    ws.on('ping', () => connection.heard());
    ws.on('pong', () => connection.heard());
    ws.once('close', () => {
      connection.closed();
      if (this.#open.get(identity) !== open) return;
      this.#open.delete(identity);
      this.#told(() => this.#events.disconnected(identity), identity);
    });
    this.#refusals.over(identity);
    this.#told(() => this.#events.connected(station, connection), identity);
  }

  /** A station does not get a new burst by connecting again. */
  #rate(identity: string): RateBound {
    const known = this.#rates.get(identity);
    const rate = known ?? new RateBound(this.#options.connection?.rate ?? DEFAULT_RATE, this.#clock.now());
    this.#rates.delete(identity);
    this.#rates.set(identity, rate);
    if (this.#rates.size > 2 * this.#maxStations) this.#rates.delete(this.#rates.keys().next().value as string);
    return rate;
  }

  /** The newest connection of an identity wins: it has proved who it is, and the older one may be dead. */
  #replace({ identity, address, authenticated }: ConnectedStation): void {
    const older = this.#open.get(identity);
    if (!older) return;
    this.#open.delete(identity);
    older.connection.close(1008, 'replaced by a newer connection with this identity');
    this.#told(() => this.#events.disconnected(identity), identity);
    const args = { address, older: older.address, authenticated };
    // Anybody may be the station then, unless it is the one that was there: after an outage all come back while theirs are dead.
    if (!authenticated && address !== older.address) this.#takenOver(identity, false, args);
    older.ws.once('close', (code) => {
      if (code !== NOT_ANSWERED) this.#takenOver(identity, true, args);
    });
  }

  #takenOver(identity: string, alive: boolean, args: DriverAlert['args']): void {
    const { first, fight } = this.#takeovers.replaced(identity, alive, this.#clock.now(), args);
    if (first) this.#events.alert({ severity: 'warning', code: 'ocpp-duplicate', args, active: true }, identity);
    if (fight) this.#events.alert({ severity: 'error', code: 'ocpp-duplicate-loop', args, active: true }, identity);
  }

  /** Who listens may fail; the other stations must not feel it. */
  #told<T>(tell: () => T, identity: string): T | undefined {
    try {
      return tell();
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#refusals.raise({ severity: 'error', code: 'ocpp-internal', args: { detail } }, identity, this.#clock.now());
      return undefined;
    }
  }

  #refuse(socket: Duplex, refusal: Refusal, address: string, identity?: string, wait = 0): void {
    abortUpgrade(socket, refusal, wait);
    this.#refusals.add(refusal, address, identity, this.#clock.now());
  }
}

function unknownStation(wire: string): Refusal {
  return { status: 404, reason: `no station ${JSON.stringify(wire)} is known` };
}
