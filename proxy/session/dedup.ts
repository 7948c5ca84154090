/**
 * Remembers the last ids of produced messages, so that one that a producer sent again is delivered once.
 *
 * A producer that got no answer (the pod died, the network did) must send again under the same id; only the session, which
 * outlives the pods, can know whether the first copy arrived. The window is bounded in number and in age, since no producer
 * tries for longer than a message lives: what sessions remember together follows their traffic and not their number.
 */
import { SparseMap } from './sparse.ts';

export class Dedup {
  readonly #window: number;
  readonly #maxAgeMs: number;
  /** Ids with the time they were first seen, oldest first. */
  readonly #seenAtMs = new SparseMap<string, number>();

  /**
   * @param window how many ids are remembered; a repeat after that many newer ids is delivered again
   * @param maxAgeMs how long they are remembered at most: longer than any producer tries a message
   */
  constructor(window: number, maxAgeMs: number) {
    this.#window = window;
    this.#maxAgeMs = maxAgeMs;
  }

  get size(): number {
    return this.#seenAtMs.size;
  }

  /** Notes an id; false when it was seen before. */
  isNew(id: string, now: number): boolean {
    if (this.#seenAtMs.has(id)) return false;
    this.#seenAtMs.set(id, now);
    for (const [oldest, atMs] of this.#seenAtMs) {
      if (this.#seenAtMs.size <= this.#window && now - atMs <= this.#maxAgeMs) break;
      this.#seenAtMs.delete(oldest);
    }
    return true;
  }
}
