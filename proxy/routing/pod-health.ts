/**
 * What links have shown of one pod: may new links be made to it now, and how many at once?
 *
 * Links are the faster detector: the first that fails for the pod's sake makes it `suspect` for new links at once, for
 * SUSPECT_MIN_MS, doubling with each failure after that. How many links may be on their way to CONNECTED grows by one with
 * each that is quick, by one with each whole window of those that are neither quick nor slow, halves when one is slow (down to
 * SLOW_WINDOW) and is one after a failure (AIMD), so a pod that is starting up is not run down by a wave, and one that is never
 * quick is not left at one link.
 */

/** First suspicion: long enough to look elsewhere, short enough that a container restart is not missed. */
export const SUSPECT_MIN_MS = 1_000;
/** A pod that its orchestrator still lists as serving is tried this often, one link at a time, so a return is seen soon. */
export const SUSPECT_MAX_MS = 5_000;
/** CONNECTED within this time is quick: the window grows fast. */
export const QUICK_CONNECT_MS = 100;
/** CONNECTED after more than this is slow. */
export const SLOW_CONNECT_MS = 500;

/**
 * A pod that is always slow still gets this many at once: were it one, a large pod that takes a second for each CONNECT could not
 * take its sessions back within `outage-max`.
 */
export const SLOW_WINDOW = 8;

/**
 * And it gets more than that while many sessions without a link wait for it: as many at once as it takes, at its pace, to serve a
 * good part of them within this time. A pod with a thousand of them does not come back by eights before `outage-max`.
 */
export const CATCH_UP_MS = 5_000;
/** Past this more at once would not help: a CONNECT comes near `connect-max`, and one that fails costs more than its turn. */
export const TOO_SLOW_MS = 2_000;

export class PodHealth {
  readonly #windowMax: number;
  #window: number;
  #inFlight = 0;
  #suspectUntilMs = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor(windowMax: number) {
    this.#windowMax = windowMax;
    this.#window = windowMax;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** New links may be on their way up to this many at once. */
  get window(): number {
    return Math.max(1, Math.floor(this.#window));
  }

  get suspectUntilMs(): number {
    return this.#suspectUntilMs;
  }

  /** Its last link failed, and none has been CONNECTED since, though the suspicion may be over: only moves try it. */
  get isDoubtful(): boolean {
    return this.#failures > 0;
  }

  isSuspect(now: number): boolean {
    return now < this.#suspectUntilMs;
  }

  hasRoom(): boolean {
    return this.#inFlight < this.window;
  }

  began(): void {
    this.#inFlight++;
  }

  /** A link that had begun is no longer on its way, for reasons that say nothing of the pod. */
  ended(): void {
    this.#inFlight = Math.max(0, this.#inFlight - 1);
  }

  /** @param waiting sessions without a link that wait for their turn at this pod */
  connected(tookMs: number, waiting = 0): void {
    this.ended();
    this.trust();
    if (tookMs > SLOW_CONNECT_MS) this.#window = this.#slowed(this.#least(tookMs, waiting));
    else this.#window = Math.min(this.#windowMax, this.#window + (tookMs <= QUICK_CONNECT_MS ? 1 : 1 / this.#window));
  }

  #slowed(least: number): number {
    return this.#window > least ? Math.max(least, this.#window / 2) : Math.min(least, this.#window + 1);
  }

  /** What a slow pod is left with. */
  #least(tookMs: number, waiting: number): number {
    const needed = tookMs > TOO_SLOW_MS ? 0 : (waiting * tookMs) / CATCH_UP_MS;
    return Math.min(this.#windowMax, Math.max(SLOW_WINDOW, needed));
  }

  /** What was known against the pod is void. The window stays: a process that has just started may be slow. */
  trust(): void {
    this.#failures = 0;
    this.#suspectUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** A link failed, before CONNECTED or after, and the pod is to blame. Failures during a suspicion are one and the same. */
  failed(now: number): void {
    if (this.isSuspect(now)) return;
    this.#window = 1;
    this.#suspectUntilMs = now + Math.min(SUSPECT_MAX_MS, SUSPECT_MIN_MS * 2 ** this.#failures);
    this.#failures++;
  }
}
