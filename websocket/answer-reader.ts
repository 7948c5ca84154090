/**
 * The answer to an upgrade request, from octets: the head of an HTTP/1.1 response (RFC 9112 §2 to §5), incremental, for any chunking.
 *
 * Lines end in CRLF and nothing else; a field name is a token with its colon behind it; a line that is folded is one line (§5.2).
 * Interim answers (100, 103) are passed over, 101 is the one that is waited for. Whatever has a body, what is asked of it is its status.
 */
import { Gather } from './gather.ts';

/** Of all heads up to the last one: what Node takes, too. Fields of pods and of what stands before them fit in a quarter of it. */
export const ANSWER_MAX_BYTES = 16 * 1024;

export interface Answer {
  readonly status: number;
  /** By name in lower case; of repeated ones the values, with commas between. */
  readonly fields: ReadonlyMap<string, string>;
  /** What came behind the head. */
  readonly rest: Uint8Array;
}

const NO_HTTP = 'The answer is not HTTP/1.1';
const TOO_LONG = `The head of the answer has more than ${ANSWER_MAX_BYTES} bytes`;
const VERSION = 'HTTP/1.';
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9][0-9]{2})(?: .*)?$/;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const END = '\r\n\r\n';
const SWITCHING_PROTOCOLS = 101;
const FIRST_FINAL = 200;
const TAB = 9;
const LF = 10;
const CR = 13;
const BLANK = 32;
const DELETE = 127;

export class AnswerReader {
  /** All that came, while it is not whole. */
  readonly #gather = new Gather();
  /** Where the head at hand begins: behind the interim ones. */
  #from = 0;

  /**
   * @returns the answer; what is wrong with it, in words; or undefined while more has to come
   * Nothing may be pushed after one of the first two.
   */
  push(chunk: Uint8Array): Answer | string | undefined {
    const before = this.#gather.length;
    this.#gather.append(chunk.subarray(0, ANSWER_MAX_BYTES - before));
    const octets = this.#gather.view;
    for (let searchAt = Math.max(this.#from, before - END.length + 1); ; searchAt = this.#from) {
      if (!VERSION.startsWith(latin1(octets.subarray(this.#from, this.#from + VERSION.length)))) return NO_HTTP;
      const end = indexOfEnd(octets, searchAt);
      if (end < 0) return octets.length < ANSWER_MAX_BYTES ? undefined : TOO_LONG;
      const head = headOf(octets.subarray(this.#from, end));
      this.#from = end + END.length;
      if (typeof head === 'string') return head;
      if (isLast(head.status)) return { ...head, rest: chunk.subarray(this.#from - before) };
    }
  }
}

function isLast(status: number): boolean {
  return status === SWITCHING_PROTOCOLS || status >= FIRST_FINAL;
}

/** @param octets without the blank line at the end */
function headOf(octets: Uint8Array): Omit<Answer, 'rest'> | string {
  if (!octets.every(isText)) return 'The head of the answer holds a control character';
  const [first = '', ...lines] = latin1(octets)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const status = STATUS_LINE.exec(first)?.[1];
  if (status === undefined) return NO_HTTP;
  const fields = new Map<string, string>();
  for (const line of lines) if (!note(fields, line)) return 'The head of the answer has a line that is no field';
  return { status: Number(status), fields };
}

/** Text of HTTP, or a line end; a CR or LF alone is found by what it makes of its line. */
function isText(octet: number): boolean {
  return (octet >= BLANK && octet !== DELETE) || octet === TAB || octet === CR || octet === LF;
}

function note(fields: Map<string, string>, line: string): boolean {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
  if (!TOKEN.test(name) || /[\r\n]/.test(line)) return false;
  const before = fields.get(name);
  const value = line.slice(colon + 1).trim();
  fields.set(name, before === undefined ? value : `${before}, ${value}`);
  return true;
}

function indexOfEnd(octets: Uint8Array, from: number): number {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).indexOf(END, from, 'latin1');
}

/** One character for each octet. */
function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
}
