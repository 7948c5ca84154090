/** Octets that came in parts, in one buffer that grows with what came, whatever was announced. */
const FIRST_CAPACITY = 256;
const NOTHING = new Uint8Array();

export class Gather {
  #buffer: Uint8Array = NOTHING;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What there is; valid until the next `append`. */
  get view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  append(octets: Uint8Array): void {
    const needed = this.#length + octets.length;
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#buffer.set(octets, this.#length);
    this.#length = needed;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length, FIRST_CAPACITY));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
