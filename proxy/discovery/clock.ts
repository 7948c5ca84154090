/** Time and timers as one argument, so that tests run whole outages in virtual milliseconds. */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  now(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels that. */
  after(delayMs: number, run: () => void): () => void;
}

/** Wall-clock jumps (NTP, a suspended laptop) must not look like an outage: hence `performance`, never `Date`. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
