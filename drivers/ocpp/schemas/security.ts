/** The security extension of OCPP 1.6 ("Improved security for OCPP 1.6-J", edition 3): requests and responses. */
import { z } from 'zod';
import { AcceptedOrRejected, dateTime, integer, text } from './common.ts';

export const CertificateHashData = z.strictObject({
  hashAlgorithm: z.enum(['SHA256', 'SHA384', 'SHA512']),
  issuerNameHash: text(128),
  issuerKeyHash: text(128),
  serialNumber: text(40),
});

const CertificateUse = z.enum(['CentralSystemRootCertificate', 'ManufacturerRootCertificate']);

// ---- station → central

export const SecurityEventNotificationRequest = z.strictObject({
  type: text(50),
  timestamp: dateTime,
  techInfo: text(255).optional(),
});

export const LogStatusNotificationRequest = z.strictObject({
  status: z.enum([
    'BadMessage',
    'Idle',
    'NotSupportedOperation',
    'PermissionDenied',
    'Uploaded',
    'UploadFailure',
    'Uploading',
  ]),
  requestId: integer.optional(),
});

export const SignedFirmwareStatusNotificationRequest = z.strictObject({
  status: z.enum([
    'Downloaded',
    'DownloadFailed',
    'Downloading',
    'DownloadScheduled',
    'DownloadPaused',
    'Idle',
    'InstallationFailed',
    'Installing',
    'Installed',
    'InstallRebooting',
    'InstallScheduled',
    'InstallVerificationFailed',
    'InvalidSignature',
    'SignatureVerified',
  ]),
  requestId: integer.optional(),
});

export const SignCertificateRequest = z.strictObject({ csr: text(5500) });
export const SignCertificateResponse = AcceptedOrRejected;

// ---- central → station

export const CertificateSignedRequest = z.strictObject({ certificateChain: text(10_000) });
export const CertificateSignedResponse = AcceptedOrRejected;

export const DeleteCertificateRequest = z.strictObject({ certificateHashData: CertificateHashData });
export const DeleteCertificateResponse = z.strictObject({ status: z.enum(['Accepted', 'Failed', 'NotFound']) });

export const ExtendedTriggerMessageRequest = z.strictObject({
  requestedMessage: z.enum([
    'BootNotification',
    'LogStatusNotification',
    'FirmwareStatusNotification',
    'Heartbeat',
    'MeterValues',
    'SignChargePointCertificate',
    'StatusNotification',
  ]),
  connectorId: integer.optional(),
});
export const ExtendedTriggerMessageResponse = z.strictObject({
  status: z.enum(['Accepted', 'Rejected', 'NotImplemented']),
});

export const GetInstalledCertificateIdsRequest = z.strictObject({ certificateType: CertificateUse });
export const GetInstalledCertificateIdsResponse = z.strictObject({
  certificateHashData: z.array(CertificateHashData).min(1).optional(),
  status: z.enum(['Accepted', 'NotFound']),
});

export const GetLogRequest = z.strictObject({
  log: z.strictObject({
    remoteLocation: text(512),
    oldestTimestamp: dateTime.optional(),
    latestTimestamp: dateTime.optional(),
  }),
  logType: z.enum(['DiagnosticsLog', 'SecurityLog']),
  requestId: integer,
  retries: integer.optional(),
  /** s. */
  retryInterval: integer.optional(),
});
export const GetLogResponse = z.strictObject({
  status: z.enum(['Accepted', 'Rejected', 'AcceptedCanceled']),
  filename: text(255).optional(),
});

export const InstallCertificateRequest = z.strictObject({ certificateType: CertificateUse, certificate: text(5500) });
export const InstallCertificateResponse = z.strictObject({ status: z.enum(['Accepted', 'Failed', 'Rejected']) });

export const SignedUpdateFirmwareRequest = z.strictObject({
  retries: integer.optional(),
  /** s. */
  retryInterval: integer.optional(),
  requestId: integer,
  firmware: z.strictObject({
    location: text(512),
    retrieveDateTime: dateTime,
    installDateTime: dateTime.optional(),
    signingCertificate: text(5500),
    signature: text(800),
  }),
});
export const SignedUpdateFirmwareResponse = z.strictObject({
  status: z.enum(['Accepted', 'Rejected', 'AcceptedCanceled', 'InvalidCertificate', 'RevokedCertificate']),
});
