import { type EventEmitter, once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { PodAddress } from '../../producer/transport.ts';

export interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly socket: Socket;
}

export type Answer = (seen: Seen, response: ServerResponse) => void;

/** A server on a free port of this machine that ends with everything it opened. */
export async function listening(server: Server): Promise<{ address: string; close: () => Promise<void> }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** A pod's HTTP door as a test wants it. */
export class HttpPod {
  readonly seen: Seen[] = [];
  readonly pod: PodAddress;
  readonly close: () => Promise<void>;
  answer: Answer;

  static async start(name: string, answer: Answer): Promise<HttpPod> {
    const listener: RequestListener = async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { method, url, headers, socket } = request;
      const seen = { method, url, headers, socket, body: Buffer.concat(chunks).toString() };
      pod.seen.push(seen);
      pod.answer(seen, response);
    };
    const { address, close } = await listening(createServer(listener));
    const pod: HttpPod = new HttpPod({ name, address }, answer, close);
    return pod;
  }

  private constructor(pod: PodAddress, answer: Answer, close: () => Promise<void>) {
    this.pod = pod;
    this.answer = answer;
    this.close = close;
  }
}

/** Once it is closed, with an error or without. */
export function closed(socket: EventEmitter): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()).once('error', () => {}));
}

export const status =
  (code: number, body = '{}'): Answer =>
  (_, response) =>
    void response.writeHead(code, { 'content-type': 'application/json' }).end(body);
