/** The experiment in small with Spring pods: `npm run experiment -- --backend spring-relay` is the whole. */
import { expect, it } from 'vitest';
import { type Outcome, type RunOptions, run } from '../experiment/run.ts';
import { scenarios } from '../experiment/scenarios.ts';
import { broken } from '../experiment/verdict.ts';
import { BUILD_MAX_MS } from './maven.ts';

/** Before the pods have told each other of their users, which they do each 10 s. */
const size = { pods: 3, clients: 20, messages: 50, durationMs: 4_000 };

function atRest(options: Pick<RunOptions, 'backend' | 'mode'>): Promise<Outcome> {
  return run({ ...size, scenario: scenarios.rest, seed: 1, ...options });
}

it(
  'relay: through Holdfast each message passes the broker once, in and out',
  async () => {
    const outcome = await atRest({ backend: 'spring-relay', mode: 'holdfast' });
    expect(broken(outcome, false)).toEqual([]);
    // What is above 2 is what the pods tell each other of their users.
    expect(outcome.brokerPerMessage).toBeGreaterThanOrEqual(2);
    expect(outcome.brokerPerMessage).toBeLessThan(2.5);
  },
  BUILD_MAX_MS,
);

it(
  'relay: at random pods, those that do not know the user ask all the others',
  async () => {
    const outcome = await atRest({ backend: 'spring-relay', mode: 'direct' });
    // 2 + n - 1/n with n pods, until the pods know each other's users; 2 from then on.
    expect(outcome.brokerPerMessage).toBeGreaterThan(2.5);
  },
  BUILD_MAX_MS,
);

it(
  'simple broker: at random pods two of three messages are lost, through Holdfast none',
  async () => {
    const direct = await atRest({ backend: 'spring', mode: 'direct' });
    expect(direct.tally.lost).toBeGreaterThan(0);
    const outcome = await atRest({ backend: 'spring', mode: 'holdfast' });
    expect(broken(outcome, false, outcome.proves)).toEqual([]);
  },
  BUILD_MAX_MS,
);
