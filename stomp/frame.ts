import { text } from './bytes.ts';
import { isEscaped } from './commands.ts';
import { type HeaderSpan, headerSpans, isBlank, unescapeText } from './headers.ts';
import type { Version } from './versions.ts';

/** Where the parts of a frame begin, counted from its first octet. */
export interface FrameLayout {
  readonly headersAt: number;
  readonly bodyAt: number;
}

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
  readonly #layout: FrameLayout;
  #spans: readonly HeaderSpan[] | undefined;

  /** Made by the decoder, which has checked `bytes`; others use `encode` with `frameOf`. */
  constructor(command: string, bytes: Uint8Array, version: Version, layout: FrameLayout) {
    this.command = command;
    this.bytes = bytes;
    this.version = version;
    this.#layout = layout;
  }

  /** A view into `bytes`. */
  get body(): Uint8Array {
    return this.bytes.subarray(this.#layout.bodyAt, this.bytes.length - 1);
  }

  /** The value of the first header of that name ("Repeated Header Entries": the first wins), unescaped. */
  header(name: string): string | undefined {
    const plain = PLAIN_NAME.test(name);
    for (const span of this.#headerSpans()) {
      if (plain ? this.#isSpelled(span, name) : this.#name(span) === name) return this.#value(span);
    }
    return undefined;
  }

  /** All headers in order, repeated ones too, unescaped. */
  headers(): Iterable<readonly [name: string, value: string]> {
    return this.#headerSpans().map((span) => [this.#name(span), this.#value(span)] as const);
  }

  /** The names of all headers in order, repeated ones too, unescaped. */
  headerNames(): Iterable<string> {
    return this.#headerSpans().map((span) => this.#name(span));
  }

  /** The raw header lines in order, without their line ends. */
  headerLines(): Iterable<Uint8Array> {
    return this.#headerSpans().map((span) => this.bytes.subarray(span.from, span.to));
  }

  #headerSpans(): readonly HeaderSpan[] {
    this.#spans ??= headerSpans(this.bytes, this.#layout.headersAt, this.version);
    return this.#spans;
  }

  #isSpelled(span: HeaderSpan, name: string): boolean {
    if (span.colon - span.from !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (this.bytes[span.from + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  #name(span: HeaderSpan): string {
    return this.#text(span.from, span.colon);
  }

  #value(span: HeaderSpan): string {
    let from = span.colon + 1;
    let to = span.to;
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
