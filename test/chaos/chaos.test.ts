/** A sample of chaos: a minute of it, with as many clients as a small machine carries beside other tests. */
import { expect, test } from 'vitest';
import { chaos } from './run.ts';
import { KINDS } from './schedule.ts';
import { broken } from './verdict.ts';

const TIMEOUT_MS = 180_000;

test(
  'no client closed, nothing lost unannounced, nothing twice or swapped, every session lives',
  async () => {
    const durationMs = 55_000;
    // This seed strikes with all kinds of faults in that time.
    const outcome = await chaos({ seed: 3, durationMs, pods: 4, clients: 100, rate: 100 });
    expect(broken(outcome, durationMs)).toEqual([]);
    expect(new Set(outcome.strikes.map(({ kind }) => kind))).toEqual(new Set(KINDS));
    expect(outcome.tally.received).toBeGreaterThan(0.9 * outcome.tally.sent);
    expect(outcome.moves).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
