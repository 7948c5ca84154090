/**
 * Octets in, frames out: incremental, for any chunking.
 *
 *     between ──first octet──▶ command ──LF──▶ headers ──blank line──▶ counted | until-nul ──NUL──▶ between
 *
 * Each octet is looked at once to find the end of its line, once more when the line is whole, and copied only if its frame
 * ends in a later chunk. What is decided depends on the octets alone, never on where chunks begin.
 *
 * The decoder must agree with every backend about where a frame ends, or a client could hide a frame from the rules of the
 * proxy. So frames of clients are read strictly wherever real peers read differently (STOMP-over-WebSocket servers differ
 * on content-length outside SEND, on repeated content-length, on NUL and CR inside header lines).
 */
import { CR, EMPTY, LF, NUL, same, text, utf8 } from './bytes.ts';
import { commandAt, MAX_COMMAND_LINE, mayHaveBody, type Peer } from './commands.ts';
import { frameFault, StompError, unknownCommand } from './errors.ts';
import { Frame } from './frame.ts';
import { Gather } from './gather.ts';
import { checkedColon, contentLengthIn } from './header-rules.ts';
import { withoutCarriageReturn } from './headers.ts';
import { checkedLimits, type DecoderLimits } from './limits.ts';
import type { Version } from './versions.ts';

export interface DecoderOptions {
  /** Who speaks the octets; decides which commands are known. */
  readonly peer: Peer;
  /** The rules for frames that begin from now on; '1.2' until negotiated, since it reads any CONNECT. */
  readonly version?: Version | undefined;
  readonly limits?: Partial<DecoderLimits> | undefined;
  /**
   * Refuse what the specification forbids but framing survives (undefined escapes, bodies where none may be, empty header
   * names, a second content-length that differs). Default: true for clients, false for servers, whose oddities a proxy passes on.
   */
  readonly strict?: boolean | undefined;
}

type Phase = 'between' | 'command' | 'headers' | 'counted' | 'until-nul';

const CONTENT_LENGTH = utf8('content-length');
const NONE = -1;

export class Decoder {
  /** May be set after negotiation; holds for frames that begin after that. */
  version: Version;
  readonly #peer: Peer;
  readonly #strict: boolean;
  readonly limits: Readonly<DecoderLimits>;
  #error: StompError | undefined;

  #phase: Phase = 'between';
  #beatTold = false;
  /** The frame being read is #source[#origin … #origin + #length): the chunk itself, or what was gathered before it. */
  #source: Uint8Array = EMPTY;
  #origin = 0;
  #length = 0;
  #gather: Gather | undefined;

  #frameVersion: Version = '1.2';
  #command = '';
  /** Offsets in the frame. */
  #lineAt = 0;
  #headersAt = 0;
  #bodyAt = 0;
  #headerCount = 0;
  #contentLength = NONE;

  /** @throws RangeError for a limit that is not a positive integer (or Infinity). */
  constructor(options: DecoderOptions) {
    this.version = options.version ?? '1.2';
    this.#peer = options.peer;
    this.#strict = options.strict ?? options.peer === 'client';
    this.limits = checkedLimits(options.limits);
  }

  /** What ended the stream; nothing is read after it. */
  get error(): StompError | undefined {
    return this.#error;
  }

  /** Octets kept for a frame that is not whole yet; at most `maxFrameBytes`. */
  get bufferedBytes(): number {
    return this.#gather?.length ?? 0;
  }

  /** Nothing is wrong, and no frame has begun: the next octets are a frame's first ones, or line ends. */
  get isBetween(): boolean {
    return this.#phase === 'between' && this.#error === undefined;
  }

