/** Node-RED's own MQTT broker configuration node behind the drivers' MqttLink. */
import type { Node, NodeAPI } from 'node-red';
import type { MqttLink } from '../drivers/mqtt-link.ts';
import { ConfigError } from './fields.ts';

interface BrokerUser {
  id: string;
  status(status: unknown): void;
}

/** What Node-RED's `mqtt-broker` offers to other nodes (4.1 and 5.0). */
interface MqttBrokerNode extends Node {
  connected: boolean;
  register(user: BrokerUser): void;
  deregister(user: BrokerUser, done: () => void, autoDisconnect: boolean): void;
  subscribe(
    topic: string,
    options: { qos: number },
    callback: (topic: string, payload: Uint8Array, packet?: { retain?: boolean }) => void,
    ref: string,
  ): void;
  unsubscribe(topic: string, ref: string, removeClientSubscription: boolean): void;
  publish(msg: { topic: string; payload: string; qos: number; retain: boolean }, done: (error?: unknown) => void): void;
}

export interface BrokerLink extends MqttLink {
  /** Ends every subscription and leaves the broker. */
  close(removed: boolean, done: () => void): void;
}

/** @throws ConfigError when the field names no broker node. */
export function brokerLink(RED: NodeAPI, node: Node, brokerId: unknown): BrokerLink {
  const found = typeof brokerId === 'string' ? (RED.nodes.getNode(brokerId) as MqttBrokerNode | null) : null;
  if (!found || typeof found.register !== 'function') throw new ConfigError('broker', brokerId, 'an MQTT broker node');
  const broker = found;
  const listeners = new Set<(connected: boolean) => void>();
  const topics = new Set<string>();
  let last = broker.connected;
  // The broker reports its connection to its users as a status; the status itself is the node's own business.
  const user: BrokerUser = {
    id: node.id,
    status: () => {
      if (broker.connected === last) return;
      last = broker.connected;
      for (const listener of listeners) listener(last);
    },
  };
  broker.register(user);

  return {
    connected: () => broker.connected,
    subscribe(topic, qos, callback) {
      topics.add(topic);
      broker.subscribe(topic, { qos }, (name, payload, packet) => callback(name, payload, packet ?? {}), node.id);
      return () => {
        if (topics.delete(topic)) broker.unsubscribe(topic, node.id, true);
      };
    },
    publish(topic, payload, { qos, retain }) {
      if (broker.connected) broker.publish({ topic, payload, qos, retain }, () => undefined);
    },
    onConnection(callback) {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },
    close(removed, done) {
      listeners.clear();
      for (const topic of topics) broker.unsubscribe(topic, node.id, true);
      topics.clear();
      broker.deregister(user, done, removed);
    },
  };
}
