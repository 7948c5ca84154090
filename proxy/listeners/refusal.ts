/** Refusals in HTTP: JSON that says what is wrong. */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

export interface RefusalBody {
  readonly error: string;
  readonly message: string;
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

/** The same on a socket whose upgrade was asked for: HTTP's writer is no longer there. */
export function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  if (socket.destroyed) return;
  const body = JSON.stringify(refusal(status, message));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(retryAfter(status)).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** In seconds: long enough for a restart to get on, short enough for a person. */
function retryAfter(status: number): Record<string, string> {
  return status === 503 || status === 429 ? { 'retry-after': '2' } : {};
}
