/** What the backend's tests share: a backend that ends with its test, and a client that speaks raw frames. */
import { once } from 'node:events';
import { Client, type StompConfig } from '@stomp/stompjs';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { type Backend, type BackendOptions, startBackend } from '../../backend/index.ts';
import { Decoder, encode, type Frame, type HeaderInit, SUBPROTOCOLS, type Version } from '../../stomp/index.ts';

export async function started(options: BackendOptions = {}): Promise<Backend> {
  const backend = await startBackend({ name: 'pod-1', closeTimeoutMs: 200, ...options });
  onTestFinished(async () => {
    backend.kill();
    await backend.stop();
  });
  return backend;
}

export interface Close {
  readonly code: number;
  readonly reason: string;
}

export interface ClientOptions {
  readonly user?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly protocols?: readonly string[];
  /** Its frames are text messages; default binary ones. */
  readonly text?: boolean;
}

type Item = Frame | 'beat' | Close;

/** A WebSocket whose frames, heart-beats and end come out one after the other. */
export class RawClient {
  readonly socket: WebSocket;
  readonly closed: Promise<Close>;
  readonly #decoder = new Decoder({ peer: 'server' });
  readonly #items: Item[] = [];
  readonly #binary: boolean;
  #wake = () => {};

  private constructor(socket: WebSocket, binary: boolean) {
    this.socket = socket;
    this.#binary = binary;
    socket.on('message', (data: Buffer) => this.#add(...this.#decoder.push(data)));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    void this.closed.then((close) => this.#add(close));
  }

  static async open(url: string, { user, headers = {}, protocols = SUBPROTOCOLS, text = false }: ClientOptions = {}) {
    const socket = new WebSocket(url, [...protocols], {
      headers: { ...headers, ...(user === undefined ? {} : { username: user }) },
    });
    onTestFinished(() => socket.terminate());
    const client = new RawClient(socket, !text);
    await once(socket, 'open');
    return client;
  }

  /** Opens and is CONNECTED. */
  static async connect(url: string, options: ClientOptions = {}, headers: HeaderInit = { 'accept-version': '1.2' }) {
    const client = await RawClient.open(url, options);
    client.send('CONNECT', headers);
    const connected = await client.frame('CONNECTED');
    client.#decoder.version = (connected.header('version') ?? '1.2') as Version;
    return client;
  }

  get version(): Version {
    return this.#decoder.version;
  }

  send(command: string, headers: HeaderInit = {}, body?: string | Uint8Array): void {
    this.socket.send(encode(command, headers, body, this.version), { binary: this.#binary });
  }

  /** SUBSCRIBEs and waits for the receipt. */
  async subscribe(destination: string, headers: Record<string, string> = {}): Promise<void> {
    this.send('SUBSCRIBE', { id: destination, destination, receipt: 'subscribed', ...headers });
    await this.frame('RECEIPT');
  }

  async next(): Promise<Item> {
    while (this.#items.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#items.shift() as Item;
  }

  /** The next frame, heart-beats left out; it must be of that command. */
  async frame(command: string): Promise<Frame> {
    let item = await this.next();
    while (item === 'beat') item = await this.next();
    if ('command' in item && item.command === command) return item;
    throw new Error(`expected ${command}, got ${describe(item)}`);
  }

  /** The bodies of the next `count` MESSAGEs. */
  async bodies(count: number): Promise<string[]> {
    const bodies: string[] = [];
    while (bodies.length < count) bodies.push(textOf(await this.frame('MESSAGE')));
    return bodies;
  }

  #add(...items: Item[]): void {
    this.#items.push(...items);
    this.#wake();
  }
}

function describe(item: Exclude<Item, 'beat'>): string {
  return 'command' in item ? JSON.stringify(new TextDecoder().decode(item.bytes)) : `close ${item.code}`;
}

export function textOf(frame: Frame): string {
  return new TextDecoder().decode(frame.body);
}

/** A real stomp.js client, connected, that ends with its test. */
export async function stompJs(url: string, user: string, config: StompConfig = {}): Promise<Client> {
  const client = new Client({
    webSocketFactory: () => new WebSocket(url, [...SUBPROTOCOLS], { headers: { username: user } }),
    reconnectDelay: 0,
    ...config,
  });
  onTestFinished(() => client.deactivate({ force: true }));
  await new Promise<void>((resolve, reject) => {
    client.onConnect = () => resolve();
    client.onStompError = (frame) => reject(new Error(frame.headers['message']));
    client.onWebSocketClose = () => reject(new Error('closed'));
    client.activate();
  });
  return client;
}

export interface Posted {
  readonly status: number;
  readonly json: unknown;
}

/** POSTs to the producer door. */
export async function post(
  backend: Backend,
  user: string,
  destination: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Posted> {
  const query = new URLSearchParams({ destination });
  const url = `http://${backend.address}/users/${encodeURIComponent(user)}/messages?${query}`;
  const response = await fetch(url, { method: 'POST', body, headers });
  return { status: response.status, json: await response.json() };
}
