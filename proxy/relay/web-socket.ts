/**
 * A Socket over one WebSocket, client's or pod's: RFC 6455's closing handshake, pings, and writing that puts what is said in one turn
 * of the event loop into one write. Who shakes hands gives it the connection.
 */
import type { Duplex } from 'node:stream';
import {
  CLOSE,
  closeFrame,
  type Fault,
  FrameReader,
  isSendable,
  OPCODE,
  Outbox,
  type ReaderHandlers,
  remask,
  type WholeFrame,
} from '../../websocket/index.ts';
import type { ChunkRules } from '../session/index.ts';
import { chunksOf, messageMaxBytes } from './chunks.ts';
import { atEnd } from './ends.ts';
import type { LinkSocket } from './ports.ts';
import { Slab } from './slab.ts';
import type { SocketHandlers } from './socket.ts';
import { beginRead, endRead, type Flushed, flushSoon } from './turn.ts';
import type { Passer, Turnstile } from './turnstile.ts';

export interface WebSocketOptions {
  /** Who is at the other end: clients mask their frames, and servers end the connection. */
  readonly peer: 'client' | 'server';
  /** Unsent bytes from which `isFull` is true; it is false again below half of them. */
  readonly highMarkBytes: number;
  readonly maxMessageBytes: number;
  readonly maxParts: number;
  /** Text of the peer must be UTF-8. */
  readonly checksText: boolean;
  /** How long the peer may take to answer a close frame, and to end the connection, before it is cut. */
  readonly closeMaxMs: number;
  /** Of all to the same peer, which may end together without our doing. */
  readonly turnstile?: Turnstile;
}

const NOTHING = new Uint8Array();
const NO_REASON: readonly string[] = [];
/** A reason not to read. */
const OTHERS_END = 'others end';
const slab = new Slab();

/** What is a ReaderHandlers' is told by its own reader alone. There are two a session, so they have as few objects and closures as can be. */
export class PlainSocket implements LinkSocket, ReaderHandlers, Flushed, Passer {
  readonly #options: WebSocketOptions;
  readonly #handlers: SocketHandlers;
  readonly #now: () => number;
  readonly #reader: FrameReader;
  #pausedFor: readonly string[] = NO_REASON;
  #cancel: (() => void) | undefined;
  #socket: Duplex | undefined;
  #state: 'opening' | 'open' | 'closing' | 'closed' = 'opening';
  #rules: ChunkRules | undefined;
  /** Said, and not written yet. */
  readonly #said: Outbox;
  #full = false;
  #inDoubtSinceMs: number | undefined;
  /** Until the end is our own doing. */
  #turnstile: Turnstile | undefined;
  /** When the chunk came whose messages are told now. */
  #readAtMs = 0;
  #heardAtMs: number;
  #heardDataAtMs: number;
  #fault: Fault | undefined;
  /** What the peer's close frame said. */
  #farewell: { readonly code: number; readonly reason: string } | undefined;
  #closeTimer: NodeJS.Timeout | undefined;

  /** @param cancel ends the attempt to connect, while there is no connection */
  constructor(options: WebSocketOptions, handlers: SocketHandlers, now: () => number, cancel?: () => void) {
    this.#options = options;
    this.#handlers = handlers;
    this.#now = now;
    this.#cancel = cancel;
    this.#said = new Outbox(options.peer === 'server');
    this.#heardAtMs = now();
    this.#heardDataAtMs = this.#heardAtMs;
    this.#reader = new FrameReader(options, this);
  }

