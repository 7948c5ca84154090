/** A STOMP connection without comforts, for rates at which they would be what is measured. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { Decoder, encode, type Frame, HEARTBEAT, type HeaderInit } from '../../stomp/index.ts';

/** RabbitMQ closes connections that are silent for a minute. */
const BEAT_MS = 10_000;
/**
 * Beats are sent but not promised: RabbitMQ 3.10.8 cuts connections that have promised them when its flow control lets them go on
 * (the receiver of heart-beats crashes with `{unexpected_message,resume}`).
 */
const HEART_BEAT = '0,0';

/** What RabbitMQ says for each message that is on its way to a subscription when that ends. It is in the ledger as lost. */
const LOST_ON_THE_WAY = 'Subscription not found';

export class Connection {
  readonly socket: WebSocket;
  /** Rejects when the other side ends it, or says ERROR. */
  readonly failed: Promise<never>;
  readonly #decoder = new Decoder({ peer: 'server' });
  readonly #receipts = new Map<string, () => void>();
  readonly #beats: NodeJS.Timeout;
  #closing = false;
  #fail: (error: Error) => void = () => {};

  private constructor(socket: WebSocket, user: string, onMessage: (frame: Frame) => void) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      for (const item of this.#decoder.push(data)) if (item !== 'beat') this.#take(item, onMessage);
    });
    // What follows it is the close.
    socket.on('error', () => {});
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {}); // whoever waits for it hears of it
    socket.on('close', (code) => {
      if (!this.#closing) this.#fail(new Error(`the connection of ${user} to ${socket.url} was closed with ${code}`));
    });
    this.#beats = setInterval(() => socket.send(HEARTBEAT, { binary: false }), BEAT_MS);
    socket.on('close', () => clearInterval(this.#beats));
  }

  /** Resolves when CONNECTED. `onMessage` gets every MESSAGE. */
  static async open(url: string, user: string, onMessage: (frame: Frame) => void = () => {}): Promise<Connection> {
    const socket = new WebSocket(url, ['v12.stomp'], { headers: { username: user } });
    await once(socket, 'open');
    const connection = new Connection(socket, user, onMessage);
    const connected = connection.#answer('CONNECTED');
    connection.send('CONNECT', { 'accept-version': '1.2', 'heart-beat': HEART_BEAT });
    await connected;
    return connection;
  }

  send(command: string, headers: HeaderInit, body?: string): void {
    this.socket.send(encode(command, headers, body), { binary: false });
  }

  /** Resolves when the receipt has come. */
  async ask(command: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const receipt = `${command} ${headers['id']}`;
    const answered = this.#answer(receipt);
    this.send(command, { ...headers, receipt });
    await answered;
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.socket, 'close');
    this.socket.close(1000);
    await closed;
  }

  #answer(key: string): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.#receipts.set(key, resolve);
    });
    return Promise.race([answered, this.failed]);
  }

  #take(frame: Frame, onMessage: (frame: Frame) => void): void {
    if (frame.command === 'MESSAGE') return onMessage(frame);
    if (frame.command === 'ERROR') return this.#error(frame.header('message'));
    const key = frame.command === 'CONNECTED' ? 'CONNECTED' : (frame.header('receipt-id') ?? '');
    this.#receipts.get(key)?.();
    this.#receipts.delete(key);
  }

  #error(message: string | undefined): void {
    if (message !== LOST_ON_THE_WAY) this.#fail(new Error(`ERROR ${message}`));
  }
}
