import { LF, text } from './bytes.ts';
import { isEscaped } from './commands.ts';
import { type HeaderSpans, headerSpans, isBlank, unescapeText } from './headers.ts';
import type { Version } from './versions.ts';

/** Where the parts of a frame begin, counted from its first octet. */
export interface FrameLayout {
  readonly headersAt: number;
  readonly bodyAt: number;
}

const LINE_END = 1;

/** Names that stand on the wire just as they are, in any version: ASCII without anything that is escaped. */
const PLAIN_NAME = /^[ -9;-[\]-~]*$/;

/**
 * One STOMP frame as it came in. Headers are looked at only when asked for; nothing is ever encoded again.
 *
 * `bytes` may be a view of the chunk that was pushed into the decoder: copy it (`new Uint8Array(bytes)`) before keeping a small
 * frame of a large chunk for long.
 */
export class Frame {
  readonly command: string;
  /** The whole raw frame from the first octet of the command to the NUL. */
  readonly bytes: Uint8Array;
  /** The rules by which the headers are read. */
  readonly version: Version;
  readonly #headersAt: number;
  readonly #bodyAt: number;
  #spans: HeaderSpans | undefined;

  /** Made by the decoder, which has checked `bytes`; others use `encode` with `frameOf`. */
  constructor(command: string, bytes: Uint8Array, version: Version, { headersAt, bodyAt }: FrameLayout) {
    this.command = command;
    this.bytes = bytes;
    this.version = version;
    this.#headersAt = headersAt;
    this.#bodyAt = bodyAt;
  }

  /** A view into `bytes`. */
  get body(): Uint8Array {
    return this.bytes.subarray(this.#bodyAt, this.bytes.length - 1);
  }

  /** In octets. */
  get bodyLength(): number {
    return this.bytes.length - 1 - this.#bodyAt;
  }

  /** The value of the first header of that name ("Repeated Header Entries": the first wins), unescaped. */
  header(name: string): string | undefined {
    const plain = PLAIN_NAME.test(name);
    const spans = this.#headerSpans();
    for (let i = 0; i < spans.length; i += 3) {
      if (plain ? this.#isSpelled(spans, i, name) : this.#name(spans, i) === name) return this.#value(spans, i);
    }
    return undefined;
  }

  /** All headers in order, repeated ones too, unescaped. */
  headers(): Iterable<readonly [name: string, value: string]> {
    return this.#each((spans, i) => [this.#name(spans, i), this.#value(spans, i)] as const);
  }

  /** The names of all headers in order, repeated ones too, unescaped. */
  headerNames(): Iterable<string> {
    return this.#each((spans, i) => this.#name(spans, i));
  }

  /** The raw header lines in order, without their line ends. */
  headerLines(): Iterable<Uint8Array> {
    return this.#each((spans, i) => this.bytes.subarray(spans[i], spans[i + 2]));
  }

  /**
   * What stands behind the command, with other octets before it: header lines and their LF, the blank line, the body and the NUL.
   * @param keeps of which headers the lines stay, by their names, unescaped; default: of all
   */
  behind(head: Uint8Array, keeps?: (name: string) => boolean): Uint8Array {
    const spans = this.#headerSpans();
    const kept: number[] = [];
    let length = head.length + LINE_END + this.bytes.length - this.#bodyAt;
    for (let i = 0; i < spans.length; i += 3) {
      if (keeps !== undefined && !keeps(this.#name(spans, i))) continue;
      kept.push(i);
      length += (spans[i + 2] as number) - (spans[i] as number) + LINE_END;
    }
    const whole = new Uint8Array(length);
    whole.set(head);
    let at = head.length;
    for (const i of kept) {
      for (let from = spans[i] as number; from < (spans[i + 2] as number); from++)
        whole[at++] = this.bytes[from] as number;
      whole[at++] = LF;
    }
    whole[at++] = LF;
    whole.set(this.bytes.subarray(this.#bodyAt), at);
    return whole;
  }

  #headerSpans(): HeaderSpans {
    this.#spans ??= headerSpans(this.bytes, this.#headersAt, this.version);
    return this.#spans;
  }

  #each<T>(make: (spans: HeaderSpans, at: number) => T): T[] {
    const spans = this.#headerSpans();
    return Array.from({ length: spans.length / 3 }, (_, header) => make(spans, 3 * header));
  }

  #isSpelled(spans: HeaderSpans, at: number, name: string): boolean {
    const from = spans[at] as number;
    if ((spans[at + 1] as number) - from !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (this.bytes[from + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  #name(spans: HeaderSpans, at: number): string {
    return this.#text(spans[at] as number, spans[at + 1] as number);
  }

  #value(spans: HeaderSpans, at: number): string {
    let from = (spans[at + 1] as number) + 1;
    let to = spans[at + 2] as number;
    if (this.version === '1.0') {
      while (from < to && isBlank(this.bytes[from])) from++;
      while (to > from && isBlank(this.bytes[to - 1])) to--;
    }
    return this.#text(from, to);
  }

  #text(from: number, to: number): string {
    const raw = text(this.bytes, from, to);
    return isEscaped(this.command) ? unescapeText(raw, this.version) : raw;
  }
}