  /**
   * Both sides have shaken hands.
   * @param listen tells a reader what the peer says, for connections that do not emit `data`: so many octets, which are others when the reader has returned
   */
  open(socket: Duplex, listen?: (read: (lent: Uint8Array, length: number) => void) => void): void {
    this.#socket = socket;
    this.#cancel = undefined;
    this.#state = 'open';
    this.excuse();
    this.#turnstile = this.#options.turnstile;
    this.#turnstile?.join(this);
    if (listen === undefined) socket.on('data', (chunk: Uint8Array) => this.#read(chunk));
    else listen((lent, length) => this.#readLent(lent, length));
    // Both are told once, and `once` keeps a closure more for each.
    socket.on('end', () => this.#ended());
    socket.on('close', () => this.#closed());
    socket.on('error', cutIt);
    if (this.isPaused) socket.pause();
    else socket.resume();
  }

  /** One that broke is told of by its close, when the event loop has read all others; what is said to it meanwhile is lost. */
  get isOpen(): boolean {
    return this.#state === 'open' && this.#socket?.destroyed === false;
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
    return this.#pausedFor.length > 0;
  }

  get inDoubtSinceMs(): number | undefined {
    return this.#inDoubtSinceMs;
  }

  takes(rules: ChunkRules): void {
    this.#rules = rules;
  }

  excuse(ms = Number.POSITIVE_INFINITY): void {
    const now = this.#now();
    this.#heardAtMs = Math.min(now, this.#heardAtMs + ms);
    this.#heardDataAtMs = Math.min(now, this.#heardDataAtMs + ms);
    if (this.#inDoubtSinceMs !== undefined) this.#inDoubtSinceMs = Math.min(now, this.#inDoubtSinceMs + ms);
  }

  send(bytes: Uint8Array, binary: boolean): void {
    if (this.#state !== 'open') return;
    const opcode = binary ? OPCODE.binary : OPCODE.text;
    const maxBytes = messageMaxBytes(this.#rules, binary);
    if (bytes.length <= maxBytes) this.#say(opcode, bytes);
    else for (const chunk of chunksOf(bytes, maxBytes, binary)) this.#say(opcode, chunk);
    if (!this.#full && this.#unsentBytes > this.#options.highMarkBytes) this.#full = true;
  }

  pass(frame: WholeFrame): void {
    if (this.#state !== 'open') return;
    const { octets, from, payloadAt, to, binary } = frame;
    if (to - payloadAt > messageMaxBytes(this.#rules, binary)) return this.send(octets.subarray(payloadAt, to), binary);
    remask(frame);
    if (this.#said.isEmpty) flushSoon(this);
    this.#said.pass(octets, from, to);
    if (!this.#full && this.#unsentBytes > this.#options.highMarkBytes) this.#full = true;
  }

  passFrames(octets: Uint8Array, from: number, to: number): void {
    if (this.#state !== 'open') return;
    // What makes this one full has to wait for a callback of its write.
    if (this.#unsentBytes === 0 && to - from <= this.#options.highMarkBytes) return this.#writeNow(octets, from, to);
    if (this.#said.isEmpty) flushSoon(this);
    this.#said.pass(Buffer.from(octets.subarray(from, to)), 0, to - from);
    if (!this.#full && this.#unsentBytes > this.#options.highMarkBytes) this.#full = true;
  }

  ping(): void {
    if (this.#state === 'open') this.#say(OPCODE.ping, NOTHING);
  }

  pause(reason: string, paused: boolean): void {
    const was = this.isPaused;
    const others = this.#pausedFor.filter((other) => other !== reason);
    this.#pausedFor = paused ? [...others, reason] : others;
    if (was === this.isPaused) return;
    if (this.isPaused) this.#socket?.pause();
    else {
      this.excuse();
      this.#socket?.resume();
    }
  }

  /** Read again, it is in doubt until the peer has answered: its end may still be on its way. It is asked when what is there has been read. */
  hold(held: boolean): void {
    this.pause(OTHERS_END, held);
    this.#inDoubtSinceMs = this.#now();
    if (!held) setImmediate(() => this.#ask());
  }

  believe(): void {
    if (this.#inDoubtSinceMs === undefined) return;
    this.#inDoubtSinceMs = undefined;
    this.#handlers.onDrain();
  }

  #ask(): void {
    if (!this.#pausedFor.includes(OTHERS_END)) this.ping();
  }

  /** Reads on until the peer answers; the connection is cut when it does not in time. */
  close(code: number, reason: string): void {
    if (this.#state === 'opening') return this.abort();
    this.#leaveOthers();
    if (this.#state === 'open') this.#sayGoodbye(isSendable(code) ? code : undefined, reason);
  }

  abort(): void {
    this.#leaveOthers();
    this.#reader.stop();
    this.#said.clear();
    if (this.#socket === undefined) this.#cancel?.();
    else this.#socket.destroy();
    if (this.#state !== 'closed') this.#state = 'closing';
  }

  get #unsentBytes(): number {
    return this.#said.bytes + (this.#socket?.writableLength ?? 0);
  }

  onMessage(bytes: Uint8Array, binary: boolean): void {
    this.#heardAtMs = this.#readAtMs;
    this.#heardDataAtMs = this.#readAtMs;
    this.#handlers.onMessage(bytes, binary);
  }

  onFrames(octets: Uint8Array, from: number, end: number): number {
    const to = this.#handlers.onFrames?.(octets, from, end, this.#readAtMs) ?? from;
    if (to > from) {
      this.#heardAtMs = this.#readAtMs;
      this.#heardDataAtMs = this.#readAtMs;
    }
    return to;
  }

  onFrame(frame: WholeFrame): boolean {
    if (this.#handlers.onFrame === undefined) return false;
    this.#heardAtMs = this.#readAtMs;
    this.#heardDataAtMs = this.#readAtMs;
    return this.#handlers.onFrame(frame);
  }

  /** One that pings and does not read is not answered: only the last ping needs an answer (§5.5.3). */
  onPing(payload: Uint8Array): void {
    this.#heardAtMs = this.#readAtMs;
    if (this.#state === 'open' && !this.#full) this.#say(OPCODE.pong, payload.slice());
  }

  onPong(): void {
    this.#heardAtMs = this.#readAtMs;
    this.believe();
  }

  /** The peer's close frame; the server ends the connection then, §7.1.1. */
  onClose(code: number, reason: string): void {
    this.#farewell = { code, reason };
    if (this.#state === 'open') this.#sayGoodbye(code === CLOSE.none ? undefined : code, '');
    if (this.#options.peer === 'client') this.#socket?.end();
  }

  onFault(fault: Fault): void {
    this.#fault = fault;
    if (this.#state === 'open') this.#sayGoodbye(fault.code, fault.reason);
    this.#socket?.end();
  }

  #read(chunk: Uint8Array): void {
    this.#readAtMs = this.#now();
    beginRead();
    try {
      this.#reader.push(chunk);
    } finally {
      endRead();
    }
  }

  /** What passes goes from where it was read, and nothing is made of it; all else is read from a copy, as views of it may be kept. */
  #readLent(lent: Uint8Array, length: number): void {
    this.#readAtMs = this.#now();
    beginRead();
    try {
      const at = this.#reader.isBetween ? this.onFrames(lent, 0, length) : 0;
      if (at < length) this.#reader.push(Buffer.from(lent.subarray(at, length)));
    } finally {
      endRead();
    }
  }

  #say(opcode: number, payload: Uint8Array): void {
    if (this.#said.isEmpty) flushSoon(this);
    this.#said.say(opcode, payload);
  }

  get #isMasked(): boolean {
    return this.#options.peer === 'server';
  }

  flush(): void {
    const socket = this.#socket;
    if (this.#said.isEmpty || socket === undefined) return;
    const pieces = this.#said.take();
    if (pieces.length === 1) return this.#write(socket, pieces[0] as Uint8Array);
    socket.cork();
    for (const piece of pieces) this.#write(socket, piece);
    socket.uncork();
  }

  #writeNow(octets: Uint8Array, from: number, to: number): void {
    const socket = this.#socket as Duplex;
    const copy = slab.copyOf(octets, from, to);
    socket.write(copy);
    if (socket.writableLength > 0) slab.keep(copy);
  }

  /** What the system takes at once needs no word of it; that it has taken what waited is only asked for when something waits. */
  #write(socket: Duplex, piece: Uint8Array): void {
    if (this.#full || socket.writableLength > 0) socket.write(piece, () => this.#written());
    else socket.write(piece);
  }

  #written(): void {
    if (!this.#full || this.#unsentBytes > this.#options.highMarkBytes / 2) return;
    this.#full = false;
    this.#handlers.onDrain();
  }

  /** Our close frame, and the time that the peer has for its own. */
  #sayGoodbye(code: number | undefined, reason: string): void {
    this.#state = 'closing';
    this.flush();
    this.#socket?.write(closeFrame(code, reason, this.#isMasked));
    this.#pausedFor = NO_REASON;
    this.#socket?.resume();
    this.#closeTimer = setTimeout(() => this.#socket?.destroy(), this.#options.closeMaxMs);
  }

  /** The peer's side has ended, with or without a close frame before it. */
  #ended(): void {
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.flush();
    }
    atEnd(() => this.#socket?.end());
    this.#turnstile?.dealt();
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#closeTimer);
    this.#reader.stop();
    atEnd(() => this.#tellEnd());
    this.#leaveOthers()?.dealt();
  }

  /** @returns the others, unless they had been left before */
  #leaveOthers(): Turnstile | undefined {
    const turnstile = this.#turnstile;
    this.#turnstile = undefined;
    turnstile?.leave(this);
    return turnstile;
  }

  #tellEnd(): void {
    const { code, reason, rule } = this.#fault ?? {
      ...(this.#farewell ?? { code: CLOSE.abnormal, reason: '' }),
      rule: undefined,
    };
    this.#handlers.onClose(code, reason, rule);
  }
}

/** Listens for errors of a socket: what there is to tell of them is told by its close. One for all, as there are many sockets. */
export function cutIt(this: Duplex): void {
  this.destroy();
}
