/**
 * Devices played by somebody else: a Shelly 3EM and a go-e charger as an MQTT client would see them, with a car that
 * follows after a lag. Written from the protocol, without any code of the palette or of its simulator.
 */
import mqtt, { type MqttClient } from 'mqtt';

export interface HousePlayerOptions {
  url: string;
  shelly: string;
  serial: string;
  api: 'v1' | 'v2';
  /** s from a changed limit to the car's answer. */
  lag?: number;
  /** s between two reports of the charger. */
  report?: number;
}

interface Write {
  /** ms, monotonic. */
  at: number;
  topic: string;
  payload: string;
}

export class HousePlayer {
  house: [number, number, number] = [4, 4, 4];
  shellySilent = false;
  amp = 16;
  /** v2 `frc`; v1 `alw` is its negation. */
  frc = 0;
  plugged = true;
  car = 0;
  /** What was written to the charger. */
  readonly writes: Write[] = [];
  readonly #options: Required<HousePlayerOptions>;
  readonly #client: MqttClient;
  readonly #timers: NodeJS.Timeout[] = [];
  #pending: { at: number; current: number }[] = [];
  #followed = 0;
  #listeners: ((write: Write) => void)[] = [];

  private constructor(options: HousePlayerOptions, client: MqttClient) {
    this.#options = { lag: 3, report: 5, ...options };
    this.#client = client;
  }

  static async start(options: HousePlayerOptions): Promise<HousePlayer> {
    const client = await mqtt.connectAsync(options.url, { reconnectPeriod: 200 });
    const player = new HousePlayer(options, client);
    const base = `go-eCharger/${options.serial}`;
    client.on('message', (topic, payload) => player.#written(topic, String(payload)));
    await client.subscribeAsync(options.api === 'v1' ? `${base}/cmd/req` : `${base}/+/set`);
    player.#timers.push(
      setInterval(() => player.#physics(), 50),
      setInterval(() => player.#meter(), 1000),
      setInterval(() => player.reportCharger(), player.#options.report * 1000),
    );
    player.reportCharger();
    return player;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#client.endAsync(true);
  }

  total(): [number, number, number] {
    return [this.house[0] + this.car, this.house[1] + this.car, this.house[2] + this.car];
  }

  /** A in force: 0 while stopped. */
  offered(): number {
    return this.frc === 1 ? 0 : this.amp;
  }

  /** The next write that fits. */
  nextWrite(fits: (write: Write) => boolean, timeoutMs: number): Promise<Write> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no such write within ${timeoutMs} ms; offered ${this.offered()} A`)),
        timeoutMs,
      );
      this.#listeners.push((write) => {
        if (!fits(write)) return;
        clearTimeout(timer);
        resolve(write);
      });
    });
  }

  /** Publishes one phase of the meter now; returns when. */
  publishPhase(phase: number, current: number): number {
    const base = `shellies/${this.#options.shelly}/emeter/${phase}`;
    const at = performance.now();
    this.#client.publish(`${base}/current`, current.toFixed(2));
    this.#client.publish(`${base}/power`, (current * 230).toFixed(2));
    return at;
  }

  publish(topic: string, payload: string | Buffer): void {
    this.#client.publish(topic, payload);
  }

  unplug(): void {
    this.plugged = false;
    this.frc = 0;
    this.reportCharger();
  }

  plugIn(): void {
    this.plugged = true;
    this.reportCharger();
  }

  reportCharger(): void {
    const { api, serial } = this.#options;
    const base = `go-eCharger/${serial}`;
    const state = !this.plugged ? 1 : this.car > 0.5 ? 2 : this.frc === 1 ? 4 : 3;
    const volts = [230, 230, 230, 0];
    const watts = this.car * 230;
    if (api === 'v1') {
      const nrg = [
        ...volts,
        ...Array(3).fill(Math.round(this.car * 10)),
        ...Array(3).fill(Math.round(watts / 100)),
        0,
        Math.round((watts * 3) / 10),
        100,
        100,
        100,
        0,
      ];
      const status = {
        car: String(state),
        amp: '16',
        amx: String(this.amp),
        alw: this.frc === 1 ? '0' : '1',
        ama: '16',
        cbl: '0',
        stp: '0',
        dwo: '0',
        dws: '0',
        eto: '120',
        err: '0',
        ast: '0',
        tmp: '30',
        uby: '0',
        pha: '63',
        nrg,
      };
      this.#client.publish(`${base}/status`, JSON.stringify(status));
      return;
    }
    const nrg = [...volts, this.car, this.car, this.car, watts, watts, watts, 0, watts * 3, 100, 100, 100, 0];
    const values = {
      car: state,
      amp: this.amp,
      frc: this.frc,
      alw: this.frc !== 1,
      nrg,
      wh: 100,
      eto: 1000,
      modelStatus: this.frc === 1 ? 4 : 15,
      err: 0,
    };
    for (const [key, value] of Object.entries(values))
      this.#client.publish(`${base}/${key}`, JSON.stringify(value), { retain: true });
  }

  #written(topic: string, payload: string): void {
    const write = { at: performance.now(), topic, payload };
    this.writes.push(write);
    const [key, text] = topic.endsWith('/cmd/req') ? payload.split('=') : [topic.split('/').at(-2), payload];
    const value = Number(text);
    if (key === 'amp' || key === 'amx') this.amp = value;
    if (key === 'frc') this.frc = value;
    if (key === 'alw') this.frc = value === 0 ? 1 : 0;
    const { api, serial } = this.#options;
    if (api === 'v2') {
      this.#client.publish(`go-eCharger/${serial}/${key}/result`, 'true');
      this.#client.publish(`go-eCharger/${serial}/${key}`, String(value), { retain: true });
    }
    for (const listener of this.#listeners) listener(write);
  }

  #physics(): void {
    const now = performance.now();
    const wanted = this.plugged ? this.offered() : 0;
    if ((this.#pending.at(-1)?.current ?? this.#followed) !== wanted)
      this.#pending.push({ at: now + this.#options.lag * 1000, current: wanted });
    while (this.#pending.length > 0 && this.#pending[0].at <= now) this.#followed = this.#pending.shift()?.current ?? 0;
    this.car = this.plugged && this.#followed >= 6 ? this.#followed : 0;
  }

  #meter(): void {
    if (this.shellySilent) return;
    for (const [phase, current] of this.total().entries()) this.publishPhase(phase, current);
  }
}
