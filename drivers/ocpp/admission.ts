/** Who may connect: identity, subprotocol, and credentials of an upgrade request. Pure but for the hash. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export const SUBPROTOCOL = 'ocpp1.6';

/** 0: none; 1: basic auth; 2: basic auth over TLS; 3: client certificate. Source: "Improved security for OCPP 1.6-J". */
export type SecurityProfile = 0 | 1 | 2 | 3;

/** What is known of a station before it is let in. */
export interface StationAccess {
  /**
   * Text, or bytes. Text of 32 to 40 hexadecimal digits is an AuthorizationKey: its bytes and its text are taken. Needed for the
   * profiles 1 and 2; with profile 0 it is asked for where it is given.
   */
  password?: string | Uint8Array;
  /** Let it in although it does not offer `ocpp1.6`. */
  anySubprotocol?: boolean;
  /** Repair what is unambiguous in its messages. Default true. */
  tolerant?: boolean;
  /** s of silence after which it is pinged; 0 = never, for a station that does not answer pings. */
  pingInterval?: number;
}

export interface Identity {
  /** `[A-Za-z0-9_-]{1,36}`: the name within the site. */
  identity: string;
  /** What the station calls itself: user name of basic auth, CN of its certificate. */
  wire: string;
}

export interface Refusal {
  /** HTTP status. */
  status: number;
  reason: string;
}

/** Characters that OCPP allows or stations use in an identity, and that a name within the site may not have. */
const MAPPED = /[ .:@+*=|#,()]/g;

/**
 * The identity of an upgrade: the last segment of the path, decoded. Space and `. : @ + * = | # , ( )` become `_`; anything else
 * but letters, digits, `_` and `-` is refused, also more than 36 characters. Undefined: the path is not below `base`.
 */
export function identityOf(url: string, base: string): Identity | Refusal | undefined {
  const path = (url.split('?', 1)[0] as string).replace(/\/{1,8}$/, '');
  const prefix = base.replace(/\/+$/, '');
  if (!path.startsWith(`${prefix}/`)) return undefined;
  let wire: string;
  try {
    wire = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
  } catch {
    return { status: 400, reason: 'identity: the path is not percent-encoded as it must be' };
  }
  const identity = wire.replace(MAPPED, '_');
  if (/^[A-Za-z0-9_-]{1,36}$/.test(identity)) return { identity, wire };
  const shown = JSON.stringify(wire.slice(0, 40));
  return { status: 400, reason: `identity: ${shown} — expected 1 to 36 letters, digits, "_" or "-"` };
}

/** Whether a header `Sec-WebSocket-Protocol` offers OCPP 1.6. */
export function offersOcpp(header: string | undefined): boolean {
  return header?.split(',').some((protocol) => protocol.trim() === SUBPROTOCOL) ?? false;
}

/** Whether the header `Authorization` proves that the station is who it says. Takes the same time for every wrong password. */
export function passwordFits(header: string | undefined, wire: string, password: string | Uint8Array): boolean {
  const encoded = /^Basic +([A-Za-z0-9+/_=-]{1,1024})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return false;
  const credentials = Buffer.from(encoded, 'base64');
  // A password may be any bytes, and an identity may contain a colon.
  const user = Buffer.from(`${wire}:`, 'utf8');
  const named = credentials.subarray(0, user.length).equals(user);
  const given = digest(credentials.subarray(user.length));
  let fits = false;
  for (const expected of passwordBytes(password)) {
    if (timingSafeEqual(given, digest(expected))) fits = true;
  }
  return named && fits;
}

function passwordBytes(password: string | Uint8Array): Uint8Array[] {
  if (typeof password !== 'string') return [password];
  const text = Buffer.from(password, 'utf8');
  const isKey = /^(?:[0-9A-Fa-f]{2}){16,20}$/.test(password);
  return isKey ? [text, Buffer.from(password, 'hex')] : [text];
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** The part of a TLS socket that says who is at its other end. */
export interface PeerCertificate {
  authorized: boolean;
  authorizationError?: unknown;
  getPeerCertificate(): { subject?: { CN?: string | string[] } } | null;
}

/** Whether the station has shown a certificate of an authority that is trusted, with its identity as common name. */
export function certificateFits(socket: PeerCertificate, wire: string): Refusal | undefined {
  if (!socket.authorized) {
    return { status: 401, reason: `client certificate: ${String(socket.authorizationError ?? 'none was shown')}` };
  }
  const name = socket.getPeerCertificate()?.subject?.CN;
  if (name === wire) return undefined;
  const shown = JSON.stringify(String(name ?? '').slice(0, 40));
  return { status: 401, reason: `client certificate: common name ${shown} — expected ${JSON.stringify(wire)}` };
}

/** What is wrong with the credentials of an upgrade request; undefined when they prove who the station is. */
export function checkCredentials(
  request: IncomingMessage,
  profile: SecurityProfile,
  { password }: StationAccess,
  wire: string,
): Refusal | undefined {
  if (profile >= 2 && !('encrypted' in request.socket)) {
    return { status: 403, reason: `security profile ${profile}: expected TLS` };
  }
  if (profile === 3) return certificateFits(request.socket as unknown as PeerCertificate, wire);
  if (password === undefined || password.length === 0) {
    return profile === 0 ? undefined : { status: 401, reason: 'no password is set for this station' };
  }
  const { authorization } = request.headers;
  if (passwordFits(authorization, wire, password)) return undefined;
  return { status: 401, reason: authorization === undefined ? 'no password was sent' : 'the password is wrong' };
}
