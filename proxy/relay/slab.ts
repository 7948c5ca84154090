/**
 * Memory for what is copied only to be written: nearly always the system takes it at once, and then the next copy is made over it. What waits
 * keeps its part of the slab.
 *
 * Copies on memory of their own would be as safe, but that is memory outside of V8's heap: it grows until a collection of the whole heap.
 */
const SLAB_BYTES = 64 * 1024;

export class Slab {
  #octets = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #at = 0;

  /** A copy of [from, to) of `octets`; what is longer than a slab is on memory of its own. */
  copyOf(octets: Uint8Array, from: number, to: number): Uint8Array {
    const length = to - from;
    if (length > SLAB_BYTES) return Buffer.from(octets.subarray(from, to));
    if (length > SLAB_BYTES - this.#at) {
      this.#octets = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#at = 0;
    }
    const copy = this.#octets.subarray(this.#at, this.#at + length);
    Buffer.prototype.copy.call(octets, copy, 0, from, to);
    this.#at += length;
    return copy;
  }

  /** @param copy the last one, which nobody needs any more */
  giveBack(copy: Uint8Array): void {
    if (copy.length <= SLAB_BYTES) this.#at -= copy.length;
  }
}
