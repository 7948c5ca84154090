/** A Socket over one WebSocket. Whoever makes the WebSocket gives it its limits, and a `closeTimeout`. */
import type { WebSocket } from 'ws';
import type { ChunkRules } from '../session/index.ts';
import { chunksOf, messageMaxBytes } from './chunks.ts';
import type { LinkSocket } from './ports.ts';
import type { SocketHandlers } from './socket.ts';

export interface WebSocketOptions {
  /** Unsent bytes from which `isFull` is true; it is false again below half of them. */
  readonly highMarkBytes: number;
}

/** Codes that may not stand in a close frame (RFC 6455 §7.4.1); they are said as 1011 or not at all. */
const UNSENDABLE = new Set([1004, 1005, 1006, 1015]);
/** A close frame's payload is at most 125 bytes, two of which are the code (RFC 6455 §5.5). */
const REASON_MAX_BYTES = 123;

/** What a peer broke, and the code that ws closes with for it (RFC 6455 §7.4.1). */
interface Fault {
  readonly rule: string;
  readonly code: number;
  readonly reason: string;
}

export class PlainSocket implements LinkSocket {
  readonly #ws: WebSocket;
  readonly #options: WebSocketOptions;
  readonly #handlers: SocketHandlers;
  readonly #pausedFor = new Set<string>();
  readonly #now: () => number;
  #rules: ChunkRules | undefined;
  #full = false;
  #heardAtMs: number;
  #heardDataAtMs: number;
  #fault: Fault | undefined;

  constructor(ws: WebSocket, options: WebSocketOptions, handlers: SocketHandlers, now: () => number) {
    this.#ws = ws;
    this.#options = options;
    this.#handlers = handlers;
    this.#now = now;
    this.#heardAtMs = now();
    this.#heardDataAtMs = this.#heardAtMs;
    ws.once('open', () => this.#opened());
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
    ws.on('error', (error: NodeJS.ErrnoException) => {
      this.#fault ??= faultOf(error);
    });
  }

  get isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  get heardDataAtMs(): number {
    return this.#heardDataAtMs;
  }

  get isFull(): boolean {
    return this.#full;
  }

  get isPaused(): boolean {
    return this.#pausedFor.size > 0;
  }

  takes(rules: ChunkRules): void {
    this.#rules = rules;
  }

  excuse(ms = Number.POSITIVE_INFINITY): void {
    const now = this.#now();
    this.#heardAtMs = Math.min(now, this.#heardAtMs + ms);
    this.#heardDataAtMs = Math.min(now, this.#heardDataAtMs + ms);
  }

  send(bytes: Uint8Array, binary: boolean): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    const maxBytes = messageMaxBytes(this.#rules, binary);
    if (bytes.length <= maxBytes) this.#ws.send(bytes, { binary }, this.#sent);
    else for (const chunk of chunksOf(bytes, maxBytes, binary)) this.#ws.send(chunk, { binary }, this.#sent);
    if (!this.#full && this.#ws.bufferedAmount > this.#options.highMarkBytes) this.#full = true;
  }

  ping(): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }

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

  /** Reads on until the peer answers; ws cuts the connection when it does not in time. */
  close(code: number, reason: string): void {
    if (this.#ws.readyState >= this.#ws.CLOSING) return;
    // A paused socket would never see the peer's answer.
    this.#pausedFor.clear();
    this.#ws.resume();
    if (UNSENDABLE.has(code)) this.#ws.close();
    else this.#ws.close(code, shorten(reason));
  }

  abort(): void {
    this.#ws.terminate();
  }

  readonly #sent = (): void => {
    if (!this.#full || this.#ws.bufferedAmount > this.#options.highMarkBytes / 2) return;
    this.#full = false;
    this.#handlers.onDrain();
  };

  /** ws cannot pause what is not open yet. */
  #opened(): void {
    this.excuse();
    if (this.isPaused) this.#ws.pause();
  }

  #closed(code: number, reason: Buffer): void {
    const fault = this.#fault;
    if (fault === undefined) this.#handlers.onClose(code, reason.toString());
    else this.#handlers.onClose(fault.code, fault.reason, fault.rule);
  }
}

/** undefined for errors of the network: those say no more than the close itself. */
function faultOf(error: NodeJS.ErrnoException): Fault | undefined {
  const [, rule] = /^WS_ERR_(.+)$/.exec(error.code ?? '') ?? [];
  if (rule === undefined) return undefined;
  return { rule: rule.toLowerCase().replaceAll('_', '-'), code: codeOf(rule), reason: error.message };
}

/** The codes of ws, but for too many parts, where it says 1008: between us and a pod that would be the application's word. */
function codeOf(rule: string): number {
  if (rule.endsWith('_LENGTH') && rule.startsWith('UNSUPPORTED')) return 1009;
  if (rule === 'TOO_MANY_BUFFERED_PARTS') return 1009;
  return rule === 'INVALID_UTF8' ? 1007 : 1002;
}

function shorten(reason: string): string {
  let short = reason;
  while (Buffer.byteLength(short) > REASON_MAX_BYTES) short = short.slice(0, -1);
  return short;
}
