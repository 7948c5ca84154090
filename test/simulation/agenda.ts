/** Virtual time: what is to happen, in order of time and, at one time, in the order in which it was noted. */

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Steps of one world; a correct one takes a few thousand, so this many mean that time stands still. */
export const STEPS_MAX = 200_000;

export class Agenda {
  now = 0;
  steps = 0;
  #order = 0;
  #hasPromises = false;
  /** A binary heap. */
  readonly #heap: Entry[] = [];

  at(atMs: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ atMs: Math.max(atMs, this.now), order: this.#order++, run });
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#swapIfBefore(i, parent)) break;
      i = parent;
    }
  }

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run);
  }

  /** What is running now has made promises ready: they are kept before the next step. */
  promised(): void {
    this.#hasPromises = true;
  }

  /** Runs everything up to a time; `each` is called after every step. */
  async runUntil(ms: number, each: () => void): Promise<void> {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= ms; first = this.#heap[0]) {
      this.#removeFirst();
      this.now = first.atMs;
      first.run();
      if (++this.steps > STEPS_MAX) throw new Error(`time stands still at ${this.now} ms`);
      if (this.#hasPromises) await this.#settle();
      each();
    }
    this.now = ms;
  }

  /** setImmediate comes after all promises that are ready, and those that they make ready. */
  async #settle(): Promise<void> {
    this.#hasPromises = false;
    await new Promise((resolve) => setImmediate(resolve));
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      const child = left + 1 < heap.length && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (child >= heap.length || !this.#swapIfBefore(child, i)) return;
      i = child;
    }
  }

  #isBefore(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i] as Entry, this.#heap[j] as Entry];
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }

  #swapIfBefore(i: number, j: number): boolean {
    if (!this.#isBefore(i, j)) return false;
    const kept = this.#heap[i] as Entry;
    this.#heap[i] = this.#heap[j] as Entry;
    this.#heap[j] = kept;
    return true;
  }
}
