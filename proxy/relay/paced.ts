/**
 * What makes thousands of others act at once is told some at a time, or their answers come at once, too, and all of them are read before
 * anything else is: a batch of the event loop can not be divided.
 */

/** How often some are told. */
export const PACE_MS = 10;

export class Paced<T> {
  readonly #perPace: number;
  readonly #deal: (item: T) => void;
  readonly #waiting = new Set<T>();
  #timer: NodeJS.Timeout | undefined;
  /** How many more may be told before the next pace. */
  #left: number;

  constructor(perSecond: number, deal: (item: T) => void) {
    this.#perPace = Math.max(1, Math.round((perSecond * PACE_MS) / 1000));
    this.#deal = deal;
    this.#left = this.#perPace;
  }

  /** @param item is dealt with now or behind the others; once, if it waits already */
  add(item: T): void {
    this.#timer ??= setTimeout(() => this.#next(), PACE_MS);
    if (this.#left === 0) {
      this.#waiting.add(item);
      return;
    }
    this.#left -= 1;
    this.#deal(item);
  }

  /** Deals with it now, if it waits. */
  hurry(item: T): void {
    if (this.#waiting.delete(item)) this.#deal(item);
  }

  /** Those that wait are never dealt with. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #next(): void {
    this.#timer = this.#waiting.size === 0 ? undefined : setTimeout(() => this.#next(), PACE_MS);
    this.#left = this.#perPace;
    for (const item of this.#waiting) {
      if (this.#left === 0) return;
      this.#left -= 1;
      this.#waiting.delete(item);
      this.#deal(item);
    }
  }
}
