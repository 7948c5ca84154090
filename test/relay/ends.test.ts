import { expect, test } from 'vitest';
import { atEnd, ENDS_PER_TURN } from '../../proxy/relay/ends.ts';

const turn = () => new Promise(setImmediate);

/** So many ends at once; how many of them are done at once and after each turn, until all are. */
async function doneByTurn(count: number): Promise<number[]> {
  const done: number[] = [];
  for (let i = 0; i < count; i++) atEnd(() => done.push(i));
  const counts = [done.length];
  while (done.length < count) {
    await turn();
    counts.push(done.length);
  }
  expect(done).toEqual(Array.from({ length: count }, (_, i) => i));
  await turn();
  return counts;
}

test.each([
  [ENDS_PER_TURN - 1, [ENDS_PER_TURN - 1]],
  [ENDS_PER_TURN, [ENDS_PER_TURN]],
  [ENDS_PER_TURN + 1, [ENDS_PER_TURN, ENDS_PER_TURN + 1]],
  [3 * ENDS_PER_TURN, [1, 2, 3].map((turns) => turns * ENDS_PER_TURN)],
])('%i ends are done in order, so many of them at once and in each turn: %j', async (count, counts) => {
  expect(await doneByTurn(count)).toEqual(counts);
});

test('who ends while others wait comes after them', async () => {
  const done: string[] = [];
  for (let i = 0; i <= ENDS_PER_TURN; i++) atEnd(() => done.push('first'));
  await Promise.resolve();
  atEnd(() => done.push('later'));
  expect(done).toHaveLength(ENDS_PER_TURN);
  await turn();
  expect(done.slice(-2)).toEqual(['first', 'later']);
});
