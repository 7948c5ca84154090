/** The stock sockjs-client under stock stomp.js, with its transport forced. */
import { Client } from '@stomp/stompjs';
import SockJS from 'sockjs-client';
import { onTestFinished } from 'vitest';

export const TRANSPORTS = ['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'] as const;
export type Transport = (typeof TRANSPORTS)[number];

export interface SockJsClient {
  readonly stomp: Client;
  /** The transports that were in use: one, if it was never closed. */
  readonly transports: readonly string[];
  /** How often its socket was closed. */
  readonly closes: number;
}

/** Resolves when it is connected; it ends with its test. */
export async function connectSockJs(url: string, transport: Transport): Promise<SockJsClient> {
  const sockets: { readonly transport: string }[] = [];
  let closes = 0;
  const stomp = new Client({
    webSocketFactory: () => {
      const socket = new SockJS(url, undefined, { transports: transport });
      sockets.push(socket as unknown as { transport: string });
      return socket;
    },
    onWebSocketClose: () => closes++,
  });
  onTestFinished(() => stomp.deactivate({ force: true }));
  await new Promise<void>((resolve) => {
    stomp.onConnect = () => resolve();
    stomp.activate();
  });
  return {
    stomp,
    get transports() {
      return sockets.map((socket) => socket.transport);
    },
    get closes() {
      return closes;
    },
  };
}
