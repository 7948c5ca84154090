/**
 * A queue of frames that cannot be passed on yet, counted in bytes.
 *
 * Its bound (Core.clientFull) is a mark, not a wall: a frame that is here already is never dropped. Past the mark the session stops
 * reading from the peer, so that the peer's own buffers fill; what was read before that point is at most one chunk more.
 */
export interface Held {
  readonly bytes: Uint8Array;
  readonly binary: boolean;
}

/** What a queued frame costs beyond its bytes: the object, its view and the slot in the queue, rounded up. */
export const HELD_OVERHEAD_BYTES = 128;

export class Hold<T extends Held> {
  #items: T[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#bytes += costOf(item);
  }

  /** Takes out, in order, everything that `ready` lets go; what it refuses stays, in order. */
  take(ready: (item: T) => boolean): T[] {
    if (this.#items.length === 0) return [];
    const taken: T[] = [];
    this.#items = this.#items.filter((item) => {
      if (!ready(item)) return true;
      taken.push(item);
      this.#bytes -= costOf(item);
      return false;
    });
    return taken;
  }

  takeAll(): T[] {
    return this.take(() => true);
  }

  *[Symbol.iterator](): Iterator<T> {
    yield* this.#items;
  }
}

/** What a held frame counts. */
export function costOf(item: Pick<Held, 'bytes'>): number {
  return item.bytes.byteLength + HELD_OVERHEAD_BYTES;
}
