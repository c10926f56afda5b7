/** OCPP 1.6, profiles RemoteTrigger, LocalAuthListManagement, Reservation and FirmwareManagement: requests and responses. */
import { z } from 'zod';
import { AcceptedOrRejected, dateTime, IdTagInfo, idToken, integer, text, uri } from './common.ts';

// ---- RemoteTrigger

export const TriggerMessageRequest = z.strictObject({
  requestedMessage: z.enum([
    'BootNotification',
    'DiagnosticsStatusNotification',
    'FirmwareStatusNotification',
    'Heartbeat',
    'MeterValues',
    'StatusNotification',
  ]),
  connectorId: integer.optional(),
});
export const TriggerMessageResponse = z.strictObject({ status: z.enum(['Accepted', 'Rejected', 'NotImplemented']) });

// ---- LocalAuthListManagement

export const GetLocalListVersionResponse = z.strictObject({ listVersion: integer });

export const SendLocalListRequest = z.strictObject({
  listVersion: integer,
  localAuthorizationList: z.array(z.strictObject({ idTag: idToken, idTagInfo: IdTagInfo.optional() })).optional(),
  updateType: z.enum(['Differential', 'Full']),
});
export const SendLocalListResponse = z.strictObject({
  status: z.enum(['Accepted', 'Failed', 'NotSupported', 'VersionMismatch']),
});

// ---- Reservation

export const ReserveNowRequest = z.strictObject({
  connectorId: integer,
  expiryDate: dateTime,
  idTag: idToken,
  parentIdTag: idToken.optional(),
  reservationId: integer,
});
export const ReserveNowResponse = z.strictObject({
  status: z.enum(['Accepted', 'Faulted', 'Occupied', 'Rejected', 'Unavailable']),
});

export const CancelReservationRequest = z.strictObject({ reservationId: integer });
export const CancelReservationResponse = AcceptedOrRejected;

// ---- FirmwareManagement

export const DiagnosticsStatusNotificationRequest = z.strictObject({
  status: z.enum(['Idle', 'Uploaded', 'UploadFailed', 'Uploading']),
});

export const FirmwareStatusNotificationRequest = z.strictObject({
  status: z.enum([
    'Downloaded',
    'DownloadFailed',
    'Downloading',
    'Idle',
    'InstallationFailed',
    'Installing',
    'Installed',
  ]),
});

export const GetDiagnosticsRequest = z.strictObject({
  location: uri,
  retries: integer.optional(),
  /** s. */
  retryInterval: integer.optional(),
  startTime: dateTime.optional(),
  stopTime: dateTime.optional(),
});
export const GetDiagnosticsResponse = z.strictObject({ fileName: text(255).optional() });

export const UpdateFirmwareRequest = z.strictObject({
  location: uri,
  retries: integer.optional(),
  retrieveDate: dateTime,
  /** s. */
  retryInterval: integer.optional(),
});
