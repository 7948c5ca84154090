/**
 * What comes in thousands at once is dealt with in parts, each for some milliseconds of a turn of the event loop: whoever else has something to
 * say waits for that long, and not until all of it is done.
 */

/** For how long a turn goes on with it: less than anybody notices, and more than enough for whatever comes in tens. */
export const PART_MS = 8;

export class InTurns<T> {
  readonly #deal: (item: T) => void;
  readonly #now: () => number;
  readonly #waiting = new Set<T>();
  /** Until when this turn goes on; undefined before it has begun. */
  #untilMs: number | undefined;

  /** @param now a clock in milliseconds */
  constructor(deal: (item: T) => void, now: () => number = () => performance.now()) {
    this.#deal = deal;
    this.#now = now;
  }

  /** @param item is dealt with now or, where others have taken this turn, in one of the next; once, if it waits already */
  add(item: T): void {
    if (this.#waiting.size > 0 || this.#isTurnOver()) this.#waiting.add(item);
    else this.#deal(item);
  }

  #isTurnOver(): boolean {
    if (this.#untilMs !== undefined) return this.#now() >= this.#untilMs;
    this.#untilMs = this.#now() + PART_MS;
    setImmediate(() => this.#next());
    return false;
  }

  #next(): void {
    this.#untilMs = undefined;
    for (const item of this.#waiting) {
      if (this.#isTurnOver()) return;
      this.#waiting.delete(item);
      this.#deal(item);
    }
  }
}
