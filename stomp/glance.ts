/**
 * Is this exactly one frame of a kind of which nothing has to be known but the values of a few headers? One look at its octets, without a
 * decoder's state and without making anything: what a proxy costs for a frame that it only passes on.
 *
 * A yes is the decoder's own answer: where a glance says `isPlain`, a decoder that is between two frames makes of the octets one frame, all of
 * them but for line ends behind it, and none of the watched lines stands in it. A no says nothing: whatever is rare is left to the decoder.
 */
import { BACKSLASH, COLON, CR, LF, NUL, text, utf8 } from './bytes.ts';
import { isBlank } from './headers.ts';
import { checkedLimits, type DecoderLimits } from './limits.ts';

export interface GlanceOptions {
  /** Of a kind that may have a body. */
  readonly command: 'SEND' | 'MESSAGE';
  /** How header lines begin that make a frame one to be looked at, as they stand on the wire: `receipt:`. */
  readonly watched: readonly string[];
  /** Names of headers that mark a frame: it is plain all the same, and values of it are wanted (`valueOf`). */
  readonly marks?: readonly string[];
  /** Names of more headers whose values are wanted of a marked frame. */
  readonly besides?: readonly string[];
  readonly limits?: Partial<DecoderLimits> | undefined;
}

/** More digits could be more than a number holds exactly, and are more than any frame may have. */
const DIGITS_MAX = 9;
const ZERO = 48;
const NONE = -1;
const ASCII_MAX = 127;
const NOTHING = new Uint8Array();

export class Glance {
  readonly #command: Uint8Array;
  readonly #contentLength = utf8('content-length:');
  readonly #watched: readonly Uint8Array[];
  readonly #marks: readonly Uint8Array[];
  readonly #wanted: readonly Uint8Array[];
  #isMarked = false;
  /** What was looked at last, when it was marked, and where in it the wanted values begin and end; from 0 to 0: there is none. */
  #octets: Uint8Array = NOTHING;
  readonly #values: Int32Array;
  /** By the first octet of a line: nearly all others need no second look. */
  readonly #begins = new Uint8Array(256);
  readonly #limits: DecoderLimits;

