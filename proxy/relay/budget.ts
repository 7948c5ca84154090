/**
 * What all sessions hold together. While the budget is spent, the clients of sessions that hold something or have no pod are
 * not read; they are read again below RELIEF of it. A frame that is here already is never dropped.
 */

/** Reading goes on below this share of the budget, so that it does not start and stop with each frame. */
const RELIEF = 0.9;

export class Budget {
  readonly #maxBytes: number;
  readonly #onSpent: () => void;
  #bytes = 0;
  #frames = 0;
  #isSpent = false;

  constructor(maxBytes: number, onSpent: () => void) {
    this.#maxBytes = maxBytes;
    this.#onSpent = onSpent;
  }

  get held(): { bytes: number; frames: number } {
    return { bytes: this.#bytes, frames: this.#frames };
  }

  get isSpent(): boolean {
    return this.#isSpent;
  }

  add(bytes: number, frames: number): void {
    this.#bytes += bytes;
    this.#frames += frames;
    const isSpent = this.#bytes > this.#maxBytes * (this.#isSpent ? RELIEF : 1);
    if (isSpent === this.#isSpent) return;
    this.#isSpent = isSpent;
    this.#onSpent();
  }
}
