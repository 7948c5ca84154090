/** The server's half of the WebSocket handshake (RFC 6455 §4.2.2), for a request that has been found right. */
import type { Duplex } from 'node:stream';
import { acceptOf } from '../../websocket/index.ts';
import { headerValues, type UpgradeRequest } from '../identity/index.ts';

/** @param protocol the sub-protocol that was chosen among those that the client offered */
export function answerUpgrade(request: UpgradeRequest, socket: Duplex, protocol: string | undefined): void {
  const [key = ''] = headerValues(request, 'sec-websocket-key');
  const head = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
}
