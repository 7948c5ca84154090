import { EMPTY } from './bytes.ts';

/** A small first buffer: most frames that arrive in parts are small, and many connections may wait at the same time. */
const FIRST_CAPACITY = 256;

/**
 * The octets of a frame whose end has not come yet. The buffer doubles, so that any number of small chunks costs time in
 * proportion to their octets; it grows only with octets that really came, whatever a content-length promises.
 */
export class Gather {
  #buffer: Uint8Array = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The octets so far are [0, length) of this buffer; valid until the next `append`. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  append(chunk: Uint8Array, from: number, to: number): void {
    const needed = this.#length + to - from;
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#buffer.set(chunk.subarray(from, to), this.#length);
    this.#length = needed;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length, FIRST_CAPACITY));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
