/**
 * Who waits until when: a heap, so that one who waits costs those nothing who decide meanwhile. In a bad rollout that is thousands, each with a
 * moment of its own, and there are hundreds of decisions a second.
 */

interface Delay<Item> {
  readonly item: Item;
  readonly atMs: number;
  /** Those of one moment are told in the order in which they came. */
  readonly turn: number;
}

/** So many that are not awaited any more are kept beside as many that are: taking one out of the middle would mean looking for it. */
export const STALE_MAX = 64;

export class Delays<Item> {
  /** Each entry is before the two at 2i + 1 and 2i + 2. */
  #heap: Delay<Item>[] = [];
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
    this.#rise(this.#heap.length - 1);
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
      const [first] = this.#heap;
      if (first === undefined || this.#awaited.get(first.item) === first) return first;
      this.#removeFirst();
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    for (let i = from; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#isBefore(i, parent)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #sink(from: number): void {
    for (let i = from; ; ) {
      const left = 2 * i + 1;
      const child = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(child, i)) return;
      this.#swap(i, child);
      i = child;
    }
  }

  #isBefore(i: number, j: number): boolean {
    const [one, other] = [this.#heap[i], this.#heap[j]];
    if (one === undefined || other === undefined) return false;
    return one.atMs < other.atMs || (one.atMs === other.atMs && one.turn < other.turn);
  }

  #swap(i: number, j: number): void {
    const [one, other] = [this.#heap[i] as Delay<Item>, this.#heap[j] as Delay<Item>];
    this.#heap[i] = other;
    this.#heap[j] = one;
  }

  /** In order of time any array is a heap. */
  #tidy(): void {
    if (this.#heap.length <= 2 * this.#awaited.size + STALE_MAX) return;
    this.#heap = [...this.#awaited.values()].sort((one, other) => one.atMs - other.atMs || one.turn - other.turn);
  }
}
