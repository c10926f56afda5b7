/** A raw OCPP 1.6 station of the bench: it costs as little as it can. */
import type WebSocket from 'ws';

const MAX_A = 16;
const VOLTS = 230;
const CONNECTOR = 1;

const sample = (measurand: string, value: string, unit: string, phase?: string) => ({
  value,
  context: 'Sample.Periodic',
  measurand,
  ...(phase && { phase }),
  location: 'Outlet',
  unit,
});

const CONFIGURATION: Readonly<Record<string, string>> = {
  ChargeProfileMaxStackLevel: '8',
  ChargingScheduleAllowedChargingRateUnit: 'Current,Power',
  ChargingScheduleMaxPeriods: '6',
  MaxChargingProfilesInstalled: '10',
  MeterValuesSampledData: 'Current.Import,Current.Offered,Power.Active.Import,Energy.Active.Import.Register',
};

type Payload = Record<string, unknown>;

/** What a station answers to what it is called. */
const ANSWERS: Readonly<Record<string, (payload: Payload, configuration: Readonly<Record<string, string>>) => object>> =
  {
    SetChargingProfile: () => ({ status: 'Accepted' }),
    ChangeConfiguration: () => ({ status: 'Accepted' }),
    GetConfiguration: ({ key }, configuration) => {
      const known = (key as string[] | undefined)?.filter((k) => configuration[k]) ?? Object.keys(configuration);
      return { configurationKey: known.map((k) => ({ key: k, readonly: false, value: configuration[k] })) };
    },
  };

/** One that charges on three phases what it is limited to, 16 A at most. */
export class BenchStation {
  readonly #ws: WebSocket;
  #id = 0;
  #answered: ((payload: Payload) => void) | undefined;
  /** A, by purpose. */
  readonly #limits = new Map<string, number>();
  #transaction: unknown;
  #energy = 1_000_000;
  #meteredAt = performance.now();

  readonly #configuration: Readonly<Record<string, string>>;
  readonly #limited: (amps: number, before: number) => void;

  /** `meterSeconds`: its interval, as it says. `limited`: it was told so many A, and follows from so many. */
  constructor(ws: WebSocket, meterSeconds: number, limited: (amps: number, before: number) => void = () => undefined) {
    this.#ws = ws;
    this.#configuration = { ...CONFIGURATION, MeterValueSampleInterval: String(meterSeconds) };
    this.#limited = limited;
    ws.on('message', (data: Buffer) => this.#heard(data.toString()));
  }

  async begin(): Promise<void> {
    const timestamp = new Date().toISOString();
    await this.#call('BootNotification', { chargePointVendor: 'Bench', chargePointModel: 'Triple 16' });
    await this.#call('StatusNotification', { connectorId: CONNECTOR, errorCode: 'NoError', status: 'Charging' });
    const start = { connectorId: CONNECTOR, idTag: 'BENCH', meterStart: this.#energy, timestamp };
    this.#transaction = (await this.#call('StartTransaction', start)).transactionId ?? 1;
  }

  /** Sends MeterValues; resolves with the ms until they were answered. */
  async meter(): Promise<number> {
    const payload = this.#meterValues();
    const sentAt = performance.now();
    await this.#call('MeterValues', payload);
    return performance.now() - sentAt;
  }

  #call(action: string, payload: object): Promise<Payload> {
    this.#id += 1;
    this.#ws.send(JSON.stringify([2, String(this.#id), action, payload]));
    return new Promise((resolve) => {
      this.#answered = resolve;
    });
  }

  /** The transaction's limit, else the default's. */
  get amps(): number {
    return this.#limits.get('TxProfile') ?? this.#limits.get('TxDefaultProfile') ?? MAX_A;
  }

  #meterValues(): object {
    const amps = this.amps;
    const power = 3 * VOLTS * amps;
    const now = performance.now();
    this.#energy += (power * (now - this.#meteredAt)) / 3_600_000;
    this.#meteredAt = now;
    const sampledValue = [
      ...['L1', 'L2', 'L3'].map((phase) => sample('Current.Import', amps.toFixed(1), 'A', phase)),
      sample('Current.Offered', amps.toFixed(1), 'A'),
      sample('Power.Active.Import', power.toFixed(0), 'W'),
      sample('Energy.Active.Import.Register', this.#energy.toFixed(0), 'Wh'),
    ];
    const meterValue = [{ timestamp: new Date().toISOString(), sampledValue }];
    return { connectorId: CONNECTOR, transactionId: this.#transaction, meterValue };
  }

  #heard(text: string): void {
    const [type, id, ...rest] = JSON.parse(text);
    if (type === 3) this.#answered?.(rest[0]);
    else if (type === 2) this.#serve(id, rest[0], rest[1]);
    else throw new Error(`unexpected: ${text}`);
  }

  #serve(id: string, action: string, payload: Payload): void {
    if (action === 'SetChargingProfile') {
      const { chargingProfilePurpose, chargingSchedule } = payload.csChargingProfiles as {
        chargingProfilePurpose: string;
        chargingSchedule: { chargingSchedulePeriod: { limit: number }[] };
      };
      const { limit } = chargingSchedule.chargingSchedulePeriod[0];
      this.#limited(limit, this.amps);
      this.#limits.set(chargingProfilePurpose, Math.min(MAX_A, limit));
    }
    const answer = ANSWERS[action];
    this.#ws.send(
      JSON.stringify(answer ? [3, id, answer(payload, this.#configuration)] : [4, id, 'NotSupported', '', {}]),
    );
  }
}
