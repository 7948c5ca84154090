export interface SettleOptions {
  /** Changes closer together than this are one. */
  readonly quietMs: number;
  /** The longest that changes which never pause can put off what waits for them. */
  readonly maxMs: number;
}

/** Debounce without a timer: told of changes, it knows when it is time to act on them. */
export class Settle {
  readonly #options: SettleOptions;
  #first: number | undefined;
  #last = 0;

  constructor(options: SettleOptions) {
    this.#options = options;
  }

  changed(now: number): void {
    this.#first ??= now;
    this.#last = now;
  }

  /** When to act; Infinity while nothing has changed. */
  deadline(): number {
    if (this.#first === undefined) return Infinity;
    return Math.min(this.#last + this.#options.quietMs, this.#first + this.#options.maxMs);
  }

  due(now: number): boolean {
    return now >= this.deadline();
  }

  clear(): void {
    this.#first = undefined;
  }
}
