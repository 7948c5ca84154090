import { expect, test } from 'vitest';
import { fullJitterMs } from '../../producer/backoff.ts';

test.each([
  [0, 25],
  [1, 50],
  [2, 100],
  [3, 200],
  [4, 400],
  [5, 500],
  [6, 500],
  [1e9, 500],
])('after %i failures the wait is anything from nothing to %i ms', (attempt, step) => {
  const backoff = { baseMs: 25, capMs: 500 };
  expect(fullJitterMs(attempt, () => 0, backoff)).toBe(0);
  expect(fullJitterMs(attempt, () => 0.5, backoff)).toBe(step / 2);
  expect(fullJitterMs(attempt, () => 0.999, backoff)).toBeCloseTo(step * 0.999);
});
