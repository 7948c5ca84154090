/** A MESSAGE that SockJS cannot carry. */

import { encode } from '../../../stomp/index.ts';
import type { Socket } from '../../relay/socket.ts';

/** RFC 6455 §7.4.1. */
const UNSUPPORTED_DATA = 1003;

/** The client is told and closed: a message that is left out, or changed on its way, would be a loss that nobody sees. */
export function refuseNoText(socket: Socket): void {
  const detail =
    'A frame that is no UTF-8 text has come for this client, and SockJS carries text only. Use a WebSocket.';
  socket.send(encode('ERROR', { message: 'not text', 'content-type': 'text/plain' }, detail), false);
  socket.close(UNSUPPORTED_DATA, 'not text');
}
