/** The clock: whole milliseconds, and the time when it was last asked for. */
import { expect, test, vi } from 'vitest';
import { Clock } from '../proxy/clock.ts';

test('it tells whole milliseconds, and lately is when anybody last asked', () => {
  const ask = vi.spyOn(performance, 'now').mockReturnValue(1_000.9);
  const clock = new Clock();
  expect(clock.lately()).toBe(1_000);
  ask.mockReturnValue(1_500.2);
  expect(clock.lately()).toBe(1_000);
  expect([clock.now(), clock.lately()]).toEqual([1_500, 1_500]);
});
