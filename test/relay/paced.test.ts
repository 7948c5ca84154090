import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PACE_MS, Paced } from '../../proxy/relay/paced.ts';

const PER_PACE = 4;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp(perSecond = (PER_PACE * 1000) / PACE_MS) {
  const done: number[] = [];
  const paced = new Paced<number>(perSecond, (item) => done.push(item));
  const add = (from: number, to: number) => {
    for (let item = from; item < to; item++) paced.add(item);
  };
  const pace = () => {
    vi.advanceTimersByTime(PACE_MS);
    return done.length;
  };
  return { paced, done, add, pace };
}

const upTo = (count: number) => Array.from({ length: count }, (_, item) => item);

test.each([
  [PER_PACE - 1, [PER_PACE - 1, PER_PACE - 1, PER_PACE - 1]],
  [PER_PACE, [PER_PACE, PER_PACE, PER_PACE]],
  [PER_PACE + 1, [PER_PACE, PER_PACE + 1, PER_PACE + 1]],
  [2 * PER_PACE + 1, [PER_PACE, 2 * PER_PACE, 2 * PER_PACE + 1]],
])('%i at once are dealt with in order, so many of them by then: %j', (count, counts) => {
  const { done, add, pace } = setUp();
  add(0, count);
  expect([done.length, pace(), pace()]).toEqual(counts);
  expect(done).toEqual(upTo(count));
});

test('who comes while others wait comes after them', () => {
  const { done, add, pace } = setUp();
  add(0, PER_PACE + 2);
  vi.advanceTimersByTime(PACE_MS - 1);
  add(PER_PACE + 2, PER_PACE + 3);
  expect(done).toEqual(upTo(PER_PACE));
  pace();
  expect(done).toEqual(upTo(PER_PACE + 3));
});

test('nobody is kept waiting after a rest, and no timer is left', () => {
  const { done, add, pace } = setUp();
  add(0, PER_PACE);
  pace();
  expect(vi.getTimerCount()).toBe(0);
  add(PER_PACE, 2 * PER_PACE);
  expect(done).toEqual(upTo(2 * PER_PACE));
});

test('one that waits can be hurried, and is dealt with once', () => {
  const { paced, done, add, pace } = setUp();
  add(0, PER_PACE + 2);
  paced.hurry(PER_PACE + 1);
  paced.hurry(0);
  expect(done).toEqual([...upTo(PER_PACE), PER_PACE + 1]);
  pace();
  expect(done).toEqual([...upTo(PER_PACE), PER_PACE + 1, PER_PACE]);
});

test('even the slowest pace goes on', () => {
  const { add, pace } = setUp(1);
  add(0, 2);
  expect(pace()).toBe(2);
});

test('stopped, nothing is left', () => {
  const { paced, done, add, pace } = setUp();
  add(0, 2 * PER_PACE);
  paced.stop();
  pace();
  expect(done).toEqual(upTo(PER_PACE));
  expect(vi.getTimerCount()).toBe(0);
});
