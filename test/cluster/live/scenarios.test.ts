/** A sample of what `npm run cluster` does at length: every scenario but the one that needs minutes, with few clients. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cluster } from '../cluster.ts';
import { type Outcome, run } from '../run.ts';
import { NAMES, type Scenario, type ScenarioName, scenarios } from '../scenarios.ts';
import { broken } from '../verdict.ts';

/** A silent watch is noticed after 90 s. */
const SAMPLED = NAMES.filter((name) => name !== 'silent');
const LOAD = { clients: 50, rate: 100, awayMs: 5_000 };

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start();
});

afterAll(async () => {
  await cluster?.stop();
});

/** Whether it is the scenario that it is called, or something that cannot fail. */
const happened: Partial<Record<ScenarioName, (outcome: Outcome) => void>> = {
  'api-away': ({ movesPerUser, warnings }) => {
    expect(movesPerUser).toBe(0);
    expect(warnings).toContainEqual(expect.stringContaining('cannot reach the Kubernetes API'));
  },
  expired: ({ warnings }) => {
    expect(warnings).toContainEqual(expect.stringContaining('too old (410)'));
  },
};

it.each(SAMPLED)('%s', async (name) => {
  const scenario: Scenario = scenarios[name];
  const outcome = await run(cluster, { ...LOAD, scenario, seed: 1 });
  expect(broken(outcome, scenario)).toEqual([]);
  expect(outcome.tally.received).toBeGreaterThan(0);
  if (name !== 'api-away') expect(outcome.movesPerUser).toBeGreaterThan(0);
  happened[name]?.(outcome);
});
