/** OCPP 1.6, profile SmartCharging: requests and responses. */
import { z } from 'zod';
import {
  ChargingProfile,
  ChargingProfilePurpose,
  ChargingRateUnit,
  ChargingSchedule,
  dateTime,
  integer,
} from './common.ts';

export const SetChargingProfileRequest = z.strictObject({ connectorId: integer, csChargingProfiles: ChargingProfile });
export const SetChargingProfileResponse = z.strictObject({ status: z.enum(['Accepted', 'Rejected', 'NotSupported']) });

export const ClearChargingProfileRequest = z.strictObject({
  id: integer.optional(),
  connectorId: integer.optional(),
  chargingProfilePurpose: ChargingProfilePurpose.optional(),
  stackLevel: integer.optional(),
});
export const ClearChargingProfileResponse = z.strictObject({ status: z.enum(['Accepted', 'Unknown']) });

export const GetCompositeScheduleRequest = z.strictObject({
  connectorId: integer,
  /** s. */
  duration: integer,
  chargingRateUnit: ChargingRateUnit.optional(),
});
export const GetCompositeScheduleResponse = z.strictObject({
  status: z.enum(['Accepted', 'Rejected']),
  connectorId: integer.optional(),
  scheduleStart: dateTime.optional(),
  chargingSchedule: ChargingSchedule.optional(),
});
