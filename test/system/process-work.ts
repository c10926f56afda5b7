/**
 * Whether this process has anything to do: immediates, files, bytes on their way between two of its own sockets, and HTTP requests to
 * others. Loaded before everything else, so that it sees every socket.
 */
import diagnostics from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

type Call = (...args: unknown[]) => void;

const real = { setImmediate: globalThis.setImmediate, clearImmediate: globalThis.clearImmediate };
const immediates = new Set<NodeJS.Immediate>();
/** Accepted here; and connected from here, by their local port. */
const accepted = new Set<Socket>();
const connected = new Map<number, Socket>();
/** Without an answer. */
export const requests = new Set<ClientRequest>();

export function countedImmediate(call: Call, ...args: unknown[]): NodeJS.Immediate {
  const immediate = real.setImmediate(() => {
    immediates.delete(immediate);
    call(...args);
  });
  immediates.add(immediate);
  return immediate;
}

export function clearCountedImmediate(immediate: NodeJS.Immediate | undefined): void {
  if (immediate) immediates.delete(immediate);
  real.clearImmediate(immediate);
}

diagnostics.subscribe('net.server.socket', (message) => {
  const { socket } = message as { socket: Socket };
  accepted.add(socket);
  // The system would hold small packets back for tens of ms until the other end has said something.
  socket.setNoDelay(true);
  socket.once('close', () => accepted.delete(socket));
});

diagnostics.subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket };
  socket.once('connect', () => {
    const port = socket.localPort ?? 0;
    connected.set(port, socket);
    socket.setNoDelay(true);
    socket.once('close', () => connected.delete(port));
  });
});

diagnostics.subscribe('http.client.request.start', (message) => {
  const { request } = message as { request: ClientRequest };
  requests.add(request);
  request.once('close', () => requests.delete(request));
});

/** What this process still has to do, in words; undefined: nothing. Requests to others are not among it. */
export function work(): string | undefined {
  if (immediates.size > 0) return `${immediates.size} immediates`;
  const bytes = bytesBetween();
  return bytes === 0 ? undefined : `${bytes} bytes between its sockets`;
}

/** Files that are read or written; it costs more to ask. */
export function filesAtWork(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^(FSReq|CloseReq)/.test(name));
}

/** Written by one end and not yet read by the other. */
function bytesBetween(): number {
  let bytes = 0;
  for (const end of accepted) {
    const other = connected.get(end.remotePort ?? 0);
    if (!other) continue;
    bytes += Math.abs(end.bytesWritten - other.bytesRead) + Math.abs(other.bytesWritten - end.bytesRead);
  }
  return bytes;
}
