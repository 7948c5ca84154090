/** What comes in thousands at once is dealt with in parts, each of them some milliseconds of a turn of the event loop. */
import { Part } from './part.ts';

export class InTurns<T> {
  readonly #deal: (item: T) => void;
  readonly #part: Part;
  readonly #waiting = new Set<T>();

  /** @param now a clock in milliseconds */
  constructor(deal: (item: T) => void, now: () => number = () => performance.now()) {
    this.#deal = deal;
    this.#part = new Part(() => this.#goOn(), now);
  }

  /** @param item is dealt with now or, where others have taken this turn, in one of the next; once, if it waits already */
  add(item: T): void {
    if (this.#waiting.size > 0 || this.#part.isOver()) this.#waiting.add(item);
    else this.#deal(item);
  }

  #goOn(): void {
    for (const item of this.#waiting) {
      if (this.#part.isOver()) return;
      this.#waiting.delete(item);
      this.#deal(item);
    }
  }
}
