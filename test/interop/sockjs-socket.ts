/** STOMP in the frames of SockJS, one frame in each, over its WebSocket transport. */
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { encode, type HeaderInit } from '../../stomp/index.ts';

export class SockJsSocket {
  readonly socket: WebSocket;
  readonly #texts: string[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => this.#texts.push(data.toString()));
    socket.on('error', () => {});
  }

  /** @param url of the SockJS endpoint: ws://…/ws */
  static async open(url: string, sessionId: string, user: string): Promise<SockJsSocket> {
    const socket = new WebSocket(`${url}/000/${sessionId}/websocket`, { headers: { Username: user } });
    onTestFinished(() => socket.terminate());
    const opened = new SockJsSocket(socket);
    await once(socket, 'open');
    return opened;
  }

  send(command: string, headers: HeaderInit = {}, body = ''): void {
    this.socket.send(JSON.stringify([Buffer.from(encode(command, headers, body)).toString()]));
  }

  /** The next frame of SockJS: `o`, `h`, `a[…]` or `c[…]`. */
  async next(): Promise<string> {
    while (this.#texts.length === 0) await once(this.socket, 'message');
    return this.#texts.shift() as string;
  }

  /** All that has come and was not asked for. */
  get rest(): readonly string[] {
    return this.#texts;
  }
}
