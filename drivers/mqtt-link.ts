/** The little that a driver needs of MQTT; Node-RED's broker node, a real client and a virtual bus all fit behind it. */
export interface MqttLink {
  connected(): boolean;
  /** Returns a function that ends the subscription. */
  subscribe(
    topic: string,
    qos: 0 | 1,
    callback: (topic: string, payload: Uint8Array, packet: { retain?: boolean }) => void,
  ): () => void;
  /** Must drop the message while not connected: a stale set-point must never be delivered later. */
  publish(topic: string, payload: string, options: { qos: 0 | 1; retain: boolean }): void;
  /** Calls back at every change of `connected()`. Returns a function that ends it. */
  onConnection(callback: (connected: boolean) => void): () => void;
}
