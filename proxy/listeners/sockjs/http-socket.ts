/**
 * A Socket over HTTP requests: one SockJS session of the transports that are no WebSocket.
 *
 *     open ──close()──▶ closing ──told, and the client stays away──▶ forgotten
 *      ├──a response or a body breaks off, or is no SockJS──▶ closing (the relay hears that the client has gone)
 *      └──no receiver for DISCONNECT_DELAY_MS──▶ forgotten
 *
 * What waits for a receiver, and what a response has not yet got rid of, counts together against the high mark, as it does
 * for a WebSocket. It goes up to it by one read of the pods at most.
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { WholeFrame } from '../../../websocket/index.ts';
import type { Socket, SocketHandlers } from '../../relay/socket.ts';
import { arrayFrame, closeFrame, HEARTBEAT, OPEN, quote } from '../../sockjs/index.ts';
import { Receiver, type Transport } from './receiver.ts';
import { Sends } from './sends.ts';

export interface HttpSocketOptions {
  /** Unsent bytes from which `isFull` is true; it is false again below half of them. */
  readonly highMarkBytes: number;
  /** Of one message of the client, as JSON. */
  readonly messageMaxChars: number;
}

/** What only a session over HTTP has to tell. */
export interface HttpSocketHandlers {
  /** Bytes that are no text cannot be sent; they are gone. */
  onNoText(socket: Socket): void;
  /** Once: the client has its close frame, or has gone by itself, or will not come for it. */
  onTold(): void;
  /** Once: the session id means nothing any more. */
  onForgotten(): void;
}

/** How long a session waits for its client's next receiver; the protocol's own value. */
export const DISCONNECT_DELAY_MS = 5_000;

const ANOTHER_OPEN = closeFrame(2010, 'Another connection still open');
const INTERRUPTED = closeFrame(1002, 'Connection interrupted');
/** RFC 6455 §7.4.1: no close frame came. */
const ABNORMAL = 1006;

const encoder = new TextEncoder();

export class HttpSocket implements Socket {
  readonly #options: HttpSocketOptions;
  readonly #handlers: SocketHandlers;
  readonly #httpHandlers: HttpSocketHandlers;
  readonly #now: () => number;
  readonly #pausedFor = new Set<string>();
  readonly #sends: Sends;
  #state: 'open' | 'closing' | 'forgotten' = 'open';
  #isGreeted = false;
  #isEnded = false;
  #isFarewellSent = false;
  #isTold = false;
  /** Quoted messages that no receiver has taken. */
  #queue: string[] = [];
  #queuedBytes = 0;
  #flushDue = false;
  #isFull = false;
  #closeFrame: string | undefined;
  #receiver: Receiver | undefined;
  /** A client may ask again before we know that the response before has left us. One may wait for that. */
  #next: (() => void) | undefined;
  #absence: NodeJS.Timeout | undefined;
  #heardAtMs: number;
  #heardDataAtMs: number;

