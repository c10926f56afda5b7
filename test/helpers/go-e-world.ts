/** A go-e driver and a simulated charger on one virtual bus, in virtual time; messages can be lost, the driver killed. */
import type { PhaseCount } from '../../core/charger-track.ts';
import type { PerPhase, Phase } from '../../core/units.ts';
import type { ChargerReading } from '../../drivers/charger.ts';
import { GoECharger, type GoEOptions, type GoEOutput } from '../../drivers/go-e/charger.ts';
import { type GoEApi, type GoEWrite, mqttWrite } from '../../drivers/go-e/codec.ts';
import type { PauseRecord } from '../../drivers/go-e/control.ts';
import { SimulatedGoEV1 } from '../../simulator/go-e-v1.ts';
import { SimulatedGoEV2 } from '../../simulator/go-e-v2.ts';
import type { Bus, VehiclePort } from '../../simulator/ports.ts';

/** A vehicle that follows the pilot signal at once, on the phases it uses. */
export class FakeVehicle implements VehiclePort {
  isPlugged = true;
  wantsEnergy = true;
  uses: [number, number, number] = [1, 1, 1];
  offered = 0;
  connected: readonly Phase[] = ['L1', 'L2', 'L3'];
  energy = 0;
  #looks = 0;
  plugged(): boolean {
    return this.isPlugged;
  }
  wants(): boolean {
    return this.wantsEnergy;
  }
  current(): PerPhase {
    const draw = this.isPlugged && this.wantsEnergy ? this.offered : 0;
    const on = (phase: Phase, i: number) => (this.connected.includes(phase) ? draw * this.uses[i] : 0);
    return [on('L1', 0), on('L2', 1), on('L3', 2)];
  }
  /** Never quite the same, as in a real grid. */
  voltage(): PerPhase {
    this.#looks = (this.#looks + 1) % 7;
    return [229 + (this.#looks % 3), 231, 229];
  }
  offer(current: number): void {
    this.offered = current;
  }
  connect(phases: readonly Phase[]): void {
    this.connected = phases;
  }
  sessionEnergy(): number {
    return this.energy;
  }
  totalEnergy(): number {
    return 1_000_000 + this.energy;
  }
}

export class GoEWorld {
  now = 0;
  readonly vehicle = new FakeVehicle();
  readonly device: SimulatedGoEV1 | SimulatedGoEV2;
  readonly options: GoEOptions;
  charger: GoECharger;
  /** What is on the disk. */
  record: PauseRecord | undefined;
  readonly writes: GoEWrite[] = [];
  readonly readings: ChargerReading[] = [];
  readonly outputs: GoEOutput[] = [];
  /** Broker reachable from both. */
  broker = true;
  /** Whether the next message from or to the device is lost. */
  lose: (direction: 'up' | 'down') => boolean = () => false;
  /** Record every write's record state at that time. */
  readonly recordAtWrite: { write: GoEWrite; record: PauseRecord | undefined }[] = [];
  readonly #retained = new Map<string, string>();

  constructor(api: GoEApi, options: Partial<GoEOptions> & { record?: PauseRecord; device?: object } = {}) {
    const serial = '201630';
    this.device =
      api === 'v1'
        ? new SimulatedGoEV1(this.vehicle, { serial, ...options.device })
        : new SimulatedGoEV2(this.vehicle, { serial, ...options.device });
    this.options = {
      api,
      serial,
      topicPrefix: 'go-eCharger',
      rotation: ['L1', 'L2', 'L3'],
      minCurrent: 6,
      maxCurrent: 16,
      safeCurrent: 6,
      ...options,
    };
    this.record = options.record;
    this.charger = new GoECharger(this.options, this.record, 0);
    this.run(this.charger.linked(true, 0));
  }

  readonly bus: Bus = {
    publish: (topic, payload, retain) => {
      if (!this.broker) return;
      if (retain) this.#retained.set(topic, payload);
      if (this.lose('up')) return;
      this.run(this.charger.message(topic, payload, false, this.now));
    },
  };

  run(outputs: GoEOutput[]): void {
    for (const output of outputs) {
      this.outputs.push(output);
      if (output.type === 'persist') this.record = output.record;
      if (output.type === 'reading') this.readings.push(output.reading);
      if (output.type === 'write') this.#write(output.write);
    }
  }

  #write(write: GoEWrite): void {
    this.writes.push(write);
    this.recordAtWrite.push({ write, record: this.record });
    if (!this.broker || this.lose('down')) return;
    const { topic, payload } = mqttWrite(this.options.api, this.options.topicPrefix, this.options.serial, write);
    this.device.message(topic, payload, this.now, this.bus);
  }

  /** Runs the world for some seconds, the driver's clock four times a second. */
  pass(seconds: number): void {
    for (const end = this.now + seconds * 1000; this.now < end; ) {
      this.now += 250;
      this.device.tick(this.now, this.bus);
      this.run(this.charger.tick(this.now));
    }
  }

  setpoint(current: number, validFor = 3600, phases?: PhaseCount): void {
    this.run(this.charger.setpoint(current, validFor, this.now, phases));
  }

  setBroker(up: boolean): void {
    this.broker = up;
    this.run(this.charger.linked(up, this.now));
    if (!up) return;
    this.#deliverRetained();
    if (this.device instanceof SimulatedGoEV2) this.device.connect(this.now, this.bus);
  }

  /** kill -9 and a new process, which knows what is on the disk and gets what is retained. */
  restart(): void {
    this.charger = new GoECharger(this.options, this.record, this.now);
    this.run(this.charger.linked(this.broker, this.now));
    if (this.broker) this.#deliverRetained();
  }

  /** What a broker does at every subscription. */
  #deliverRetained(): void {
    for (const [topic, payload] of this.#retained) this.run(this.charger.message(topic, payload, true, this.now));
  }

  press(button: 'stop' | 'start'): void {
    this.device.press(button);
  }

  /** Whether the switch of the charger says off. */
  switchedOff(): boolean {
    return this.device instanceof SimulatedGoEV1 ? this.device.inspect().alw === 0 : this.device.inspect().frc === 1;
  }

  last(): ChargerReading {
    const reading = this.charger.reading(this.now);
    if (!reading) throw new Error('no reading yet');
    return reading;
  }

  alerts(): string[] {
    return this.outputs.flatMap((o) => (o.type === 'alert' ? [`${o.alert.active ? '+' : '-'}${o.alert.code}`] : []));
  }
}
