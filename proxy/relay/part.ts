/**
 * The part of a turn of the event loop that one kind of work may take, where it comes in thousands at once: whoever else has something to say waits for
 * that long, and not until all of it is done.
 */

import { PART_MS } from './part-ms.ts';

export class Part {
  readonly #goOn: () => void;
  readonly #now: () => number;
  /** Until when it goes on in this turn; undefined before it has begun. */
  #untilMs: number | undefined;

  /**
   * @param goOn is called in the turn after each in which it began
   * @param now a clock in milliseconds
   */
  constructor(goOn: () => void, now: () => number) {
    this.#goOn = goOn;
    this.#now = now;
  }

  /** Whether it is over for this turn; one that has not begun begins. */
  isOver(): boolean {
    if (this.#untilMs !== undefined) return this.#now() >= this.#untilMs;
    this.begin();
    return false;
  }

  /** Nothing happens when it has begun in this turn. */
  begin(): void {
    if (this.#untilMs !== undefined) return;
    this.#untilMs = this.#now() + PART_MS;
    setImmediate(() => this.#next());
  }

  #next(): void {
    this.#untilMs = undefined;
    this.#goOn();
  }
}