  /**
   * The frames that `chunk` completes, in order, with one 'beat' where the first line ends between frames stand.
   * Frames that lie whole in the chunk are views of it: its memory must not be used again by the caller.
   */
  push(chunk: Uint8Array): (Frame | 'beat')[] {
    const found: (Frame | 'beat')[] = [];
    if (this.#error !== undefined) return found;
    try {
      this.#read(chunk, found);
    } catch (error) {
      if (!(error instanceof StompError)) throw error;
      this.#error = error;
      this.#gather = undefined;
      this.#source = EMPTY;
    }
    return found;
  }

  #read(chunk: Uint8Array, found: (Frame | 'beat')[]): void {
    this.#beatTold = false;
    for (let at = 0; at < chunk.length; ) at = this.#step(chunk, at, found);
    if (this.#phase !== 'between' && this.#gather === undefined) this.#keep(chunk);
  }

  /** Reads on by one line, one body or the room between two frames, and says where to go on. */
  #step(chunk: Uint8Array, at: number, found: (Frame | 'beat')[]): number {
    if (this.#phase === 'between') return this.#readBetween(chunk, at, found);
    if (this.#phase === 'command') return this.#readCommand(chunk, at);
    if (this.#phase === 'headers') return this.#readHeaderLine(chunk, at);
    return this.#phase === 'counted' ? this.#readCounted(chunk, at, found) : this.#readUntilNul(chunk, at, found);
  }

  #readBetween(chunk: Uint8Array, at: number, found: (Frame | 'beat')[]): number {
    const start = skipLineEnds(chunk, at);
    if (start > at && !this.#beatTold) {
      this.#beatTold = true;
      found.push('beat');
    }
    if (start < chunk.length) this.#begin(chunk, start);
    return start;
  }

  #begin(chunk: Uint8Array, start: number): void {
    this.#phase = 'command';
    this.#source = chunk;
    this.#origin = start;
    this.#length = 0;
    this.#frameVersion = this.version;
    this.#headerCount = 0;
    this.#contentLength = NONE;
  }

  #end(found: (Frame | 'beat')[]): void {
    const bytes = this.#source.subarray(this.#origin, this.#origin + this.#length);
    const layout = { headersAt: this.#headersAt, bodyAt: this.#bodyAt };
    found.push(new Frame(this.#command, bytes, this.#frameVersion, layout));
    this.#gather = undefined;
    this.#source = EMPTY; // or an idle connection would keep the memory of its last chunk
    this.#phase = 'between';
  }

  /** The chunk ends inside a frame that began in it. */
  #keep(chunk: Uint8Array): void {
    this.#gather = new Gather();
    this.#gather.append(chunk, this.#origin, chunk.length);
    this.#source = this.#gather.buffer;
    this.#origin = 0;
  }

  #take(chunk: Uint8Array, from: number, to: number): void {
    this.#length += to - from;
    if (this.#gather === undefined) return;
    this.#gather.append(chunk, from, to);
    this.#source = this.#gather.buffer;
  }

  #readCommand(chunk: Uint8Array, at: number): number {
    const end = lineEnd(chunk, at);
    const lineLength = this.#length + end - at;
    if (lineLength > MAX_COMMAND_LINE || chunk[end] === NUL) throw unknownCommand(this.#peer);
    const next = Math.min(end + 1, chunk.length);
    this.#take(chunk, at, next);
    if (end === chunk.length) return next;
    const to = withoutCarriageReturn(this.#source, this.#origin, this.#origin + lineLength, this.#frameVersion);
    const command = commandAt(this.#peer, this.#source, this.#origin, to);
    if (command === undefined) throw unknownCommand(this.#peer, text(this.#source, this.#origin, to));
    this.#command = command;
    this.#headersAt = this.#length;
    this.#lineAt = this.#length;
    this.#phase = 'headers';
    return next;
  }

  #readHeaderLine(chunk: Uint8Array, at: number): number {
    const end = lineEnd(chunk, at);
    const next = Math.min(end + 1, chunk.length);
    const endOffset = this.#length + end - at;
    const limit = Math.min(this.#headersAt + this.limits.maxHeaderBytes, this.limits.maxFrameBytes);
    if (end === chunk.length) {
      // One octet over the headers' limit may still be the CR of the blank line.
      const room = limit === this.limits.maxFrameBytes ? 0 : 1;
      if (endOffset > limit + room) throw this.#headersTooLarge();
      this.#take(chunk, at, next);
      return next;
    }
    if (chunk[end] === NUL) {
      if (endOffset >= limit) throw this.#headersTooLarge();
      throw frameFault('bad-header', this.#command, 'has a NUL before the blank line that ends its headers');
    }
    this.#take(chunk, at, next);
    const from = this.#origin + this.#lineAt;
    const to = withoutCarriageReturn(this.#source, from, this.#origin + endOffset, this.#frameVersion);
    if (to === from) this.#beginBody();
    else if (this.#length > limit) throw this.#headersTooLarge();
    else this.#readHeader(from, to);
    this.#lineAt = this.#length;
    return next;
  }

  #readHeader(from: number, to: number): void {
    if (++this.#headerCount > this.limits.maxHeaders) {
      throw frameFault('too-many-headers', this.#command, `has more than ${this.limits.maxHeaders} headers`);
    }
    const rules = this.#strict ? this.#frameVersion : 'lenient';
    const colon = checkedColon(this.#source, from, to, this.#command, this.#headerCount, rules);
    if (!same(this.#source, from, colon, CONTENT_LENGTH)) return;
    const length = contentLengthIn(text(this.#source, colon + 1, to), this.#command, rules);
    if (this.#contentLength === NONE) this.#contentLength = length;
    else if (this.#strict && length !== this.#contentLength) {
      throw frameFault('bad-content-length', this.#command, 'has two content-length headers that differ');
    }
  }

  #beginBody(): void {
    this.#bodyAt = this.#length;
    // Size before meaning: a blank line that is cut before its LF may be found too large already.
    if (this.#bodyAt > this.limits.maxFrameBytes) throw this.#frameTooLarge();
    if (this.#strict && !mayHaveBody(this.#command)) {
      if (this.#contentLength > 0) throw this.#unexpectedBody();
      this.#contentLength = 0;
    }
    const least = this.#bodyAt + Math.max(this.#contentLength, 0) + 1;
    if (least > this.limits.maxFrameBytes) throw this.#frameTooLarge();
    this.#phase = this.#contentLength === NONE ? 'until-nul' : 'counted';
  }

  #readCounted(chunk: Uint8Array, at: number, found: (Frame | 'beat')[]): number {
    const missing = this.#bodyAt + this.#contentLength - this.#length;
    const bodyEnd = at + Math.min(missing, chunk.length - at);
    if (bodyEnd === chunk.length) {
      this.#take(chunk, at, bodyEnd);
      return bodyEnd;
    }
    if (chunk[bodyEnd] !== NUL) throw this.#noNulAfterBody();
    this.#take(chunk, at, bodyEnd + 1);
    this.#end(found);
    return bodyEnd + 1;
  }

  #readUntilNul(chunk: Uint8Array, at: number, found: (Frame | 'beat')[]): number {
    const nul = chunk.indexOf(NUL, at);
    const next = nul < 0 ? chunk.length : nul + 1;
    if (this.#length + next - at > this.limits.maxFrameBytes) throw this.#frameTooLarge();
    this.#take(chunk, at, next);
    if (nul >= 0) this.#end(found);
    return next;
  }

  #headersTooLarge(): StompError {
    const { maxFrameBytes, maxHeaderBytes } = this.limits;
    if (maxFrameBytes <= this.#headersAt + maxHeaderBytes) return this.#frameTooLarge();
    return frameFault('header-too-large', this.#command, `has more than ${maxHeaderBytes} octets of headers`);
  }

  #frameTooLarge(): StompError {
    return frameFault('frame-too-large', this.#command, `is larger than ${this.limits.maxFrameBytes} octets`);
  }

  #noNulAfterBody(): StompError {
    if (this.#strict && !mayHaveBody(this.#command)) return this.#unexpectedBody();
    return frameFault(
      'missing-nul',
      this.#command,
      `has no NUL after the ${this.#contentLength} octets of its content-length`,
    );
  }

  #unexpectedBody(): StompError {
    return frameFault('unexpected-body', this.#command, 'has a body; only SEND, MESSAGE and ERROR may have one');
  }
}

/** Line ends between frames are heart-beats or padding; CR is taken in any version, as no frame can begin with it. */
function skipLineEnds(chunk: Uint8Array, at: number): number {
  let i = at;
  while (i < chunk.length && (chunk[i] === LF || chunk[i] === CR)) i++;
  return i;
}

/** Where the first LF or NUL stands, or the chunk's length. */
function lineEnd(chunk: Uint8Array, at: number): number {
  let i = at;
  while (i < chunk.length && chunk[i] !== LF && chunk[i] !== NUL) i++;
  return i;
}
