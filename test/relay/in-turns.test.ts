import { expect, test } from 'vitest';
import { InTurns } from '../../proxy/relay/in-turns.ts';
import { PART_MS } from '../../proxy/relay/part-ms.ts';

const turn = () => new Promise(setImmediate);

/** Each item takes a millisecond. */
function setUp() {
  const done: number[] = [];
  let now = 0;
  const deal = (item: number) => {
    done.push(item);
    now += 1;
  };
  const inTurns = new InTurns<number>(deal, () => now);
  const add = (from: number, to: number) => {
    for (let item = from; item < to; item++) inTurns.add(item);
  };
  return { done, add };
}

const upTo = (count: number) => Array.from({ length: count }, (_, item) => item);

test.each([
  [PART_MS - 1, [PART_MS - 1]],
  [PART_MS, [PART_MS]],
  [PART_MS + 1, [PART_MS, PART_MS + 1]],
  [3 * PART_MS, [PART_MS, 2 * PART_MS, 3 * PART_MS]],
])('%i ms of work at once are done in order, so much of it at once and after each turn: %j', async (count, counts) => {
  const { done, add } = setUp();
  add(0, count);
  const seen = [done.length];
  while (done.length < count) {
    await turn();
    seen.push(done.length);
  }
  expect(seen).toEqual(counts);
  expect(done).toEqual(upTo(count));
});

test('who comes while others wait comes after them', async () => {
  const { done, add } = setUp();
  add(0, PART_MS + 2);
  add(PART_MS + 2, PART_MS + 3);
  expect(done).toHaveLength(PART_MS);
  await turn();
  expect(done).toEqual(upTo(PART_MS + 3));
});

test('the next turn has room again', async () => {
  const { done, add } = setUp();
  add(0, PART_MS);
  await turn();
  add(PART_MS, 2 * PART_MS);
  expect(done).toEqual(upTo(2 * PART_MS));
});

test('what one brings about comes after those that wait', async () => {
  const done: string[] = [];
  let now = 0;
  const inTurns = new InTurns<string>(
    (item) => {
      done.push(item);
      now += PART_MS / 2;
      if (item === 'c') inTurns.add('brought about');
    },
    () => now,
  );
  for (const item of ['a', 'b', 'c', 'd']) inTurns.add(item);
  expect(done).toEqual(['a', 'b']);
  await turn();
  await turn();
  expect(done).toEqual(['a', 'b', 'c', 'd', 'brought about']);
});
