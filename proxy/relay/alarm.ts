/** One timer, for the next deadline of a session; most sessions have none. */

/** A timer that comes this much too late means that we were not running. */
const STALL_MS = 1_000;

export class Alarm {
  readonly #now: () => number;
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Number.POSITIVE_INFINITY;

  constructor(now: () => number, ring: () => void) {
    this.#now = now;
    this.#ring = ring;
  }

  /** @param atMs when to ring, instead of the time before; Infinity for never */
  set(atMs: number): void {
    if (atMs === this.#atMs) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#atMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#due(), Math.max(0, Math.ceil(atMs - this.#now())));
  }

  /** After a stall what has come in meanwhile is read first: an answer that is here is not late. */
  #due(): void {
    const wasStalled = this.#now() - this.#atMs > STALL_MS;
    this.#atMs = Number.POSITIVE_INFINITY;
    if (wasStalled) setImmediate(this.#ring);
    else this.#ring();
  }
}
