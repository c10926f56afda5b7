/** A server on a free port of this machine and raw WebSocket stations for it. */
import { once } from 'node:events';
import type { ClientOptions } from 'ws';
import WebSocket from 'ws';
import type { DriverAlert } from '../../../drivers/alert.ts';
import type { StationAccess } from '../../../drivers/ocpp/admission.ts';
import type { StationConnection } from '../../../drivers/ocpp/connection.ts';
import type { Clock, FaultKind, Reply } from '../../../drivers/ocpp/connection-io.ts';
import { type ConnectedStation, OcppServer, type OcppServerOptions } from '../../../drivers/ocpp/server.ts';
import type { CallAnswer } from '../../../drivers/ocpp/station-io.ts';

export interface TestServer {
  server: OcppServer;
  port: number;
  url(path: string): string;
  connections: Map<string, StationConnection>;
  /** `+CP1`, `-CP1` in the order in which it was told. */
  log: string[];
  stations: ConnectedStation[];
  alerts: [DriverAlert, string | undefined][];
  faults: [FaultKind, string][];
  answers: [string, number, CallAnswer][];
  request: (identity: string, action: string, payload: object) => Reply | Promise<Reply>;
  /** Settles when the condition holds; it is looked at whenever something was told. */
  until(condition: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

const TIME = '2026-05-03T00:00:00Z';

/** What a central system answers that accepts everything. */
export function acceptAll(action: string): Reply {
  const payloads: Record<string, object> = {
    BootNotification: { status: 'Accepted', currentTime: TIME, interval: 300 },
    Heartbeat: { currentTime: TIME },
    Authorize: { idTagInfo: { status: 'Accepted' } },
    StartTransaction: { idTagInfo: { status: 'Accepted' }, transactionId: 1 },
    DataTransfer: { status: 'UnknownVendorId' },
    SignCertificate: { status: 'Rejected' },
  };
  return { response: { ok: true, payload: payloads[action] ?? {} } };
}

export async function startServer(
  options: Partial<OcppServerOptions> = {},
  access: (identity: string, wire: string) => StationAccess | undefined = () => ({}),
  clock?: Clock,
): Promise<TestServer> {
  const waiting = new Set<() => void>();
  const changed = () => {
    for (const check of waiting) check();
  };
  const world: TestServer = {
    server: undefined as unknown as OcppServer,
    port: 0,
    url: (path) => `${options.tls ? 'wss' : 'ws'}://127.0.0.1:${world.port}${path}`,
    connections: new Map(),
    log: [],
    stations: [],
    alerts: [],
    faults: [],
    answers: [],
    request: (_identity, action) => acceptAll(action),
    until: (condition) =>
      new Promise((resolve) => {
        const check = () => {
          if (!condition()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    stop: () => world.server.stop(),
  };
  const tell = (entry: () => unknown) => {
    entry();
    changed();
  };
  world.server = new OcppServer(
    { listen: { port: 0, host: '127.0.0.1' }, securityProfile: 0, ...options },
    {
      access: ({ identity, wire }) => access(identity, wire),
      ends: (identity) => ({
        request: (action, payload) => world.request(identity, action, payload),
        answered: (id, answer) => tell(() => world.answers.push([identity, id, answer])),
        fault: (kind, detail) => tell(() => world.faults.push([kind, detail])),
      }),
      connected: (station, connection) =>
        tell(() => {
          world.stations.push(station);
          world.connections.set(station.identity, connection);
          world.log.push(`+${station.identity}`);
        }),
      disconnected: (identity) => tell(() => world.log.push(`-${identity}`)),
      alert: (alert, identity) => tell(() => world.alerts.push([alert, identity])),
    },
    clock,
  );
  world.port = (await world.server.start()) ?? 0;
  return world;
}

/** A station that is connected. Rejects with the HTTP status when it is refused. */
export async function dial(
  url: string,
  options: ClientOptions = {},
  protocols: string[] = ['ocpp1.6'],
): Promise<WebSocket> {
  const ws = new WebSocket(url, protocols, options);
  ws.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('unexpected-response', (_request, response) => {
      response.resume();
      reject(new Error(String(response.statusCode)));
    });
    ws.once('error', reject);
  });
  return ws;
}

/** The HTTP status with which a station is refused; 101 when it is not. */
export async function refusal(url: string, options: ClientOptions = {}, protocols?: string[]): Promise<number> {
  try {
    const ws = await dial(url, options, protocols);
    ws.terminate();
    return 101;
  } catch (error) {
    return Number((error as Error).message);
  }
}

/** Sends a frame and waits for the next one that comes. */
export async function ask(ws: WebSocket, frame: unknown): Promise<unknown[]> {
  const answer = once(ws, 'message');
  ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  const [data] = await answer;
  return JSON.parse(String(data));
}

/** Code and reason with which a socket was closed. */
export async function closing(ws: WebSocket): Promise<[number, string]> {
  const [code, reason] = await once(ws, 'close');
  return [code, String(reason)];
}

export const basic = (user: string, password: string | Uint8Array): ClientOptions => ({
  headers: {
    Authorization: `Basic ${Buffer.concat([Buffer.from(`${user}:`), Buffer.from(password)]).toString('base64')}`,
  },
});
