import type { Clock } from '../../proxy/discovery/clock.ts';

/** Real time, but faster: for waits of seconds and minutes with real sockets in between. */
export class FastClock implements Clock {
  readonly #factor: number;

  constructor(factor: number) {
    this.#factor = factor;
  }

  now(): number {
    return performance.now() * this.#factor;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = setTimeout(run, delayMs / this.#factor);
    return () => clearTimeout(timer);
  }
}
