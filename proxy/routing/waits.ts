/** How long a session waits for its next try, or for its way back to a pod that has dropped it. */
import { mayGoAtMs, RETURN_MAX_MS } from './bounces.ts';
import type { Place } from './place.ts';

/** First wait of a session whose try has failed; doubles, with full jitter, up to `retryMaxMs`. */
export const RETRY_MIN_MS = 100;

export class Waits {
  readonly #retryMaxMs: number;
  readonly #random: () => number;

  /** @param random uniform in [0, 1) */
  constructor(retryMaxMs: number, random: () => number) {
    this.#retryMaxMs = retryMaxMs;
    this.#random = random;
  }

  /** After so many failures before this one. */
  backoffMs(failures: number): number {
    return this.#random() * Math.min(this.#retryMaxMs, RETRY_MIN_MS * 2 ** Math.min(failures, 30));
  }

  /** When the session may be sent to this pod. @param canStay it has a link, to a pod that does not go away: only there can it wait for longer than between tries */
  mayGoAtMs(place: Place, podId: string, canStay: boolean): number {
    return Math.max(place.notBeforeMs, mayGoAtMs(place, podId, canStay ? RETURN_MAX_MS : this.#retryMaxMs));
  }
}
