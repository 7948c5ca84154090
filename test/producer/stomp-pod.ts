import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { PodAddress } from '../../producer/transport.ts';
import { Decoder, encode, type Frame, type HeaderInit } from '../../stomp/index.ts';

/** One connection as the pod sees it. */
export class PodSide extends EventEmitter {
  readonly request: IncomingMessage;
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  readonly binary: boolean[] = [];
  beats = 0;

  constructor(socket: WebSocket, request: IncomingMessage) {
    super();
    this.request = request;
    this.socket = socket;
    const decoder = new Decoder({ peer: 'client' });
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary) => {
      for (const item of decoder.push(data)) {
        if (item === 'beat') this.#beat();
        else this.#frame(item, isBinary);
      }
    });
  }

  /** The next frame with this command. */
  async next(command: string): Promise<Frame> {
    const [frame] = await once(this, command);
    return frame;
  }

  /** The first `count` SENDs, once they are there. */
  async sends(count: number): Promise<Frame[]> {
    const sends = () => this.frames.filter(({ command }) => command === 'SEND');
    while (sends().length < count) await once(this, 'SEND');
    return sends().slice(0, count);
  }

  say(command: string, headers: HeaderInit, body?: string): void {
    this.socket.send(encode(command, headers, body));
  }

  receipt(frame: Frame, more: Record<string, string> = {}): void {
    this.say('RECEIPT', { 'receipt-id': frame.header('receipt') ?? '', ...more });
  }

  #beat(): void {
    this.beats += 1;
    this.emit('beat');
  }

  #frame(frame: Frame, isBinary: boolean): void {
    this.frames.push(frame);
    this.binary.push(isBinary);
    this.emit(frame.command, frame);
  }
}

/** A pod's STOMP door as a test wants it: `onConnection` says how it behaves. */
export class StompPod {
  readonly sides: PodSide[] = [];
  readonly pod: PodAddress;
  readonly #server: WebSocketServer;
  readonly #events = new EventEmitter();

  static async start(name: string, onConnection: (side: PodSide) => void): Promise<StompPod> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    return new StompPod({ name, address: `127.0.0.1:${(server.address() as AddressInfo).port}` }, server, onConnection);
  }

  private constructor(pod: PodAddress, server: WebSocketServer, onConnection: (side: PodSide) => void) {
    this.pod = pod;
    this.#server = server;
    server.on('connection', (socket, request) => {
      const side = new PodSide(socket, request);
      this.sides.push(side);
      onConnection(side);
      this.#events.emit('side', side);
    });
  }

  async side(): Promise<PodSide> {
    const [side] = await once(this.#events, 'side');
    return side;
  }

  async close(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Answers CONNECT, gives receipts, takes leave: a backend in good health. */
export function healthy(heartBeat = '0,0', version = '1.2') {
  return (side: PodSide) => {
    side.on('CONNECT', () => side.say('CONNECTED', { version, 'heart-beat': heartBeat }));
    side.on('SEND', (frame: Frame) => side.receipt(frame));
    side.on('DISCONNECT', (frame: Frame) => side.receipt(frame));
  };
}
