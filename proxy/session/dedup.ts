/**
 * Remembers the last ids of produced messages, so that one that a producer sent again is delivered once.
 *
 * A producer that got no answer (the pod died, the network did) must send again under the same id; only the session, which
 * outlives the pods, can know whether the first copy arrived. The window is bounded: ids leave in the order they came.
 */
export class Dedup {
  readonly #window: number;
  readonly #ids = new Set<string>();

  /** @param window how many ids are remembered; a repeat after that many newer ids is delivered again */
  constructor(window: number) {
    this.#window = window;
  }

  /** Notes an id; false when it was seen before. */
  isNew(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > this.#window) {
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    return true;
  }
}
