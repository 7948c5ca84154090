import type { Log } from '../log.ts';

/**
 * Distinct problems that are remembered until the source is well again. A log that repeats one line each poll hides the other
 * lines; more distinct problems than this in one outage are a problem with a changing text, which must not flood the log either.
 */
const MAX_REMEMBERED = 32;

/** Says each distinct problem of an outage once, and its end once. */
export class ProblemLog {
  readonly #log: Log;
  readonly #said = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  problem(fields: object, message: string): void {
    if (this.#said.has(message) || this.#said.size >= MAX_REMEMBERED) return;
    this.#said.add(message);
    this.#log.warn(fields, message);
  }

  recovered(fields: object, message: string): void {
    if (this.#said.size === 0) return;
    this.#said.clear();
    this.#log.info(fields, message);
  }
}
