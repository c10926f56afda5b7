/** HTTP to a device in the house: short waits, bounded bodies, no redirects. */
import { createHash, randomBytes } from 'node:crypto';
import { MAX_PAYLOAD_BYTES } from './device-data.ts';

export interface HttpOptions {
  /** Host name or address, with a port if it is not 80. */
  host: string;
  user?: string;
  password?: string;
  timeoutMs?: number;
  /** Ends what is under way. */
  signal?: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  body: string;
}

const TIMEOUT_MS = 3000;

/**
 * GET of a path. Answers a challenge for basic or digest authentication (gen 1 and gen 2 Shelly devices) once.
 * Rejects when the device does not answer in time, redirects, or sends more than 64 KB.
 */
export async function httpGet(path: string, options: HttpOptions): Promise<HttpAnswer> {
  const first = await request(path, options);
  const challenge = first.challenge;
  if (first.status !== 401 || !challenge || options.password === undefined || options.password === '') return first;
  return request(path, options, authorization(challenge, path, options.user || 'admin', options.password));
}

/** `http://host/path`. @throws when the host is no host name or address. */
export function deviceUrl(host: string, path: string): string {
  const plain = host
    .trim()
    .replace(/^http:\/\//, '')
    .replace(/\/+$/, '');
  if (!/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/.test(plain)) {
    throw new Error(`host: ${JSON.stringify(host.slice(0, 80))} — expected a host name or an address`);
  }
  return `http://${plain}${path}`;
}

async function request(
  path: string,
  options: HttpOptions,
  authorize?: string,
): Promise<HttpAnswer & { challenge: string | null }> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout;
  const headers: Record<string, string> = authorize ? { authorization: authorize } : {};
  const response = await fetch(deviceUrl(options.host, path), { signal, headers, redirect: 'error' });
  const body = await boundedText(response);
  return { status: response.status, body, challenge: response.headers.get('www-authenticate') };
}

async function boundedText(response: Response): Promise<string> {
  if (!response.body) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > MAX_PAYLOAD_BYTES) {
      await reader.cancel();
      throw new Error(`answer: more than ${MAX_PAYLOAD_BYTES} bytes`);
    }
    chunks.push(part.value);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Basic (RFC 7617), or digest with SHA-256 or MD5 and qop=auth (RFC 7616). */
function authorization(challenge: string, path: string, user: string, password: string): string {
  if (!/^digest/i.test(challenge)) return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const field = (name: string) => new RegExp(`${name}="?([^",]+)"?`, 'i').exec(challenge)?.[1] ?? '';
  const [realm, nonce, opaque] = [field('realm'), field('nonce'), field('opaque')];
  const algorithm = field('algorithm') || 'MD5';
  const hash = (text: string) =>
    createHash(/sha-256/i.test(algorithm) ? 'sha256' : 'md5')
      .update(text)
      .digest('hex');
  const cnonce = randomBytes(8).toString('hex');
  const count = '00000001';
  const response = hash(
    [hash(`${user}:${realm}:${password}`), nonce, count, cnonce, 'auth', hash(`GET:${path}`)].join(':'),
  );
  const parts = [
    `username="${user}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${path}"`,
    `algorithm=${algorithm}`,
    'qop=auth',
    `nc=${count}`,
    `cnonce="${cnonce}"`,
    `response="${response}"`,
  ];
  if (opaque) parts.push(`opaque="${opaque}"`);
  return `Digest ${parts.join(', ')}`;
}
