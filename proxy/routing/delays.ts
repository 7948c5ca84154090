/**
 * Who waits until when: a heap, so that one who waits costs those nothing who decide meanwhile. In a bad rollout that is thousands, each with a
 * moment of its own, and there are hundreds of decisions a second.
 */

import TinyQueue from 'tinyqueue';

interface Delay<Item> {
  readonly item: Item;
  readonly atMs: number;
  /** Those of one moment are told in the order in which they came. */
  readonly turn: number;
}

/** So many that are not awaited any more are kept beside as many that are: taking one out of the middle would mean looking for it. */
export const STALE_MAX = 64;

export class Delays<Item> {
  #heap = heapOf<Item>([]);
  readonly #awaited = new Map<Item, Delay<Item>>();
  #lastTurn = 0;

  get size(): number {
    return this.#awaited.size;
  }

  /** In memory: those that are awaited, and some that are not any more. */
  get kept(): number {
    return this.#heap.length;
  }

  /** @param atMs in place of any moment before */
  set(item: Item, atMs: number): void {
    const delay = { item, atMs, turn: ++this.#lastTurn };
    this.#awaited.set(item, delay);
    this.#heap.push(delay);
    this.#tidy();
  }

  delete(item: Item): void {
    if (this.#awaited.delete(item)) this.#tidy();
  }

  /** Infinity when nobody waits. */
  nextMs(): number {
    return this.#first()?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Takes out all whose moment has come. */
  takeDue(now: number): Item[] {
    const due: Item[] = [];
    for (let first = this.#first(); first !== undefined && first.atMs <= now; first = this.#first()) {
      this.#awaited.delete(first.item);
      due.push(first.item);
    }
    return due;
  }

  /** The heap begins with one that is awaited, or is empty. */
  #first(): Delay<Item> | undefined {
    for (;;) {
      const first = this.#heap.peek();
      if (first === undefined || this.#awaited.get(first.item) === first) return first;
      this.#heap.pop();
    }
  }

  #tidy(): void {
    if (this.#heap.length > 2 * this.#awaited.size + STALE_MAX) this.#heap = heapOf([...this.#awaited.values()]);
  }
}

function heapOf<Item>(delays: Delay<Item>[]): TinyQueue<Delay<Item>> {
  return new TinyQueue(delays, (one, other) => one.atMs - other.atMs || one.turn - other.turn);
}
