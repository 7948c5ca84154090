/** A pod's HTTP door for producers, on raw sockets: it answers each POST at once, and counts what has come. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { HttpSplitter } from './http-splitter.ts';

export interface DoorCalls {
  /** HOST:PORT */
  listen(nothing: null): Promise<string>;
  /** Messages that have come so far. */
  count(nothing: null): number;
}

const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 3\r\n\r\n{}\n');

export class PostDoor implements DoorCalls {
  #count = 0;

  async listen(): Promise<string> {
    const server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
    server.listen({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  count(): number {
    return this.#count;
  }

  #serve(socket: Socket): void {
    const splitter = new HttpSplitter(() => {
      this.#count += 1;
      socket.write(ANSWER);
    });
    // What follows it is the close.
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => splitter.push(chunk));
  }
}
