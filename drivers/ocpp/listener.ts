/** The HTTP side of a central system: a port of its own that is tried until it is free, or the server of somebody else. */
import fs from 'node:fs';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { DriverAlert } from '../alert.ts';
import type { Refusal, SecurityProfile } from './admission.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  /** The server's certificate, with those between it and the root. */
  cert: string;
  key: string;
  /** Profile 3: certificates of the authorities that sign the stations'. */
  ca?: string;
}

export interface ListenerOptions {
  listen: { port: number; host?: string } | { server: Server };
  securityProfile: SecurityProfile;
  tls?: TlsFiles;
  maxHalfOpen?: number;
  maxHalfOpenPerAddress?: number;
  retrySeconds?: number;
}

export interface ListenerEvents {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Whether stations connect at this address. */
  knows(url: string): boolean;
  alert(alert: DriverAlert): void;
}

/** How often the certificate files are looked at: they are renewed while the server runs. */
const CERTIFICATES_MS = 3600_000;

const HTTP_OPTIONS: http.ServerOptions = {
  maxHeaderSize: 8192,
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 2000,
  connectionsCheckingInterval: 2000,
};

export class Listener {
  readonly #options: ListenerOptions;
  readonly #events: ListenerEvents;
  readonly #halfOpen: HalfOpen;
  readonly #onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  #server: Server | undefined;
  #retry: NodeJS.Timeout | undefined;
  #reload: NodeJS.Timeout | undefined;
  #problem: DriverAlert | undefined;
  #certificateProblem: DriverAlert | undefined;
  #started: ((port: number | undefined) => void) | undefined;
  /** Settles when the attempt under way has ended. */
  #attempt = Promise.resolve();
  #stopped = false;

  constructor(options: ListenerOptions, events: ListenerEvents) {
    this.#options = options;
    this.#events = events;
    this.#halfOpen = new HalfOpen(options.maxHalfOpen ?? 2048, options.maxHalfOpenPerAddress ?? 512);
    this.#onUpgrade = (request, socket, head) => events.upgrade(request, socket, head);
  }

  start(): Promise<number | undefined> {
    const { listen } = this.#options;
    if ('server' in listen) {
      listen.server.on('upgrade', this.#onUpgrade);
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      this.#started = resolve;
      this.#listen(listen.port, listen.host);
    });
  }

