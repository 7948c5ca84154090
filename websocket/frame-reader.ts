/**
 * Octets in, messages out, by RFC 6455: incremental, for any chunking.
 *
 * A message that is whole in its chunk is a view of it, unmasked in place; only what comes in parts is copied. What is wrong is told
 * once, with the close code for it, and nothing is read after that.
 */
import { isUtf8 } from 'node:buffer';
import { CLOSE, CONTROL_MAX_BYTES, isSendable, OPCODE } from './codes.ts';
import { Gather } from './gather.ts';
import { applyMask } from './mask.ts';

export interface ReaderOptions {
  /** Clients mask their frames, servers do not; the other way is an error, §5.1. */
  readonly peer: 'client' | 'server';
  readonly maxMessageBytes: number;
  /** Frames that one message may be split into: each costs time, however empty. */
  readonly maxParts: number;
  /** Text must be UTF-8, §8.1; off for peers whose text is nobody's business. */
  readonly checksText: boolean;
}

/** What a peer broke. */
export interface Fault {
  readonly code: number;
  /** A short name, for metrics. */
  readonly rule: string;
  readonly reason: string;
}

/** A message in one frame that is whole in its chunk: octets [from, to), with the payload from `payloadAt` on. */
export interface WholeFrame {
  readonly octets: Uint8Array;
  readonly from: number;
  readonly payloadAt: number;
  readonly to: number;
  readonly binary: boolean;
  /** The payload has been unmasked with it, and is masked again (`remask`) before the frame goes on as it came; 0: it was not masked. */
  readonly mask: number;
}

/** The frame as it came in. */
export function remask({ octets, payloadAt, to, mask }: WholeFrame): void {
  if (mask !== 0) applyMask(octets, payloadAt, to, mask, octets, payloadAt);
}

export interface ReaderHandlers {
  /**
   * At octet `from` a message may begin: those that are whole before `end`, one behind the other, may be taken as they stand on the wire. Asked behind what had
   * to be read otherwise, for servers only: what a client says is masked, and may have to be text.
   * @returns where the first message begins that is not taken
   */
  onFrames?: ((octets: Uint8Array, from: number, end: number) => number) | undefined;
  /** A message that may be taken as it stands on the wire: `onMessage` does not follow when the answer is true. */
  onFrame?: ((frame: WholeFrame) => boolean) | undefined;
  onMessage(bytes: Uint8Array, binary: boolean): void;
  onPing(bytes: Uint8Array): void;
  onPong(): void;
  /** @param code 1005 when none was said */
  onClose(code: number, reason: string): void;
  onFault(fault: Fault): void;
}

/** Octets before the payload: two, the length's own, the mask. */
interface Head {
  readonly fin: boolean;
  readonly opcode: number;
  readonly length: number;
  readonly mask: number;
  readonly headLength: number;
}

/** First octets of a message in one frame. */
const FIN_TEXT = 0x80 | OPCODE.text;
const FIN_BINARY = 0x80 | OPCODE.binary;
/** Added to the length when a mask follows it. */
const MASKED = 0x80;
/** Lengths that say that the length follows in so many bits. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;
/** Of a frame with a length of at most 16 bits. */
const HEAD_MAX_BYTES = 8;

const decoder = new TextDecoder();

export class FrameReader {
  readonly #options: ReaderOptions;
  readonly #handlers: ReaderHandlers;
  /** A frame that is not whole yet, from its first octet. */
  #partial: Gather | undefined;
  /** How many octets it has in all, as far as that is known. */
  #neededBytes = 2;
  /** A message of several frames. */
  #message: Gather | undefined;
  #messageOpcode: number = OPCODE.continuation;
  #parts = 0;
  #isDone = false;

  constructor(options: ReaderOptions, handlers: ReaderHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  /** A message may begin, or anything else that is not part of one. */
  get isBetween(): boolean {
    return this.#partial === undefined && this.#parts === 0 && !this.#isDone;
  }

  /** Reads no more: a handler may say so in the middle of a chunk. */
  stop(): void {
    this.#isDone = true;
  }

  /** @param chunk is written to, where it is masked, and views of it are given away. Its first frame is not shown to `onFrames` */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.#isDone) {
      at = this.#partial === undefined ? this.#readWhole(chunk, at) : this.#readOn(chunk, at, this.#partial);
      if (at < chunk.length && this.isBetween && this.#options.peer === 'server')
        at = this.#handlers.onFrames?.(chunk, at, chunk.length) ?? at;
    }
  }

