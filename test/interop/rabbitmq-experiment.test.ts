/** The experiment in small with a cluster of RabbitMQ nodes as the pods: `npm run experiment -- --backend rabbitmq` is the whole. */
import { expect, it } from 'vitest';
import { type Outcome, type RunOptions, run } from '../experiment/run.ts';
import { type ScenarioName, scenarios } from '../experiment/scenarios.ts';
import { broken } from '../experiment/verdict.ts';

function small(scenario: ScenarioName, options: Partial<RunOptions>): Promise<Outcome> {
  const size = { pods: 2, clients: 10, messages: 50, durationMs: 15_000 };
  return run({ ...size, backend: 'rabbitmq', mode: 'holdfast', scenario: scenarios[scenario], seed: 1, ...options });
}

it('all nodes restart, one after the other: no close, nothing lost, doubled or swapped of messages with ids', async () => {
  const outcome = await small('in-place', { ids: true });
  expect(broken(outcome, false)).toEqual([]);
  expect(outcome.tally).toMatchObject({ received: 500, minPerUser: 50, maxPerUser: 50 });
  expect(outcome.movesPerUser).toBeGreaterThan(1);
});

it('kill -9 of a node: no close, nothing doubled or swapped, the gap announced', async () => {
  const outcome = await small('kill', { ids: true });
  expect(broken(outcome, true)).toEqual([]);
  expect(outcome.announced).toBeGreaterThan(0);
});

it('without Holdfast the same restart closes clients and loses messages', async () => {
  const outcome = await small('in-place', { mode: 'direct' });
  expect(outcome.closes).toBeGreaterThan(0);
  expect(outcome.tally.lost).toBeGreaterThan(0);
});
