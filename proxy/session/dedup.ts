/**
 * Remembers the last ids of produced messages, so that one that a producer sent again is delivered once.
 *
 * A producer that got no answer (the pod died, the network did) must send again under the same id; only the session, which
 * outlives the pods, can know whether the first copy arrived. The window is bounded in number and in age, since no producer
 * tries for longer than a message lives: what sessions remember together follows their traffic and not their number.
 */
import { SparseSet } from './sparse.ts';

/** Oldest first, from `first` on. A Set knows that order, too, but passes by all that it has forgotten to find its first. */
interface Queue {
  ids: string[];
  /** When each of them was first seen. */
  timesMs: number[];
  first: number;
}

/** The queue is moved up when more than this and more than half of it is behind us. */
const SPENT_LEAST = 32;

export class Dedup {
  readonly #window: number;
  readonly #maxAgeMs: number;
  readonly #ids = new SparseSet<string>();
  #queue: Queue | undefined;

  /**
   * @param window how many ids are remembered; a repeat after that many newer ids is delivered again
   * @param maxAgeMs how long they are remembered at most: longer than any producer tries a message
   */
  constructor(window: number, maxAgeMs: number) {
    this.#window = window;
    this.#maxAgeMs = maxAgeMs;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** Notes an id; false when it was seen before. */
  isNew(id: string, now: number): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    this.#queue ??= { ids: [], timesMs: [], first: 0 };
    const queue = this.#queue;
    queue.ids.push(id);
    queue.timesMs.push(now);
    while (this.#ids.size > this.#window || now - (queue.timesMs[queue.first] ?? now) > this.#maxAgeMs) {
      this.#ids.delete(queue.ids[queue.first++] as string);
    }
    if (queue.first > SPENT_LEAST && queue.first > queue.ids.length / 2) moveUp(queue);
    return true;
  }
}

function moveUp(queue: Queue): void {
  queue.ids = queue.ids.slice(queue.first);
  queue.timesMs = queue.timesMs.slice(queue.first);
  queue.first = 0;
}
