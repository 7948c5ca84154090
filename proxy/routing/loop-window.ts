/**
 * How many links this process has in hand at once, whatever its pods could take: as many as keep the turns of its event loop short.
 *
 * A link needs the event loop some five times before it is CONNECTED. Each turn deals with all that became ready in the one before, so
 * the more are on their way, the longer are the turns, for everybody; and where pods answer sooner than that, the links are done no
 * sooner. So the window halves with each turn that was late, and grows by one with each link that is out of hand when turns are
 * short and the window was the limit (AIMD). A link that has been on its way for longer than HANDS_ON_MS waits for its pod and not
 * for us: it is out of hand, so a pod that hangs keeps nobody from the others.
 */

export const HANDS_ON_MS = 100;
/** After a rest. */
export const WINDOW_START = 12;
/** An event loop that is late for other reasons still begins 80 links a second. */
export const WINDOW_MIN = 8;
export const WINDOW_MAX = 1_024;
/** However late it is, all who wait at one time are on their way within this: a quarter of the default of `outage-max`. */
export const ALL_WITHIN_MS = 15_000;
/** A turn that took longer was late. */
export const LATE_MS = 8;
/** A turn that took less was short. */
export const SHORT_MS = 4;

export class LoopWindow<Link> {
  /** Since when, oldest first. */
  readonly #inHand = new Map<Link, number>();
  #window = WINDOW_START;
  /** So many waited at one time, since there was somebody who waited. */
  #most = 0;
  #wasFull = false;
  #mayGrow = false;

  /**
   * A turn of the event loop, before anybody is let go in it.
   * @param turnMs how long those before it were, on average
   * @param waiting how many there are to go
   */
  turn(turnMs: number, waiting: number, now: number): void {
    this.#most = waiting === 0 ? 0 : Math.max(this.#most, waiting);
    if (this.#inHand.size === 0 && !this.#wasFull) this.#window = WINDOW_START;
    if (turnMs > LATE_MS) this.#window = Math.max(WINDOW_MIN, Math.floor(this.#window / 2));
    this.#mayGrow = this.#wasFull && turnMs < SHORT_MS;
    this.#wasFull = false;
    for (const [link, sinceMs] of this.#inHand) {
      if (now - sinceMs < HANDS_ON_MS) break;
      this.outOfHand(link);
    }
  }

  /** May one more be begun? Ask only for somebody who could go. */
  hasRoom(): boolean {
    if (this.#isFull) this.#wasFull = true;
    return !this.#isFull;
  }

  /** When there is room if none of those in hand is done before; undefined when there is room now. */
  roomAtMs(): number | undefined {
    const [oldestMs = 0] = this.#inHand.values();
    return this.#isFull ? oldestMs + HANDS_ON_MS : undefined;
  }

  get #isFull(): boolean {
    const needed = Math.min(WINDOW_MAX, Math.ceil((this.#most * HANDS_ON_MS) / ALL_WITHIN_MS));
    return this.#inHand.size >= Math.max(this.#window, needed);
  }

  began(link: Link, now: number): void {
    this.#inHand.set(link, now);
  }

  /** It is CONNECTED, or waits for its pod alone. */
  outOfHand(link: Link): void {
    this.ended(link);
    if (this.#mayGrow) this.#window = Math.min(WINDOW_MAX, this.#window + 1);
  }

  /** It has come to nothing. */
  ended(link: Link): void {
    this.#inHand.delete(link);
  }
}
