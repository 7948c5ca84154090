/**
 * Time, as the producer reads it. Everything here that waits takes a `Clock`, so that a test can drive retries without
 * waiting for them. Milliseconds everywhere; `now` is monotonic and has no meaning outside of the process.
 */
export interface Clock {
  now(): number;
  /** Runs `run` once, `delayMs` from now; the function returned takes it back (harmless once it has run). */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A number in [0, 1), like Math.random. */
export type Random = () => number;
