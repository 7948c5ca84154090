/**
 * Memory for what is copied only to be written: nearly always the system takes it at once, and then the next copy is made over it. What waits
 * keeps its part of the slab.
 *
 * Copies on memory of their own would be as safe, but that is memory outside of V8's heap: it grows until a collection of the whole heap. And
 * messages of the same length are written by the same view: a Buffer for each of them would be most of what a message leaves behind.
 */
const SLAB_BYTES = 64 * 1024;
/** The longest copy whose view is used again: all of these views take some 100 KB. */
const VIEW_MAX_BYTES = 1024;

export class Slab {
  #octets = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** Where the next copy begins. */
  #at = 0;
  /** Of what begins there, by length. */
  readonly #views = new Array<Uint8Array | undefined>(VIEW_MAX_BYTES + 1).fill(undefined);

  /** A copy of [from, to) of `octets`, until the next one is made; what is longer than a slab is on memory of its own. */
  copyOf(octets: Uint8Array, from: number, to: number): Uint8Array {
    const length = to - from;
    if (length > SLAB_BYTES) return Buffer.from(octets.subarray(from, to));
    if (length > SLAB_BYTES - this.#at) {
      this.#octets = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#beginAt(0);
    }
    const copy = this.#viewOf(length);
    Buffer.prototype.copy.call(octets, copy, 0, from, to);
    return copy;
  }

  /** @param copy the last one, which somebody needs for longer */
  keep(copy: Uint8Array): void {
    if (copy.length <= SLAB_BYTES) this.#beginAt(this.#at + copy.length);
  }

  #beginAt(at: number): void {
    this.#at = at;
    this.#views.fill(undefined);
  }

  #viewOf(length: number): Uint8Array {
    if (length > VIEW_MAX_BYTES) return this.#octets.subarray(this.#at, this.#at + length);
    const view = this.#views[length] ?? this.#octets.subarray(this.#at, this.#at + length);
    this.#views[length] = view;
    return view;
  }
}
