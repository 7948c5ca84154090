/** One user of the bench: STOMP over WebSocket on a raw socket. */
import { connect, type Socket } from 'node:net';
import { Decoder, encode, type Frame } from '../../stomp/index.ts';
import { clockMicros } from './clock.ts';
import { Lane } from './lane.ts';
import { type Kind, kindAt, message, numberAt, send, sequenced, timeAt, userAt } from './numbered.ts';
import { frame, HEAD_END, OPCODE, Splitter, upgradeRequest } from './web-socket.ts';

/** What is read of all clients goes here: it is looked at before the next read. */
const READ_BUFFER = Buffer.alloc(256 * 1024);

export interface ClientHandlers {
  /** A message of the bench has come, written at `time` (µs). */
  message(client: BenchClient, kind: Kind, time: number, n: number): void;
  /** Any other MESSAGE. */
  other(client: BenchClient, frame: Frame): void;
  /** The connection has ended, and not because it was closed here. */
  failed(client: BenchClient, why: string): void;
}

/** Until the upgrade is answered, then until CONNECTED, then open. */
type State = 'upgrading' | 'connecting' | 'open' | 'closing';

export class BenchClient {
  readonly user: number;
  /** What pods push, and what the client itself has sent and pods send back. */
  readonly pushed = new Lane();
  readonly echoed = new Lane();
  /** Messages that are none of the bench's, or another user's. */
  unknown = 0;
  /** Echoes sent. */
  sent = 0;
  readonly #socket: Socket;
  readonly #handlers: ClientHandlers;
  readonly #splitter = new Splitter((opcode, bytes, from, to) => this.#frame(opcode, bytes, from, to));
  readonly #receipts = new Map<string, () => void>();
  #state: State = 'upgrading';
  #head = '';
  #opened: () => void = () => {};

  private constructor(address: string, user: number, handlers: ClientHandlers) {
    this.user = user;
    this.#handlers = handlers;
    const [host = '', port = ''] = address.split(':');
    const callback = (length: number, buffer: Uint8Array) => {
      this.#read((buffer as Buffer).subarray(0, length));
      return true;
    };
    this.#socket = connect({ host, port: Number(port), noDelay: true, onread: { buffer: READ_BUFFER, callback } });
    this.#socket.once('connect', () => this.#socket.write(upgradeRequest(address, '/ws', `u${user}`)));
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('end', () => this.#fail('the connection was ended'));
  }

  /** Resolves when CONNECTED; one that fails before tells its handlers and never resolves. */
  static open(address: string, user: number, handlers: ClientHandlers): Promise<BenchClient> {
    return new Promise((resolve) => {
      const client = new BenchClient(address, user, handlers);
      client.#opened = () => resolve(client);
    });
  }

  /** Resolves when a receipt has proven the subscription live. */
  subscribe(destination: string, id: string): Promise<void> {
    const receipt = `live-${id}`;
    const answered = new Promise<void>((resolve) => {
      this.#receipts.set(receipt, resolve);
    });
    this.#say('SUBSCRIBE', { id, destination, receipt });
    return answered;
  }

  /** A SEND that comes back as a message. */
  echo(): void {
    const bytes = Buffer.allocUnsafe(send.bytes);
    send.write(bytes, 0, 'echo', this.user, ++this.sent, clockMicros());
    this.#socket.write(bytes);
  }

  /** Resolves when the connection has ended, after a close frame. */
  close(): Promise<void> {
    this.#state = 'closing';
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#socket.once('close', () => resolve());
      this.#socket.end(frame(OPCODE.close, Uint8Array.of(0x03, 0xe8), true));
    });
  }

  #read(chunk: Buffer): void {
    if (this.#state !== 'upgrading') return this.#splitter.push(chunk);
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return;
    if (!/^HTTP\/1\.1 101 /.test(this.#head)) return this.#fail(`no WebSocket: ${this.#head.slice(0, end)}`);
    this.#state = 'connecting';
    this.#say('CONNECT', { 'accept-version': '1.2', host: 'bench', 'heart-beat': '0,0' });
    const rest = Buffer.from(this.#head.slice(end + HEAD_END.length), 'latin1');
    this.#head = '';
    this.#splitter.push(rest);
  }

  #frame(opcode: number, bytes: Buffer, from: number, to: number): void {
    if (opcode === OPCODE.ping) this.#socket.write(frame(OPCODE.pong, bytes.subarray(from, to), true));
    else if (opcode === OPCODE.close) this.#fail(`closed with ${to > from ? bytes.readUInt16BE(from) : 'no code'}`);
    else if (opcode !== OPCODE.pong) this.#text(bytes, from, to);
  }

  #text(bytes: Buffer, from: number, to: number): void {
    const plain = message.bodyIn(bytes, from, to);
    const body = plain < 0 ? sequenced.bodyIn(bytes, from, to) : plain;
    if (body < 0) return this.#stomp(bytes.subarray(from, to));
    const kind = kindAt(bytes, body);
    if (kind === undefined || userAt(bytes, body) !== this.user) {
      this.unknown++;
      return;
    }
    const n = numberAt(bytes, body);
    if (kind === 'push') this.pushed.take(n);
    else if (kind === 'echo') this.echoed.take(n);
    this.#handlers.message(this, kind, timeAt(bytes, body), n);
  }

  /** Each WebSocket message is whole STOMP: pods of the bench write it so, and nobody in between may cut it. */
  #stomp(bytes: Buffer): void {
    const decoder = new Decoder({ peer: 'server' });
    const items = decoder.push(Buffer.from(bytes));
    if (decoder.error !== undefined || decoder.bufferedBytes > 0) this.unknown++;
    for (const item of items) if (item !== 'beat') this.#answer(item);
  }

  #answer(item: Frame): void {
    if (item.command === 'CONNECTED') {
      this.#state = 'open';
      this.#opened();
    } else if (item.command === 'RECEIPT') {
      const receipt = item.header('receipt-id') ?? '';
      this.#receipts.get(receipt)?.();
      this.#receipts.delete(receipt);
    } else if (item.command === 'MESSAGE') this.#handlers.other(this, item);
    else this.#fail(`${item.command} ${item.header('message')}`);
  }

  #say(command: string, headers: Readonly<Record<string, string>>): void {
    this.#socket.write(frame(OPCODE.text, encode(command, headers), true));
  }

  #fail(why: string): void {
    if (this.#state === 'closing') return;
    this.#state = 'closing';
    this.#socket.destroy();
    this.#handlers.failed(this, why);
  }
}
