/**
 * One timer, for the next deadline of a session; most sessions have none.
 *
 * Sessions that moved together have their deadlines together, and Node calls all timers that are due before anything else: so they ring in turns.
 */
import { InTurns } from './in-turns.ts';

/** A timer that comes this much too late means that we were not running. */
const STALL_MS = 1_000;

const rings = new InTurns<() => void>((ring) => ring());

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

  /** @param atMs when to ring, or a little later, instead of the time before; Infinity for never */
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
    if (wasStalled) setImmediate(() => rings.add(this.#ring));
    else rings.add(this.#ring);
  }
}
