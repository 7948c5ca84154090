/**
 * Cuts a stream of bytes into lines. Bytes and not text, so that it does not matter where a chunk ends, be it inside a character:
 * no byte of a longer UTF-8 sequence is a line feed.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #length = 0;

  /** @param maxBytes of one line, without its line feed */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the line that has not ended yet. */
  get pendingBytes(): number {
    return this.#length;
  }

  /** The lines that end in this chunk, without their line feeds; `tooLong` once a line passes the limit. */
  push(chunk: Uint8Array): Uint8Array[] | 'tooLong' {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      if (!this.#keep(chunk.subarray(start, end))) return 'tooLong';
      lines.push(this.#takeLine());
      start = end + 1;
    }
    return this.#keep(chunk.subarray(start)) ? lines : 'tooLong';
  }

  #keep(part: Uint8Array): boolean {
    if (part.length > 0) this.#parts.push(part);
    this.#length += part.length;
    return this.#length <= this.#maxBytes;
  }

  #takeLine(): Uint8Array {
    const [only] = this.#parts;
    const line = this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    return line;
  }
}