  constructor(
    options: HttpSocketOptions,
    handlers: SocketHandlers,
    httpHandlers: HttpSocketHandlers,
    now: () => number,
  ) {
    this.#options = options;
    this.#handlers = handlers;
    this.#httpHandlers = httpHandlers;
    this.#now = now;
    this.#heardAtMs = now();
    this.#heardDataAtMs = this.#heardAtMs;
    this.#sends = new Sends(options.messageMaxChars, {
      onMessage: (text) => this.#message(text),
      onBroken: (reason, fault) => this.#interrupt(reason, fault),
    });
    this.#waitForClient();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  get heardDataAtMs(): number {
    return this.#heardDataAtMs;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  get isPaused(): boolean {
    return this.#pausedFor.size > 0;
  }

  /** The client asks for frames. */
  receive(response: ServerResponse, transport: Transport, headers: OutgoingHttpHeaders): void {
    this.#heardAtMs = this.#now();
    if (this.#receiver === undefined) return this.#attach(response, transport, headers);
    if (this.#receiver.isOpen || this.#next !== undefined) return turnAway(response, transport, headers);
    this.#next = () => this.#attach(response, transport, headers);
  }

  /** The client sends. */
  take(request: IncomingMessage, response: ServerResponse): void {
    this.#heardAtMs = this.#now();
    this.#sends.take(request, response);
  }

  excuse(ms = Number.POSITIVE_INFINITY): void {
    const now = this.#now();
    this.#heardAtMs = Math.min(now, this.#heardAtMs + ms);
    this.#heardDataAtMs = Math.min(now, this.#heardDataAtMs + ms);
  }

  send(bytes: Uint8Array): void {
    if (!this.isOpen) return;
    if (!isUtf8(bytes)) return this.#httpHandlers.onNoText(this);
    const quoted = quote(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
    this.#queue.push(quoted);
    this.#queuedBytes += Buffer.byteLength(quoted);
    if (this.#unsentBytes > this.#options.highMarkBytes) this.#isFull = true;
    this.#flushSoon();
  }

  pass({ octets, payloadAt, to }: WholeFrame): void {
    this.send(octets.subarray(payloadAt, to));
  }

  /** A response tells nothing of whether its client is there; a client that must ask again does. */
  ping(): void {
    if (this.#queue.length === 0) this.#receiver?.finish(HEARTBEAT);
  }

  pause(reason: string, paused: boolean): void {
    const was = this.isPaused;
    if (paused) this.#pausedFor.add(reason);
    else this.#pausedFor.delete(reason);
    if (was === this.isPaused) return;
    if (was) this.excuse();
    this.#sends.pause(this.isPaused);
  }

  close(code: number, reason: string): void {
    if (this.isOpen) this.#close(closeFrame(code, reason));
  }

  abort(): void {
    this.#forget();
  }

  get #unsentBytes(): number {
    return this.#queuedBytes + (this.#receiver?.unsentBytes ?? 0);
  }

  #message(text: string): void {
    if (!this.isOpen) return;
    this.#heardAtMs = this.#now();
    this.#heardDataAtMs = this.#heardAtMs;
    this.#handlers.onMessage(encoder.encode(text), false);
  }

  #attach(response: ServerResponse, transport: Transport, headers: OutgoingHttpHeaders): void {
    if (response.destroyed) return this.#interrupt('a receiver broke off');
    if (this.#state === 'forgotten') return void response.destroy();
    if (this.isOpen) clearTimeout(this.#absence);
    const receiver: Receiver = new Receiver(response, transport, headers, {
      onDrain: () => this.#drained(),
      onGone: (isWhole) => this.#gone(isWhole),
    });
    this.#receiver = receiver;
    this.#flush();
  }

  /** Messages of one read go out together. */
  #flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushDue = false;
    const receiver = this.#receiver;
    if (receiver?.isOpen && !this.#isGreeted) {
      this.#isGreeted = true;
      receiver.write(OPEN);
    }
    if (receiver?.isOpen && this.#queue.length > 0) {
      receiver.write(arrayFrame(this.#queue));
      this.#queue = [];
      this.#queuedBytes = 0;
    }
    if (receiver?.isOpen && this.#closeFrame !== undefined) {
      this.#isFarewellSent = true;
      receiver.finish(this.#closeFrame);
    }
  }

  #drained(): void {
    if (!this.#isFull || this.#unsentBytes > this.#options.highMarkBytes / 2) return;
    this.#isFull = false;
    if (this.isOpen) this.#handlers.onDrain();
  }

  /** A response has ended, by us or by the client. What it did not get rid of is lost, and nobody can say what was read of it. */
  #gone(isWhole: boolean): void {
    this.#receiver = undefined;
    if (!isWhole) this.#interrupt('a receiver broke off');
    if (!isWhole || this.#isFarewellSent) this.#told();
    this.#drained();
    this.#waitForClient();
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }

  #waitForClient(): void {
    clearTimeout(this.#absence);
    if (this.#state !== 'forgotten') this.#absence = setTimeout(() => this.#forget(), DISCONNECT_DELAY_MS);
  }

  #interrupt(reason: string, fault?: string): void {
    if (!this.isOpen) return;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#close(INTERRUPTED);
    this.#end(reason, fault);
  }

  #close(frame: string): void {
    this.#state = 'closing';
    this.#closeFrame = frame;
    this.#pausedFor.clear();
    this.#sends.end();
    this.#flush();
    // A client that does not take what it was sent is not waited for either.
    this.#waitForClient();
  }

  #forget(): void {
    if (this.#state === 'forgotten') return;
    this.#state = 'forgotten';
    clearTimeout(this.#absence);
    this.#sends.end();
    this.#end('');
    this.#told();
    this.#httpHandlers.onForgotten();
    this.#receiver?.abort();
  }

  #told(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#httpHandlers.onTold();
  }

  #end(reason: string, fault?: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#handlers.onClose(ABNORMAL, reason, fault);
  }
}

function turnAway(response: ServerResponse, transport: Transport, headers: OutgoingHttpHeaders): void {
  const receiver = new Receiver(response, transport, headers, { onDrain: () => {}, onGone: () => {} });
  receiver.finish(ANOTHER_OPEN);
}
