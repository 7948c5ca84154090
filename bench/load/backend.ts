/**
 * A pod of the bench: the least of STOMP over WebSocket that clients and Holdfast need, on raw sockets, so that it costs less than
 * what stands in front of it. It answers CONNECT and receipts, sends echoes back, and pushes numbered messages to whoever has
 * subscribed.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Decoder, encode, type Frame } from '../../stomp/index.ts';
import { clockMicros, clockMs } from './clock.ts';
import { type Kind, message, send, sequenced } from './numbered.ts';
import { Pacer } from './pacer.ts';
import { frame, HEAD_END, headerOf, OPCODE, Splitter, upgradeAnswer } from './web-socket.ts';

/** Connections that the system may accept before we do: a storm of them is a part of the bench. */
const BACKLOG = 8192;

/** How many messages a user's connection was sent: user, count. */
export type Sent = readonly [user: number, count: number];

/** So many messages a second to each subscriber, so many of them in one write. */
export interface Push {
  readonly perUserPerSecond: number;
  readonly framesPerWrite: number;
}

export interface BackendCalls {
  /** HOST:PORT */
  listen(nothing: null): Promise<string>;
  push(load: Push): void;
  /** One message to each subscriber. */
  each(nothing: null): void;
  /** From now on each SUBSCRIBE is answered by a message, as pods do that send the present state first. */
  greet(nothing: null): void;
  /** From now on what is sent back has its number in `holdfast-seq`. */
  sequence(nothing: null): void;
  /** No more messages; tells what was sent to those who are here. */
  stop(nothing: null): Sent[];
}

export class Backend implements BackendCalls {
  readonly #server: Server;
  readonly #subscribers = new Set<Connection>();
  readonly #pacer = new Pacer(clockMs);
  #greets = false;
  #echoes = message;

  constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => {
      const connection: Connection = new Connection(socket, {
        subscribed: () => this.#subscribed(connection),
        left: () => this.#subscribers.delete(connection),
        echoes: () => this.#echoes,
      });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen({ host: '127.0.0.1', port: 0, backlog: BACKLOG });
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  push({ perUserPerSecond, framesPerWrite }: Push): void {
    const all = [...this.#subscribers];
    let next = 0;
    this.#pacer.start((perUserPerSecond * all.length) / framesPerWrite, (count) => {
      for (let i = 0; i < count; i++) all[next++ % all.length]?.push('push', framesPerWrite);
    });
  }

  each(): void {
    for (const connection of this.#subscribers) connection.push('push', 1);
  }

  greet(): void {
    this.#greets = true;
  }

  sequence(): void {
    this.#echoes = sequenced;
  }

  stop(): Sent[] {
    this.#pacer.stop();
    return Array.from(this.#subscribers, ({ user, sent }) => [user, sent] as const);
  }

  /** Ends every connection; nobody new comes in. */
  async close(): Promise<void> {
    this.stop();
    this.#server.close();
    for (const connection of this.#subscribers) connection.cut();
    await once(this.#server, 'close');
  }

  #subscribed(connection: Connection): void {
    this.#subscribers.add(connection);
    if (this.#greets) connection.push('hello', 1);
  }
}

interface ConnectionHandlers {
  subscribed(): void;
  left(): void;
  /** What a SEND is answered by. */
  echoes(): typeof message;
}

class Connection {
  /** The number in the user's name. */
  user = -1;
  /** Pushed so far. */
  sent = 0;
  readonly #socket: Socket;
  readonly #handlers: ConnectionHandlers;
  readonly #decoder = new Decoder({ peer: 'client' });
  readonly #splitter = new Splitter((opcode, bytes, from, to) => this.#frame(opcode, bytes, from, to));
  #head = '';
  #isOpen = false;

  constructor(socket: Socket, handlers: ConnectionHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    socket.on('data', (chunk: Buffer) => (this.#isOpen ? this.#splitter.push(chunk) : this.#upgrade(chunk)));
    // What follows it is the close.
    socket.on('error', () => {});
    socket.on('close', () => handlers.left());
  }

  /** So many messages in one write. Greetings have no number of their own. */
  push(kind: Exclude<Kind, 'echo'>, count: number): void {
    const time = clockMicros();
    const bytes = Buffer.allocUnsafe(message.bytes * count);
    for (let i = 0; i < count; i++) {
      const n = kind === 'hello' ? 0 : ++this.sent;
      message.write(bytes, i * message.bytes, kind, this.user, n, time);
    }
    this.#socket.write(bytes);
  }

  cut(): void {
    this.#socket.destroy();
  }

  /** Clients send nothing before they are answered, so the head ends the chunk. */
  #upgrade(chunk: Buffer): void {
    this.#head += chunk.toString('latin1');
    if (!this.#head.endsWith(HEAD_END)) return;
    this.#isOpen = true;
    this.user = Number(headerOf(this.#head, 'username')?.slice(1));
    this.#socket.write(upgradeAnswer(this.#head));
    this.#head = '';
  }

  #frame(opcode: number, bytes: Buffer, from: number, to: number): void {
    if (opcode === OPCODE.ping) this.#socket.write(frame(OPCODE.pong, bytes.subarray(from, to), false));
    else if (opcode === OPCODE.close) this.#socket.end(frame(OPCODE.close, bytes.subarray(from, to), false));
    else if (opcode !== OPCODE.pong) this.#text(bytes, from, to);
  }

  #text(bytes: Buffer, from: number, to: number): void {
    const body = send.bodyIn(bytes, from, to);
    if (body >= 0) return this.#echo(bytes, body);
    // Frames are views of what is pushed, and the splitter uses its memory again.
    for (const item of this.#decoder.push(bytes.subarray(from, to).slice())) if (item !== 'beat') this.#stomp(item);
    if (this.#decoder.error !== undefined) this.cut();
  }

  #echo(bytes: Buffer, body: number): void {
    const echo = this.#handlers.echoes();
    const answer = Buffer.allocUnsafe(echo.bytes);
    echo.writeBody(answer, 0, bytes, body);
    this.#socket.write(answer);
  }

  #stomp(frame: Frame): void {
    if (frame.command === 'CONNECT') this.#say('CONNECTED', { version: '1.2', server: 'bench/1', session: '1' });
    if (frame.command === 'DISCONNECT') this.#handlers.left();
    const receipt = frame.header('receipt');
    if (receipt !== undefined) this.#say('RECEIPT', { 'receipt-id': receipt });
    if (frame.command === 'SUBSCRIBE') this.#handlers.subscribed();
  }

  #say(command: string, headers: Readonly<Record<string, string>>): void {
    this.#socket.write(frame(OPCODE.text, encode(command, headers), false));
  }
}
