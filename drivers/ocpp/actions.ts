/** All actions of OCPP 1.6 with its security extension: who calls, and the shapes of request and response. */
import type { z } from 'zod';
import { empty } from './schemas/common.ts';
import * as core from './schemas/core.ts';
import * as maintenance from './schemas/maintenance.ts';
import * as security from './schemas/security.ts';
import * as smart from './schemas/smart-charging.ts';

export interface ActionSpec {
  /** Who may call it. */
  from: 'station' | 'central' | 'both';
  request: z.ZodType<object>;
  response: z.ZodType<object>;
}

export const ACTIONS = {
  // Core
  Authorize: { from: 'station', request: core.AuthorizeRequest, response: core.AuthorizeResponse },
  BootNotification: {
    from: 'station',
    request: core.BootNotificationRequest,
    response: core.BootNotificationResponse,
  },
  Heartbeat: { from: 'station', request: empty, response: core.HeartbeatResponse },
  MeterValues: { from: 'station', request: core.MeterValuesRequest, response: empty },
  StartTransaction: {
    from: 'station',
    request: core.StartTransactionRequest,
    response: core.StartTransactionResponse,
  },
  StatusNotification: { from: 'station', request: core.StatusNotificationRequest, response: empty },
  StopTransaction: { from: 'station', request: core.StopTransactionRequest, response: core.StopTransactionResponse },
  DataTransfer: { from: 'both', request: core.DataTransferRequest, response: core.DataTransferResponse },
  ChangeAvailability: {
    from: 'central',
    request: core.ChangeAvailabilityRequest,
    response: core.ChangeAvailabilityResponse,
  },
  ChangeConfiguration: {
    from: 'central',
    request: core.ChangeConfigurationRequest,
    response: core.ChangeConfigurationResponse,
  },
  ClearCache: { from: 'central', request: empty, response: core.ClearCacheResponse },
  GetConfiguration: {
    from: 'central',
    request: core.GetConfigurationRequest,
    response: core.GetConfigurationResponse,
  },
  RemoteStartTransaction: {
    from: 'central',
    request: core.RemoteStartTransactionRequest,
    response: core.RemoteStartTransactionResponse,
  },
  RemoteStopTransaction: {
    from: 'central',
    request: core.RemoteStopTransactionRequest,
    response: core.RemoteStopTransactionResponse,
  },
  Reset: { from: 'central', request: core.ResetRequest, response: core.ResetResponse },
  UnlockConnector: { from: 'central', request: core.UnlockConnectorRequest, response: core.UnlockConnectorResponse },

  // SmartCharging
  SetChargingProfile: {
    from: 'central',
    request: smart.SetChargingProfileRequest,
    response: smart.SetChargingProfileResponse,
  },
  ClearChargingProfile: {
    from: 'central',
    request: smart.ClearChargingProfileRequest,
    response: smart.ClearChargingProfileResponse,
  },
  GetCompositeSchedule: {
    from: 'central',
    request: smart.GetCompositeScheduleRequest,
    response: smart.GetCompositeScheduleResponse,
  },

  // RemoteTrigger, LocalAuthListManagement, Reservation, FirmwareManagement
  TriggerMessage: {
    from: 'central',
    request: maintenance.TriggerMessageRequest,
    response: maintenance.TriggerMessageResponse,
  },
  GetLocalListVersion: { from: 'central', request: empty, response: maintenance.GetLocalListVersionResponse },
  SendLocalList: {
    from: 'central',
    request: maintenance.SendLocalListRequest,
    response: maintenance.SendLocalListResponse,
  },
  ReserveNow: { from: 'central', request: maintenance.ReserveNowRequest, response: maintenance.ReserveNowResponse },
  CancelReservation: {
    from: 'central',
    request: maintenance.CancelReservationRequest,
    response: maintenance.CancelReservationResponse,
  },
  DiagnosticsStatusNotification: {
    from: 'station',
    request: maintenance.DiagnosticsStatusNotificationRequest,
    response: empty,
  },
  FirmwareStatusNotification: {
    from: 'station',
    request: maintenance.FirmwareStatusNotificationRequest,
    response: empty,
  },
  GetDiagnostics: {
    from: 'central',
    request: maintenance.GetDiagnosticsRequest,
    response: maintenance.GetDiagnosticsResponse,
  },
  UpdateFirmware: { from: 'central', request: maintenance.UpdateFirmwareRequest, response: empty },

  // Security
  SecurityEventNotification: { from: 'station', request: security.SecurityEventNotificationRequest, response: empty },
  LogStatusNotification: { from: 'station', request: security.LogStatusNotificationRequest, response: empty },
  SignedFirmwareStatusNotification: {
    from: 'station',
    request: security.SignedFirmwareStatusNotificationRequest,
    response: empty,
  },
  SignCertificate: {
    from: 'station',
    request: security.SignCertificateRequest,
    response: security.SignCertificateResponse,
  },
  CertificateSigned: {
    from: 'central',
    request: security.CertificateSignedRequest,
    response: security.CertificateSignedResponse,
  },
  DeleteCertificate: {
    from: 'central',
    request: security.DeleteCertificateRequest,
    response: security.DeleteCertificateResponse,
  },
  ExtendedTriggerMessage: {
    from: 'central',
    request: security.ExtendedTriggerMessageRequest,
    response: security.ExtendedTriggerMessageResponse,
  },
  GetInstalledCertificateIds: {
    from: 'central',
    request: security.GetInstalledCertificateIdsRequest,
    response: security.GetInstalledCertificateIdsResponse,
  },
  GetLog: { from: 'central', request: security.GetLogRequest, response: security.GetLogResponse },
  InstallCertificate: {
    from: 'central',
    request: security.InstallCertificateRequest,
    response: security.InstallCertificateResponse,
  },
  SignedUpdateFirmware: {
    from: 'central',
    request: security.SignedUpdateFirmwareRequest,
    response: security.SignedUpdateFirmwareResponse,
  },
} as const satisfies Record<string, ActionSpec>;

export type Action = keyof typeof ACTIONS;
export type RequestOf<A extends Action> = z.infer<(typeof ACTIONS)[A]['request']>;
export type ResponseOf<A extends Action> = z.infer<(typeof ACTIONS)[A]['response']>;

/** Actions that a station may call; `DataTransfer` is called by both. */
export type StationAction = { [A in Action]: (typeof ACTIONS)[A]['from'] extends 'central' ? never : A }[Action];
/** Actions that a central system may call. */
export type CentralAction = { [A in Action]: (typeof ACTIONS)[A]['from'] extends 'station' ? never : A }[Action];

/** The action of that name; undefined for a name that OCPP 1.6 does not have. */
export function actionSpec(name: string): ActionSpec | undefined {
  return Object.hasOwn(ACTIONS, name) ? ACTIONS[name as Action] : undefined;
}
