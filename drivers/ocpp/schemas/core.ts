/** OCPP 1.6, profile Core: requests and responses. */
import { z } from 'zod';
import {
  AcceptedOrRejected,
  ChargingProfile,
  dateTime,
  IdTagInfo,
  idToken,
  integer,
  MeterValue,
  text,
} from './common.ts';

export const AuthorizeRequest = z.strictObject({ idTag: idToken });
export const AuthorizeResponse = z.strictObject({ idTagInfo: IdTagInfo });

export const BootNotificationRequest = z.strictObject({
  chargePointVendor: text(20),
  chargePointModel: text(20),
  chargePointSerialNumber: text(25).optional(),
  chargeBoxSerialNumber: text(25).optional(),
  firmwareVersion: text(50).optional(),
  iccid: text(20).optional(),
  imsi: text(20).optional(),
  meterType: text(25).optional(),
  meterSerialNumber: text(25).optional(),
});
export const BootNotificationResponse = z.strictObject({
  status: z.enum(['Accepted', 'Pending', 'Rejected']),
  currentTime: dateTime,
  /** s. */
  interval: integer,
});

export const HeartbeatResponse = z.strictObject({ currentTime: dateTime });

export const MeterValuesRequest = z.strictObject({
  connectorId: integer,
  transactionId: integer.optional(),
  meterValue: z.array(MeterValue),
});

export const StartTransactionRequest = z.strictObject({
  connectorId: integer,
  idTag: idToken,
  /** Wh. */
  meterStart: integer,
  reservationId: integer.optional(),
  timestamp: dateTime,
});
export const StartTransactionResponse = z.strictObject({ idTagInfo: IdTagInfo, transactionId: integer });

export const StatusNotificationRequest = z.strictObject({
  connectorId: integer,
  errorCode: z.enum([
    'ConnectorLockFailure',
    'EVCommunicationError',
    'GroundFailure',
    'HighTemperature',
    'InternalError',
    'LocalListConflict',
    'NoError',
    'OtherError',
    'OverCurrentFailure',
    'PowerMeterFailure',
    'PowerSwitchFailure',
    'ReaderFailure',
    'ResetFailure',
    'UnderVoltage',
    'OverVoltage',
    'WeakSignal',
  ]),
  info: text(50).optional(),
  status: z.enum([
    'Available',
    'Preparing',
    'Charging',
    'SuspendedEVSE',
    'SuspendedEV',
    'Finishing',
    'Reserved',
    'Unavailable',
    'Faulted',
  ]),
  timestamp: dateTime.optional(),
  vendorId: text(255).optional(),
  vendorErrorCode: text(50).optional(),
});

export const StopTransactionRequest = z.strictObject({
  idTag: idToken.optional(),
  /** Wh. */
  meterStop: integer,
  timestamp: dateTime,
  transactionId: integer,
  reason: z
    .enum([
      'EmergencyStop',
      'EVDisconnected',
      'HardReset',
      'Local',
      'Other',
      'PowerLoss',
      'Reboot',
      'Remote',
      'SoftReset',
      'UnlockCommand',
      'DeAuthorized',
    ])
    .optional(),
  transactionData: z.array(MeterValue).optional(),
});
export const StopTransactionResponse = z.strictObject({ idTagInfo: IdTagInfo.optional() });

export const DataTransferRequest = z.strictObject({
  vendorId: text(255),
  messageId: text(50).optional(),
  data: z.string().optional(),
});
export const DataTransferResponse = z.strictObject({
  status: z.enum(['Accepted', 'Rejected', 'UnknownMessageId', 'UnknownVendorId']),
  data: z.string().optional(),
});

export const ChangeAvailabilityRequest = z.strictObject({
  connectorId: integer,
  type: z.enum(['Inoperative', 'Operative']),
});
export const ChangeAvailabilityResponse = z.strictObject({ status: z.enum(['Accepted', 'Rejected', 'Scheduled']) });

export const ChangeConfigurationRequest = z.strictObject({ key: text(50), value: text(500) });
export const ChangeConfigurationResponse = z.strictObject({
  status: z.enum(['Accepted', 'Rejected', 'RebootRequired', 'NotSupported']),
});

export const GetConfigurationRequest = z.strictObject({ key: z.array(text(50)).optional() });
export const GetConfigurationResponse = z.strictObject({
  configurationKey: z
    .array(z.strictObject({ key: text(50), readonly: z.boolean(), value: text(500).optional() }))
    .optional(),
  unknownKey: z.array(text(50)).optional(),
});

export const RemoteStartTransactionRequest = z.strictObject({
  connectorId: integer.optional(),
  idTag: idToken,
  chargingProfile: ChargingProfile.optional(),
});
export const RemoteStartTransactionResponse = AcceptedOrRejected;

export const RemoteStopTransactionRequest = z.strictObject({ transactionId: integer });
export const RemoteStopTransactionResponse = AcceptedOrRejected;

export const ResetRequest = z.strictObject({ type: z.enum(['Hard', 'Soft']) });
export const ResetResponse = AcceptedOrRejected;

export const ClearCacheResponse = AcceptedOrRejected;

export const UnlockConnectorRequest = z.strictObject({ connectorId: integer });
export const UnlockConnectorResponse = z.strictObject({ status: z.enum(['Unlocked', 'UnlockFailed', 'NotSupported']) });
