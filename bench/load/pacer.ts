/** So many things a second, evenly: after a turn that came late what is due is made up for. */

const TURN_MS = 1;

export class Pacer {
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param due called with how many are due, one or more */
  start(perSecond: number, due: (count: number) => void): void {
    this.stop();
    const sinceMs = this.#now();
    let done = 0;
    const turn = () => {
      const count = Math.floor(((this.#now() - sinceMs) * perSecond) / 1000) - done;
      done += count;
      if (count > 0) due(count);
    };
    this.#timer = setInterval(turn, TURN_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
