/** The ledger is the judge of everything else, so it must see faults that were planted. */
import { describe, expect, it } from 'vitest';
import { type Outcome, type RunOptions, run } from '../experiment/run.ts';
import { scenarios } from '../experiment/scenarios.ts';
import { broken } from '../experiment/verdict.ts';

const CLIENTS = 4;
const MESSAGES = 50;
const EVERY = 10;
const PLANTED = (CLIENTS * MESSAGES) / EVERY;

/** One pod with a fault behind the proxy. */
function faulty(fault: string, producer: NonNullable<RunOptions['producer']>): Promise<Outcome> {
  const size = { pods: 1, clients: CLIENTS, messages: MESSAGES, durationMs: 1_000 };
  const podFlags = [fault, String(EVERY)];
  return run({ ...size, mode: 'holdfast', scenario: scenarios.rest, seed: 1, podFlags, producer });
}

describe('planted faults are caught', () => {
  it('each tenth message lost', async () => {
    const outcome = await faulty('--drop-every', 'gateway');
    expect(outcome.tally).toMatchObject({ lost: PLANTED, refused: 0, duplicated: 0, reordered: 0 });
    expect(broken(outcome, false)).toContain(`${PLANTED} lost`);
    // The proxy sees a hole when a later number comes, so it may miss only the last message of a lane.
    expect(outcome.audited.lost).toBeGreaterThan(PLANTED - 2 * CLIENTS);
  });

  it('each tenth message twice, without ids', async () => {
    const outcome = await faulty('--duplicate-every', 'any-pod');
    expect(outcome.tally).toMatchObject({ lost: 0, duplicated: PLANTED, reordered: 0, maxPerUser: expect.any(Number) });
    expect(outcome.tally.maxPerUser).toBeGreaterThan(MESSAGES);
    expect(broken(outcome, false)).toEqual([`${PLANTED} duplicated`]);
  });

  it('each tenth message after the next one', async () => {
    const outcome = await faulty('--swap-every', 'any-pod');
    expect(outcome.tally).toMatchObject({ lost: 0, duplicated: 0 });
    expect(outcome.tally.reordered).toBeGreaterThan(0);
    expect(broken(outcome, false)).toEqual([`${outcome.tally.reordered} reordered`]);
  });
});

describe('a fault that the proxy puts right', () => {
  it('each tenth message twice, with ids: the repeats are dropped and counted', async () => {
    const outcome = await faulty('--duplicate-every', 'gateway');
    expect(broken(outcome, false)).toEqual([]);
    expect(outcome.movedPerMessage).toBeCloseTo(1 + 1 / EVERY);
  });
});
