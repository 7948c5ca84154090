/**
 * WebSocket for load generators: frames of one piece, written and found by hand, since a generator that costs more than a proxy
 * measures itself (RFC 6455 section 5.2). Nothing here checks what a server must check.
 */
import { createHash } from 'node:crypto';

export const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;

const FIN = 0x80;
const MASKED = 0x80;
const SIXTEEN_BITS = 126;
const SIXTY_FOUR_BITS = 127;
const MASK_BYTES = 4;

/**
 * A whole frame of a server, or with `masked` of a client. The mask is four zeros: it is a right one, whoever reads it has the
 * same work with it, and whoever writes it has none.
 */
export function frame(opcode: number, payload: Uint8Array, masked: boolean): Buffer {
  const at = headerBytes(payload.length, masked);
  const whole = Buffer.alloc(at + payload.length);
  whole[0] = FIN | opcode;
  const mask = masked ? MASKED : 0;
  if (payload.length < SIXTEEN_BITS) whole[1] = mask | payload.length;
  else if (payload.length < 65_536) {
    whole[1] = mask | SIXTEEN_BITS;
    whole.writeUInt16BE(payload.length, 2);
  } else {
    whole[1] = mask | SIXTY_FOUR_BITS;
    whole.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  whole.set(payload, at);
  return whole;
}

/** Where the payload of so many octets begins. */
export function headerBytes(length: number, masked: boolean): number {
  const size = length < SIXTEEN_BITS ? 2 : length < 65_536 ? 4 : 10;
  return size + (masked ? MASK_BYTES : 0);
}

/** The payload is unmasked; the octets are only good until the call returns. */
export type OnFrame = (opcode: number, bytes: Buffer, from: number, to: number) => void;

const NONE = Buffer.alloc(0);

/** Finds frames in what is read of one connection, wherever the reads cut them. */
export class Splitter {
  readonly #onFrame: OnFrame;
  #rest: Buffer = NONE;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** @param chunk may be used again by the caller */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let next = this.#read(bytes, at); next > at; next = this.#read(bytes, at)) at = next;
    this.#rest = at === bytes.length ? NONE : Buffer.from(bytes.subarray(at));
  }

  /** Where the frame at `at` ends; `at` itself when it is not whole. */
  #read(bytes: Buffer, at: number): number {
    if (bytes.length - at < 2) return at;
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    const isMasked = (second & MASKED) !== 0;
    const length = lengthAt(bytes, at, second & ~MASKED);
    const from = at + (length < 0 ? Number.POSITIVE_INFINITY : headerBytes(length, isMasked));
    const to = from + length;
    if (to > bytes.length || length < 0) return at;
    if (isMasked) unmask(bytes, from, to);
    this.#onFrame(first & 0x0f, bytes, from, to);
    return to;
  }
}

/** -1 when it is not there yet. */
function lengthAt(bytes: Buffer, at: number, short: number): number {
  if (short < SIXTEEN_BITS) return short;
  if (short === SIXTEEN_BITS) return bytes.length - at < 4 ? -1 : bytes.readUInt16BE(at + 2);
  return bytes.length - at < 10 ? -1 : Number(bytes.readBigUInt64BE(at + 2));
}

function unmask(bytes: Buffer, from: number, to: number): void {
  if (bytes.readUInt32BE(from - MASK_BYTES) === 0) return;
  for (let i = from; i < to; i++) {
    bytes[i] = (bytes[i] ?? 0) ^ (bytes[from - MASK_BYTES + ((i - from) & 3)] ?? 0);
  }
}

/** Any 16 octets in base64 are a key; its answer is the same each time. */
const KEY = 'aG9sZGZhc3QtYmVuY2gwMQ==';
/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
export const HEAD_END = '\r\n\r\n';

export function upgradeRequest(host: string, path: string, user: string): string {
  const lines = [
    ...[`GET ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: Upgrade', 'Upgrade: websocket'],
    ...['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${KEY}`, 'Sec-WebSocket-Protocol: v12.stomp'],
    `Username: ${user}`,
  ];
  return lines.join('\r\n') + HEAD_END;
}

/** @param head of a request, up to its blank line; rejects what is none by an Error */
export function upgradeAnswer(head: string): string {
  const key = headerOf(head, 'sec-websocket-key');
  if (key === undefined) throw new Error(`no WebSocket is asked for: ${head.split('\r\n', 1)[0]}`);
  const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
  const lines = [
    ...['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'],
    ...[`Sec-WebSocket-Accept: ${accept}`, 'Sec-WebSocket-Protocol: v12.stomp'],
  ];
  return lines.join('\r\n') + HEAD_END;
}

/** @param name in lower case */
export function headerOf(head: string, name: string): string | undefined {
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && line.slice(0, colon).toLowerCase() === name) return line.slice(colon + 1).trim();
  }
  return undefined;
}
