/** The MQTT broker inside `npm start`, for a machine that has none. */
import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { StartError } from './environment.ts';

export interface Broker {
  url: string;
  stop(): Promise<void>;
}

export interface BrokerOptions {
  host: string;
  port: number;
  /** Empty: nobody has to log in. */
  user: string;
  password: string;
}

/** @throws StartError when the port is taken. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { host, port, user, password } = options;
  const aedes = await Aedes.createBroker();
  if (user !== '') {
    aedes.authenticate = (_client, name, given, done) => done(null, name === user && given?.toString() === password);
  }
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
    aedes.handle(socket);
  });
  try {
    await listen(server, host, port);
  } catch (error) {
    aedes.close();
    throw error;
  }
  // Clients on this machine reach a broker that listens everywhere through loopback.
  const reach = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return {
    url: `mqtt://${reach.includes(':') ? `[${reach}]` : reach}:${(server.address() as { port: number }).port}`,
    stop: () => stop(aedes, server, sockets),
  };
}

/** The server stops when no connection is left, so every one is ended, also one that never logged in. */
async function stop(aedes: Aedes, server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
  await new Promise<void>((resolve) => aedes.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  await stopped;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `${host}:${port} is taken, probably by another MQTT broker. Use it with MQTT_URL=mqtt://${host}:${port}, or set MQTT_PORT to a free port.`;
      reject(error.code === 'EADDRINUSE' ? new StartError(taken) : new StartError(`MQTT broker: ${error.message}`));
    });
    server.listen(port, host, resolve);
  });
}
