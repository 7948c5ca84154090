/**
 * What the waiting messages of one producer may ask of the pods together, so that an outage is not answered with load.
 *
 * A message that found no session looks again, and one look asks several pods. One such message costs nothing worth
 * counting. A thousand of them, while a pod is down and the others take over its sessions, would ask those others for
 * several times what the traffic itself does. So looks after the first one are paid for in requests: each message earns a
 * share of one, and a small floor is earned by time, for producers that send little. Who cannot pay does not queue; it comes
 * again after its next wait, as if it had asked and found nothing. What a message is owed whatever others ask stands in
 * delivery.ts: it is bounded for each message, not by how long it waits.
 *
 * Only what finds nothing costs: requests that a look did not need are given back, and the one that delivers was owed by
 * the message anyway. So when sessions are back, the messages for them go out as fast as they come round, not at the pace
 * of the budget. (The scheme is that of Finagle's RetryBudget: a share and a floor.)
 */
import type { Clock } from './clock.ts';

/** Requests that each message earns: looking again adds at most a fifth to what the messages themselves ask. */
export const RETRY_SHARE = 0.2;

/** Requests earned each second whatever is sent: some looks a second for the few who wait when there is little traffic. */
export const RETRY_FLOOR_PER_SECOND = 10;

/** Looks at `maxCandidates` pods that can be saved up: one user's session on its way is found without waiting for the floor. */
export const RETRY_BURST_LOOKS = 10;

export class RetryBudget {
  readonly #clock: Clock;
  readonly #burst: number;
  #left: number;
  #at: number;

  /** @param burst requests that can be saved up; there from the start */
  constructor(clock: Clock, burst: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#left = burst;
    this.#at = clock.now();
  }

  /** A message asks for the first time. */
  earn(): void {
    this.giveBack(RETRY_SHARE);
  }

  /** Pays for that many requests, or for none of them. No look has more than `burst`. */
  take(requests: number): boolean {
    const now = this.#clock.now();
    this.giveBack(((now - this.#at) * RETRY_FLOOR_PER_SECOND) / 1000);
    this.#at = now;
    if (requests > this.#left) return false;
    this.#left -= requests;
    return true;
  }

  giveBack(requests: number): void {
    this.#left = Math.min(this.#burst, this.#left + requests);
  }
}
