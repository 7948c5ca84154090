import type { Random } from './clock.ts';

/** Full jitter (AWS, "Exponential Backoff and Jitter"): anything from nothing to the whole step, the step doubling to a cap. */
export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/** 2^20 steps of the smallest base are beyond any cap in use; a larger exponent would only risk Infinity. */
const MAX_DOUBLINGS = 20;

/** The wait before try `attempt` + 1, where `attempt` counts the failed ones before it from 0. Milliseconds. */
export function fullJitterMs(attempt: number, random: Random, { baseMs, capMs }: Backoff): number {
  return random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, MAX_DOUBLINGS));
}
