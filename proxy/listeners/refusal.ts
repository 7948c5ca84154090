/** Refusals in HTTP: JSON that says what is wrong. */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

export interface RefusalBody {
  readonly error: string;
  readonly message: string;
}

/** Why a request is refused: the HTTP status, and in words. */
export interface Problem {
  readonly status: number;
  readonly reason: string;
}

/** @example refusal(401, '…').error === 'unauthorized' */
export function refusal(status: number, message: string): RefusalBody {
  return { error: (STATUS_CODES[status] ?? 'error').toLowerCase().replaceAll(' ', '-'), message };
}

export function refuse(response: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify(refusal(status, message));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...retryAfter(status),
  });
  response.end(body);
}

/** How long a refused client may take to read why, and to close. */
const LINGER_MS = 1_000;

/** The same on a socket whose upgrade was asked for: HTTP's writer is no longer there. */
export function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  if (socket.destroyed || socket.writableEnded) return;
  const body = JSON.stringify(refusal(status, message));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(status === 426 ? ['upgrade: websocket', 'sec-websocket-version: 13'] : []),
    ...Object.entries(retryAfter(status)).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Closing with octets unread resets the connection, and the answer would be lost with it: what still comes is read away.
  socket.resume();
  socket.once('end', () => socket.destroy());
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

/** In seconds: long enough for a restart to get on, short enough for a person. */
function retryAfter(status: number): Record<string, string> {
  return status === 503 || status === 429 ? { 'retry-after': '2' } : {};
}