  /** Takes the certificate files as they are now, for connections to come. The old ones stay where that fails, which is told. */
  reloadCertificates(): void {
    const { tls, securityProfile } = this.#options;
    if (!tls || !(this.#server instanceof https.Server)) return;
    try {
      this.#server.setSecureContext(tlsOptions(tls, securityProfile));
      if (this.#certificateProblem) this.#events.alert({ ...this.#certificateProblem, active: false });
      this.#certificateProblem = undefined;
    } catch (error) {
      if (this.#certificateProblem) return;
      const args = { reason: error instanceof Error ? error.message : String(error) };
      this.#certificateProblem = { severity: 'error', code: 'ocpp-certificates', args, active: true };
      this.#events.alert(this.#certificateProblem);
    }
  }

  /** A socket is a station's now. */
  upgraded(socket: Socket): void {
    this.#halfOpen.end(socket);
  }

  /** `stations`: resolves when their sockets are closed. */
  async stop(stations: Promise<void>): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    clearInterval(this.#reload);
    const { listen } = this.#options;
    if ('server' in listen) listen.server.off('upgrade', this.#onUpgrade);
    await this.#attempt;
    const server = this.#server;
    const closed = server && new Promise((resolve) => server.close(resolve));
    await stations;
    server?.closeAllConnections();
    this.#halfOpen.destroy();
    await closed;
    this.#ready(undefined);
  }

  #ready(port: number | undefined): void {
    this.#started?.(port);
    this.#started = undefined;
  }

  #listen(port: number, host: string | undefined): void {
    if (this.#stopped) return;
    let server: Server;
    try {
      server = this.#create();
    } catch (error) {
      this.#failed(error, port, host);
      return;
    }
    this.#attempt = new Promise((settled) => {
      const failed = (error: unknown) => {
        this.#failed(error, port, host);
        settled();
      };
      server.once('error', failed);
      server.listen({ port, host, backlog: 2048 }, () => {
        server.off('error', failed);
        this.#listening(server, port);
        settled();
      });
    });
  }

  #listening(server: Server, port: number): void {
    server.on('error', (error) => this.#tell(`accepting connections: ${error.message}`, port));
    this.#server = server;
    if (this.#options.tls && !this.#stopped) {
      this.#reload = setInterval(() => this.reloadCertificates(), CERTIFICATES_MS);
    }
    if (this.#problem) this.#events.alert({ ...this.#problem, active: false });
    this.#problem = undefined;
    const address = server.address();
    if (!this.#stopped) this.#ready(typeof address === 'object' ? address?.port : undefined);
  }

  #create(): Server {
    const { tls, securityProfile } = this.#options;
    if (securityProfile >= 2 && !tls)
      throw new Error(`security profile ${securityProfile}: expected certificate files`);
    const server = tls
      ? https.createServer({ ...HTTP_OPTIONS, ...tlsOptions(tls, securityProfile) })
      : http.createServer(HTTP_OPTIONS);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const known = this.#events.knows(request.url ?? '');
      const text = known ? 'An OCPP station connects here with a WebSocket.\n' : 'Not found.\n';
      response.writeHead(known ? 426 : 404, {
        'Content-Type': 'text/plain',
        'Content-Length': text.length,
        ...(known && { Upgrade: 'websocket' }),
        Connection: 'close',
      });
      response.end(text);
    });
    server.on('upgrade', this.#onUpgrade);
    server.on('connection', (socket: Socket) => this.#halfOpen.begin(socket));
    server.on('clientError', (_error, socket) => {
      socket.on('error', () => undefined);
      abortUpgrade(socket, { status: 400, reason: 'no HTTP request' });
    });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }

  #failed(error: unknown, port: number, host: string | undefined): void {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === 'EADDRINUSE'
        ? 'another program listens there'
        : code === 'EACCES'
          ? 'the operating system does not allow this port'
          : error instanceof Error
            ? error.message
            : String(error);
    this.#tell(reason, port, code === 'EADDRINUSE');
    if (this.#stopped) return;
    this.#retry = setTimeout(() => this.#listen(port, host), (this.#options.retrySeconds ?? 3) * 1000);
  }

  #tell(reason: string, port: number, inUse = false): void {
    if (this.#problem?.args.reason === reason) return;
    this.#problem = { severity: 'error', code: 'ocpp-port', args: { port, reason, inUse }, active: true };
    this.#events.alert(this.#problem);
  }
}

function tlsOptions({ cert, key, ca }: TlsFiles, profile: SecurityProfile): https.ServerOptions {
  return {
    cert: fs.readFileSync(cert),
    key: fs.readFileSync(key),
    ...(ca !== undefined && { ca: fs.readFileSync(ca) }),
    minVersion: 'TLSv1.2',
    handshakeTimeout: 10_000,
    // Who shows none, or a wrong one, is told so over HTTP, which says more than an alert of TLS.
    requestCert: profile === 3,
    rejectUnauthorized: false,
  };
}

/** Sockets of which nobody knows yet what they want: bounded in all and per address. */
class HalfOpen {
  readonly #max: number;
  readonly #maxPerAddress: number;
  readonly #sockets = new Map<string, Socket>();
  readonly #addresses = new Map<string, number>();

  constructor(max: number, maxPerAddress: number) {
    this.#max = max;
    this.#maxPerAddress = maxPerAddress;
  }

  begin(socket: Socket): void {
    const address = socket.remoteAddress;
    const count = this.#addresses.get(address ?? '') ?? 0;
    if (address === undefined || this.#sockets.size >= this.#max || count >= this.#maxPerAddress) {
      socket.destroy();
      return;
    }
    const name = `${address} ${socket.remotePort}`;
    this.#sockets.set(name, socket);
    this.#addresses.set(address, count + 1);
    socket.once('close', () => this.#end(name, address, socket));
  }

  end(socket: Socket): void {
    const name = `${socket.remoteAddress} ${socket.remotePort}`;
    this.#end(name, socket.remoteAddress ?? '', this.#sockets.get(name));
  }

  destroy(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #end(name: string, address: string, socket: Socket | undefined): void {
    if (socket === undefined || this.#sockets.get(name) !== socket) return;
    this.#sockets.delete(name);
    const left = (this.#addresses.get(address) ?? 1) - 1;
    if (left > 0) this.#addresses.set(address, left);
    else this.#addresses.delete(address);
  }
}

/** Answers a request for an upgrade with an HTTP error. `wait`: ms after which another attempt makes sense. */
export function abortUpgrade(socket: Duplex, { status, reason }: Refusal, wait = 0): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = `${reason}\n`;
  const headers = [
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['WWW-Authenticate: Basic realm="OCPP"'] : []),
    ...(wait > 0 ? [`Retry-After: ${Math.ceil(wait / 1000)}`] : []),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}
