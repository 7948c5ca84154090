/** Doubling is capped here so that the power stays small; 2^16 × any base is over any cap. */
const MAX_DOUBLINGS = 16;

export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Full jitter: uniform between 0 and the doubled base (AWS Architecture Blog, "Exponential Backoff and Jitter"), so that all the
 * proxies which lost the same API server at the same moment do not come back at the same moment.
 * @param attempt failures in a row before this one
 * @param random uniform in [0, 1)
 */
export function backoffMs(attempt: number, random: number, { baseMs, capMs }: BackoffOptions): number {
  return random * Math.min(capMs, baseMs * 2 ** Math.min(attempt, MAX_DOUBLINGS));
}
