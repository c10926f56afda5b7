/**
 * A home in virtual time on which the commissioning check is run: plant and devices, the real drivers, our control loop, and the
 * check beside it. A known load can be switched on, a vehicle can leave.
 */
import {
  advanceCheck,
  type CheckCommand,
  type CheckSite,
  type CheckState,
  type CheckView,
  type Controller,
  checkFindings,
  checkView,
  createCheck,
  createController,
  decide,
  type Effect,
  type KeptCheck,
  keptOf,
  onCharger,
  onCheckCharger,
  onCheckCommand,
  onCheckMeter,
  onCheckTold,
  onLimit,
  onMeter,
  onRequest,
  reconfigure,
  type SetpointOut,
  setCheckSite,
  withFindings,
} from '../core/index.ts';
import { PHASES, type Phase } from '../core/units.ts';
import { GoECharger, type GoEOutput } from '../drivers/go-e/charger.ts';
import { mqttWrite } from '../drivers/go-e/codec.ts';
import { type MeterOutput, ShellyMeter } from '../drivers/shelly-3em/meter.ts';
import { CheckPlant, type CheckPlantOptions, METER_ID, SERIAL } from './check-plant.ts';

export interface CheckHomeOptions extends CheckPlantOptions {
  includesChargers?: boolean;
  generationBehind?: boolean;
  rotation?: Phase[];
  phaseSwitching?: boolean;
}

const TICK_MS = 100;
const DECIDE_MS = 500;
const REPORT_MS = 1000;

export class CheckHome extends CheckPlant {
  site: CheckSite;
  controller: Controller;
  check: CheckState;
  /** What is on the disk. */
  kept: KeptCheck | undefined;
  /** What the check has asked for so far. */
  readonly asked: (Effect & { at: number })[] = [];
  now = 0;
  readonly #options: CheckHomeOptions;
  readonly #meter: ShellyMeter;
  readonly #charger: GoECharger;
  #dirty = false;
  #decidedAt = 0;
  #reportedAt = 0;
  #findings = '';

