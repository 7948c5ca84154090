/** A part of a turn begins once, and goes on in the next. */
import { expect, test, vi } from 'vitest';
import { Part } from '../../proxy/relay/part.ts';
import { PART_MS } from '../../proxy/relay/part-ms.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('whoever begins it, and however often, it goes on once in the next turn, with all of its time', async () => {
  let now = 0;
  const goOn = vi.fn();
  const part = new Part(goOn, () => now);
  part.begin();
  now = PART_MS;
  part.begin();
  expect([part.isOver(), goOn.mock.calls.length]).toEqual([true, 0]);
  await nextTurn();
  expect(goOn).toHaveBeenCalledOnce();
  expect(part.isOver()).toBe(false);
  await nextTurn();
  expect(goOn).toHaveBeenCalledTimes(2);
});
