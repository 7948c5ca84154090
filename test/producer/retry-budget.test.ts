import { describe, expect, test } from 'vitest';
import { RETRY_FLOOR_PER_SECOND, RETRY_SHARE, RetryBudget } from '../../producer/retry-budget.ts';
import { VirtualClock } from './virtual-clock.ts';

const BURST = 40;

interface World {
  readonly clock: VirtualClock;
  readonly budget: RetryBudget;
}

function fresh(): World {
  const clock = new VirtualClock();
  return { clock, budget: new RetryBudget(clock, BURST) };
}

function spent(): World {
  const world = fresh();
  expect(world.budget.take(BURST)).toBe(true);
  return world;
}

describe('what messages that look again may ask together', () => {
  test.each([
    [BURST - 1, true],
    [BURST, true],
    [BURST + 1, false],
  ])('at once, from the start: %i requests: %s', (requests, granted) => {
    expect(fresh().budget.take(requests)).toBe(granted);
  });

  test.each([
    [1 / RETRY_SHARE - 1, false],
    [1 / RETRY_SHARE, true],
    [1 / RETRY_SHARE + 1, true],
  ])('%i messages earn one request: %s', (messages, granted) => {
    const world = spent();
    for (let i = 0; i < messages; i++) world.budget.earn();
    expect(world.budget.take(1)).toBe(granted);
    expect(world.budget.take(1)).toBe(false);
  });

  test.each([
    [1000 / RETRY_FLOOR_PER_SECOND - 1, false],
    [1000 / RETRY_FLOOR_PER_SECOND, true],
    [1000 / RETRY_FLOOR_PER_SECOND + 1, true],
  ])('%i ms earn one request: %s', async (ms, granted) => {
    const world = spent();
    await world.clock.advance(ms);
    expect(world.budget.take(1)).toBe(granted);
    expect(world.budget.take(1)).toBe(false);
  });

  test.each([
    ['an hour without any', async ({ clock }: World) => clock.advance(3_600_000)],
    [
      'a million messages',
      async ({ budget }: World) => {
        for (let i = 0; i < 1_000_000; i++) budget.earn();
      },
    ],
    ['requests given back', async ({ budget }: World) => budget.giveBack(1_000_000)],
  ])('after %s it is what it was at the start', async (_, passes) => {
    const world = spent();
    await passes(world);
    expect(world.budget.take(BURST + 1)).toBe(false);
    expect(world.budget.take(BURST)).toBe(true);
  });

  test('what is refused costs nothing, what is given back can be had again', () => {
    const { budget: left } = spent();
    expect(left.take(4)).toBe(false);
    left.giveBack(4);
    expect(left.take(5)).toBe(false);
    expect(left.take(4)).toBe(true);
  });
});
