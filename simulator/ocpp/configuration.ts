/** Configuration keys of a simulated station (OCPP 1.6 edition 2, 9; security whitepaper edition 2). */
import type { Behaviour } from './behaviour.ts';
import { MEASURAND_NAMES } from './measurands.ts';

export type ChangeOutcome = 'Accepted' | 'Rejected' | 'RebootRequired' | 'NotSupported';

interface Key {
  value: string;
  readonly?: boolean;
  /** Written, never told. */
  secret?: boolean;
  /** What is written counts after a reboot. */
  reboot?: boolean;
  accepts?: (value: string) => boolean;
}

const whole = (value: string) => /^\d{1,9}$/.test(value);
const flag = (value: string) => /^(true|false)$/i.test(value);
const integer = (value: number): Key => ({ value: String(value), accepts: whole });
const truth = (value: boolean): Key => ({ value: String(value), accepts: flag });
const fixed = (value: string | number | boolean): Key => ({ value: String(value), readonly: true });

export const MAX_PERIODS = 24;
const MAX_PROFILES = 20;
/** Of GetConfiguration. */
export const MAX_KEYS = 100;
export const MAX_LIST = 100;
const DEFAULT_STACK_LEVEL = 8;
const DEFAULT_MEASURANDS = 'Energy.Active.Import.Register,Power.Active.Import,Current.Import,Current.Offered,Voltage';
const SWITCHES_PHASES_KEY = 'ConnectorSwitch3to1PhaseSupported';

export interface ConfigurationOptions {
  connectors: number;
  switchesPhases: boolean;
  behaviour: Behaviour;
  /** Values in place of the defaults; also of read-only keys. */
  values?: Readonly<Record<string, string>>;
}

export class Configuration {
  readonly measurands: readonly string[];
  readonly #keys: Map<string, Key>;

  constructor(options: ConfigurationOptions) {
    const without = options.behaviour.withoutMeasurands ?? [];
    this.measurands = MEASURAND_NAMES.filter((name) => !without.includes(name));
    this.#keys = new Map(Object.entries(this.#standard(options)));
    for (const [key, { value, readonly }] of Object.entries(options.behaviour.keys ?? {}))
      this.#keys.set(key, { ...this.#keys.get(key), value, readonly });
    for (const [key, value] of Object.entries(options.values ?? {}))
      this.#keys.set(key, { ...this.#keys.get(key), value });
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  text(key: string): string {
    return this.#keys.get(key)?.value ?? '';
  }

  number(key: string): number {
    return Number(this.text(key)) || 0;
  }

  flag(key: string): boolean {
    return this.text(key).toLowerCase() === 'true';
  }

  list(key: string): string[] {
    return this.text(key)
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '' && item !== 'None');
  }

  /** The station itself changes a key. */
  set(key: string, value: string): void {
    const known = this.#keys.get(key);
    if (known) known.value = value;
  }

  /** ChangeConfiguration.req. */
  change(key: string, value: string): ChangeOutcome {
    const known = this.#keys.get(key);
    if (!known) return 'NotSupported';
    if (known.readonly || (known.accepts && !known.accepts(value))) return 'Rejected';
    known.value = value;
    return known.reboot ? 'RebootRequired' : 'Accepted';
  }

  /** GetConfiguration.req; without names all. */
  read(names: readonly string[]): { known: { key: string; readonly: boolean; value?: string }[]; unknown: string[] } {
    const asked = names.length > 0 ? names : [...this.#keys.keys()];
    const known = asked.flatMap((key) => {
      const found = this.#keys.get(key);
      if (!found) return [];
      const readonly = found.readonly === true;
      return [found.secret ? { key, readonly } : { key, readonly, value: found.value }];
    });
    return { known, unknown: asked.filter((key) => !this.#keys.has(key)) };
  }

  #standard({ connectors, switchesPhases, behaviour }: ConfigurationOptions): Record<string, Key> {
    return {
      ...this.#metering(),
      ...core(connectors),
      ...smartCharging(behaviour, switchesPhases),
      ...otherProfiles(),
    };
  }

  #metering(): Record<string, Key> {
    const measurands = (value: string): Key => ({
      value: value
        .split(',')
        .filter((name) => this.measurands.includes(name))
        .join(','),
      accepts: (given) => given === '' || given.split(',').every((name) => this.measurands.includes(name.trim())),
    });
    return {
      MeterValuesSampledData: measurands(DEFAULT_MEASURANDS),
      MeterValuesSampledDataMaxLength: fixed(this.measurands.length),
      MeterValueSampleInterval: integer(60),
      MeterValuesAlignedData: measurands('Energy.Active.Import.Register'),
      MeterValuesAlignedDataMaxLength: fixed(this.measurands.length),
      ClockAlignedDataInterval: integer(0),
      StopTxnSampledData: measurands(''),
      StopTxnAlignedData: measurands(''),
    };
  }
}

function core(connectors: number): Record<string, Key> {
  return {
    AllowOfflineTxForUnknownId: truth(true),
    AuthorizationCacheEnabled: truth(false),
    AuthorizeRemoteTxRequests: truth(false),
    ConnectionTimeOut: integer(60),
    ConnectorPhaseRotation: { value: '' },
    GetConfigurationMaxKeys: fixed(MAX_KEYS),
    HeartbeatInterval: integer(300),
    LocalAuthorizeOffline: truth(true),
    LocalPreAuthorize: truth(false),
    MinimumStatusDuration: integer(0),
    NumberOfConnectors: fixed(connectors),
    ResetRetries: integer(1),
    StopTransactionOnEVSideDisconnect: truth(true),
    StopTransactionOnInvalidId: truth(true),
    SupportedFeatureProfiles: fixed(
      'Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger',
    ),
    TransactionMessageAttempts: integer(3),
    TransactionMessageRetryInterval: integer(10),
    UnlockConnectorOnEVSideDisconnect: truth(true),
    WebSocketPingInterval: { ...integer(0), reboot: true },
  };
}

function smartCharging(behaviour: Behaviour, switchesPhases: boolean): Record<string, Key> {
  if (behaviour.unsupported?.includes('SetChargingProfile')) return {};
  return {
    ChargeProfileMaxStackLevel: fixed(behaviour.maxStackLevel ?? DEFAULT_STACK_LEVEL),
    ChargingScheduleAllowedChargingRateUnit: fixed(behaviour.rateUnits ?? 'Current,Power'),
    ChargingScheduleMaxPeriods: fixed(MAX_PERIODS),
    MaxChargingProfilesInstalled: fixed(behaviour.maxProfiles ?? MAX_PROFILES),
    [SWITCHES_PHASES_KEY]: fixed(switchesPhases),
  };
}

function otherProfiles(): Record<string, Key> {
  return {
    LocalAuthListEnabled: truth(true),
    LocalAuthListMaxLength: fixed(MAX_LIST),
    SendLocalListMaxLength: fixed(MAX_LIST),
    ReserveConnectorZeroSupported: fixed(false),
    AuthorizationKey: { value: '', secret: true, accepts: (value) => /^([0-9a-f]{2}){16,20}$/i.test(value) },
    CpoName: { value: '' },
    SecurityProfile: { ...integer(0), reboot: true, accepts: (value) => /^[123]$/.test(value) },
    SupportedFileTransferProtocols: fixed('HTTP,HTTPS'),
  };
}
