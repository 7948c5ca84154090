/** When the session must be woken, and for what; for logs and for the simulator's traces. */
export interface Deadline {
  readonly atMs: number;
  readonly why: string;
}

/** Of several deadlines the first one. One object for all of them, as this is asked after every event of every session. */
export class Earliest implements Deadline {
  /** Infinity while nothing is awaited. */
  atMs = Number.POSITIVE_INFINITY;
  why = '';

  /** @param atMs Infinity for what is not awaited */
  offer(atMs: number, why: string): void {
    if (atMs >= this.atMs) return;
    this.atMs = atMs;
    this.why = why;
  }
}
