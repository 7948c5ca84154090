/**
 * What is to be looked at one by one, some at a time: a hundred thousand sessions at once would be a quarter of a second in which the event
 * loop stands still.
 */

/** About three milliseconds' worth of sessions that may have to move. */
export const PART = 1_000;

const NONE: readonly never[] = [];

export class Backlog<T> {
  #items: readonly T[] = NONE;
  #next = 0;

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Begins anew, with these. */
  fill(items: readonly T[]): void {
    this.#items = items;
    this.#next = 0;
  }

  /** Behind those that are in it. */
  add(items: readonly T[]): void {
    if (items.length > 0) this.fill([...this.#items.slice(this.#next), ...items]);
  }

  /** @returns the next ones, at most PART, which are in it no more */
  take(): readonly T[] {
    if (this.isEmpty) return NONE;
    const part = this.#items.slice(this.#next, this.#next + PART);
    this.#next += PART;
    if (this.#next >= this.#items.length) this.#items = NONE;
    return part;
  }
}