  /** A frame at `at`, if it is whole; else what there is of it is kept. @returns where the next one begins */
  #readWhole(chunk: Uint8Array, at: number): number {
    const next = this.#readPlain(chunk, at);
    if (next > at) return next;
    const head = this.#headAt(chunk, at);
    if (this.#isDone) return chunk.length;
    const end = head === undefined ? Number.POSITIVE_INFINITY : at + head.headLength + head.length;
    if (head === undefined || end > chunk.length) {
      this.#partial = new Gather();
      this.#partial.append(chunk.subarray(at));
      return chunk.length;
    }
    const payloadAt = at + head.headLength;
    if (head.mask !== 0) applyMask(chunk, payloadAt, end, head.mask, chunk, payloadAt);
    if (isWholeMessage(head)) this.#wholeFrame(head.opcode === OPCODE.binary, head.mask, chunk, at, payloadAt, end);
    else this.#frame(head, chunk.subarray(payloadAt, end));
    return end;
  }

  /**
   * The short way for what nearly all frames are: a message in one frame of less than 64 KiB that is whole.
   * @returns where the next one begins, or `at` for any other frame
   */
  #readPlain(chunk: Uint8Array, at: number): number {
    const { peer, maxMessageBytes } = this.#options;
    const isMasked = peer === 'client';
    const first = chunk[at] as number;
    const isMessage = first === FIN_TEXT || first === FIN_BINARY;
    const short = (chunk[at + 1] as number) - (isMasked ? MASKED : 0);
    if (!isMessage || !(short >= 0 && short < LENGTH_64) || this.#parts > 0 || at + HEAD_MAX_BYTES > chunk.length)
      return at;
    const isShort = short < LENGTH_16;
    const length = isShort ? short : (chunk[at + 2] as number) * 256 + (chunk[at + 3] as number);
    const payloadAt = at + (isShort ? 2 : 4) + (isMasked ? 4 : 0);
    const end = payloadAt + length;
    if (end > chunk.length || length > maxMessageBytes) return at;
    const mask = isMasked ? wordAt(chunk, payloadAt - 4) : 0;
    if (mask !== 0) applyMask(chunk, payloadAt, end, mask, chunk, payloadAt);
    this.#wholeFrame(first === FIN_BINARY, mask, chunk, at, payloadAt, end);
    return end;
  }

