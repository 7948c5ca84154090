/** A Socket over one WebSocket that speaks SockJS framing: the same as without it, but text only. */
import { isUtf8 } from 'node:buffer';
import type { WholeFrame } from '../../websocket/index.ts';
import type { ChunkRules } from '../session/index.ts';
import type { Framing, Said } from '../sockjs/index.ts';
import { chunksOf, messageMaxBytes } from './chunks.ts';
import type { LinkSocket } from './ports.ts';
import type { Socket, SocketHandlers } from './socket.ts';
import type { PlainSocket } from './web-socket.ts';

/** What only the framing has to tell. */
export interface FramingHandlers {
  /** The peer's greeting is here; only clients of a SockJS server are greeted. */
  onGreeted?(): void;
  /** Bytes that are no text cannot be sent; they are gone. */
  onNoText(socket: Socket): void;
}

const encoder = new TextEncoder();
/** RFC 6455 §7.4.1. */
const NORMAL = 1000;
const INVALID_PAYLOAD = 1007;

export class FramedSocket implements LinkSocket {
  readonly #inner: PlainSocket;
  readonly #framing: Framing;
  readonly #handlers: SocketHandlers;
  readonly #framingHandlers: FramingHandlers;
  #maxBytes = messageMaxBytes(undefined, false);
  /** How the connection ended in the words of SockJS, before the WebSocket does. */
  #end: { readonly code: number; readonly reason: string; readonly fault?: string } | undefined;

  /** @param plain makes the WebSocket; what this one says is said when that is open */
  constructor(
    framing: Framing,
    handlers: SocketHandlers,
    framingHandlers: FramingHandlers,
    plain: (handlers: SocketHandlers) => PlainSocket,
  ) {
    this.#framing = framing;
    this.#handlers = handlers;
    this.#framingHandlers = framingHandlers;
    const own: SocketHandlers = {
      onMessage: (bytes) => this.#read(bytes),
      onDrain: () => handlers.onDrain(),
      onClose: (code, reason, fault) => this.#closed(code, reason, fault),
    };
    this.#inner = plain(own);
    if (framing.greeting !== undefined) this.#say(framing.greeting);
  }

  takes(rules: ChunkRules): void {
    this.#maxBytes = messageMaxBytes(rules, false);
  }

  get isOpen(): boolean {
    return this.#inner.isOpen && this.#end === undefined;
  }

  get heardAtMs(): number {
    return this.#inner.heardAtMs;
  }

  get heardDataAtMs(): number {
    return this.#inner.heardDataAtMs;
  }

  get isFull(): boolean {
    return this.#inner.isFull;
  }

  get isPaused(): boolean {
    return this.#inner.isPaused;
  }

  get inDoubtSinceMs(): number | undefined {
    return this.#inner.inDoubtSinceMs;
  }

  believe(): void {
    this.#inner.believe();
  }

  excuse(ms?: number): void {
    this.#inner.excuse(ms);
  }

  send(bytes: Uint8Array): void {
    if (!this.isOpen) return;
    if (isUtf8(bytes)) this.#wrap(bytes);
    else this.#framingHandlers.onNoText(this);
  }

  pass({ octets, payloadAt, to }: WholeFrame): void {
    this.send(octets.subarray(payloadAt, to));
  }

  ping(): void {
    this.#inner.ping();
  }

  pause(reason: string, paused: boolean): void {
    this.#inner.pause(reason, paused);
  }

  close(code: number, reason: string): void {
    const farewell = this.#framing.farewell(code, reason);
    if (farewell !== undefined && this.isOpen) this.#say(farewell);
    this.#inner.close(code, reason);
  }

  abort(): void {
    this.#inner.abort();
  }

  /** Limits of the peer are for messages as they are written; how much JSON makes of a text is only known afterwards. */
  #wrap(bytes: Uint8Array): void {
    const written = encoder.encode(this.#framing.wrap(textOf(bytes)));
    if (written.length <= this.#maxBytes) return this.#inner.send(written, false);
    for (const part of chunksOf(bytes, Math.ceil(bytes.length / 2), false)) this.#wrap(part);
  }

  #say(text: string): void {
    this.#inner.send(encoder.encode(text), false);
  }

  #read(bytes: Uint8Array): void {
    if (this.#end === undefined) this.#heard(this.#framing.read(textOf(bytes)));
  }

  #heard(said: Said): void {
    switch (said.type) {
      case 'messages':
        for (const message of said.messages) this.#handlers.onMessage(encoder.encode(message), false);
        return;
      case 'open':
        return this.#framingHandlers.onGreeted?.();
      case 'heartbeat':
        return;
      case 'close':
        this.#end = { code: said.code, reason: said.reason };
        return this.#inner.close(NORMAL, '');
      case 'broken':
        this.#end = { code: INVALID_PAYLOAD, reason: 'broken SockJS framing', fault: 'broken-framing' };
        return this.#inner.close(INVALID_PAYLOAD, 'broken SockJS framing');
    }
  }

  #closed(code: number, reason: string, fault: string | undefined): void {
    const end = this.#end ?? { code, reason, fault };
    this.#handlers.onClose(end.code, end.reason, end.fault);
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