  constructor({ command, watched, marks = [], besides = [], limits }: GlanceOptions) {
    this.#command = utf8(`${command}\n`);
    this.#watched = watched.map(utf8);
    const lineOf = (name: string) => utf8(`${name}:`);
    this.#marks = marks.map(lineOf);
    this.#wanted = [...marks, ...besides].map(lineOf);
    this.#values = new Int32Array(2 * this.#wanted.length);
    this.#limits = checkedLimits(limits);
    for (const [first = NUL] of [...this.#watched, ...this.#marks, this.#contentLength]) this.#begins[first] = 1;
  }

  /** Looks at [from, to) of `octets`. */
  isPlain(octets: Uint8Array, from: number, to: number): boolean {
    const { maxFrameBytes, maxHeaderBytes, maxHeaders } = this.#limits;
    if (to - from > maxFrameBytes || !beginsWith(octets, from, to, this.#command)) return false;
    this.#isMarked = false;
    const headersAt = from + this.#command.length;
    let contentLength = NONE;
    let headers = 0;
    let at = headersAt;
    while (at < to && octets[at] !== LF) {
      if (this.#begins[octets[at] as number] === 1) {
        if (isOneOf(this.#watched, octets, at, to)) return false;
        this.#isMarked ||= isOneOf(this.#marks, octets, at, to);
        if (beginsWith(octets, at, to, this.#contentLength)) {
          if (contentLength !== NONE) return false;
          contentLength = digitsAt(octets, at + this.#contentLength.length, to);
          if (contentLength === NONE) return false;
        }
      }
      at = afterHeader(octets, at, to);
      if (at < 0 || ++headers > maxHeaders) return false;
    }
    if (at - headersAt > maxHeaderBytes || !endsOnce(octets, at + 1, to, contentLength)) return false;
    return !this.#isMarked || this.#note(octets, headersAt, at);
  }

  /** Of what was plain at the last look: one of the marks stands in it. */
  get isMarked(): boolean {
    return this.#isMarked;
  }

  /**
   * Of what was plain and marked at the last look: the value of the first header of that name, undefined when there is none.
   * @param index of the name among marks and besides
   * @param read makes text of octets, which are ASCII
   */
  valueOf(index: number, read = text): string | undefined {
    const to = this.#values[2 * index + 1] as number;
    return to === 0 ? undefined : read(this.#octets, this.#values[2 * index] as number, to);
  }

  /** Notes where the wanted values are. @returns false when one of them is not the same in every version, or no ASCII */
  #note(octets: Uint8Array, headersAt: number, to: number): boolean {
    this.#octets = octets;
    this.#values.fill(0);
    for (let at = headersAt; at < to; ) {
      const next = afterHeader(octets, at, to);
      for (let i = 0; i < this.#wanted.length; i++) {
        const name = this.#wanted[i] as Uint8Array;
        if (this.#values[2 * i + 1] !== 0 || !beginsWith(octets, at, to, name)) continue;
        const valueAt = at + name.length;
        if (!isPlainText(octets, valueAt, next - 1)) return false;
        this.#values[2 * i] = valueAt;
        this.#values[2 * i + 1] = next - 1;
      }
      at = next;
    }
    return true;
  }
}

function isOneOf(beginnings: readonly Uint8Array[], octets: Uint8Array, at: number, to: number): boolean {
  for (const beginning of beginnings) if (beginsWith(octets, at, to, beginning)) return true;
  return false;
}

/** ASCII without blanks at its ends, which STOMP 1.0 takes off. */
function isPlainText(octets: Uint8Array, from: number, to: number): boolean {
  if (from < to && (isBlank(octets[from]) || isBlank(octets[to - 1]))) return false;
  for (let i = from; i < to; i++) if ((octets[i] as number) > ASCII_MAX) return false;
  return true;
}

function beginsWith(octets: Uint8Array, from: number, to: number, beginning: Uint8Array): boolean {
  if (to - from < beginning.length) return false;
  for (let i = 0; i < beginning.length; i++) if (octets[from + i] !== beginning[i]) return false;
  return true;
}

/** Octets at which a name or a value ends, or which do not mean the same in every version: 1. */
const ENDS_NAME = tableOf(COLON, LF, CR, NUL, BACKSLASH);
const ENDS_VALUE = tableOf(LF, CR, NUL, BACKSLASH);

function tableOf(...octets: number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const octet of octets) table[octet] = 1;
  return table;
}

/** Where the next line begins; -1 when this one is no header, or not the same header in every version: escapes, CR, blanks round its name. */
function afterHeader(octets: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && ENDS_NAME[octets[at] as number] === 0) at++;
  if (octets[at] !== COLON || at === from || isBlank(octets[from]) || isBlank(octets[at - 1])) return NONE;
  while (at < to && ENDS_VALUE[octets[at] as number] === 0) at++;
  return at < to && octets[at] === LF ? at + 1 : NONE;
}

/** The number that a line ends with; -1 when it is something else, or a large one. */
function digitsAt(octets: Uint8Array, from: number, to: number): number {
  let number = 0;
  for (let i = from; i < to && i <= from + DIGITS_MAX; i++) {
    const octet = octets[i] as number;
    if (octet === LF) return i === from ? NONE : number;
    if (octet < ZERO || octet > ZERO + 9) return NONE;
    number = number * 10 + octet - ZERO;
  }
  return NONE;
}

/** Does the body end with the only NUL that can end it, and is there nothing but line ends behind? */
function endsOnce(octets: Uint8Array, bodyAt: number, to: number, contentLength: number): boolean {
  const nul = contentLength === NONE ? octets.indexOf(NUL, bodyAt) : bodyAt + contentLength;
  if (nul < bodyAt || nul >= to || octets[nul] !== NUL) return false;
  for (let i = nul + 1; i < to; i++) if (octets[i] !== LF && octets[i] !== CR) return false;
  return true;
}
