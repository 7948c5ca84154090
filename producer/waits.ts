import type { Clock } from './clock.ts';

/** All the waiting of one producer, so that closing it can end every wait at once. */
export class Waits {
  readonly #clock: Clock;
  readonly #open = new Set<() => void>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves after `delayMs`, or as soon as `close` is called. */
  sleep(delayMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#open.delete(done);
        cancel();
        resolve();
      };
      const cancel = this.#clock.after(delayMs, done);
      this.#open.add(done);
    });
  }

  close(): void {
    this.#closed = true;
    for (const done of [...this.#open]) done();
  }
}
