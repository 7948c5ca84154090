/** How long a worker that has ended stays away: at once after a long life, later and later when it does not live. Pure. */

const FIRST_MS = 100;
/** A worker that cannot live is tried as often as this for ever: what keeps it from living may end. */
export const RESTART_MAX_MS = 10_000;
/** Who has lived so long was well: its end is a new story. */
export const WELL_AFTER_MS = 60_000;

export class Restarts {
  #inARow = 0;

  /** @param livedMs from its start to its end @returns the wait until it is started again */
  ended(livedMs: number): number {
    if (livedMs >= WELL_AFTER_MS) this.#inARow = 0;
    return Math.min(RESTART_MAX_MS, FIRST_MS * 2 ** Math.min(this.#inARow++, RESTART_MAX_MS / FIRST_MS));
  }
}
