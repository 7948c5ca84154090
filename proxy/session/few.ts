/**
 * Things that have an id and of which there are one or two at a time: in a list of just their number. A Map has room for four from its first
 * entry on, which is 250 octets for each session; and lists are made by `concat` and `slice`, since one that has grown, by `push` or `...` or
 * `filter`, has room for seventeen.
 */

const NONE: readonly never[] = [];

export class Few<T extends { readonly id: number }> {
  #items: readonly T[] = NONE;

  get size(): number {
    return this.#items.length;
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  get(id: number): T | undefined {
    for (const item of this.#items) if (item.id === id) return item;
    return undefined;
  }

  /** @param item whose id no other one has */
  add(item: T): void {
    this.#items = this.#items.concat(item);
  }

  /** Nothing happens where there is none of that id. */
  delete(id: number): void {
    const others = this.#items.filter((item) => item.id !== id);
    this.#items = others.length === 0 ? NONE : others.slice();
  }

  clear(): void {
    this.#items = NONE;
  }

  /** In the order in which they came; those that there are now, whatever is added or deleted meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }
}
