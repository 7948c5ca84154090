/**
 * Is the user away, or only on the way?
 *
 * A pod that answers "no session" speaks for itself. When all candidates say so, either nobody listens, or the session is
 * between two pods: it is being handed over, or recovered after a crash, and will be back in a moment. One look cannot
 * tell the two apart; time can. So absence counts as proven when every look of an unbroken span of `provenAfterMs` found
 * it, and a look breaks the span when
 *   - a pod could not be asked, or its answer got lost (the session may be there),
 *   - the rings have changed since the last look (sessions are about to move),
 *   - the proxy in the same process knows that a session of the user is being moved or recovered,
 *   - there was no look for longer than the proof takes and one more look (who came and went in between is unknown). Where many
 *     messages wait, two looks are all that one gets: the first, and the one that completes the proof, late by its wait.
 * The span outlives a message: the next message to the same user and destination needs one more look and not a new span.
 */
/** Looks that are made one after the other are never further apart: the longest wait between two, and a slow answer. */
const LOOKS_APART_MS = 1_000;

export class Absence {
  readonly #provenAfterMs: number;
  #since: number | undefined;
  #lastSeen = 0;
  #rings = '';

  constructor(provenAfterMs: number) {
    this.#provenAfterMs = provenAfterMs;
  }

  /** Every candidate said "no session". Returns the milliseconds that the proof still needs, 0 when it is complete. */
  seen(rings: string, now: number): number {
    const isLate = now - this.#lastSeen > this.#provenAfterMs + LOOKS_APART_MS;
    if (this.#since === undefined || rings !== this.#rings || isLate) this.#since = now;
    this.#rings = rings;
    this.#lastSeen = now;
    return this.neededMs(now);
  }

  /** The milliseconds until a look can prove it; Infinity when the last one proved nothing. */
  neededMs(now: number): number {
    if (this.#since === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#since + this.#provenAfterMs - now);
  }

  /** A look that proves nothing, or a delivery. */
  broken(): void {
    this.#since = undefined;
  }
}
