/**
 * One service link: the WebSocket over which a producer sends to one pod as a STOMP client of its own.
 *
 *     connecting ──CONNECTED──▶ ready ──▶ ended
 *          └──────refused, too late───────▲
 *
 * SENDs that ask for a receipt are owed one until it comes. When the link ends, or a receipt does not come in time, the
 * pod may have the message or not: that is what `ambiguous` says. A link that has ended stays so; the transport dials anew.
 */
import { isUtf8 } from 'node:buffer';
import { WebSocket } from 'ws';
import {
  agreeHeartBeat,
  Beats,
  Decoder,
  encode,
  type Frame,
  HEARTBEAT,
  type HeartBeat,
  parseHeartBeat,
  SUBPROTOCOLS,
  type Version,
} from '../stomp/index.ts';
import type { Clock } from './clock.ts';
import { type Message, type PostResult, unreachable } from './transport.ts';

export interface LinkOptions {
  readonly url: string;
  /** Of the upgrade request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of CONNECT, beside those that every CONNECT has. */
  readonly connect: Readonly<Record<string, string | undefined>>;
  readonly receipts: boolean;
  /** Posts that wait for the link or for their receipt. */
  readonly maxInFlight: number;
  readonly clock: Clock;
  /** `failed` is false when we closed it ourselves. */
  readonly onEnd: (reason: string, failed: boolean) => void;
}

/** Dialling, upgrade and CONNECTED together; pods in one cluster answer in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A beat every 2 s, gone after 5 s without one: as on the links of sessions (DESIGN §7). */
const HEART_BEAT: HeartBeat = [2_000, 2_000];
const SILENT_AFTER_BEATS = 2.5;
/** What a pod sends here are receipts and at most an ERROR. */
const MAX_INCOMING_BYTES = 128 * 1024;
/** A link that nobody used for so long belongs to a pod that has left, or is not needed. */
const IDLE_MS = 60_000;
/** How long a pod gets to answer DISCONNECT before its socket is cut. */
const FAREWELL_MS = 1_000;

/** Of what a pod says about an error. */
const MAX_REASON_CHARACTERS = 200;

/** How a RECEIPT of the embedded backend says that nobody was there to get the message. */
const SESSIONS_HEADER = 'holdfast-sessions';

type Settle = (result: PostResult) => void;

