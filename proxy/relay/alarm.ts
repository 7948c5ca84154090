/** One timer, for the next deadline of a session; most sessions have none. */

/** A timer that comes this much too late means that we were not running. */
const STALL_MS = 1_000;

export interface Clock {
  now(): number;
}

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** @param atMs when to ring, instead of the time before; Infinity for never */
  set(atMs: number): void {
    if (atMs === this.#atMs) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#atMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#due(), Math.max(0, Math.ceil(atMs - this.#clock.now())));
  }

  /** After a stall what has come in meanwhile is read first: an answer that is here is not late. */
  #due(): void {
    const wasStalled = this.#clock.now() - this.#atMs > STALL_MS;
    this.#atMs = Number.POSITIVE_INFINITY;
    if (wasStalled) setImmediate(this.#ring);
    else this.#ring();
  }
}
