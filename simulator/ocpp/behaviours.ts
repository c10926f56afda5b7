/** How stations in the field differ from a well-behaved one, by name. */
import { type Behaviour, combine, type Refusal } from './behaviour.ts';
import { MEASURAND_NAMES } from './measurands.ts';

export interface NamedBehaviour {
  behaviour: Behaviour;
  /** What one sees of it. */
  text: string;
  /** Threads; none: known of the vendor that `text` names, or what the specification leaves open. */
  seen: readonly string[];
}

const ABOVE_ZERO: Refusal = { stackAbove: 0 };
const NOT_RELATIVE: readonly Refusal[] = [{ kind: 'Absolute' }, { kind: 'Recurring' }];

export const BEHAVIOURS = {
  obeying: { behaviour: {}, text: 'does what the specification says', seen: [] },
  lagging: { behaviour: { lagSeconds: 20 }, text: 'obeys 20 s late', seen: [] },
  ignoring: {
    behaviour: { ignoresLimits: true },
    text: 'accepts every profile and charges as before; Current.Offered tells',
    seen: [],
  },
  lying: {
    behaviour: { ignoresLimits: true, offeredLies: true },
    text: 'accepts, reports the limit as offered, and charges as before: only the measured current tells',
    seen: [],
  },
  'stack-zero': {
    behaviour: { maxStackLevel: 0, refuses: [ABOVE_ZERO] },
    text: 'takes stack level 0 only (ABB, Wallbox firmware 5)',
    seen: ['lbbrhzn/ocpp#1737', 'evcc#15493'],
  },
  'stack-overstated': {
    behaviour: { maxStackLevel: 9, refuses: [{ stackAbove: 2 }] },
    text: 'names stack level 9 and rejects what is above 2',
    seen: ['lbbrhzn/ocpp#1737'],
  },
  'stale-profile': {
    behaviour: { staleProfile: { stackLevel: 10, amps: 8 }, maxStackLevel: 10, failedReads: 1 },
    text: 'a stale profile of stack level 10 caps at 8 A, and the first configuration read fails',
    seen: ['lbbrhzn/ocpp#2148'],
  },
  'failed-read': {
    behaviour: { failedReads: 1 },
    text: 'the first configuration read fails',
    seen: ['lbbrhzn/ocpp#2148'],
  },
  'no-station-maximum': {
    behaviour: { refuses: [{ purpose: 'ChargePointMaxProfile', answer: 'NotSupported' }] },
    text: 'does not support ChargePointMaxProfile',
    seen: ['lbbrhzn/ocpp#221', 'lbbrhzn/ocpp#2158'],
  },
  'station-maximum-blocked': {
    behaviour: { refuses: [{ purpose: 'ChargePointMaxProfile' }, { connector: 'station' }] },
    text: 'rejects what is for the whole station: a local setting blocks it',
    seen: ['lbbrhzn/ocpp#877'],
  },
  'default-only': {
    behaviour: { refuses: [{ purpose: 'TxProfile' }, { purpose: 'ChargePointMaxProfile' }] },
    text: 'takes TxDefaultProfile only',
    seen: ['evcc#14888'],
  },
  'transaction-only': {
    behaviour: { refuses: [{ purpose: 'TxDefaultProfile' }, { purpose: 'ChargePointMaxProfile' }] },
    text: 'takes TxProfile only',
    seen: [],
  },
  'no-connector-zero': {
    behaviour: { refuses: [{ connector: 'station' }] },
    text: 'rejects every profile for connector 0',
    seen: ['lbbrhzn/ocpp#877'],
  },
  'connector-zero-only': {
    behaviour: { refuses: [{ connector: 'single' }] },
    text: 'takes profiles for connector 0 only',
    seen: [],
  },
  'whole-limits': {
    behaviour: { refuses: [{ fractional: true }] },
    text: 'rejects limits that are not whole numbers',
    seen: [],
  },
  'no-duration': {
    behaviour: { refuses: [{ withDuration: true }] },
    text: 'rejects a schedule with a duration',
    seen: [],
  },
  'one-profile': { behaviour: { maxProfiles: 1 }, text: 'has room for one profile', seen: [] },
  'silent-profiles': {
    behaviour: { slow: { SetChargingProfile: 1e6 } },
    text: 'never answers SetChargingProfile, and obeys it',
    seen: [],
  },
  'no-smart-charging': {
    behaviour: {
      unsupported: ['SetChargingProfile', 'ClearChargingProfile', 'GetCompositeSchedule'],
      keys: { SupportedFeatureProfiles: { value: 'Core,FirmwareManagement,RemoteTrigger', readonly: true } },
    },
    text: 'knows no profiles at all',
    seen: ['lbbrhzn/ocpp#221'],
  },
  'relative-only': {
    behaviour: { refuses: NOT_RELATIVE },
    text: 'takes Relative profiles only (Wallbox)',
    seen: [],
  },
  'absolute-only': {
    behaviour: { refuses: [{ kind: 'Relative' }, { kind: 'Recurring' }] },
    text: 'takes Absolute only',
    seen: [],
  },
  'power-only': {
    behaviour: { rateUnits: 'Power', refuses: [{ unit: 'A' }] },
    text: 'takes W only (Huawei)',
    seen: ['evcc#9838', 'lbbrhzn/ocpp#2084'],
  },
  'amps-only': {
    behaviour: { rateUnits: 'Current', refuses: [{ unit: 'W' }, { withoutPhases: true }] },
    text: 'takes A only, and with numberPhases (go-e)',
    seen: ['go-eCharger-API-v2#190'],
  },
  'zero-phases': {
    behaviour: { zeroPhasesIsZero: true },
    text: 'numberPhases 0 is 0 W',
    seen: ['evcc#30998'],
  },
  'zero-resumes-unlimited': {
    behaviour: { zeroResumesUnlimited: true },
    text: 'after 0 A the vehicle is offered everything until the next profile (go-e)',
    seen: ['go-eCharger-API-v2#155'],
  },
  'drops-while-suspended': {
    behaviour: { dropsTxProfileWhileSuspended: true },
    text: 'accepts, then drops, a TxProfile while the charging is suspended (Delta)',
    seen: [],
  },
  'zero-stops': {
    behaviour: { zeroStops: true },
    text: 'takes 0 as the end of the transaction (Huawei)',
    seen: ['evcc#29274'],
  },
  'replug-after-stop': {
    behaviour: { replugAfterStop: true },
    text: 'after a stop nothing begins before the vehicle is plugged in again (BENY)',
    seen: ['evcc#12861'],
  },
  'forgets-on-reconnect': {
    behaviour: { forgetsOnReconnect: true },
    text: 'its profiles are gone when it connects again (go-e firmware 56.2)',
    seen: ['go-eCharger-API-v2#217'],
  },
  'forgets-on-reboot': { behaviour: { forgetsOnReboot: true }, text: 'its profiles are gone after a reboot', seen: [] },
  'never-expires': {
    behaviour: { neverExpires: true },
    text: 'a profile stays in force after its duration, offline as well',
    seen: [],
  },
  'relative-from-receipt': {
    behaviour: { relativeFrom: 'receipt' },
    text: 'a Relative schedule begins when it was received',
    seen: [],
  },
  'no-redial': {
    behaviour: { redialsAfterGracefulClose: false },
    text: 'does not connect again after the server closed properly',
    seen: ['lbbrhzn/ocpp#1975'],
  },
  'duplicate-connections': {
    behaviour: { redialsWhileOpenSeconds: 10 },
    text: 'opens another connection while the first is open, again and again',
    seen: ['ocpp-go#358'],
  },
  'no-boot-on-reconnect': {
    behaviour: { bootsOnReconnect: false },
    text: 'sends no BootNotification when it connects again',
    seen: ['evcc#25069'],
  },
  'boot-loop': {
    behaviour: { rebootsAfterTriggeredBoot: true },
    text: 'reboots when a BootNotification is triggered',
    seen: ['lbbrhzn/ocpp#1096'],
  },
  'reboots-on-measurands': {
    behaviour: { rebootsOnMeasurands: true },
    text: 'reboots whenever its measurands are configured (ABB)',
    seen: ['lbbrhzn/ocpp#1275'],
  },
  'slow-connect': {
    behaviour: { connectDelaySeconds: 900 },
    text: 'needs 15 minutes to connect (Mennekes 4you)',
    seen: [],
  },
  'boots-as-201': {
    behaviour: { boot201: true },
    text: 'sends a BootNotification of OCPP 2.0.1 over ocpp1.6',
    seen: ['lbbrhzn/ocpp#2008'],
  },
  'repeats-start': {
    behaviour: { repeatsStart: 2 },
    text: 'sends every StartTransaction three times',
    seen: ['steve#1294'],
  },
  'minus-one': {
    behaviour: { minusOneAfterOffline: true },
    text: 'a transaction that began offline keeps the id -1',
    seen: ['libocpp#495'],
  },
  'stops-yesterdays': {
    behaviour: { stopsYesterdays: 471_100 },
    text: 'at start it stops a transaction of yesterday that nobody knows',
    seen: [],
  },
  'remote-start-needed': {
    behaviour: { remoteStartNeeded: true },
    text: 'nothing begins without RemoteStartTransaction (Easee, Autel, Wallbox firmware 5)',
    seen: [],
  },
  'resumes-after-power-loss': {
    behaviour: { resumesAfterPowerLoss: true },
    text: 'a transaction goes on after a power cut',
    seen: [],
  },
  'no-availability': {
    behaviour: { refusesAvailability: true },
    text: 'ChangeAvailability is rejected (EN+)',
    seen: [],
  },
  'excluded-measurands': {
    behaviour: { withoutMeasurands: ['Current.Offered', 'Power.Offered', 'SoC', 'Temperature', 'Frequency'] },
    text: 'rejects a list with a measurand that it does not have (Elvi)',
    seen: [],
  },
  'no-offered': {
    behaviour: { withoutMeasurands: ['Current.Offered', 'Power.Offered'], unsupported: ['GetCompositeSchedule'] },
    text: 'tells neither what it offers nor its schedule: only the measured current tells',
    seen: [],
  },
  'no-meter': {
    behaviour: { withoutMeasurands: MEASURAND_NAMES },
    text: 'meters nothing: that it obeys can never be proven',
    seen: [],
  },
  'plug-and-charge-key': {
    behaviour: { keys: { PlugAndChargeIdentifier: { value: 'plugncharge' } } },
    text: 'the tag of free charging is a configuration key (Alfen)',
    seen: [],
  },
  'phase-switching-key': {
    behaviour: { keys: { ACPhaseSwitchingSupported: { value: 'true', readonly: true } } },
    text: 'tells by a key of its own that it switches phases (Charge Amps)',
    seen: [],
  },
  'measurands-key': {
    behaviour: {
      keys: {
        evb_SupportedMeasurands: {
          value: 'Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,Current.Offered',
          readonly: true,
        },
      },
    },
    text: 'names its measurands in a key of its own (EVBox)',
    seen: [],
  },
  'slow-reset': { behaviour: { slow: { Reset: 60 } }, text: 'answers a Reset after 60 s', seen: [] },
  'slow-answers': { behaviour: { slow: { '*': 5 } }, text: 'answers everything after 5 s', seen: [] },
  'numeric-ids': { behaviour: { numericIds: true }, text: 'message ids are numbers', seen: [] },
  'extra-fields': { behaviour: { extraFields: true }, text: 'sends fields that no schema knows', seen: [] },
  'whole-amps': { behaviour: { stepAmps: 1 }, text: 'offers whole A, rounded down', seen: [] },
  'clock-behind': {
    behaviour: { clock: { offsetSeconds: -3600 } },
    text: 'its clock is an hour behind and is never set',
    seen: ['steve#136'],
  },
  'clock-ahead': {
    behaviour: { clock: { offsetSeconds: 7200 } },
    text: 'its clock is two hours ahead',
    seen: ['steve#136'],
  },
  'clock-drifts': {
    behaviour: { clock: { offsetSeconds: 0, driftSecondsPerHour: 30 } },
    text: 'its clock gains 30 s an hour and is never set',
    seen: ['steve#136'],
  },
  kilo: { behaviour: { meter: { kilo: true } }, text: 'meters in kW and kWh', seen: [] },
  'total-values': {
    behaviour: { meter: { values: 'total', phaseAttribute: false } },
    text: 'one value for all phases',
    seen: [],
  },
  'both-values': { behaviour: { meter: { values: 'both' } }, text: 'values of each phase and of all', seen: [] },
  'no-phase': {
    behaviour: { meter: { phaseAttribute: false } },
    text: 'values of each phase, without the attribute that says which',
    seen: [],
  },
  terse: { behaviour: { meter: { terse: true } }, text: 'leaves out what equals its default', seen: [] },
  'with-location': { behaviour: { meter: { location: 'Outlet' } }, text: 'every value has a location', seen: [] },
  'site-measurands': {
    behaviour: { meter: { site: 'measurands' } },
    text: 'meters the site, too: Power.Active.Import.Grid, .PV, .Home',
    seen: [],
  },
  'site-locations': {
    behaviour: { meter: { site: 'locations' } },
    text: 'meters the site, too: locations Grid, Solar, Home',
    seen: [],
  },
  'odd-intervals': { behaviour: { oddIntervals: [1, 47, 3, 121, 7] }, text: 'meters at odd times', seen: [] },
} as const satisfies Record<string, NamedBehaviour>;

export type BehaviourName = keyof typeof BEHAVIOURS;

export function isBehaviourName(name: string): name is BehaviourName {
  return Object.hasOwn(BEHAVIOURS, name);
}

/** Several at once; lists add up, of single values the last counts. */
export function behaviour(...names: BehaviourName[]): Behaviour {
  return names.map((name): Behaviour => BEHAVIOURS[name].behaviour).reduce(combine, {});
}
