/**
 * Runs simulated devices in real time: each with its own MQTT connection and last will, and a loopback HTTP server.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import type { Bus, SimulatedDevice } from './ports.ts';

/** A device that tells the broker what to say when it is gone, and publishes something when it (re)connects. */
export interface ConnectingDevice extends SimulatedDevice {
  readonly lastWill?: { topic: string; payload: string };
  connect?(now: number, bus: Bus): void;
}

export interface RunOptions {
  devices: readonly ConnectingDevice[];
  mqttUrl?: string;
  username?: string;
  password?: string;
  /** ms between two ticks; default 100. */
  tickMs?: number;
  /** ms, monotonic. */
  now?: () => number;
  /** Advances the plant to a time before the devices look at it. */
  step?: (now: number) => void;
  /** Called with the port of each device's HTTP server on 127.0.0.1; without it there are none. */
  onHttp?: (device: ConnectingDevice, port: number) => void;
}

/** Starts all devices. Returns a function that stops them; it resolves when every connection is closed. */
export async function runDevices(options: RunOptions): Promise<() => Promise<void>> {
  const now = options.now ?? (() => performance.now());
  const clients = options.mqttUrl ? options.devices.map((device) => connect(device, options, now)) : [];
  const servers: Server[] = [];
  if (options.onHttp) {
    for (const device of options.devices) {
      const server = await serve(device, now);
      servers.push(server);
      options.onHttp(device, (server.address() as AddressInfo).port);
    }
  }
  const timer = setInterval(() => {
    const time = now();
    options.step?.(time);
    options.devices.forEach((device, i) => {
      device.tick(time, clients[i]?.bus ?? NO_BUS);
    });
  }, options.tickMs ?? 100);
  return async () => {
    clearInterval(timer);
    for (const server of servers) server.closeAllConnections();
    await Promise.all([...clients.map(({ client }) => client.endAsync(true)), ...servers.map(closed)]);
  };
}

const NO_BUS: Bus = { publish: () => undefined };

function connect(device: ConnectingDevice, options: RunOptions, now: () => number): { client: MqttClient; bus: Bus } {
  const will = device.lastWill;
  const client = mqtt.connect(options.mqttUrl ?? '', {
    username: options.username,
    password: options.password,
    will: will && { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
    reconnectPeriod: 500,
    // A device does not keep what it could not say.
    queueQoSZero: false,
  });
  const bus: Bus = {
    publish: (topic, payload, retain = false) => {
      if (client.connected) client.publish(topic, payload, { qos: 0, retain });
    },
  };
  client.on('connect', () => {
    client.subscribe([...device.subscriptions], { qos: 1 });
    device.connect?.(now(), bus);
  });
  client.on('message', (topic, payload) => device.message(topic, payload.toString('utf8'), now(), bus));
  // The client connects again by itself; a broker that is away is no reason to end.
  client.on('error', () => undefined);
  return { client, bus };
}

async function serve(device: SimulatedDevice, now: () => number): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = device.http(request.url ?? '/', now());
    // Status 0: the device is without power or network.
    if (answer?.status === 0) return request.socket.destroy();
    response.writeHead(answer?.status ?? 404, { 'content-type': 'application/json' });
    response.end(answer?.body ?? 'Not Found');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
