/** The clock of sessions and sockets: ms since the process began, never back. */
export class Clock {
  #lastMs = 0;

  constructor() {
    this.now();
  }

  /** Whole ones: V8 keeps a small integer in the object that has it, and a fraction, of which a session has twenty, in an object of its own. */
  now(): number {
    this.#lastMs = Math.trunc(performance.now());
    return this.#lastMs;
  }

  /**
   * The time when it was last asked for, by anybody: for what is noted at each message and needed to the second, as asking is not free. Whoever
   * looks after heart-beats asks some 16 to 64 times within the shortest of them.
   */
  lately(): number {
    return this.#lastMs;
  }
}
