/** Stations with one thing wrong: what the property of the promise must catch. */
import type { RequestOf } from '../../drivers/ocpp/actions.ts';
import { Station } from '../../drivers/ocpp/station.ts';
import type { StationCall, StationLogic, StationOutput } from '../../drivers/ocpp/station-io.ts';
import type { StationOptions } from '../../drivers/ocpp/station-options.ts';

type Profile = RequestOf<'SetChargingProfile'>['csChargingProfiles'];
type Change = (outputs: StationOutput[], current: number) => StationOutput[];
export type Make = (options: StationOptions, now: number) => StationLogic;

/** A station whose outputs are changed on their way. `current`: the newest set-point. */
function changing(change: Change): Make {
  return (options, now) => {
    const station = new Station(options, now);
    let current = 0;
    return {
      connected: (...args) => change(station.connected(...args), current),
      disconnected: (...args) => change(station.disconnected(...args), current),
      request: (...args) => {
        const { response, outputs } = station.request(...args);
        return { response, outputs: change(outputs, current) };
      },
      answered: (...args) => change(station.answered(...args), current),
      setpoint: (connector, amps, ...rest) => {
        current = amps;
        return change(station.setpoint(connector, amps, ...rest), current);
      },
      tick: (...args) => change(station.tick(...args), current),
    };
  };
}

const profiles = (edit: (profile: Profile) => Profile): Make =>
  changing((outputs) =>
    outputs.map((output) => {
      if (output.type !== 'call' || output.action !== 'SetChargingProfile') return output;
      const payload = output.payload as RequestOf<'SetChargingProfile'>;
      return { ...output, payload: { ...payload, csChargingProfiles: edit(payload.csChargingProfiles) } };
    }),
  );

export const BROKEN: Readonly<Record<string, Make>> = {
  'a profile that never ends': profiles((profile) => {
    const { duration: _, ...schedule } = profile.chargingSchedule;
    return { ...profile, chargingSchedule: schedule };
  }),
  'clears before it sets': changing((outputs) =>
    outputs.flatMap((output) => {
      if (output.type !== 'call' || output.action !== 'SetChargingProfile') return [output];
      const { connectorId } = output.payload as RequestOf<'SetChargingProfile'>;
      const clear: StationCall = {
        ...output,
        id: -output.id,
        action: 'ClearChargingProfile',
        payload: { connectorId },
      };
      return [clear, output];
    }),
  ),
  'rounds up': profiles((profile) => ({
    ...profile,
    chargingSchedule: {
      ...profile.chargingSchedule,
      chargingSchedulePeriod: profile.chargingSchedule.chargingSchedulePeriod.map((period) =>
        period.limit === 16.1 ? { ...period, limit: 16.2 } : period,
      ),
    },
  })),
  'believes what it sends': changing((outputs, current) =>
    outputs.map((output) =>
      output.type === 'reading' ? { ...output, reading: { ...output.reading, offer: current } } : output,
    ),
  ),
  'no default underneath': changing((outputs) =>
    outputs.filter(
      (output) =>
        output.type !== 'call' ||
        output.action !== 'SetChargingProfile' ||
        (output.payload as RequestOf<'SetChargingProfile'>).csChargingProfiles.chargingProfilePurpose === 'TxProfile',
    ),
  ),
  'another id each time, at another stack level': (() => {
    let id = 100;
    return profiles((profile) => {
      id += 1;
      return { ...profile, chargingProfileId: id, stackLevel: id % 4 };
    });
  })(),
};
