/** A topic at a rate while its subscribers are moved, in small: `npm run topic` is the whole. */
import { expect, it } from 'vitest';
import { runTopic, type TopicOptions, type TopicOutcome } from '../topic/run.ts';

function small(options: Pick<TopicOptions, 'way' | 'publishers'>): Promise<TopicOutcome> {
  return runTopic({ rate: 1_000, subscribers: 2, durationMs: 6_000, moves: 2, ids: false, ...options });
}

it.each([1, 2])('%i publishers, through the proxy: nothing lost, doubled or swapped', async (publishers) => {
  const { tally, moved } = await small({ way: 'holdfast', publishers });
  expect(tally).toMatchObject({ sent: 12_000, received: 12_000, lost: 0, duplicated: 0, reordered: 0 });
  expect(moved).toBeGreaterThan(0);
});

it('the ledger sees what subscribers get twice that switch by themselves', async () => {
  const { tally } = await small({ way: 'plain', publishers: 1 });
  expect(tally.duplicated).toBeGreaterThan(0);
});