export class ServiceLink {
  readonly #options: LinkOptions;
  readonly #socket: WebSocket;
  readonly #decoder = new Decoder({ peer: 'server' });
  #state: 'connecting' | 'ready' | 'ended' = 'connecting';
  #endReason = '';
  #version: Version = '1.2';
  #beats: Beats;
  #beatsExpected = false;
  #deadline: number;
  #idleAt: number;
  #lastReceivedAt: number;
  #cancelTimer: () => void = () => {};
  readonly #waiting = new Set<(ready: boolean) => void>();
  readonly #owed = new Map<string, Settle>();
  #posts = 0;
  #sent = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    const now = options.clock.now();
    this.#deadline = now + CONNECT_TIMEOUT_MS;
    this.#idleAt = now + IDLE_MS;
    this.#lastReceivedAt = now;
    this.#beats = new Beats({ sendEveryMs: 0, expectEveryMs: 0 }, now);
    this.#socket = new WebSocket(options.url, [...SUBPROTOCOLS], {
      headers: { ...options.headers },
      perMessageDeflate: false,
      maxPayload: MAX_INCOMING_BYTES,
    });
    this.#listen();
    this.#watch();
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  async post(message: Message, deadline: number): Promise<PostResult> {
    if (this.#posts >= this.#options.maxInFlight) {
      return unreachable(`${this.#options.maxInFlight} messages are in flight on its link`, false);
    }
    this.#posts += 1;
    try {
      if (await this.#readyBy(deadline)) return await this.#send(message, deadline);
      return unreachable(this.ended ? this.#endReason : 'no link in time', false);
    } finally {
      this.#posts -= 1;
    }
  }

  /** Takes leave of the pod as a STOMP client should; posts still open end at once. */
  async close(): Promise<void> {
    const wasReady = this.#state === 'ready';
    this.#end('closed by us', wasReady ? 'take leave' : 'give up');
    if (!wasReady) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(FAREWELL_MS, () => this.#socket.terminate());
      this.#socket.once('close', () => {
        cancel();
        resolve();
      });
      this.#socket.send(encode('DISCONNECT', { receipt: 'bye' }, undefined, this.#version), { binary: false });
      // A pod answers DISCONNECT with the receipt and may leave closing to us (Spring does).
      this.#socket.once('message', () => this.#socket.close(1000));
    });
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('open', () => this.#write(encode('CONNECT', this.#connectHeaders())));
    socket.on('message', (data: Buffer) => this.#receive(data));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#end(error.code ?? error.message));
    socket.on('close', (code: number) => this.#end(`link closed with code ${code}`));
  }

  #connectHeaders(): Record<string, string | undefined> {
    return {
      'accept-version': '1.2,1.1,1.0',
      host: new URL(this.#options.url).hostname,
      'heart-beat': HEART_BEAT.join(','),
      ...this.#options.connect,
    };
  }

  /** The only place that ends the link. */
  #end(reason: string, how: 'failed' | 'give up' | 'take leave' = 'failed'): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#endReason = reason;
    this.#cancelTimer();
    if (how !== 'take leave') this.#socket.terminate();
    for (const tell of [...this.#waiting]) tell(false);
    for (const settle of [...this.#owed.values()]) settle(unreachable(reason, true));
    this.#options.onEnd(reason, how === 'failed');
  }

  #readyBy(deadline: number): Promise<boolean> {
    if (this.#state !== 'connecting') return Promise.resolve(this.#state === 'ready');
    return new Promise((resolve) => {
      const tell = (ready: boolean) => {
        cancel();
        this.#waiting.delete(tell);
        resolve(ready);
      };
      const cancel = this.#options.clock.after(this.#msTo(deadline), () => tell(false));
      this.#waiting.add(tell);
    });
  }

  #send(message: Message, deadline: number): Promise<PostResult> {
    const name = `m${++this.#sent}`;
    const { receipts, clock } = this.#options;
    let frame: Uint8Array;
    try {
      frame = sendFrame(message, receipts ? name : undefined, this.#version);
    } catch (error) {
      return Promise.resolve({ refused: error instanceof Error ? error.message : String(error) });
    }
    this.#idleAt = clock.now() + IDLE_MS;
    const result = this.#answer(name, deadline);
    const written = (error?: Error | null) =>
      this.#owed.get(name)?.(error ? unreachable(error.message, true) : 'delivered');
    this.#write(frame, isUtf8(message.body), receipts ? undefined : written);
    return result;
  }

  #answer(name: string, deadline: number): Promise<PostResult> {
    return new Promise((resolve) => {
      const sentAt = this.#options.clock.now();
      const settle = (result: PostResult) => {
        cancel();
        this.#owed.delete(name);
        resolve(result);
      };
      const late = () => {
        settle(unreachable('no receipt in time', true));
        // Without beats this is the only sign that a pod is gone without a word.
        if (!this.#beatsExpected && this.#lastReceivedAt <= sentAt) this.#end('the pod has gone silent');
      };
      const cancel = this.#options.clock.after(this.#msTo(deadline), late);
      this.#owed.set(name, settle);
    });
  }

  #write(bytes: Uint8Array, text = true, done?: (error?: Error | null) => void): void {
    this.#beats.sent(this.#options.clock.now());
    this.#socket.send(bytes, { binary: !text }, (error) => done?.(error));
  }

  #receive(data: Buffer): void {
    if (this.#state === 'ended') return;
    this.#lastReceivedAt = this.#options.clock.now();
    this.#beats.received(this.#lastReceivedAt);
    for (const frame of this.#decoder.push(data)) if (frame !== 'beat') this.#frame(frame);
    if (this.#decoder.error !== undefined) this.#end(`not STOMP: ${this.#decoder.error.message}`);
  }

  #frame(frame: Frame): void {
    if (frame.command === 'CONNECTED') this.#connected(frame);
    else if (frame.command === 'RECEIPT') this.#receipt(frame);
    else if (frame.command === 'ERROR') this.#refused(frame);
  }

  #connected(frame: Frame): void {
    if (this.#state !== 'connecting') return;
    const now = this.#options.clock.now();
    const agreed = agreeHeartBeat(HEART_BEAT, parseHeartBeat(frame.header('heart-beat')) ?? [0, 0]);
    this.#version = versionOf(frame);
    this.#decoder.version = this.#version;
    this.#beats = new Beats({ ...agreed, tolerance: SILENT_AFTER_BEATS }, now);
    this.#beatsExpected = agreed.expectEveryMs > 0;
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#state = 'ready';
    for (const tell of [...this.#waiting]) tell(true);
    this.#watch();
  }

  #receipt(frame: Frame): void {
    const settle = this.#owed.get(frame.header('receipt-id') ?? '');
    settle?.(frame.header(SESSIONS_HEADER) === '0' ? 'no-session' : 'delivered');
  }

  /**
   * ERROR ends the link. With a receipt-id it names the SEND at fault; the others are merely caught up in it. The reason
   * of the end goes to the log, so it takes the pod's words only where they are about the link and not about a message.
   */
  #refused(frame: Frame): void {
    const said = (frame.header('message') ?? 'no reason given').slice(0, MAX_REASON_CHARACTERS);
    this.#owed.get(frame.header('receipt-id') ?? '')?.({ refused: said });
    this.#end(this.#state === 'connecting' ? `CONNECT refused: ${said}` : 'the pod sent ERROR');
  }

  /** One timer for all that depends on time: connecting, beats of both sides, being idle. */
  #watch(): void {
    this.#cancelTimer();
    if (this.#state === 'ended') return;
    const next = Math.min(this.#deadline, this.#idleAt, this.#beats.nextDeadline());
    this.#cancelTimer = this.#options.clock.after(this.#msTo(next), () => this.#onTime());
  }

  #onTime(): void {
    const now = this.#options.clock.now();
    if (now >= this.#deadline) this.#end(`no CONNECTED within ${CONNECT_TIMEOUT_MS} ms`);
    else if (this.#beats.silent(now)) this.#end('the pod missed its heart-beats');
    else if (now >= this.#idleAt && this.#posts === 0) void this.close();
    else this.#goOn(now);
  }

  #goOn(now: number): void {
    if (now >= this.#idleAt) this.#idleAt = now + IDLE_MS;
    if (this.#beats.due(now)) this.#write(HEARTBEAT);
    this.#watch();
  }

  #msTo(deadline: number): number {
    return Math.max(0, deadline - this.#options.clock.now());
  }
}

function versionOf(connected: Frame): Version {
  const said = connected.header('version');
  return said === '1.1' || said === '1.2' ? said : '1.0';
}

/** Spring (`SimpMessagingTemplate.convertAndSendToUser`) writes '/' in a user as %2F, and escapes nothing else. */
export function userDestination(user: string, destination: string): string {
  if (/%2F/i.test(user)) {
    throw new RangeError('a user name that contains %2F cannot be told from one with / in a STOMP user destination');
  }
  return `/user/${user.replaceAll('/', '%2F')}${destination}`;
}

function sendFrame(message: Message, receipt: string | undefined, version: Version): Uint8Array {
  const headers = {
    destination: userDestination(message.user, message.destination),
    'content-type': message.contentType,
    receipt,
    'holdfast-id': message.id,
    'holdfast-seq': message.seq,
    ...message.headers,
  };
  return encode('SEND', headers, message.body, version);
}