  constructor(options: CheckHomeOptions = {}) {
    super(options);
    this.#options = options;
    const { api = 'v2', generation = 1, rating = 25 } = options;
    const rotation = options.rotation ?? [...PHASES];
    this.#meter = new ShellyMeter(
      { generation, deviceId: METER_ID, phaseOrder: PHASES_IN_ORDER, replyTo: 'dlm', pollSeconds: 1 },
      0,
    );
    const limits = { minCurrent: 6, maxCurrent: 16, safeCurrent: 6 };
    this.#charger = new GoECharger(
      { api, serial: SERIAL, topicPrefix: 'go-eCharger', rotation, ...limits },
      undefined,
      0,
    );
    this.#charger.linked(true, 0);
    this.site = siteOf(options, rotation, rating);
    this.controller = createController(this.site, {}, 0);
    this.check = createCheck(this.site, { vehicleLagSeconds: 6 }, undefined);
  }

  /** Lets `seconds` pass, or less: until something is so. Returns whether it was. */
  run(seconds: number, until: () => boolean = () => false): boolean {
    const end = this.now + seconds * 1000;
    while (this.now < end) {
      if (until()) return true;
      this.#tick();
    }
    return until();
  }

  view(): CheckView {
    return checkView(this.check);
  }

  command(command: CheckCommand): void {
    this.#apply(onCheckCommand(this.check, command, this.now));
  }

  /** The process of the check dies, and starts again with what was on the disk. */
  restart(): void {
    this.check = createCheck(this.site, { vehicleLagSeconds: 6 }, structuredClone(this.kept));
  }

  /** The site is configured anew. */
  configure(site: CheckSite): void {
    this.site = site;
    this.#apply(setCheckSite(this.check, site));
    this.#obey(true);
  }

  /** What was asked of the charger, in its order: maxima in A, or null. */
  requests(): (number | null)[] {
    return this.asked.flatMap((e) => (e.type === 'request' ? [e.maxCurrent] : []));
  }

  #tick(): void {
    this.now += TICK_MS;
    const { now } = this;
    this.plant.step(now);
    this.shelly.tick(now, {
      publish: (topic, payload) => this.#fromMeter(this.#meter.message(topic, payload, false, now)),
    });
    this.goE.tick(now + 400, {
      publish: (topic, payload) => this.#fromCharger(this.#charger.message(topic, payload, false, now)),
    });
    if (now % 250 < TICK_MS) {
      this.#fromMeter(this.#meter.tick(now, true));
      this.#fromCharger(this.#charger.tick(now));
    }
    if (this.#dirty || now - this.#decidedAt >= DECIDE_MS) this.#decide();
    this.#apply(advanceCheck(this.check, now));
    this.#obey();
  }

  #fromMeter(outputs: readonly MeterOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'publish')
        this.shelly.message(output.topic, output.payload, this.now, {
          publish: (topic, payload) => this.#fromMeter(this.#meter.message(topic, payload, false, this.now)),
        });
      if (output.type !== 'reading') continue;
      onMeter(this.controller, 'grid', output.reading, this.now);
      onCheckMeter(this.check, 'grid', output.reading, this.now);
      this.#dirty = true;
    }
  }

  #fromCharger(outputs: readonly GoEOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'write') this.#write(output.write);
      if (output.type !== 'reading') continue;
      onCharger(this.controller, 'wallbox', output.reading, this.now);
      onCheckCharger(this.check, 'wallbox', output.reading, this.now);
      this.#dirty = true;
    }
  }

  #write(write: Parameters<typeof mqttWrite>[3]): void {
    const { topic, payload } = mqttWrite(this.#options.api ?? 'v2', 'go-eCharger', SERIAL, write);
    this.goE.message(topic, payload, this.now + 400, {
      publish: (t, p) => this.#fromCharger(this.#charger.message(t, p, false, this.now)),
    });
  }

  #decide(): void {
    this.#dirty = false;
    this.#decidedAt = this.now;
    const decision = decide(this.controller, this.now);
    const sent: SetpointOut | undefined = decision.setpoints.at(-1);
    if (sent || this.now - this.#reportedAt >= REPORT_MS) {
      this.#reportedAt = this.now;
      for (const { id, setpoint, request, reason } of decision.allocation().chargers)
        onCheckTold(this.check, id, { setpoint, request, reason: { code: reason.code, text: reason.code } }, this.now);
    }
    if (sent) this.#fromCharger(this.#charger.setpoint(sent.current, sent.validFor, this.now, sent.phases));
  }

  #apply(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'persist') {
        this.kept = JSON.parse(JSON.stringify(keptOf(this.check))) as KeptCheck;
        continue;
      }
      this.asked.push({ ...effect, at: this.now });
      if (effect.type === 'request') onRequest(this.controller, effect.id, { maxCurrent: effect.maxCurrent });
      else {
        const { circuit, power, validFor } = effect;
        onLimit(this.controller, circuit, 'commissioning', { power, validFor, onExpiry: 'release' }, this.now);
      }
    }
  }

  /** The allocator sees the site with what the check found. */
  #obey(anew = false): void {
    const findings = checkFindings(this.check);
    const text = JSON.stringify(findings);
    if (text === this.#findings && !anew) return;
    this.#findings = text;
    this.controller = reconfigure(this.controller, withFindings(this.site, findings), this.now);
  }
}

const PHASES_IN_ORDER: [Phase, Phase, Phase] = ['L1', 'L2', 'L3'];

function siteOf(options: CheckHomeOptions, rotation: Phase[], rating: number): CheckSite {
  const main = { id: 'main', rating, device: 'gG' as const, meter: 'grid', margin: 'auto' as const, jump: 16 };
  const {
    includesChargers: meterIncludesChargers = true,
    generationBehind: generation = false,
    phaseSwitching,
  } = options;
  const charger = { id: 'wallbox', circuit: 'main', rotation, min: 6, max: 16, safe: 6, phaseSwitching };
  return {
    circuits: [{ ...main, meterIncludesChargers, generation }],
    chargers: [charger],
    voltage: 230,
    channels: { grid: 'L1,L2,L3' },
  };
}
