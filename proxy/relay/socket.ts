/**
 * One WebSocket, of a client or of a pod, as the relay wants it: whole messages in, bytes out, reading that can be stopped
 * for several reasons at once, and a close that always comes to an end.
 */
import type { WebSocket } from 'ws';

export interface SocketHandlers {
  onMessage(bytes: Uint8Array, binary: boolean): void;
  /** Once. 1006 when the connection ended without a close frame. */
  onClose(code: number, reason: string): void;
  /** What was written has left us again, after `isFull` was true. */
  onDrain(): void;
}

export interface SocketOptions {
  /** Unsent bytes from which `isFull` is true; it is false again below half of them. */
  readonly highMarkBytes: number;
  /** How long the peer may take to answer our close frame before the TCP connection is cut. */
  readonly closeMaxMs: number;
}

/** Codes that may not stand in a close frame (RFC 6455 §7.4.1); they are said as 1011 or not at all. */
const UNSENDABLE = new Set([1004, 1005, 1006, 1015]);
/** A close frame's payload is at most 125 bytes, two of which are the code (RFC 6455 §5.5). */
const REASON_MAX_BYTES = 123;

export class Socket {
  readonly #ws: WebSocket;
  readonly #options: SocketOptions;
  readonly #handlers: SocketHandlers;
  readonly #pausedFor = new Set<string>();
  readonly #now: () => number;
  #full = false;
  #heardAtMs: number;
  #heardDataAtMs: number;
  #closeTimer: NodeJS.Timeout | undefined;

  constructor(ws: WebSocket, options: SocketOptions, handlers: SocketHandlers, now: () => number) {
    this.#ws = ws;
    this.#options = options;
    this.#handlers = handlers;
    this.#now = now;
    this.#heardAtMs = now();
    this.#heardDataAtMs = this.#heardAtMs;
    ws.on('message', (data: Buffer, binary: boolean) => {
      this.#heardAtMs = this.#now();
      this.#heardDataAtMs = this.#heardAtMs;
      handlers.onMessage(data, binary);
    });
    ws.on('pong', () => {
      this.#heardAtMs = this.#now();
    });
    ws.on('ping', () => {
      this.#heardAtMs = this.#now();
    });
    ws.once('close', (code, reason) => this.#closed(code, reason));
    // Every error is followed by `close`, which tells what there is to tell.
    ws.on('error', () => {});
  }

  /** When anything, a pong included, last came in. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** When a message last came in. */
  get heardDataAtMs(): number {
    return this.#heardDataAtMs;
  }

  /** More than the high mark waits to be sent: whoever feeds this socket should stop. */
  get isFull(): boolean {
    return this.#full;
  }

  get isPaused(): boolean {
    return this.#pausedFor.size > 0;
  }

  /** Silence until now is excused: the socket was not read, or we ourselves were not running. */
  excuse(): void {
    this.#heardAtMs = this.#now();
    this.#heardDataAtMs = this.#heardAtMs;
  }

  send(bytes: Uint8Array, binary: boolean): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#ws.send(bytes, { binary }, this.#sent);
    if (!this.#full && this.#ws.bufferedAmount > this.#options.highMarkBytes) this.#full = true;
  }

  ping(): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }

  /** Stops or resumes reading for one reason; it is read when no reason is left. */
  pause(reason: string, paused: boolean): void {
    const was = this.isPaused;
    if (paused) this.#pausedFor.add(reason);
    else this.#pausedFor.delete(reason);
    if (was === this.isPaused) return;
    if (this.isPaused) this.#ws.pause();
    else {
      this.excuse();
      this.#ws.resume();
    }
  }

  /** Says a close frame and reads on until the peer answers; cuts the connection when it does not in time. */
  close(code: number, reason: string): void {
    if (this.#ws.readyState >= this.#ws.CLOSING) return;
    // A paused socket would never see the peer's answer.
    this.#pausedFor.clear();
    this.#ws.resume();
    if (UNSENDABLE.has(code)) this.#ws.close();
    else this.#ws.close(code, shorten(reason));
    this.#closeTimer = setTimeout(() => this.abort(), this.#options.closeMaxMs);
  }

  /** Cuts the connection. */
  abort(): void {
    this.#ws.terminate();
  }

  readonly #sent = (): void => {
    if (!this.#full || this.#ws.bufferedAmount > this.#options.highMarkBytes / 2) return;
    this.#full = false;
    this.#handlers.onDrain();
  };

  #closed(code: number, reason: Buffer): void {
    clearTimeout(this.#closeTimer);
    this.#handlers.onClose(code, reason.toString());
  }
}

function shorten(reason: string): string {
  let short = reason;
  while (Buffer.byteLength(short) > REASON_MAX_BYTES) short = short.slice(0, -1);
  return short;
}