  /** A message in one frame: nothing need be made of it when it goes on as it is. */
  #wholeFrame(binary: boolean, mask: number, octets: Uint8Array, from: number, payloadAt: number, to: number): void {
    if (this.#options.checksText && !binary && !this.#isText(octets.subarray(payloadAt, to))) return;
    if (this.#handlers.onFrame?.({ octets, from, payloadAt, to, binary, mask }) === true) return;
    this.#handlers.onMessage(octets.subarray(payloadAt, to), binary);
  }

  /** More of the frame that is not whole: as far as its end is known. */
  #readOn(chunk: Uint8Array, at: number, partial: Gather): number {
    const end = Math.min(chunk.length, at + this.#neededBytes - partial.length);
    partial.append(chunk.subarray(at, end));
    if (partial.length < this.#neededBytes) return end;
    const octets = partial.view;
    const head = this.#headAt(octets, 0);
    if (this.#isDone || head === undefined || octets.length < head.headLength + head.length) return end;
    this.#partial = undefined;
    this.#neededBytes = 2;
    const payload = octets.subarray(head.headLength);
    if (head.mask !== 0) applyMask(payload, 0, payload.length, head.mask, payload, 0);
    this.#frame(head, payload);
    return end;
  }

  /** undefined when it is not whole yet; `#neededBytes` says when to look again. */
  #headAt(octets: Uint8Array, at: number): Head | undefined {
    const there = octets.length - at;
    if (there < 2) return this.#needs(2);
    const first = octets[at] as number;
    const second = octets[at + 1] as number;
    if (this.#isBrokenStart(first, second)) return undefined;
    const short = second & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const isMasked = second > 0x7f;
    const headLength = 2 + lengthBytes + (isMasked ? 4 : 0);
    // The length is looked at before the mask is there: what is too long is refused as soon as that is known.
    if (there < 2 + lengthBytes) return this.#needs(2 + lengthBytes);
    const length = lengthBytes === 0 ? short : lengthAt(octets, at + 2, lengthBytes);
    if (lengthBytes === 8 && (octets[at + 2] as number) > 0x7f) {
      this.#broken('length', 'a length of 2^63 or more');
      return undefined;
    }
    if (this.#isTooLong(first & 0x0f, length)) return undefined;
    if (there < headLength) return this.#needs(headLength);
    const mask = isMasked ? wordAt(octets, at + headLength - 4) : 0;
    this.#neededBytes = headLength + length;
    return { fin: first > 0x7f, opcode: first & 0x0f, length, mask, headLength };
  }

  #needs(bytes: number): undefined {
    this.#neededBytes = bytes;
    return undefined;
  }

  #isBrokenStart(first: number, second: number): boolean {
    const opcode = first & 0x0f;
    const isControl = opcode >= OPCODE.close;
    const isMessage = opcode === OPCODE.text || opcode === OPCODE.binary;
    if ((first & 0x70) !== 0) return this.#broken('reserved-bits', 'reserved bits without an extension');
    if (!isMessage && opcode !== OPCODE.continuation && (opcode < OPCODE.close || opcode > OPCODE.pong))
      return this.#broken('opcode', `opcode ${opcode} is not known`);
    if (second > 0x7f !== (this.#options.peer === 'client'))
      return this.#broken(
        'mask',
        this.#options.peer === 'client' ? 'a client must mask its frames' : 'a server must not mask its frames',
      );
    if (isControl && first <= 0x7f) return this.#broken('control-in-parts', 'a control frame in parts');
    if (isControl && (second & 0x7f) > CONTROL_MAX_BYTES)
      return this.#broken('control-length', 'a control frame of more than 125 bytes');
    if (isMessage && this.#parts > 0) return this.#broken('message-in-message', 'a message began inside another');
    if (opcode === OPCODE.continuation && this.#parts === 0)
      return this.#broken('continuation', 'a continuation of nothing');
    return false;
  }

  #isTooLong(opcode: number, length: number): boolean {
    if (opcode >= OPCODE.close) return false;
    const { maxMessageBytes } = this.#options;
    if (length + (this.#message?.length ?? 0) > maxMessageBytes)
      return this.#fault(CLOSE.tooBig, 'message-too-big', `a message of more than ${maxMessageBytes} bytes`);
    return false;
  }

  #frame(head: Head, payload: Uint8Array): void {
    if (head.opcode >= OPCODE.close) return this.#control(head.opcode, payload);
    if (isWholeMessage(head)) return this.#whole(payload, head.opcode);
    if (head.opcode !== OPCODE.continuation) this.#messageOpcode = head.opcode;
    this.#parts++;
    if (this.#parts > this.#options.maxParts) {
      this.#fault(CLOSE.tooBig, 'too-many-parts', `a message in more than ${this.#options.maxParts} parts`);
      return;
    }
    this.#message ??= new Gather();
    this.#message.append(payload);
    if (!head.fin) return;
    const { view } = this.#message;
    this.#message = undefined;
    this.#parts = 0;
    this.#whole(view, this.#messageOpcode);
  }

  #whole(bytes: Uint8Array, opcode: number): void {
    const isBinary = opcode === OPCODE.binary;
    if (this.#options.checksText && !isBinary && !this.#isText(bytes)) return;
    this.#handlers.onMessage(bytes, isBinary);
  }

  #isText(bytes: Uint8Array): boolean {
    return isUtf8(bytes) || !this.#fault(CLOSE.invalidPayload, 'text', 'text that is not UTF-8');
  }

  #control(opcode: number, payload: Uint8Array): void {
    if (opcode === OPCODE.ping) return this.#handlers.onPing(payload);
    if (opcode === OPCODE.pong) return this.#handlers.onPong();
    this.#close(payload);
  }

  #close(payload: Uint8Array): void {
    if (payload.length === 0) return this.#closed(CLOSE.none, '');
    const code = payload.length === 1 ? 0 : lengthAt(payload, 0, 2);
    if (!isSendable(code)) {
      this.#broken('close-code', payload.length === 1 ? 'half a close code' : `${code} may not stand in a close frame`);
      return;
    }
    const reason = payload.subarray(2);
    if (!isUtf8(reason)) {
      this.#fault(CLOSE.invalidPayload, 'close-reason', 'a close reason that is not UTF-8');
      return;
    }
    this.#closed(code, decoder.decode(reason));
  }

  /** Whatever comes after a close frame is not for us, §5.5.1. */
  #closed(code: number, reason: string): void {
    this.#isDone = true;
    this.#handlers.onClose(code, reason);
  }

  #broken(rule: string, reason: string): true {
    return this.#fault(CLOSE.protocolError, rule, reason);
  }

  #fault(code: number, rule: string, reason: string): true {
    this.#isDone = true;
    this.#partial = undefined;
    this.#message = undefined;
    this.#handlers.onFault({ code, rule, reason });
    return true;
  }
}

function isWholeMessage({ fin, opcode }: Head): boolean {
  return fin && (opcode === OPCODE.text || opcode === OPCODE.binary);
}

/** Big-endian; above 2^53 only its size counts. */
function lengthAt(octets: Uint8Array, at: number, bytes: number): number {
  let length = 0;
  for (let i = at; i < at + bytes; i++) length = length * 256 + (octets[i] as number);
  return length;
}

function wordAt(octets: Uint8Array, at: number): number {
  return (
    (((octets[at] as number) << 24) |
      ((octets[at + 1] as number) << 16) |
      ((octets[at + 2] as number) << 8) |
      (octets[at + 3] as number)) >>>
    0
  );
}
