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
  frameLength,
  isSendable,
  OPCODE,
  writeFrame,
} from '../../websocket/index.ts';
import type { ChunkRules } from '../session/index.ts';
import { chunksOf, messageMaxBytes } from './chunks.ts';
import type { LinkSocket } from './ports.ts';
import type { SocketHandlers } from './socket.ts';

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
}

/** What is said in one turn is put into buffers of about this size, each of them one write. */
const COPY_MAX_BYTES = 16 * 1024;

interface Said {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

const NOTHING = new Uint8Array();

export class PlainSocket implements LinkSocket {
  readonly #options: WebSocketOptions;
  readonly #handlers: SocketHandlers;
  readonly #now: () => number;
  readonly #reader: FrameReader;
  readonly #pausedFor = new Set<string>();
  readonly #cancel: (() => void) | undefined;
  #socket: Duplex | undefined;
  #state: 'opening' | 'open' | 'closing' | 'closed' = 'opening';
  #rules: ChunkRules | undefined;
  /** Said, and not written yet. */
  #said: Said[] = [];
  #saidBytes = 0;
  #full = false;
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
    this.#heardAtMs = now();
    this.#heardDataAtMs = this.#heardAtMs;
    this.#reader = new FrameReader(options, {
      onMessage: (bytes, binary) => this.#heard(bytes, binary),
      onPing: (payload) => this.#pinged(payload),
      onPong: () => {
        this.#heardAtMs = this.#now();
      },
      onClose: (code, reason) => this.#toldGoodbye(code, reason),
      onFault: (fault) => this.#broken(fault),
    });
  }

  /** Both sides have shaken hands. @param head what came behind the handshake */
  open(socket: Duplex, head: Uint8Array): void {
    this.#socket = socket;
    this.#state = 'open';
    this.excuse();
    // Before anybody listens: a stream that flows would give it out at once.
    if (head.length > 0) socket.unshift(head);
    socket.on('data', (chunk: Buffer) => this.#reader.push(chunk));
    socket.once('end', () => this.#ended());
    socket.once('close', () => this.#closed());
    // What there is to tell of it is told by the close.
    socket.on('error', () => socket.destroy());
    if (this.isPaused) socket.pause();
    else socket.resume();
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
    if (this.#state !== 'open') return;
    const opcode = binary ? OPCODE.binary : OPCODE.text;
    const maxBytes = messageMaxBytes(this.#rules, binary);
    if (bytes.length <= maxBytes) this.#say(opcode, bytes);
    else for (const chunk of chunksOf(bytes, maxBytes, binary)) this.#say(opcode, chunk);
    if (!this.#full && this.#unsentBytes > this.#options.highMarkBytes) this.#full = true;
  }

  ping(): void {
    if (this.#state === 'open') this.#say(OPCODE.ping, NOTHING);
  }

  pause(reason: string, paused: boolean): void {
    const was = this.isPaused;
    if (paused) this.#pausedFor.add(reason);
    else this.#pausedFor.delete(reason);
    if (was === this.isPaused) return;
    if (this.isPaused) this.#socket?.pause();
    else {
      this.excuse();
      this.#socket?.resume();
    }
  }

  /** Reads on until the peer answers; the connection is cut when it does not in time. */
  close(code: number, reason: string): void {
    if (this.#state === 'opening') return this.abort();
    if (this.#state === 'open') this.#sayGoodbye(isSendable(code) ? code : undefined, reason);
  }

  abort(): void {
    this.#reader.stop();
    this.#said = [];
    if (this.#socket === undefined) this.#cancel?.();
    else this.#socket.destroy();
    if (this.#state !== 'closed') this.#state = 'closing';
  }

  get #unsentBytes(): number {
    return this.#saidBytes + (this.#socket?.writableLength ?? 0);
  }

  #heard(bytes: Uint8Array, binary: boolean): void {
    this.#heardAtMs = this.#now();
    this.#heardDataAtMs = this.#heardAtMs;
    this.#handlers.onMessage(bytes, binary);
  }

  /** One that pings and does not read is not answered: only the last ping needs an answer (§5.5.3). */
  #pinged(payload: Uint8Array): void {
    this.#heardAtMs = this.#now();
    if (this.#state === 'open' && !this.#full) this.#say(OPCODE.pong, payload.slice());
  }

  #say(opcode: number, payload: Uint8Array): void {
    if (this.#said.length === 0) process.nextTick(this.#flush);
    this.#said.push({ opcode, payload });
    this.#saidBytes += frameLength(payload.length, this.#isMasked);
  }

  get #isMasked(): boolean {
    return this.#options.peer === 'server';
  }

  readonly #flush = (): void => {
    const said = this.#said;
    const socket = this.#socket;
    if (said.length === 0 || socket === undefined) return;
    this.#said = [];
    this.#saidBytes = 0;
    const pieces = piecesOf(said, this.#isMasked);
    if (pieces.length === 1) return void socket.write(pieces[0], this.#written);
    socket.cork();
    for (const piece of pieces) socket.write(piece, this.#written);
    socket.uncork();
  };

  readonly #written = (): void => {
    if (!this.#full || this.#unsentBytes > this.#options.highMarkBytes / 2) return;
    this.#full = false;
    this.#handlers.onDrain();
  };

  /** Our close frame, and the time that the peer has for its own. */
  #sayGoodbye(code: number | undefined, reason: string): void {
    this.#state = 'closing';
    this.#flush();
    this.#socket?.write(closeFrame(code, reason, this.#isMasked));
    this.#pausedFor.clear();
    this.#socket?.resume();
    this.#closeTimer = setTimeout(() => this.#socket?.destroy(), this.#options.closeMaxMs);
  }

  /** The peer's close frame; the server ends the connection then, §7.1.1. */
  #toldGoodbye(code: number, reason: string): void {
    this.#farewell = { code, reason };
    if (this.#state === 'open') this.#sayGoodbye(code === CLOSE.none ? undefined : code, '');
    if (this.#options.peer === 'client') this.#socket?.end();
  }

  #broken(fault: Fault): void {
    this.#fault = fault;
    if (this.#state === 'open') this.#sayGoodbye(fault.code, fault.reason);
    this.#socket?.end();
  }

  /** The peer's side has ended, with or without a close frame before it. */
  #ended(): void {
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#flush();
    }
    this.#socket?.end();
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#closeTimer);
    this.#reader.stop();
    const { code, reason, rule } = this.#fault ?? {
      ...(this.#farewell ?? { code: CLOSE.abnormal, reason: '' }),
      rule: undefined,
    };
    this.#handlers.onClose(code, reason, rule);
  }
}

/** Frames as few buffers. */
function piecesOf(said: readonly Said[], isMasked: boolean): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let from = 0;
  while (from < said.length) {
    let to = from;
    let bytes = 0;
    do bytes += frameLength((said[to++] as Said).payload.length, isMasked);
    while (to < said.length && bytes + frameLength((said[to] as Said).payload.length, isMasked) <= COPY_MAX_BYTES);
    pieces.push(joined(said, from, to, bytes, isMasked));
    from = to;
  }
  return pieces;
}

function joined(said: readonly Said[], from: number, to: number, bytes: number, isMasked: boolean): Uint8Array {
  const piece = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (let i = from; i < to; i++) {
    const { opcode, payload } = said[i] as Said;
    at = writeFrame(piece, at, opcode, payload, isMasked);
  }
  return piece;
}
