/** The promises of the README in small: real pods, a real proxy, stock clients, the real gateway, and the ledger. */
import { describe, expect, it } from 'vitest';
import { type Outcome, run } from '../experiment/run.ts';
import { type ScenarioName, scenarios } from '../experiment/scenarios.ts';
import { broken } from '../experiment/verdict.ts';

const CLIENTS = 20;
const MESSAGES = 50;
/** Everything there was to send, once. */
const ALL = { sent: CLIENTS * MESSAGES, received: CLIENTS * MESSAGES, minPerUser: MESSAGES, maxPerUser: MESSAGES };
const TIMEOUT_MS = 90_000;

function small(scenario: ScenarioName, seed: number): Promise<Outcome> {
  const size = { pods: 3, clients: CLIENTS, messages: MESSAGES, durationMs: 4_000 };
  // Old links linger for less than the 5 s that are right for producers elsewhere: the gateway follows at once.
  const proxyFlags = ['--handover-drain-max', '500ms'];
  return run({ ...size, mode: 'holdfast', scenario: scenarios[scenario], seed, proxyFlags });
}

describe('planned changes of pods: no close, nothing lost, doubled or swapped', () => {
  it.each([
    ['rolling', 1],
    ['rolling', 2],
    ['in-place', 3],
    ['scale', 4],
    ['scale', 5],
  ] as const)(
    '%s, seed %i',
    async (scenario, seed) => {
      const outcome = await small(scenario, seed);
      expect(broken(outcome, false)).toEqual([]);
      expect(outcome.tally).toMatchObject(ALL);
      expect(outcome.movesPerUser).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});

describe('kill -9 of a pod: no close, nothing doubled or swapped, the gap announced', () => {
  it.each([6, 7])(
    'seed %i',
    async (seed) => {
      const outcome = await small('kill', seed);
      expect(broken(outcome, true)).toEqual([]);
      expect(outcome.announced).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
